"""Restoration quality: swaps undone, copying scored as copying, honest sets."""

import numpy as np
import pytest
import torch

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.compare.features import RandomNetwork, extract
from tinyssl.compare.restored import (
    Restored,
    disorder_and_restore,
    score_images,
    set_distances,
    summarise,
)
from tinyssl.pretext import ContextRestoration
from tinyssl.transforms import swap_patches


class Copy(torch.nn.Module):
    """Return the input: what every network must beat."""

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(60, size=32, rng=0).images


@pytest.fixture(scope="module")
def copied(eyes):
    task = ContextRestoration(Copy(), patch_size=6, num_swaps=5, region=round_mask(32))
    return disorder_and_restore(task, eyes, seed=3)


def test_disorder_is_undone_by_its_log(eyes, copied):
    undone = swap_patches(copied.disordered, copied.swaps[:, ::-1], 6)
    np.testing.assert_array_equal(undone, eyes)
    assert copied.changed.any((1, 2)).all()
    assert not copied.changed[:, ~round_mask(32)].any()


def test_an_image_is_disordered_alike_whatever_stands_beside_it(eyes, copied):
    task = ContextRestoration(Copy(), patch_size=6, num_swaps=5, region=round_mask(32))
    numbers = np.array([41, 7])
    found = disorder_and_restore(task, eyes[numbers], numbers=numbers, seed=3)
    np.testing.assert_array_equal(found.disordered, copied.disordered[numbers])
    again = disorder_and_restore(task, eyes[numbers], numbers=numbers, seed=3, draw=1)
    assert (again.swaps != found.swaps).any((1, 2)).all()


def test_network_that_copies_scores_as_copying(copied):
    np.testing.assert_allclose(copied.restored, copied.disordered, atol=1)
    exact = Restored(copied.images, copied.disordered, copied.disordered, copied.swaps)
    rows = score_images(exact)
    assert all(row["restored"] == row["copy"] for row in rows)
    table = summarise(rows, rng=0)
    for scores in table.values():
        assert scores["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert table["mse_unswapped"]["copy"]["mean"] == 0


def test_perfect_restoration_scores_perfectly(copied):
    perfect = Restored(copied.images, copied.disordered, copied.images, copied.swaps)
    for row in score_images(perfect):
        assert row["restored"]["ssim"] == 1
        assert row["restored"]["psnr"] == np.inf
        assert row["restored"]["mse_swapped"] == 0


def test_error_inside_and_outside_add_up(copied):
    blurred = Restored(
        copied.images, copied.disordered, copied.images // 2, copied.swaps
    )
    for row, changed in zip(score_images(blurred), copied.changed, strict=True):
        share = changed.mean()
        scores = row["restored"]
        expected = share * scores["mse_swapped"] + (1 - share) * scores["mse_unswapped"]
        assert scores["mse"] == pytest.approx(expected)


def test_restored_images_are_black_outside_the_field(eyes):
    class Bright(Copy):
        def forward(self, x):
            return x + 1

    task = ContextRestoration(Bright(), patch_size=6, num_swaps=5)
    field = round_mask(32)
    found = disorder_and_restore(task, eyes[:4], field=field)
    assert found.restored[:, ~field].max() == 0
    assert (found.restored[:, field] >= found.disordered[:, field]).all()


def test_image_that_no_swap_changed_is_left_out_inside_only():
    flat = np.full((3, 32, 32, 3), 90, np.uint8)
    flat[0, :16] = 10  # only here can a swap show
    task = ContextRestoration(Copy(), patch_size=8, num_swaps=8)
    table = summarise(score_images(disorder_and_restore(task, flat)))
    assert np.isfinite(table["mse_swapped"]["copy"]["mean"])
    assert table["ssim"]["copy"]["mean"] < 1


def test_same_images_on_both_sides_flatter_and_halves_do_not(copied):
    features = [
        extract(images, RandomNetwork(), dim=8)
        for images in (copied.images, copied.restored, copied.disordered)
    ]
    found = set_distances(*features, rng=0)
    assert found["n"] == 60
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
    features = rng.normal(size=(12, 2))[patient]  # a patient's eyes are alike
    apart = set_distances(features, features, features, groups=patient)
    careless = set_distances(features, features, features)
    assert apart["halves"]["floor"]["mean"] > 2 * careless["halves"]["floor"]["mean"]
    few = set_distances(features, features, features, groups=patient // 4)
    assert "halves" not in few
