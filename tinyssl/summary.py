"""From rows of an experiment to a table: every fold, min/avg/max, paired intervals."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

SCRATCH = "scratch"
SAME_COMPUTE = "scratch, same compute"
RANDOM = "random weights, frozen"
LOWER_IS_BETTER = ("error",)


class Metric(NamedTuple):
    """A number by which answers are judged."""

    words: str
    higher: bool = True  # is better
    chance: float | None = None  # what guessing scores, where that is one number


def slug(init: str) -> str:
    """Name a start in a file name.

    Examples
    --------
    >>> slug("scratch, same compute")
    'scratch-same-compute'
    """
    return "-".join(init.replace(",", "").split())


def paired_interval(
    differences: np.ndarray, *, test_share: float = 0.0, level: float = 0.95
) -> tuple[float, float, float]:
    """Mean of paired differences with its interval.

    Parameters
    ----------
    differences : (k,) array
        One a fold or seed: method minus scratch on the same fold and seed.
    test_share : float
        Images tested over images trained on, a fold: 1/4 in 5-fold
        cross-validation. 0 if the differences are independent.
    level : float
        Coverage wanted.

    Returns
    -------
    mean, low, high : float
        The ends are infinite when k < 2.

    Notes
    -----
    Student's t with k - 1 degrees of freedom. The training parts of two folds share
    most of their images, so their differences are not independent and the plain
    interval is too short; its variance is multiplied by 1 + k * test_share.

    References
    ----------
    Nadeau, Bengio: Inference for the generalization error, Machine Learning 52,
    239-281, 2003.

    Examples
    --------
    >>> mean, low, high = paired_interval([0.1, 0.2, 0.3])
    >>> round(mean, 3), round(low, 3), round(high, 3)
    (0.2, -0.048, 0.448)
    """
    differences = np.asarray(differences, dtype=float)
    k = len(differences)
    mean = float(differences.mean()) if k else math.nan
    if k < 2 or not np.isfinite(differences).all():
        return mean, -math.inf, math.inf
    error = math.sqrt(differences.var(ddof=1) * (1 / k + test_share))
    half = float(stdtrit(k - 1, 0.5 + level / 2)) * error
    return mean, mean - half, mean + half


def summarise(rows, metric, how, *, test_share=0.0):
    """TEMPORARY."""
    cells = {}
    for row in rows:
        score = row["scores"][metric]
        score = math.nan if score is None else score
        cells.setdefault((row["init"], row["labels"]), {})[row["run"]] = score
    table = []
    for (init, group), values in cells.items():
        scores = np.array([values[fold] for fold in sorted(values)], dtype=float)
        line = {
            "init": init,
            "labels": group,
            "metric": metric,
            "values": scores.tolist(),
        }
        line |= {"min": scores.min(), "avg": scores.mean(), "max": scores.max()}
        beside = cells.get((SCRATCH, group), {})
        if init != SCRATCH and set(beside) == set(values):
            gains = [values[fold] - beside[fold] for fold in sorted(values)]
            mean, low, high = paired_interval(gains, test_share=test_share)
            line |= {"difference": mean, "low": low, "high": high}
        table.append(line)
    return table


def format_table(table: list[dict[str, Any]]) -> str:
    """Lay the summary out as text, one line a label share or number, and start."""
    by, metric = grouped_by(table), table[0]["metric"].upper()
    width = max(len(line["init"]) for line in table)
    lines = [
        f"{'labels':>9}  {'start':{width}}  {metric + ' min':>7}   avg    max   "
        "minus scratch [95 % interval]"
    ]
    for group in sorted({line[by] for line in table}):
        for line in (line for line in table if line[by] == group):
            name = name_group(by, group).replace("\N{NO-BREAK SPACE}", " ")
            text = f"{name:>9}  {line['init']:{width}}  "
            text += "  ".join(f"{line[key]:7.3f}"[1:] for key in ("min", "avg", "max"))
            lines.append(text + "  " + verdict(line))
    return "\n".join(lines)


def grouped_by(table: Sequence[Mapping[str, Any]]) -> str:
    """Return what a table's lines are grouped by: "labels" or "fraction".

    Examples
    --------
    >>> grouped_by([{"init": "scratch", "labels": 2}])
    'labels'
    """
    return "labels" if table and "labels" in table[0] else "fraction"


def name_group(by: str, value: float) -> str:
    r"""Name a number or a share of the labels; its space does not break.

    Examples
    --------
    >>> name_group("labels", 2), name_group("fraction", 0.05)
    ('2\xa0images', '5\xa0%')
    """
    if by == "labels":
        return f"{value}\N{NO-BREAK SPACE}image" + ("" if value == 1 else "s")
    return f"{100 * value:.3g}\N{NO-BREAK SPACE}%"


def best_average(lines: Sequence[Mapping[str, Any]]) -> float:
    """Return the best of the lines' means, nan where none is a number."""
    means = [line["avg"] for line in lines]
    means = [mean for mean in means if mean is not None and math.isfinite(mean)]
    if not means:
        return math.nan
    return (min if lines[0]["metric"] in LOWER_IS_BETTER else max)(means)


def verdict(line: dict[str, Any]) -> str:
    """Say in figures and one word whether a start beat scratch."""
    if "difference" not in line:
        return ""
    low, high = line["low"], line["high"]
    if line.get("metric") in LOWER_IS_BETTER:
        low, high = -high, -low
    word = "gain" if low > 0 else "LOSS" if high < 0 else "unclear"
    mean, low, high = line["difference"], line["low"], line["high"]
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}] {word}"
