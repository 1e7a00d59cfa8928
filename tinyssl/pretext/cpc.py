"""CPC: which patch lies below the next row? (van den Oord et al. 2018)."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import _checks, ranks
from tinyssl.devices import in_float32, widened
from tinyssl.pretext.inputs import pooled, standardised
from tinyssl.pretext.patches import cut_grids
from tinyssl.task import Pretext
from tinyssl.training import to_tensor

GRID, VIEW = 5, 16  # rows R and columns C; pixels across at which a patch is seen


class CPC(Pretext):
    """From the rows of patches above, tell a patch further down from all others.

    Parameters
    ----------
    patch_size, encoder, region, standardise
        As `tinyssl.pretext.RelativePosition`; patches overlap by half, 2/9 of an image.
    skip : int, rows left out above the one predicted; with 0 shared pixels betray it

    Notes
    -----
    The loss is over all patches asked for in the batch, "accuracy" over those of the
    same image. In training an encoder's BatchNorm lets rows above know a little of
    those below; scores are made in evaluation mode, where nothing leaks.

    References
    ----------
    van den Oord, Li, Vinyals: Representation learning with contrastive predictive
    coding, 2018. Henaff: Data-efficient image recognition with CPC, ICML 2020.
    """

    name, main, higher = "cpc", "accuracy", True
    defaults = {"batch_size": 16}  # noqa: RUF012
    sized = {"patch_size": lambda side: 2 * max(2, side // 9)}  # noqa: RUF012
    finding = (
        "From the rows above, which of {task.classes} patches lies further down? Right "
        "for {accuracy:.1%} in the {where} (chance {bar:.1%})."
    )

    def __init__(
        self,
        encoder: nn.Module,
        *,
        patch_size: int = 10,
        skip: int = 1,
        region: np.ndarray | None = None,
        standardise: bool = False,
    ):
        super().__init__()
        self.patch_size = _checks.integer("patch_size", patch_size, 2)
        self.below = 1 + _checks.integer("skip", skip, 0, GRID - 2)
        self.region, self.standardise = region, standardise
        self.encoder, D = encoder, encoder.num_features
        self.norm, self.predict = nn.LayerNorm(D), nn.Conv2d(D, D, 1)  # linear
        self.above = nn.ModuleList(nn.Conv2d(D, D, 3) for _ in range(2))
        self.classes = (GRID - self.below) * GRID  # K, asked for in each image
        self.chance = {"accuracy": 1 / self.classes}

    def make_batch(self, images, rng):
        """Cut patches (N, R, C, s, s, channels); the places of those asked for."""
        patches = cut_grids(images, self.patch_size, GRID, region=self.region, rng=rng)
        return patches, np.tile(np.arange(self.classes), (len(images), 1))  # (N, K)

    def forward(self, inputs, targets):
        """InfoNCE over all patches of the batch that are asked for."""
        logits, targets = self.logits(inputs), ranks.gather(targets)  # (N, K, N, K)
        itself = torch.arange(targets.numel(), device=targets.device)
        loss = F.cross_entropy(logits.flatten(2).flatten(0, 1), itself)
        right = logits.diagonal(0, 0, 2).argmax(1) == targets.T  # (K, N)
        return loss, {"accuracy": right.float().mean()}

    def logits(self, inputs):
        """Compare K predictions for each image with K patches: (N, K, N, K)."""
        x = inputs.movedim(1, 3).flatten(0, 2)  # (N R C, channels, s, s)
        x = standardised(x) if self.standardise else x
        x = F.interpolate(x, (VIEW, VIEW), mode="bilinear")
        z = self.norm(pooled(self.encoder.features(x)))
        z = seen = z.unflatten(0, (-1, GRID, GRID)).movedim(-1, 1)  # (N, D, R, C)
        for layer in self.above:  # a row sees itself and those above, none below
            seen = seen + layer(F.pad(seen, (1, 1, 2, 0))).relu()
        pair = self.predict(seen)[:, :, : -self.below], z[:, :, self.below :]
        said, true = (
            ranks.gather(F.normalize(widened(x.flatten(2)))) for x in pair
        )  # (N, D, K)
        cosine = in_float32(torch.einsum, "ndk,mdj->nkmj", said, true)
        return cosine / 0.1  # temperature

    @torch.no_grad()
    def answer(self, patches):
        """Return which of its image's patches each prediction is nearest: (N, K)."""
        self.eval()
        some = np.array_split(patches, -(-len(patches) // 16))
        own = [self.logits(to_tensor(x, self.device)).diagonal(0, 0, 2) for x in some]
        return torch.cat([x.argmax(1).T for x in own]).cpu().numpy()

    def evaluate(self, images, rng):
        """Pick every patch that is asked for among those of its image."""
        patches, truth = self.make_batch(images, rng)
        right = (self.answer(patches) == truth).mean()
        return {"accuracy": float(right), "bar": 1 / self.classes}

    def figures(self, images, scores, *, rng):
        """Show the patches asked for in one image, and those that were picked."""
        from tinyssl import plots

        patches, (truth,) = self.make_batch(images[:1], rng)
        (said,), asked = self.answer(patches), np.concatenate(patches[0, self.below :])
        labels = [f"{1 + k // GRID + self.below}/{1 + k % GRID}" for k in truth]
        shown = plots.answered([asked, asked[said]], truth, said, labels=labels)
        return [(shown, "Patches (row/column), and those picked, from rows above.")]
