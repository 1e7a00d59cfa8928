"""CPC: rows that see none below them, and the overlap that would give it away."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds
from torch import nn
from torch.nn import functional as F

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.pretext.cpc import CPC, GRID
from tinyssl.pretext.patches import cut_grids
from tinyssl.training import to_tensor, train


class Pixels(nn.Module):
    """Features that are the image at 4 x 4 pixels, in grey, or noise."""

    num_features = 16

    def __init__(self, blind=False):
        super().__init__()
        self.blind = blind

    def features(self, x):
        small = F.adaptive_avg_pool2d(x.mean(1), 4).flatten(1)[..., None, None]
        return torch.randn_like(small) if self.blind else small


@given(st.integers(2, 8), seeds, st.sampled_from((1, 3)))
def test_patches_lie_in_rows_half_over_one_another_and_in_the_region(size, seed, C):
    y, x = np.mgrid[:53, :57].astype(np.uint8)
    images = np.stack([y, x, y][:C], -1)[None].repeat(3, axis=0)
    region = np.zeros((53, 57), bool)
    region[2:51] = round_mask(57)[4:53]
    rng = np.random.default_rng(seed)
    patches = cut_grids(images, size, GRID, region=region, rng=rng)
    assert patches.shape == (3, GRID, GRID, size, size, C)
    rows, columns = patches[..., 0], patches[..., min(1, C - 1)]
    step = (size + 1) // 2
    assert (np.diff(rows[:, :, 0, 0, 0].astype(int)) == step).all()
    assert (rows[:, 2:, :, 0] > rows[:, :-2, :, -1]).all(), "two rows on is no overlap"
    assert (rows[:, 1:, :, 0] <= rows[:, :-1, :, -1]).all()
    if C == 3:
        assert region[rows, columns].all()
        assert (np.diff(columns[:, 0, :, 0, 0].astype(int)) == step).all()


def changed(task, row):
    """Return which queries notice that one row of patches was another, (R - 2, C)."""
    x = torch.rand(2, 3, GRID, GRID, 6, 6, generator=torch.Generator().manual_seed(0))
    other = x.clone()
    other[:, :, row] = 1 - x[:, :, row]
    with torch.no_grad():
        a, b = (task.logits(each).unflatten(3, (-1, GRID)) for each in (x, other))
    kept = [r for r in range(GRID - task.below) if r + task.below != row]
    differ = (a - b)[:, :, :, kept].abs().amax((0, 2, 3, 4)) > 1e-5  # (K,)
    return differ.unflatten(0, (-1, GRID)).any(1).tolist()


@pytest.mark.parametrize("row", range(GRID))
def test_a_row_is_predicted_from_those_above_alone(row):
    torch.manual_seed(0)
    task = CPC(Pixels())
    assert changed(task, row) == [row <= above for above in range(GRID - 2)]


def test_batch_normalisation_leaks_in_training_and_not_in_evaluation(tiny_encoder):
    task, last = CPC(tiny_encoder), GRID - 1  # which no query may know
    assert any(changed(task.train(), last))
    assert not any(changed(task.eval(), last))


def test_a_blind_encoder_stays_at_chance():
    torch.manual_seed(0)
    task, eyes = CPC(Pixels(blind=True)), toy.fundus(100, size=48).images
    scores = task.evaluate(eyes, np.random.default_rng(0))
    assert scores["bar"] == task.chance["accuracy"] == pytest.approx(1 / 15)
    assert abs(scores["accuracy"] - 1 / 15) < 4 * np.sqrt(1 / 15 / 1500)
    batch = to_tensor(task.make_batch(eyes[:8], np.random.default_rng(0)))
    with torch.no_grad():
        task.predict.weight.zero_(), task.predict.bias.zero_()
        assert float(task(*batch)[0]) == pytest.approx(np.log(8 * 15), rel=1e-5)


@pytest.mark.parametrize("skip", [0, 1])
def test_without_a_skipped_row_the_overlap_is_copied(skip):
    """The trap: on noise nothing can be foretold, and without the skip it is."""
    noise = np.random.default_rng(0).integers(0, 256, (120, 24, 24, 1), np.uint8)
    torch.manual_seed(0)
    task = CPC(Pixels(), patch_size=8, skip=skip)
    train(task, (noise[:80],), steps=100, batch_size=16, lr=1e-2)
    scores = task.evaluate(noise[80:], np.random.default_rng(1))
    assert (scores["accuracy"] > 3 * scores["bar"]) == (skip == 0), scores


def test_60_steps_on_synthetic_eyes_beat_chance_on_unseen(tiny_encoder):
    torch.manual_seed(0)
    task = CPC(tiny_encoder, patch_size=8, region=round_mask(41))
    train(
        task, (toy.fundus(64, size=41, rng=0).images,), steps=60, batch_size=16, lr=5e-3
    )
    unseen = toy.fundus(128, size=41, rng=9).images
    scores = task.evaluate(unseen, np.random.default_rng(0))
    assert scores["accuracy"] > 1.25 * scores["bar"], scores


def test_each_prediction_is_compared_with_the_patches_of_its_own_image():
    task, shift = CPC(Pixels()), torch.arange(2)[:, None]
    nearest = (torch.arange(15) + shift) % 15  # in the second image one too far
    own = F.one_hot(nearest, 15).float()
    logits = torch.full((2, 15, 2, 15), 9.0)  # another image's patches look nearer
    logits[0, :, 0], logits[1, :, 1] = own
    task.logits = lambda x: logits
    assert (task.answer(np.zeros((2, 1, 1, 3))) == nearest.numpy()).all()
    assert not task.training
    truth = torch.arange(15).expand(2, -1)
    assert float(task(None, truth)[1]["accuracy"]) == pytest.approx(0.5)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="skip must be <= 3, found 4"):
        CPC(Pixels(), skip=4)
    with pytest.raises(ValueError, match="patch_size must be >= 2, found 1"):
        CPC(Pixels(), patch_size=1)
    with pytest.raises(ValueError, match="room for 5 rows, 24 pixels across, found"):
        CPC(Pixels(), patch_size=8).make_batch(np.zeros((1, 23, 30, 3)), rng=0)
