"""Features of images: the row of numbers an image by which sets are compared."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from torch.nn import functional as F

from tinyssl import runs
from tinyssl.training import to_tensor

Features = Callable[[torch.Tensor], Any]
WIDTHS = (16, 32, 64)  # channels of the random network


class RandomNetwork(nn.Module):
    """A small convolutional network with fixed random weights, never trained.

    Parameters
    ----------
    seed : int
        The weights are drawn by NumPy, whose stream is the same on every machine:
        features agree everywhere but for the rounding of float32.

    Notes
    -----
    Random features rank sets of images by how far they are from a real one about as
    well as trained ones do where ImageNet is far away (Naeem et al.), and need no
    download. Their limits: the distance is relative, it means something only beside
    another one with the same seed, image size and n; three 3 x 3 convolutions look at
    15 pixels, so texture, edges and colour count and anatomy does not; and nothing
    says that what weighs much in them matters to an eye doctor.

    From each filter three quarters of its mean are taken: with plain ones overall
    brightness drowns all else, blur, noise and swapped patches among it.

    References
    ----------
    Naeem, Oh, Uh, Choi, Yoo 2020, "Reliable fidelity and diversity metrics for
    generative models", ICML, section 4.2 (random embedding).

    Examples
    --------
    >>> RandomNetwork()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 64])
    """

    def __init__(self, seed: int = 0):
        super().__init__()
        rng = np.random.default_rng(seed)
        c_in = 3
        for stage, c_out in enumerate(WIDTHS):
            weight = rng.standard_normal((c_out, c_in, 3, 3))
            weight -= 0.75 * weight.mean((2, 3), keepdims=True)
            weight *= np.sqrt(2 / (9 * c_in))  # He: the variance is kept
            self.register_buffer(f"weight{stage}", torch.from_numpy(weight).float())
            c_in = c_out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, 3, H, W) in [0, 1] to (N, 64)."""
        x = 2 * x - 1
        for weight in self.buffers():
            x = F.relu(F.conv2d(x, weight, stride=2, padding=1))
        return x.mean((2, 3))


def load_features(source: str | Path, *, seed: int = 0) -> tuple[Features, str]:
    """Return what computes features, and what it is called in a report.

    Parameters
    ----------
    source : "random", a run folder of ``pretrain``, or a file
        A file is an ``encoder.pt``, or a TorchScript module that maps (N, 3, H, W)
        floats in [0, 1] to (N, d) or (N, C, h, w). TorchScript is a program: load
        only files you trust.
    seed : int
        Of the random network.

    Returns
    -------
    features : callable
        For `extract`. An encoder answers with its last feature map.
    name : str

    Raises
    ------
    ValueError
        If there is no such run or file, or it is of neither kind.
    """
    if str(source) == "random":
        return RandomNetwork(seed), f"random network, seed {seed}"
    path = Path(source)
    if path.is_dir():
        path = next((p for p in _encoders(path) if p.is_file()), path / "encoder.pt")
    if not path.is_file():
        raise ValueError(
            f"features must be random, a run folder of pretrain or a file, no {path}"
        )
    module = _torch_script(path)
    if module is not None:
        return module, f"TorchScript {path.name}"
    encoder, state = runs.load_encoder(path)
    if not hasattr(encoder, "features"):
        raise ValueError(f"{path} holds a network without features")
    name = f"encoder of {path.parent}, pretrained by {state['task']}"
    return encoder.eval().features, name


def extract(
    images: Iterable[ArrayLike],
    features: Features,
    *,
    dim: int | None = None,
    batch_size: int = 32,
    device: str = "cpu",
) -> NDArray[np.float64]:
    """Compute a row of features an image.

    Parameters
    ----------
    images : iterable of (H, W, 3) or (H, W) arrays of one size
        uint8, or floats in [0, 1]; grey is given three equal channels.
    features : callable
        Takes (N, 3, H, W) float tensors in [0, 1]; returns (N, d), or (N, C, h, w)
        of which the mean over h and w is taken. Modules are used in evaluation mode.
    dim : int, optional
        Project to that many features by a fixed random rotation, the same for every
        call with the same d: for few images.
    batch_size : int
    device : str

    Returns
    -------
    (N, d) float64 array

    Raises
    ------
    ValueError
        If there are no images, they are not of one size, the answer has another
        shape or is not finite, or `dim` is not in 1..d.

    Examples
    --------
    >>> eyes = np.zeros((5, 16, 16, 3), np.uint8)
    >>> extract(eyes, lambda x: x.mean((2, 3))).shape
    (5, 3)
    """
    if isinstance(features, nn.Module):
        features = features.eval().to(device)
    with torch.no_grad():
        rows = [
            _pooled(features(to_tensor(batch, device)), len(batch))
            for batch in _batches(images, batch_size)
        ]
    if not rows:
        raise ValueError("images must not be empty")
    found = np.concatenate(rows)  # (N, d)
    if not np.isfinite(found).all():
        raise ValueError("features must be finite, found nan or infinity")
    return found if dim is None else project(found, dim)


def project(features: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
    """Project (N, d) features to (N, dim) along fixed random orthonormal directions.

    Distances shrink with it: compare only what was projected alike.

    Examples
    --------
    >>> project(np.eye(4), 2).shape
    (4, 2)
    """
    d = features.shape[1]
    if not 1 <= dim <= d:
        raise ValueError(f"dim must lie in 1..{d}, the number of features, found {dim}")
    directions = np.random.default_rng(d).standard_normal((d, dim))
    return features @ np.linalg.qr(directions)[0]


def _encoders(run: Path) -> Iterator[Path]:
    """Yield where a run folder may keep its encoder: whole, or of the first fold."""
    yield run / "encoder.pt"
    yield run / "fold0" / "encoder.pt"


def _torch_script(path: Path) -> nn.Module | None:
    """Load a TorchScript module; None if the file is something else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # by torch, in its favour
        try:
            return torch.jit.load(str(path), map_location="cpu").eval()
        except RuntimeError:
            return None


def _batches(images: Iterable[ArrayLike], size: int) -> Iterator[NDArray]:
    """Yield (n, H, W, 3) arrays of up to ``size`` images."""
    batch: list[NDArray] = []
    kind = None
    for number, image in enumerate(images):
        image = _coloured(np.asarray(image), number)
        kind = kind or (image.shape, image.dtype)
        if (image.shape, image.dtype) != kind:
            raise ValueError(
                f"images must be of one size and type, found {_kind(*kind)} and "
                f"{_kind(image.shape, image.dtype)} at position {number}"
            )
        batch.append(image)
        if len(batch) == size:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def _coloured(image: NDArray, number: int) -> NDArray:
    """Return one image with three channels."""
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3):
        raise ValueError(
            f"images must be (H, W) or (H, W, 3), found {image.shape} at "
            f"position {number}"
        )
    if image.dtype != np.uint8 and image.dtype.kind != "f":
        raise TypeError(f"images must be uint8 or floats, found {image.dtype}")
    if image.dtype.kind == "f" and not (image.min() >= 0 and image.max() <= 1):
        raise ValueError(
            f"images of floats must lie in [0, 1], found {image.min():g} to "
            f"{image.max():g} at position {number}"
        )
    return np.broadcast_to(image, (*image.shape[:2], 3))


def _kind(shape: tuple[int, ...], dtype: np.dtype) -> str:
    """Write the size and type of an image."""
    return f"{shape[0]} x {shape[1]} {dtype}"


def _pooled(answer: Any, count: int) -> NDArray[np.float64]:
    """Return the (N, d) float64 features in an answer."""
    if isinstance(answer, torch.Tensor):
        answer = answer.detach().cpu().numpy()
    answer = np.asarray(answer, np.float64)
    if answer.ndim == 4:
        answer = answer.mean((2, 3))
    if answer.ndim != 2 or len(answer) != count:
        raise ValueError(
            f"features must return ({count}, d) or ({count}, C, h, w), "
            f"found {answer.shape}"
        )
    return answer
