"""The one way to stop a learner's code: a forked process under the system's clocks."""

import json
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings

SECONDS = 2.0  # of work, for one call
ALL_SECONDS = 30.0  # of work, for all calls of one check
ENDED = {
    "SIGVTALRM": "goes on without an answer, where Python cannot interrupt it",
    "SIGALRM": "waits without an answer: what for?",
    "SIGKILL": "ended Python with SIGKILL: does it need too much memory?",
}
forked = 0.0  # when this process began, if it is a child


class AnswerError(Exception):
    """What came instead of an answer, in words: an error, a crash, an exit."""


def arm(seconds=None):
    """Set the clocks of a child to some seconds of work, or all left; 0 stops them.

    Then `late` has its say. What Python cannot interrupt the system ends after twice as
    long, what only waits after ten times as long: a busy machine is no endless loop.
    """
    if not forked:
        return
    if seconds is None:
        seconds = ALL_SECONDS - time.process_time() - (time.monotonic() - forked) / 10
        if seconds <= 0:
            signal.raise_signal(signal.SIGPROF)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * seconds)
    signal.setitimer(signal.ITIMER_REAL, 10 * seconds)


def in_a_process(work, late):
    """Return what some work returns in a forked process, or `late` when time is over.

    It comes as JSON. An `AnswerError` where the process told nothing: a crash, an exit.
    """
    with tempfile.TemporaryFile() as told, warnings.catch_warnings(action="ignore"):
        if not hasattr(os, "fork"):
            sys.stderr.write("no fork on this system: endless loops are not stopped\n")
            return work()
        child = os.fork()
        if not child:
            try:
                _work(work, late, told)
            finally:
                os._exit(1)
        try:
            _, status = os.waitpid(child, 0)
        except BaseException:  # whoever waits has had enough
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise
        told.seek(0)
        text = told.read()
    if text:
        found, error = json.loads(text)
        if error:
            raise RuntimeError(error)
        return found
    status = os.waitstatus_to_exitcode(status)
    name = f"status {status}" if status >= 0 else signal.Signals(-status).name
    raise AnswerError(ENDED.get(name, f"ended Python with {name}"))


def _work(work, late, told):
    global forked

    def tell(found, error=None):
        arm(0)
        told.write(json.dumps((found, error)).encode())
        told.flush()
        os._exit(0)

    forked = time.monotonic()
    for number in (signal.SIGINT, signal.SIGVTALRM, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, lambda *_: tell(late()))
    if "torch" in sys.modules:  # whose other threads did not come along
        sys.modules["torch"].set_num_threads(1)
    arm()
    try:
        found = work()
    except BaseException:  # of the check, not of the learner
        tell(None, traceback.format_exc())
    tell(found)
