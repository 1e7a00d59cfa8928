"""Errors in transforms and threads."""

from planted.row import rows

TILES = [
    *rows(
        "transforms/tiles.py",
        "transforms/test_tiles.py",
        ("(cell // cols * h, cell % cols * w)", "(cell // cols * w, cell % cols * h)"),
        ("left : left + w - size + 1]", "left : left + w - size]"),
        ("[(h - size) // 2, (w - size) // 2]", "[(h - size) // 2, 0]"),
        ("bad = (offsets < 0) | (offsets > limit)", "bad = offsets < 0"),
    ),
    *rows(
        "transforms/permutations.py",
        "transforms/test_permutations.py",
        ("np.minimum(nearest, distance, out=nearest)", "nearest = distance"),
        ("nearest == nearest.max()", "nearest == nearest.min()"),
        ("target[n, i // cols, i % cols]", "target[n, i % cols, i // cols]"),
    ),
    *rows(
        "transforms/masks.py",
        "transforms/test_masks.py",
        ("+ 1e-9).astype(np.int64)", ").astype(np.int64)"),
        ("(rank >= keep) & (rank < budget)", "rank >= keep"),
        (".any(axis=-1)\n    budget", ".all(axis=-1)\n    budget"),
    ),
    *rows(
        "transforms/paste.py",
        "transforms/test_paste.py",
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
        "transforms/test_blocks.py",
        (
            "hole[n, y : y + h, x : x + w] = True",
            "hole[n, y : y + h, x : x + h] = True",
        ),
    ),
    *rows(
        "transforms/_places.py",
        "transforms/test_draws.py transforms/test_blocks.py",
        ("inside == height * width", "inside >= height * width - 1"),
        ("places[:, 1:] += places[:, 1:] >= places[:, :1]", "pass"),
        (
            "np.stack([roots, 1 / roots], axis=1)",
            "np.stack([1 / roots, roots], axis=1)",
        ),
    ),
]
THREADS = [
    *rows(
        "_threads.py",
        "test_threads.py",
        ("length * part // parts", "length // parts * part"),
        ("os.register_at_fork(after_in_child=_forget)", "_forget()"),
        ("length // max(1, least)", "length"),
        ("int(asked) > 0", "int(asked) >= 0"),
    ),
    *rows(
        "_kernels/_compile.py",
        "test_processes.py::test_kernels_compile_once_a_machine",
        ("njit(cache=True, nogil=True)", "njit(nogil=True)"),
        compiled=True,
    ),
    *rows(
        "_kernels/_compile.py",
        "test_processes.py::test_a_sealed_package_works",
        ("except RuntimeError:", "except KeyError:"),
        compiled=True,
    ),
]
