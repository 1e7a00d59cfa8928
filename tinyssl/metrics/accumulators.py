"""Metrics of data that come in pieces: from batches, files or processes.

Each has ``update`` (add data), ``merge`` (add another), ``compute`` and ``reset``. Its
state is plain arrays, which pickle. Any split of the data and any order of merging give
one answer, to rounding; a refused update or merge leaves the state as it was.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.metrics import _gaussian, _ssim, frechet
from tinyssl.metrics.agreement import confusion_matrix

# A score is kept as a whole number of 2^-60 in two limbs of 30 bits: int64 holds the
# sums of 2^33 images, and sums of whole numbers depend on no order.
LIMB = 2**30


class ConfusionAccumulator:
    """Confusion matrix of data that come in pieces, and every score it determines.

    As `confusion_matrix` of all the data at once, exactly so without weights. Refused
    is also another number of classes where two merge, and a score of no labels.

    Parameters
    ----------
    num_classes : int, 1 to 4096; K, labels lie in 0..K-1

    Attributes
    ----------
    table : (K, K) int64 array, float64 from the first weighted update

    Examples
    --------
    >>> from tinyssl.metrics import accuracy, quadratic_weighted_kappa
    >>> counts = ConfusionAccumulator(3)
    >>> for y_true, y_pred in [([0, 1], [0, 2]), ([2, 2], [2, 2])]:
    ...     counts.update(y_true, y_pred)
    >>> counts.score(accuracy), round(counts.score(quadratic_weighted_kappa), 3)
    (0.75, 0.833)
    """

    def __init__(self, num_classes: int) -> None:
        most = _checks.LARGEST_TABLE
        self.num_classes = _checks.integer("num_classes", num_classes, 1, most)
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
    before squaring and pieces joined by Chan's rule, so that features at 1e4 with a
    spread of 1 keep their digits (Chan et al. 1983, The American Statistician
    37:242-247, equation 2.1).

    Attributes
    ----------
    count : int, samples seen
    mean, scatter : (d,) and (d, d) float64 array, None before the first sample
        Their mean, and the sum of outer products of the samples about it.

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


class SSIMAccumulator:
    """Mean SSIM of image pairs that come in pieces.

    As `ConfusionAccumulator`, but of images, whose sizes may differ from one update to
    the next: see `ssim` for the options. channel_axis counts in one image: -1 for
    batches (N, H, W, C), 0 for (N, C, H, W). ``compute`` is the mean of `ssim`, each
    rounded to 2^-60: any split and any order of merging give the same bits.

    Attributes
    ----------
    settings : dict, the options; accumulators merge where these are equal
    totals : (3,) int64 array
        Images seen, and the sum of their scores in units of 2^-30 and of 2^-60.

    >>> image = np.linspace(0, 1, 256).reshape(16, 16)
    >>> scores = SSIMAccumulator(data_range=1)
    >>> scores.update([image, image], [image, 1 - image])
    >>> scores.count, round(scores.compute(), 4)
    (2, 0.0869)
    """

    def __init__(
        self,
        *,
        data_range: float,
        channel_axis: int | None = None,
        window: str = "gaussian",
        win_size: int | None = None,
        sigma: float = 1.5,
        sample_covariance: bool = False,
        k1: float = 0.01,
        k2: float = 0.03,
        spatial_dims: int = 2,
    ) -> None:
        self.settings = {**locals()}
        del self.settings["self"], self.settings["channel_axis"]
        self._options = _ssim.options(*self.settings.values())
        # one way to say what means the same, so that equals merge
        if window == "uniform":
            self.settings["win_size"] = len(self._options.taps)
        if channel_axis is not None:
            axes = self._options.dims + 1
            channel_axis = _ssim.position("channel_axis", channel_axis, axes)
        self.settings["channel_axis"] = channel_axis
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self.totals = np.zeros(3, np.int64)

    @property
    def count(self) -> int:
        """Images seen."""
        return int(self.totals[0])

    def update(self, images1: ArrayLike, images2: ArrayLike) -> None:
        """Add a batch (N, H, W) of pairs, with a channel axis more, or none of it."""
        axis = self.settings["channel_axis"]
        axes = 0, None if axis is None else axis + 1
        names = "images1", "images2"
        scores, _ = _ssim.scores(images1, images2, self._options, *axes, names=names)
        units = [divmod(int(score * LIMB**2), LIMB) for score in scores]
        self.totals = self.totals + np.sum([(1, *unit) for unit in units], axis=0)

    def merge(self, other: "SSIMAccumulator") -> None:
        """Add what another accumulator with the same options has seen."""
        _checks.same_kind(SSIMAccumulator, other)
        for name, value in self.settings.items():
            if other.settings[name] != value:
                rule = f"have {name}={value!r}"
                raise _checks.refusal("other", rule, repr(other.settings[name]))
        self.totals = self.totals + other.totals

    def compute(self, *, undefined: float = math.nan) -> float:
        """Return the mean score, or ``undefined`` if no image was seen."""
        undefined = _checks.number("undefined", undefined)
        count, high, low = self.totals.tolist()
        if not count:
            return undefined
        return (high * LIMB + low) / (count * LIMB**2)
