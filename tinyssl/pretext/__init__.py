"""Pretext tasks: labels that come from the pixels. One short file a method.

Each is a ``torch.nn.Module`` of one shape: ``make_batch(images, rng)`` in NumPy
returns inputs and targets, ``forward(inputs, targets)`` in torch returns the loss
and what to log. It owns its ``encoder`` and its head.
"""

from typing import Any

from torch import nn

from tinyssl.models import UNet
from tinyssl.pretext.restoration import ContextRestoration, Restorer
from tinyssl.pretext.rotation import Rotation, turn_invariant_field
from tinyssl.pretext.shuffling import PixelShuffling

__all__ = [
    "ContextRestoration",
    "PixelShuffling",
    "Restorer",
    "Rotation",
    "build_task",
    "turn_invariant_field",
]


def build_task(name: str, encoder: nn.Module, **options: Any) -> nn.Module:
    """Put the pretext task of a command around an encoder.

    Parameters
    ----------
    name : {"rotation", "restoration", "shuffling"}
    encoder : Module
        Where images are restored: a ``UNet`` answers itself, any other encoder gets
        a few deconvolutions.
    **options
        Keyword arguments of the task.

    Examples
    --------
    >>> build_task("rotation", UNet(widths=(4, 8))).head.out_features
    4
    """
    if name == "rotation":
        return Rotation(encoder, **options)
    network = encoder if isinstance(encoder, UNet) else Restorer(encoder)
    if name == "restoration":
        return ContextRestoration(network, **options)
    if name == "shuffling":
        return PixelShuffling(network, **options)
    raise ValueError(f"task must be rotation, restoration or shuffling, found {name!r}")
