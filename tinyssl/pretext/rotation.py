"""Rotation: which of four quarter turns was applied? (Gidaris et al. 2018)."""

import math
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.metrics import confusion_matrix
from tinyssl.pretext.inputs import pooled, standardised, turn_invariant_field
from tinyssl.task import Figures, Pretext
from tinyssl.training import to_tensor
from tinyssl.transforms import flip, rotate, sample_flips, sample_turns


class Rotation(Pretext):
    """Predict the quarter turn of an image; the label comes from the pixels.

    Images must be square with a centred field of view, as ``tinyssl.data`` makes them.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
    hide_border : bool
        Blacken what is lit in one orientation of the image and dark in another: the
        camera's notch, a date stamp, a field of view cut off at top and bottom. With
        False these shortcuts stay in, and solve the task.
    standardise : bool
        As `tinyssl.pretext.ContextRestoration` has it: as the target task will see.

    Notes
    -----
    A squashed image would give half the answer away: its field is an ellipse. A right
    eye turned by 180 degrees looks like a left eye, but for the fovea below the disc:
    ``evaluate`` reports the accuracy within {0, 180} degrees too.

    References
    ----------
    Gidaris, Singh, Komodakis: Unsupervised representation learning by predicting
    image rotations, ICLR 2018.
    """

    name = "rotation"
    chance = {"loss": math.log(4), "accuracy": 0.25}  # noqa: RUF012
    main, higher = "accuracy", True

    def __init__(
        self, encoder: nn.Module, *, hide_border: bool = True, standardise: bool = False
    ):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.num_features, 4)
        self.hide_border = hide_border
        self.standardise = standardise

    def make_batch(self, images, rng):
        """Turn each image by 0 to 3 quarter turns; the turns are the targets."""
        images = self.hidden(flip(images, sample_flips(len(images), rng=rng)))
        turns = sample_turns(len(images), rng=rng)
        return rotate(images, turns), turns

    def hidden(self, images):
        """Blacken the border that would betray the turn."""
        if not self.hide_border:
            return images
        return images * turn_invariant_field(images)[..., None]

    def forward(self, inputs, targets):
        """Cross-entropy over the four turns."""
        logits = self.logits(inputs)
        accuracy = (logits.argmax(1) == targets).float().mean()
        return F.cross_entropy(logits, targets), {"accuracy": accuracy}

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Pool the features over space and score the four turns: (N, 4)."""
        inputs = standardised(inputs) if self.standardise else inputs
        return self.head(pooled(self.encoder.features(inputs)))

    @torch.no_grad()
    def evaluate(self, images, rng) -> dict[str, Any]:
        """Ask for all four turns; "accuracy_0_180" knows that it was one of the two."""
        self.eval()
        images = self.hidden(images)
        turned = (to_tensor(rotate(images, turn), self.device) for turn in range(4))
        logits = torch.stack([self.logits(inputs).cpu() for inputs in turned], dim=1)
        answers = logits.argmax(2).numpy()  # (N, 4 turns applied)
        truth = np.broadcast_to(np.arange(4), answers.shape)
        confusion = confusion_matrix(truth.ravel(), answers.ravel(), num_classes=4)
        half = logits[:, [0, 2]][:, :, [0, 2]].argmax(2).numpy()
        return {
            "accuracy": float((answers == truth).mean()),
            "bar": 0.25,
            "accuracy_0_180": float((half == [0, 1]).mean()),
            "confusion": confusion.tolist(),
        }

    def describe(self, scores, where) -> str:
        """Tell how many turns are answered right, and of a half turn."""
        keys = ("accuracy", "accuracy_0_180")
        right, half = (np.mean([s[key] for s in scores]) for key in keys)
        return (
            f"Which quarter turn was applied? Right for {right:.1%} of the {where} "
            f"(chance 25 %), and for {half:.1%} when only 0 and 180 degrees are "
            "allowed (chance 50 %): a right eye turned by 180 degrees looks like a "
            "left eye, but for the fovea below the disc."
        )

    @torch.no_grad()
    def figures(self, images, scores, *, rng) -> Figures:
        """Show turned images with the answers, and which turns are confused."""
        from tinyssl import plots

        inputs, turns = self.make_batch(images, rng)
        answers = self.logits(to_tensor(inputs, self.device)).argmax(1).cpu().numpy()
        confusion = np.sum([s["confusion"] for s in scores], axis=0)
        labels = ["0°", "90°", "180°", "270°"]
        table = plots.confusion(confusion, labels=labels)
        asked = {"labels": labels, "what": "rotations"}
        shown = plots.answered([inputs], turns, answers, **asked)
        caption = "Rotated images, the rotation applied and the one answered."
        return [(shown, caption), (table, "Rows: the turn applied.")]
