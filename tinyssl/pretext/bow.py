"""Bag of words: which visual words does an image hold? (Gidaris et al. 2020)."""

import torch
from torch import nn

from tinyssl.pretext.inputs import seen
from tinyssl.pretext.views import sample_views
from tinyssl.pretext.words import COMPONENTS, Words
from tinyssl.task import Pretext
from tinyssl.training import to_tensor


class BagOfWords(Pretext):
    """Tell from a mild view of an image what a patch dictionary answers to the image.

    Parameters
    ----------
    num_filters : int, words of the dictionary, which is fitted before training
    patch_size, stride : int
        Side of a patch, pixels from one to the next; 5 and 1 at 28 to 32 pixels.

    Notes
    -----
    Pooled responses are a soft histogram; its principal components are the target, and
    the error of each counts by its deviation, s_k / s_1. Of the image itself the
    dictionary would answer them without an error; of a view its answer is another, more
    so than the mean histogram ("dictionary" beside "bar"). Grade with both.

    References
    ----------
    Gidaris, Bursuc, Komodakis, Pérez, Cord: Learning representations by predicting bags
    of visual words, CVPR 2020, section 3 (there words are of a network's features).
    """

    name, main = "bow", "error"
    finding = (
        "From a turned and cropped view of an image a network tells its histogram of "
        "visual words, as 64 components. On the {where} it errs by {error:.2f} (R2 "
        "{r2:.2f}), of the mean histogram {bar:.2f}; the dictionary, shown the same "
        "views, errs by {dictionary:.2f}."
    )

    def __init__(
        self,
        encoder: nn.Module,
        *,
        num_filters: int = 192,
        patch_size: int = 6,
        stride: int = 2,
        standardise: bool = False,
    ):
        super().__init__()
        self.encoder, self.standardise = encoder, standardise
        self.words = Words(num_filters, patch_size, stride)
        self.head = nn.Linear(encoder.num_features, COMPONENTS)

    def fit(self, images, rng):
        """Learn the words, and the components of their histograms."""
        self.words.fit(images, rng)

    def make_batch(self, images, rng):
        """Draw a mild view of each image; the image's own histogram is the target."""
        return sample_views(images, rng=rng), self.words.histograms(images)

    def forward(self, inputs, targets):
        """Squared error of the components, weighted by their deviations."""
        error = self.error(self.answers(inputs), targets)
        return error, {"error": error.detach()}

    def error(self, answers, targets):
        """Return the mean squared error, each component by its weight."""
        squares, weights = (answers - targets).square().mean(0), self.words.weights
        return (squares * weights).sum() / weights.sum()

    def answers(self, inputs):
        """Pool the features over space and predict the components: (N, 64)."""
        return self.head(seen(self, inputs))

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Score one view of each image; "dictionary" answers the same views."""
        self.eval()
        views, targets = self.make_batch(images, rng)
        batch = (views, targets, self.words.histograms(views))
        inputs, wanted, copied = to_tensor(batch, self.device)
        error, bar = self.error(self.answers(inputs), wanted), self.error(0, wanted)
        scores = {"error": error, "bar": bar, "r2": 1 - error / bar}
        scores["dictionary"] = self.error(copied, wanted)
        return {name: float(value) for name, value in scores.items()}

    @torch.no_grad()
    def figures(self, images, scores, *, rng):
        """Show images and views with the first component, told and true."""
        from tinyssl import plots

        views, targets = self.make_batch(images, rng)
        told = self.answers(to_tensor(views, self.device)).cpu().numpy()
        pairs = zip(targets[:, 0], told[:, 0], strict=True)
        titles = [f"true {a:+.1f}, told {b:+.1f}" for a, b in pairs]
        title = f"Of the histogram's variance {scores[0]['r2']:.0%} is told"
        rows, how = [images, views], {"names": ("image", "view"), "titles": titles}
        caption = "The first component of the histogram: of the image, from the view."
        return [(plots.strip(rows, title=title, **how), caption)]
