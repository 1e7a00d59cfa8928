"""An exercise: the laws a learner's function must obey, and hints where it does not."""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from tinyssl.check.guarded import CallError, Guard, Stuck, watched
from tinyssl.check.search import Law, agree, alike, shown, smallest

TWICE = (
    "  asked twice, it gave two answers to the same question: is anything in it drawn "
    "at random, or kept from call to call?"
)
failures: dict[str, int] = {}  # how often each exercise failed in each way


class Mistake(NamedTuple):
    """A wrong answer often given, and what to say to it."""

    answer: Callable[..., Any]
    hint: str


@dataclass(frozen=True)
class Exercise:
    """A function for a learner to write, and what it must do.

    Attributes
    ----------
    name : str
        What the learner's function is called in the lesson.
    answer : callable
        A right answer.
    cases : strategy of tuples
        Arguments of the function.
    laws : tuple of Law
        Tried in order, simplest first; last of all the values of `answer`, unless
        there are several right answers.
    hints : three str
        Shown in turn, failure by failure; the last nearly gives it away.
    mistakes : tuple of Mistake
        Wrong answers that get a hint of their own first.
    several : bool
        Whether the laws leave more than one right answer.
    """

    name: str
    answer: Callable[..., Any]
    cases: SearchStrategy[tuple]
    laws: tuple[Law, ...]
    hints: tuple[str, str, str]
    mistakes: tuple[Mistake, ...] = ()
    several: bool = False

    def __call__(self, function: Callable[..., Any]) -> bool:
        """Check a function: print what is off and return whether all is right."""
        passed, text = self.examine(function)
        sys.stdout.write(text + "\n")
        return passed

    def examine(self, function: Callable[..., Any]) -> tuple[bool, str]:
        """Check a function; return whether it is right, and the words for it."""
        if not callable(function):
            found = f"{type(function).__name__} {function!r:.60}"
            return False, f"{self.name}: give the check a function, found {found}"
        guard = Guard(function)
        laws = self.laws if self.several else (*self.laws, self._values())
        for law in laws:
            try:
                case = smallest(law, guard)
                if case is not None:
                    return False, self._explain(law, guard, case)
            except Stuck as stuck:
                said = zip(self._values().names, stuck.case, strict=False)
                return False, self._report(law, said, [f"  it {stuck}"])
            except Flaky:
                return False, self._report(law, (), [TWICE])
        for key in [key for key in failures if key.split(":")[0] == self.name]:
            del failures[key]
        return True, f"{self.name}: right. {len(laws)} laws hold."

    def _values(self):
        """Return the last law: the values of the answer."""
        names = tuple(inspect.signature(self.answer).parameters)
        text = "It gives what the definition gives."
        compare = lambda f, *case: (self.answer(*case), f(*case))  # noqa: E731
        return Law(text, names, self.cases, compare)

    def _explain(self, law, guard, case):
        """Say how a law is broken; call once more, so that prints are seen."""
        said = zip(law.names, case, strict=True)
        try:
            expected, got = watched(
                lambda: law.compare(guard, *case), guard, quiet=False
            )
        except CallError as failed:
            hinted = guard if failed.error else None  # else the words say it all
            return self._report(law, said, [f"  it {failed}"], hinted)
        except Exception:
            expected, got = None, guard.last  # the law is about something else
        else:
            if agree(expected, got):  # it was wrong a moment ago
                return self._report(law, said, [TWICE])
        empty = guard.last is None
        if empty and self._answers_as(guard, lambda *case: None):
            return f"{self.name}: nothing there yet (it returned None)."
        pair = zip(law.labels, (expected, got), strict=True)
        lines = [f"  {k:<8}  {shown(v)}" for k, v in pair if v is not None]
        lines += ["  it returned None: one way through it has no return"] * empty
        return self._report(law, said, lines, guard)

    def _report(self, law, said, lines, guard=None):
        """Join law, case, what happened and, with a guard, the next hint."""
        head = [f"{self.name}: not yet.", f"  law       {law.text}"]
        case = ", ".join(f"{name} = {shown(value)}" for name, value in said)
        head += [f"  {'smallest' if guard else 'case    '}  {case}"] if case else []
        return "\n".join([*head, *lines, *([self._hint(guard)] if guard else [])])

    def _hint(self, guard):
        """Return the next hint: of the mistake recognised, or of the exercise."""
        hints, key = self.hints, self.name
        for number, mistake in enumerate(self.mistakes):
            if self._answers_as(guard, mistake.answer):
                hints = (mistake.hint, *self.hints[1:])
                key = f"{self.name}:{number}"
                break
        failures[key] = failures.get(key, 0) + 1
        turn = min(failures[key], len(hints))
        return f"  hint {turn} of {len(hints)}: {hints[turn - 1]}"

    def _answers_as(self, guard, wrong):
        """Tell whether no case can tell a function from a wrong answer."""
        try:
            return alike(guard, Guard(wrong), self.cases)
        except (Stuck, Flaky):
            return False
