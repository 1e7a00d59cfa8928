"""Colourisation: which colours had this grey image? (Zhang et al. 2016)."""

import numpy as np
import torch

from tinyssl import ranks
from tinyssl.pretext.inputs import LIT, standardised
from tinyssl.task import OnNetwork, Pretext
from tinyssl.training import to_tensor
from tinyssl.transforms import flip, rotate, sample_flips, sample_turns


def split(images):
    """Return grey images; their chroma, red and blue minus grey; and where lit."""
    if images.shape[-1] != 3:
        raise ValueError(f"images must be RGB to be painted, found {images.shape}")
    images = np.float32(images) / (255 if images.dtype == np.uint8 else 1)
    grey = images.mean(-1, keepdims=True)  # the luminance
    return grey.repeat(3, -1), ((images - grey)[..., ::2], grey[..., 0] > LIT / 255)


class Colourisation(OnNetwork, Pretext):
    """Paint the chroma of square images whose luminance is shown; L2 on lit pixels.

    Parameters
    ----------
    network, standardise
        As `tinyssl.pretext.ContextRestoration` has them.

    Notes
    -----
    The paper classifies quantised colours; ours regresses two channels, dull where
    several colours may be. `fit` learns their mean, the bar, and variance, the unit of
    errors. All pixels together flatter: on synthetic eyes one straight line from the
    brightness of a pixel leaves .33 of the variance, 600 steps .31. So the 5 % farthest
    in chroma from the mean of their image, as on the disc, are scored as ``unusual``.

    References
    ----------
    Zhang, Isola, Efros: Colorful image colorization, ECCV 2016.
    """

    name, main, channels = "colourisation", "painted", 2
    carries = ("encoder", "network")
    logged = ("painted", "bar", "unusual", "unusual_bar")
    finding = (
        "Grey copies of the {where} are painted. Mean squared error {painted:.3f} (one "
        "mean colour: {bar:.3f}), at the 5 % of pixels with the most unusual colours "
        "{unusual:.3f} ({unusual_bar:.3f}), in units of the chroma's variance."
    )

    def __init__(self, network, *, standardise=False):
        super().__init__()
        self.network, self.standardise = network, standardise
        self.register_buffer("mean", torch.zeros(2, 1, 1))
        self.register_buffer("deviation", torch.ones(2, 1, 1))

    def fit(self, images, rng):
        """Learn mean and deviation of the chroma of lit pixels; refuse grey images."""
        parts = (split(image[::4, ::4]) for image in images)  # pixels enough
        lit = np.concatenate([chroma[where] for _, (chroma, where) in parts])
        if len(lit) == 0 or lit.std(0).max() < 1 / 255:
            raise ValueError("images must have colours to be painted, found grey ones")
        self.mean[:, 0, 0] = torch.from_numpy(lit.mean(0))
        self.deviation[:, 0, 0] = torch.from_numpy(lit.std(0).clip(1 / 255))

    def make_batch(self, images, rng):
        """Turn and mirror each image, then hide its colours: they are the targets."""
        flips, turns = (s(len(images), rng=rng) for s in (sample_flips, sample_turns))
        return split(rotate(flip(images, flips), turns))

    def forward(self, inputs, targets):
        """Mean squared error on lit pixels, in units of the chroma's variance."""
        chroma, lit = targets  # (N, 2, H, W), (N, 1, H, W)
        own = (chroma * lit).sum((2, 3), True) / lit.sum((2, 3), True).clamp_min(1)
        painted, bar, far = (
            ((answer - chroma) / self.deviation).square().mean(1, True)[lit > 0]
            for answer in (self.paint(inputs), self.mean, own)
        )  # (pixels,)
        few = far.topk(1 + len(far) // 20).indices
        logged = zip(self.logged, (painted, bar, painted[few], bar[few]), strict=True)
        share = lit.sum() / ranks.mean(lit.sum())  # of a slice, beside the others
        logs = {key: errors.mean() * share for key, errors in logged}
        return painted.mean() * share, logs

    def paint(self, inputs):
        """Return the chroma of grey images, (N, 2, H, W)."""
        x = standardised(inputs) if self.standardise else inputs
        return self.network(x)[:, :2] * self.deviation + self.mean  # a U-Net gives 3

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Paint every image once; return what training logs."""
        _, logs = self.eval()(*to_tensor(split(images), self.device))
        return {key: float(value) for key, value in logs.items()}

    @torch.no_grad()
    def figures(self, images, scores, *, rng):
        """Show images, what the network saw, what it painted, and the error."""
        grey, (chroma, lit) = split(images)
        answer = self.paint(to_tensor(grey, self.device)).movedim(1, -1).cpu().numpy()
        red, blue = np.moveaxis(answer * lit[..., None], -1, 0)
        painted = grey + np.stack([red, -red - blue, blue], -1)  # grey is the mean
        wrong = 4 * np.abs(answer - chroma).mean(-1, keepdims=True) * lit[..., None]
        left = np.mean([s["painted"] / s["bar"] for s in scores])
        title = f"Painting leaves {left:.0%} of the error of one mean colour"
        rows = {"image": images, "grey": grey, "painted": painted, "error × 4": wrong}
        caption = "Images, their luminance, painted, and what is wrong."
        return self.strip(rows, title, caption)
