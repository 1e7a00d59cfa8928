"""What the values of a mask mean: which pixels are drawn, or that they do not say."""

import numpy as np

from tinyssl.data.table import DataError

MAX_LABELS = 32  # more values than these are a ramp: of a JPEG, or of smooth edges
STRIP = 4_000_000  # values that are sorted at once


def drawn_area(codes, palette=None, names=None):
    """Return which pixels of a mask are drawn: (H, W) bool array.

    Of two values the brighter is drawn, of a ramp what is brighter than half its
    maximum, 0 never. DataError where three or more values are labels: integers up to
    32, colours that are not shades of one, or areas between the darkest and the
    brightest (lines under 3 pixels of a middle gray are taken for smooth edges).

    Codes are (H, W) numbers, or rows of a `palette`, (K, 3) uint8 colours of which the
    first is black; `names`, (K,) colours as 0xRRGGBB, are for a message.
    """
    values = codes[:0].ravel()
    for strip in np.array_split(codes, codes.size // STRIP + 1):
        if len(values) <= MAX_LABELS:
            values = np.union1d(values, strip)
    level = (values if palette is None else palette.max(-1)[values]).astype(float)
    drawn, top = values[np.argmax(level)], level.max()
    if len(values) > 2:
        few = len(values) <= MAX_LABELS
        bright = codes if palette is None else palette.max(-1)[codes]
        ambiguous = few and _are_unlike(values, level, palette)
        ambiguous = ambiguous or _have_third_area(codes, bright, few)
    else:
        ambiguous = palette is not None and len(values) == 2 and 2 * level.min() > top
    if ambiguous:
        found = values if names is None else map("{:#08x}".format, names[values])
        found = ", ".join(map(str, [*found][:8])) + ", ..." * (len(values) > 8)
        rule = "choose what is drawn with --mask-label (in Python, label=)"
        raise DataError(f"a mask must hold two values, found {found}: {rule}")
    return bright > top / 2 if len(values) > 2 else (codes == drawn) & (top > 0)


def _are_unlike(values, level, palette):
    """Return whether few values are small integers, or colours not shades of one."""
    if palette is None:
        return level.max() <= MAX_LABELS and (values == np.rint(values)).all()
    shades = level[:, None] / max(level.max(), 1) * palette[values[np.argmax(level)]]
    return np.abs(palette[values] - shades).max() > 8  # of 255


def _have_third_area(codes, bright, few):
    """Return whether values in the middle fill squares of 3 x 3, which edges do not."""
    inner, middle, top = codes[1:-1, 1:-1], bright[1:-1, 1:-1], float(bright.max())
    low, high = (bright.min(), top) if few else (top / 8, top * 7 / 8)  # a JPEG's noise
    between = (middle > low) & (middle < high)
    alike = between.copy()
    for y, x in np.ndindex(3, 3):
        alike &= codes[y : y + len(inner), x : x + inner.shape[1]] == inner
    return alike.sum() > between.sum() / 4
