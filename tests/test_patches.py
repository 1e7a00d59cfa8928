"""Small patches: drawn once each from the field of view, and what is refused."""

import numpy as np
from strategies import refused

from tinyssl import _patches

NOISE = np.random.default_rng(0).integers(40, 256, (4, 9, 12, 3), np.uint8)


def test_each_patch_in_the_field_of_view_is_drawn_once():
    images = [NOISE[0].copy(), NOISE[1, :5]]  # 7 x 10 and 3 x 10 patches of 3 pixels
    images[0][4, 6] = 12  # a black pixel: 9 patches touch it
    images[0][4, 7, 0] = 13  # not black
    found = _patches.sample(images, 3, 10**6, rng=np.random.default_rng(0))
    assert found.shape == (91, 27)
    assert len(np.unique(found, axis=0)) == 91
    again, other = (
        _patches.sample(images, 3, 50, rng=np.random.default_rng(seed))
        for seed in (1, 2)
    )
    assert again.shape == (50, 27)
    assert not np.array_equal(again, other)
    assert (again[:, None] == found).all(2).any(1).all()
    dim = np.full((1, 4, 4, 1), 20, np.uint8)  # mean below .08
    assert _patches.sample(dim, 3, 9, rng=np.random.default_rng(0)).shape == (0, 9)
    assert _patches.sample(dim + 1, 3, 9, rng=np.random.default_rng(0)).shape == (4, 9)


def test_what_is_refused():
    for images, message in (
        (NOISE[0], "images must be a batch"),
        (NOISE[:, :3], "images must be .* patch 4 pixels across, found shape"),
        (NOISE[:0], "images must be of one kind, found none"),
        ([NOISE[0], NOISE[0, ..., :1]], "images must be of one kind, found 1, 3"),
        (NOISE / 128, r"images must be uint8, or floats in \[0, 1\], found float64"),
        (
            NOISE.astype(int),
            r"images must be uint8, or floats in \[0, 1\], found int64",
        ),
    ):
        with refused(message):
            _patches.as_list(images, 4)
    with refused("images must have 1 channels, as when fitted, found 3"):
        _patches.as_list(NOISE, 4, 16)
