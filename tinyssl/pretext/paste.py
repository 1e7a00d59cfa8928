"""Anatomy-aware pasting: was a piece pasted into the image? (Sato et al. 2023)."""

import numpy as np
import torch
from torch import nn

from tinyssl.pretext.choice import Choice
from tinyssl.pretext.inputs import pooled, standardised
from tinyssl.transforms import cut_paste, sample_pastes


class AnatomyPaste(Choice):
    """Say whether a piece of the anatomy was pasted where it does not belong.

    Parameters
    ----------
    edge : int
        Pixels over which a piece fades out; a 24th of whole images. 0 is a hard border.
    jitter : float
        Largest change of a channel's gain; the paper's .1 hardly shows in an eye.
    region : (H, W) bool array, optional, the anatomy: pieces come from it and go to it

    Notes
    -----
    Each image is seen untouched and pasted (CutPaste: Li et al., CVPR 2021, eq. 1). A
    hard border is a cue, which real anomalies lack. The disc should be left out of the
    region, but a batch holds only images: now and then a second disc is the answer.
    Never select the model, its steps or its options on labelled anomalies.

    References
    ----------
    Sato et al.: Anatomy-aware self-supervised learning for anomaly detection in chest
    radiographs, iScience 26(7), 107086, 2023.
    """

    name = "paste"
    defaults = {"batch_size": 16}  # noqa: RUF012  # seen twice
    sized = {"edge": lambda side: max(1, side // 24)}  # noqa: RUF012
    finding = (
        "Was a piece pasted in? Right for {accuracy:.1%} (chance {bar:.1%}) of the "
        "{where}, each asked with and without. Of the pieces {found:.1%} were found, "
        "with a hard border {found_hard:.1%}; {false_alarms:.1%} of the untouched "
        "images seemed pasted."
    )

    def __init__(
        self,
        encoder: nn.Module,
        *,
        edge: int = 4,
        jitter: float = 0.3,
        region: np.ndarray | None = None,
        standardise: bool = False,
    ):
        super().__init__(encoder, 2)
        self.head = nn.Linear(2 * encoder.num_features, 2)
        self.edge, self.jitter = edge, jitter
        self.region, self.standardise = region, standardise

    def make_batch(self, images, rng):
        """Paste a piece in each image; targets are 0 for untouched, 1 for pasted."""
        pasted = cut_paste(images, *self.sample(images, rng), edge=self.edge)[0]
        return (images, pasted), np.tile([0, 1], (len(images), 1))  # (N, 2)

    def sample(self, images, rng):
        """Draw which piece of each image goes where, how opaque, in which colour."""
        options = {"rng": rng, "region": self.region, "jitter": self.jitter}
        return sample_pastes(len(images), images.shape[1:], **options)

    def forward(self, inputs, targets):
        """Cross-entropy of both answers, over the untouched and the pasted images."""
        return super().forward(torch.cat(list(inputs)), targets.T.flatten())

    def logits(self, inputs):
        """Score both answers by mean and maximum of the features: (N, 2)."""
        x = standardised(inputs) if self.standardise else inputs
        maps = self.encoder.features(x)
        return self.head(torch.cat([pooled(maps), maps.flatten(2).amax(2)], 1))

    def evaluate(self, images, rng):
        """Ask for each image untouched, with a piece, and with its border made hard."""
        self.eval()
        pastes = self.sample(images, rng)
        pasted, hard = (cut_paste(images, *pastes, edge=e)[0] for e in (self.edge, 0))
        said = [self.answer(x) for x in (images, pasted, hard)]
        keys = ("false_alarms", "found", "found_hard")
        shares = {k: float(x.mean()) for k, x in zip(keys, said, strict=True)}
        truth = np.repeat([0, 1], len(images))
        return self.marked(truth, np.concatenate(said[:2])) | shares

    def figures(self, images, scores, *, rng):
        """Show images without and with a piece, and which answers are confused."""
        pair, targets = self.make_batch(images, rng)
        labels, truth = ["untouched", "pasted"], targets.T.flatten()
        return self.shown([np.concatenate(pair)], truth, scores, labels, what="images")
