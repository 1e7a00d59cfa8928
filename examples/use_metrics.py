"""The metrics in your own project: NumPy in, numbers out, no torch.

    python examples/use_metrics.py

Needs nothing but `pip install tinyssl`. Every number is made from synthetic eyes here.
"""

import numpy as np

from tinyssl.data import toy
from tinyssl.metrics import (
    confusion_matrix,
    dice,
    frechet_distance,
    frechet_noise_floor,
    psnr,
    quadratic_weighted_kappa,
    roc_auc,
    ssim,
)


def grades(eyes, rng):
    """Agreement on ordered grades: a miss by two counts four times a miss by one."""
    y_true = eyes.grades
    y_pred = np.clip(y_true + rng.integers(-1, 2, len(y_true)), 0, 4)
    print(f"QWK {quadratic_weighted_kappa(y_true, y_pred, num_classes=5):.3f}")
    print(confusion_matrix(y_true, y_pred, num_classes=5))
    # one constant rater is 0, and what 0/0 leaves open is nan, unless you say else
    print(quadratic_weighted_kappa([2, 2], [2, 2], undefined=1.0))
    score = y_true + rng.normal(0, 1.5, len(y_true))
    print(f"AUC of any disease {roc_auc(y_true > 0, score):.3f}")


def images(eyes, rng):
    """Likeness of two images: the data range is required, for nobody can guess it."""
    image = eyes.images[0]
    noisy = np.clip(image + rng.normal(0, 15, image.shape), 0, 255).astype(np.uint8)
    score, smap = ssim(image, noisy, data_range=255, channel_axis=-1, full=True)
    print(f"SSIM {score:.3f}, worst window {smap.min():.3f}")
    print(f"PSNR {psnr(image, noisy, data_range=255):.1f} dB")
    unit = image / 255, noisy / 255
    wrong = ssim(*unit, data_range=255, channel_axis=-1)  # images in [0, 1]: it is 1
    print(f"SSIM with a wrong data range {wrong:.5f}")


def masks(eyes):
    """Overlap inside a region; two empty masks are nan, not 0 and not 1."""
    vessels = eyes.vessels[0]
    found = np.roll(vessels, 1, axis=1)
    inside = eyes.field_of_view[0]
    print(f"Dice {dice(vessels, found, region=inside):.3f}")
    print(f"Dice of nothing {dice(vessels & False, found & False)}")


def sets(eyes):
    """Distance of two sets: say n, d, the features and the floor with the number."""
    features = eyes.images.reshape(len(eyes.images), -1, 3) / 255
    features = np.concatenate([features.mean(1), features.std(1)], axis=1)  # (N, 6)
    first, second = features[::2], features[1::2] * [1, 1, 1, 1.3, 1, 1]
    n, d = first.shape
    floor = frechet_noise_floor(first, n, n, rng=0, repeats=100)
    print(f"Frechet distance {frechet_distance(first, second):.5f}, n = {n}, d = {d},")
    print(f"colours; two samples of one Gaussian: up to {np.quantile(floor, 0.95):.5f}")


def main():
    """Print one small example of each kind."""
    rng = np.random.default_rng(0)
    eyes = toy.fundus(200, size=64, rng=0)
    grades(eyes, rng)
    images(eyes, rng)
    masks(eyes)
    sets(eyes)


if __name__ == "__main__":
    main()
