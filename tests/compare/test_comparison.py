"""Sets side by side: the numbers, their intervals, and what chance alone gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import image_pairs, seeds

from tinyssl import metrics
from tinyssl.compare.comparison import bootstrap, pair_scores, set_distance, verdict


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


def test_bytes_and_floats_of_one_image_are_alike():
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    scores = pair_scores(image, (image / 255).astype(np.float32))
    assert scores["ssim"] == pytest.approx(1)
    assert scores["mse"] < 1e-12
    assert pair_scores(image, image) == {"ssim": 1.0, "psnr": np.inf, "mse": 0.0}


def test_bootstrap_is_that_of_a_normal_mean():
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap(values, rng=0, repeats=4000)
    half = 1.96 * values.std() / 20
    actual = [found["mean"] - found["low"], found["high"] - found["mean"]]
    assert actual == pytest.approx([half, half], rel=0.05)
    equal = bootstrap(np.ones(6), groups=np.array([0, 0, 0, 1, 2, 2]), rng=0)
    assert equal == {"mean": 1.0, "low": 1.0, "high": 1.0}


def test_copies_of_a_patient_are_no_new_images_and_nan_is_left_out():
    values = np.random.default_rng(0).normal(size=30)
    alone = bootstrap(values, rng=1)
    copies, patients = np.repeat(values, 4), np.repeat(range(30), 4)
    assert bootstrap(copies, groups=patients, rng=1) == pytest.approx(alone)
    holes, known = np.r_[copies, np.nan, np.nan], np.r_[patients, 30, 0]
    assert bootstrap(holes, groups=known, rng=1) == pytest.approx(alone)


@pytest.mark.parametrize("values", [[], [0.5], [0.5, 0.5], [np.nan]])
def test_bootstrap_of_too_little_is_nan(values):
    found = bootstrap(values, groups=np.zeros(len(values)), rng=0)
    mean = 0.5 if 0.5 in values else np.nan
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


def test_p_is_uniform_where_the_sets_do_not_differ():
    found = [set_distance(*gaussians(k, 30, 30), rng=k) for k in range(60)]
    assert 0.35 < np.mean([one["p"] for one in found]) < 0.65
    assert alarms(found) <= 0.15


def test_heavy_tails_raise_false_alarms_by_the_floor_and_not_by_the_exchange():
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


def test_a_shift_is_found_and_said_and_pairs_are_exchanged_within_the_pair():
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


@pytest.mark.parametrize("pairs", [0, 40])
def test_a_set_and_itself_are_one(pairs):
    real, _ = gaussians(0, 40, 0)
    found = set_distance(real, real, pairs=pairs, rng=0)
    assert found["p"] == 1
    assert verdict(found).startswith("The two sets are one")


def test_patients_of_images_alone_change_nothing():
    real, generated = gaussians(0, 20, 15)
    names = np.arange(20), np.r_[np.arange(6), np.arange(50, 59)]
    alone = set_distance(real, generated, pairs=6, rng=0)
    named = set_distance(real, generated, pairs=6, patients=names, rng=0)
    assert (named["low"], named["high"]) == (alone["low"], alone["high"])
    np.testing.assert_array_equal(named["exchanged"], alone["exchanged"])
    with pytest.raises(ValueError, match="patients must be 20 and 15, found 20"):
        set_distance(real, generated, patients=(names[0], []), rng=0)


def test_interval_has_the_width_of_other_samples():
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
