"""One policy for all: inputs in any form give the same bits and stay as they were."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinyssl import metrics, transforms

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 5, (2, 3000))
SCORED = (np.arange(20_000) % 3, RNG.random((20_000, 3)).round(2))
BINARY = (RNG.integers(0, 2, 3000), SCORED[1][:3000, 0])
IMAGES = RNG.random((2, 80, 80, 3))
BYTES = RNG.integers(0, 256, (2, 20, 30, 3), np.uint8)
MASKS = RNG.random((2, 400, 300)) < 0.5
FEATURES = RNG.normal(size=(2, 40, 5))
STATS = [part for x in FEATURES for part in (x.mean(axis=0), np.cov(x.T))]
OFFSETS = np.array([[3, 0], [1, 2]] * 2)
SWAPS = transforms.sample_swaps((80, 80), 9, 5, rng=0)

CALLS = {
    **dict.fromkeys(("accuracy", "balanced_accuracy"), (LABELS, {})),
    **dict.fromkeys(("confusion_matrix", "quadratic_weighted_kappa"), (LABELS, {})),
    **dict.fromkeys(("dice", "iou", "sensitivity", "specificity"), (MASKS, {})),
    **dict.fromkeys(("frechet_distance", "localization_error"), (FEATURES, {})),
    **dict.fromkeys(("average_precision", "roc_auc"), (SCORED, {"average": None})),
    **dict.fromkeys(("precision_recall_curve", "roc_curve"), (BINARY, {})),
    "cohen_kappa": (LABELS, {"weights": "linear"}),
    "f1_score": (LABELS, {"average": None}),
    "frechet_distance_from_stats": (STATS, {}),
    "frechet_noise_floor": ((FEATURES[0], 9), {"rng": 0}),
    "mse": (IMAGES, {}),
    "precision": (LABELS, {"average": "macro"}),
    "psnr": (IMAGES, {"data_range": 1}),
    "recall": (LABELS, {"average": "weighted"}),
    "ssim": (IMAGES, {"data_range": 1, "channel_axis": -1}),
    "rotate": ((IMAGES, np.array([1, 2])), {}),
    "adjust": ((BYTES, np.array([0.9, 1.1]), np.array([5.0, -5.0])), {}),
    "flip": ((IMAGES, np.array([True, False])), {}),
    "swap_patches": ((IMAGES, SWAPS, 9), {}),
    "cut_paste": ((IMAGES, *transforms.sample_pastes(2, (80, 80, 3), rng=0)), {}),
    "join_tiles": ((transforms.split_tiles(IMAGES, 4), 4), {}),
    "mask_blocks": ((IMAGES, transforms.sample_blocks(2, (80, 80), rng=0)), {}),
    "mask_patches": ((IMAGES, transforms.sample_mask(2, (80, 80), 8, rng=0), 8), {}),
    "patchify": ((IMAGES, 8), {}),
    "permutation_set": ((4, 5), {}),
    "permute_tiles": ((IMAGES, 2, np.array([[3, 0, 1, 2], [1, 0, 3, 2]])), {}),
    "split_tiles": ((IMAGES, 2), {"tile_size": 9, "offsets": OFFSETS}),
    "unpatchify": ((transforms.patchify(IMAGES, 8), 8, (80, 80, 3)), {}),
}


def call(name, arguments, options):
    """Call a public function by name and return the bytes of its answer."""
    function = getattr(metrics, name, None) or getattr(transforms, name)
    result = function(*arguments, **options)
    parts = result if isinstance(result, tuple) else (result,)
    return [np.asarray(part).tobytes() for part in parts]


FORMS = {
    "list": np.ndarray.tolist,
    "strided": lambda x: x.repeat(2, axis=-1)[..., ::2],
    "fortran": np.asfortranarray,
    "backwards": lambda x: np.flip(np.flip(x).copy()),
    "read-only": lambda x: np.broadcast_to(x, x.shape),
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "tensor": lambda x: pytest.importorskip("torch").from_numpy(x.copy()),
}


def test_every_public_function_is_called():
    for name in (*metrics.__all__, *transforms.__all__):
        drawn_or_elsewhere = name.startswith("sample_") or name.endswith("Accumulator")
        assert drawn_or_elsewhere or name in CALLS


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_bits(name, form):
    if (name, form) == ("adjust", "list"):
        return  # lists are not uint8
    arguments, options = CALLS[name]
    expected = call(name, arguments, options)
    disguised = [FORMS[form](x) if isinstance(x, np.ndarray) else x for x in arguments]
    assert call(name, disguised, options) == expected


@pytest.mark.parametrize("name", CALLS)
def test_two_threads_get_the_same_bits_and_change_no_input(name):
    arguments, options = CALLS[name]
    before = [np.copy(x) for x in arguments]
    expected = call(name, arguments, options)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: call(name, arguments, options), range(4)))
    assert answers == [expected] * 4
    for actual, unchanged in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(actual, unchanged)
