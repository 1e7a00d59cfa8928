"""Colourisation: what is hidden, which pixels count, and what brightness betrays."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import seeds
from torch import nn

from tinyssl.data import toy
from tinyssl.models import UNet
from tinyssl.pretext import Colourisation
from tinyssl.pretext.inputs import standardised
from tinyssl.training import to_tensor, train

squares = st.tuples(st.integers(1, 3), st.integers(5, 9)).flatmap(
    lambda n: hnp.arrays(np.uint8, (n[0], n[1], n[1], 3))
)


class Says(nn.Module):
    """Answers with one map of chroma, whatever it sees."""

    def __init__(self, answer=0.0):
        super().__init__()
        self.answer = nn.Parameter(torch.as_tensor(answer))

    def forward(self, x):
        self.seen = x
        return self.answer + torch.zeros_like(x)[:, :2]


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(128, size=32, rng=0).images


@given(squares, seeds)
def test_luminance_and_chroma_are_the_image_turned_or_mirrored(images, seed):
    batch = Colourisation(Says()).make_batch(images, np.random.default_rng(seed))
    for image, grey, chroma, lit in zip(images, batch[0], *batch[1], strict=True):
        np.testing.assert_array_equal(grey, grey[..., :1].repeat(3, axis=2))
        red, blue = (grey[..., 0] + chroma[..., k] for k in (0, 1))
        green = 3 * grey[..., 0] - red - blue
        found = np.rint(255 * np.stack([red, green, blue], axis=-1))
        views = [np.rot90(v, k) for v in (image, image[:, ::-1]) for k in range(4)]
        assert any(np.array_equal(found, view) for view in views)
        np.testing.assert_array_equal(lit, found.sum(-1) > 3 * 12)


def test_the_eight_views_are_all_drawn():
    image = np.random.default_rng(0).integers(99, 256, (1, 5, 5, 3), np.uint8)
    task = Colourisation(Says())
    images = image.repeat(200, axis=0)
    greys, _ = task.make_batch(images, np.random.default_rng(0))
    assert len({grey.tobytes() for grey in greys}) == 8


def test_errors_are_in_units_of_the_variance_of_the_chroma_that_was_fitted(eyes):
    task = Colourisation(Says())
    task.fit([eyes[0][:29], *eyes[1:]], np.random.default_rng(0))  # of any size
    scores = task.evaluate(eyes, np.random.default_rng(0))
    assert scores["bar"] == pytest.approx(1, abs=0.05)
    assert scores["painted"] == pytest.approx(scores["bar"])  # says the mean
    some = eyes[eyes.sum(-1) > 36] / 255  # (pixels, 3)
    chroma = some[:, [0, 2]] - some.mean(1, keepdims=True)
    for known, expected in (
        (task.mean, chroma.mean(0)),
        (task.deviation, chroma.std(0)),
    ):
        np.testing.assert_allclose(known.flatten(), expected, rtol=0.1)
    again = Colourisation(Says())
    again.load_state_dict(task.state_dict())
    assert again.evaluate(eyes, np.random.default_rng(0)) == scores


def test_dark_pixels_do_not_count_and_unusual_ones_count_apart():
    images = np.zeros((2, 20, 20, 3), np.uint8)
    images[:, :10] = (120, 60, 60)  # 200 pixels, of them 10 bluer: 5 %
    images[:, 0, :10] = (60, 60, 120)
    usual = torch.tensor([40.0, -20])[:, None, None] / 255
    answer = usual.repeat(1, 20, 20)
    answer[:, 10:] = 9.0  # in the dark
    task = Colourisation(Says(answer))
    scores = task.evaluate(images, np.random.default_rng(0))
    wrong = (60 / 255) ** 2  # of red and of blue alike
    assert scores["painted"] == pytest.approx(wrong / 20)
    assert scores["unusual"] == pytest.approx(wrong * 20 / 21)  # 1 + 5 % of 400
    assert scores["bar"] == pytest.approx((40**2 + 20**2) / 2 / 255**2)


@pytest.mark.parametrize("standardise", [True, False])
def test_the_network_sees_what_it_was_promised(eyes, standardise):
    task = Colourisation(Says(), standardise=standardise)
    inputs, _ = to_tensor(task.make_batch(eyes, np.random.default_rng(0)))
    task.paint(inputs)
    expected = standardised(inputs) if standardise else inputs
    torch.testing.assert_close(task.network.seen, expected)


def test_60_steps_beat_the_mean_colour_and_so_does_brightness_alone(eyes):
    """The trap: over all pixels a line that sees one pixel looks nearly as good."""
    torch.manual_seed(0)
    task = Colourisation(UNet(out_channels=3, widths=(8, 16)))
    task.fit(eyes[:64], np.random.default_rng(0))
    train(task, (eyes[:64],), steps=60, batch_size=12, lr=2e-2)
    scores = task.evaluate(eyes[64:], np.random.default_rng(1))
    assert scores["painted"] < 0.8 * scores["bar"], scores
    assert scores["unusual"] < 0.6 * scores["unusual_bar"], scores

    lit = eyes[64:][eyes[64:].sum(-1) > 36] / 255  # (pixels, 3)
    grey = lit.mean(1, keepdims=True)
    chroma = lit[:, [0, 2]] - grey
    light = np.append(grey, np.ones_like(grey), axis=1)
    line = light @ np.linalg.lstsq(light, chroma)[0]
    left = np.square((line - chroma) / task.deviation.flatten().numpy()).mean()
    assert left < 0.6 * scores["bar"]


@pytest.mark.parametrize("grey", [lambda x: x[..., :1].repeat(3, 3), np.zeros_like])
def test_images_without_colours_are_refused(eyes, grey):
    with pytest.raises(ValueError, match=r"must have colours .* found grey ones"):
        Colourisation(Says()).fit(grey(eyes), np.random.default_rng(0))
    with pytest.raises(
        ValueError, match=r"images must be RGB .* found \(128, 32, 32, 1"
    ):
        Colourisation(Says()).make_batch(eyes[..., :1], np.random.default_rng(0))
