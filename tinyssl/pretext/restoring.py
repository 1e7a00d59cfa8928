"""What tasks share that put a disordered image back: all but how it is disordered."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import models
from tinyssl.pretext.inputs import field_statistics
from tinyssl.task import Figures, Pretext
from tinyssl.training import to_tensor


class Restoring(Pretext):
    """Restore what the method's ``disorder(images, rng)`` did; L2 loss.

    Answers and errors are in units of each image's own deviation. Logged beside the
    loss: "copy", the error of returning the input; "swapped" and "copy_swapped", both
    inside what changed; "unswapped", outside it. A seam betrays a change: only the
    error inside says whether the network knows what belongs there.
    """

    main = "swapped"
    carries = ("encoder", "network")
    disordered: str  # what was done, for `describe`
    standardise: bool
    network: nn.Module

    @property
    def encoder(self) -> nn.Module:
        """What is carried to the target task: a U-Net whole, else the encoder."""
        restorer = isinstance(self.network, models.Restorer)
        return self.network.encoder if restorer else self.network

    def make_batch(self, images, rng):
        """Disorder each image; the targets are the images and where they changed."""
        disordered = self.disorder(images, rng)
        changed = (disordered != images).any(-1)  # (N, H, W)
        return disordered, (images, changed)

    def forward(self, inputs, targets):
        """Mean squared error in units of each image's own variance."""
        images, changed = targets  # (N, C, H, W), (N, 1, H, W)
        mean, deviation = field_statistics(inputs)
        wanted = (images - mean) / deviation
        given = (inputs - mean) / deviation
        restored = self.network(given if self.standardise else inputs)
        error = (restored - wanted).square().mean(1, keepdim=True)  # (N, 1, H, W)
        copied, count = F.mse_loss(given, wanted), changed.sum().clamp_min(1)
        return error.mean(), {
            "copy": copied,
            "swapped": (error * changed).sum() / count,
            "unswapped": (error * (1 - changed)).sum() / (1 - changed).sum(),
            "copy_swapped": copied * changed.numel() / count,
        }

    @torch.no_grad()
    def evaluate(self, images, rng) -> dict[str, Any]:
        """Disorder every image once; return the "mse" and what training logs."""
        self.eval()
        inputs, targets = to_tensor(self.make_batch(images, rng), self.device)
        loss, logs = self(inputs, targets)
        return {"mse": float(loss)} | {key: float(log) for key, log in logs.items()}

    @torch.no_grad()
    def restore(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the restored images, values in [0, 1] like the inputs."""
        mean, deviation = field_statistics(inputs)
        given = (inputs - mean) / deviation if self.standardise else inputs
        return (self.network(given) * deviation + mean).clamp(0, 1)

    def describe(self, scores, where) -> str:
        """Tell how far restoring beats copying, inside and outside what changed."""
        keys = ("swapped", "copy_swapped", "unswapped")
        inside, copied, outside = (np.mean([s[key] for s in scores]) for key in keys)
        return (
            f"{self.disordered}; the network puts them back. Mean squared error inside "
            f"the changed patches of the {where}: {inside:.3f}, where copying the "
            f"input leaves {copied:.3f}; outside them {outside:.3f}, where copying "
            "leaves 0 (in units of each image's variance)."
        )

    def figures(self, images, scores, *, rng) -> Figures:
        """Show images, disordered and restored ones, and where they are wrong."""
        from tinyssl import plots

        inputs, (images, changed) = self.make_batch(images, rng)
        restored = self.restore(to_tensor(inputs, self.device))
        restored = restored.permute(0, 2, 3, 1).cpu().numpy()
        figure = plots.restorations(images, inputs, restored, changed)
        caption = "Original, disordered (changed patches outlined), restored, error."
        return [(figure, caption)]
