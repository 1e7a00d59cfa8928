"""Rotation: which quarter turn was applied? (Gidaris et al. 2018)."""

import numpy as np
import torch
from torch import nn

from tinyssl.pretext.choice import Choice
from tinyssl.pretext.inputs import seen, turn_invariant_field
from tinyssl.training import to_tensor
from tinyssl.transforms import flip, rotate, sample_flips

# Plane and number of turns of each class; the first four are those of images
TURNS = [(None, k) for k in range(4)]
TURNS += [(plane, k) for plane in ((1, 2), (1, 3)) for k in (1, 2, 3)]


class Rotation(Choice):
    """Predict the quarter turn of an image, with a centred field of view.

    Of volumes, for an encoder with ``dims`` of 3, there are ten classes: none, or one
    to three turns in one of three planes.

    Parameters
    ----------
    hide_border : bool
        Blacken what is lit in one orientation of the image and dark in another: the
        camera's notch, a date stamp, a field of view cut off at top and bottom. With
        False these shortcuts stay in, and solve the task.

    Notes
    -----
    A squashed image gives half the answer away: its field is an ellipse; so do voxels
    that are longer one way. A right eye turned by 180 degrees looks like a left eye,
    but for the fovea below the disc: the accuracy within {0, 180} is reported too.

    References
    ----------
    Gidaris, Singh, Komodakis: Unsupervised representation learning by predicting
    image rotations, ICLR 2018.
    """

    name, volumes = "rotation", True
    finding = (
        "Which of {task.classes} quarter turns was applied? Right for {accuracy:.1%} "
        "(chance {bar:.1%}) of the {where}, and for {accuracy_0_180:.1%} when only 0 "
        "and 180 degrees are allowed (chance 50 %)."
    )

    def __init__(
        self, encoder: nn.Module, *, hide_border: bool = True, standardise: bool = False
    ):
        super().__init__(encoder, 4 if getattr(encoder, "dims", 2) == 2 else len(TURNS))
        self.head = nn.Linear(encoder.num_features, self.classes)
        self.hide_border, self.standardise = hide_border, standardise

    def make_batch(self, images, rng):
        """Turn each image, mirrored or not; the turns are the targets."""
        N, shape = len(images), images.shape
        rows = images.reshape(N, -1, *shape[-2:])  # slices of a volume in a column
        images = self.hidden(flip(rows, sample_flips(N, rng=rng)).reshape(shape))
        turns = rng.integers(self.classes, size=N)
        return self.turned(images, turns), turns

    def turned(self, images, turns):
        """Turn square images, or cubes, as their classes say."""
        if len({*images.shape[1:-1]}) > 1:
            found = f"found {images.shape[1:-1]}"
            raise ValueError(f"images must be square, volumes cubes, {found}")
        out = np.empty_like(images)
        for k, (axes, quarter) in enumerate(TURNS[: self.classes]):
            out[turns == k] = rotate(images[turns == k], quarter, axes=axes)
        return out

    def hidden(self, images):
        """Blacken the border that would betray the turn."""
        if not self.hide_border or self.dims == 3:
            return images
        return images * turn_invariant_field(images)[..., None]

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Pool the features over space and score the turns: (N, 4 or 10)."""
        return self.head(seen(self, inputs))

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Ask for all turns; "accuracy_0_180" knows that it was one of the two."""
        self.eval()
        images, classes = self.hidden(images), range(self.classes)
        every = (self.turned(images, np.full(len(images), k)) for k in classes)
        logits = [self.logits(to_tensor(x, self.device)).cpu() for x in every]
        logits = torch.stack(logits, dim=1)  # (N, applied, scored)
        truth, answers = np.tile(classes, len(images)), logits.argmax(2).numpy()
        half = logits[:, [0, 2]][:, :, [0, 2]].argmax(2).numpy()
        scores = {"accuracy_0_180": float((half == [0, 1]).mean())}
        return scores | self.marked(truth, answers.ravel())

    def figures(self, images, scores, *, rng):
        """Show turned images with the answers, and which turns are confused."""
        inputs, turns = self.make_batch(images, rng)
        labels = ["0°", "90°", "180°", "270°"]
        if self.dims == 3:
            labels = ["0°", *(f"{a} {d}°" for a in "DWH" for d in (90, 180, 270))]
        return self.shown([inputs], turns, scores, labels, what="rotations")
