"""Transforms whose labels come from the pixels: a ``sample_*`` draws, a verb applies.

Images are (H, W), (H, W, C) or batches (N, H, W, C), of any number type. The draw
takes ``rng``, a NumPy generator or a seed; the verb is deterministic, never changes
its input, and returns a new C-contiguous array of the same type.
"""

from tinyssl.transforms.blocks import mask_blocks, sample_blocks
from tinyssl.transforms.flips import flip, sample_flips
from tinyssl.transforms.lighting import adjust, sample_adjustments
from tinyssl.transforms.masks import mask_patches, patchify, sample_mask, unpatchify
from tinyssl.transforms.paste import cut_paste, sample_pastes
from tinyssl.transforms.permutations import (
    permutation_set,
    permute_tiles,
    sample_permutations,
)
from tinyssl.transforms.swaps import sample_swaps, swap_patches
from tinyssl.transforms.tiles import join_tiles, sample_tile_offsets, split_tiles
from tinyssl.transforms.turns import rotate, sample_turns

__all__ = [
    "adjust",
    "cut_paste",
    "flip",
    "join_tiles",
    "mask_blocks",
    "mask_patches",
    "patchify",
    "permutation_set",
    "permute_tiles",
    "rotate",
    "sample_adjustments",
    "sample_blocks",
    "sample_flips",
    "sample_mask",
    "sample_pastes",
    "sample_permutations",
    "sample_swaps",
    "sample_tile_offsets",
    "sample_turns",
    "split_tiles",
    "swap_patches",
    "unpatchify",
]
