"""What all samplers promise about chance and about regions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import FORMS
from strategies import seeds

from tinyssl.transforms import (
    permutation_set,
    sample_adjustments,
    sample_blocks,
    sample_flips,
    sample_mask,
    sample_pastes,
    sample_permutations,
    sample_swaps,
    sample_tile_offsets,
    sample_turns,
)

REGION = np.ones((24, 24), np.uint8)
REGION[9:12, 9:12] = 0
INSIDE = {  # those that draw in a region
    "swaps": lambda n, **o: sample_swaps((24, 24), 4, n, **o),
    "blocks": lambda n, **o: sample_blocks(n, (24, 24), num_blocks=2, **o),
    "mask": lambda n, **o: sample_mask(n, (24, 24), 4, **o),
    "pastes": lambda n, **o: np.column_stack(sample_pastes(n, (24, 24, 3), **o)),
    "offsets": lambda n, **o: sample_tile_offsets(n, (24, 24), 2, 4, **o),
}
ANYWHERE = {
    "cubes": lambda n, **o: sample_swaps((6, 5, 4), 2, n, spatial_dims=3, **o),
    "turns": lambda n, **o: sample_turns(n, **o),
    "flips": lambda n, **o: sample_flips(n, **o),
    "labels": lambda n, **o: sample_permutations(n, permutation_set(3, 6), **o)[0],
}
ALL = INSIDE | ANYWHERE | {"gains": lambda n, **o: sample_adjustments(n, **o)[0]}
MASKS = FORMS | {"bytes": lambda x: 255 * x, "bools": lambda x: x > 0}


@given(st.sampled_from([*INSIDE, *ANYWHERE]), seeds, st.integers(0, 6), st.booleans())
def test_a_draw_depends_on_the_seed_not_on_the_batch(name, seed, n, whole):
    options = {} if whole or name in ANYWHERE else {"region": REGION}
    expected = ALL[name](6, rng=seed, **options)
    assert len(expected) == 6
    np.testing.assert_array_equal(ALL[name](n, rng=seed, **options), expected[:n])
    rng = np.random.default_rng(seed)
    parts = [ALL[name](part, rng=rng, **options) for part in (n, 6 - n)]
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    other = ALL[name](6, rng=seed + 1, **options)
    assert name in ("turns", "flips", "labels") or (other != expected).any()


@pytest.mark.parametrize("form", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("name", INSIDE)
def test_a_region_in_any_form(name, form):
    expected = INSIDE[name](3, rng=0, region=REGION)
    before = REGION.copy()
    actual = INSIDE[name](3, rng=0, region=form(REGION))
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(REGION, before)


@pytest.mark.parametrize("shape", [(9, 14), (1, 7), (30, 2)])
def test_a_region_of_ones_is_no_region(shape):
    options = {"rng": 0, "area": (0.1, 1), "aspect": (0.2, 5)}
    for sample in (sample_blocks, sample_pastes):
        expected = sample(50, shape, **options)
        actual = sample(50, shape, region=np.ones(shape), **options)
        for one, other in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("rng", [None, -1, "seed", 1.0, np.random.RandomState(0)])
def test_a_bad_rng_is_refused(name, rng):
    with pytest.raises((TypeError, ValueError), match=r"^rng must be"):
        ALL[name](2, rng=rng)


@pytest.mark.parametrize("name", ALL)
def test_a_bad_number_is_refused(name):
    with pytest.raises(ValueError, match=r"^(n|num_swaps) must be >= 0, found -1"):
        ALL[name](-1, rng=0)
    with pytest.raises(TypeError, match=r"^(n|num_swaps) must be an int.* found 2.5"):
        ALL[name](2.5, rng=0)
