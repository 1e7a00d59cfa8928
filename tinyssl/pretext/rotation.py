"""Rotation: which of four quarter turns was applied? (Gidaris et al. 2018)."""

import math
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.metrics import confusion_matrix
from tinyssl.pretext.inputs import standardised, turn_invariant_field
from tinyssl.task import Figures, Pretext
from tinyssl.training import to_tensor
from tinyssl.transforms import flip, rotate, sample_flips, sample_turns


class Rotation(Pretext):
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
    main = "accuracy"

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
            inputs = standardised(inputs)
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
        if self.hide_border:
            images = images * turn_invariant_field(images)[..., None]
        logits = torch.stack(
            [
                self.logits(to_tensor(rotate(images, turn), self.device)).cpu()
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

    def describe(self, scores: list[dict[str, Any]], where: str) -> str:
        """Say how many turns are answered right, and of a half turn."""
        right, half = (
            np.mean([s[key] for s in scores]) for key in ("accuracy", "accuracy_0_180")
        )
        return (
            f"Which quarter turn was applied? Right for {right:.1%} of the {where} "
            f"(chance 25 %), and for {half:.1%} when only 0 and 180 degrees are allowed "
            "(chance 50 %): a right eye turned by 180 degrees looks like a left eye, "
            "but for the fovea below the disc."
        )

    @torch.no_grad()
    def figures(self, images, scores, *, rng) -> Figures:
        """Show turned images with the answers, and which turns are confused."""
        from tinyssl import plots

        inputs, turns = self.make_batch(images, rng)
        answers = self.logits(to_tensor(inputs, self.device)).argmax(1).cpu().numpy()
        confusion = np.sum([s["confusion"] for s in scores], axis=0)
        labels = ["0°", "90°", "180°", "270°"]
        return [
            (
                plots.turns(inputs, turns, answers),
                "Turned images, the turn applied and the turn answered.",
            ),
            (plots.confusion(confusion, labels=labels), "Rows: the turn applied."),
        ]
