"""The contract that every task of `tinyssl.pretext.PRETEXTS` must keep."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from tinyssl import models, pretext, pretraining, runs
from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.devices import autocast
from tinyssl.models import UNet
from tinyssl.pretext.inputs import common_field
from tinyssl.pretext.patches import OnPatches
from tinyssl.targets import Grading
from tinyssl.task import Pretext
from tinyssl.training import to_tensor, train

SIZE = 32
ANY = pytest.mark.parametrize("name", pretext.PRETEXTS)
TRAINS = [name for name in pretext.PRETEXTS if pretext.find(name).trains]
TRAINED = pytest.mark.parametrize("name", TRAINS)


class OwnEncoder(nn.Module):  # the least that it must have
    num_features = 6

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 6, 3, stride=4, padding=1), nn.ReLU())

    def features(self, x):
        return self.layers(x)


@pytest.fixture(scope="module")
def cases():
    reading = Reading(SIZE, labelled=False)
    return Grading.read(open_dataset(f"toy:12:{SIZE}"), reading)


def build(name, cases, encoder=None, **options):
    """Return a task that has learned what its batches need, and its columns."""
    torch.manual_seed(0)
    encoder = encoder or OwnEncoder()
    task = pretext.find(name).build(encoder, image_size=SIZE, **options)
    columns = [np.asarray(rows) for rows in cases.take(task.columns, range(12))]
    task.fit(*columns, rng=np.random.default_rng(0))
    return task, columns


def leaves(batch):
    if isinstance(batch, (tuple, list)):
        return [leaf for part in batch for leaf in leaves(part)]
    return [batch]


@TRAINED
def test_a_batch_follows_from_the_generator_and_leaves_the_images_alone(name, cases):
    task, columns = build(name, cases)
    kept = [column.copy() for column in columns]
    first, again, other = (
        leaves(task.make_batch(*columns, rng=np.random.default_rng(seed)))
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(columns, kept, strict=True))
    assert all(np.all(np.isfinite(leaf)) for leaf in first)


@TRAINED
@pytest.mark.parametrize("standardise", [False, True])
def test_the_loss_is_a_number_that_can_fall(name, standardise, cases):
    task, columns = build(name, cases, standardise=standardise)
    batch = to_tensor(task.make_batch(*columns, rng=np.random.default_rng(0)))
    loss, logs = task(*batch)
    assert loss.ndim == 0
    assert torch.isfinite(loss)
    assert all(torch.isfinite(value.detach()) for value in logs.values())
    assert task.main in logs
    loss.backward()
    moved = [p.grad is not None and p.grad.any() for p in task.encoder.parameters()]
    assert any(moved), "nothing of what the target task takes over learns"


@TRAINED
@pytest.mark.parametrize("kind", [OwnEncoder, models.ViT])
def test_in_bfloat16_the_loss_is_near_and_of_float32_and_all_learns(name, kind, cases):
    torch.manual_seed(0)
    encoder = kind(**{"patch_size": 4, "dim": 16} if kind is models.ViT else {})
    task, columns = build(name, cases, encoder)
    batch = to_tensor(task.make_batch(*columns, rng=np.random.default_rng(0)))
    found, moved = [], []
    for precision in ("float32", "bfloat16"):
        task.zero_grad()
        with autocast("cpu", precision):
            loss, logs = task.eval()(*batch)  # a teacher stays where it is
        loss.backward()
        found.append(loss.item())
        moved.append([p.grad is not None for p in task.parameters()])
    assert {loss.dtype, *(torch.as_tensor(v).dtype for v in logs.values())} == {
        torch.float32
    }
    assert found[1] == pytest.approx(found[0], rel=0.01)
    assert moved[1] == moved[0]


@TRAINED
def test_training_an_encoder_of_ones_own_follows_from_the_seed(name, cases):
    def weights(seed):
        task, columns = build(name, cases)
        assert isinstance(task.encoder, OwnEncoder)
        train(task, columns, steps=3, batch_size=4, lr=1e-2, seed=seed)
        return torch.cat([p.flatten() for p in task.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@TRAINED
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(name, cases, tmp_path):
    options = {"steps": 6, "batch_size": 4, "lr": 1e-2, "checkpoint_every": 2}
    whole = train(*build(name, cases), **options)

    stopped, columns = build(name, cases)
    batches = [stopped.make_batch] * 3  # there is no fourth: IndexError
    stopped.make_batch = lambda *columns, rng: batches.pop()(*columns, rng=rng)
    with pytest.raises(IndexError):
        train(stopped, columns, out=tmp_path, **options)
    resumed = train(*build(name, cases), out=tmp_path, **options)
    for row in (*whole, *resumed):
        row.pop("seconds")
    assert resumed == whole


@ANY
def test_it_scores_itself_and_tells_and_shows_what_that_means(name, cases):
    task, columns = build(name, cases)
    rngs = map(np.random.default_rng, (0, 0))
    scores, again = (task.evaluate(*columns, rng=rng) for rng in rngs)
    assert runs.plain(scores) == runs.plain(again)
    numbers = [v for v in scores.values() if isinstance(v, float)]
    assert numbers
    assert np.isfinite(numbers).all()
    assert {task.main, "bar"} <= {*scores}
    assert scores["bar"] == pytest.approx(task.chance.get(task.main, scores["bar"]))
    text = task.describe([scores, scores], "held-out images")
    assert "held-out images" in text
    assert re.search(r"\d", text)
    assert text.endswith(".")

    some = (column[:4] for column in columns)
    figures = task.figures(*some, [scores], rng=np.random.default_rng(0))
    assert figures
    for figure, caption in figures:
        assert isinstance(figure, Figure)
        assert figure.get_suptitle()
        assert caption.endswith(".")


@ANY
@pytest.mark.parametrize("kind", [models.sononet_small, UNet])
def test_pretraining_saves_what_can_be_loaded_again(name, kind, tmp_path):
    cases = Grading.read(open_dataset("toy:8:64"), Reading(64, labelled=False))
    config = kind(**{"widths": (4, 8)} if kind is UNet else {"extra_pool": True}).config
    options = {"encoder": config, "out": tmp_path, "steps": 2, "batch_size": 2}
    (log,) = pretraining.pretrain(name, cases, **options)
    saved, known = runs.load_encoder(tmp_path / "encoder.pt")
    assert (known["task"], known["seen"]) == (name, cases.hashes)
    assert len(runs.load_thumbnails(tmp_path / "thumbnails.npy")) == 8
    config = {"encoder": config, "task": name, "task_options": {}, "size": 64}
    region = common_field(cases.columns["image"])
    task = pretraining.load_pretext(tmp_path, config, region=region)
    for key, tensor in saved.state_dict().items():
        assert torch.equal(task.encoder.state_dict()[key], tensor), key
    columns = map(np.asarray, cases.take(task.columns, range(8)))
    scores = task.evaluate(*columns, rng=np.random.default_rng(0))
    assert runs.plain(scores) == runs.plain(log["scores"])


@TRAINED
def test_it_learns_from_patches_too(name, cases):
    inner, columns = build(name, cases, UNet(out_channels=3, widths=(4, 8)))
    if len(columns) > 1:
        pytest.skip("it needs more of an image than a patch of it")
    task = OnPatches(inner, size=SIZE)
    rng, shapes = np.random.default_rng(0), ((48, 40, 3), (40, 60, 3))
    large = [rng.integers(0, 256, shape, np.uint8) for shape in shapes]
    regions = [np.ones(shape[:2], bool) for shape in shapes]
    assert task.columns == ("image", "region")
    batch = task.make_batch(large, regions, rng=rng)
    assert all(len(leaf) % 2 == 0 for leaf in leaves(batch))  # of two images
    log = train(task, (large, regions), steps=2, batch_size=2)
    assert np.isfinite(log[-1]["loss"])


@ANY
def test_its_own_options_are_documented_and_others_refused(name, cases):
    with pytest.raises(TypeError, match="no_such_option"):
        build(name, cases, no_such_option=1)
    method = pretext.find(name)
    for option, (_, default, words) in pretext.options_of(name).items():
        assert words, f"{option} of {name} is nowhere explained"
        assert default is not None
    assert method.name == name
    assert issubclass(method, Pretext)
    assert set(method.carries) <= {"encoder", "network"}
    assert "References" in method.__doc__


def test_a_name_that_is_in_no_table_is_refused():
    with pytest.raises(ValueError, match=r"must be one of .*, found 'astrology'"):
        pretext.find("astrology")
    with pytest.raises(AttributeError, match="no attribute 'Astrology'"):
        pretext.Astrology  # noqa: B018


def test_no_method_is_named_outside_its_table():
    package = Path(pretext.__file__).parents[1]
    named = re.compile("|".join(f'"{name}"' for name in pretext.PRETEXTS))
    found = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if named.search(path.read_text(encoding="utf-8"))
        and path.parent.name not in ("pretext", "targets")
    ]
    assert found == []
