"""The patch dictionary: its recipe in another text, its laws, what it is good for."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from strategies import refused

from tinyssl import _patches
from tinyssl.data import toy
from tinyssl.dictionary import PatchDictionary
from tinyssl.metrics import roc_auc
from tinyssl.targets.baselines import logistic_regression

NOISE = np.random.default_rng(0).integers(40, 256, (4, 19, 22, 3), np.uint8)
EYES = toy.fundus(8, size=48, rng=0).images[:, 2:45]  # (8, 43, 48, 3)


def fitted(images, **options):
    small = {"num_filters": 12, "patch_size": 4, "num_patches": 10**6} | options
    return PatchDictionary(**small).fit(images)


def patches_by_hand(images, stride):
    """Return normalised patches in the field of view, as the recipe says it."""
    found = []
    for x in images / 255:
        for top in range(0, len(x) - 3, stride):
            for left in range(0, x.shape[1] - 3, stride):
                patch = x[top : top + 4, left : left + 4].flatten()
                rim = (patch.reshape(16, 3) <= 12 / 255).all(1).any()
                if patch.mean() >= 0.08 and not rim:
                    patch -= patch.mean()
                    found.append(patch / np.sqrt(patch.var() + (10 / 255) ** 2))
    return np.array(found)


@pytest.mark.parametrize("block", [1, 4096])
def test_the_recipe_in_another_text_gives_the_same_features(block, monkeypatch):
    monkeypatch.setattr(_patches, "BLOCK", block)
    x = patches_by_hand(EYES[:4], 1)
    mean, (values, vectors) = x.mean(0), np.linalg.eigh(np.cov(x.T, ddof=0))
    whitening = vectors @ np.diag((values + 0.1) ** -0.5) @ vectors.T
    z = (x - mean) @ whitening
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    filters = fitted(EYES[:4], filters="patches").filters_
    assert_allclose((z @ filters.T).max(0), 1, atol=1e-4)  # which begin as patches
    for _ in range(8):
        nearest = (z @ filters.T).argmax(1)
        sums = np.array([z[nearest == k].sum(0) for k in range(12)])
        filters = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    expected = []
    for image in EYES:
        z = (patches_by_hand(image[None], 2) - mean) @ whitening
        r = np.sort(np.maximum(z @ filters.T - 0.25, 0), axis=0)
        expected.append(np.ravel([r.mean(0), (r**2).mean(0) ** 0.5, r[-5:].mean(0)]))
    assert_allclose(fitted(EYES[:4]).features(EYES), expected, rtol=1e-3, atol=1e-4)


def test_whitening_levels_the_spectrum_and_filters_have_length_1():
    x = np.float32(patches_by_hand(EYES, 1))
    before = np.linalg.eigvalsh(np.cov(x.T))
    for filters in ("learned", "random", "patches"):
        dictionary = fitted(EYES, filters=filters)
        after = np.linalg.eigvalsh(np.cov(dictionary.whitened(x).T))
        assert_allclose(after, before / (before + 0.1), rtol=1e-3, atol=1e-4)
        assert_allclose((dictionary.filters_**2).sum(1), 1, atol=1e-5)
    assert_array_equal(fitted(EYES, whiten=False).whitened(x), x)


def test_features_keep_to_the_image_whatever_surrounds_it():
    dictionary = fitted(NOISE)
    expected = dictionary.features(NOISE)
    framed = np.pad(NOISE, ((0, 0), (6, 9), (2, 4), (0, 0)))
    framed[:, :2] = 11  # not quite black, as JPEG leaves it
    assert_allclose(dictionary.features(framed), expected, rtol=1e-5)
    assert_array_equal(dictionary.features(NOISE[2:]), expected[2:])
    assert_allclose(dictionary.features([*NOISE / 255]), expected, rtol=1e-5)
    assert not dictionary.features(0 * NOISE).any()
    mean, rms, top = dictionary.features(NOISE[:1, :4, :4]).reshape(3, -1)  # one patch
    assert_allclose([rms, 5 * top], [mean, mean], rtol=1e-6)
    sizes = [NOISE[0, :12, :, 0], NOISE[1, ..., :1]]  # grey, and each of its own size
    assert fitted(sizes).transform(sizes).shape == (2, 36)
    filters = dictionary.projection_.reshape(4, 4, 3, 12)  # mirrored, as the images
    dictionary.projection_ = filters[:, ::-1].reshape(48, 12)
    assert_allclose(dictionary.features(NOISE[:, :, ::-1]), expected, rtol=1e-4)


CODE = """import numpy as np; from tinyssl.dictionary import PatchDictionary
images = np.random.default_rng(0).integers(40, 256, (9, 40, 44, 3), np.uint8)
found = PatchDictionary(num_filters=150, num_patches=9000).fit(images)
print(hash(found.features(images).tobytes() + found.filters_.tobytes()))"""


def test_one_seed_gives_the_same_bytes_on_any_number_of_threads():
    found, names = set(), ("OMP_NUM_THREADS", "TINYSSL_NUM_THREADS")
    for n in "13":
        env = os.environ | dict.fromkeys(names, n) | {"PYTHONHASHSEED": "0"}
        found.add(subprocess.check_output([sys.executable, "-c", CODE], env=env))
    assert len(found) == 1
    first, again, other = (fitted(NOISE, rng=seed).filters_ for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_what_it_refuses():
    for options, images, message in (
        ({}, 0 * NOISE, "images must have 12 patches or more .* found 0"),
        ({}, NOISE[:1, :6, :6], "images must have 12 patches or more .* found 9"),
        ({"filters": "best"}, NOISE, "filters must be one of 'learned', 'random',"),
        ({"stride": 0}, NOISE, "stride must be >= 1, found 0"),
    ):
        with refused(message):
            fitted(images, **options)
    with refused("features must come after fit"):
        PatchDictionary().features(NOISE)
    with refused("images must have 3 channels"):
        fitted(NOISE).features(NOISE[..., 0])
    with refused("an option's name must be one of 'num_filters', .*found 'K'"):
        PatchDictionary().set_params(K=3)


def test_it_fits_into_scikit_learns_pipelines():
    pytest.importorskip("sklearn")
    from sklearn import base, linear_model, pipeline, preprocessing

    parts = preprocessing.StandardScaler(), linear_model.LogisticRegression(C=0.01)
    whole = pipeline.make_pipeline(PatchDictionary(num_filters=9), *parts)
    whole, labels = base.clone(whole), [0] * 4 + [1] * 4
    images = np.concatenate([NOISE, NOISE[:, :, ::2].repeat(2, axis=2)])
    assert whole.fit(images, labels).score(images, labels) == 1
    assert whole.set_params(patchdictionary__stride=3)[0].stride == 3


def test_learned_filters_find_severe_eyes_with_40_labels_better_than_random_ones():
    eyes, scores = toy.fundus(600, size=48, rng=0), {"learned": 0, "random": 0}
    severe, options = eyes.grades[100:] >= 3, {"num_filters": 64, "num_patches": 20_000}
    for filters in scores:
        dictionary = PatchDictionary(**options, filters=filters).fit(eyes.images[:200])
        F, rng = dictionary.features(eyes.images[100:]), np.random.default_rng(0)
        for _ in range(8):  # draws of labels; 250 eyes of other patients to answer
            order = rng.permutation(250)
            some = np.r_[order[severe[order]][:20], order[~severe[order]][:20]]
            known = F[some], severe[some] * 1, F[250:]
            p = logistic_regression(*known, num_grades=2, penalty=100.0)
            scores[filters] += roc_auc(severe[250:], p[:, 1]) / 8
    assert scores["learned"] > max(0.65, scores["random"] + 0.03)
