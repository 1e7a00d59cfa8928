"""Pretext tasks: labels that come from the pixels. One short file a method.

Each is a ``torch.nn.Module`` of one shape: ``make_batch(images, rng)`` in NumPy
returns inputs and targets, ``forward(inputs, targets)`` in torch returns the loss
and what to log. It owns its ``encoder`` and its head.
"""

from tinyssl.pretext.restoration import ContextRestoration, Restorer
from tinyssl.pretext.rotation import Rotation, turn_invariant_field

__all__ = ["ContextRestoration", "Restorer", "Rotation", "turn_invariant_field"]
