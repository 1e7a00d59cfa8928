"""Ranks: one training shared by several processes, which ``torchrun`` has started.

    torchrun --nproc-per-node 2 -m tinyssl pretrain DATA --task simclr

Every rank draws the batch that one process would draw and trains on its slice of it;
gradients, losses and batch statistics are averaged at each step. All ranks hold the
same weights, and losses are those of one process but for rounding. Batch normalisation
is the exception: on CPUs each rank normalises its slice, on GPUs all do so together.

The first rank alone writes, into folders that all of them reach. Drawing is not shared:
where it takes longer than the step, more ranks train no faster.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from tinyssl.interrupts import launched

PATIENCE = timedelta(hours=6)  # for a rank that reads the images while others wait
_slices: list[bool] = []  # not empty while what a task is given is a slice


@cache
def _meeting():
    """Return where the ranks of one attempt meet, this one's number, and how many."""
    store, number, count = next(dist.rendezvous("env://"))
    attempt = os.environ["TORCHELASTIC_RESTART_COUNT"]  # leaves what it stored
    return dist.PrefixStore(f"tinyssl/{attempt}", store), number, count


def join() -> None:
    """Begin to work together, if torchrun has started this process."""
    if not launched() or dist.is_initialized():
        return
    store, number, count = _meeting()
    backend, there = "gloo", {"rank": number, "world_size": count, "timeout": PATIENCE}
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend, store=store, **there)


def leave() -> bool:
    """End the work together; say whether this process goes on: the first rank does."""
    first = rank() == 0
    if dist.is_initialized():
        agree()
        dist.destroy_process_group()
    return first


def rank() -> int:
    """Return the number of this process, 0 where it is alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    """Return how many processes work together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def described(device: str) -> dict[str, Any]:
    """Return what ``config.json`` says of the ranks, if there are several."""
    norm = "all ranks together" if device == "cuda" else "each rank its slice"
    return {"ranks": size(), "batch_norm": norm} if size() > 1 else {}


def is_first_to_speak() -> bool:
    """Say, where torchrun has begun, whether no rank told yet what went wrong."""
    try:
        return _meeting()[0].add("spoken", 1) == 1
    except RuntimeError:  # torchrun is gone
        return os.environ["RANK"] == "0"


# What they tell one another


def _reduce(x, operation=dist.ReduceOp.SUM):
    """Add up, or as told, a tensor of all ranks, in place; say if one is lost."""
    try:
        dist.all_reduce(x, operation)
    except RuntimeError as error:
        rest = "torchrun --max-restarts, or the same command, goes on from here"
        raise RuntimeError(f"another rank is lost; {rest}") from error


def as_first(value: Any) -> Any:
    """Return what the first rank has here: plain values."""
    found = [value]
    if size() > 1:
        dist.broadcast_object_list(found, 0)
    return found[0]


def agree(*flags: bool) -> list[bool]:
    """Return of each flag whether any rank has raised it; all ranks wait for all."""
    if size() == 1:
        return [*flags]
    raised = torch.tensor([*flags, False], dtype=torch.int32)
    _reduce(raised, dist.ReduceOp.MAX)
    return raised[:-1].bool().tolist()


@contextmanager
def one_first() -> Iterator[None]:
    """Let one rank of each machine read, and keep, what the others then find kept."""
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    if not first:
        agree()
    yield
    if first:
        agree()


# The loop: a batch in slices


def begin(task: nn.Module, batch_size: int, device: str) -> int:
    """Give all ranks the weights of the first; return how many images each is given.

    On GPUs they normalise together. A ValueError if a batch cannot be shared evenly.
    """
    if batch_size % size():
        rule = f"must be a multiple of {size()}, the number of ranks"
        raise ValueError(f"--batch-size {rule}; found {batch_size}")
    for tensor in task.state_dict().values() if size() > 1 else ():
        dist.broadcast(tensor, 0)
    task.train()
    together = size() > 1 and device == "cuda"
    for module in [*task.modules()] if together else ():
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm) and child.training:  # not if frozen
                setattr(module, name, nn.SyncBatchNorm.convert_sync_batchnorm(child))
    return batch_size // size()


def slice_of(batch: Any, count: int) -> Any:
    """Return this rank's rows of all arrays of a batch of ``count`` images."""
    if size() == 1:
        return batch
    if isinstance(batch, dict):
        return {key: slice_of(value, count) for key, value in batch.items()}
    if isinstance(batch, tuple | list):
        return tuple(slice_of(value, count) for value in batch)
    if len(batch) != count:
        rule = f"must hold a row for each of the {count} images, to be shared by ranks"
        raise ValueError(f"arrays of make_batch {rule}; found {len(batch)}")
    each = count // size()
    return batch[rank() * each : (rank() + 1) * each]


@contextmanager
def slices() -> Iterator[None]:
    """While a task is given its slice: here `gather` and `total` reach all ranks."""
    _slices.extend([True] * (size() > 1))
    try:
        yield
    finally:
        _slices.clear()


def average(task: nn.Module, loss: torch.Tensor, logs: dict[str, Any]):
    """Average gradients and batch statistics; return loss and logs, averaged too."""
    if size() == 1:
        return loss, logs
    tensors = [p.grad for p in task.parameters() if p.grad is not None]
    for module in task.modules():
        if isinstance(module, _BatchNorm) and module.training:
            tensors += [module.running_mean, module.running_var]
    numbers = [torch.as_tensor(x).detach().to(loss) for x in (loss, *logs.values())]
    tensors.append(torch.stack(numbers))
    whole = torch.cat([tensor.flatten() for tensor in tensors])  # one message
    _reduce(whole)
    parts = (whole / size()).split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view(tensor.shape))
    loss, *numbers = tensors[-1]
    return loss, dict(zip(logs, numbers, strict=True))


# In a task's forward


def count() -> int:
    """Return in how many slices the batch lies, of which a task is given one."""
    return size() if _slices else 1


def total(x: torch.Tensor) -> torch.Tensor:
    """Return the sum over all slices of a batch, through which no gradient goes."""
    if _slices:
        _reduce(x := x.detach().clone())
    return x


def mean(x: torch.Tensor) -> torch.Tensor:
    """As `total`, the mean over the slices.

    A sum over what a mask marks, divided by the mean number that it marks in a slice,
    has as its mean over the ranks that of the whole batch.
    """
    return total(x) / count()


class _Gather(torch.autograd.Function):
    """Of each rank, its rows; their gradients, of all ranks' losses, go back to it."""

    @staticmethod
    def forward(ctx, x):
        every = [torch.empty_like(x) for _ in range(size())]
        dist.all_gather(every, x)
        return torch.stack(every)

    @staticmethod
    def backward(ctx, gradient):
        _reduce(gradient := gradient.clone(memory_format=torch.contiguous_format))
        return gradient[rank()]


def gather(x: torch.Tensor, parts: int = 1) -> torch.Tensor:
    """Return the rows of the whole batch, (N, ...), in its order, with gradients.

    Rows that hold the first views of all images, then the second, have 2 ``parts``.
    """
    if not _slices:
        return x
    every = _Gather.apply(x.contiguous()).unflatten(1, (parts, -1))
    return every.transpose(0, 1).flatten(0, 2)  # parts, ranks, images of a slice
