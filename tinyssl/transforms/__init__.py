"""Transforms whose labels come from the pixels: a ``sample_*`` draws, a verb applies.

What all of them keep, said once:

- Images are a batch, (N, H, W, C) or (N, H, W), of any type of numbers; places and
  sizes are in pixels, rows before columns. Options are keyword-only. Three axes of
  which the last is 4 or less, and only that, are refused: they look like one image.
- A draw takes ``rng``, a NumPy generator or a seed. What it draws for one image does
  not depend on how many there are (offsets of lighting apart). A ``region`` is a mask.
  Places are counted, not tried out: nothing can hang, and no refusal is by chance.
  More than 2**28 numbers at once (2 GiB) are refused.
- A verb is deterministic, never changes its input, and returns a new C-contiguous
  array of the same type, or ``out``. It spreads large batches over the cores.
- TypeError refuses an argument of another kind than its docstring says, and an ``rng``
  that is neither generator nor seed; ValueError a number out of range, shapes that do
  not fit together, masked values. Nothing has been written then.

The first of a family explains; a sibling names what differs, and errors of its own.
"""

from tinyssl.transforms.lighting import adjust, sample_adjustments
from tinyssl.transforms.masks import mask_patches, patchify, sample_mask, unpatchify
from tinyssl.transforms.rectangles import (
    cut_paste,
    mask_blocks,
    sample_blocks,
    sample_pastes,
)
from tinyssl.transforms.swaps import sample_swaps, swap_patches
from tinyssl.transforms.tiles import (
    join_tiles,
    permutation_set,
    permute_tiles,
    sample_permutations,
    sample_tile_offsets,
    split_tiles,
)
from tinyssl.transforms.turns import flip, rotate, sample_flips, sample_turns

__all__ = ["adjust", "cut_paste", "flip", "join_tiles", "mask_blocks", "mask_patches"]
__all__ += ["patchify", "permutation_set", "permute_tiles", "rotate"]
__all__ += ["sample_adjustments", "sample_blocks", "sample_flips", "sample_mask"]
__all__ += ["sample_pastes", "sample_permutations", "sample_swaps"]
__all__ += ["sample_tile_offsets", "sample_turns", "split_tiles", "swap_patches"]
__all__ += ["unpatchify"]
