"""Transforms whose labels come from the pixels: a ``sample_*`` draws, a verb applies.

Images are (H, W), (H, W, C) or batches (N, H, W, C), of any number type. The draw
takes ``rng``, a NumPy generator or a seed; the verb is deterministic, never changes
its input, and returns a new C-contiguous array of the same type.
"""

from tinyssl.transforms.flips import flip, sample_flips
from tinyssl.transforms.lighting import adjust, sample_adjustments
from tinyssl.transforms.swaps import sample_swaps, swap_patches
from tinyssl.transforms.turns import rotate, sample_turns

__all__ = [
    "adjust",
    "flip",
    "rotate",
    "sample_adjustments",
    "sample_flips",
    "sample_swaps",
    "sample_turns",
    "swap_patches",
]
