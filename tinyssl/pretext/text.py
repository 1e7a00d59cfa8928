"""Image-text contrast: which report belongs to which image? (Tiu et al. 2022)."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import ranks
from tinyssl.devices import in_float32, widened
from tinyssl.models.text import TextEncoder, tokenize
from tinyssl.pretext.inputs import seen
from tinyssl.pretext.views import sample_views
from tinyssl.task import Pretext
from tinyssl.training import to_tensor

PAIRS = 16  # of an image with its own report and another's, each asked


class ImageText(Pretext):
    """Bring an image near its report, away from other reports; two towers.

    Parameters
    ----------
    width : int, length of the vectors in which images and reports are compared

    Notes
    -----
    Symmetric cross-entropy over the N images and reports of a batch, of cosines times
    a learned scale. Reports that say the same have one vector: to count them as wrong
    changes no gradient, the pulls and pushes cancel. Views are not mirrored: reports
    name the side. Asked is which of two different reports is the image's own.

    References
    ----------
    Tiu et al.: Expert-level detection of pathologies from unannotated chest X-ray
    images via self-supervised learning, Nature Biomedical Engineering 6, 2022.
    """

    name, main, higher = "text", "accuracy", True
    columns = ("image", "report")
    chance = {"accuracy": 0.5}  # noqa: RUF012
    defaults = {"batch_size": 64}  # noqa: RUF012
    finding = (
        "Which of two different reports is the image's own? Right for {accuracy:.1%} "
        "of the questions asked of the {where} (chance 50 %); they have {reports:.0f} "
        "different reports."
    )

    def __init__(self, encoder: nn.Module, *, width: int = 64, standardise=False):
        super().__init__()
        self.encoder, self.standardise = encoder, standardise
        self.to_common = nn.Linear(encoder.num_features, width)
        self.text = TextEncoder(width=width)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def make_batch(self, images, reports, rng):
        """Show each image in a mild view with its report."""
        return sample_views(images, rng=rng, turn=False), tokenize(reports)

    def forward(self, images, tokens):
        """Cross-entropy over the reports of each image, the images of each report."""
        shown, said = self.embed_images(images), self.embed_texts(tokens)
        shown, said, tokens = map(ranks.gather, (shown, said, tokens))
        scale = self.log_scale.clamp(max=math.log(100)).exp()
        logits = scale * in_float32(torch.matmul, shown, said.T)  # (N, N)
        own = torch.arange(len(shown), device=logits.device)
        loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
        # Does the own report fit better than that of the next image, if they differ?
        asked = (tokens != tokens.roll(1, 0)).any(1)
        right = logits.diagonal() > logits.roll(-1, 1).diagonal()
        right = right[asked].float().sum() / asked.sum().clamp_min(1)
        return loss, {"accuracy": right, "scale": scale}

    def embed_images(self, images):
        """Return unit vectors of images: (N, width)."""
        return F.normalize(widened(self.to_common(seen(self, images))))

    def embed_texts(self, tokens):
        """Return unit vectors of texts: (N, width)."""
        return F.normalize(widened(self.text(tokens)))

    @torch.no_grad()
    def similarity(self, images, texts) -> np.ndarray:
        """Return the cosine of each image with each text: (N, T)."""
        said = self.embed_texts(to_tensor(tokenize(texts), self.device))
        return self.answers(lambda x: self.embed_images(x) @ said.T, images)

    def evaluate(self, images, reports, rng):
        """Ask of each image which of two reports that differ is its own."""
        reports = np.asarray(reports)
        cosine = self.similarity(images, reports)
        others = rng.integers(len(images), size=(len(images), PAIRS))
        asked = reports[others] != reports[:, None]
        own = np.diagonal(cosine)[:, None] > np.take_along_axis(cosine, others, 1)
        right = float(own[asked].mean()) if asked.any() else 0.5
        kinds = float(len(np.unique(reports)))
        return {"accuracy": right, "bar": 0.5, "reports": kinds}

    def figures(self, images, reports, scores, *, rng):
        """Show images over the report, of all shown here, that fits each best."""
        from tinyssl import plots

        said = reports[self.similarity(images, reports).argmax(1)]
        right = said == reports
        marks = np.where(right, np.char.add("✓ ", said), said).tolist()
        title = f"{right.sum()} of {len(images)} images get their own report"
        figure = plots.strip([images], titles=marks, title=title)
        return [(figure, "Images, and the best fitting of the reports shown here.")]
