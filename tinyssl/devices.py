"""Where and how torch computes: device, threads, precision, compiled, batches ahead."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn


def choose_device(device: str) -> str:
    """Resolve "auto" to the fastest device there is; refuse one that is not there."""
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    found = [*(name for name, available in there.items() if available()), "cpu"]
    if device.partition(":")[0] in there.keys() - found:
        raise ValueError(f"--device must be {' or '.join(found)} here, found {device}")
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


def choose_precision(device: str, asked: str | None = None) -> str:
    """Return what was asked for; else bfloat16 on GPUs that have it, else float32."""
    kind = torch.device(device).type
    if asked is None:  # 8.0: NVIDIA's Ampere
        able = kind == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return "bfloat16" if able else "float32"
    able = ("float32", "bfloat16")[: 1 + torch.amp.is_autocast_available(kind)]
    if asked not in able:
        raise ValueError(f"--precision must be {' or '.join(able)}, found {asked}")
    return asked


def autocast(device: Any, precision: str) -> Any:
    """Round factors of products and convolutions to a precision inside the block."""
    kind, to = torch.device(device).type, getattr(torch, precision)
    return nullcontext() if precision == "float32" else torch.autocast(kind, to)


def in_float32(product: Callable, *factors: Any) -> torch.Tensor:
    """Return a product in float32: here autocast ends, as cosines make a loss."""
    with torch.autocast(factors[-1].device.type, enabled=False):
        return product(*(widened(x) if torch.is_tensor(x) else x for x in factors))


def widened(x: torch.Tensor) -> torch.Tensor:
    """Return what is narrower than float32 as float32."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def compiled(task: nn.Module) -> Callable:
    """Return a call of a task that torch compiles; the task stays what is saved."""
    network = torch.compile(task)

    def call(*batch: Any) -> Any:
        try:
            return network(*batch)
        except RuntimeError as error:
            if not type(error).__module__.startswith("torch._"):  # not its compiler's
                raise
            rule = "--compile needs a C++ compiler, and Triton on GPUs, or is left out"
            raise ValueError(f"{rule}: {error}".partition("\n")[0]) from error

    return call


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
    """Give ``make(step)`` that leaves the next step's batch to a thread."""
    begin = torch.cuda.set_device if device.type == "cuda" else lambda device: None
    with ThreadPoolExecutor(1, "tinyssl-batch", begin, (device,)) as thread:
        ahead = {}

        def take(step: int) -> Any:
            batch = ahead.pop(step, None) or thread.submit(make, step)
            if step + 1 < steps:
                ahead[step + 1] = thread.submit(make, step + 1)
            return batch.result()

        yield take
