"""What all samplers of tiles, masks, blocks and pastes promise about chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl.transforms import (
    permutation_set,
    sample_blocks,
    sample_mask,
    sample_pastes,
    sample_permutations,
    sample_tile_offsets,
)

REGION = np.ones((24, 24), np.uint8)
REGION[9:12, 9:12] = 0
SAMPLERS = {
    "blocks": lambda n, **o: sample_blocks(n, (24, 24), num_blocks=2, **o),
    "mask": lambda n, **o: sample_mask(n, (24, 24), 4, **o),
    "pastes": lambda n, **o: np.hstack(
        [x.reshape(n, -1) for x in sample_pastes(n, (24, 24, 3), **o)]
    ),
    "tile_offsets": lambda n, **o: sample_tile_offsets(n, (24, 24), 2, 4, **o),
    "permutations": lambda n, rng, region=None: sample_permutations(
        n, permutation_set(3, 6), rng=rng
    )[0],
}


@given(st.sampled_from([*SAMPLERS]), seeds, st.integers(1, 5), st.booleans())
def test_a_draw_depends_on_the_seed_not_on_the_batch(name, seed, n, whole):
    sample = SAMPLERS[name]
    region = None if whole else REGION
    expected = sample(6, rng=seed, region=region)
    assert len(expected) == 6
    np.testing.assert_array_equal(sample(n, rng=seed, region=region), expected[:n])
    rng = np.random.default_rng(seed)
    parts = sample(n, rng=rng, region=region), sample(6 - n, rng=rng, region=region)
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    other = sample(6, rng=seed + 1, region=region)
    assert name == "permutations" or (other != expected).any()


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def tensor(x):
    return pytest.importorskip("torch").from_numpy(x)


FORMS = [
    np.ndarray.tolist,
    np.asfortranarray,
    lambda x: np.flip(np.flip(x).copy()),
    read_only,
    lambda x: x.astype(">f4"),
    tensor,
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["blocks", "mask", "pastes", "tile_offsets"])
def test_a_region_in_any_form(name, form):
    sample = SAMPLERS[name]
    expected = sample(3, rng=0, region=REGION)
    before = REGION.copy()
    np.testing.assert_array_equal(sample(3, rng=0, region=form(REGION)), expected)
    np.testing.assert_array_equal(REGION, before)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("rng", [None, -1, "seed", 1.0, np.random.RandomState(0)])
def test_a_bad_rng_is_refused(name, rng):
    with pytest.raises((TypeError, ValueError), match=r"^rng must be"):
        SAMPLERS[name](2, rng=rng)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_bad_number_is_refused(name):
    with pytest.raises(ValueError, match="n must be >= 0, found -1"):
        SAMPLERS[name](-1, rng=0)
    with pytest.raises(TypeError, match=r"n must be an integer, found 2.5"):
        SAMPLERS[name](2.5, rng=0)
