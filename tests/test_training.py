"""The loop: order of batches, rate, resume after a kill, divergence."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tinyssl import runs, training
from tinyssl.interrupts import OutOfTimeError
from tinyssl.pretext import Rotation
from tinyssl.training import DivergenceError, batch_index, learning_rate, train


class Line(nn.Module):
    """Fit y = 2 x: the smallest task."""

    def __init__(self, poison_at=None):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 1))
        self.poison_at, self.calls = poison_at, 0

    def make_batch(self, x, rng):
        return x, 2 * x

    def forward(self, inputs, targets):
        self.calls += 1
        loss = (inputs * self.weight - targets).square().mean()
        loss = loss * (np.nan if self.calls == self.poison_at else 1)
        return loss, {"weight": self.weight[0, 0]}


DATA = (np.linspace(-1, 1, 20)[:, None].astype(np.float32),)


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 5))
def test_batches_are_consecutive_shuffled_epochs(count, batch_size, seed):
    steps = range(2 * count // batch_size + 2)
    parts = [batch_index(step, count, batch_size, seed) for step in steps]
    stream = np.concatenate(parts)
    epochs = stream[: len(stream) // count * count].reshape(-1, count)
    assert (np.sort(epochs) == np.arange(count)).all()


class Drawing(Line):
    """Keep what each step drew: the order of an epoch, from NumPy and from torch."""

    def __init__(self):
        super().__init__()
        self.drawn = []

    def make_batch(self, x, rng):
        self.drawn.append((tuple(x[:, 0]), rng.random()))
        return x, 2 * x

    def forward(self, inputs, targets):
        self.drawn[-1] += (torch.rand(()).item(),)
        return super().forward(inputs, targets)


def test_every_step_and_every_epoch_draws_anew_as_the_seed_says():
    def draw(seed):
        task = Drawing()
        train(task, DATA, steps=6, batch_size=len(DATA[0]), seed=seed)
        return list(zip(*task.drawn, strict=True))

    first, again, other = draw(0), draw(0), draw(1)
    assert first == again
    for mine, others in zip(first, other, strict=True):
        assert len({*mine, *others}) == 12


def test_rate_rises_then_falls_to_zero():
    rates = [learning_rate(step, 100, 1.0, 0.1) for step in range(101)]
    assert np.argmax(rates) in (9, 10)
    assert rates[0] == pytest.approx(0.1)
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert rates[100] == pytest.approx(0.0, abs=1e-12)


def test_loop_learns_and_logs_each_step():
    task = Line()
    rows = train(task, DATA, steps=150, batch_size=8, lr=0.1, weight_decay=0.0)
    assert [row["step"] for row in rows] == list(range(150))
    assert task.weight.item() == pytest.approx(2.0, abs=0.05)
    assert rows[-1]["loss"] < 0.01 * rows[0]["loss"]


def test_weights_decay_but_not_biases_or_norms():
    task = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    decayed, spared = training.adamw(task, 0.1, 0.5).param_groups
    assert decayed["weight_decay"] == 0.5
    assert [p.shape for p in decayed["params"]] == [(3, 2)]
    assert spared["weight_decay"] == 0
    assert [p.shape for p in spared["params"]] == [(3,)] * 3


class Two(Line):
    """An encoder and a head, which the loss pulls alike."""

    def __init__(self):
        super().__init__()
        self.encoder, self.head = Line(), Line()

    def forward(self, inputs, targets):
        return (self.encoder.weight + self.head.weight).sum().neg(), {}


def test_the_encoder_learns_at_its_share_of_the_rate():
    task = Two()
    how = {"steps": 20, "lr": 0.01, "weight_decay": 0.0, "encoder_rate": 0.1}
    rows = train(task, DATA, **how)
    head = task.head.weight.item()
    assert task.encoder.weight.item() == pytest.approx(0.1 * head, rel=1e-3)
    assert head > 0.05
    assert max(row["lr"] for row in rows) == pytest.approx(0.01)


def test_evaluate_joins_the_row_of_its_step():
    scoring = {"evaluate": lambda: {"score": 1.0}, "evaluate_every": 3}
    rows = train(Line(), DATA, steps=7, **scoring)
    assert [row["step"] for row in rows if "score" in row] == [2, 5, 6]


@pytest.mark.parametrize("lengths", [[3, 2], [0]])
def test_unequal_data_is_refused(lengths):
    with pytest.raises(ValueError, match=rf"one length > 0, found \{lengths}"):
        train(Line(), [np.zeros(length) for length in lengths], steps=1)


def test_divergence_keeps_the_last_good_checkpoint(tmp_path):
    with pytest.raises(DivergenceError, match="not finite at step 6") as caught:
        train(Line(poison_at=7), DATA, steps=20, out=tmp_path, checkpoint_every=5)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "checkpoint.pt") in str(caught.value)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert len(state["rows"]) == 5
    assert torch.isfinite(state["task"]["weight"]).all()


def test_checkpoint_of_other_settings_or_damaged_is_refused(tmp_path):
    train(Line(), DATA, steps=5, out=tmp_path)
    with pytest.raises(ValueError, match=r"made with lr=0.001, this run has lr=0.5"):
        train(Line(), DATA, steps=5, lr=0.5, out=tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"checkpoint.pt is not a file of plain"):
        train(Line(), DATA, steps=5, out=tmp_path)


def without_time(rows):
    return [row | {"seconds": None} for row in rows]


def test_the_clock_stops_a_run_which_goes_on_as_if_it_had_not(tmp_path):
    whole = train(Line(), DATA, steps=6, batch_size=3)
    for done in (1, 2):
        said = rf"time is up at step {done} of 6"
        with pytest.raises(OutOfTimeError, match=said):
            train(Line(), DATA, steps=6, batch_size=3, out=tmp_path, until=0.0)
        assert len(runs.load_plain(tmp_path / "checkpoint.pt")["rows"]) == done
    later = {"until": time.time() + 1000, "out": tmp_path}
    rows = train(Line(), DATA, steps=6, batch_size=3, **later)
    assert without_time(rows) == without_time(whole)
    # what is finished is finished, whatever the clock says
    assert len(train(Line(), DATA, steps=6, batch_size=3, out=tmp_path, until=0)) == 6


@pytest.mark.parametrize(("minutes", "saved"), [(1e-9, 5), (1000, 1), (None, 3)])
def test_checkpoints_come_by_the_clock_or_by_steps(
    tmp_path, monkeypatch, minutes, saved
):
    steps = []

    def save(task, optimizer, out, settings, rows):
        steps.append(len(rows))

    monkeypatch.setattr(training, "save_checkpoint", save)
    how = {"checkpoint_every": 2, "checkpoint_minutes": minutes}
    train(Line(), DATA, steps=5, out=tmp_path, **how)
    assert len(steps) == saved
    assert steps[-1] == 5


def test_tensorboard_shows_the_log(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing import event_accumulator

    with pytest.raises(OutOfTimeError):
        train(Line(), DATA, steps=4, out=tmp_path, until=0)
    rows = train(Line(), DATA, steps=4, out=tmp_path)
    events = event_accumulator.EventAccumulator(str(tmp_path / "events"))
    events.Reload()
    assert {"loss", "lr", "weight"} <= {*events.Tags()["scalars"]}
    shown = [(e.step, e.value) for e in events.Scalars("loss")]
    assert shown == [(r["step"], pytest.approx(r["loss"])) for r in rows]


RUN = """
import sys, time
import numpy as np, torch
from pathlib import Path
from tinyssl.models import densenet_small
from tinyssl.pretext import Rotation
from tinyssl.training import train

class Stopping(Rotation):
    batches = 0

    def make_batch(self, images, rng):
        self.batches += 1
        if self.batches == int(sys.argv[2]):
            time.sleep(100)
        return super().make_batch(images, rng)

torch.manual_seed(0)
images = np.random.default_rng(0).integers(0, 256, (24, 16, 16, 3), dtype=np.uint8)
train(Stopping(densenet_small()), (images,), out=Path(sys.argv[1]), steps=24,
      batch_size=8, checkpoint_every=4)
"""


def test_killed_and_resumed_run_equals_an_unbroken_one(tmp_path):
    def start(folder, stops_at):
        command = [sys.executable, "-c", RUN, str(tmp_path / folder), str(stops_at)]
        return subprocess.Popen(command)

    assert start("whole", 0).wait() == 0
    broken = start("broken", 10)
    while not (tmp_path / "broken" / "checkpoint.pt").exists():
        assert broken.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)
    broken.send_signal(signal.SIGKILL)
    broken.wait()
    saved = torch.load(tmp_path / "broken" / "checkpoint.pt", weights_only=True)
    assert len(saved["rows"]) in (4, 8)
    assert start("broken", 0).wait() == 0

    def left(folder):
        lines = (tmp_path / folder / "log.jsonl").read_text().splitlines()
        path = tmp_path / folder / "checkpoint.pt"
        weights = torch.load(path, weights_only=True)["task"]
        log = [json.loads(line) | {"seconds": None} for line in lines]
        return log, {name: tensor.tolist() for name, tensor in weights.items()}

    assert left("whole") == left("broken")


@pytest.mark.parametrize("told", [{}, {"threads": 2, "channels_last": False}])
def test_layout_and_threads_follow_the_rule_unless_told(tiny_encoder, told):
    seen = []

    class Look(Rotation):
        def forward(self, inputs, targets):
            weight = self.encoder.blocks[0][0].conv2.weight
            last = weight.is_contiguous(memory_format=torch.channels_last)
            seen.append({"threads": torch.get_num_threads(), "channels_last": last})
            return super().forward(inputs, targets)

    before = torch.get_num_threads()
    images = np.zeros((8, 16, 16, 3), np.uint8)
    train(Look(tiny_encoder), (images,), steps=1, batch_size=4, **told)
    assert seen == [{"threads": 1, "channels_last": True} | told]
    assert torch.get_num_threads() == before


def test_tensors_have_channels_first_and_unit_range():
    image = np.zeros((2, 3, 4, 3), np.uint8)
    image[0, 1, 2] = (255, 51, 0)
    tensor = training.to_tensor(image)
    assert tensor.shape == (2, 3, 3, 4)
    assert tensor[0, :, 1, 2].tolist() == pytest.approx([1.0, 0.2, 0.0])
    assert training.to_tensor(np.zeros((2, 3, 4), bool)).shape == (2, 1, 3, 4)
    batch = (np.array([1, 2], np.uint8), {"a": np.array([0.5])})
    labels, named = training.to_tensor(batch)
    assert labels.dtype == torch.int64
    assert named["a"].dtype == torch.float32


@pytest.mark.parametrize("value", [np.uint8(51), np.float32(0.5)])
def test_images_of_a_read_only_cache_are_copied_without_a_warning(value):
    images = np.full((1, 2, 2, 3), value)
    images.flags.writeable = False
    training.to_tensor(images).add_(1)  # warnings are errors here
    assert images.max() == value
