"""SimCLR: which of many views shows the same image? (Chen et al. 2020)."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import _checks, ranks
from tinyssl.devices import in_float32, widened
from tinyssl.pretext.pairs import TwoViews, groups_of, spread
from tinyssl.training import to_tensor


def similarities(z):
    """Return the cosines of embeddings (2N, d); none with itself."""
    z = F.normalize(widened(z))
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    return in_float32(torch.matmul, z, z.T).masked_fill(itself, -torch.inf)  # (2N, 2N)


def nt_xent(z, temperature):
    """Normalised, temperature-scaled cross-entropy over embeddings (2N, d)."""
    return F.cross_entropy(similarities(z) / temperature, pairs(z))


def pairs(z):
    """Return where the other view of each image is: N places on."""
    return torch.arange(len(z), device=z.device).roll(len(z) // 2)


class SimCLR(TwoViews):
    """Find the other view of the same image among the views of many.

    Parameters
    ----------
    temperature : float, divides cosines: the lower, the more the nearest others count
    encoder, standardise
        As `tinyssl.pretext.pairs.TwoViews`, which has area and colour too, and notes.

    Notes
    -----
    ``evaluate`` seeks among the views of 64 images, training among those of the batch,
    so that its accuracy there depends on the batch size. Colours alone find some: an
    untrained network is right for about an eighth of the synthetic eyes.

    References
    ----------
    Chen, Kornblith, Norouzi, Hinton: A simple framework for contrastive learning of
    visual representations, ICML 2020, section 2.
    """

    name = "simclr"
    finding = (
        "Which other view shows the same image? Right for {accuracy:.1%} of the "
        "{where} (chance {bar:.1%}). "
    ) + TwoViews.finding

    def __init__(self, encoder: nn.Module, *, temperature: float = 0.1, **views: Any):
        super().__init__(encoder, **views)
        self.temperature = _checks.positive("temperature", temperature)

    def make_batch(self, images, rng):
        """Draw two views of each image; that they are of one image is the label."""
        return self.make_views(images, rng), ()

    def forward(self, inputs, targets):
        """NT-Xent of all views."""
        return self.compare(ranks.gather(self.embed(inputs), parts=2))

    def compare(self, z):
        """Return the loss of embeddings (2N, d), and how many views find their pair."""
        right = similarities(z).argmax(1) == pairs(z)
        logs = {"accuracy": right.float().mean(), "spread": spread(z)}
        return nt_xent(z, self.temperature), logs

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Seek the pair of every view in groups of 64 images; the last is filled up."""
        self.eval()
        views = to_tensor(self.make_views(images, rng), self.device)
        z = torch.cat([self.embed((view,)) for view in views])  # (2N, d)
        N, groups = len(images), groups_of(len(images), rng)
        found = [self.compare(z[np.concatenate([g, g + N])]) for g in groups]
        rows = [logs | {"loss": loss} for loss, logs in found]
        scores = {k: float(sum(row[k] for row in rows)) / len(rows) for k in rows[0]}
        bar = 1 / (2 * groups.shape[1] - 1)
        return scores | {"bar": bar} | self.forgotten(images, rng)

    @torch.no_grad()
    def figures(self, images, scores, *, rng):
        """Show views, their pairs, and which view is nearest."""
        views, N = self.make_views(images, rng), len(images)
        z = self.embed(to_tensor(views, self.device))
        nearest = similarities(z)[:N].argmax(1).cpu().numpy()
        right = (nearest == np.arange(N, 2 * N)).sum()
        title = f"{right} of {N} views are nearest to their pair, among {2 * N - 1}"
        rows = {"view": views[0], "pair": views[1]}
        rows["nearest"] = np.concatenate(views)[nearest]
        caption = "Two views of each image, and the view nearest to the first."
        return self.strip(rows, title, caption)
