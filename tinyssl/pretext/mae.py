"""Masked autoencoder: predict the patches that were taken out (He et al. 2022)."""

import numpy as np
import torch
from torch import nn

from tinyssl import ranks
from tinyssl.pretext import tokens
from tinyssl.pretext.inputs import standardised
from tinyssl.task import Pretext
from tinyssl.training import to_tensor
from tinyssl.transforms import mask_patches, patchify, sample_mask, unpatchify


class MaskedAutoencoder(Pretext):
    """Predict masked patches, each at mean 0 and variance 1, from the visible ones.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
        A ViT encodes visible patches only; others see black, their maps are resized.
    patch_size : int
        Side of the patches in pixels: a ViT's own, else an eighth of whole images.
    mask_ratio : float, share of patches to mask: only these count, none can be copied
    channels : int, of the images; 3 on the command line
    region, standardise : as `tinyssl.pretext.ContextRestoration` has them
        Black patches outside the region are not shown, predicted or counted.

    Notes
    -----
    Predicting each patch's own mean costs 1 ("flat"), the mean of other eyes' patches
    there, the bar, .03: nearly all of the variance is between red, green and blue. A
    run with ``pretrain toy:700 --task mae --size 64`` takes .74 GB (`getrusage`).

    References
    ----------
    He et al.: Masked autoencoders are scalable vision learners, CVPR 2022.
    """

    name, main, bar, betas = "mae", "masked", "mean_patch", (0.9, 0.95)
    finding = (
        "Error in masked patches of the {where}: {masked:.3f}; of the mean patch: "
        "{bar:.3f}."
    )
    defaults = {"encoder": "vit", "steps": 1200}  # noqa: RUF012

    def __init__(
        self,
        encoder: nn.Module,
        *,
        patch_size: int = 8,
        mask_ratio: float = 0.75,
        channels: int = 3,
        region: np.ndarray | None = None,
        standardise: bool = False,
    ):
        super().__init__()
        if (own := getattr(encoder, "patch_size", patch_size)) != patch_size:
            raise ValueError(f"patch_size must be the ViT's, {own}, found {patch_size}")
        self.encoder, P = encoder, patch_size**2 * channels
        self.decoder = tokens.TokenDecoder(encoder.num_features, P)
        self.patch_size, self.mask_ratio = patch_size, mask_ratio
        self.region, self.standardise = region, standardise

    @classmethod
    def build(cls, encoder, *, image_size, **options):
        """Cut patches as the encoder does, else eight a side."""
        own = {"patch_size": getattr(encoder, "patch_size", max(4, image_size // 8))}
        return cls(encoder, **own | options)

    def make_batch(self, images, rng):
        """Blacken all but visible patches; the targets are all, and who is masked."""
        p = self.patch_size
        H, W = (side // p * p for side in images.shape[1:3])  # whole patches
        region = np.ones((H, W), bool) if self.region is None else self.region[:H, :W]
        images, draw = images[:, :H, :W], {"mask_ratio": self.mask_ratio, "rng": rng}
        masked = sample_mask(len(images), (H, W), p, region=region, **draw)  # (N, L)
        visible = ~masked & patchify(region[None], p).any(-1)
        inputs = mask_patches(images, ~visible, p), visible
        return inputs, (patchify(images, p), masked)

    def forward(self, inputs, targets):
        """Mean squared error of masked patches, in units of each one's variance."""
        patches, masked = targets[0][:, 0], targets[1]  # (N, L, P), (N, L)
        wanted, _, _ = tokens.normalised(patches)
        N = ranks.count() * len(wanted)
        others = (ranks.total(wanted.sum(0)) - wanted) / max(1, N - 1)
        errors = (self.predict(*inputs) - wanted, others - wanted, wanted)
        count = ranks.mean(masked.sum())
        costs = ((e.square().mean(2) * masked).sum() / count for e in errors)
        logs = dict(zip(("masked", "mean_patch", "flat"), costs, strict=True))
        return logs["masked"], logs

    def predict(self, images, visible):
        """Answer all patches, masked or not: (N, L, P)."""
        x = standardised(images) if self.standardise else images
        grid = [side // self.patch_size for side in x.shape[2:]]
        known = tokens.encode_visible(self.encoder, x, visible, grid)  # (N, L, D)
        return self.decoder(known, visible, grid)

    @torch.no_grad()
    def figures(self, images, scores, *, rng):
        """Show images, what was visible, and masked patches as they were predicted."""
        batch = to_tensor(self.make_batch(images, rng), self.device)
        (x, visible), (patches, _) = batch
        patches, seen = patches[:, 0], visible[..., None] > 0
        _, mean, deviation = tokens.normalised(patches)
        made = (self.predict(x, visible) * deviation + mean).clamp(0, 1)
        rows = {"original": patches, "visible": patches * seen}
        rows["predicted"] = torch.where(seen, patches, made)
        how = self.patch_size, (*x.shape[2:], x.shape[1])
        rows = {k: unpatchify(row.cpu().numpy(), *how) for k, row in rows.items()}
        caption = "Each predicted patch has the original's mean and contrast."
        return self.strip(rows, self.describe(scores, "images"), caption)
