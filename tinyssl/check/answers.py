"""Answers: when two are equal, and how one is written."""

import numpy as np

TOLERANCE = 1e-6  # float32, torch and SciPy may answer too


def agree(expected, got):
    """Tell whether two answers are equal, up to rounding; nan equals nan.

    Numbers of any kind may stand for one another, but a mask must be one of bool.
    Beside the largest number of an array the others may be rounded as much as it is.
    """
    try:
        expected, got = np.asarray(expected), np.real_if_close(got)
        kinds = expected.dtype.kind + got.dtype.kind
        if expected.shape != got.shape:
            return False
        if set(kinds) <= set("biuf") and not (expected.ndim and kinds[0] == "b"):
            largest = abs(expected[np.isfinite(expected)]).max(initial=1)
            least = TOLERANCE * largest
            return np.allclose(got, expected, TOLERANCE, least, equal_nan=True)
        return kinds[0] == kinds[1] and np.array_equal(expected, got)
    except (TypeError, ValueError):  # ragged lists and the like
        return False


def shown(value):
    """Write a value for a person, in one line where it fits."""
    text = repr(plain(value))
    if isinstance(value, np.ndarray) and value.size > 64:
        text = f"array of {value.shape}, {text}"
    return text if len(text) <= 200 else f"{text:.200}..."


def without_torch(value):
    """Return tensors of PyTorch as arrays, also inside of tuples and lists."""
    if isinstance(value, tuple | list):
        return (tuple if isinstance(value, tuple) else list)(map(without_torch, value))
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def plain(value):
    """Return arrays as lists, also inside of tuples and lists."""
    if isinstance(value, tuple | list):
        return (tuple if isinstance(value, tuple) else list)(map(plain, value))
    return value.tolist() if hasattr(value, "tolist") else value
