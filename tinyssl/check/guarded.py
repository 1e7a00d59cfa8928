"""Calls of a learner's function that neither a crash nor an endless loop can spoil."""

import contextlib
import copy
import ctypes
import io
import queue
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


def clock() -> float:
    """Return the seconds this process has worked; waiting counts a tenth.

    A right answer must not be too slow because other programs have the processor.
    """
    return time.process_time() + time.monotonic() / 10


class Guard:
    """A function whose errors come as `CallError`; `watched` sees how long it takes.

    Parameters
    ----------
    function : callable
        A learner's function.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.case: tuple = ()
        self.started: float | None = None  # of the call that runs
        self.last: Any = None  # answer

    def __call__(self, *case: Any) -> Any:
        """Return the function's answer to a copy of the case."""
        given = copy.deepcopy(case)
        self.case, self.started = case, clock()
        try:
            with np.errstate(all="ignore"):
                self.last = self.function(*given)
        except _Stop:
            raise
        except BaseException as error:  # a learner's sys.exit too
            raise CallError(_words(error, self.function), error) from error
        finally:
            self.started = None
        if not all(map(same, case, given)):
            raise CallError("changed its input: work on a copy")
        return self.last


def watched(work: Callable[[], Any], *guards: Guard, quiet: bool = True) -> Any:
    """Return what some work returns; end it when one call in it takes too long.

    Parameters
    ----------
    work : callable
        Calls the guards.
    guards : Guard
        Functions to watch.
    quiet : bool
        Whether to swallow what they print.

    Raises
    ------
    Stuck
        If a call takes longer than two seconds, or all of them longer than thirty.
    """
    worker = _free_worker()
    shut = contextlib.redirect_stdout(io.StringIO())
    until = clock() + ALL_SECONDS
    with shut if quiet else contextlib.nullcontext():
        worker.begin(work)
        while not worker.done.wait(0.05):
            now = clock()
            for guard in guards:
                if now - (guard.started or now) > SECONDS:
                    stop(worker)
                    text = f"gave no answer within {SECONDS:.0f} seconds"
                    raise Stuck(f"{text}: does its loop end?", guard.case)
            if now > until:
                stop(worker)
                text = f"is slow: {ALL_SECONDS:.0f} seconds are over"
                raise Stuck(text, guards[0].case)
    try:
        return worker.answer()
    finally:
        _idle.append(worker)


class Worker(threading.Thread):
    """A thread for one work after another: Hypothesis takes .1 s for a new one."""

    def __init__(self):
        super().__init__(daemon=True)
        self.todo: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self.done = threading.Event()
        self.outcome: dict[str, Any] = {}
        self.start()

    def begin(self, work: Callable[[], Any]) -> None:
        """Take up some work; `done` tells when it is over."""
        self.done.clear()
        self.todo.put(work)

    def run(self) -> None:
        """Work until there is None."""
        while (work := self.todo.get()) is not None:
            try:
                self.outcome = {"answer": work()}
            except BaseException as error:
                self.outcome = {"error": error}
            del work
            self.done.set()

    def answer(self) -> Any:
        """Return what the work returned, or raise what it raised; once."""
        outcome, self.outcome = self.outcome, {}
        if "error" in outcome:
            raise outcome["error"]
        return outcome["answer"]


_idle: list[Worker] = []


def _free_worker() -> Worker:
    """Return an idle thread, else a new one; those of a forked parent are dead."""
    while _idle:
        worker = _idle.pop()
        if worker.is_alive():
            return worker
    return Worker()


def stop(worker: Worker) -> None:
    """End a thread that runs Python code; one inside C code is left behind."""
    worker.todo.put(None)
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
