"""The same quantities from other libraries, each with the settings that equal ours.

Each function takes the data of a row of ``benchmark.py``, imports its library and
brings the data into the form the library wants, none of which is timed, and returns
the call that is. An ImportError says that the peer is absent.
"""

import contextlib
import importlib
import importlib.machinery
import sys
import warnings
from unittest import mock

import numpy as np

from tinyssl import transforms

TORCHVISION = ["", ".transforms", ".transforms.functional", ".datasets", ".models"]


def load(name):
    """Import a peer; its arithmetic does without torchvision, so a stand-in will do."""
    with contextlib.suppress(ImportError, RuntimeError):  # no torchvision, or another's
        return importlib.import_module(name)
    stand_ins = [f"torchvision{part}" for part in (*TORCHVISION, ".models.inception")]
    for stand_in in stand_ins:
        spec = importlib.machinery.ModuleSpec(stand_in, None)
        sys.modules[stand_in] = mock.MagicMock(__spec__=spec)
    try:
        return importlib.import_module(name)
    finally:
        for stand_in in stand_ins:
            del sys.modules[stand_in]


def tensor(images):
    """Return NCHW float32 from one image or a batch, channels last."""
    import torch

    images = np.asarray(images, dtype=np.float32)
    images = images[..., None] if images.ndim == 2 else images
    images = images[None] if images.ndim == 3 else images
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def each(factory):
    """Apply a peer for one image to every image of a batch."""

    def batch(images1, images2, *options):
        calls = [
            factory(*pair, *options) for pair in zip(images1, images2, strict=True)
        ]
        return lambda: np.array([call() for call in calls])

    return batch


# ---- SSIM --------------------------------------------------------------------------


def skimage_ssim(image1, image2, data_range, window):
    """scikit-image: its default for uniform windows, Wang's settings for Gaussian."""
    ssim = load("skimage.metrics").structural_similarity
    axis = -1 if image1.ndim == 3 else None
    wang = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    options = wang if window == "gaussian" else {}
    return lambda: ssim(
        image1, image2, data_range=data_range, channel_axis=axis, **options
    )


def opencv_ssim(image1, image2, data_range, window):
    """OpenCV: the recipe of its tutorial in float32, over windows that lie inside."""
    cv2 = load("cv2")
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2

    def blur(image):
        return cv2.GaussianBlur(image, (11, 11), 1.5)[5:-5, 5:-5]

    def call():
        x, y = image1.astype(np.float32), image2.astype(np.float32)
        mean1, mean2 = blur(x), blur(y)
        square1, square2, product = mean1 * mean1, mean2 * mean2, mean1 * mean2
        variance1, variance2 = blur(x * x) - square1, blur(y * y) - square2
        covariance = blur(x * y) - product
        score = (2 * product + c1) * (2 * covariance + c2)
        score /= (square1 + square2 + c1) * (variance1 + variance2 + c2)
        return score.mean(dtype=np.float64)

    return call


def fast_ssim(image1, image2, data_range, window):
    """Fast-SSIM, C++ with AVX2: uniform 7 x 7 windows; bytes or float32."""
    library = load("fast_ssim")
    if image1.dtype != np.uint8:
        image1, image2 = image1.astype(np.float32), image2.astype(np.float32)
    return lambda: library.ssim(image1, image2, data_range=data_range)


def torchmetrics_ssim(image1, image2, data_range, window):
    """torchmetrics, float32."""
    ssim = load("torchmetrics.functional.image").structural_similarity_index_measure
    a, b = tensor(image1), tensor(image2)
    return lambda: ssim(a, b, data_range=data_range, reduction="none").numpy().squeeze()


def piq_ssim(image1, image2, data_range, window):
    """piq, float32, without the reduction of large images that it makes by default."""
    ssim, a, b = load("piq").ssim, tensor(image1), tensor(image2)
    options = dict(data_range=data_range, downsample=False, reduction="none")
    return lambda: ssim(a, b, **options).numpy().squeeze()


# ---- QWK, counting, ranking --------------------------------------------------------


def numpy_qwk(y_true, y_pred):
    """One table by np.bincount, then Cohen's formula."""
    weights = np.subtract.outer(np.arange(5), np.arange(5)) ** 2

    def call():
        table = np.bincount(y_true * 5 + y_pred, minlength=25).reshape(5, 5)
        chance = np.outer(table.sum(1), table.sum(0)) / table.sum()
        return 1 - (weights * table).sum() / (weights * chance).sum()

    return call


def sklearn_qwk(y_true, y_pred):
    """scikit-learn with its labels named, so that gaps between grades count."""
    kappa = load("sklearn.metrics").cohen_kappa_score
    return lambda: kappa(y_true, y_pred, weights="quadratic", labels=range(5))


def torchmetrics_qwk(y_true, y_pred):
    """Skip torchmetrics' checks, which take longer than its counting."""
    module = load("torchmetrics.functional.classification")
    a, b = (load("torch").from_numpy(values) for values in (y_true, y_pred))
    options = dict(num_classes=5, weights="quadratic", validate_args=False)
    return lambda: float(module.multiclass_cohen_kappa(b, a, **options))


def numpy_f1(y_true, y_pred):
    """Macro F1 from one table by np.bincount."""

    def call():
        table = np.bincount(y_true * 5 + y_pred, minlength=25).reshape(5, 5)
        return np.mean(2 * table.diagonal() / (table.sum(0) + table.sum(1)))

    return call


def sklearn_f1(y_true, y_pred):
    """scikit-learn, macro."""
    f1_score = load("sklearn.metrics").f1_score
    return lambda: f1_score(y_true, y_pred, average="macro")


def numpy_accuracy(y_true, y_pred):
    """One comparison and one mean."""
    return lambda: np.mean(y_true == y_pred)


def sklearn_accuracy(y_true, y_pred):
    """scikit-learn."""
    accuracy = load("sklearn.metrics").accuracy_score
    return lambda: accuracy(y_true, y_pred)


def sklearn_ranking(name, y_true, y_score):
    """scikit-learn: roc_auc_score or average_precision_score."""
    function = getattr(load("sklearn.metrics"), name)
    return lambda: function(y_true, y_score)


def torchmetrics_ranking(name, y_true, y_score):
    """torchmetrics, exact: all thresholds."""
    function = getattr(load("torchmetrics.functional.classification"), name)
    a, b = (load("torch").from_numpy(values) for values in (y_true, y_score))
    return lambda: float(function(b, a))


def numpy_dice(mask_true, mask_pred):
    """Three sums, as one writes it."""
    return lambda: (
        2 * (mask_true & mask_pred).sum() / (mask_true.sum() + mask_pred.sum())
    )


def sklearn_dice(mask_true, mask_pred):
    """jaccard_score on the flattened masks; Dice is 2 J / (1 + J)."""
    jaccard = load("sklearn.metrics").jaccard_score

    def call():
        iou = jaccard(mask_true.ravel(), mask_pred.ravel())
        return 2 * iou / (1 + iou)

    return call


# ---- Frechet distance: of features, or of (mean1, cov1, mean2, cov2) ---------------


def stats(data):
    """Return two means and two sample covariances in float64."""
    if len(data) == 4:
        return data
    features = [x.astype(np.float64) for x in data]
    return [
        f(x) for x in features for f in (lambda x: x.mean(0), lambda x: np.cov(x.T))
    ]


def numpy_frechet(*data):
    """Two symmetric eigenproblems, the best plain NumPy can do."""

    def call():
        mean1, cov1, mean2, cov2 = stats(data)
        values, vectors = np.linalg.eigh(cov1)
        root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
        cross = np.linalg.eigvalsh(root @ cov2 @ root)
        trace = np.trace(cov1) + np.trace(cov2)
        return (
            np.sum((mean1 - mean2) ** 2)
            + trace
            - 2 * np.sqrt(np.clip(cross, 0, None)).sum()
        )

    return call


def pytorch_fid(*data):
    """pytorch-fid's calculate_frechet_distance: a general matrix square root."""
    distance = load("pytorch_fid.fid_score").calculate_frechet_distance

    def call():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # sqrtm's disp goes away in SciPy 1.18
            return distance(*stats(data))

    return call


def torch_fidelity(*data):
    """torch-fidelity's metric: eigenvalues of the unsymmetric product."""
    distance = load("torch_fidelity.metric_fid").fid_statistics_to_metric

    def call():
        mean1, cov1, mean2, cov2 = stats(data)
        parts = {"mu": mean1, "sigma": cov1}, {"mu": mean2, "sigma": cov2}
        return distance(*parts, False)["frechet_inception_distance"]

    return call


# ---- swaps and turns ---------------------------------------------------------------


def numpy_swaps(images, swaps, size):
    """Slices, and a temporary for one patch."""

    def call():
        out = images.copy()
        for image, pairs in zip(out, swaps.tolist(), strict=True):
            for y1, x1, y2, x2 in pairs:
                patch1 = image[y1 : y1 + size, x1 : x1 + size]
                patch2 = image[y2 : y2 + size, x2 : x2 + size]
                keep = patch1.copy()
                patch1[:] = patch2
                patch2[:] = keep
        return out

    return call


def torchio_swaps(images, swaps, size):
    """TorchIO's Swap, image by image, with the places given: no draw is timed."""
    torchio = load("torchio")
    torch = load("torch")
    channels_first = np.ascontiguousarray(images.transpose(0, 3, 1, 2))[..., None]
    tensors = [torch.from_numpy(image) for image in channels_first]
    places = [
        [((y1, x1, 0), (y2, x2, 0)) for y1, x1, y2, x2 in pairs]
        for pairs in swaps.tolist()
    ]
    steps = [torchio.transforms.Swap((size, size, 1), pairs) for pairs in places]

    def call():
        turned = [step(image) for step, image in zip(steps, tensors, strict=True)]
        return torch.stack(turned).numpy()[..., 0].transpose(0, 2, 3, 1)

    return call


def numpy_draw(images, size):
    """Our draw of the places, then NumPy's slices: an answer to check ours by."""
    shape, count = images.shape[1:3], len(images)

    def call():
        swaps = transforms.sample_swaps(shape, size, 10 * count, rng=0)
        return numpy_swaps(images, swaps.reshape(count, 10, 4), size)()

    return call


def torchio_draw(images, size):
    """TorchIO's RandomSwap as its users call it, image by image."""
    swap = load("torchio").RandomSwap(patch_size=(size, size, 1), num_iterations=10)
    torch = load("torch")
    channels_first = np.ascontiguousarray(images.transpose(0, 3, 1, 2))[..., None]
    tensors = [torch.from_numpy(image) for image in channels_first]

    def call():
        swapped = torch.stack([swap(image) for image in tensors])
        return swapped.numpy()[..., 0].transpose(0, 2, 3, 1)

    return call


def numpy_turns(images, turns):
    """numpy.rot90, made contiguous."""
    return lambda: np.ascontiguousarray(np.rot90(images, turns, axes=(1, 2)))


def torch_turns(images, turns):
    """torch.rot90, NHWC as it stands."""
    torch = load("torch")
    batch = torch.from_numpy(images)
    return lambda: torch.rot90(batch, turns, (1, 2)).contiguous().numpy()


def opencv_turns(images, turns):
    """cv2.rotate, image by image, into one new array."""
    cv2 = load("cv2")
    code = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180}[turns]

    def call():
        out = np.empty_like(images)  # square images
        for image, turned in zip(images, out, strict=True):
            cv2.rotate(image, code, turned)
        return out

    return call
