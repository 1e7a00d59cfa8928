"""Pretext tasks on volumes: labels by an independent text, and that they learn."""

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl import commands, pretext
from tinyssl.data import toy
from tinyssl.pretext import RelativePosition, Rotation
from tinyssl.training import to_tensor


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


VOLUMES = ["rotation", "position"]


@pytest.mark.parametrize("name", VOLUMES)
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


def test_rotation_of_maculas_is_learned_on_others(tmp_path):
    run = tmp_path / "run"
    options = {"size": 16, "workers": 1, "batch_size": 16, "steps": 80}
    commands.pretrain("toy-volumes:100:1", task="rotation", out=run, **options)
    from tinyssl import pretraining, runs
    from tinyssl.data.images import cube

    task = pretraining.load_pretext(run, runs.read_config(run))
    others = np.stack([cube(v, 16) for v in toy.volumes(40, rng=9).images])
    assert task.evaluate(others, np.random.default_rng(0))["accuracy"] > 0.2
