"""Devices: precision, compiling, batches ahead and pinned; and on a GPU, all of it."""

import json
import threading
import types

import numpy as np
import pytest
import torch
from test_training import DATA, Line, without_time
from torch import nn

from tinyssl import devices, training
from tinyssl.cli import main
from tinyssl.devices import in_float32, prefetched, to_tensor
from tinyssl.models import DenseNet, ViT
from tinyssl.pretext import MaskedAutoencoder, Rotation, SimCLR
from tinyssl.training import train

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), np.uint8)
NEAR = 0.01  # of a loss: what bfloat16 may change in a few steps
SMALL = {"growth_rate": 4, "block_layers": (1, 1), "stem_channels": 8}
VIT = {"patch_size": 4, "dim": 16, "depth": 1}
TASKS = {
    "rotation": lambda: Rotation(DenseNet(num_classes=2, small_stem=True, **SMALL)),
    "mae": lambda: MaskedAutoencoder(ViT(**VIT), patch_size=4),
    "simclr": lambda: SimCLR(ViT(**VIT)),
}


def on_gpu(test):
    """Mark a test as one for a GPU, skipped where torch finds none."""
    skip = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    return pytest.mark.gpu(skip(test))


def trained(name="rotation", **how):
    """Train for a few steps; return the rows without times, their losses, and weights.

    The run that stops after a step, if ``out`` is given, goes on.
    """
    for until in [0, None] if "out" in how else [None]:
        torch.manual_seed(0)
        task, settings = TASKS[name](), {"steps": 5, "batch_size": 4, "until": until}
        try:
            rows = without_time(train(task, [IMAGES], **settings | how))
        except training.OutOfTimeError:
            assert until == 0
    weights = {k: v.tolist() for k, v in task.state_dict().items()}
    return rows, [row["loss"] for row in rows], weights


@pytest.mark.parametrize("name", TASKS)
def test_losses_of_bfloat16_are_near_those_of_float32(name):
    _, expected, weights = trained(name)
    _, losses, rounded = trained(name, precision="bfloat16")
    assert losses == pytest.approx(expected, rel=NEAR)
    assert losses != expected
    assert rounded != weights


def test_a_loss_of_similarities_is_of_float32():
    z = torch.tensor(np.random.default_rng(0).normal(size=(8, 6))).bfloat16()
    expected = SimCLR(ViT(**VIT)).compare(z.float())[0]
    with devices.autocast("cpu", "bfloat16"):
        assert (z @ z.T).dtype == torch.bfloat16
        actual = SimCLR(ViT(**VIT)).compare(z)[0]
        product = in_float32(torch.einsum, "ij,kj->ik", z, z)
    assert actual.item() == pytest.approx(expected.item(), rel=1e-6)
    assert torch.equal(product, z.float() @ z.float().T)


def test_precision_follows_the_device_unless_told_and_what_is_not_there_is_refused(
    monkeypatch,
):
    for there, expected in (((7, 5), "float32"), ((8, 0), "bfloat16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, x=there: x)
        assert devices.choose_precision("cuda") == expected
        assert devices.choose_precision("cpu") == "float32"
        assert devices.choose_precision("cpu", "bfloat16") == "bfloat16"
    monkeypatch.setattr(torch.amp, "is_autocast_available", lambda kind: False)
    with pytest.raises(ValueError, match="--precision must be float32, found bfloat16"):
        devices.choose_precision("cpu", "bfloat16")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"--device must be .*cpu here, found cuda"):
        devices.choose_device("cuda")


def test_a_run_says_its_precision_and_goes_on_with_that_alone(tmp_path):
    words = "toy:12:16 --task rotation --size 16 --steps 2 --batch-size 4 --out"
    run = ["pretrain", *words.split(), tmp_path / "run"]
    assert main([*run, "--precision", "bfloat16"]) == 0
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert (config["precision"], config["layout"]["compile"]) == ("bfloat16", False)
    assert main(run) == 2
    how = {"precision": "bfloat16"}
    assert trained(out=tmp_path / "half", **how) == trained(**how)
    with pytest.raises(ValueError, match="precision=bfloat16, this run has"):
        trained(out=tmp_path / "half")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own
def test_a_compiled_task_has_the_losses_of_one_that_is_not(tmp_path):
    how, task, other = {"steps": 6, "batch_size": 4, "lr": 0.1}, Line(), Line()
    try:
        rows = train(task, DATA, compile=True, out=tmp_path, **how)
    except ValueError as error:
        if not str(error).startswith("--compile needs"):
            raise
        pytest.skip(str(error))
    for row, expected in zip(rows, train(other, DATA, **how), strict=True):
        assert row["loss"] == pytest.approx(expected["loss"], abs=1e-4)


class Wrapped(nn.Module):
    """Hold a task as torch.compile does; fail as it may."""

    error, calls = None, 0

    def __init__(self, task):
        super().__init__()
        self._orig_mod = task

    def forward(self, *batch):
        if self.error:
            raise self.error
        Wrapped.calls += 1
        return self._orig_mod(*batch)


def test_compiling_is_asked_for_and_the_task_is_saved_or_it_is_refused_in_a_line(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(torch, "compile", Wrapped)
    assert trained(out=tmp_path, compile=True) == (expected := trained())
    assert Wrapped.calls == 5
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["task"]
    assert {k: v.tolist() for k, v in state.items()} == expected[2]
    missing = type("Failed", (RuntimeError,), {"__module__": "torch._inductor.exc"})
    monkeypatch.setattr(Wrapped, "error", missing("no g++\nand a long trace"))
    with pytest.raises(ValueError, match=r"^--compile needs a C\+\+ .*: no g\+\+$"):
        trained(compile=True)
    monkeypatch.setattr(Wrapped, "error", RuntimeError("out of memory"))
    with pytest.raises(RuntimeError, match="out of memory"):
        trained(compile=True)


def test_batches_made_ahead_change_no_number(tmp_path):
    expected = trained(prefetch=False)
    assert trained(prefetch=True) == expected
    assert trained(prefetch=True, out=tmp_path) == expected


def test_the_next_batch_is_made_while_a_step_is_done_and_none_beyond_the_last():
    made, begun = [], threading.Event()

    def make(step):
        made.append((step, threading.current_thread().name[:13]))
        begun.set() if step == 1 else None
        return [] if step < 2 else 1 / 0  # raised where it is asked for

    with prefetched(make, 3, torch.device("cpu")) as batch:
        assert batch(0) == []
        assert begun.wait(timeout=60)  # though nobody asked for it yet
        assert batch(1) == []
        with pytest.raises(ZeroDivisionError):
            batch(2)
    assert made == [(step, "tinyssl-batch") for step in range(3)]


@pytest.mark.parametrize(("device", "pinned"), [("cpu", False), ("cuda:1", True)])
def test_batches_reach_a_gpu_from_pinned_memory_without_waiting(device, pinned):
    calls = []
    tensor = types.SimpleNamespace(
        pin_memory=lambda: calls.append("pin") or tensor,
        to=lambda device, non_blocking: calls.append((device, non_blocking)),
    )
    devices.send(tensor, device)
    assert calls == ["pin"] * pinned + [(device, pinned)]


@on_gpu
@pytest.mark.filterwarnings("ignore")  # of torch's compiler
@pytest.mark.parametrize("name", TASKS)
def test_a_gpu_has_the_losses_of_the_cpu(name, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    _, expected, _ = trained(name)
    _, losses, _ = trained(name, device="cuda", precision="float32", out=tmp_path)
    assert losses == pytest.approx(expected, rel=1e-3)
    for more in ({}, {"compile": True}):
        how = {"device": "cuda", "precision": "bfloat16"} | more
        assert trained(name, **how)[1] == pytest.approx(expected, rel=NEAR)


@on_gpu
def test_tensors_lie_on_the_gpu_channels_last():
    inputs, targets = to_tensor((IMAGES, np.arange(20)), torch.device("cuda", 0))
    assert inputs.is_cuda
    assert targets.is_cuda
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(inputs.cpu(), to_tensor(IMAGES))
