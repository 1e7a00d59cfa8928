"""The core as compiled loops: private, serial, cached, free of the GIL.

Each function has the name, the positional arguments and the stage comments of
its twin in ``tinyssl.reference``, and no checks: callers in ``tinyssl.metrics``
and ``tinyssl.transforms`` have made them. A module, and Numba with it, loads
when it is first used, as ``_kernels.agreement`` and so on.
"""

import importlib

_SUBMODULES = (
    "agreement",
    "overlap",
    "ranking",
    "similarity",
    "swaps",
    "turns",
)


def __getattr__(name: str):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
