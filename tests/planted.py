"""Errors to plant, one at a time: where, what stands there, what is put, who notices.

``mutations.py`` does the planting. An error here is one a person could make.
"""

from dataclasses import dataclass


@dataclass
class Row:
    """One error: a text that stands once in a file, another text, and the tests."""

    path: str
    old: str
    new: str
    tests: tuple[str, ...]
    compiled: bool = False

    def __str__(self):
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.path.removeprefix('tinyssl/')}: {old} -> {new}"


def rows(path, tests, *changes, compiled=False):
    """Return rows of one file that the same tests notice."""
    return [
        Row(f"tinyssl/{path}", old, new, tuple(tests.split()), compiled)
        for old, new in changes
    ]


SSIM = [
    *rows(
        "_kernels/similarity.py",
        "tests/test_kernels.py tests/metrics/test_similarity.py",
        # off by one
        ("if row < start:", "if row <= start:"),
        ("min(top + tile, stop) + size - 1", "min(top + tile, stop) + size"),
        (
            "old1, old2 = rows1[i - size], rows2[i - size]",
            "old1, old2 = rows1[i - size + 1], rows2[i - size + 1]",
        ),
        (
            "_filter(ring, (row + np.arange(K))",
            "_filter(ring, (row + 1 + np.arange(K))",
        ),
        ("min(k, middle)", "min(k, middle - 1)"),
        # the wrong neighbour, weight, sum
        ("np.arange(K) * C", "np.arange(K)"),
        ("0.5 * taps[middle]", "taps[middle]"),
        ("a * a + b * b, a * b", "a * a - b * b, a * b"),
        ("- (a * a + b * b)\n", "\n"),
        ("2 * covariance + c2", "covariance + c2"),
        ("c1 * pixels**2", "c1 * pixels"),
        ("/ unbias,", "* unbias,"),
        ("out[j] = 1.0 if score > 1 else score", "out[j] = score"),
        ("sums[j] += scores[j]", "sums[j] = scores[j]"),
        ("columns[:] = 0", "columns[:] = columns"),
    ),
    *rows(
        "metrics/_ssim.py",
        "tests/metrics/test_similarity.py",
        ("int(3.5 * sigma + 0.5)", "int(3 * sigma + 0.5)"),
        ("pixels / (pixels - 1)", "pixels / (pixels + 1)"),
        ("return H - K + 1, W - K + 1, C", "return H - K, W - K + 1, C"),
        ("min(H, W) < K", "min(H, W) < K - 1"),
        ("np.moveaxis(x, axis, -1)", "np.moveaxis(x, -1, axis)"),
        ("centre[:] = some.mean(axis=(0, 1), dtype=np.float64)", "centre[:] = 0"),
        ("scores[scores > 1] = 1", "scores[scores < 0] = 0"),
        ("sums[row // tile] += line", "sums[row // tile] = line"),
        ("/ (rows * columns * C)", "/ (rows * columns)"),
        ("dtype = image1.dtype if same and not small", "dtype = image1.dtype if same"),
    ),
    *rows(
        "metrics/similarity.py",
        "tests/metrics/test_similarity.py",
        (
            "np.subtract(image1, image2, dtype=np.float64)",
            "np.subtract(image1, image2)",
        ),
        ("data_range**2 / error", "data_range / error"),
    ),
]
COUNTING = [
    *rows(
        "_kernels/agreement.py",
        "tests/test_kernels.py tests/metrics/test_agreement.py",
        ("sum_bb += b * b", "sum_bb += a * b"),
        ("a = np.int64(y_true[i]) - origin", "a = np.int64(y_true[i])"),
        ("high = max(high, max(", "high = max(high, min("),
        ("table[y_true[i], y_pred[i]] += 1", "table[y_pred[i], y_true[i]] += 1"),
        ("y_true[start : start + BLOCK]", "y_true[start : start + BLOCK - 1]"),
        ("equal += y_true[i] == y_pred[i]", "equal += y_true[i] <= y_pred[i]"),
    ),
    *rows(
        "_kernels/agreement.py",
        "tests/test_kernels.py::test_byte_sums",
        ("BLOCK = 32_768", "BLOCK = 65_536"),
        compiled=True,
    ),
    *rows(
        "metrics/agreement.py",
        "tests/metrics/test_agreement.py tests/metrics/test_agreement_exact.py",
        ("y_true.astype(np.int64) * K + y_pred", "y_true * K + y_pred"),
        ("max(high) - min(low)", "max(high)"),
        ("w @ (a - b) ** 2", "w @ abs(a - b)"),
        ("* (w @ a) * (w @ b)", "* (w @ a) * (w @ a)"),
        ("gaps = np.diff(values.astype(object))", "gaps = np.ones(len(values) - 1)"),
        ("cost = a != b", "cost = a > b"),
        ("kind = object if wide else np.int64", "kind = np.int64"),
        ("a, b = a.astype(object), b.astype(object)", "pass"),
    ),
    *rows(
        "metrics/classification.py",
        "tests/metrics/test_classification.py",
        (
            "table.diagonal(), table.sum(axis=1), table.sum(axis=0)",
            "table.diagonal(), table.sum(axis=0), table.sum(axis=1)",
        ),
        ("return float(values[1])", "return float(values[0])"),
        ("values[used] @ truth[used]", "values[used] @ predicted[used]"),
        (
            "counted = every_class | (truth > 0) | (predicted > 0)",
            "counted = every_class | (truth > 0)",
        ),
        ("np.full(len(part), undefined)", "np.zeros(len(part))"),
    ),
    *rows(
        "_kernels/overlap.py",
        "tests/test_kernels.py tests/metrics/test_overlap.py",
        ("both += a & b", "both += a | b"),
        (
            "b = mask_true[i] != 0, mask_pred[i] != 0",
            "b = mask_true[i] == 1, mask_pred[i] != 0",
        ),
    ),
    *rows(
        "metrics/overlap.py",
        "tests/metrics/test_overlap.py",
        ("mask_true * region, mask_pred * region", "mask_true, mask_pred * region"),
        ("area = int(np.count_nonzero(region))", "area = region.size"),
        ("background - (pred - both)", "background - pred"),
    ),
    *rows(
        "metrics/localization.py",
        "tests/metrics/test_localization.py",
        (
            "(points_pred - points_true) * spacing",
            "(points_pred - points_true) / spacing",
        ),
    ),
    *rows(
        "_checks.py",
        "tests/test_checks.py tests/metrics/test_agreement.py",
        ("whole != np.rint(whole)", "np.abs(whole - np.rint(whole)) > 0.25"),
        ("if np.ma.is_masked(values):", "if False:"),
        ('values.dtype.newbyteorder("=")', 'values.dtype.newbyteorder(">")'),
    ),
]
RANKING = [
    *rows(
        "_kernels/ranking.py",
        "tests/test_kernels.py tests/metrics/test_ranking_exact.py",
        ("scores[i] + 0.0", "scores[i] - 0.0"),
        ("bits ^ ((bits >> 63) | SIGN)", "bits ^ SIGN"),
        ("lower = others[below] < scores[i]", "lower = others[below] <= scores[i]"),
        ("out[i:] = len(others)", "out[i:] = below - 1"),
        ("range(8):\n        shift", "range(7):\n        shift"),
    ),
    *rows(
        "metrics/ranking.py",
        "tests/metrics/test_ranking.py tests/metrics/test_ranking_exact.py",
        ("int(won.sum()) - int(lost.sum())", "int(won.sum())"),
        (
            'np.searchsorted(others, scores, "left")',
            'np.searchsorted(others, scores, "right")',
        ),
        (
            "share = np.bincount(y_true, weights, minlength=K)",
            "share = np.bincount(y_true, minlength=K)",
        ),
        ("used = share > 0  # 0 times undefined is 0", "used = share >= 0"),
        ("true[1:] + true[:-1]", "2 * true[1:]"),
        ("> 2**53:", "> 2**63:"),
    ),
    *rows(
        "metrics/curves.py",
        "tests/metrics/test_ranking.py tests/metrics/test_ranking_exact.py",
        (
            "np.append(np.flatnonzero(scores[1:] != scores[:-1]), scores.size - 1)",
            "np.flatnonzero(scores[1:] != scores[:-1])",
        ),
        ("used = weights > 0", "used = weights >= 0"),
    ),
]
FRECHET = [
    *rows(
        "metrics/_gaussian.py",
        "tests/metrics/test_frechet.py tests/metrics/test_frechet_precision.py",
        # N for N - 1
        ("scatter(features, centre) / (n - 1)", "scatter(features, centre) / n"),
        ("(1 + np.sqrt(n))) / np.sqrt(n - 1)", "(1 + np.sqrt(n))) / np.sqrt(n)"),
        ("return root / np.sqrt(len(features) - 1)", "return root"),
        # digits lost: no origin, float32 blocks
        (
            'np.array(features[start : start + rows], dtype=np.float64, order="C")',
            'np.array(features[start : start + rows], order="C")',
        ),
        (
            "block - origin).sum(axis=0)",
            "block - origin).sum(axis=0, dtype=np.float32)",
        ),
        # a dropped row, a block left out
        ("centred[1:] - centred[0]", "centred[1:] + centred[0]"),
        ("if values[0] <= noise:", "if False:"),
        ("return root.T @ cov2 @ root", "return root @ cov2 @ root.T"),
    ),
    *rows(
        "metrics/frechet.py",
        "tests/metrics/test_frechet.py tests/metrics/test_frechet_precision.py",
        ("shift @ shift + (total - 2 * cross)", "shift @ shift + (total - cross)"),
        ("max(0.0, float(", "(float("),
        ("total = np.trace(cov1) + np.trace(cov2)", "total = 2 * np.trace(cov1)"),
        ("if n <= d:", "if n < d:"),
        ("if len(values) < least:", "if len(values) < least - 1:"),
        ("if values[0] < -rounding * max(values[-1], 0.0):", "if False:"),
        ("if skew > rounding", "if False and skew > rounding"),
    ),
]
THREADS = [
    *rows(
        "_threads.py",
        "tests/test_threads.py",
        ("length * part // parts", "length // parts * part"),
        ("os.register_at_fork(after_in_child=_forget)", "_forget()"),
        ("length // max(1, least)", "length"),
        ("int(asked) > 0", "int(asked) >= 0"),
    ),
    *rows(
        "_kernels/_compile.py",
        "tests/test_processes.py::test_kernels_compile_once_a_machine",
        ("njit(cache=True, nogil=True)", "njit(nogil=True)"),
        compiled=True,
    ),
    *rows(
        "_kernels/_compile.py",
        "tests/test_processes.py::test_a_sealed_package_works",
        ("except RuntimeError:", "except KeyError:"),
        compiled=True,
    ),
]
TILES = [
    *rows(
        "transforms/tiles.py",
        "tests/transforms/test_tiles.py",
        ("(cell // cols * h, cell % cols * w)", "(cell // cols * w, cell % cols * h)"),
        ("left : left + w - size + 1]", "left : left + w - size]"),
        ("[(h - size) // 2, (w - size) // 2]", "[(h - size) // 2, 0]"),
        ("bad = (offsets < 0) | (offsets > limit)", "bad = offsets < 0"),
    ),
    *rows(
        "transforms/permutations.py",
        "tests/transforms/test_permutations.py",
        ("np.minimum(nearest, distance, out=nearest)", "nearest = distance"),
        ("nearest == nearest.max()", "nearest == nearest.min()"),
        ("target[n, i // cols, i % cols]", "target[n, i % cols, i // cols]"),
    ),
    *rows(
        "transforms/masks.py",
        "tests/transforms/test_masks.py",
        ("+ 1e-9).astype(np.int64)", ").astype(np.int64)"),
        ("(rank >= keep) & (rank < budget)", "rank >= keep"),
        (".any(axis=-1)\n    budget", ".all(axis=-1)\n    budget"),
    ),
    *rows(
        "transforms/paste.py",
        "tests/transforms/test_paste.py",
        (
            "image[y1 : y1 + h, x1 : x1 + w] * gain",
            "image[y2 : y2 + h, x2 : x2 + w] * gain",
        ),
        ("mixed = np.rint(mixed) if whole else mixed", "pass"),
        ("(1 - share) * under", "under"),
        ("(border + 1) / (edge + 1)", "border / (edge + 1)"),
    ),
    *rows(
        "transforms/blocks.py",
        "tests/transforms/test_blocks.py",
        (
            "hole[n, y : y + h, x : x + w] = True",
            "hole[n, y : y + h, x : x + h] = True",
        ),
    ),
    *rows(
        "transforms/_places.py",
        "tests/transforms/test_draws.py tests/transforms/test_blocks.py",
        ("inside == height * width", "inside >= height * width - 1"),
        ("places[:, 1:] += places[:, 1:] >= places[:, :1]", "pass"),
        (
            "np.stack([roots, 1 / roots], axis=1)",
            "np.stack([1 / roots, roots], axis=1)",
        ),
    ),
]
ACCUMULATORS = [
    *rows(
        "metrics/accumulators.py",
        "tests/metrics/test_accumulators.py",
        ("shift * (count / total)", "shift / 2"),
        ("np.sqrt(self.count * count / total)", "np.sqrt(count)"),
        ("self.scatter / (self.count - 1)", "self.scatter / self.count"),
        ("self.table = self.table + other.table", "self.table = other.table"),
        ("return self.table.copy()", "return self.table"),
    ),
]
ROWS = [
    *SSIM,
    *COUNTING,
    *RANKING,
    *FRECHET,
    *ACCUMULATORS,
    *TILES,
    *THREADS,
]
