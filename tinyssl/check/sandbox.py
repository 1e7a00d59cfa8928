"""Where a submission runs: a script that knows its source, and nothing of the judge.

Started as `python -I -S sandbox.py PATHS`, it gives up files, network, other processes
and rights, as far as the system can take them. Then it takes a source, the name of a
function and case after case, pickled by the judge, and tells answers as lines of JSON.
It imports nothing of tinyssl, which knows the answers and cannot be seen from here.
"""

import ast
import base64
import contextlib
import ctypes
import dis
import inspect
import json
import os
import pickle
import resource
import sys
import traceback
from pathlib import Path

KINDS = "biufcSU"  # of arrays that are plain data
TAKEN = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
TAKEN |= ast.Assign | ast.AnnAssign | ast.AugAssign
GLOBALS = "LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"  # steps of Python
BIND, READ_ONLY, ALL_BELOW, SET_MOUNT = 0x5000, 0x3, 0x8000, 442  # mount_setattr(2)
VERSION = 0x20080522  # of capset(2)
OPEN = "looking at files that anyone may read, answers among them"
CHANGES = "changing this user's files and ending its processes"


def pack(value):
    """Write an answer as JSON; a TypeError if it is no plain data."""
    return json.dumps(value, default=_pack)


def _pack(value):
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind not in KINDS:
        raise TypeError(f"a {type(value).__name__} is no plain data")
    text = base64.b64encode(array.tobytes()).decode()
    return {"array": [array.dtype.str, array.shape, text]}


def unpack(line):
    """Read what `pack` wrote; any Exception if somebody else did."""
    return json.loads(line, object_hook=_unpack)


def _unpack(found):
    import numpy as np

    if "array" not in found:
        return found
    dtype, shape, text = found["array"]
    if np.dtype(dtype).kind not in KINDS:
        raise TypeError(f"arrays of {dtype} are no plain data")
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape).copy()[()]


def needed(tree, name):
    """Return the top-level code that a name rests on, as a module; None if it has none.

    Imports, assignments, functions and classes that bind it, or a global name in them.
    """
    there, wanted, taken = [n for n in tree.body if isinstance(n, TAKEN)], {name}, []
    while more := [n for n in there if n not in taken and _bound(n) & wanted]:
        taken += more
        wanted |= {"*", "annotations"}  # from numpy, from __future__
        wanted |= _used(compile(ast.Module(more, []), "answers", "exec"))
    return ast.Module([n for n in there if n in taken], []) if taken else None


def _bound(node):
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(a.asname or a.name).partition(".")[0] for a in node.names}
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    parts = [part for target in targets for part in ast.walk(target)]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _used(code):
    names = {s.argval for s in dis.get_instructions(code) if s.opname in GLOBALS}
    return names.union(*map(_used, filter(inspect.iscode, code.co_consts)))


def system(name, *arguments):
    """Call the C library; an OSError where it refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def end_with_parent():
    """Let the system kill this process where its parent ends."""
    with contextlib.suppress(AttributeError):  # macOS has no prctl
        system("prctl", 1, 9, 0, 0, 0)


def enclose(room, places, hidden):
    """Leave of all files what Python needs, read-only, under a new root."""
    system("mount", b"none", room.encode(), b"tmpfs", 0, None)
    for place in sorted(places):
        inside = Path(room + place)
        if not inside.exists():
            (inside if Path(place).is_dir() else inside.parent).mkdir(0o755, True, True)
            inside.touch()
            system("mount", place.encode(), bytes(inside), None, BIND, None)
    for place in hidden:
        around = any(f"{other}/".startswith(f"{place}/") for other in places)
        if Path(room + place).is_dir() and not around:
            system("mount", b"none", (room + place).encode(), b"tmpfs", 0, b"mode=0")
    flags = (ctypes.c_uint64 * 4)(READ_ONLY)
    system("syscall", SET_MOUNT, 0, room.encode(), ALL_BELOW, flags, 32)
    os.chroot(room)
    os.chdir("/")


def give_up(room, places, hidden, limits, uid, apart, root):
    """Give up files, resources and rights; return what the system did not take."""
    lacks = [] if apart else ["the network", OPEN, CHANGES][: 2 if root else 3]
    if apart:
        try:
            enclose(room, places, hidden)
        except OSError as error:
            lacks = [f"{OPEN} ({error})"]
    for name, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS has no limit of memory
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
    if root:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    end_with_parent()
    with contextlib.suppress(AttributeError):
        system("capset", (ctypes.c_uint32 * 2)(VERSION), (ctypes.c_uint32 * 6)())
    return lacks


def main():
    """Take a source and a function's name, then case after case."""
    sys.path += json.loads(sys.argv[1])
    import numpy as np  # noqa: F401

    asked, told = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_RDWR)
    source, name, given = pickle.load(asked)
    told.write(json.dumps({"lacks": give_up(**given)}) + "\n")
    for number in (0, 1, 2):  # whatever is printed goes nowhere
        os.dup2(null, number)
    names, line = {"__name__": "answers"}, '{"raised": "not in the file"}'
    try:
        if module := needed(ast.parse(source), name):
            exec(compile(module, "answers", "exec"), names)
            line = "{}"
    except BaseException as error:  # a learner's sys.exit too
        line = json.dumps({"raised": f"could not be read: {_words(error)}"})
    while told.write(line + "\n") and not told.flush():
        case = pickle.load(asked)
        try:
            before = pack(case)
            line = pack({"answer": names[name](*case)})
            if pack(case) != before:
                line = '{"raised": "changed its input: work on a copy"}'
        except BaseException as error:
            line = json.dumps({"raised": f"raised {_words(error)}"})


def _words(error):
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f" (line {f.lineno})" for f in frames if f.filename == "answers"]
    return f"{type(error).__name__}: {error}"[:200] + "".join(lines[-1:])


if __name__ == "__main__":
    main()
