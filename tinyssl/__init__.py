"""Self-supervised learning on medical images, small enough to read.

Submodules load on demand, so ``import tinyssl`` costs nothing::

    from tinyssl.metrics import quadratic_weighted_kappa, ssim, frechet_distance
    from tinyssl.transforms import sample_swaps, swap_patches
    from tinyssl.data import toy, open_dataset
"""

import importlib

__version__ = "0.1.0"

_SUBMODULES = (
    "compare",
    "data",
    "experiment",
    "metrics",
    "models",
    "plots",
    "pretext",
    "reference",
    "report",
    "targets",
    "training",
    "transforms",
)
__all__ = ["__version__", *_SUBMODULES]


def __getattr__(name: str):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
