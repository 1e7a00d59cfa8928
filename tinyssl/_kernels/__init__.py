"""The core as compiled loops: private, serial, cached, free of the GIL.

Each function has the name, the positional arguments and the stage comments of its twin
in ``tinyssl.reference``, and no checks: callers in ``tinyssl.metrics`` and
``tinyssl.transforms`` have made them. Numba loads with the first module that is used.
"""

import importlib

_SUBMODULES = ("agreement", "ranking", "similarity", "swaps", "turns")


def __getattr__(name: str):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
