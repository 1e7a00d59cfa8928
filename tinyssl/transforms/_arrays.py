"""What transforms are given, checked, and the array that they fill."""

import math

import numpy as np

from tinyssl import _checks, _threads

PART = 2**20  # bytes: what a thread must have to do to be worth its start, about 100 us
SIDES = {2: "H, W", 3: "D, H, W"}  # of an image, of a volume
CHANNELS = 4  # the most of one image that is taken for such: red, green, blue, alpha


def batch(images, kinds="biufc", volumes=False):
    images = _checks.array("images", images, kinds=kinds)
    rule = "(N, H, W) or (N, H, W, C)" + ", or volumes (N, D, H, W, C)" * volumes
    return not_one(ranked("images", images, (3, 4, 5)[: 2 + volumes], rule))


def not_one(images):
    """Refuse three axes of which only the last is as short as channels are."""
    if images.ndim == 3 and images.shape[2] <= CHANNELS < min(images.shape[:2]):
        found = f"shape {images.shape}, taken for one image: give image[None]"
        found = f"{found}, or images[..., None] for grey ones so narrow"
        raise _checks.refusal("images", "be a batch", found)
    return images


def sides(image_shape, dims=2, rule=""):
    if not np.iterable(image_shape):
        found = _checks.shown(image_shape)
        raise _checks.refusal("image_shape", "be a tuple", found, TypeError)
    shape = tuple(image_shape)
    if len(shape) - dims not in (0, 1):
        rule = f"be ({SIDES[dims]}) or ({SIDES[dims]}, C){rule}"
        raise _checks.refusal("image_shape", rule, shape)
    shape = tuple(_checks.integer("image_shape", x, least=1) for x in shape)
    if math.prod(shape) > _checks.LARGEST_DRAW:
        rule = f"have at most {_checks.LARGEST_DRAW} values"
        raise _checks.refusal("image_shape", rule, _checks.shown(shape))
    return shape[:dims]


def count(n, each=1):
    """Return how many images to draw for, so many numbers for each."""
    return _checks.integer("n", n, most=_checks.LARGEST_DRAW // each)


def text(shape):
    return " x ".join(str(side) for side in shape)


def divided(grid, H=0, W=0):
    """Return the rows and columns of a grid, which divide the image if there is one."""
    pair = tuple(grid) if np.iterable(grid) else (grid, grid)
    if len(pair) != 2:
        rule = "be a number or (rows, columns)"
        raise _checks.refusal("grid", rule, _checks.shown(grid))
    rows, cols = (_checks.integer("grid", number, least=1) for number in pair)
    if H % rows or W % cols:
        found = f"{rows} x {cols} for {H} x {W} pixels"
        raise _checks.refusal("grid", "divide the image", found)
    return rows, cols


def interval(name, values, most=np.inf):
    try:
        low, high = (_checks.positive(name, value) for value in values)
    except (TypeError, ValueError) as error:
        rule, found = "be two finite numbers > 0", _checks.shown(values)
        raise _checks.refusal(name, rule, found, type(error)) from None
    if not low <= high <= most:
        limit = "" if most == np.inf else f" <= {most}"
        rule = f"be (low, high) with low <= high{limit}"
        raise _checks.refusal(name, rule, repr(values))
    return low, high


def integers(name, values, *shapes, empty=False):
    values = _checks.array(name, values)
    if values.dtype.kind not in "iu" and not (empty and values.size == 0):
        raise TypeError(f"{name} must be integers, found dtype {values.dtype}")
    return shaped(name, values, *shapes) if shapes else values


def ranked(name, values, ranks, rule):
    if values.ndim not in ranks:
        one = rule.startswith("(N, H, W") and values.ndim == min(ranks) - 1
        hint = ": one image is image[None]" if one else ""
        raise ValueError(f"{name} must be {rule}, found shape {values.shape}{hint}")
    return values


def shaped(name, values, *shapes, rule="have shape", like=""):
    if values.shape not in shapes:
        listed = " or ".join(str(shape) for shape in shapes)
        raise ValueError(f"{name} must {rule} {listed}{like}, found {values.shape}")
    return values


def regions(region, n, H, W):
    """Return a mask for all images as (1, H, W) bools, or one each as (n, H, W)."""
    if region is None:
        return np.ones((1, H, W), bool)
    region = _checks.mask("region", region)
    shaped("region", region, (H, W), (n, H, W), like=" as the images")
    return region.reshape(-1, H, W)


def boxes(name, rows, given, H, W):
    """Return int64 boxes (corners, height, width) that lie in the image."""
    boxes = given.astype(np.int64)
    corners, size = boxes[..., :-2], boxes[..., -2:]
    limit = np.concatenate([[H, W] - size] * (corners.shape[-1] // 2), axis=-1)
    bad = ((corners < 0) | (corners > limit)).any(axis=-1) | (size < 1).any(axis=-1)
    refuse(name, f"be {rows} inside {H} x {W}", given, bad)
    return boxes


def refuse(name, rule, rows, bad):
    if bad.any():
        raise _checks.refusal(name, rule, _checks.shown(rows[bad][0].tolist()))


def colour(fill, images):
    """Return a number or (C,) numbers in the dtype of images, which must hold them."""
    fill = _checks.array("fill", fill)
    if fill.shape not in ((), images.shape[3:]):
        rule = "be a number or one for each channel"
        raise _checks.refusal("fill", rule, f"shape {fill.shape}")
    with np.errstate(all="ignore"):
        colour = fill.astype(images.dtype)
    exact = images.dtype.kind in "fc" or np.array_equal(colour, fill)
    if not exact or not np.isfinite(colour).all():
        rule = f"be finite and fit dtype {images.dtype}"
        raise _checks.refusal("fill", rule, _checks.shown(fill.tolist()))
    return colour


def result(out, images, shape, *, in_place=False):
    """Return a new array of this shape, or ``out`` if it can take the answer."""
    if out is None:
        return np.empty(shape, images.dtype)
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a numpy array, found {type(out).__name__}")
    if out.dtype != images.dtype:
        rule = f"have dtype {images.dtype} as images"
        raise _checks.refusal("out", rule, out.dtype, TypeError)
    shaped("out", out, shape)
    if not out.flags.c_contiguous:
        raise ValueError(f"out must be C-contiguous, found strides {out.strides}")
    if not out.flags.writeable:
        raise ValueError("out must be writeable, found a read-only array")
    if in_place and out is images:
        return out
    if np.may_share_memory(out, images):
        rule = "be images itself or share no memory" if in_place else "share no memory"
        raise ValueError(f"out must {rule} with images, found an overlap")
    return out


def least(images):  # how many of them one thread should get
    return 1 + PART * len(images) // max(1, images.nbytes)


def each(out, images, answer):
    """Fill out with ``answer(n)`` for image n, on all threads; return it."""

    def work(start, stop):
        for n in range(start, stop):
            out[n] = answer(n)

    _threads.spread(work, len(images), least=least(images))
    return out
