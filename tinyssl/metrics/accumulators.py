"""Metrics of data that come in pieces: from batches, files or processes.

Each has ``update`` (add data), ``merge`` (add another), ``compute`` and ``reset``. Its
state is plain int64 or float64 arrays, which pickle. Any split of the data and any
order of merging give one answer, to rounding. A refused update or merge leaves the
state as it was. Threads and processes fill one each, and merge at the end.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.metrics import _gaussian, frechet
from tinyssl.metrics.agreement import confusion_matrix


class ConfusionAccumulator:
    """Confusion matrix of data that come in pieces, and every score it determines.

    As `confusion_matrix` of all the data at once, exactly so without weights. Refused
    is also another number of classes where two merge, and a score of no labels.

    Parameters
    ----------
    num_classes : int, 1 to 4096
        K: labels lie in 0..K-1.

    Attributes
    ----------
    table : (K, K) int64 array, float64 from the first weighted update
        Rows are true classes, columns predicted ones.

    Examples
    --------
    >>> from tinyssl.metrics import accuracy, quadratic_weighted_kappa
    >>> counts = ConfusionAccumulator(3)
    >>> for y_true, y_pred in [([0, 1], [0, 2]), ([2, 2], [2, 2])]:
    ...     counts.update(y_true, y_pred)
    >>> counts.compute()
    array([[1, 0, 0],
           [0, 0, 1],
           [0, 0, 2]])
    >>> counts.score(accuracy), round(counts.score(quadratic_weighted_kappa), 3)
    (0.75, 0.833)
    """

    def __init__(self, num_classes: int) -> None:
        K = self.num_classes = _checks.integer("num_classes", num_classes, least=1)
        if K > _checks.LARGEST_TABLE:
            raise _checks.refusal("num_classes", f"be <= {_checks.LARGEST_TABLE}", K)
        self.reset()

    def reset(self) -> None:
        """Forget all data."""
        self.table = np.zeros((self.num_classes, self.num_classes), dtype=np.int64)

    def update(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> None:
        """Count pairs of labels; refuses what `confusion_matrix` refuses."""
        table = confusion_matrix(
            y_true, y_pred, num_classes=self.num_classes, sample_weight=sample_weight
        )
        self._add("sample_weight", table)

    def merge(self, other: "ConfusionAccumulator") -> None:
        """Add what another accumulator of as many classes has counted."""
        _checks.same_kind(type(self), other)
        if other.num_classes != self.num_classes:
            rule = f"have {self.num_classes} classes"
            raise _checks.refusal("other", rule, other.num_classes)
        self._add("other", other.table)

    def compute(self) -> NDArray:
        """Return a copy of the table."""
        return self.table.copy()

    def score(self, metric: Callable, **options) -> float | NDArray[np.float64]:
        """Return a metric that takes weights and depends on pairs of labels alone."""
        if not callable(metric):
            found = _checks.shown(metric)
            raise _checks.refusal("metric", "be a function", found, TypeError)
        y_true, y_pred = np.nonzero(self.table)
        if not len(y_true):
            raise ValueError("no labels counted yet: update before score")
        weights = self.table[y_true, y_pred]
        return metric(y_true, y_pred, sample_weight=weights, **options)

    def _add(self, name, table):
        with np.errstate(over="ignore"):
            table = self.table + table
            total = table.sum()
        if not np.isfinite(total):
            rule = "have a finite sum with what was counted"
            raise _checks.refusal(name, rule, total)
        self.table = table


class GaussianAccumulator:
    """Mean and covariance of features that come in pieces, for the Frechet distance.

    As `ConfusionAccumulator`, but of (n, d) features, and ``compute`` takes another:
    as `frechet_distance` of all the data at once, to rounding, where there are more
    samples than features. With fewer the covariance is singular, and its square root
    keeps half the digits; with fewer than two it is refused. Means are subtracted
    before squaring and pieces joined by Chan's rule (Chan, Golub and LeVeque 1983,
    "Algorithms for computing the sample variance", The American Statistician
    37(3):242-247, equation 2.1): features at 1e4 with a spread of 1 keep their digits.

    Attributes
    ----------
    count : int
        n, the samples seen.
    mean, scatter : (d,) and (d, d) float64 array, None before the first sample
        Their mean, and the sum of outer products of the samples about it.

    Examples
    --------
    >>> real, generated = GaussianAccumulator(), GaussianAccumulator()
    >>> for _ in range(9):
    ...     real.update([[0.0], [2.0]])
    ...     generated.update([[3.0], [5.0]])
    >>> round(real.compute(generated), 6)
    9.0
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all data."""
        self.count, self.mean, self.scatter = 0, None, None

    def update(self, features: ArrayLike) -> None:
        """Add (n, d) or (n,) features, n >= 1, that `frechet_distance` would take."""
        features, mean = frechet.samples("features", features, least=1)
        self._same_features("features", len(mean))
        self._add(len(features), mean, _gaussian.scatter(features, mean))

    def merge(self, other: "GaussianAccumulator") -> None:
        """Add what another accumulator has seen."""
        _checks.same_kind(type(self), other)
        if other.count:
            self._same_features("other", len(other.mean))
            self._add(other.count, other.mean.copy(), other.scatter.copy())

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Sample covariance, (d, d), divided by n - 1."""
        if self.count < 2:
            raise _checks.refusal("a covariance", "have at least 2 samples", self.count)
        return self.scatter / (self.count - 1)

    def compute(self, other: "GaussianAccumulator") -> float:
        """Return the Frechet distance to what another accumulator has seen."""
        _checks.same_kind(type(self), other)
        if other.count < 2:
            raise _checks.refusal("other", "have at least 2 samples", other.count)
        cov1, cov2 = self.covariance, other.covariance
        self._same_features("other", len(other.mean))
        frechet.warn_few(min(self.count, other.count), len(self.mean))
        return frechet.frechet_distance_from_stats(self.mean, cov1, other.mean, cov2)

    def _same_features(self, name, d):
        if self.count and d != len(self.mean):
            raise _checks.refusal(name, f"have {len(self.mean)} features", d)

    def _add(self, count, mean, scatter):
        if self.count:
            total = self.count + count
            shift = mean - self.mean
            mean = self.mean + shift * (count / total)
            # what the distance between the two means adds
            between = shift * np.sqrt(self.count * count / total)
            scatter += np.outer(between, between)
            scatter += self.scatter
            count = total
        self.count, self.mean, self.scatter = count, mean, scatter
