"""Two views of each image: they show the same one, and what features forget of it."""

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl.data.images import round_mask
from tinyssl.pretext.pairs import TwoViews, spread


class Seen(nn.Module):
    """Features that are a function of the image."""

    num_features = 3

    def __init__(self, see):
        super().__init__()
        self.see = see

    def features(self, x):
        return self.see(x)[..., None, None]


def colour(x):
    return x[:, :, 8:-8, 8:-8].mean((2, 3))


def sides(x):
    """Return which side is lighter, whatever the light."""
    return torch.stack([x[..., :16].sum((1, 2, 3)), x[..., 17:].sum((1, 2, 3))], 1)


def images_of(colours):
    """Return round images of one colour each."""
    return np.uint8(colours[:, None, None] * round_mask(33)[..., None])


def task_of(see, **options):
    options = {"area": 0.85, "colour": 1.0, "standardise": False} | options
    return TwoViews(Seen(see), **options)


@pytest.mark.parametrize("channels", [1, 3])
def test_both_views_show_the_same_image_each_in_its_own_light(channels):
    colours = np.random.default_rng(0).integers(40, 200, (9, channels))
    images = images_of(colours)
    still = task_of(colour, colour=0).make_views(images, np.random.default_rng(0))
    relit = task_of(colour).make_views(images, np.random.default_rng(0))
    for view, other in zip(still, relit, strict=True):
        assert view.shape == other.shape == images.shape
        assert (view[:, 16, 16] == colours).all()
        changed = other[:, 16, 16] / colours
        assert np.ptp(changed) > 0.1
        assert (np.abs(np.log(changed)) < 0.4).all()
    assert (relit[0] != relit[1]).any((1, 2, 3)).all()


def test_what_features_forget_is_told():
    rng = np.random.default_rng(0)
    images = images_of(rng.integers(80, 200, (40, 3)))
    told = task_of(colour).forgotten(images, rng)
    assert max(told["crop"], told["turn"]) < 0.01
    assert told["light"] > 0.1
    shaded = np.uint8(images * rng.uniform(0.3, 1, (40, 1, 33, 1)))
    told = task_of(sides).forgotten(shaded, rng)
    assert told["light"] < 0.05
    assert told["turn"] > 0.2


def test_the_spread_tells_a_collapse():
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(4000, 16)))
    assert float(spread(z)) == pytest.approx(1, abs=0.02)
    assert float(spread(z * 0 + 3)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("standardise", [True, False])
def test_embeddings_are_of_all_first_views_then_of_all_second(standardise):
    task = task_of(colour, standardise=standardise)
    task.head = nn.Identity()
    views = torch.rand(2, 3, 3, 33, 33) / 4 + 0.5
    expected = colour(views.flatten(0, 1))
    assert torch.equal(task.embed(views), expected) != standardise
    if standardise:
        stretched = task.embed(0.9 * views - 0.1)
        torch.testing.assert_close(task.embed(views), stretched)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"area": 0}, "area must be > 0 and <= 1, found 0"),
        ({"area": 1.5}, "area must be > 0 and <= 1, found 1.5"),
        ({"colour": -1}, "colour must be finite and >= 0, found -1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        task_of(colour, **options)
    with pytest.raises(ValueError, match="a batch must hold 2 images or more, found 1"):
        task_of(colour).make_views(images_of(np.full((1, 3), 9)), rng=0)
