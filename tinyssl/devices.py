"""Where and how torch computes: device, threads, precision, compiled, batches ahead.

On a GPU products and convolutions are of bfloat16 where it has it, weights, their
updates and losses of float32; batches go there from pinned memory, the next one made
while a step is done. None of it is the default on a CPU; there it can be asked for.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn

PRECISIONS = ("float32", "bfloat16")


def choose_device(device: str) -> str:
    """Resolve "auto" to the fastest device there is; refuse one that is not there."""
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    found = [*(name for name, available in there.items() if available()), "cpu"]
    if device != "auto" and device.partition(":")[0] not in found:
        rule = f"must be auto or one that torch finds here, {', '.join(found)}"
        raise ValueError(f"--device {rule}; found {device}")
    return found[0] if device == "auto" else device


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Run torch with this many threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def memory_format(task: nn.Module, channels_last: bool) -> torch.memory_format:
    """Return how the weights lie in memory: channels last, but of volumes."""
    if channels_last and all(p.ndim < 5 for p in task.parameters()):
        return torch.channels_last
    return torch.contiguous_format


# Precision


def choose_precision(device: str, asked: str | None = None) -> str:
    """Return what was asked for; else bfloat16 on GPUs that have it, else float32."""
    kind = torch.device(device).type
    if asked is None:  # 8.0: NVIDIA's Ampere
        able = kind == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return "bfloat16" if able else "float32"
    if asked not in PRECISIONS:
        raise ValueError(
            f"--precision must be {' or '.join(PRECISIONS)}, found {asked}"
        )
    if asked != "float32" and not torch.amp.is_autocast_available(kind):
        raise ValueError(f"--precision must be float32 on {kind}, found {asked}")
    return asked


def autocast(device: Any, precision: str) -> Any:
    """Round factors of products and convolutions to a precision inside the block."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, getattr(torch, precision))


def in_float32(product: Callable, *factors: Any) -> torch.Tensor:
    """Return a product in float32: here autocast ends, and the loss of a task begins.

    Cosines rounded to bfloat16, then divided by a temperature of .1, are .02 wrong.
    """
    with torch.autocast(factors[-1].device.type, enabled=False):
        return product(*(x.float() if torch.is_tensor(x) else x for x in factors))


def compiled(task: nn.Module) -> Callable:
    """Return a call of a task that torch compiles; the task stays what is saved.

    Its first call raises a ValueError where nothing can be compiled.
    """
    try:
        network = torch.compile(task)
    except RuntimeError as error:  # this Python is too new
        raise ValueError(f"--compile: {error}") from error

    def call(*batch: Any) -> Any:
        try:
            return network(*batch)
        except RuntimeError as error:
            if not type(error).__module__.startswith(
                ("torch._dynamo", "torch._induct")
            ):
                raise
            rule = (
                "needs a C++ compiler, and Triton on GPUs: install it, or leave it out"
            )
            said = str(error).strip().partition("\n")[0]
            raise ValueError(f"--compile {rule} ({said})") from error

    return call


# Batches


def to_tensor(array: Any, device: Any = "cpu") -> Any:
    """Turn NumPy batches into tensors: the one place where NHWC becomes NCHW.

    Of an array, or a tuple, list or dict of them: images (N, H, W, C), volumes
    (N, D, H, W, C) and masks (N, H, W), of one channel, become float32, uint8 divided
    by 255. (N,) and (N, K) become int64 if they are integers, else float32.
    """
    if isinstance(array, dict):
        return {key: to_tensor(value, device) for key, value in array.items()}
    if isinstance(array, (tuple, list)):
        return tuple(to_tensor(value, device) for value in array)
    array = np.asarray(array)
    if array.ndim >= 3:
        scale = 255.0 if array.dtype == np.uint8 else 1.0
        array = array[..., None] if array.ndim == 3 else array
        array = np.require(array, requirements="CW")  # torch warns of read-only memory
        tensor = send(torch.from_numpy(array), device)
        return tensor.movedim(-1, 1).float().div_(scale)  # (N, C, H, W)
    whole = np.issubdtype(array.dtype, np.integer)
    dtype = torch.int64 if whole else torch.float32
    return send(torch.as_tensor(array, dtype=dtype), device)


def send(tensor: torch.Tensor, device: Any) -> torch.Tensor:
    """Copy to a device; to a GPU from pinned memory, without waiting for it."""
    gpu = torch.device(device).type == "cuda"
    return (tensor.pin_memory() if gpu else tensor).to(device, non_blocking=gpu)


@contextmanager
def prefetched(make: Callable, steps: int, device: torch.device) -> Iterator[Callable]:
    """Give ``make(step)`` that leaves the next step's batch to a thread as it returns.

    A batch must follow from its step alone, not from how many were made.
    """
    begin = torch.cuda.set_device if device.type == "cuda" else lambda device: None
    with ThreadPoolExecutor(1, "tinyssl-batch", begin, (device,)) as thread:
        ahead = {}

        def take(step: int) -> Any:
            batch = ahead.pop(step, None) or thread.submit(make, step)
            if step + 1 < steps:
                ahead[step + 1] = thread.submit(make, step + 1)
            return batch.result()

        yield take
