"""Grading heads: proper probabilities, valid grades, and learning an order."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import cohen_kappa_score, roc_auc_score
from torch import nn

from tinyssl.data import toy
from tinyssl.dictionary import PatchDictionary
from tinyssl.models import FilterBank
from tinyssl.targets import grading
from tinyssl.targets.classification import Classification
from tinyssl.targets.grading import HEADS, Grading
from tinyssl.training import to_tensor, train


class Brightness(nn.Module):
    """An encoder of one feature: the mean of the image."""

    num_features = 1

    def features(self, x):
        return 10 * x.mean((1, 2, 3), keepdim=True)


@pytest.mark.parametrize("head", HEADS)
@given(seed=st.integers(0, 1000), num_grades=st.integers(3, 6), spread=st.floats(0, 30))
def test_probabilities_are_proper_and_grades_valid(head, seed, num_grades, spread):
    torch.manual_seed(seed)
    task = Grading(Brightness(), num_grades=num_grades, head=head)
    outputs = spread * torch.randn(7, task.linear.out_features)
    probability = task.log_probabilities(outputs).exp()
    assert probability.shape == (7, num_grades)
    assert (probability >= 0).all()
    np.testing.assert_allclose(probability.sum(1).detach(), 1, atol=1e-5)
    grades = task.decode(outputs)
    assert ((grades >= 0) & (grades < num_grades)).all()


def test_continuation_is_a_product_of_steps():
    task = Grading(Brightness(), num_grades=3, head="continuation")
    outputs = torch.tensor([[0.0, np.log(3.0)]])  # go on with 1/2, then with 3/4
    probability = task.log_probabilities(outputs).exp()[0]
    assert probability.tolist() == pytest.approx([1 / 2, 1 / 8, 3 / 8])


def test_cumulative_is_a_difference_of_logistic_functions():
    task = Grading(Brightness(), num_grades=4, head="cumulative")
    with torch.no_grad():
        task.first.fill_(-1.0)
        task.gaps.copy_(torch.log(torch.expm1(torch.tensor([1.0, 2.0]))))
    below = 1 / (1 + np.exp(-(np.array([-1.0, 0.0, 2.0]) - 0.7)))
    expected = np.diff(np.concatenate([[0], below, [1]]))
    actual = task.log_probabilities(torch.tensor([[0.7]])).exp()[0]
    assert actual.tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_regression_probabilities_are_a_unit_normal():
    task = Grading(Brightness(), num_grades=5, head="regression")
    expected = norm.pdf(np.arange(5), 1.3)
    actual = task.log_probabilities(torch.tensor([[1.3]])).exp()[0]
    assert actual.tolist() == pytest.approx((expected / expected.sum()).tolist())
    assert task.decode(torch.tensor([[1.3], [-4.0], [9.0]])).tolist() == [1, 0, 4]


def test_median_grade_splits_the_probability():
    probability = np.array([[0.5, 0.5, 0], [0.49, 0.02, 0.49], [0.1, 0.1, 0.8]])
    assert grading.decode(probability, "continuation").tolist() == [0, 1, 2]
    assert grading.decode(probability, "softmax").tolist() == [0, 0, 2]


@pytest.mark.parametrize("head", HEADS)
def test_every_head_learns_ordered_grades(head):
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 4, 160)
    level = (40 + 50 * grades + rng.integers(-9, 10, 160)).astype(np.uint8)
    images = np.broadcast_to(level[:, None, None, None], (160, 4, 4, 3))
    torch.manual_seed(0)
    task = Grading(Brightness(), num_grades=4, head=head, augment=False)
    train(task, (images, grades), steps=600, batch_size=32, lr=0.1, weight_decay=0)
    answers, probability = task.predict(images, views=1)
    scores = grading.evaluate(grades, answers, probability)
    assert scores["qwk"] > 0.95, scores


def test_views_are_the_eight_symmetries_and_the_batch_size_is_free(tiny_encoder):
    x = torch.arange(12.0).reshape(1, 1, 2, 6)[..., :2]
    assert len({tuple(grading.view(x, v).flatten().tolist()) for v in range(8)}) == 8
    assert torch.equal(grading.view(x, 0), x)
    images = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), dtype=np.uint8)
    task = Grading(tiny_encoder)
    _, one = task.predict(images, batch_size=1, views=2)
    _, all_ = task.predict(images, batch_size=64, views=2)
    np.testing.assert_allclose(one, all_, atol=1e-5)
    with pytest.raises(ValueError, match=r"views must lie in 1\.\.8, found 9"):
        task.predict(images, views=9)


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 200)
    probability = rng.dirichlet(np.ones(4), 200) + np.eye(4)[truth] * 0.3
    probability /= probability.sum(1, keepdims=True)
    grades = probability.argmax(1)
    kappa = cohen_kappa_score(truth, grades, weights="quadratic")
    auc = roc_auc_score(truth, probability, multi_class="ovr")
    expected = {"qwk": kappa, "auc": auc, "accuracy": (truth == grades).mean()}
    expected["auc_2"] = roc_auc_score(truth > 1, probability[:, 2] + probability[:, 3])
    actual = grading.evaluate(truth, grades, probability)
    assert actual == pytest.approx(expected, rel=1e-12)
    zeros = np.zeros(3, int)  # one class has neither AUC nor kappa
    actual = grading.evaluate(zeros, zeros, np.full((3, 2), 0.5))
    expected = {"accuracy": 1, "auc": np.nan, "auc_2": np.nan, "qwk": np.nan}
    assert actual == pytest.approx(expected, nan_ok=True)


def test_an_unknown_head():
    with pytest.raises(ValueError, match="head must be one of continuation"):
        Grading(Brightness(), head="five sigmoids")


def test_a_probe_is_shown_what_a_dictionary_pools():
    images = toy.fundus(4, size=48, rng=0).images[:, 8:40, 8:40]  # all in the field
    dictionary = PatchDictionary(num_filters=9, stride=3).fit(images)
    bank = FilterBank(num_filters=9, stride=3)
    bank.take(dictionary)
    with torch.no_grad():
        found = Grading.describe(bank.features(to_tensor(images)))
    expected = dictionary.features(images)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    few = torch.tensor([[[[1.0, 5.0, 3.0]]]])  # fewer places than are averaged
    assert Grading.describe(few).tolist() == [pytest.approx([3, (35 / 3) ** 0.5, 3])]


@pytest.mark.parametrize(
    ("target", "answer"), [(Grading, 1), (Classification, 0)], ids=["median", "mode"]
)
def test_a_probe_answers_the_median_of_grades_and_the_mode_of_classes(target, answer):
    grades = np.repeat([0, 1, 2], [4, 3, 3])  # of images that all look alike
    images = np.full((12, 8, 8, 3), 90, np.uint8)
    facts = {"num_grades": 3, "ordered": target is Grading}
    cases = SimpleNamespace(
        columns={"grade": np.r_[grades, 0, 0], "image": images},
        facts=facts,
        images=lambda index: images[index],
    )
    chosen, held = np.arange(10), np.array([10, 11])
    same = np.zeros((12, 2))
    found = target.probe(cases, chosen, same[chosen], same[held])
    found |= target.baselines(cases, chosen, held)
    for name in ("linear probe", "global intensities"):
        answers, probabilities = found[name]
        assert answers.tolist() == [answer, answer]
        np.testing.assert_allclose(probabilities, [[0.4, 0.3, 0.3]] * 2, atol=1e-3)
    blind, _ = next(found[name] for name in found if "majority" in name)
    assert blind.tolist() == [0, 0]
