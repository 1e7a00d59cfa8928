"""Rotation: which of four quarter turns was applied? (Gidaris et al. 2018)."""

import math
from typing import Any

import numpy as np
import torch
from scipy.ndimage import binary_erosion
from torch import nn
from torch.nn import functional as F

from tinyssl.metrics import confusion_matrix
from tinyssl.pretext.restoration import field_statistics
from tinyssl.training import to_tensor
from tinyssl.transforms import flip, rotate, sample_flips, sample_turns

LIT = 12  # of 255: pixels darker than this in every channel count as background


class Rotation(nn.Module):
    """Predict the quarter turn of an image; the label comes from the pixels.

    Images must be square with a centred field of view, as ``tinyssl.data`` makes
    them: an ellipse, from a squashed photograph, would give half the answer away.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
    hide_border : bool
        Blacken all that is lit in one orientation of the image and dark in
        another: the camera's notch, a date stamp, a field of view cut off at top
        and bottom. With False these shortcuts stay in, and solve the task.
    standardise : bool
        As `tinyssl.pretext.ContextRestoration` has it: as the target task will see.

    Notes
    -----
    Chance is loss ln 4 = 1.386 and accuracy 1/4. A right eye turned by 180 degrees
    looks like a left eye, but for the fovea below the disc; ``evaluate`` therefore
    reports the 4 x 4 confusion matrix and the accuracy within {0, 180} degrees.

    References
    ----------
    Gidaris, Singh, Komodakis: Unsupervised representation learning by predicting
    image rotations, ICLR 2018.
    """

    name = "rotation"
    chance = {"loss": math.log(4), "accuracy": 0.25}  # noqa: RUF012

    def __init__(
        self,
        encoder: nn.Module,
        *,
        hide_border: bool = True,
        standardise: bool = False,
    ):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.num_features, 4)
        self.hide_border = hide_border
        self.standardise = standardise

    def make_batch(
        self, images: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Turn each image by 0 to 3 quarter turns; the turns are the targets."""
        images = flip(images, sample_flips(len(images), rng=rng))
        if self.hide_border:
            images = images * turn_invariant_field(images)[..., None]
        turns = sample_turns(len(images), rng=rng)
        return rotate(images, turns), turns

    def forward(
        self, inputs: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Cross-entropy over the four turns."""
        logits = self.logits(inputs)  # (N, 4)
        loss = F.cross_entropy(logits, targets)
        accuracy = (logits.argmax(1) == targets).float().mean()
        return loss, {"accuracy": accuracy}

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Pool the features over space and score the four turns: (N, 4)."""
        if self.standardise:
            mean, deviation = field_statistics(inputs)
            inputs = (inputs - mean) / deviation
        features = self.encoder.features(inputs)  # (N, C, h, w)
        return self.head(features.mean((2, 3)))

    @torch.no_grad()
    def evaluate(self, images: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
        """Ask for all four turns of every image.

        Returns
        -------
        dict
            "accuracy"; "confusion", 4 lists of 4 counts, rows the turn applied; and
            "accuracy_0_180", choosing only between those two where one is true.
        """
        self.eval()
        device = self.head.weight.device
        if self.hide_border:
            images = images * turn_invariant_field(images)[..., None]
        logits = torch.stack(
            [
                self.logits(to_tensor(rotate(images, turn), device)).cpu()
                for turn in range(4)
            ],
            dim=1,
        )  # (N, 4 turns applied, 4 turns answered)
        answers = logits.argmax(2).numpy()
        truth = np.broadcast_to(np.arange(4), answers.shape)
        confusion = confusion_matrix(truth.ravel(), answers.ravel(), num_classes=4)
        half = logits[:, [0, 2]][:, :, [0, 2]].argmax(2).numpy()
        return {
            "accuracy": float((answers == truth).mean()),
            "accuracy_0_180": float((half == [0, 1]).mean()),
            "confusion": confusion.tolist(),
        }


def turn_invariant_field(images: np.ndarray) -> np.ndarray:
    """Mark the pixels that are lit in all four turns of their image.

    Parameters
    ----------
    images : (N, S, S, C) uint8 array

    Returns
    -------
    (N, S, S) bool array
        Equal to each of its own quarter turns, so it cannot tell them apart, and one
        pixel inside what is lit: the outermost pixel is a blend with black.

    Examples
    --------
    >>> image = np.full((1, 6, 6, 3), 200, np.uint8)
    >>> image[0, 0] = 0  # the camera cut off the top row
    >>> turn_invariant_field(image)[0].any(0).astype(int)
    array([0, 0, 1, 1, 0, 0])
    """
    lit = images.max(-1) > LIT  # (N, S, S)
    inside = binary_erosion(lit, np.ones((1, 3, 3)), border_value=1)
    half = inside & np.rot90(inside, 2, (1, 2))
    return half & np.rot90(half, 1, (1, 2))
