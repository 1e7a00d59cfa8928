"""Mean SSIM of image pairs that come in batches, from files or from processes."""

import math

import numpy as np
from numpy.typing import ArrayLike

from tinyssl import _checks
from tinyssl.metrics import _pairs, _ssim

# A score is kept as a whole number of 2^-60 in two limbs of 30 bits: int64 holds the
# sums of 2^33 images, and sums of whole numbers depend on no order.
LIMB = 2**30
NAMES = ("images1", "images2")


class SSIMAccumulator:
    """Mean SSIM of image pairs that come in pieces.

    As `ConfusionAccumulator`, but of images, whose sizes may differ from one update to
    the next: see `ssim` for the options, which are refused at once. channel_axis counts
    in one image: -1 for batches (N, H, W, C), 0 for (N, C, H, W). ``compute`` is the
    mean of `ssim` over the images, each rounded to 2^-60 and added without rounding:
    any split of the data and any order of merging give the same bits.

    Attributes
    ----------
    settings : dict
        The options; win_size and channel_axis as numbers >= 0 where they say something.
        Accumulators merge where these are equal.
    totals : (3,) int64 array
        Images seen, and the sum of their scores in units of 2^-30 and of 2^-60.

    Examples
    --------
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
            channel_axis = _pairs.position("channel_axis", channel_axis, axes)
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
        given = _pairs.pair(images1, images2, names=NAMES)
        _pairs.in_range(*given, self._options.data_range)
        axis = self.settings["channel_axis"]
        axis = None if axis is None else axis + 1
        images1, images2 = _ssim.batch(*given, 0, axis, self._options, names=NAMES)
        _ssim.map_shape(images1.shape[1:], self._options, names=NAMES)
        scores = _ssim.scores(images1, images2, self._options)
        data_range = self._options.data_range
        _ssim.refuse_nan(sum(scores), *given, data_range, names=NAMES)
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
