"""Refusals of the core that no single public function owns."""

import numpy as np
import pytest

from tinyssl import _checks


def test_a_generator_passes_and_a_seed_makes_one():
    rng = np.random.default_rng(0)
    assert _checks.generator(rng) is rng
    expected = np.random.default_rng(7).random(3)
    np.testing.assert_array_equal(_checks.generator(np.uint8(7)).random(3), expected)


@pytest.mark.parametrize(
    ("rng", "error", "message"),
    [
        (-1, ValueError, "rng must be >= 0, found -1"),
        (None, TypeError, "rng must be a numpy.random.Generator or an integer seed"),
        (1.0, TypeError, "or an integer seed, found 1.0"),
        (True, TypeError, "or an integer seed, found True"),
        ("a", TypeError, "or an integer seed, found 'a'"),
    ],
)
def test_what_is_no_generator_is_refused(rng, error, message):
    with pytest.raises(error, match=message):
        _checks.generator(rng)
