"""Patches of whole images: drawn, cut out, and a pretext task on them."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinyssl.task import Task


def sample_corners(regions, size, *, rng):
    """Draw a patch in each image around a pixel of its field: corners (N, 2: y, x)."""
    rng = np.random.default_rng(rng)
    corners = np.empty((len(regions), 2), np.int64)
    half = size // 2
    for i, region in enumerate(regions):
        H, W = region.shape
        centres = region[half : H - size + half + 1, half : W - size + half + 1]
        if min(H, W) < size or not centres.any():
            rule = f"patch size {size} must fit around a pixel of the field of view"
            raise ValueError(f"{rule}, found none in image {i} of {H} x {W}")
        # a few uniform tries nearly always hit; a listing of all pixels is slow
        tries = rng.integers(centres.shape, size=(32, 2))
        hits = tries[centres[tries[:, 0], tries[:, 1]]]
        if len(hits) == 0:
            hits = rng.permutation(np.argwhere(centres))
        corners[i] = hits[0]
    return corners


def sample_rooms(images, side, rule, *, region, rng):
    """Draw corners (N, dims) of squares, or cubes, that lie in the region if any."""
    N, *shape, _ = images.shape
    region = np.ones(shape, bool) if region is None else region
    if min(shape) >= side:
        rooms = sliding_window_view(region, (side,) * len(shape))
        free = np.argwhere(rooms.reshape(*rooms.shape[: len(shape)], -1).all(-1))
        if len(free):
            return free[rng.integers(len(free), size=N)]
    raise ValueError(f"{rule}, found images of {' x '.join(map(str, shape))}")


def cut_grids(images, size, grid, *, region, rng):
    """Cut rows of patches, each half over the next, out of one place of each image.

    All lie inside the (H, W) ``region``, if one is given; the second next patch begins
    where one ends, or later. Returns (N, grid, grid, size, size, C).
    """
    step = (size + 1) // 2
    side = size + (grid - 1) * step
    rule = f"patch_size must leave room for {grid} rows, {side} pixels across"
    corners = sample_rooms(images, side, rule, region=region, rng=rng)
    squares = cut_patches(images, corners, side)
    cut = sliding_window_view(squares, (size, size), axis=(1, 2))[:, ::step, ::step]
    return np.ascontiguousarray(np.moveaxis(cut, 3, -1))


def move_to_objects(corners, masks, size, *, share, rng):
    """Move a share of the patches so that they hold a pixel of the object, if any.

    A pixel of it (a mask of at least 0.5) is drawn, then the patch's place around it.
    """
    rng = np.random.default_rng(rng)
    moved = np.array(corners, np.int64)
    for i in np.flatnonzero(rng.random(len(moved)) < share):
        pixels = np.flatnonzero(masks[i] >= 0.5)
        if len(pixels):
            H, W = masks[i].shape
            pixel = np.array(divmod(pixels[rng.integers(len(pixels))], W))
            corner = pixel - rng.integers(size, size=2)
            moved[i] = np.clip(corner, 0, [H - size, W - size])
    return moved


def cut_patches(images, corners, size):
    """Cut a square patch, or cube, out of each image, whose sizes may differ."""
    places = [tuple(slice(c, c + size) for c in corner) for corner in corners]
    pairs = zip(images, places, strict=True)
    return np.stack([image[place] for image, place in pairs])


class OnPatches(Task):
    """Any pretext task, on patches of ``size`` drawn anew from the images each step."""

    columns = ("image", "region")

    def __init__(self, task, *, size=64):
        super().__init__()
        self.task, self.size = task, size

    @property
    def encoder(self):
        """What is carried to the target task."""
        return self.task.encoder

    def make_batch(self, images, regions, rng):
        """Cut a patch out of each prepared image, then let the task make its batch."""
        corners = sample_corners(regions, self.size, rng=rng)
        return self.task.make_batch(cut_patches(images, corners, self.size), rng=rng)

    def forward(self, inputs, targets):
        """Return the loss and what to log."""
        return self.task(inputs, targets)


def bare(task):
    """Return the task that patches are drawn for, or the task itself."""
    return task.task if isinstance(task, OnPatches) else task
