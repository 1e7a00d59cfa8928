"""The form of a lesson: `faults` says what breaks it, `run` runs one under watch."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tinyssl.check.course import read_header

LESSONS = Path(__file__).parents[2] / "lessons"
FILES = sorted(LESSONS.glob("[0-9][0-9]_*.py"))
PHRASES = (
    "**Before you run",
    "**You predicted",
    "**What you should see",
    "Broken on purpose",
    "**Misconception",
    "**Check.",
    "**Change.",
    "**Make.",
    "Three things to keep",
    "Quiz\n",
    "<details><summary>Answers</summary>\n#\n",
    "# </details>",
    "In a clinic",
    "Sources\n",
)
LIMITS = (180, 1200, 40)  # lines of code, words (numbers too), lines of a code cell
FORBIDDEN = ("__main__", "argparse", "plt.show(", "lessons.utils", "urlopen")


def cells(text):
    parts = re.split(r"^(# %%.*)\n", text, flags=re.MULTILINE)[1:]
    return [
        ("prose" if "[markdown]" in mark else "code", body)
        for mark, body in zip(parts[::2], parts[1::2], strict=True)
    ]


def stripped(code):
    """Return the lines of code that are neither empty nor comments."""
    lines = [line.strip() for line in code.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def faults(text):
    found = []
    parts = cells(text)
    codes = [body for kind, body in parts if kind == "code"]
    prose = "\n".join(body for kind, body in parts if kind == "prose")
    lines = stripped("\n".join(codes))
    words = [word for word in prose.split() if re.search(r"[^\W_]", word)]
    most_lines, most_words, most_in_cell = LIMITS
    longest = max(len(stripped(body)) for body in codes)
    first = [i for i, line in enumerate(lines) if "savefig(" in line]
    comments = any(body.lstrip().startswith("#") for body in codes)
    magics = re.search(r"^\s*[%!]", "\n".join(codes), flags=re.MULTILINE)
    for fault, broken in {
        f"{len(lines)} lines of code": len(lines) > most_lines,
        f"{len(words)} words": len(words) > most_words,
        f"a cell of {longest} lines": longest > most_in_cell,
        "no figure within 15 lines of code": not first or first[0] >= 15,
        "fewer than three figures": len(first) < 3,
        "fewer than two predictions": prose.count("**Before you run") < 2,
        "a code cell starts with a comment": comments,
        "a magic": magics,
    }.items():
        found += [fault] if broken else []
    found += [f"no {phrase.strip()}" for phrase in PHRASES if phrase not in prose]
    found += [word for word in FORBIDDEN if word in text]
    for kind, body in parts:
        bare = [s for s in body.splitlines() if s.strip() and not s.startswith("#")]
        if kind == "prose" and bare and not body.startswith('"""'):
            found.append(f"prose that is not a comment: {bare[0]}")
        if kind == "prose" and "\n\n" in body.split('"""\n')[-1].strip("\n"):
            found.append("an empty line in prose")
    return found


WATCH = """
import json, os, runpy, sys
out = os.path.realpath(os.environ["TINYSSL_OUT"])
homes = (out, os.devnull, os.environ["MPLCONFIGDIR"])
homes += ("/dev/shm/pym-",)  # memory that processes share, of multiprocessing
seen = []
def allowed(path):
    path = os.path.realpath(path)
    return path.startswith(homes) or "__pycache__" in path
def watch(event, values):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        seen.append(event)
    elif event == "open" and isinstance(values[0], (str, bytes, os.PathLike)):
        mode, flags = values[1], values[2] or 0
        wrote = set(mode or "") & set("wax+") or flags & (os.O_WRONLY | os.O_RDWR)
        if wrote and not allowed(os.fsdecode(values[0])):
            seen.append(os.fsdecode(values[0]))
    elif event in ("os.mkdir", "os.rename", "os.remove") and not allowed(values[0]):
        seen.append(event + " " + os.fsdecode(values[0]))
sys.addaudithook(watch)
runpy.run_path(sys.argv[1], run_name="lesson")
print("WATCHED", json.dumps(seen))
"""


def run(path, out):
    """Run a lesson in fast mode; return what it did outside of its folder."""
    caches = Path(os.environ.get("MPLCONFIGDIR") or out.parent / "matplotlib")
    caches.mkdir(exist_ok=True)
    settings = {"TINYSSL_OUT": str(out), "TINYSSL_FAST": "1", "TINYSSL_SEED": "0"}
    settings |= {"MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
    settings |= dict.fromkeys(("MPLCONFIGDIR", "TMPDIR"), os.path.realpath(caches))
    # torch sets it where a test before this one imported its compiler
    environment = {k: v for k, v in os.environ.items() if k[:13] != "TORCHINDUCTOR"}
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(path)],
        capture_output=True,
        encoding="utf-8",
        cwd=out.parent,
        timeout=900,  # only against an endless loop
        env=environment | settings,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.rpartition("WATCHED ")[2])


def check_runs(path, folder):
    """Run a lesson: in its folder, with what it says it finds; some twice, alike.

    That all do so, in full, is what lessons/measure.py looks at.
    """
    outs = [folder / "a", folder / "b"][: 1 + (int(path.name[:2]) % 7 == 3)]
    for out in outs:
        assert run(path, out) == []
        promised = read_header(path)["files"].split(", ")
        assert sorted(file.name for file in out.iterdir()) == sorted(promised)
        assert len(list(out.glob("*.png"))) >= 3
    first, *second = [(out / "results.json").read_bytes() for out in outs]
    assert second in ([], [first])
    results = json.loads(first)
    text = path.read_text(encoding="utf-8")
    ranges = re.findall(r"^# - ``(\w+)``: (\S+) to (\S+)$", text, flags=re.MULTILINE)
    assert ranges
    for name, low, high in ranges:
        assert name in results
        assert float(low) <= float(high)


def body(function):
    lines = function.body[1:] if ast.get_docstring(function) else function.body
    return [ast.dump(line) for line in lines]


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
