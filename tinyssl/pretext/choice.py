"""What pretext tasks share whose answer is one of K: a turn, a place, an order."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.metrics import confusion_matrix
from tinyssl.task import Figures, Pretext
from tinyssl.training import to_tensor

VIEW = {2: 32, 3: 16}  # pixels across at which a network sees a smaller patch
MODE = {2: "bilinear", 3: "trilinear"}


class Choice(Pretext):
    """A pretext task with ``logits(inputs)``, (N, K), that says which of K it was.

    ``dims`` is 3 where the encoder is for volumes, and says so.
    """

    main, higher = "accuracy", True

    def __init__(self, encoder: nn.Module, classes: int):
        super().__init__()
        self.encoder, self.classes = encoder, classes
        self.dims = getattr(encoder, "dims", 2)
        self.chance = {"loss": math.log(classes), "accuracy": 1 / classes}

    def forward(self, inputs, targets):
        """Cross-entropy over the K answers."""
        logits = self.logits(inputs)
        accuracy = (logits.argmax(1) == targets).float().mean()
        return F.cross_entropy(logits, targets), {"accuracy": accuracy}

    @torch.no_grad()
    def answer(self, inputs) -> np.ndarray:
        """Return the likeliest answers to NumPy inputs: (N,) int."""
        return self.logits(to_tensor(inputs, self.device)).argmax(1).cpu().numpy()

    def marked(self, truth, said) -> dict:
        """Return the share of right answers, chance, and who is taken for whom."""
        confusion = confusion_matrix(truth, said, num_classes=self.classes).tolist()
        right = float((truth == said).mean())
        return {"accuracy": right, "bar": 1 / self.classes, "confusion": confusion}

    def shown(self, rows, truth, scores, labels, **asked) -> Figures:
        """Show inputs with their answers, and which answers are confused."""
        from tinyssl import plots

        inputs = rows[0] if len(rows) == 1 else tuple(rows)
        said = self.answer(inputs)
        answers = plots.answered(rows, truth, said, labels=labels, **asked)
        confusion = np.sum([s["confusion"] for s in scores], axis=0)
        table = plots.confusion(confusion, labels=list(labels))
        caption = "What was asked, the true answer, and another where it was given."
        return [(answers, caption), (table, "Rows: what was true.")]


def enlarged(x: torch.Tensor) -> torch.Tensor:
    """Show patches smaller than `VIEW`, of images or volumes, at that size."""
    dims = x.ndim - 2
    size = [max(side, VIEW[dims]) for side in x.shape[2:]]
    return F.interpolate(x, size, mode=MODE[dims])
