"""How each kernel is compiled: once, for one core, without the GIL."""

from numba import njit


def kernel(function):
    """Compile a loop at its first call; keep the machine code on disk if that can be.

    Numba refuses to decorate where neither the package folder nor the user's cache
    folder can be written. Then each process compiles for itself.
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)
