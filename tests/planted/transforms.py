"""Errors in transforms and threads."""

from planted.row import rows

UNCOMPILED = r"""
_kernels/swaps.py: test_kernels.py::test_swap_patches
  test_kernels.py::test_swap_patches_of_volumes
    keep = run1[j] -> keep = run2[j]
    depth, width = min(patch_size, D), patch_size * B
        -> depth, width = 1, patch_size * B
    range(patch_size) -> range(patch_size - 1)
    rows[n, z2 + k, y2 + i, x2 * B : x2 * B + width]
        -> rows[n, z2 + k, y2 + i, x1 * B : x1 * B + width]

_kernels/turns.py: test_kernels.py::test_rotate
  test_kernels.py::test_rotate_across_tiles
    W - top - tile.shape[0] -> W - top - tile.shape[1]
    H - left - tile.shape[1], top -> H - left - 1, top
    rows - 1, -1, pitch -> rows - 1, 1, pitch
    line[j, b] = walk[j, b] -> line[j, b] = walk[j, 0]
    numbers[last - j - two] -> numbers[last - j + two]
    size - 1 - start -> size - start
    chosen[1, j + 2] = -> chosen[1, j + 1] =

_kernels/turns.py: test_kernels.py::test_rotate_of_planes_of_bytes
    (cols - 1 - left, -1) -> (cols - 1 - left, 1)
    rows - top - size if turn -> rows - top - ROWS if turn
    eights[size - 1 - i if turn == 1 else i :] -> eights[i:]
    source[y + 7 * down] -> source[y + 6 * down]

transforms/swaps.py: transforms/test_swaps.py transforms/test_refused.py
  transforms/test_out.py
    2 * size - 1] * len(lines) -> 2 * size - 2] * len(lines)
    places & (partners > 0) -> places
    np.minimum(x + size, cols) -> np.minimum(x + size - 1, cols)
    before - (near.cumsum(axis=0) - near) -> before - near.cumsum(axis=0)
    (np.abs(corner1 - corner2) < size).all(axis=-1)
        -> (np.abs(corner1 - corner2) < size - 1).all(axis=-1)
    limit = np.array([side - size for side in shape] * 2) -> limit = np.array(shape * 2)
    keep = patch1.copy() -> keep = patch1
    target[start:stop] = source[start:stop] -> target[start] = source[start]

transforms/_places.py: transforms/test_swaps.py
    box_sums(table, sizes) == math.prod(sizes) -> box_sums(table, sizes) > 0
    [2 * size - 1] * part.ndim -> [2 * size] * part.ndim
    side - size + 1 for side in shape -> side - size for side in shape

transforms/_arrays.py: transforms/test_out.py
    np.may_share_memory(out, images) -> out is images
    if not out.flags.c_contiguous: -> if False:

transforms/turns.py: transforms/test_turns.py
    np.broadcast_to(turns % 4, N) -> np.broadcast_to(np.abs(turns) % 4, N)
    turns if axes[0] == first else -turns % 4 -> turns
    np.rot90(images[n], turns[n], plane) -> np.rot90(images[n], -turns[n], plane)

transforms/tiles.py: transforms/test_tiles.py transforms/test_refused.py
    (cell // cols * h, cell % cols * w) -> (cell // cols * w, cell % cols * h)
    left : left + w - size + 1] -> left : left + w - size]
    [(h - size) // 2, (w - size) // 2] -> [(h - size) // 2, 0]
    (offsets < 0) | (offsets > (h - size, w - size)) -> (offsets < 0)

transforms/tiles.py: transforms/test_permutations.py
    np.minimum(nearest, distance, out=nearest) -> nearest = distance
    nearest == nearest.max() -> nearest == nearest.min()
    target[n, i // cols, i % cols] -> target[n, i % cols, i // cols]

transforms/masks.py: transforms/test_masks.py
    + 1e-9).astype(np.int64) -> ).astype(np.int64)
    (rank >= keep) & (rank < budget) -> rank >= keep
    .any(axis=-1)\n    budget -> .all(axis=-1)\n    budget

transforms/rectangles.py: transforms/test_paste.py
    image[y1 : y1 + h, x1 : x1 + w] * gain -> image[y2 : y2 + h, x2 : x2 + w] * gain
    mixed = np.rint(mixed) if whole else mixed -> pass
    (1 - share) * under -> under
    (border + 1) / (edge + 1) -> border / (edge + 1)

transforms/rectangles.py: transforms/test_blocks.py
    hole[n, y : y + h, x : x + w] = True -> hole[n, y : y + h, x : x + h] = True

transforms/lighting.py: transforms/test_lighting.py transforms/test_refused.py
    images.any(axis=-1, keepdims=True) -> images.all(axis=-1, keepdims=True)
    np.rint(images * gain + offset) -> images * gain + offset
    > 255 * LIMIT) -> > 1e300)

transforms/_places.py: transforms/test_draws.py transforms/test_blocks.py test_gaps.py
    box_sums(table, sizes) == math.prod(sizes)
        -> box_sums(table, sizes) >= math.prod(sizes) - 1

transforms/rectangles.py:
  transforms/test_draws.py transforms/test_blocks.py test_gaps.py
    places[:, 1:] += places[:, 1:] >= places[:, :1] -> pass
    np.stack([roots, 1 / roots], axis=1) -> np.stack([1 / roots, roots], axis=1)

_threads.py: test_threads.py
    length * part // parts -> length // parts * part
    os.register_at_fork(after_in_child=_forget) -> _forget()
    length // max(1, least) -> length
    int(asked) > 0 -> int(asked) >= 0
    wait(futures)  # none -> pass  # none
"""
COMPILED = """
_kernels/_compile.py: test_processes.py::test_kernels_compile_once_a_machine
    njit(cache=True, nogil=True) -> njit(nogil=True)

_kernels/_compile.py: test_processes.py::test_a_sealed_package_works
    except RuntimeError: -> except KeyError:
"""
ROWS = rows(UNCOMPILED) + rows(COMPILED, compiled=True)
