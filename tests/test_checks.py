"""Refusals of the core that no single public function owns."""

import numpy as np
import pytest
import torch
from strategies import refused

from tinyssl import _checks


def generator(name, value):
    return _checks.generator(value)


class Series:
    """What pandas has: values behind ``__array__``."""

    def __array__(self, dtype=None, copy=None):
        return np.array([1, 2, 3])


def test_what_stands_for_an_array_is_one():
    for values in (
        Series(),
        np.ma.array([1, 2, 3]),
        range(1, 4),
        (1, 2, 3),
        torch.tensor([1, 2, 3]),
        np.array([1, 2, 3], ">i8"),
        np.array([9, 3, 2, 1])[:0:-1],
    ):
        actual = _checks.array("x", values)
        np.testing.assert_array_equal(actual, [1, 2, 3])
        assert actual.dtype.isnative


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "TypeError: x must hold numbers, found dtype object"),
        ([1, None], "TypeError: x must hold numbers, found dtype object"),
        ([2**70], "TypeError: x must hold numbers, found dtype object"),
        (["1"], "TypeError: x must hold numbers, found dtype <U1"),
        (b"1", "TypeError: x must hold numbers, found dtype [|]S1"),
        ({1: 2}, "TypeError: x must hold numbers, found dtype object"),
        (np.datetime64("2020"), "TypeError: x must hold numbers, found dtype datetime"),
        (np.zeros(2, "i4,i4"), "TypeError: x must hold numbers, found dtype"),
        (np.longdouble([1]), "TypeError: x must hold numbers, found dtype"),
        (np.ma.array([1], mask=[1]), "x must not have masked values: fill"),
        ([np.ma.array([1, 2], mask=[0, 1]), [1, 2]], "x must not have masked values"),
        (([1, 2], np.ma.array([1, 2], mask=[0, 1])), "x must not have masked values"),
        ([1, np.ma.masked], "x must not have masked values: fill"),
        ([[1], [1, 2]], "x cannot be read as an array: "),
        (torch.ones(1, requires_grad=True), "x cannot be read as an array: .+$"),
        (torch.ones(1).bfloat16(), "x cannot be read as an array: .+$"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(values, message):
    with refused(message):
        _checks.array("x", values)


def test_float64_passes_where_long_double_is_the_same(monkeypatch):
    # as on Windows, and on a Mac with an ARM processor
    monkeypatch.setattr(np, "longdouble", np.float64)
    assert _checks.array("x", [0.5]) == 0.5


@pytest.mark.parametrize(
    "value", [np.random.SeedSequence(3), np.zeros((4, 4)), list(range(1000))]
)
def test_what_was_found_is_shown_in_one_line(value):
    for check in (generator, _checks.number):
        with refused("TypeError: .{,70} found .{,80}$"):
            check("x", value)


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (_checks.integer, 1.0, "TypeError: x must be an integer, found 1.0"),
        (_checks.integer, np.True_, "TypeError: x must be an integer, found np.True_"),
        (_checks.integer, -1, "x must be >= 0, found -1"),
        (_checks.number, "1", "TypeError: x must be a number, found '1'"),
        (_checks.number, 1j, "TypeError: x must be a number, found 1j"),
        (_checks.positive, None, "TypeError: x must be a number, found None"),
        (_checks.positive, 0, "x must be finite and > 0, found 0"),
        (_checks.positive, np.nan, "x must be finite and > 0, found nan"),
        (_checks.not_negative, "1", "TypeError: x must be a number, found '1'"),
        (_checks.not_negative, -0.1, "x must be finite and >= 0, found -0.1"),
        (_checks.not_negative, np.inf, "x must be finite and >= 0, found inf"),
        (generator, -1, "rng must be >= 0, found -1"),
        (generator, None, "TypeError: rng must be a numpy.random.Generator or an int"),
        (generator, 1.0, "TypeError: rng must be .* or an integer seed, found 1.0"),
        (generator, True, "TypeError: rng must be .* or an integer seed, found True"),
        (generator, "a", "TypeError: rng must be .* or an integer seed, found 'a'"),
    ],
)
def test_single_values_are_refused_by_name(check, value, message):
    with refused(message):
        check("x", value)


def test_single_values_come_back_as_plain_numbers():
    for check, value in (
        (_checks.integer, np.uint8(3)),
        (_checks.number, np.float32(-0.5)),
        (_checks.positive, np.int64(3)),
        (_checks.not_negative, 0),
    ):
        actual = check("x", value)
        assert actual == value
        assert type(actual) is (int if check is _checks.integer else float)


def test_a_generator_passes_and_a_seed_makes_one():
    rng = np.random.default_rng(0)
    assert _checks.generator(rng) is rng
    expected = np.random.default_rng(7).random(3)
    np.testing.assert_array_equal(_checks.generator(np.uint8(7)).random(3), expected)
