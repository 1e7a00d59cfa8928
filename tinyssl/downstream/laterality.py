"""Laterality: is it a right or a left eye? The view a photograph shows."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import metrics
from tinyssl.training import to_tensor
from tinyssl.transforms import adjust, sample_adjustments

EYES = ("left", "right")  # 0 and 1


class Laterality(nn.Module):
    """Tell right eyes from left ones: one logit an image.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
    augment : bool
        Mirror, which turns a right eye into a left one and its label with it;
        brightness and contrast.

    Notes
    -----
    In an upright photograph the disc of a right eye lies on the right: so left and
    right half are pooled apart, where a mean over all would forget the side. Every
    labelled image serves as both eyes, so that one alone shows both classes.

    Examples
    --------
    >>> from tinyssl.models import sononet_small
    >>> task = Laterality(sononet_small(), augment=False)
    >>> x = torch.zeros(2, 3, 32, 32)
    >>> task.logits(x).shape
    torch.Size([2])
    """

    name = "laterality"
    chance = {"loss": 0.6931, "accuracy": 0.5}  # noqa: RUF012 - ln 2

    def __init__(self, encoder: nn.Module, *, augment: bool = True):
        super().__init__()
        self.encoder = encoder
        self.augment = augment
        self.linear = nn.Linear(2 * encoder.num_features, 1)

    def make_batch(self, images, eyes, rng):
        """Mirror half of the images and exchange their labels."""
        if self.augment:
            rng = np.random.default_rng(rng)
            mirrored = rng.random(len(images)) < 0.5
            images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
            eyes = np.where(mirrored, 1 - eyes, eyes)
            images = adjust(images, *sample_adjustments(len(images), rng=rng))
        return images, eyes

    def forward(self, inputs, targets):
        """Cross-entropy of the two eyes."""
        logits = self.logits(inputs)
        loss = F.binary_cross_entropy_with_logits(logits, targets.float())
        return loss, {"accuracy": ((logits > 0) == (targets > 0)).float().mean()}

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Pool the features of each half of the image; positive says right: (N,)."""
        features = self.encoder.features(inputs)  # (N, C, h, w)
        halves = F.adaptive_avg_pool2d(features, (1, 2)).flatten(1)
        return self.linear(halves)[:, 0]


@torch.no_grad()
def predict(
    task: Laterality, images: np.ndarray, *, batch_size: int = 64
) -> np.ndarray:
    """Return the probability of a right eye, (N,) float64.

    The mirror image must say the opposite, so the two answers are averaged.
    """
    task.eval()
    device = next(task.parameters()).device
    answers = []
    for start in range(0, len(images), batch_size):
        x = to_tensor(images[start : start + batch_size], device)
        logits = (task.logits(x) - task.logits(x.flip(3))) / 2
        answers.append(torch.sigmoid(logits).cpu().double().numpy())
    return np.concatenate(answers)


def evaluate(eyes_true: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Score answers: accuracy, and the area under the ROC curve.

    Examples
    --------
    >>> evaluate(np.array([0, 1, 1]), np.array([0.2, 0.9, 0.4]))["accuracy"]
    0.6666666666666666
    """
    answers = (probability > 0.5).astype(int)
    return {
        "accuracy": float(metrics.accuracy(eyes_true, answers)),
        "auc": float(metrics.roc_auc(eyes_true, probability)),
    }
