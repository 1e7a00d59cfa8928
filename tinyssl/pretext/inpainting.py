"""Inpainting: paint what was cut out of an image (Pathak et al. 2016)."""

import numpy as np
import torch
from scipy.ndimage import binary_dilation

from tinyssl import ranks
from tinyssl.pretext.inputs import field_statistics
from tinyssl.task import OnNetwork, Pretext
from tinyssl.training import to_tensor
from tinyssl.transforms import mask_blocks, sample_blocks


class Inpainting(OnNetwork, Pretext):
    """Paint a block that was cut out of an image; L2 loss inside the hole only.

    Parameters
    ----------
    network : Module
        As `tinyssl.pretext.ContextRestoration` has it, and ``standardise`` too.
    area : float, largest share of the image that a hole takes; the least is half of it
    region : (H, W) bool array, optional, which holds the holes: a black corner is none

    Notes
    -----
    The hole is filled with the mean colour of the ring around it, so that copying the
    input scores the bar, logged as ``ring``. A loss over the whole image looks far
    better, as most of it is a copy: ``whole`` is what it would say of these answers.
    Units are the variance of each image with its hole filled: nothing the network sees
    may know what was there. L2 paints the mean of what might be there, a blur; the
    adversarial loss that sharpens it in the paper is left as reading.

    References
    ----------
    Pathak et al.: Context encoders: feature learning by inpainting, CVPR 2016.
    """

    name, main, bar = "inpainting", "inside", "ring"
    carries = ("encoder", "network")
    finding = (
        "A block was cut out of each image; the network paints it. Mean squared error "
        "inside the holes of the {where}: {inside:.3f}, where the mean colour around "
        "them leaves {ring:.3f} (in units of each image's variance). Over whole "
        "images, most of them a copy, it would read {whole:.3f}."
    )

    def __init__(self, network, *, area: float = 0.1, region=None, standardise=True):
        super().__init__()
        self.network, self.standardise = network, standardise
        self.area, self.region = area, region

    @classmethod
    def build(cls, encoder, *, standardise=True, **options):
        """As of any task, but standardised if not told."""
        return super().build(encoder, standardise=standardise, **options)

    def make_batch(self, images, rng):
        """Cut a hole into each image; the targets are the images and their holes."""
        asked = {"area": (self.area / 2, self.area), "region": self.region}
        blocks = sample_blocks(len(images), images.shape[1:3], rng=rng, **asked)
        holed, holes = mask_blocks(images, blocks)  # (N, H, W, C), (N, H, W)
        rings = binary_dilation(holes, np.ones((1, 7, 7))) & ~holes  # 3 pixels wide
        rings &= True if self.region is None else self.region
        if not rings.any((1, 2)).all():
            rule = "area must leave some of the region around each hole"
            raise ValueError(f"{rule}, found none at area {self.area:g}")
        for image, hole, ring in zip(holed, holes, rings, strict=True):
            image[hole] = image[ring].mean(0)  # one colour
        return holed, (images, holes)

    def forward(self, inputs, targets):
        """Mean squared error inside the holes, in units of each image's variance."""
        images, holes = targets  # (N, C, H, W), (N, 1, H, W)
        (_, deviation), count = field_statistics(inputs), ranks.mean(holes.sum())

        def error(answer):
            squared = ((answer - images) / deviation).square().mean(1, keepdim=True)
            return (squared * holes).sum() / count

        inside, ring = error(self.paint(inputs)), error(inputs)
        whole = inside.detach() * (count / holes.numel())  # all but the holes is copied
        return inside, {"inside": inside, "ring": ring, "whole": whole}

    def paint(self, inputs):
        """Return what the network would paint, (N, C, H, W) about [0, 1]."""
        mean, deviation = field_statistics(inputs)
        given = (inputs - mean) / deviation if self.standardise else inputs
        return self.network(given) * deviation + mean

    @torch.no_grad()
    def figures(self, images, scores, *, rng):
        """Show images, their holes, what is painted there, and where it is wrong."""
        from tinyssl import plots

        holed, (images, holes) = self.make_batch(images, rng)
        x, mask = to_tensor((holed, holes), self.device)
        painted = torch.where(mask > 0, self.paint(x).clamp(0, 1), x).movedim(1, -1)
        left = self.means(scores)["inside"] / self.means(scores)["ring"]
        title = f"Painting leaves {left:.0%} of the error of one mean colour"
        figure = plots.restorations(images, holed, painted.cpu(), holes, title=title)
        caption = "Original, hole in the mean colour around it (copy), painted, error."
        return [(figure, caption)]
