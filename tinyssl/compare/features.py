"""Features of images: the row of numbers an image by which sets are compared."""

import warnings
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import runs
from tinyssl.starts import Start
from tinyssl.training import choose_device, to_tensor

WIDTHS = (16, 32, 64)  # channels of the random network


class RandomNetwork(nn.Module):
    """A small convolutional network with fixed random weights, never trained.

    Random features rank sets about as well as trained ones where ImageNet is far away
    (Naeem, Oh, Uh, Choi, Yoo, ICML 2020, section 4.2). Compare distances of one seed,
    image size and n only; three 3 x 3 convolutions look at 15 pixels: texture, edges
    and colour count, anatomy does not. Filters lose three quarters of their mean: else
    brightness drowns blur, noise and swapped patches.
    """

    def __init__(self, seed=0):
        super().__init__()
        rng = np.random.default_rng(seed)
        for stage, (c_in, c_out) in enumerate(zip((3, *WIDTHS), WIDTHS, strict=False)):
            weight = rng.standard_normal((c_out, c_in, 3, 3))
            weight -= 0.75 * weight.mean((2, 3), keepdims=True)
            weight *= np.sqrt(2 / (9 * c_in))  # He: the variance is kept
            self.register_buffer(f"weight{stage}", torch.from_numpy(weight).float())

    def forward(self, x):
        """Map (N, 3, H, W) in [0, 1] to (N, 64)."""
        x = 2 * x - 1
        for weight in self.buffers():
            x = F.relu(F.conv2d(x, weight, stride=2, padding=1))
        return x.mean((2, 3))


def load_features(source, *, seed=0):
    """Return what computes features, and what it is called in a report.

    The source is "random", a run of pretrain, an encoder.pt or a TorchScript file: that
    is a program, load only what you trust.
    """
    if str(source) == "random":
        return RandomNetwork(seed), f"random network, seed {seed}"
    path = Path(source)
    if path.is_dir():
        path = Start(path).of_repeat(0).folder(0) / "encoder.pt"
    if not path.is_file():
        rule = "must be random, a run folder of pretrain or a file"
        raise ValueError(f"features {rule}, no {path}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # by torch, in its favour
        try:
            module = torch.jit.load(str(path), map_location="cpu")
            return module.eval(), f"TorchScript {path.name}"
        except RuntimeError:
            encoder, state = runs.load_encoder(path)
    if not hasattr(encoder, "features"):
        raise ValueError(f"{path} holds a network without features")
    name = f"encoder of {path.parent}, pretrained by {state['task']}"
    return encoder.eval().features, name


def extract(images, features, *, dim=None, batch_size=32, device="cpu"):
    """Compute (N, d) features of (H, W[, 3]) images, uint8 or floats in [0, 1].

    ``features`` maps (N, 3, H, W) tensors in [0, 1] to (N, d), or to (N, C, h, w),
    which is averaged over h and w; see `project` for ``dim``.
    """
    device = choose_device(device)
    network = getattr(features, "__self__", features)  # of encoder.features
    if isinstance(network, nn.Module):
        network.to(device)
    if isinstance(features, nn.Module):
        features.eval()
    rows, images = [], _in_colour(images)
    with torch.no_grad():
        while batch := list(islice(images, batch_size)):
            answer = features(to_tensor(np.stack(batch), device))
            if isinstance(answer, torch.Tensor):
                answer = answer.detach().cpu().numpy()
            answer = np.asarray(answer, np.float64)
            answer = answer.mean((2, 3)) if answer.ndim == 4 else answer
            if answer.ndim != 2 or len(answer) != len(batch):
                wanted = f"({len(batch)}, d) or ({len(batch)}, C, h, w)"
                raise ValueError(f"features must return {wanted}, found {answer.shape}")
            rows.append(answer)
    if not rows:
        raise ValueError("images must not be empty")
    found = np.concatenate(rows)  # (N, d)
    if not np.isfinite(found).all():
        raise ValueError("features must be finite, found nan or infinity")
    return found if dim is None else project(found, dim)


def project(features, dim):
    """Project (N, d) to (N, dim) by a random rotation fixed by d: distances shrink."""
    d = features.shape[1]
    if not 1 <= dim <= d:
        raise ValueError(f"dim must lie in 1..{d}, the number of features, found {dim}")
    directions = np.random.default_rng(d).standard_normal((d, dim))
    return features @ np.linalg.qr(directions)[0]


def _in_colour(images):
    """Yield images of three channels; refuse what is none, or not like the first."""
    first = None
    for number, image in enumerate(images):
        image, place = np.asarray(image), f"at position {number}"
        image = image[..., None] if image.ndim == 2 else image
        if image.ndim != 3 or image.shape[2] not in (1, 3):
            found = f"{image.shape} {place}"
            raise ValueError(f"images must be (H, W) or (H, W, 3), found {found}")
        if image.dtype.kind == "f":
            if not (image.min() >= 0 and image.max() <= 1):  # nan too
                found = f"{image.min():g} to {image.max():g} {place}"
                raise ValueError(f"images of floats must lie in [0, 1], found {found}")
        elif image.dtype != np.uint8:
            raise TypeError(f"images must be uint8 or floats, found {image.dtype}")
        kind = f"{image.shape[0]} x {image.shape[1]} {image.dtype}"
        first = first or kind
        if kind != first:
            found = f"{first} and {kind} {place}"
            raise ValueError(f"images must be of one size and type, found {found}")
        yield np.broadcast_to(image, (*image.shape[:2], 3))
