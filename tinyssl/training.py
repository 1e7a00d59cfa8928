"""The one visible loop: every task, pretext or downstream, is trained here.

A task is a ``torch.nn.Module`` with two methods. ``make_batch(*arrays, rng=rng)``, in
NumPy, draws from ``rng`` alone; it returns inputs and targets, ``forward(inputs,
targets)`` the loss and numbers to log, by name. The loop never asks which task it has.

Whatever is drawn at a step depends only on the seed and the step, so a run that was
killed and resumed gives the same numbers as one that was never stopped. Several ranks
share each batch where ``torchrun`` has started them: see `tinyssl.ranks`.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tinyssl import devices, ranks
from tinyssl.devices import choose_device, to_tensor, use_threads  # noqa: F401
from tinyssl.interrupts import OutOfTimeError, held_back
from tinyssl.rows import take
from tinyssl.runs import load_checkpoint, save_checkpoint

CLIP_NORM = 1.0  # gradient norm beyond which a step is shortened


class DivergenceError(RuntimeError):
    """The loss or its gradient stopped being a finite number."""


def learning_rate(step, steps, peak, warmup):
    """Linear warm-up over a share of the steps, then half a cosine down to zero."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return peak * (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return peak * 0.5 * (1 + math.cos(math.pi * done))


def batch_index(step, count, batch_size, seed):
    """Return the indices of one batch, cut out of an endless row of shuffled epochs."""
    places = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs = places // count
    index = places % count
    for epoch in np.unique(epochs):
        order = np.random.default_rng([seed, 0, epoch]).permutation(count)
        index[epochs == epoch] = order[index[epochs == epoch]]
    return index


def adamw(task, lr, weight_decay, encoder_rate=1.0):
    """AdamW that decays weight matrices and kernels, but no bias and no norm.

    A group has its "share" of the rate: that of the encoder may be smaller.
    """
    slow = {id(p) for p in task.encoder.parameters()} if encoder_rate != 1 else set()
    groups = {}
    for p in task.parameters():
        if p.requires_grad:
            groups.setdefault((p.ndim <= 1, id(p) in slow), []).append(p)
    kinds = [
        {"params": groups[spared, inside], "share": encoder_rate if inside else 1.0}
        | {"weight_decay": 0.0 if spared else weight_decay}
        for spared, inside in sorted(groups)
    ]
    betas = getattr(task, "betas", (0.9, 0.999))
    return torch.optim.AdamW(kinds, lr=lr, betas=betas, fused=True)


def train(
    task: nn.Module,
    data: Sequence[Any],
    *,
    steps: int,
    batch_size: int = 32,
    lr: float = 1e-3,
    encoder_rate: float = 1.0,
    weight_decay: float = 0.05,
    warmup: float = 0.1,
    seed: int = 0,
    threads: int = 1,
    channels_last: bool = True,
    device: str = "cpu",
    precision: str | None = None,
    compile: bool = False,
    prefetch: bool | None = None,
    out: Path | None = None,
    checkpoint_every: int = 200,
    checkpoint_minutes: float | None = None,
    until: float | None = None,
    evaluate: Callable[[], dict[str, float]] | None = None,
    evaluate_every: int = 0,
    progress: bool = False,
) -> list[dict[str, float]]:
    """Train a task in place and return one row of numbers a step.

    Parameters
    ----------
    task : Module, see the module's docstring
    data : sequence of arrays or lists, all of one length
        ``task.make_batch`` gets the same positions of each.
    steps, batch_size, lr, encoder_rate, weight_decay, warmup, seed
        Of AdamW; ``encoder_rate`` is the share of the rate that the encoder's weights
        get, ``warmup`` that of the steps in which the rate rises.
    threads, channels_last
        Sums depend on them in the last digit, so a rule chooses, never a stopwatch:
        channels_last, and one thread a process, as independent jobs share the cores.
        Alone, two threads train 1.4 to 1.8 times as fast, and the layout changes 6 % at
        most (``python examples/benchmark_training.py``, an AMD EPYC).
    device : str, "cpu", "cuda" or "mps"
    precision : str, "float32" or "bfloat16"
        Of products and convolutions in training: bfloat16 if not told on GPUs that have
        it, float32 elsewhere and in evaluation. Weights and losses are float32 always.
    compile : bool, let torch compile the task; sums may differ in their last digits
    prefetch : bool, let a thread make the next batch meanwhile; on GPUs if not told
    out : path, optional
        Run folder, where ``checkpoint.pt`` and ``log.jsonl`` are written every
        ``checkpoint_every`` steps, or so many minutes if they are given, at the end,
        and between two steps where Ctrl-C, SIGTERM or the clock ends the run; a
        checkpoint there is resumed. TensorBoard can show it, where that is installed.
    until : float, optional
        Time, as `time.time` counts, at which training stops after the step at hand.
    evaluate : callable, optional
        Called every ``evaluate_every`` steps and at the end, with the task in
        evaluation mode; its numbers join the row of that step.
    progress : bool, draw a bar on stderr

    Returns
    -------
    list of dict: "step", "loss", "lr", "seconds" since the start, what the task logs

    Raises
    ------
    ValueError
        If there is no image, the checkpoint is damaged or belongs to other settings,
        a batch is too small for batch normalisation or cannot be shared by ranks, or
        device, precision or a compiler is not to be had.
    DivergenceError
        If the loss or its gradient is not finite; the last good checkpoint stays.
    OutOfTimeError
        If training was stopped at ``until``.
    """
    count = len(data[0])
    if count == 0 or any(len(array) != count for array in data):
        lengths = [len(array) for array in data]
        raise ValueError(f"data must hold arrays of one length > 0, found {lengths}")
    settings = dict(steps=steps, batch_size=batch_size, lr=lr, warmup=warmup)
    settings |= dict(weight_decay=weight_decay, seed=seed, images=count)
    precision = devices.choose_precision(device, precision)
    settings |= dict(encoder_rate=encoder_rate, precision=precision)
    layout = torch.contiguous_format
    if channels_last and all(p.ndim < 5 for p in task.parameters()):  # no volumes
        layout = torch.channels_last
    share = ranks.begin(task, batch_size, device)
    task.to(device, memory_format=layout)
    where = next(task.parameters()).device
    optimizer = adamw(task, lr, weight_decay, encoder_rate)
    rows = load_checkpoint(task, optimizer, out, settings)
    if ranks.as_first(len(rows)) != len(rows):
        raise ValueError(f"--out {out} must be one folder, which all ranks reach")
    network = devices.compiled(task) if compile else task

    def draw(step):
        rng = np.random.default_rng([seed, 1, step])
        index = batch_index(step, count, batch_size, seed)
        batch = task.make_batch(*(take(array, index) for array in data), rng=rng)
        return to_tensor(ranks.slice_of(batch, batch_size), where)

    ahead = where.type == "cuda" if prefetch is None else prefetch
    start, bar = time.perf_counter(), progress_bar(steps, len(rows), progress)
    saved, over = time.monotonic(), False
    tell(len(rows))
    with (
        held_back() if out else nullcontext([]) as asked,
        event_log(out, len(rows)) as board,
        devices.prefetched(draw, steps, where) if ahead else nullcontext(draw) as batch,
        use_threads(threads),
        torch.random.fork_rng(devices=[]),
        bar,
    ):
        for step in range(len(rows), steps):
            # Draw: everything below follows from the seed and the step
            torch.manual_seed(seed * 1_000_003 + step)
            inputs, targets = batch(step)
            # Forward, backward
            task.train()
            autocast = devices.autocast(where, precision)
            with name_batch_size(share), ranks.slices(), autocast:
                loss, logs = network(inputs, targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            loss, logs = ranks.average(task, loss, logs)
            norm = nn.utils.clip_grad_norm_(task.parameters(), CLIP_NORM)
            value = loss.item()
            if not (math.isfinite(value) and torch.isfinite(norm)):
                raise DivergenceError(diverged(step, value, lr, out))
            # Update
            rate = learning_rate(step, steps, lr, warmup)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["share"]
            optimizer.step()
            # Report
            row = {"step": step, "loss": value, "lr": rate}
            row |= {name: torch.as_tensor(v).item() for name, v in logs.items()}
            last = step + 1 == steps
            score = evaluate_every and (step + 1) % evaluate_every == 0
            if evaluate and (last or score):
                task.eval()
                row |= evaluate()
            rows.append(row | {"seconds": round(time.perf_counter() - start, 3)})
            board(rows[-1])
            late = until is not None and time.time() >= until
            stop, over = ranks.agree(bool(asked), late)
            due = (step + 1) % checkpoint_every == 0
            if checkpoint_minutes is not None:
                due = time.monotonic() >= saved + 60 * checkpoint_minutes
            if out and (last or stop or over or due):
                save_checkpoint(task, optimizer, out, settings, rows)
                saved = time.monotonic()
            bar.set_postfix_str(f"loss {value:.4f}", refresh=False)
            bar.update()
            tell(1)
            if stop or over:
                break
    if len(rows) < steps:  # another rank was asked to stop, or the clock said so
        done = f"time is up at step {len(rows)} of {steps}"
        raise OutOfTimeError(done) if over else KeyboardInterrupt
    task.eval()
    return rows


@contextmanager
def name_batch_size(batch_size):
    """Say what to change where torch refuses to normalise a batch of one value."""
    try:
        yield
    except ValueError as error:
        if batch_size > 1 or "value per channel" not in str(error):
            raise
        each = f", one image for each of {n} ranks," if (n := ranks.size()) > 1 else ""
        raise ValueError(
            f"--batch-size {n}{each} leaves batch normalisation one value a channel: "
            f"give --batch-size {2 * n} or more, or larger images"
        ) from error


def diverged(step, loss, lr, out):
    """Tell in one line what stopped the run and what is left of it."""
    path = out and out / "checkpoint.pt"
    kept = f"; the last good checkpoint is {path}" if path and path.exists() else ""
    return f"loss or gradient not finite at step {step} (loss {loss}, lr {lr:g}){kept}"


@contextmanager
def event_log(out, steps):
    """Give a function that shows TensorBoard a row of the log, if that is installed."""
    writers = []  # made when there is a row: who is refused leaves no trace

    def write(row):
        if not writers:
            from torch.utils.tensorboard import SummaryWriter

            writers.append(SummaryWriter(out / "events", purge_step=steps or None))
        for name in row.keys() - {"step"}:
            writers[0].add_scalar(name, row[name], row["step"])

    able = out is not None and ranks.rank() == 0 and find_spec("tensorboard")
    try:
        yield write if able else lambda row: None
    finally:
        for writer in writers:
            writer.close()


# Who waits

_listeners: list[Callable[[int], None]] = []  # in a job of several: their one bar


@contextmanager
def told(listener):
    """Call ``listener`` with the number of steps as they are done in the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell(steps):
    """Count steps that are done, or were before this process began."""
    for listener in _listeners:
        listener(steps)


def progress_bar(total, initial, show, unit="step"):
    """Return a tqdm bar on stderr; a silent one unless it was asked for."""
    from tqdm import tqdm

    options = dict(file=sys.stderr, dynamic_ncols=True, leave=False, unit=unit)
    return tqdm(total=total, initial=initial, disable=not show, **options)
