"""Sets side by side: numbers, intervals, chance; restored images scored honestly."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import image_pairs, seeds

from tinyssl import metrics, plots
from tinyssl.compare import restored
from tinyssl.compare.comparison import bootstrap, pair_scores, set_distance, verdict
from tinyssl.compare.features import RandomNetwork, extract
from tinyssl.compare.restored import disorder_and_restore, set_distances
from tinyssl.data.images import round_mask
from tinyssl.pretext import ContextRestoration, PixelShuffling
from tinyssl.transforms import swap_patches

FIELD = round_mask(32)
OPTIONS = {"patch_size": 6, "num_swaps": 5, "region": FIELD}
equal = np.testing.assert_array_equal


def gaussians(seed, n1, n2, d=3, shift=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n1, d)), rng.normal(size=(n2, d)) + shift


def alarms(found):
    """Return how often a test at 5 % says that the sets differ."""
    return np.mean([one["p"] <= 0.05 for one in found])


@given(image_pairs())
def test_pairs_are_scored_as_the_metrics_do(pair):
    image1, image2, top = pair
    if image1.dtype != np.uint8:
        image1, image2, top = image1 / top, image2 / top, 1  # floats lie in [0, 1]
    actual = pair_scores(image1, image2)
    options = {"data_range": top, "channel_axis": 2}
    assert actual["ssim"] == metrics.ssim(image1, image2, **options)
    assert actual["psnr"] == metrics.psnr(image1, image2, data_range=top)
    expected = metrics.mse(image1 / top, image2 / top)
    assert actual["mse"] == pytest.approx(expected, abs=1e-15)
    # bytes and floats of one image are alike
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    scores = pair_scores(image, (image / 255).astype(np.float32))
    assert scores["ssim"] == pytest.approx(1)
    assert scores["mse"] < 1e-12
    assert pair_scores(image, image) == {"ssim": 1.0, "psnr": np.inf, "mse": 0.0}


def test_bootstrap_is_that_of_a_normal_mean_and_of_too_little_nan():
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap(values, rng=0, repeats=4000)
    half = 1.96 * values.std() / 20
    actual = [found["mean"] - found["low"], found["high"] - found["mean"]]
    assert actual == pytest.approx([half, half], rel=0.05)
    alike = bootstrap(np.ones(6), groups=np.array([0, 0, 0, 1, 2, 2]), rng=0)
    assert alike == {"mean": 1.0, "low": 1.0, "high": 1.0}
    # copies of a patient are no new images, and nan is left out
    values = np.random.default_rng(0).normal(size=30)
    alone = bootstrap(values, rng=1)
    copies, patients = np.repeat(values, 4), np.repeat(range(30), 4)
    assert bootstrap(copies, groups=patients, rng=1) == pytest.approx(alone)
    holes, known = np.r_[copies, np.nan, np.nan], np.r_[patients, 30, 0]
    assert bootstrap(holes, groups=known, rng=1) == pytest.approx(alone)
    for few in ([], [0.5], [0.5, 0.5], [np.nan]):
        found = bootstrap(few, groups=np.zeros(len(few)), rng=0)
        mean = 0.5 if 0.5 in few else np.nan
        np.testing.assert_equal(found, {"mean": mean, "low": np.nan, "high": np.nan})


def test_distance_is_the_frechet_distance_beside_its_floor():
    real, generated = gaussians(0, 60, 40)
    found = set_distance(real, generated, rng=0)
    assert found["distance"] == metrics.frechet_distance(real, generated)
    assert (found["n1"], found["n2"], found["d"]) == (60, 40, 3)
    assert found["low"] <= found["distance"] <= found["high"]
    spread = np.trace(np.cov(real.T))
    assert found["relative"] == pytest.approx(found["distance"] / spread)
    # two samples of one distribution: floor and exchange agree
    assert 0.5 < np.median(found["exchanged"]) / np.median(found["floor"]) < 2


def test_p_is_uniform_where_sets_do_not_differ_and_tails_are_no_alarm():
    found = [set_distance(*gaussians(k, 30, 30), rng=k) for k in range(60)]
    assert 0.35 < np.mean([one["p"] for one in found]) < 0.65
    assert alarms(found) <= 0.15
    # heavy tails raise false alarms by the floor and not by the exchange
    draws = [np.random.default_rng(k).standard_t(2.5, (2, 60, 3)) for k in range(30)]
    found = [set_distance(*sets, rng=k) for k, sets in enumerate(draws)]
    beyond = [one["distance"] > np.quantile(one["floor"], 0.95) for one in found]
    assert sum(beyond) >= 10  # of 30, where 1.5 are due
    assert alarms(found) <= 0.15


@pytest.mark.parametrize("pairs", [0, 120])
def test_patients_change_sides_whole(pairs):
    patient = np.repeat(np.arange(40), 3)  # three alike images of each
    careless, whole = [], []
    for k in range(30):
        rng = np.random.default_rng(k)
        images = rng.normal(size=(40, 3))[patient] + rng.normal(0, 0.1, (120, 3))
        sets, named = np.split(images, 2), np.split(patient, 2)
        if pairs:  # the same images, of each patient changed alike
            sets = images, images + rng.normal(0, 0.3, (40, 3))[patient]
            named = patient, patient
        careless.append(set_distance(*sets, pairs=pairs, rng=k))
        whole.append(set_distance(*sets, pairs=pairs, patients=named, rng=k))
    assert alarms(careless) >= 0.4
    assert alarms(whole) <= 0.15


def test_a_shift_is_found_pairs_are_exchanged_within_and_a_set_is_itself():
    found = set_distance(*gaussians(0, 50, 50, shift=1.0), rng=0)
    assert found["p"] == 1 / 200  # itself is one of 200
    assert found["low"] > np.quantile(found["floor"], 0.95)
    assert "The sets differ" in verdict(found)
    real, _ = gaussians(0, 80, 0)
    generated = real + np.array([0.08, 0.0, 0.0])  # the same eyes, a shade brighter
    apart = set_distance(real, generated, rng=0)
    paired = set_distance(real, generated, pairs=80, rng=0)
    assert paired["distance"] == apart["distance"]
    assert apart["p"] > 0.5
    assert paired["p"] <= 0.005
    assert "only because the same images" in verdict(paired | {"pairs": 80})
    for n, paired in itertools.product((20, 40, 50, 60, 80), (False, True)):
        found = set_distance(real[:n], real[:n], pairs=n * paired, rng=0)
        assert found["p"] == 1  # though no distance is 0 but for rounding
        figure = plots.distances(found["distance"], {"x": found["exchanged"]})
        assert figure.get_suptitle().startswith("199 of 199 sets")
        assert verdict(found).startswith("The two sets are one")


def test_lone_patients_change_nothing_and_the_interval_has_its_width():
    real, generated = gaussians(0, 20, 15)
    names = np.arange(20), np.r_[np.arange(6), np.arange(50, 59)]
    alone = set_distance(real, generated, pairs=6, rng=0)
    named = set_distance(real, generated, pairs=6, patients=names, rng=0)
    assert (named["low"], named["high"]) == (alone["low"], alone["high"])
    np.testing.assert_array_equal(named["exchanged"], alone["exchanged"])
    with pytest.raises(ValueError, match="patients must be 20 and 15, found 20"):
        set_distance(real, generated, patients=(names[0], []), rng=0)
    # the width is that of other samples
    found = [set_distance(*gaussians(k, 60, 60, shift=0.7), rng=k) for k in range(40)]
    true = np.std([f["distance"] for f in found], ddof=1)
    half = np.mean([(f["high"] - f["distance"]) / 2.093 for f in found])  # t, 19
    assert 0.7 < half / true < 1.4


@given(seeds, st.integers(2, 6), st.integers(2, 6), st.data())
def test_few_images_give_numbers_or_nan_but_no_warning(seed, n1, n2, data):
    pairs = data.draw(st.integers(0, min(n1, n2)))
    found = set_distance(*gaussians(seed, n1, n2, d=4), pairs=pairs, rng=seed)
    assert found["distance"] >= 0
    assert np.isnan(found["low"]) == (min(n1, n2) < 3)
    assert 0 < found["p"] <= 1
    assert verdict(found)


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


def test_disorder_is_undone_by_its_log_and_alike_whatever_stands_beside(eyes, copied):
    equal(swap_patches(copied.disordered, copied.swaps[:, ::-1], 6), eyes)
    assert copied.changed.any((1, 2)).all()
    assert not copied.changed[:, ~FIELD].any()
    numbers = np.array([41, 7])
    found = disorder_and_restore(TASK, eyes[numbers], numbers=numbers, seed=3)
    equal(found.disordered, copied.disordered[numbers])
    again = disorder_and_restore(TASK, eyes[numbers], numbers=numbers, seed=3, draw=1)
    assert (again.swaps != found.swaps).any((1, 2)).all()


def test_a_task_disorders_in_its_own_way_and_restores_its_own_images(eyes, copied):
    task = PixelShuffling(Copy(), **OPTIONS)
    found = disorder_and_restore(task, eyes[:8], seed=3)
    for k in range(8):
        rng = np.random.default_rng([3, 0, k])
        equal(found.disordered[k : k + 1], task.disorder(eyes[k : k + 1], rng))
        outside = np.ones((32, 32), bool)
        for y, x in found.swaps[k].reshape(-1, 2):
            outside[y : y + 6, x : x + 6] = False
        assert not found.changed[k, outside].any()
    # each image is restored by its own task
    bright = ContextRestoration(Copy(1.0), **OPTIONS)
    found = disorder_and_restore([TASK, bright] * 40, eyes, seed=3, field=FIELD)
    equal(found.disordered, copied.disordered)
    equal(found.restored[::2, FIELD], copied.restored[::2, FIELD])
    assert (found.restored[1::2, FIELD] >= copied.restored[1::2, FIELD]).all()
    assert found.restored[1::2].mean() > copied.restored[1::2].mean() + 10
    assert found.restored[:, ~FIELD].max() == 0  # black as the originals are


def test_network_that_copies_scores_as_copying_and_a_perfect_one_perfectly(copied):
    np.testing.assert_allclose(copied.restored, copied.disordered, atol=1)
    rows = restored.score_images(replace(copied, restored=copied.disordered))
    assert all(row["restored"] == row["copy"] for row in rows)
    table = restored.summarise(rows, rng=0)
    for scores in table.values():
        assert scores["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert table["mse_unswapped"]["copy"]["mean"] == 0
    for row in restored.score_images(replace(copied, restored=copied.images)):
        found = [row["restored"][key] for key in ("ssim", "psnr", "mse_swapped")]
        assert found == [1, np.inf, 0]
    # errors inside and outside add up
    rows = restored.score_images(replace(copied, restored=copied.images // 2))
    for row, changed in zip(rows, copied.changed, strict=True):
        share, scores = changed.mean(), row["restored"]
        expected = share * scores["mse_swapped"] + (1 - share) * scores["mse_unswapped"]
        assert scores["mse"] == pytest.approx(expected)


def test_image_that_no_swap_changed_is_left_out_inside_only():
    flat = np.full((3, 32, 32, 3), 90, np.uint8)
    flat[0, :16] = 10  # only here can a swap show
    task = ContextRestoration(Copy(), patch_size=8, num_swaps=8)
    rows = restored.score_images(disorder_and_restore(task, flat))
    changed = [row["copy"]["mse_swapped"] for row in rows]
    assert np.isnan(changed).tolist() == [False, True, True]
    table = restored.summarise(rows)
    assert table["mse_swapped"]["copy"]["mean"] == changed[0]
    assert table["ssim"]["copy"]["mean"] < 1


def test_same_images_on_both_sides_flatter_and_halves_do_not(copied):
    sets = copied.images, copied.restored, copied.disordered
    features = [extract(images, RandomNetwork(), dim=8) for images in sets]
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
    # patients stay on one side
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(12), 5)
    features = [rng.normal(size=(12, 2))[patient]] * 3  # a patient's eyes are alike
    apart, careless = set_distances(*features, groups=patient), set_distances(*features)
    assert apart["halves"]["floor"]["mean"] > 2 * careless["halves"]["floor"]["mean"]
    assert "halves" not in set_distances(*features, groups=patient // 4)
