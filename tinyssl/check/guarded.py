"""Calls of a learner's function that neither a crash nor an endless loop can spoil."""

import contextlib
import copy
import ctypes
import io
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

SECONDS = 2.0  # for one call
ALL_SECONDS = 30.0  # for all calls of one check


class CallError(Exception):
    """What a function did instead of returning an answer, in words."""

    def __init__(self, text: str, error: BaseException | None = None):
        super().__init__(text)
        self.error = error


class Stuck(BaseException):
    """A call took too long. Not an Exception: it ends a search for smaller cases."""

    def __init__(self, text: str, case: tuple = ()):
        super().__init__(text)
        self.case = case


class _Stop(BaseException):
    """Raised inside a learner's loop to end it."""


class Guard:
    """A function with a time limit, whose errors come as `CallError`.

    Parameters
    ----------
    function : callable
        A learner's function.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.quiet = True
        self.last: Any = None  # answer
        self.until = time.monotonic() + ALL_SECONDS

    def __call__(self, *case: Any) -> Any:
        """Return the function's answer to a copy of the case."""
        given = copy.deepcopy(case)
        done: dict[str, Any] = {}
        worker = threading.Thread(target=self._work, args=(given, done), daemon=True)
        # what a learner prints is shown for the smallest case only
        shut = contextlib.redirect_stdout(io.StringIO())
        with shut if self.quiet else contextlib.nullcontext():
            worker.start()
            worker.join(SECONDS)
        if worker.is_alive():
            stop(worker)
            raise Stuck(f"gave no answer within {SECONDS:.0f} seconds", case)
        if time.monotonic() > self.until:
            text = f"is right so far, but slow: {ALL_SECONDS:.0f} seconds are over"
            raise Stuck(text, case)
        if "error" in done:
            raise CallError(_words(done["error"], self.function), done["error"])
        if not all(map(same, case, given)):
            raise CallError("changed its input: work on a copy")
        self.last = done["answer"]
        return self.last

    def _work(self, given, done):
        """Call the function; keep its answer or its error."""
        try:
            with np.errstate(all="ignore"):
                done["answer"] = self.function(*given)
        except _Stop:
            pass
        except BaseException as error:  # a learner's sys.exit too
            done["error"] = error


def stop(worker: threading.Thread) -> None:
    """End a thread that runs Python code; one inside C code is left behind."""
    for _ in range(5):  # a bare except may catch the first
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(worker.ident), ctypes.py_object(_Stop)
        )
        worker.join(0.2)
        if not worker.is_alive():
            return


def same(first: Any, second: Any) -> bool:
    """Tell whether two arguments are equal, nan being equal to nan."""
    if isinstance(first, np.ndarray):
        kept = first.shape == second.shape and first.dtype == second.dtype
        return kept and first.tobytes() == second.tobytes()
    return type(first) is type(second) and (first == second or first != first)


def _words(error: BaseException, function: Callable[..., Any]) -> str:
    """Say what was raised, and in which line of the learner's file."""
    text = f"raised {type(error).__name__}"
    if str(error):
        text += f": {error}"
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f for f in frames if code and f.filename == code.co_filename]
    if lines:
        text += f" (line {lines[-1].lineno}: {lines[-1].line})"
    return text
