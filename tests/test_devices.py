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


def on_gpu(test):
    """Mark a test as one for a GPU, skipped where torch finds none."""
    skip = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    return pytest.mark.gpu(skip(test))


def densenet():
    small = {"growth_rate": 4, "block_layers": (1, 1), "stem_channels": 8}
    return DenseNet(num_classes=2, small_stem=True, **small)


def vit():
    return ViT(patch_size=4, dim=16, depth=1)


TASKS = {
    "rotation": lambda: Rotation(densenet()),
    "mae": lambda: MaskedAutoencoder(vit(), patch_size=4),
    "simclr": lambda: SimCLR(vit()),
}


def trained(name="rotation", **how):
    """Train for a few steps; return the rows without times, and the weights."""
    torch.manual_seed(0)
    task = TASKS[name]()
    rows = train(task, [IMAGES], **{"steps": 5, "batch_size": 4} | how)
    return without_time(rows), {k: v.cpu() for k, v in task.state_dict().items()}


def losses(rows):
    return [row["loss"] for row in rows]


def same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[k], other[k]) for k in one
    )


# Precision


@pytest.mark.parametrize("name", TASKS)
def test_losses_of_bfloat16_are_near_those_of_float32(name):
    expected, weights = trained(name)
    rows, rounded = trained(name, precision="bfloat16")
    assert losses(rows) == pytest.approx(losses(expected), rel=NEAR)
    assert losses(rows) != losses(expected)
    assert not same(weights, rounded)
    floats = [x.dtype for x in rounded.values() if x.is_floating_point()]
    assert {*floats} == {torch.float32}


def test_a_loss_of_similarities_is_of_float32():
    z = nn.functional.normalize(to_tensor(np.random.default_rng(0).normal(size=(8, 6))))
    z = z.bfloat16()
    expected = SimCLR(vit()).compare(z.float())[0]
    with devices.autocast("cpu", "bfloat16"):
        assert (z @ z.T).dtype == torch.bfloat16
        actual = SimCLR(vit()).compare(z)[0]
        product = in_float32(torch.einsum, "ij,kj->ik", z, z)
    assert actual.item() == pytest.approx(expected.item(), rel=1e-6)
    assert torch.equal(product, z.float() @ z.float().T)


@pytest.mark.parametrize(
    ("device", "capability", "expected"),
    [
        ("cpu", None, "float32"),
        ("cuda", (7, 5), "float32"),
        ("cuda", (8, 0), "bfloat16"),
    ],
)
def test_precision_follows_the_device_unless_told(
    monkeypatch, device, capability, expected
):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert devices.choose_precision(device) == expected
    assert devices.choose_precision(device, "float32") == "float32"
    assert devices.choose_precision(device, "bfloat16") == "bfloat16"


def test_what_a_device_has_not_is_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"--precision must be .*, found float16"):
        devices.choose_precision("cpu", "float16")
    monkeypatch.setattr(torch.amp, "is_autocast_available", lambda kind: False)
    with pytest.raises(ValueError, match="--precision must be float32, found bf"):
        devices.choose_precision("cpu", "bfloat16")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"--device must be .*cpu here, found cuda"):
        devices.choose_device("cuda")
    assert devices.choose_device("cpu") == "cpu"


def test_a_run_says_its_precision_and_goes_on_with_that_alone(tmp_path):
    run = [
        "pretrain",
        "toy:12:16",
        "--task",
        "rotation",
        "--size",
        "16",
        "--steps",
        "2",
        "--out",
    ]
    assert main([*run, tmp_path, "--precision", "bfloat16"]) == 0
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["precision"], config["layout"]["compile"]) == ("bfloat16", False)
    assert main([*run, tmp_path]) == 2
    with pytest.raises(training.OutOfTimeError):
        trained(out=tmp_path / "half", precision="bfloat16", until=0)
    with pytest.raises(ValueError, match="precision=bfloat16, this run has"):
        trained(out=tmp_path / "half")
    rows, weights = trained(out=tmp_path / "half", precision="bfloat16")
    expected, whole = trained(precision="bfloat16")
    assert rows == expected
    assert same(weights, whole)


def test_what_trains_nothing_refuses_both(capsys, tmp_path):
    run = ["pretrain", "toy:12:16", "--task", "dictionary", "--size", "16", "--out"]
    for option in (["--precision", "float32"], ["--compile"]):
        assert main([*run, tmp_path / "run", *option]) == 2
        assert f"{option[0]} belongs to tasks that train" in capsys.readouterr().err


# Compiled


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own
def test_a_compiled_task_has_the_losses_of_one_that_is_not(tmp_path):
    how, task = {"steps": 6, "batch_size": 4, "lr": 0.1}, Line()
    try:
        rows = train(task, DATA, compile=True, out=tmp_path, **how)
    except ValueError as error:
        if not str(error).startswith("--compile needs"):
            raise
        pytest.skip(str(error))
    expected = train(other := Line(), DATA, **how)
    assert losses(rows) == pytest.approx(losses(expected), abs=1e-4)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["task"]
    assert [*state] == ["weight"]
    assert state["weight"].item() == pytest.approx(other.weight.item(), abs=1e-4)


def test_compiling_is_asked_for_and_the_task_is_what_is_saved(monkeypatch, tmp_path):
    asked = []

    class Wrapped(nn.Module):  # as torch.compile has it
        def __init__(self, task):
            super().__init__()
            self._orig_mod = task

        def forward(self, *batch):
            asked.append(len(batch))
            return self._orig_mod(*batch)

    monkeypatch.setattr(torch, "compile", Wrapped)
    rows, weights = trained(out=tmp_path, compile=True)
    assert asked == [2] * 5
    plain, expected = trained()
    assert rows == plain
    assert same(weights, expected)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert same(state["task"], expected)


def test_without_a_compiler_the_refusal_is_one_line_that_names_the_option(monkeypatch):
    missing = type("Failed", (RuntimeError,), {"__module__": "torch._inductor.exc"})

    def fail(error):
        def network(*batch):
            raise error

        return lambda task: network

    monkeypatch.setattr(torch, "compile", fail(missing("no g++\nand a long trace")))
    with pytest.raises(ValueError, match=r"--compile needs a C\+\+ .*: no g\+\+$"):
        trained(compile=True)
    monkeypatch.setattr(torch, "compile", fail(RuntimeError("out of memory")))
    with pytest.raises(RuntimeError, match="out of memory"):
        trained(compile=True)


# Batches


def test_batches_made_ahead_change_no_number(tmp_path):
    whole, weights = trained(prefetch=False)
    rows, others = trained(prefetch=True)
    assert rows == whole
    assert same(weights, others)
    with pytest.raises(training.OutOfTimeError):
        trained(prefetch=True, out=tmp_path, until=0)
    rows, others = trained(prefetch=True, out=tmp_path)
    assert rows == whole
    assert same(weights, others)


def test_the_next_batch_is_made_while_a_step_is_done_and_none_beyond_the_last():
    made, begun = [], threading.Event()

    def make(step):
        made.append((step, threading.current_thread().name[:13]))
        begun.set() if step == 1 else None
        return step

    with prefetched(make, 3, torch.device("cpu")) as batch:
        assert batch(0) == 0
        assert begun.wait(timeout=60)  # though nobody asked for it yet
        assert [batch(1), batch(2)] == [1, 2]
    assert made == [(step, "tinyssl-batch") for step in range(3)]


def test_what_goes_wrong_ahead_is_raised_at_its_step():
    def make(step):
        if step == 1:
            raise ValueError("the second")
        return step

    with prefetched(make, 3, torch.device("cpu")) as batch:
        assert batch(0) == 0
        with pytest.raises(ValueError, match="the second"):
            batch(1)


@pytest.mark.parametrize(("device", "pinned"), [("cpu", False), ("cuda:1", True)])
def test_batches_reach_a_gpu_from_pinned_memory_without_waiting(device, pinned):
    calls = []
    tensor = types.SimpleNamespace(
        pin_memory=lambda: calls.append("pin") or tensor,
        to=lambda device, non_blocking: calls.append((device, non_blocking)),
    )
    devices.send(tensor, device)
    assert calls == ["pin"] * pinned + [(device, pinned)]


# On a GPU


@pytest.fixture
def exact(monkeypatch):
    """Let convolutions of float32 be of float32, not TF32."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@on_gpu
@pytest.mark.parametrize("name", TASKS)
def test_a_gpu_has_the_losses_of_the_cpu(name, exact):
    expected, _ = trained(name)
    rows, _ = trained(name, device="cuda", precision="float32")
    assert losses(rows) == pytest.approx(losses(expected), rel=1e-3)
    rows, _ = trained(name, device="cuda", precision="bfloat16")
    assert losses(rows) == pytest.approx(losses(expected), rel=NEAR)
    assert losses(rows) != losses(expected)


@on_gpu
def test_a_run_begun_on_a_gpu_goes_on_on_the_cpu(exact, tmp_path):
    how = {"precision": "float32", "out": tmp_path}
    with pytest.raises(training.OutOfTimeError):
        trained(device="cuda", until=0, **how)
    rows, _ = trained(**how)
    assert losses(rows) == pytest.approx(losses(trained()[0]), rel=1e-3)


@on_gpu
def test_tensors_lie_on_the_gpu_channels_last():
    inputs, targets = to_tensor((IMAGES, np.arange(20)), torch.device("cuda", 0))
    assert inputs.is_cuda
    assert targets.is_cuda
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(inputs.cpu(), to_tensor(IMAGES))


@on_gpu
@pytest.mark.filterwarnings("ignore")  # of torch's compiler
def test_a_gpu_compiles():
    how = {"device": "cuda", "precision": "bfloat16"}
    rows, _ = trained(compile=True, **how)
    assert losses(rows) == pytest.approx(losses(trained(**how)[0]), rel=NEAR)
