"""An exercise: the laws a learner's function must obey, and hints where it does not."""

import contextlib
import copy
import functools
import inspect
import io
import os
import random
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

import numpy as np

try:
    import hypothesis
    from hypothesis import strategies as st
except ImportError as error:
    text = "the checks of the exercises need hypothesis: pip install hypothesis"
    raise ImportError(text) from error

from tinyssl.check import process
from tinyssl.check.answers import agree, plain, shown, without_torch
from tinyssl.check.process import AnswerError

SETTINGS = hypothesis.settings(
    database=None,
    deadline=None,
    max_examples=100,
    phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
)
SHOWN = 2000  # characters of what a learner prints
LARGE = 10**7  # bytes; no right answer is so large
STUCK = "  it gave no answer within {:.0f} seconds: does its loop end?"
TWICE = (
    "  asked twice, it gave two answers to the same question: is anything in it drawn "
    "at random, or kept from call to call?"
)
failures: dict[str, int] = {}  # how often each exercise failed in each way


class Law(NamedTuple):
    """What must be equal for every case, and what it is called."""

    compare: Callable[..., tuple[Any, Any]]  # of the learner's function and a case
    cases: st.SearchStrategy | Callable | None = None  # or what one becomes here
    labels: tuple[str, ...] = ("expected", "got")  # others if neither need be right


def unchanged(change, changed):
    """Return the law that a case and a changed case have the same answer."""
    labels = ("as given", changed)
    return Law(lambda f, *case: (f(*case), f(*change(*case))), labels=labels)


def gives(expected, cases=None):
    """Return the law that cases have this answer, or what a function makes of them."""
    made = expected if callable(expected) else lambda *case: expected
    return Law(lambda f, *case: (made(*case), f(*case)), cases)


def holds(test, cases=None):
    """Return the law that a test of an answer and its case holds: several may pass."""
    return Law(lambda f, *case: (True, bool(test(f(*case), *case))), cases, ())


def columns(*elements, least=1, most=6):
    """Return a strategy of arrays of one length, one for each strategy of elements."""
    rows = st.lists(st.tuples(*elements), min_size=least, max_size=most)
    return rows.map(lambda rows: tuple(map(np.array, zip(*rows, strict=True))))


@dataclass(frozen=True)
class Exercise:
    """A function for a learner to write, and what it must do."""

    answer: Callable[..., Any]  # a right one, by the name that the learner's has
    cases: st.SearchStrategy  # of tuples of arguments, or of the only one
    _: KW_ONLY
    laws: dict[str, Law]  # by their words, simplest first; values of answer last
    hints: str  # three in turn, and what to say to mistakes, each above its code
    several: bool = False  # right answers: no law asks for the values of this one

    def __post_init__(self):
        laws = dict(self.laws)  # the one given may be another exercise's too
        if not self.several:
            laws["It gives what the definition gives."] = gives(self.answer)
        for words, (compare, cases, labels) in laws.items():
            if callable(cases):
                cases = self.cases.map(lambda case, made=cases: made(*case))
            cases = self.cases if cases is None else cases
            laws[words] = Law(compare, cases, labels)
        object.__setattr__(self, "laws", laws)

    @property
    def name(self):
        """What the learner's function is called."""
        return self.answer.__name__

    @functools.cached_property
    def advice(self):
        """The hints in turn, and the mistakes as functions, by what to say to them."""
        text = re.sub(r"\n  (?=\S)", " ", self.hints)
        pairs = re.findall(r"^- (.*)((?:\n .*)*)", text, flags=re.MULTILINE)
        wrong = {words: _wrong(self.answer, code) for words, code in pairs if code}
        return [words for words, code in pairs if not code], wrong

    def __call__(self, function: Callable[..., Any]) -> bool:
        """Check a function: print what is off and return whether all is right."""
        passed, text = self.examine(function)
        sys.stdout.write(text + "\n")
        return passed

    def examine(self, function):
        """Check a function; return whether it is right, and the words for it."""
        if not callable(function):
            found = f"{type(function).__name__} {function!r:.60}"
            return False, f"{self.name}: give the check a function, found {found}"
        for law in self.laws.values():
            drawn(law.cases)  # here, so that the next check has them too
        trial = _Trial(self, function)
        try:
            passed, text, printed, counts = process.in_a_process(trial.run, trial.late)
        except AnswerError as ended:
            return False, f"{self.name}: not yet.\n  it {ended}"
        sys.stdout.write(printed)
        failures.clear()
        failures.update(counts)
        return passed, text


@functools.cache
def drawn(cases, seed=None):
    """Return the cases that a strategy draws, the same ones every time for a seed."""
    found = []
    smallest(cases, found.append, seed)
    return found


def smallest(cases, breaks, seed=None):
    """Return the smallest case for which something holds, None if none is found."""
    how = hypothesis.settings(SETTINGS, derandomize=seed is None)
    source = None if seed is None else random.Random(seed)
    settings = hypothesis.configuration
    home = vars(settings).get("__hypothesis_home_directory")
    settings.set_hypothesis_home_dir(os.devnull)  # no folder where a learner works
    tuples = cases.map(lambda case: case if isinstance(case, tuple) else (case,))
    try:
        return hypothesis.find(tuples, breaks, settings=how, random=source)
    except hypothesis.errors.NoSuchExample:
        return None
    finally:
        settings.set_hypothesis_home_dir(home)


def _wrong(function, code):
    """Return a mistake: an expression, or the function edited as "right -> wrong"."""
    name, source, names = function.__name__, inspect.getsource(function), {}
    if " ->" not in code:
        source = f"def {name}{inspect.signature(function)}: return {code.strip()}"
    for right, wrong in re.findall(r"(\S.*) -> ?(.*)", code):
        source = source.replace(right, wrong)
    exec(source, function.__globals__, names)
    return names[name]


class _Page(io.StringIO):
    """What is printed, no more than is shown of it: a flood fills no memory."""

    def write(self, text):
        return super().write(text[: SHOWN - self.tell()])


class _Trial:
    """One check of one function."""

    def __init__(self, exercise, function):
        self.exercise, self.function = exercise, function
        self.names = inspect.getfullargspec(exercise.answer).args
        self.words = ""  # of the law that is tried
        self.case, self.running, self.last = (), False, None  # of calls; answer
        self.page, self.warned = _Page(), []

    def __call__(self, *case):
        """Call the function with a copy, for a short time; an error gets words."""
        given = copy.deepcopy(case)
        self.case, self.running = case, True
        process.arm(process.SECONDS)
        try:
            with warnings.catch_warnings(record=True) as self.warned:
                warnings.simplefilter("default")  # each line once, not by the hundred
                answer = self.function(*given)
        except BaseException as error:  # a learner's sys.exit too
            raise AnswerError(_words(error, self.function)) from error
        finally:
            self.running = False
            process.arm()
        if repr(plain(case)) != repr(plain(given)):
            raise AnswerError("changed its input: work on a copy")
        size = max(sys.getsizeof(answer), getattr(answer, "nbytes", 0))
        if size > LARGE:
            raise AnswerError(f"returned {size / 1e9:.2g} GB: that is far too much")
        self.last = without_torch(answer)
        return self.last

    def run(self):
        """Try law after law; return whether all hold, words, prints and failures."""
        page = self.page
        with contextlib.redirect_stdout(page), contextlib.redirect_stderr(page):
            text = self.fault()
        if text:
            flood = "\n... and so on\n" * (page.tell() == SHOWN)
            return False, text, page.getvalue() + flood, failures
        name, laws = self.exercise.name, self.exercise.laws
        rest = {key: n for key, n in failures.items() if key.split(":")[0] != name}
        return True, f"{name}: right. {len(laws)} laws hold.", "", rest

    def late(self):
        line = f"  it is slow: {process.ALL_SECONDS:.0f} seconds are over"
        if self.running:
            line = STUCK.format(process.SECONDS)
        return False, self.report(self.names, self.case, [line]), "", failures

    def fault(self):
        """Return the words for the first law that does not hold, None if all do."""
        for words, law in self.exercise.laws.items():
            self.words = words
            breaks = functools.partial(self.breaks, law)
            broken = next(filter(breaks, drawn(law.cases)), None)
            if broken is not None:
                try:
                    return self.explain(law, smallest(law.cases, breaks) or broken)
                except hypothesis.errors.Flaky:
                    return self.report((), (), [TWICE])
        return None

    def breaks(self, law, case):
        """Tell whether a case breaks a law, or the answer is not what it is about."""
        try:
            return not agree(*law.compare(self, *case))
        except Exception:  # of the function, or of a law that cannot use its answer
            return True

    def explain(self, law, case):
        taken = inspect.getfullargspec(law.compare)
        names = self.names if taken.varargs else taken.args[1:]
        answers = self.answers  # now, for only the prints of what follows are shown
        if not self.breaks(law, case):  # it was wrong a moment ago
            return self.report(names, case, [TWICE])
        self.page.seek(0)
        self.page.truncate()
        try:
            expected, got = law.compare(self, *case)
        except AnswerError as failed:
            hinted = failed.__cause__ is not None  # else the words say it all
            return self.report(names, case, [f"  it {failed}"], hinted)
        except Exception:
            expected, got = None, self.last  # the law is about something else
        else:
            if agree(expected, got):
                return self.report(names, case, [TWICE])
        empty = self.last is None
        if empty and all(answer is None for answer in answers):
            return f"{self.exercise.name}: nothing there yet (it returned None)."
        labels, values = law.labels, (expected, got)
        if not labels:  # none is expected, for several would be right
            labels, values = ("got",), (self.last,)
        pair = zip(labels, values, strict=True)
        lines = [f"  {k:<8}  {shown(v)}" for k, v in pair if v is not None]
        if getattr(expected, "dtype", "") == "bool" and agree(1 * expected, got):
            lines += ["  the places are right, but a mask holds True and False (bool)"]
        for warning in self.warned[:1]:
            lines += [f"  it warned: {warning.message}"]
        lines += ["  it returned None: one way through it has no return"] * empty
        return self.report(names, case, lines, hinted=True)

    def report(self, names, case, lines, hinted=False):
        case = ", ".join(f"{n} = {shown(v)}" for n, v in zip(names, case, strict=False))
        head = [f"{self.exercise.name}: not yet.", f"  law       {self.words}"]
        head += [f"  {'smallest' if hinted else 'case    '}  {case}"] if case else []
        return "\n".join([*head, *lines, *([self.hint()] if hinted else [])])

    def hint(self):
        (hints, mistakes), key = self.exercise.advice, self.exercise.name
        for number, (hint, wrong) in enumerate(mistakes.items()):
            theirs = [_outcome(wrong, case) for case in drawn(self.exercise.cases)]
            if all(map(agree, theirs, self.answers)):
                hints, key = [hint, *hints[1:]], f"{key}:{number}"
                break
        failures[key] = failures.get(key, 0) + 1
        turn = min(failures[key], len(hints))
        return f"  hint {turn} of {len(hints)}: {hints[turn - 1]}"

    @functools.cached_property
    def answers(self):
        return [_outcome(self, case) for case in drawn(self.exercise.cases)]


def _outcome(function, case):
    try:
        return function(*copy.deepcopy(case))
    except Exception as error:
        return type(error.__cause__ or error).__name__


def _words(error, function):
    text = f"raised {type(error).__name__}" + f": {error}" * bool(str(error))
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f" (line {f.lineno}: {f.line})" for f in frames if f.filename == file]
    return text + "".join(lines[-1:])
