"""Every refusal of the core: one line with the argument, the rule and what was found.

Each function returns its argument in the form the kernels want, or raises.
"""

import math
import numbers
import operator

import numpy as np

LARGEST_TABLE = 4096  # classes: 128 MiB of int64
LARGEST_DRAW = 2**28  # numbers, 2 GiB: more are refused before memory ends


def refusal(name, rule, found, kind=ValueError):
    """Return the error of an argument that must be otherwise."""
    return kind(f"{name} must {rule}, found {found}")


def array(name, values, kinds="biuf"):
    """Return a numeric NumPy array of native byte order, shared where possible."""
    if _is_masked(values):
        raise ValueError(f"{name} must not have masked values: fill or remove them")
    try:
        values = np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be read as an array: {error}") from None
    # np.longdouble by its size: on some systems it is float64 by another name
    wide = values.dtype.kind == "f" and values.itemsize > 8
    if values.dtype.kind not in kinds or wide:
        raise refusal(name, "hold numbers", f"dtype {values.dtype}", TypeError)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    return values


def not_empty(name, values):
    if values.size == 0:
        raise refusal(name, "not be empty", f"shape {values.shape}")


def finite(name, values):
    if values.dtype.kind in "fc":
        _refuse_any(~np.isfinite(values), name, values, "be finite")


def not_nan(name, values):
    """Refuse NaN; infinity may pass."""
    if values.dtype.kind == "f" and values.size and np.isnan(values.min()):
        _refuse_any(np.isnan(values), name, values, "not be NaN")


def _refuse_any(bad, name, values, rule):
    """Refuse values of which some are bad, and name the first."""
    if bad.any():
        place = np.unravel_index(int(np.argmax(bad)), bad.shape)
        position = place[0] if len(place) == 1 else tuple(map(int, place))
        raise refusal(name, rule, f"{values[place]} at position {position}")


def labels(name, values):
    """Return labels as a 1-D C-ordered integer array; whole floats and bools pass."""
    values = array(name, values)
    if values.ndim != 1:
        raise refusal(name, "be one-dimensional", f"shape {values.shape}")
    not_empty(name, values)
    if values.dtype.kind == "f":
        finite(name, values)
        whole = values.astype(np.float64)
        _refuse_any(whole != np.rint(whole), name, values, "hold whole numbers")
        outside = (whole < -(2.0**63)) | (whole >= 2.0**63)
        _refuse_any(outside, name, values, "fit int64")
        values = whole.astype(np.int64)
    values = np.ascontiguousarray(values)
    if values.dtype == bool:
        return values.view(np.uint8)
    if values.dtype == np.uint64 and values.max() < 2**63:
        return values.view(np.int64)
    return values


def label_pair(y_true, y_pred):
    """Return two label arrays of one length, and of one dtype where int64 has room."""
    y_true, y_pred = labels("y_true", y_true), labels("y_pred", y_pred)
    same_shape("y_true", y_true, "y_pred", y_pred)
    if y_true.dtype != y_pred.dtype and np.uint64 not in (y_true.dtype, y_pred.dtype):
        return y_true.astype(np.int64), y_pred.astype(np.int64)
    return y_true, y_pred


def classes(y_true, y_pred, num_classes, most=math.inf):
    """Return K (the largest label + 1 if None), and refuse labels not in 0..K-1."""
    if num_classes is not None:
        num_classes = integer("num_classes", num_classes, 1, most)
    largest = label_range("y_true", y_true, num_classes)
    largest = max(largest, label_range("y_pred", y_pred, num_classes))
    K = largest + 1 if num_classes is None else num_classes
    if most < K:
        raise refusal("labels", f"be < {most} to be counted in a table", K - 1)
    return K


def label_range(name, values, num_classes):
    """Refuse a label outside 0..K-1 (any above if K is None); return the largest."""
    low, high = int(values.min()), int(values.max())
    if low < 0 or (num_classes is not None and high >= num_classes):
        bad = (values < 0) | (num_classes is not None and values >= num_classes)
        rule = "be >= 0" if num_classes is None else f"lie in 0..{num_classes - 1}"
        _refuse_any(bad, name, values, rule)
    return high


def weights(values, length):
    """Return sample weights as float64: finite, not negative, not all zero."""
    if values is None:
        return None
    values = array("sample_weight", values)
    if values.shape != (length,):
        raise refusal("sample_weight", f"have shape ({length},)", values.shape)
    finite("sample_weight", values)
    _refuse_any(values < 0, "sample_weight", values, "be >= 0")
    if not values.any():
        raise ValueError("sample_weight must not be zero everywhere")
    values = np.ascontiguousarray(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        total = values.sum()
    if total == np.inf:
        raise refusal("sample_weight", "have a finite sum", total)
    return values


def weighted(sample_weight, *samples):
    """Return arrays without what weighs nothing, and the weights > 0, or None."""
    values = weights(sample_weight, len(samples[0]))
    if values is None:
        return *samples, None
    used = values > 0
    values = values[used]
    largest = values.max()
    if values.min() / largest < 1e-290:
        rule = "be 0 or at least 1e-290 of the largest"
        raise refusal("sample_weight", rule, f"{values.min()} beside {largest}")
    # scaled by a power of two: products neither vanish nor overflow
    return *(x[used] for x in samples), np.ldexp(values, -np.frexp(largest)[1])


def mask(name, values):
    """Return a C-contiguous boolean array: whatever is not 0 is True."""
    values = array(name, values)
    not_empty(name, values)
    not_nan(name, values)
    return np.ascontiguousarray(values != 0)


def two_valued(name, values):
    """Return a mask of bool, 0/1 or 0/255 as bytes; scores and labels are refused."""
    values = array(name, values)
    not_empty(name, values)
    not_nan(name, values)
    if values.dtype != bool:
        one = 255 if values.max() == 255 else 1
        if np.count_nonzero(values) != np.count_nonzero(values == one):
            whole = values.dtype.kind != "f" or np.array_equal(values, np.rint(values))
            mend = f"label maps need num_classes, or one class at a time: {name} == 2"
            mend = mend if whole else f"threshold probabilities: {name} >= 0.5"
            rule = f"be a mask of bool, 0/1 or 0/255 ({mend})"
            _refuse_any((values != 0) & (values != one), name, values, rule)
    values = np.ascontiguousarray(values if values.itemsize == 1 else values != 0)
    return values.view(np.uint8)


def same_shape(name1, values1, name2, values2):
    if values1.shape != values2.shape:
        both = f"{values1.shape} and {values2.shape}"
        raise refusal(f"{name1} and {name2}", "have one shape", both)


def integer(name, value, least=0, most=math.inf):
    """Return a Python int in ``least..most``; True and 2.0 are no integers."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        value = operator.index(value)
    except TypeError:
        raise refusal(name, "be an integer", shown(value), TypeError) from None
    if value < least:
        raise refusal(name, f"be >= {least}", shown(value))
    if value > most:
        raise refusal(name, f"be <= {most}", shown(value))
    return value


def number(name, value):
    """Return a float; nan and infinities pass."""
    if not isinstance(value, numbers.Real):
        raise refusal(name, "be a number", shown(value), TypeError)
    try:
        return float(value)
    except OverflowError:
        raise refusal(name, "fit float64", shown(value)) from None


def positive(name, value):
    if not 0 < (given := number(name, value)) < np.inf:
        raise refusal(name, "be finite and > 0", value)
    return given


def scale(name, value):
    """Return a float whose square, and the square of that, fit float64."""
    if not 1e-30 <= (given := positive(name, value)) <= 1e30:
        raise refusal(name, "lie in 1e-30..1e30", value)
    return given


def not_negative(name, value, below=np.inf):
    if not 0 <= (given := number(name, value)) < np.inf:
        raise refusal(name, "be finite and >= 0", value)
    if given >= below:
        raise refusal(name, f"be < {below}", given)
    return given


def choice(name, value, options):
    # an array, of weights say, must not be compared with a word
    if not any(isinstance(value, type(o)) and value == o for o in options):
        raise refusal(name, f"be one of {', '.join(map(repr, options))}", shown(value))


def same_kind(kind, other):
    if not isinstance(other, kind):
        found = f"a {type(other).__name__}"
        raise refusal("other", f"be a {kind.__name__}", found, TypeError)


def generator(rng):
    """Return a NumPy generator: ``rng`` itself, or a new one from a seed >= 0."""
    if isinstance(rng, np.random.Generator):
        return rng
    try:
        seed = integer("rng", rng)
    except TypeError:
        rule = "be a numpy.random.Generator or an integer seed"
        raise refusal("rng", rule, shown(rng), TypeError) from None
    return np.random.default_rng(seed)


def shown(value):
    """Return a value as one line, or the start of it."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_masked(values):
    parts = values if isinstance(values, (list, tuple)) else [values]
    return any(isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x) for x in parts)
