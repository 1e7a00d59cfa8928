"""Restored images: disorder undone, copying scored as copying, honest sets."""

import numpy as np
import pytest
import torch

from tinyssl.compare.features import RandomNetwork, extract
from tinyssl.compare.restored import (
    Restored,
    disorder_and_restore,
    score_images,
    set_distances,
    summarise,
)
from tinyssl.data.images import round_mask
from tinyssl.pretext import ContextRestoration, PixelShuffling
from tinyssl.transforms import swap_patches

FIELD = round_mask(32)
OPTIONS = {"patch_size": 6, "num_swaps": 5, "region": FIELD}
equal = np.testing.assert_array_equal


class Copy(torch.nn.Module):
    """Return the input, what every network must beat, or something brighter."""

    def __init__(self, more=0.0):
        super().__init__()
        self.more = torch.nn.Parameter(torch.tensor(more))

    def forward(self, x):
        return x + self.more


TASK = ContextRestoration(Copy(), **OPTIONS)


@pytest.fixture(scope="module")
def copied(eyes):
    return disorder_and_restore(TASK, eyes, seed=3)


def replaced(found, images):
    return Restored(found.images, found.disordered, images, found.swaps)


def test_disorder_is_undone_by_its_log_and_alike_whatever_stands_beside(eyes, copied):
    equal(swap_patches(copied.disordered, copied.swaps[:, ::-1], 6), eyes)
    assert copied.changed.any((1, 2)).all()
    assert not copied.changed[:, ~FIELD].any()
    numbers = np.array([41, 7])
    found = disorder_and_restore(TASK, eyes[numbers], numbers=numbers, seed=3)
    equal(found.disordered, copied.disordered[numbers])
    again = disorder_and_restore(TASK, eyes[numbers], numbers=numbers, seed=3, draw=1)
    assert (again.swaps != found.swaps).any((1, 2)).all()


def test_a_task_disorders_in_its_own_way(eyes):
    task = PixelShuffling(Copy(), **OPTIONS)
    found = disorder_and_restore(task, eyes[:8], seed=3)
    for k in range(8):
        rng = np.random.default_rng([3, 0, k])
        equal(found.disordered[k : k + 1], task.disorder(eyes[k : k + 1], rng))
        outside = np.ones((32, 32), bool)
        for y, x in found.swaps[k].reshape(-1, 2):
            outside[y : y + 6, x : x + 6] = False
        assert not found.changed[k, outside].any()


def test_each_image_is_restored_by_its_own_task(eyes, copied):
    bright = ContextRestoration(Copy(1.0), **OPTIONS)
    found = disorder_and_restore([TASK, bright] * 40, eyes, seed=3, field=FIELD)
    equal(found.disordered, copied.disordered)
    equal(found.restored[::2, FIELD], copied.restored[::2, FIELD])
    assert (found.restored[1::2, FIELD] >= copied.restored[1::2, FIELD]).all()
    assert found.restored[1::2].mean() > copied.restored[1::2].mean() + 10
    assert found.restored[:, ~FIELD].max() == 0  # black as the originals are


def test_network_that_copies_scores_as_copying_and_a_perfect_one_perfectly(copied):
    np.testing.assert_allclose(copied.restored, copied.disordered, atol=1)
    rows = score_images(replaced(copied, copied.disordered))
    assert all(row["restored"] == row["copy"] for row in rows)
    table = summarise(rows, rng=0)
    for scores in table.values():
        assert scores["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert table["mse_unswapped"]["copy"]["mean"] == 0
    for row in score_images(replaced(copied, copied.images)):
        found = [row["restored"][key] for key in ("ssim", "psnr", "mse_swapped")]
        assert found == [1, np.inf, 0]
    # errors inside and outside add up
    rows = score_images(replaced(copied, copied.images // 2))
    for row, changed in zip(rows, copied.changed, strict=True):
        share, scores = changed.mean(), row["restored"]
        expected = share * scores["mse_swapped"] + (1 - share) * scores["mse_unswapped"]
        assert scores["mse"] == pytest.approx(expected)


def test_image_that_no_swap_changed_is_left_out_inside_only():
    flat = np.full((3, 32, 32, 3), 90, np.uint8)
    flat[0, :16] = 10  # only here can a swap show
    task = ContextRestoration(Copy(), patch_size=8, num_swaps=8)
    rows = score_images(disorder_and_restore(task, flat))
    changed = [row["copy"]["mse_swapped"] for row in rows]
    assert np.isnan(changed).tolist() == [False, True, True]
    table = summarise(rows)
    assert table["mse_swapped"]["copy"]["mean"] == changed[0]
    assert table["ssim"]["copy"]["mean"] < 1


def test_same_images_on_both_sides_flatter_and_halves_do_not(copied):
    features = [
        extract(images, RandomNetwork(), dim=8)
        for images in (copied.images, copied.restored, copied.disordered)
    ]
    found = set_distances(*features, rng=0)
    assert found["n"] == 80
    assert found["same"]["copy"] == pytest.approx(found["same"]["restored"], rel=0.2)
    halves = {name: value["mean"] for name, value in found["halves"].items()}
    assert found["same"]["copy"] < halves["copy"]
    assert halves["floor"] < halves["copy"]
    untouched = set_distances(features[0], features[0], features[0], rng=0)
    assert untouched["same"]["copy"] == pytest.approx(0, abs=1e-6)
    spread = untouched["halves"]
    assert spread["restored"] == spread["copy"] == spread["floor"]
    assert spread["floor"]["mean"] > 100 * untouched["same"]["copy"]


def test_patients_stay_on_one_side():
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(12), 5)
    features = [rng.normal(size=(12, 2))[patient]] * 3  # a patient's eyes are alike
    apart, careless = set_distances(*features, groups=patient), set_distances(*features)
    assert apart["halves"]["floor"]["mean"] > 2 * careless["halves"]["floor"]["mean"]
    assert "halves" not in set_distances(*features, groups=patient // 4)
