"""The dictionary as a pretext task: its encoder, its measure and that one's trap."""

import numpy as np
import pytest
import torch

from tinyssl import commands, models, runs
from tinyssl.data import toy
from tinyssl.dictionary import PatchDictionary
from tinyssl.pretext.dictionary import Dictionary

SHAPE = {"num_filters": 24, "patch_size": 5, "stride": 3}


class Grey:
    config = {"in_channels": 1}  # noqa: RUF012


def fitted(images, encoder=None, **options):
    task = Dictionary(encoder, **SHAPE | options)
    task.fit(images, rng=np.random.default_rng(0))
    return task


def explained(task, images, seed=0):
    return task.evaluate(images, np.random.default_rng(seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_its_encoder_has_the_filters_of_the_dictionary(channels):
    images = toy.fundus(6, size=44, rng=0).images[:, 3:-2, :, :channels]  # (6, 39, 44)
    task = fitted(images, Grey() if channels == 1 else torch.nn.Identity())
    expected = PatchDictionary(**SHAPE, rng=np.random.default_rng(0)).fit(images)
    np.testing.assert_array_equal(task.filters, np.float32(expected.filters_))
    bank = models.FilterBank(**SHAPE, in_channels=channels)
    assert task.encoder.config == bank.config
    bank.take(expected)
    assert torch.equal(bank.weight, task.encoder.weight)
    assert torch.equal(bank.bias, task.encoder.bias)


def test_explained_is_the_share_of_the_squared_length_along_one_filter():
    """Filters that are single pixels of patches not whitened, in one grey image."""
    task = Dictionary(Grey(), num_filters=25, patch_size=5)
    task.filters[:] = task.whitening[:] = torch.eye(25)
    image = np.random.default_rng(0).integers(40, 256, (30, 30), np.uint8)
    best = length = 0
    for y in range(26):
        for x in range(26):
            patch = image[y : y + 5, x : x + 5] / 255
            patch = patch - patch.mean()
            patch /= np.sqrt(patch.var() + (10 / 255) ** 2)
            best += patch.max() ** 2 / 676
            length += (patch**2).sum() / 676
    found = explained(task, image[None])  # of 651 of the 676 patches
    assert found["explained"] == pytest.approx(best / length, abs=0.005)
    assert found["bar"] < found["explained"] + 0.2


def test_learned_filters_explain_unseen_eyes_better_than_random_and_drawn_ones():
    eyes = toy.fundus(40, size=48, rng=0).images
    found = explained(fitted(eyes[:24], num_filters=64, patch_size=6), eyes[24:])
    assert found["explained"] > found["patches"] + 0.05 > found["bar"] + 0.1


def test_without_whitening_more_is_explained_and_less_is_told_apart():
    """The trap: smooth patches are alike, so that few filters explain them all."""
    eyes = toy.fundus(30, size=48, rng=0).images
    task = fitted(eyes[:20])
    whitened, seen = explained(task, eyes[20:]), task.filters.numpy().copy()
    plain = PatchDictionary(**SHAPE, whiten=False).fit(eyes[:20])
    for name, buffer in task.named_buffers():
        buffer.copy_(torch.as_tensor(getattr(plain, f"{name}_")))
    smooth = explained(task, eyes[20:])
    assert smooth["explained"] > whitened["explained"] + 0.1

    def likeness(filters):  # of two of them, on average
        return np.abs(filters @ filters.T)[~np.eye(len(filters), dtype=bool)].mean()

    assert likeness(plain.filters_) > 1.5 * likeness(seen)


def test_a_run_of_it_begins_what_every_target_needs(tmp_path):
    how = {"threads": 1, "workers": 1, "device": "cpu"}
    options = {"num_filters": 12, "size": 32}
    run = {"task": "dictionary", "out": tmp_path / "run", **how, **options}
    results = commands.pretrain("toy:20:32:7", **run)
    assert results["last"] == []
    assert set(results["scores"][0]["scores"]) == {"explained", "bar", "patches"}
    config = runs.read_config(tmp_path / "run")
    assert (config["steps"], config["encoder"]["num_filters"]) == (0, 12)
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert "FilterBank" in page
    assert "learned filter" in page
    for target in ("grade", "eye"):
        budget = {"images": [12], "folds": 2, "steps": 2, "transfer": ["encoder"]}
        out = {"target": target, "out": tmp_path / target, "init": [tmp_path / "run"]}
        results = commands.finetune("toy:40:32", **out, **budget, **how)
        inits = {row["init"] for row in results["rows"]}
        assert inits == {"scratch", "dictionary"}  # and no row of the same compute


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 5}, "--steps belongs to tasks that train a network"),
        ({"batch_size": 5}, "--batch-size belongs to tasks that train a network"),
        ({"encoder": "small"}, "--encoder belongs to .* --task dictionary trains none"),
        ({"stride": 0}, "stride must be >= 1, found 0"),
        ({"num_filters": 10_000}, "images must have 10000 patches or more"),
    ],
)
def test_what_it_cannot_follow_is_refused(options, message, tmp_path):
    how = {"task": "dictionary", "out": tmp_path, "size": 32, "workers": 1}
    with pytest.raises(ValueError, match=message):
        commands.pretrain("toy:4:32", **how, **options)
