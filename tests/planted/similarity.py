"""Errors in SSIM, Frechet distance and accumulators."""

from planted.row import rows

ROWS = rows(r"""
_kernels/similarity.py: test_kernels.py::test_ssim_map
  test_kernels.py::test_box_ssim_map metrics/test_ssim.py
    # off by one
    if row < start: -> if row <= start:
    min(top + tile, stop) + size - 1 -> min(top + tile, stop) + size
    old1, old2 = rows1[i - size], rows2[i - size]
        -> old1, old2 = rows1[i - size + 1], rows2[i - size + 1]
    below[k] = (row + k) % K -> below[k] = (row + k + 1) % K
    if k < len(taps) // 2 else -> if k <= len(taps) // 2 else
    # the wrong neighbour, weight, sum
    np.arange(K) * C -> np.arange(K) * 1
    taps[middle] * centre[j] -> 0.5 * taps[middle] * centre[j]
    (out[j] if k else -> (0 if k else
    a * a + b * b, a * b -> a * a - b * b, a * b
    - (a * a + b * b)\n -> \n
    2 * covariance + c2 -> covariance + c2
    c1 * pixels**2 -> c1 * pixels
    / unbias, -> * unbias,
    out[j] = 1.0 if score > 1 else score -> out[j] = score
    sums[j] += scores[j] -> sums[j] = scores[j]
    columns[:] = 0 -> columns[:] = columns

metrics/_ssim.py: metrics/test_ssim.py
  metrics/test_refusals.py
    int(3.5 * sigma + 0.5) -> int(3 * sigma + 0.5)
    pixels / (pixels - 1) -> pixels / (pixels + 1)
    scores[scores > 1] = 1 -> scores[scores < 0] = 0
    sums[row // tile] += line -> sums[row // tile] = line
    # another path than the size of a call says
    image1.size * batch > SMALL -> image1.size > SMALL
    options.box and image1.size > SMALL\n -> options.box\n
    five += np.multiply( -> total += np.multiply(
    if options.box and len(options.taps) > EXACT else -> if False else

metrics/similarity.py: metrics/test_ssim.py
    np.subtract(image1, image2, dtype=np.float64) -> np.subtract(image1, image2)
    data_range * data_range / error -> data_range / error

metrics/_gaussian.py: metrics/test_frechet.py metrics/test_frechet_precision.py
    # N for N - 1
    scatter(features, centre) / (n - 1) -> scatter(features, centre) / n
    (1 + np.sqrt(n))) / np.sqrt(n - 1) -> (1 + np.sqrt(n))) / np.sqrt(n)
    return root / np.sqrt(len(features) - 1) -> return root
    # digits lost: no origin, float32 blocks
    np.array(features[start : start + rows], dtype=np.float64, order="C")
        -> np.array(features[start : start + rows], order="C")
    block - origin).sum(axis=0) -> block - origin).sum(axis=0, dtype=np.float32)
    # a dropped row, a block left out
    centred[1:] - centred[0] -> centred[1:] + centred[0]
    if values[0] <= SMALLEST: -> if False:
    return root.T @ cov2 @ root -> return root @ cov2 @ root.T

metrics/frechet.py: metrics/test_frechet.py metrics/test_frechet_precision.py
  metrics/test_refusals.py
    shift @ shift + (total - 2 * cross) -> shift @ shift + (total - cross)
    max(0.0, float( -> (float(
    total = np.trace(cov1) + np.trace(cov2) -> total = 2 * np.trace(cov1)
    0 < root1.shape[1] < len(root1) -> root1.shape[1]
    and _semidefinite(cov2, rounding2) ->
    cov + rounding * cov.diagonal().max() -> cov + cov.diagonal().max()
    if n <= d: -> if n < d:
    if len(values) < least: -> if len(values) < least - 1:
    if values[0] < -rounding * max(values[-1], 0.0): -> if False:
    if skew > rounding -> if False and skew > rounding

metrics/accumulators.py: metrics/test_accumulators.py
    shift * (count / total) -> shift / 2
    np.sqrt(self.count * count / total) -> np.sqrt(count)
    self.scatter / (self.count - 1) -> self.scatter / self.count
    self._add("other", other.table) -> self.table = other.table
    return self.table.copy() -> return self.table
    # what is not one's own, what one side lacks
    other.mean.copy(), other.scatter.copy()) -> other.mean, other.scatter)
    mean = self.mean + shift -> mean = mean + shift
                count = total\n ->
    min(self.count, other.count) -> max(self.count, other.count)
    sample_weight=weights, **options -> sample_weight=None, **options
    if not np.isfinite(total): -> if False:

metrics/accumulators.py: metrics/test_ssim_accumulator.py
    if other.settings[name] != value: -> if False:
    (high * LIMB + low) / (count -> (high * LIMB) / (count
""")
