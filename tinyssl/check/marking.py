"""The judge of submissions: cases go to a sandbox, answers come back as plain data.

The judge is a process too, for a law may have trouble with a strange answer. It holds
laws and right answers; the submission runs in a child of it that does not: `sandbox`.
"""

import ast
import contextlib
import functools
import json
import multiprocessing
import os
import pickle
import re
import resource
import signal
import site
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from tinyssl._threads import num_threads
from tinyssl.check import course, exercises, process, sandbox
from tinyssl.check.answers import agree
from tinyssl.check.exercise import drawn
from tinyssl.check.process import AnswerError

LIMITS = {"CPU": 10, "AS": 2**32, "NPROC": 0, "FSIZE": 0, "NOFILE": 64, "CORE": 0}
SECONDS = 40  # for all calls of a function, the wait for a busy machine included
LONGEST, JUDGE = 2**26, 2**33  # bytes: an answer's, and a judge's memory
UNSHARE = ["unshare", "--mount", "--net", "--ipc", "--pid", "--mount-proc"]
UNSHARE += ["--fork", "--kill-child"]
USER = ["--user", "--map-root-user"]  # for whoever is not root
PATHS = [*site.getsitepackages(), str(Path(np.__file__).parents[1])]
PLACES = ["/usr", "/bin", "/lib", "/lib64", "/proc", "/dev/null", "/dev/urandom"]
PLACES += [sys.prefix, sys.base_prefix, *PATHS]
SCRIPT = [sys.executable, "-I", "-S", "-B", sandbox.__file__, json.dumps(PATHS)]
ENVIRONMENT = {"PATH": os.defpath, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
PROBE = "import scipy, wave\nprobe = scipy.special, wave"  # which nothing has read yet


def mark_all(number, folder, texts, seed, workers, log):
    """Yield for each text what is wrong by function, "" if nothing; by "" of all."""
    with tempfile.TemporaryDirectory() as room:
        Path(room).chmod(0o555)
        hidden = map(str, (course.PACKAGE, course.find_folder(), folder.absolute()))
        given = {"room": room, "hidden": [*hidden], "limits": LIMITS, "apart": _apart()}
        given["root"] = os.getuid() == 0
        given["places"] = [place for place in PLACES if Path(place).exists()]
        try:
            with student(given, PROBE, "probe") as (_, lacks):
                if lacks:
                    log(f"not prevented on this system: {'; '.join(lacks)}")
        except AnswerError as error:
            raise RuntimeError(f"submissions cannot run here: Python {error}") from None
        for name, task in exercises(number).items():
            if fault := _fault(task, seed, task.answer):
                raise RuntimeError(f"exercise {name}: its own answer {fault}")
        mark = functools.partial(_mark, number, seed, given)
        fork = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(workers or num_threads(), fork) as pool:
            try:
                yield from pool.map(mark, texts.items())
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _apart():
    """Return the command that gives a process a system of its own, if it works."""
    command = UNSHARE if os.getuid() == 0 else UNSHARE + USER
    try:
        subprocess.run([*command, "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return command


def _mark(number, seed, given, submission):
    path, (text, fault) = submission

    def judge():
        resource.setrlimit(resource.RLIMIT_AS, (JUDGE, JUDGE))
        signal.signal(signal.SIGALRM, _late)
        try:
            code = _code(text) if path.suffix == ".ipynb" else text
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return {"": _line(f"is no notebook: {error}")}
        tasks = exercises(number).values()
        return {task.name: _marked(given, code, task, seed) for task in tasks}

    try:
        slow = {"": "its answers took too long to compare"}
        return {"": fault} if fault else process.in_a_process(judge, lambda: slow)
    except (AnswerError, RuntimeError) as error:
        last = str(error).strip().splitlines()[-1]
        return {"": _line(f"could not be judged: {last}")}


def _late(*_):
    raise AnswerError(f"gave no answer within {SECONDS} seconds")


def _code(text):
    """Return the code of a notebook, its lines of magic replaced."""
    cells = [c for c in json.loads(text)["cells"] if c["cell_type"] == "code"]
    codes = ["".join(cell["source"]) for cell in cells]
    magic = re.compile(r"^( *)((\w+ *= *)?[%!?].*|.*\?)$", flags=re.MULTILINE)
    for place, code in enumerate(codes):
        try:
            ast.parse(code)
        except SyntaxError:
            codes[place] = "" if code[:2] == "%%" else magic.sub(r"\1pass", code)
    return "\n".join(codes)


def _marked(given, source, task, seed):
    """Return what is wrong with a function of a source, in one line."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 1)  # again where none could hear it
    try:
        with student(given, source, task.name) as (function, _):
            return _line(_fault(task, seed, function))
    except AnswerError as error:
        return _line(str(error))


def _line(text):
    return "".join(letter if letter.isprintable() else " " for letter in text)[:300]


def _fault(task, seed, function):
    """Return in words which law does not hold for cases of a seed, "" if all do."""
    for words, law in task.laws.items():
        for case in drawn(law.cases, seed):
            try:
                right = agree(*law.compare(function, *case))
            except AnswerError as error:
                return str(error)
            except Exception:  # of a law that cannot use the answer
                right = False
            if not right:
                empty = getattr(function, "last", right) is None
                return "returned None" if empty else f"breaks a law: {words}"
    return ""


@contextlib.contextmanager
def student(given, source, name):
    """Yield a function of a source, which asks a process that holds nothing else.

    And what the system does not prevent. Of it no more is left when it is done.
    """
    before, options = _spent(), dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    options |= {"env": ENVIRONMENT, "cwd": given["room"], "start_new_session": True}
    options |= {"stderr": subprocess.DEVNULL, "preexec_fn": sandbox.end_with_parent}
    child = subprocess.Popen([*given["apart"], *SCRIPT], **options)
    uid = 61184 + os.getpid() % 4000  # of nobody, not of another student

    def send(message):
        with contextlib.suppress(BrokenPipeError):
            pickle.dump(message, child.stdin)
            child.stdin.flush()

    def hear(what):
        line = child.stdout.readline(LONGEST)
        if not line.endswith(b"\n") and len(line) < LONGEST:
            raise AnswerError(_ended(child, before))
        try:
            found = sandbox.unpack(line)
            fault = found.get("raised")
        except Exception:  # somebody else wrote it
            fault = "answered with what is no plain data, or too long"
        if fault:
            raise AnswerError(str(fault))
        return found.get(what)

    def ask(*case):
        send(case)
        ask.last = hear("answer")
        return ask.last

    try:
        send((source, name, given | {"uid": uid}))
        lacks = hear("lacks")
        hear("")
        yield ask, lacks
    finally:
        _stop(child)


def _ended(child, before):
    """Return how a process ended, in words."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(5)
    _stop(child)
    if _spent() - before > LIMITS["CPU"] - 1:
        return f"used up {LIMITS['CPU']} seconds of work: does its loop end?"
    status = child.returncode
    name = f"status {status}" if status >= 0 else signal.Signals(-status).name
    return f"ended Python with {name}"


def _spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _stop(child):
    """End a process and all that it began, first of all whom `unshare` waits for."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    with contextlib.suppress(OSError):
        inner = Path(f"/proc/{child.pid}/task/{child.pid}/children")
        for pid in inner.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    for pipe in (child.stdin, child.stdout):
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
    child.wait()
