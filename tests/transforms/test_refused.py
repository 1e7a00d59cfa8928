"""What is refused, and in which words: one line a call, and what it says."""

import functools

import numpy as np
import pytest

from tinyssl import transforms

GOOD = {
    "images": np.zeros((2, 8, 9, 3), np.uint8),
    "boxes": [[0, 0, 4, 4, 3, 3]] * 2,
    "alphas": [0.5, 1],
    "gains": [[1, 1, 1]] * 2,
}
NAMES = {
    "np": np,
    "ONE": np.zeros((1, 4, 4, 1), np.uint8),
    "TWO": np.ones((2, 3, 3)),
    "WIDE": np.zeros((1, 4, 6), np.uint8),
    "SQUARE": np.zeros((6, 6)),
    "CUBE": np.zeros((6, 6, 6)),
    "MANY": np.zeros((1, 1, 1, 99), np.int64),
    "PAIR": [0, 0, 3, 3],
    "FAR": np.array([[2**64 - 1, 0, 1, 1, 1, 1]], np.uint64),
    # short forms, each good until it is given something
    "hide": lambda **o: transforms.sample_mask(2, (6, 6), 2, rng=0, **o),
    "holes": lambda **o: transforms.sample_blocks(1, (8, 8), rng=0, **o),
    "pieces": lambda **o: transforms.sample_pastes(2, (30, 30), rng=0, **o),
    "paste": lambda **o: transforms.cut_paste(**(GOOD | o)),
    "paint": lambda blocks: transforms.mask_blocks(np.zeros((2, 4, 4)), blocks),
    "order": lambda order: transforms.permute_tiles(np.zeros((2, 4, 4)), 2, order),
    "fill": lambda dtype, fill: transforms.mask_patches(
        np.zeros((1, 4, 6), dtype), [True] * 6, 2, fill=fill
    ),
    "cut": lambda offsets: transforms.split_tiles(
        np.zeros((1, 6, 6)), 2, tile_size=2, offsets=offsets
    ),
}
for name in transforms.__all__:
    call = getattr(transforms, name)
    drawn = name.startswith("sample_")
    NAMES[name] = functools.partial(call, rng=0) if drawn else call
NAMES["sample_cubes"] = functools.partial(NAMES["sample_swaps"], spatial_dims=3)

REFUSED = """
sample_swaps((8, 8), 8, 1) -> ValueError: two disjoint ... inside the image, found 8
sample_swaps((8, 8), 5, 1) -> ValueError: room for two disjoint ... of 8 x 8
sample_cubes((8, 9, 8), 5, 1) -> ValueError: room for two disjoint ... of 8 x 9 x 8
sample_swaps((8, 8), 9, 1) -> ValueError: patch_size must fit ... found 9 for 8 x 8
sample_cubes((2, 8, 8), 3, 1) -> ValueError: must fit ... found 3 for 2 x 8 x 8
sample_swaps((8, 8), 0, 1) -> ValueError: patch_size must be >= 1, found 0
sample_swaps((8, 8), 2.0, 1) -> TypeError: patch_size must be an integer, found 2.0
sample_swaps((8, 8), 2, -1) -> ValueError: num_swaps must be >= 0, found -1
sample_swaps((8, 8), 2, True) -> TypeError: num_swaps must be an integer, found True
sample_swaps((8, 0), 2, 1) -> ValueError: image_shape must be >= 1, found 0
sample_swaps((8, 8, "x"), 2, 1) -> TypeError: image_shape must be an integer, found 'x'
sample_swaps((8,), 2, 1) -> ValueError: be (H, W) or (H, W, C) with spatial_dims=2
sample_swaps((8,) * 4, 2, 1) -> ValueError: with spatial_dims=2, found (8, 8, 8, 8)
sample_cubes((8, 8), 2, 1) -> ValueError: be (D, H, W) or (D, H, W, C) with
sample_swaps(8, 2, 1) -> TypeError: image_shape must be a tuple, found 8
sample_swaps((8, 8.5), 2, 1) -> TypeError: image_shape must be an integer, found 8.5
sample_swaps((8, 8), 2, 1, spatial_dims=4) -> ValueError: spatial_dims must be one of
sample_swaps((8, 8), 2, 1, spatial_dims=2.0) -> TypeError: spatial_dims must be an int
sample_swaps((8, 8), 2, 1, region=np.ones((8, 7))) -> ValueError: region must have
sample_swaps((8, 8), 2, 1, region=np.eye(8)) -> ValueError: inside region, found 2
sample_swaps((8, 8), 2, 1, rng=np.random.SeedSequence(1)) -> TypeError: ( entropy=1, )
swap_patches(SQUARE[0], [], 1) -> ValueError: images must be (H, W), (H, W, C) or (N
swap_patches(SQUARE, [[0] * 6], 1) -> ValueError: must be (D, H, W), (D, ... of 6 col
swap_patches(CUBE[None, None], [PAIR], 1) -> ValueError: images must ... swaps of 4
swap_patches(["a"], [], 1) -> TypeError: images must hold numbers
swap_patches(SQUARE, [PAIR], 0) -> ValueError: patch_size must be >= 1, found 0
swap_patches(SQUARE, [PAIR], 1.0) -> TypeError: patch_size must be an integer
swap_patches(SQUARE, [PAIR[:3]], 1) -> ValueError: swaps must be (T, 4) or (N, T, 4)
swap_patches(SQUARE, [[0, 0, 3.0, 3]], 1) -> TypeError: swaps must be integers, found
swap_patches(SQUARE, [[0, 0, 4, 4]], 3) -> ValueError: patches of 3 inside 6 x 6, found
swap_patches(SQUARE, [[-1, 0, 3, 3]], 3) -> ValueError: 6 x 6, found [-1, 0, 3, 3]
swap_patches(SQUARE, [PAIR], 7) -> ValueError: patches of 7 inside 6 x 6
swap_patches(SQUARE, np.array([PAIR], "u8") + 2**63, 1) -> ValueError: inside 6 x 6
swap_patches(SQUARE, [PAIR, [0, 0, 2, 2]], 3) -> ValueError: of 3, found [0, 0, 2, 2]
swap_patches(SQUARE, [[PAIR]], 3) -> ValueError: one (T, 4) block for each of 1
swap_patches(CUBE[..., None], [[PAIR]], 3) -> ValueError: block for each of 6 images
swap_patches(CUBE, [[0, 0, 0, 0, 4, 0]], 3) -> ValueError: inside 6 x 6 x 6, found
swap_patches(CUBE, [[0, 0, 0, 2, 2, 2]], 3) -> ValueError: disjoint patches of 3, found
swap_patches(CUBE, [[[0, 0, 0, 3, 0, 0]]], 3) -> ValueError: one (T, 6) block for each

rotate(TWO[0], 1) -> ValueError: images must be (N, H, W), (N, H, W, C)
rotate(np.ones((2,) * 6), 1) -> ValueError: unless axes are given
rotate([[["a"]]], 1) -> TypeError: images must hold numbers
rotate(TWO, 1.0) -> TypeError: turns must be integers, found dtype
rotate(TWO, [True, False]) -> TypeError: turns must be integers, found dtype
rotate(TWO, [1]) -> ValueError: have shape (2,), found (1,)
rotate(TWO, [[1, 2]]) -> ValueError: turns must be an integer or have shape
rotate(TWO[:, :2], [0, 1]) -> ValueError: all even or all odd ... of 2 x 3
rotate(TWO, 1, axes=1) -> TypeError: axes must be a pair of integers, found 1
rotate(TWO, 1, axes=np.ones((2, 2))) -> TypeError: integers, found array([[1., 1.], [1
rotate(TWO, 1, axes=(1, 2.0)) -> TypeError: axes must be an integer, found 2.0
rotate(TWO, 1, axes=(1, 3)) -> ValueError: two different axes after the first of 3
rotate(TWO, 1, axes=(1, -2)) -> ValueError: different axes after the first of 3, found
rotate(TWO, 1, axes=(0, 2)) -> ValueError: different axes after the first of 3, found
rotate(TWO, 1, axes=(1, -3)) -> ValueError: different axes after the first of 3, found
rotate(TWO, 1, axes=(1, -4)) -> ValueError: axes must be >= -3, found -4
rotate(3, 1, axes=(0, 1)) -> ValueError: axes must be two different axes
flip(ONE, [1]) -> TypeError: flips must be bools, found dtype int64
flip(ONE, [True] * 2) -> ValueError: flips must have shape (1,)
flip(ONE[0, 0], [True]) -> ValueError: images must be (N, H, W)

adjust(ONE, [1, 1], [0]) -> ValueError: gains must have shape (1,)
adjust(ONE, [1], 0) -> ValueError: offsets must have shape (1,), found
adjust(ONE, [1], [np.inf]) -> ValueError: offsets must be finite
adjust(ONE / 1, [1], [0]) -> TypeError: images must be uint8
adjust(ONE[0], [1], [0]) -> ValueError: images must be (N, H, W, C), found
adjust(ONE, [1e33], [0]) -> ValueError: gains must lie within ±2.55e+32, found
adjust(ONE, [1], [1e33]) -> ValueError: offsets must lie within ±2.55e+32, found
adjust(ONE, [1], [1e300]) -> ValueError: offsets must lie within ±2.55e+32, found
sample_adjustments(1, brightness=np.inf) -> ValueError: brightness must be finite and >=
sample_adjustments(1, contrast=-0.1) -> ValueError: contrast must be finite and >= 0
sample_adjustments(1, brightness=1e308) -> ValueError: brightness must be <= 1e+30
sample_adjustments(1, contrast=1e308) -> ValueError: contrast must be <= 1e+30, found 1e

split_tiles(SQUARE, 2) -> ValueError: images must be (N, H, W) or (N, H, W, C)
split_tiles([[["a"]]], 1) -> TypeError: images must hold numbers
split_tiles(CUBE, 4) -> ValueError: grid must divide the image, found 4 x 4 for 6 x
split_tiles(CUBE, (2, 3, 1)) -> ValueError: a number or (rows, columns), found (2, 3, 1)
split_tiles(CUBE, 0) -> ValueError: grid must be >= 1, found 0
split_tiles(CUBE, 1.5) -> TypeError: grid must be an integer, found 1.5
split_tiles(CUBE, 2, offsets=[[0, 0]]) -> ValueError: offsets must come with a tile_size
split_tiles(CUBE, 2, tile_size=4) -> ValueError: cell of 3 x 3 pixels, found 4
split_tiles(CUBE, 2, tile_size=0) -> ValueError: tile_size must be >= 1, found 0
cut([[0.0, 0]] * 4) -> TypeError: offsets must be integers, found dtype float64
cut([[0, 0]] * 3) -> ValueError: have shape (4, 2) or (1, 4, 2), found (3, 2)
cut([[0, 0]] * 3 + [[0, 2]]) -> ValueError: in 0..1, 0..1, found [0, 2]
split_tiles(WIDE, 2, tile_size=1, offsets=[[0, 3]] * 4) -> ValueError: in 0..1, 0..2, f
cut([[0, -1]] + [[0, 0]] * 3) -> ValueError: found [0, -1]
join_tiles(np.zeros((1, 4, 2)), 2) -> ValueError: be (N, L, h, w) or (N, L, h, w, C)
join_tiles(np.zeros((1, 5, 2, 2)), 2) -> ValueError: have 5 cells as tiles, found 2 x 2
sample_tile_offsets(1, (4, 6), 2, 3) -> ValueError: a cell of 2 x 3 pixels, found 3
sample_tile_offsets(1, (6, 7), 2, 2) -> ValueError: divide ... 2 x 2 for 6 x 7
sample_tile_offsets(1, (6, 0), 2, 2) -> ValueError: image_shape must be >= 1, found 0
sample_tile_offsets(1, (6,), 2, 2) -> ValueError: must be (H, W) or (H, W, C)
sample_tile_offsets(1, 6, 2, 2) -> TypeError: image_shape must be a tuple, found 6
sample_tile_offsets(1, (6, 6), 2, 2, region=np.eye(6)) -> ValueError: 2 x 2 in each cell
sample_tile_offsets(0, (6, 6), 2, 2, region=np.tri(6)) -> ValueError: row 0, column 1 of
sample_tile_offsets(1, (6, 6), 2, 2, region=np.ones((6, 5))) -> ValueError: shape (6, 6)
permutation_set(3, 7) -> ValueError: size must be <= 3! = 6, found 7
permutation_set(9, 10_001) -> ValueError: size must be <= 10000, found 10001
permutation_set(9, 0) -> ValueError: size must be >= 1, found 0
permutation_set(0, 1) -> ValueError: num_tiles must be >= 1, found 0
permutation_set(256, 1) -> ValueError: num_tiles must be <= 255, found 256
permutation_set(9.0, 1) -> TypeError: num_tiles must be an integer, found 9.0
sample_permutations(2, [0, 1]) -> ValueError: be (P, L) with P >= 1, found (2,)
sample_permutations(2, np.empty((0, 4), int)) -> ValueError: with P >= 1, found (0, 4)
sample_permutations(2, [[0.0, 1.0]]) -> TypeError: be integers, found dtype float64
sample_permutations(2, [[0, 1], [1, 1]]) -> ValueError: of 0..1, found [1, 1]
order([0, 1, 2]) -> ValueError: orders must have shape (4,) or (2, 4), found (3,)
order([1, 2, 3, 4]) -> ValueError: be permutations of 0..3, found [1, 2, 3, 4]
order([-1, 0, 1, 2]) -> ValueError: permutations of 0..3, found [-1, 0, 1, 2]
order([[[0, 1, 2, 3]]]) -> ValueError: be (L,) or (N, L), found shape (1, 1, 4)
permute_tiles(np.zeros((1, 50, 50)), 50, [0] * 2500) -> ValueError: 0..2499, found [0, 0

patchify(WIDE, 3) -> ValueError: must divide the image, found 3 for 4 x 6
patchify(WIDE, 0) -> ValueError: patch_size must be >= 1, found 0
patchify(WIDE, 2.0) -> TypeError: patch_size must be an integer
patchify(WIDE[0], 2) -> ValueError: images must be (N, H, W) or
patchify(WIDE[:, :0], 2) -> ValueError: must divide ... 2 for 0 x 6
unpatchify(WIDE, 2, (4, 6)) -> ValueError: must be (N, 6, 4) ... (1, 4, 6)
unpatchify(WIDE[0], 2, (4, 6)) -> ValueError: patches must be (N, 6, 4)
unpatchify(WIDE, 2, (4, 6, 3)) -> ValueError: patches must be (N, 6, 12)
unpatchify(WIDE, 2, (4,)) -> ValueError: image_shape must be
mask_patches(WIDE, np.ones(6), 2) -> TypeError: mask must hold bools
mask_patches(WIDE, [True] * 5, 2) -> ValueError: mask must have shape (6,)
fill(np.uint8, 256) -> ValueError: fill must be finite and fit dtype uint8, found
fill(np.uint8, 0.5) -> ValueError: fit dtype uint8, found 0.5
fill(np.uint8, np.nan) -> ValueError: fit dtype uint8, found nan
fill(np.float16, 1e6) -> ValueError: fit dtype float16, found 1000000.0
fill(np.float32, np.inf) -> ValueError: must be finite and fit
fill(np.uint8, [1, 2, 3]) -> ValueError: a number or one for each channel
fill(np.uint8, "red") -> TypeError: fill must hold numbers
mask_patches(MANY, [True], 1, fill=[0.5] * 99) -> ValueError: dtype int64, found [0.5, 0
paint([]) -> TypeError: blocks must be integers, found dtype float64
hide(mask_ratio=1) -> ValueError: mask_ratio must be < 1, found 1.0
hide(mask_ratio=-0.5) -> ValueError: mask_ratio must be finite and >= 0
hide(mask_ratio="x") -> TypeError: mask_ratio must be a number, found 'x'
hide(mask_ratio=0.9) -> ValueError: one patch, found 0.9 of 9 patches
hide(region=np.zeros((6, 6))) -> ValueError: found 0.75 of 0 patches
hide(region=np.ones((3, 6, 6))) -> ValueError: or (2, 6, 6) ... found (3, 6, 6)
sample_blocks(-1, (8, 8)) -> ValueError: n must be >= 0, found -1
holes(num_blocks=0) -> ValueError: num_blocks must be >= 1
holes(area=(0.2, 0.1)) -> ValueError: low <= high <= 1, found
holes(area=(0.2, 1.1)) -> ValueError: found (0.2, 1.1)
holes(area=0.2) -> TypeError: area must be two finite numbers > 0
holes(area=np.ones((2, 2))) -> TypeError: numbers > 0, found array([[1., 1.], [1
holes(aspect=(1, 2, 3)) -> ValueError: aspect must be two finite
holes(aspect=(3, 2)) -> ValueError: with low <= high, found (3, 2)
holes(region=np.eye(8)) -> ValueError: 1 or more places ... of 2 x 2 ... found 0
paint([[0, 0, 2.0, 2]]) -> TypeError: blocks must be integers, found dtype float64
paint([[0, 0, 2]]) -> ValueError: blocks must be (T, 4) or (N, T, 4), found (1, 3)
paint([0, 0, 2, 2]) -> ValueError: found (4,)
paint([[[0, 0, 2, 2]]] * 3) -> ValueError: one list for each of 2 images, found shape
paint([[0, 0, 5, 2]]) -> ValueError: be (y, x, h, w) inside 4 x 4, found [0, 0, 5, 2]
paint([[0, -1, 2, 2]]) -> ValueError: inside 4 x 4
paint([[0, 0, 2, 0]]) -> ValueError: inside 4 x 4
paint([[2**62, 0, 2**62, 2]]) -> ValueError: inside 4 x 4
paint(FAR[:, :4]) -> ValueError: inside 4 x 4, found [18446744073709551615, 0, 1, 1]

paste(images=np.zeros((8, 9))) -> ValueError: images must be (N, H, W) or (N, H, W, C)
paste(images=np.zeros((2, 8, 9), bool)) -> TypeError: images must hold numbers
paste(images=np.zeros((2, 0, 9))) -> ValueError: images must not be empty
paste(images=np.zeros((2, 8, 9, 0))) -> ValueError: images must not be empty
paste(images=np.full((2, 8, 9), np.nan)) -> ValueError: images must be finite
paste(images=np.full((2, 8, 9, 3), 2**60)) -> ValueError: within +-2**53
paste(images=np.full((2, 8, 9, 3), -(2**60))) -> ValueError: found -1.15292e
paste(boxes=[[0, 0, 4, 4, 3, 3.0]] * 2) -> TypeError: boxes must be integers
paste(boxes=[[0, 0, 4, 4, 3, 3]]) -> ValueError: boxes must have shape (2, 6)
paste(boxes=[[0, 0, 6, 4, 3, 3]] * 2) -> ValueError: inside 8 x 9, found [0, 0, 6
paste(boxes=[[0, 7, 4, 4, 3, 3]] * 2) -> ValueError: inside 8 x 9, found [0, 7, 4
paste(boxes=[[0, 0, 4, -1, 3, 3]] * 2) -> ValueError: inside 8 x 9
paste(boxes=[[0, 0, 4, 4, 0, 3]] * 2) -> ValueError: be (y1, x1, y2, x2, h, w) inside
paste(boxes=[[0, 0, 4, 4, 3, 2**62]] * 2) -> ValueError: inside 8 x 9
paste(boxes=FAR.repeat(2, 0)) -> ValueError: found [18446744073709551615, 0, 1, 1, 1, 1]
paste(alphas=[0.5]) -> ValueError: alphas must have shape (2,), found (1,)
paste(alphas=[0.5, 1.1]) -> ValueError: alphas must be in 0..1, found 1.1
paste(alphas=[0.5, np.nan]) -> ValueError: alphas must be finite, found nan
paste(gains=[[1, 1]] * 2) -> ValueError: gains must have shape (2, 3), found
paste(gains=[[1, -1, 1]] * 2) -> ValueError: gains must be >= 0, found -1
paste(edge=-1) -> ValueError: edge must be >= 0, found -1
paste(edge=1.5) -> TypeError: edge must be an integer, found 1.5
pieces(area=(0.5, 0.1)) -> ValueError: area must be (low, high) with low <= high
pieces(alpha=(0.5, 1.5)) -> ValueError: low <= high <= 1, found (0.5, 1.5)
pieces(alpha=(0, 1)) -> ValueError: alpha must be two finite numbers > 0
pieces(aspect=(1, np.inf)) -> ValueError: aspect must be two finite numbers
pieces(jitter=1) -> ValueError: jitter must be < 1, found 1.0
pieces(jitter=-0.1) -> ValueError: jitter must be finite and >= 0, found -0.1
pieces(region=np.zeros((30, 30))) -> ValueError: region must have 2 or more places
pieces(region=np.eye(30)) -> ValueError: of 4 x 4 pixels, the least area, found
pieces(region=np.ones((3, 30, 30))) -> ValueError: shape (30, 30) or (2, 30, 30)
pieces(region=np.stack([np.ones((30, 30)), np.eye(30)])) -> ValueError: of 4 x 4 pixels
sample_pastes(1, (1, 1)) -> ValueError: the image must have 2 ... found 1
"""


@pytest.mark.parametrize("row", [row for row in REFUSED.splitlines() if row])
def test_refusals_are_one_short_line(row):
    call, refusal = row.split(" -> ")
    error, message = refusal.split(": ", 1)
    with pytest.raises((TypeError, ValueError)) as caught:
        eval(call, NAMES)
    assert caught.type.__name__ == error
    found = str(caught.value)
    for part in message.split(" ... "):  # in this order
        assert part in found
        found = found.split(part, 1)[1]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_the_check_of_refusals_can_fail():
    good = "rotate(TWO, [1]) -> ValueError: have shape (2,) ... found (1,)"
    test_refusals_are_one_short_line(good)
    for wrong in (
        good.replace("Value", "Type"),
        good.replace("shape (2,)", "shape (3,)"),
        good.replace(good[-30:], "found (1,) ... have shape (2,)"),
    ):
        with pytest.raises(AssertionError):
            test_refusals_are_one_short_line(wrong)
    with pytest.raises(pytest.fail.Exception):
        test_refusals_are_one_short_line(good.replace("[1]", "1"))
