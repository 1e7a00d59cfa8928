"""Errors in ranges, in batches and volumes, in masks and label maps."""

from planted.row import rows

ROWS = rows(r"""
_kernels/similarity.py: metrics/test_volumes_and_batches.py
    (plane * (H - K + 1) + row) -> (plane * H + row)
    ((plane + k) % K * H + j) -> ((plane + k + 1) % K * H + j)
    below[k] = length * ((row + k) % K) -> below[k] = length * ((row + k + 1) % K)
    if plane < start: -> if plane <= start:
    C * np.arange(K) -> 1 * np.arange(K)
    sums[plane // tile] -> sums[0]

_kernels/similarity.py: metrics/test_limits.py metrics/test_volumes_and_batches.py
    squares <= far else np.nan -> squares <= far else score
    far = far * pixels**2 -> far = far * 1e9

metrics/_ssim.py: metrics/test_limits.py metrics/test_ssim.py
  metrics/test_volumes_and_batches.py
    scores[~(squares <= far)] = np.nan -> pass
    max(map(abs, means)) > FARTHEST -> 0 > FARTHEST
    (FAR * options.data_range) ** 2 -> FAR**4
    len(taps) ** dims -> len(taps) ** 2
    [side - K + 1 for side in sides] -> [side - K for side in sides]
    if min(sides) < K: -> if min(sides) < K - 1:
    some.sum(axis=1) / some -> 0 * some.sum(axis=1) / some
    / (math.prod(lines) * columns * C) -> / (math.prod(lines) * columns)
    out=maps[n], batch=N) -> out=maps[0], batch=N)
    if 2 * radius + 1 > LONGEST: -> if False:
    typed=True -> typed=False

metrics/_ssim.py: metrics/test_limits.py metrics/test_volumes_and_batches.py
  metrics/test_ssim_accumulator.py
    low = min(0 if x.dtype == BYTES else -> low = min(0 if True else
    low = min(0 if x.dtype == BYTES else -> low = min(0 if False else
    data_range * (1 + 1e-9) -> data_range
    image1.dtype == image2.dtype == BYTES -> image1.dtype == BYTES
    return given % axes -> return given
    if image1.ndim > axes else -> if False else

metrics/similarity.py: metrics/test_limits.py metrics/test_ssim.py
    1e-300 <= error <= 1e300 and -> error <= 1e300 and

metrics/overlap.py: metrics/test_label_maps.py
    table.sum(axis=1), table.sum(axis=0) -> table.sum(axis=0), table.sum(axis=1)
    & (np.arange(num_classes) != ignore) ->
    counted & (mask_true != -> counted & (mask_pred !=
    np.where(counted, values, 0) -> np.where(True, values, 0)
    values.astype(np.int64), K) -> values.astype(np.int64), 0)

_checks.py: metrics/test_label_maps.py metrics/test_limits.py
    one = 255 if values.max() == 255 else 1 -> one = values.max()
    mend if whole else -> mend if True else
    if value > most: -> if False:
    not 1e-30 <= (given -> not 0 <= (given

transforms/_arrays.py: transforms/test_one_image.py metrics/test_limits.py
    images.shape[2] <= CHANNELS < -> images.shape[2] <= 3 <
    CHANNELS < min(images.shape[:2]) -> CHANNELS < max(images.shape[:2])
    most=_checks.LARGEST_DRAW // each -> least=0
    math.prod(shape) > _checks.LARGEST_DRAW -> False

transforms/tiles.py: transforms/test_volume_patches.py transforms/test_masks.py
    range(1, 2 * dims, 2), range(1, dims + 1) -> range(1, dims + 1), range(1, dims + 1)

transforms/masks.py: transforms/test_volume_patches.py transforms/test_masks.py
  transforms/test_one_image.py
    cells(images, *grid).copy() -> cells(images, *grid[::-1]).copy()
    any(side % size for side in sides) -> sides[0] % size
    regions(region, n, H, W)[..., None] -> regions(region, n, H, W)
""")
