"""From rows of an experiment to its finding: every run, paired intervals, plain words.

A row holds "init", "labels", "run" and "scores", a dict of metric to value. ``labels``
is what was asked for: a float in (0, 1] is a share of the labels, an int a number of
labelled images. A summary is what `summarise` makes of the rows: a list of lines.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

SCRATCH = "scratch"
SAME_COMPUTE = "scratch, same compute"
RANDOM = "random weights, frozen"
UNTRAINED = "random weights"  # what stands in scratch's place where nothing trains
LEVEL = 0.05  # of a table's verdicts together, after `holm`


class Metric(NamedTuple):
    """What a metric is called, whether more is better, and what guessing scores."""

    words: str
    higher: bool = True
    chance: float | None = None


def metric_of(line):
    """Return the metric of a line of a summary."""
    return Metric(line.get("words", line["metric"]), line.get("higher", True))


def reference(rows):
    """Name the initialisation that the others are compared with."""
    untrained = any(row["init"] == UNTRAINED for row in rows)
    return UNTRAINED if untrained else SCRATCH


def paired_interval(differences, *, test_share=0.0, level=0.95):
    """Mean of (k,) paired differences, and the ends of its Student's t interval.

    The ends are infinite when k < 2. Training parts of two folds share most images, so
    the variance is multiplied by 1 + k * test_share, images tested over images trained
    on: 1/4 in 5-fold cross-validation, 0 if the differences are independent (Nadeau,
    Bengio: Inference for the generalization error, Machine Learning 52, 2003).
    """
    mean, error, freedom = _spread(differences, test_share)
    if not math.isfinite(error):
        return mean, -math.inf, math.inf
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    return mean, mean - half, mean + half


def paired_p(differences, *, test_share=0.0):
    """Return the two-sided p value that belongs to `paired_interval`; 1 of one value.

    ``level`` and it agree: below 1 - level where the interval leaves zero out.
    """
    mean, error, freedom = _spread(differences, test_share)
    if not error:
        return float(mean == 0)
    return (
        float(2 * stdtr(freedom, -abs(mean) / error)) if math.isfinite(error) else 1.0
    )


def _spread(differences, test_share):
    """Return the mean, its standard error, and the degrees of freedom."""
    differences = np.asarray(differences, dtype=float)
    k = len(differences)
    mean = float(differences.mean()) if k else math.nan
    if k < 2 or not np.isfinite(differences).all():
        return mean, math.inf, 0
    return mean, math.sqrt(differences.var(ddof=1) * (1 / k + test_share)), k - 1


def holm(lines):
    """Give every compared line of a table "holm", its p value for the whole table.

    Corrected as in Holm: A simple sequentially rejective multiple test procedure,
    Scandinavian Journal of Statistics 6, 1979; `outcome` goes by it then. The lines.
    """
    compared, least = sorted((x for x in lines if "p" in x), key=lambda x: x["p"]), 0.0
    for rank, line in enumerate(compared):
        least = max(least, min(1.0, (len(compared) - rank) * line["p"]))
        line["holm"] = least
    return lines


def summarise(rows, key, metric=None, *, test_share=0.0):
    """Group rows by initialisation and labels; compare with scratch, run by run.

    A line has "init", "labels", "metric" (the key of the scores), its "words", whether
    "higher" is better, "values" (in the order of "run"), their "min", "avg", "max" (nan
    where one is undefined), the "interval" of the mean (infinite of one value), and
    where scratch has the same runs "difference", "low", "high", "p": scratch
    subtracted, see `paired_interval`; or `UNTRAINED` in its place.
    """
    metric = metric or Metric(key)
    cells = {}
    for row in rows:
        cell = row["init"], name_group(row["labels"])
        cells.setdefault(cell, {})[row["run"]] = row
    scores = {  # None, in JSON, becomes nan
        cell: np.array([runs[k]["scores"][key] for k in sorted(runs)], dtype=float)
        for cell, runs in cells.items()
    }
    summary, base = [], reference(rows)
    for (init, group), runs in cells.items():
        own, beside = scores[init, group], (base, group)
        labels = next(iter(runs.values()))["labels"]
        line = {"init": init, "labels": labels, "metric": key}
        line |= {"words": metric.words, "higher": metric.higher}
        line |= {"values": own.tolist(), "min": float(own.min())}
        line |= {"avg": float(own.mean()), "max": float(own.max())}
        line["interval"] = paired_interval(own, test_share=test_share)[1:]
        if init != base and set(cells.get(beside, ())) == set(runs):
            minus = own - scores[beside]
            ends = paired_interval(minus, test_share=test_share)
            line |= zip(("difference", "low", "high"), ends, strict=True)
            line["p"] = paired_p(minus, test_share=test_share)
        summary.append(line)
    return summary


def by_labels(lines):
    """Group lines by their labels, fewest first; the keys name the groups."""
    groups = {}
    for line in sorted(lines, key=lambda line: line["labels"]):
        groups.setdefault(name_group(line["labels"]), []).append(line)
    return groups


def means_of(rows, names):
    """Average some scores by initialisation, with the most labels: a dict of dicts.

    Over the runs in which one is defined; nan where there is none.
    """
    most, means = max(row["labels"] for row in rows), {}
    for init in dict.fromkeys(r["init"] for r in rows if r["labels"] == most):
        own = [r["scores"] for r in rows if (r["labels"], r["init"]) == (most, init)]
        means[init] = {
            name: mean_of([scores[name] for scores in own]) for name in names
        }
    return means


def mean_of(values):
    """Average what is defined; nan where nothing is."""
    values = np.array(values, dtype=float)  # None, in JSON, becomes nan
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def best_average(lines):
    """Return the best of the lines' means, nan where none is a number."""
    means = (line["avg"] for line in lines)
    means = [mean for mean in means if mean is not None and math.isfinite(mean)]
    better = max if metric_of(lines[0]).higher else min
    return better(means, default=math.nan)


def outcome(line):
    """Say in one word whether an initialisation beat scratch; "" if not compared."""
    if "difference" not in line:
        return ""
    if line.get("holm", 0) >= LEVEL:
        return "unclear"
    low, high = line["low"], line["high"]
    if not metric_of(line).higher:
        low, high = -high, -low
    return "gain" if low > 0 else "LOSS" if high < 0 else "unclear"


def verdict(line):
    """Say the same in figures: "difference [interval] outcome"."""
    if not outcome(line):
        return ""
    mean, *ends = (number(line[k], sign=True) for k in ("difference", "low", "high"))
    interval = f" [{', '.join(ends)}]" if math.isfinite(line["difference"]) else ""
    return f"{mean}{interval} {outcome(line)}"


def interval_of(line):
    """Write the 95 % interval of a line's mean; "" where one value says nothing."""
    low, high = line["interval"]
    known = None not in (low, high) and math.isfinite(high - low)
    return f"[{number(low)}, {number(high)}]" if known else ""


def finding(summary, *, baselines=()):
    """Say what gained or LOST against scratch, and where no network beat a baseline."""
    sentences = [f"{_against_scratch(summary)} ({metric_of(summary[0]).words})"]
    unbeaten = {}
    for group, lines in by_labels(baselines).items():
        networks = by_labels(summary).get(group, [])
        for line in lines if networks else ():
            if line["avg"] == best_average([line, *networks]):
                unbeaten.setdefault(line["init"], []).append(group)
    for name, groups in unbeaten.items():
        sentences.append(f"No network beat {name} at {name_groups(groups)}")
    return ". ".join(sentences)


def _against_scratch(summary):
    found, base = {}, reference(summary)  # where, by initialisation and outcome
    for group, lines in by_labels(summary).items():
        for line in filter(outcome, lines):
            found.setdefault((_spoken(line["init"]), outcome(line)), []).append(group)
    if not found:
        return f"No initialisation stands beside {base}"
    alike, verbs = {}, {"gain": "gained", "LOSS": "LOST"}
    for ((how, name), word), groups in found.items():
        if word in verbs:
            where = f"{verbs[word]} at {name_groups(groups)}"
            alike.setdefault((how, where), []).append(name)
    said = [f"{how}{join_words(who)} {where}" for (how, where), who in alike.items()]
    if not said:
        return f"No significant difference from {base}"
    if any(word == "unclear" for _, word in found):
        said.append("no other significant difference")
    return f"Against {base}, " + "; ".join(said)


def _spoken(init):
    """Split "a, frozen: linear probe" into "linear probe of " and "a"."""
    name, _, how = init.partition(": ")
    if how:
        return f"{how} of ", name.removesuffix(", frozen")
    return "", name.replace(", ", " with ")


def format_table(summary):
    """Lay a summary out as text, one line for each labels and initialisation."""
    width = max(len(line["init"]) for line in summary)
    header = f"{'labels':>10}  {'init':{width}}  {'min':>7} {'avg':>7} {'max':>7}"
    header += f"  {'95 % interval':16}"
    if any(map(outcome, summary)):
        header += f"  minus {reference(summary)} [95 % interval]"
    rows = [metric_of(summary[0]).words, header]
    for group, lines in by_labels(summary).items():
        for line in lines:
            scores = " ".join(f"{number(line[k]):>7}" for k in ("min", "avg", "max"))
            row = f"{group:>10}  {line['init']:{width}}  {scores}  "
            row += f"{interval_of(line):16}  {verdict(line)}".rstrip()
            rows.append(row.replace("\N{NO-BREAK SPACE}", " "))
    return "\n".join(rows)


def format_scores(summaries):
    """Lay out the means of every metric with the most labels, a line for each init."""
    group, lines = by_labels(summaries[0]).popitem()
    width = max(len(line["init"]) for line in lines)
    words = [metric_of(summary[0]).words for summary in summaries]
    rows = ["  ".join([f"{group:>{width}}", *words])]
    means = [{x["init"]: x["avg"] for x in by_labels(s)[group]} for s in summaries]
    for init in means[0]:
        own = [number(mean[init]) for mean in means]
        cells = [f"{text:>{len(word)}}" for text, word in zip(own, words, strict=True)]
        rows.append("  ".join([f"{init:{width}}", *cells]))
    return "\n".join(rows).replace("\N{NO-BREAK SPACE}", " ")


# Numbers and names as words


def number(value, digits=3, *, sign=False):
    """Write a number with a real minus, not before a plain 0; a dash if undefined."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:{'+' if sign else 'z'}.{digits}f}".replace("inf", "∞")
    return text.replace("-", "\N{MINUS SIGN}")


def percent(share):
    """Write a share as "5 %", with a space that does not break."""
    return f"{round(100 * share, 2):g}\N{NO-BREAK SPACE}%"


def name_group(labels):
    """Name a share of the labels or a number of images; the space does not break."""
    if isinstance(labels, float):
        return percent(labels)
    return counted(labels, "image").replace(" ", "\N{NO-BREAK SPACE}")


def counted(n, one):
    """Write a number with its noun: 1 pair, 3 pairs."""
    return f"{n} {one}" + ("" if n == 1 else "s")


def join_words(words):
    """Join as "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def name_groups(groups):
    """Join the names of groups: "5 % and 10 % of the labels"."""
    words = join_words(groups)
    return f"{words} of the labels" if words.endswith("%") else words


def slug(init):
    """Name an initialisation in a file name: scratch-same-compute."""
    return "-".join(init.replace(",", "").split())
