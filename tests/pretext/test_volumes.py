"""Pretext tasks on volumes: labels by an independent text, and that they learn."""

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl import commands, models, pretext
from tinyssl.data import toy
from tinyssl.data.images import cube
from tinyssl.pretext import ContextRestoration, RelativePosition, Rotation
from tinyssl.training import to_tensor, train

SMALL = models.densenet_small().config | {"dims": 3, "in_channels": 1}


class OwnEncoder(nn.Module):  # the least that one for volumes must have
    num_features, dims = 8, 3

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv3d(1, 8, 3, stride=2, padding=1)

    def features(self, x):
        return torch.relu(self.layer(x))


@pytest.fixture
def cubes():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (40, 20, 20, 20, 1), np.uint8)


def test_ten_rotations_are_none_or_one_to_three_turns_in_three_planes(cubes):
    task = Rotation(OwnEncoder())
    applied = np.arange(40) % 10
    turned = task.turned(cubes, applied)
    for image, actual, k in zip(cubes, turned, applied, strict=True):
        plane, times = ((0, 1), 0) if k == 0 else (
            [(1, 2), (0, 1), (0, 2)][(k - 1) // 3], (k - 1) % 3 + 1
        )  # fmt: skip
        assert np.array_equal(actual, np.rot90(image, times, plane)), k
    assert (
        len({turned[k].tobytes() for k in range(10)} | {cubes[0].tobytes()}) == 11 - 1
    )
    inputs, targets = task.make_batch(cubes, np.random.default_rng(1))
    assert inputs.shape == cubes.shape
    assert set(targets) <= set(range(10))
    assert task.chance["accuracy"] == 1 / 10
    with pytest.raises(ValueError, match=r"volumes cubes, found \(7, 20, 20\)"):
        task.make_batch(cubes[:, :7], np.random.default_rng(1))


def test_a_neighbour_in_a_volume_lies_at_one_of_26_places():
    D = 24
    coordinates = np.stack(np.meshgrid(*[np.arange(D)] * 3, indexing="ij"), -1)
    volumes = np.uint8(10 * coordinates).max(-1, keepdims=True)[None].repeat(3, 0)
    task = RelativePosition(OwnEncoder(), patch_size=4, gap=1, jitter=0)
    assert len(task.steps) == task.classes == 26
    rng = np.random.default_rng(0)
    centres = task.sample_centres(volumes, rng)
    places = np.array([0, 12, 25])
    first, second = task.cut(volumes, centres, places, rng)
    assert first.shape == second.shape == (3, 4, 4, 4, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinyssl.pretext.position.adjust", lambda x, *_: x)
        first, second = task.cut(volumes, centres, places, rng)
    for i, (corner, place) in enumerate(zip(centres, places, strict=True)):
        z, y, x = corner + 5 * task.steps[place]
        assert np.array_equal(second[i], volumes[i, z : z + 4, y : y + 4, x : x + 4])
        z, y, x = corner
        assert np.array_equal(first[i], volumes[i, z : z + 4, y : y + 4, x : x + 4])


VOLUMES = [name for name in pretext.PRETEXTS if pretext.find(name).volumes]
CHOICES = ["rotation", "position"]


@pytest.mark.parametrize("name", CHOICES)
def test_a_task_on_volumes_keeps_the_contract(name, cubes):
    torch.manual_seed(0)
    task = pretext.find(name).build(OwnEncoder(), image_size=20)
    before = cubes.copy()
    first, again = (task.make_batch(cubes, np.random.default_rng(3)) for _ in "ab")
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(cubes, before)
    loss, _ = task(*to_tensor(first))
    assert loss.item() == pytest.approx(task.chance["loss"], rel=0.2)
    scores = task.evaluate(cubes, np.random.default_rng(0))
    error = 4 * np.sqrt(scores["bar"] / (len(cubes) * task.classes))
    assert scores["accuracy"] == pytest.approx(scores["bar"], abs=error)
    for figure, caption in task.figures(
        cubes[:4], [scores], rng=np.random.default_rng(0)
    ):
        assert figure.get_suptitle()
        assert caption.endswith(".")


@pytest.mark.parametrize("name", VOLUMES)
def test_it_learns_from_synthetic_maculas_and_is_fine_tuned(name, tmp_path):
    run = tmp_path / "run"
    options = {"size": 24, "workers": 1, "batch_size": 8}
    commands.pretrain("toy-volumes:40:1", task=name, out=run, steps=30, **options)
    results = commands.finetune(
        "toy-volumes:24:2", init=[run], out=tmp_path / "grades", steps=2, folds=2,
        fractions=[1.0], same_compute=False, workers=1,
    )  # fmt: skip
    assert {row["init"] for row in results["rows"]} >= {"scratch", name}
    assert (tmp_path / "grades" / "report.html").is_file()


@pytest.mark.parametrize("name", sorted({*pretext.PRETEXTS} - {*VOLUMES}))
def test_a_task_for_images_alone_refuses_volumes_in_one_line(name, tmp_path):
    words = f"--task {name} takes images, toy-volumes:6:1 holds volumes; for them are "
    assert VOLUMES == ["rotation", "restoration", "position", "jigsaw"]
    with pytest.raises(
        ValueError, match=words + "rotation, restoration, .* and jigsaw"
    ):
        commands.pretrain("toy-volumes:6:1", task=name, size=16, out=tmp_path / "run")


@pytest.mark.parametrize("region", [None, "upper half"])
def test_cubes_change_places_and_the_network_puts_them_back(region):
    volumes = np.stack([cube(v, 16) for v in toy.volumes(24, rng=0).images])
    encoder = models.from_config(SMALL)
    torch.manual_seed(0)
    task = ContextRestoration.build(encoder, image_size=16, patch_size=4, num_swaps=3)
    if region:
        task.region = np.zeros((16, 16, 16), bool)
        task.region[:8] = True
    before = volumes.copy()
    inputs, (images, changed) = task.make_batch(volumes, np.random.default_rng(0))
    assert np.array_equal(volumes, before)
    assert np.array_equal(images, volumes)
    assert changed.shape == inputs.shape == (24, 16, 16, 16, 1)
    assert np.array_equal(changed, inputs != images)
    assert (changed.sum((1, 2, 3, 4)) <= 3 * 2 * 4**3).all()
    assert changed[:, 8:].any() == (region is None)
    for one, other in zip(inputs, images, strict=True):  # moved, not made
        assert np.array_equal(np.sort(one, None), np.sort(other, None))
    loss, logs = task(*to_tensor((inputs, (images, changed))))
    squared = (inputs / 255 - images / 255) ** 2
    lit = images > 12
    for n in range(24):
        squared[n] /= max(0.02, (images[n][lit[n]] / 255).std()) ** 2
    assert logs["copy"].item() == pytest.approx(squared.mean(), rel=1e-3)
    assert logs["copy_swapped"].item() == pytest.approx(
        squared[changed].mean(), rel=1e-3
    )
    assert loss.item() > 0
    for figure, caption in task.figures(volumes[:3], [], rng=np.random.default_rng(0)):
        assert figure.get_suptitle()
        assert caption.endswith(".")


def test_restoration_of_maculas_is_learned_on_others():
    torch.manual_seed(0)
    encoder = models.from_config(SMALL)
    task = ContextRestoration.build(encoder, image_size=16, patch_size=4)
    volumes = np.stack([cube(v, 16) for v in toy.volumes(120, rng=0).images])
    train(task, [volumes[:80]], steps=60, batch_size=8)
    scores = task.evaluate(volumes[80:], np.random.default_rng(0))
    assert scores["swapped"] < 0.8 * scores["bar"]


def test_rotation_of_maculas_is_learned_on_others(tmp_path):
    run = tmp_path / "run"
    options = {"size": 16, "workers": 1, "batch_size": 16, "steps": 80}
    commands.pretrain("toy-volumes:100:1", task="rotation", out=run, **options)
    from tinyssl import pretraining, runs

    task = pretraining.load_pretext(run, runs.read_config(run))
    others = np.stack([cube(v, 16) for v in toy.volumes(40, rng=9).images])
    assert task.evaluate(others, np.random.default_rng(0))["accuracy"] > 0.2
