"""The search for the smallest case that breaks a law."""

import contextlib
import inspect
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

try:
    import hypothesis
    from hypothesis import configuration
    from hypothesis.strategies import SearchStrategy
except ImportError as error:
    text = "the checks of the exercises need hypothesis: pip install hypothesis"
    raise ImportError(text) from error

from tinyssl.check.guarded import CallError, Guard, watched

SETTINGS = hypothesis.settings(
    database=None,
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=list(hypothesis.HealthCheck),
)

ANY = hypothesis.settings(SETTINGS, phases=[hypothesis.Phase.generate])


class Law(NamedTuple):
    """What must be equal for every case: see `law`."""

    text: str
    names: tuple[str, ...]
    cases: SearchStrategy[tuple]
    compare: Callable[..., tuple[Any, Any]]
    labels: tuple[str, str] = ("expected", "got")


def law(
    text: str,
    cases: SearchStrategy[tuple],
    labels: tuple[str, str] = ("expected", "got"),
) -> Callable[[Callable], Law]:
    """Make a law, in words, of a function ``compare(f, *case) -> expected, got``.

    Its arguments after ``f`` name the case, and ``cases`` draws tuples of them. Where
    a law compares two answers of ``f``, neither is the expected one: `labels` says
    what they are, in at most nine letters.
    """

    def declare(compare):
        names = tuple(inspect.signature(compare).parameters)[1:]
        return Law(text, names, cases, compare, labels)

    return declare


def smallest(law: Law, guard: Guard) -> tuple | None:
    """Return the smallest case that breaks a law, None if none is found."""
    return _find(law.cases, lambda case: breaks(law, guard, case), SETTINGS, guard)


def alike(first: Guard, second: Guard, cases: SearchStrategy[tuple]) -> bool:
    """Tell whether no case is found that two functions answer differently."""
    unlike = _find(cases, lambda case: differ(first, second, case), ANY, first, second)
    return unlike is None


def _find(cases, condition, settings, *guards):
    """Return a case for which a condition holds, None if none is found."""
    try:
        with without_traces():
            return watched(
                lambda: hypothesis.find(cases, condition, settings=settings), *guards
            )
    except hypothesis.errors.NoSuchExample:
        return None


@contextlib.contextmanager
def without_traces() -> Iterator[None]:
    """Keep Hypothesis from leaving its folder where a learner works."""
    home = vars(configuration).get("__hypothesis_home_directory")
    configuration.set_hypothesis_home_dir(os.devnull)  # no folder can be made there
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(home)


def breaks(law: Law, guard: Guard, case: tuple) -> bool:
    """Tell whether a case breaks a law, or the answer is not what the law is about."""
    try:
        return not agree(*law.compare(guard, *case))
    except Exception:  # of the function, or of a law that cannot use its answer
        return True


def differ(first: Guard, second: Guard, case: tuple) -> bool:
    """Tell whether two functions answer differently; two failures are alike."""
    answers = []
    for guard in (first, second):
        try:
            answers.append(guard(*case))
        except CallError as failed:
            answers.append(type(failed.error).__name__)
    return not agree(*answers)


def agree(expected: Any, got: Any) -> bool:
    """Tell whether two answers are equal, up to rounding; nan equals nan."""
    try:
        expected, got = np.asarray(expected), np.asarray(got)
        if expected.shape != got.shape:
            return False
        if expected.dtype.kind not in "biuf" or got.dtype.kind not in "biuf":
            return expected.dtype.kind == got.dtype.kind and np.array_equal(
                expected, got
            )
        return np.allclose(got, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
    except (TypeError, ValueError):  # ragged lists and the like
        return False


def shown(value: Any) -> str:
    """Write a value for a person, in one line where it fits."""
    if isinstance(value, np.ndarray) and value.size > 64:
        return f"array of {value.shape}, {np.array2string(value, threshold=12)}"
    if isinstance(value, np.ndarray | np.generic):
        return str(value.tolist())
    if isinstance(value, tuple | list) and len(value) <= 8:
        inside = ", ".join(map(shown, value))
        comma = "," * (len(value) == 1)
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{comma})"
    return repr(value) if len(repr(value)) <= 200 else f"{value!r:.200}..."
