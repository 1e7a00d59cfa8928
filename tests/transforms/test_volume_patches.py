"""Patches of volumes: cubes in reading order, exact inverses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import FORMS, pure
from strategies import refused, seeds

from tinyssl import reference
from tinyssl.transforms import patchify, unpatchify

grids = st.tuples(*[st.integers(1, 3)] * 3)
kinds = st.sampled_from(["?", "u1", "i2", "f4", "f8", "c16"])


@given(seeds, st.integers(0, 2), grids, st.integers(1, 4), kinds)
def test_cubes_are_rows_of_voxels_and_back(seed, N, grid, size, kind):
    rng = np.random.default_rng(seed)
    shape = (*(size * side for side in grid), int(rng.integers(1, 4)))
    volumes = rng.integers(0, 256, (N, *shape)).astype(kind)
    patches = pure(patchify, volumes, size)
    assert patches.shape == (N, np.prod(grid), size**3 * shape[3])
    for i, cell in enumerate(np.ndindex(*grid)):
        cube = tuple(slice(k * size, (k + 1) * size) for k in cell)
        for n in range(N):
            np.testing.assert_array_equal(patches[n, i], volumes[n][cube].ravel())
    if N:
        expected = reference.patchify_volumes(volumes, size)
        np.testing.assert_array_equal(patches, expected)
    back = pure(unpatchify, patches, size, shape)
    assert back.shape == volumes.shape
    assert back.tobytes() == volumes.tobytes()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(form):
    volumes = np.arange(2 * 4 * 2 * 6 * 3.0).reshape(2, 4, 2, 6, 3)
    patches = patchify(volumes, 2)
    np.testing.assert_array_equal(patchify(FORMS[form](volumes), 2), patches)
    back = unpatchify(FORMS[form](patches), 2, (4, 2, 6, 3))
    np.testing.assert_array_equal(back, volumes)


def test_refusals():
    with refused("patch_size must divide the image, found 2 for 4 x 5 x 6 pixels"):
        patchify(np.zeros((1, 4, 5, 6, 1)), 2)
    with refused(r"\(N, H, W, C\), or volumes \(N, D, H, W, C\), found shape"):
        patchify(np.zeros((1,) * 6), 1)
    with refused(r"patches must be \(N, 8, 16\) for patches of 2 in images of \(4, 4"):
        unpatchify(np.zeros((1, 8, 8)), 2, (4, 4, 4, 2))
    with refused(r"image_shape must be .* or \(D, H, W, C\), found \(1, 2, 3, 4, 5\)"):
        unpatchify(np.zeros((1, 8, 8)), 2, (1, 2, 3, 4, 5))
