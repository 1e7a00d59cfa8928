"""Two images to compare: of one shape, within the data range, axes in one order."""

import numpy as np

from tinyssl import _checks

NAMES = ("image1", "image2")
HINT = (
    ": channel_axis says where the colours are, batch_axis where the images of a batch "
    "(which SSIMAccumulator adds up), spatial_dims=3 that they are volumes"
)
BYTES = np.dtype(np.uint8)


def pair(image1, image2, *, names=NAMES):
    """Return two arrays of numbers of one shape that are not empty."""
    image1, image2 = _checks.array(names[0], image1), _checks.array(names[1], image2)
    _checks.same_shape(names[0], image1, names[1], image2)
    _checks.not_empty(names[0], image1)
    return image1, image2


def in_range(image1, image2, data_range):
    """Refuse whole numbers further apart than data_range; floats may go beyond it."""
    whole = [image for image in (image1, image2) if image.dtype.kind != "f"]
    if not whole or (data_range >= 255 and image1.dtype == image2.dtype == BYTES):
        return
    # bytes begin at 0, other whole numbers (of a scanner, say) anywhere
    low = min(0 if x.dtype == BYTES else int(x.min()) for x in whole)
    high = max(int(x.max()) for x in whole)
    if high - low > data_range * (1 + 1e-9):
        rule = f"be at least {high - low}, as values lie in {low}..{high}"
        raise _checks.refusal("data_range", rule, f"{data_range:g}")


def position(name, axis, axes):
    """Return an axis counted from the front."""
    given = _checks.integer(name, axis, least=-axes)
    if given >= axes:
        raise _checks.refusal(name, f"lie in {-axes}..{axes - 1}", axis)
    return given % axes


def batch_first(image1, image2, batch_axis, channel_axis, dims, *, names=NAMES):
    """Return views (N, H, W, C) of images or (N, D, H, W, C) of volumes."""
    axes = dims + (batch_axis is not None) + (channel_axis is not None)
    if image1.ndim != axes:
        found = f"shape {image1.shape}{HINT if image1.ndim > axes else ''}"
        raise _checks.refusal(names[0], f"have {axes} axes", found)
    places = []  # where an axis is, and where it should be
    if batch_axis is not None:
        places.append((position("batch_axis", batch_axis, axes), 0))
    if channel_axis is not None:
        places.append((position("channel_axis", channel_axis, axes), -1))
    if len(places) == 2 and places[0][0] == places[1][0]:
        raise _checks.refusal("channel_axis", "not be batch_axis", channel_axis)
    if places:
        moved = tuple(zip(*places, strict=True))
        image1, image2 = (np.moveaxis(x, *moved) for x in (image1, image2))
    new = (*[None] * (batch_axis is None), ..., *[None] * (channel_axis is None))
    return image1[new], image2[new]
