"""Ctrl-C and SIGTERM: a run ends within seconds, and what it leaves is whole."""

import os
import signal
import sys
import threading
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE = 2.5  # seconds that a step, or a worker process, may still take
AGAIN = 1.0  # seconds after which a signal that was lost is raised again


class Came(list):
    """The signals that came; set ``heard`` where the run is about to end for them."""

    def __init__(self):
        super().__init__()
        self.heard = threading.Event()


@contextmanager
def raised():
    """Turn both signals into KeyboardInterrupt; give the list of those that came.

    It is raised again, second after second, until it is heard or the block ends: a
    compiler's callback or a destructor that it happens to meet cannot pass it on, and
    some libraries catch whatever comes.
    """
    came, report = Came(), sys.unraisablehook

    def stop(number, frame):
        if came.heard.is_set():
            return
        if not came:
            threading.Thread(target=again, args=(number,), daemon=True).start()
        came.append(number)
        raise KeyboardInterrupt

    def again(number):
        while not came.heard.wait(AGAIN):
            os.kill(os.getpid(), number)

    def lost(found):
        if not (came and issubclass(found.exc_type, KeyboardInterrupt)):
            report(found)

    sys.unraisablehook = lost
    with _handled(stop):
        try:
            yield came
        finally:
            came.heard.set()
            sys.unraisablehook = report


@contextmanager
def held_back():
    """Let a signal wait until the block ends; give the list of those that came.

    It is raised again then; or at once when it is repeated, or after `GRACE` seconds.
    """
    came, timers = [], []
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def hold(number, frame):
        if came:
            signal.signal(number, before[number])
            signal.raise_signal(number)
            return
        came.append(number)
        timers.append(threading.Timer(GRACE, os.kill, (os.getpid(), number)))
        timers[0].daemon = True
        timers[0].start()

    try:
        with _handled(hold):
            yield came
    finally:
        for timer in timers:
            timer.cancel()
    for number in came:
        signal.raise_signal(number)
        raise KeyboardInterrupt  # where its handler only took a note


class OutOfTimeError(Exception):
    """Training was stopped by the clock, as was asked; it can go on from there."""


def launched() -> bool:
    """Say whether torchrun has started several processes, of which this is one."""
    size = os.environ.get("WORLD_SIZE", "1")
    return size != "1" and "TORCHELASTIC_RUN_ID" in os.environ


def ignored():
    """Ignore both signals while what they ask for is being done."""
    return _handled(lambda number, frame: None)


@contextmanager
def _handled(handler):
    """Handle what is not ignored; elsewhere than in the main thread nothing can be."""
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in SIGNALS if main}
    before = {n: was for n, was in before.items() if was not in (None, signal.SIG_IGN)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


@contextmanager
def blocked():
    """Block Ctrl-C: it comes when the block ends, but never to a process begun here.

    The terminal sends it to all at once, and who ends a child is its parent.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
