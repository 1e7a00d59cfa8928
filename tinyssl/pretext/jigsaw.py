"""Jigsaw: in which order are the tiles of an image? (Noroozi and Favaro 2016)."""

import numpy as np
import torch
from torch import nn

from tinyssl.pretext.choice import Choice, enlarged
from tinyssl.pretext.inputs import levelled, pooled, standardised
from tinyssl.pretext.tiles import cut_tiles, lay_tiles
from tinyssl.training import to_tensor
from tinyssl.transforms import permutation_set, sample_permutations


class Jigsaw(Choice):
    """Say by which permutation of a fixed set the tiles of an image were shuffled.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
        Of volumes, in 2 x 2 x 2 cells, if its ``dims`` is 3; else of images, in 3 x 3.
    num_permutations : int, size of the set: the classes
    region : (H, W) bool array, optional, in which all tiles lie

    Notes
    -----
    A tile has .85 of the side of its cell, in the region half, and lies anywhere in it,
    so that no edge goes on in the next. It is standardised and freed of the slope of
    its light: eyes are darker at the rim, and slopes alone put 94 % of synthetic ones
    in order. A set drawn anew for each batch means nothing: one is saved with the rest.

    References
    ----------
    Noroozi, Favaro: Unsupervised learning of visual representations by solving jigsaw
    puzzles, ECCV 2016. Taleb et al.: 3D self-supervised methods for medical imaging,
    NeurIPS 2020.
    """

    name, volumes = "jigsaw", True
    defaults = {"batch_size": 16}  # noqa: RUF012
    finding = (
        "How were the tiles shuffled? Right for {accuracy:.1%} of the {where}, each "
        "shuffled in {task.classes} ways (chance {bar:.1%}); {placed:.1%} of "
        "the tiles are put back in their place."
    )

    def __init__(self, encoder, *, num_permutations: int = 100, region=None):
        if num_permutations < 2:
            raise ValueError(f"num_permutations must be >= 2, found {num_permutations}")
        super().__init__(encoder, num_permutations)
        self.region, D = region, encoder.num_features
        L, P = {2: 9, 3: 8}[self.dims], num_permutations
        self.register_buffer("permutations", torch.tensor(permutation_set(L, P)))
        self.head = nn.Sequential(nn.Linear(L * D, 256), nn.ReLU(), nn.Linear(256, P))

    def make_batch(self, images, rng):
        """Cut each image into tiles and shuffle them; by what, is the target."""
        tiles, orders = self.cut(images, rng), self.permutations.cpu().numpy()
        labels, orders = sample_permutations(len(tiles), orders, rng=rng)
        return tiles[np.arange(len(tiles))[:, None], orders], labels

    def cut(self, images, rng):
        """Return tiles in reading order, (N, 9, s, s, C) or (N, 8, d, h, w, C)."""
        if images.ndim != (axes := self.dims + 2):
            raise ValueError(f"images must have {axes} axes, found {images.ndim}")
        share = 0.85 if self.region is None else 0.5
        return cut_tiles(images, share, rng=rng, region=self.region)

    def logits(self, inputs):
        """Score the permutations: (N, P)."""
        return self.head(self.look(inputs).flatten(1))

    def look(self, inputs):
        """Return the features (N, L, D) of tiles (N, C, L, s, s), each by itself."""
        x = levelled(standardised(inputs.transpose(1, 2).flatten(0, 1)))
        return pooled(self.encoder.features(enlarged(x))).unflatten(
            0, (len(inputs), -1)
        )

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Shuffle every image by all permutations; "placed" is the share of tiles."""
        tiles, orders = self.cut(images, rng), self.permutations  # (P, L)
        seen = torch.cat([self.look(x) for x in self.batches(tiles, 32)])  # (N, L, D)
        said = torch.stack([self.head(seen[:, p].flatten(1)).argmax(1) for p in orders])
        right = (orders[said] == orders[:, None]).float()  # (P, N, L)
        accuracy, placed = float(right.amin(2).mean()), float(right.mean())
        return {"accuracy": accuracy, "bar": 1 / len(orders), "placed": placed}

    @torch.no_grad()
    def figures(self, images, scores, *, rng):
        """Show shuffled tiles, and how they are put back."""
        tiles, _ = self.make_batch(images, rng)
        said = self.logits(to_tensor(tiles, self.device)).argmax(1)
        back = self.permutations[said].argsort(1).cpu().numpy()  # (N, L)
        ordered = tiles[np.arange(len(tiles))[:, None], back]
        rows = {"shuffled": lay_tiles(tiles), "put back": lay_tiles(ordered)}
        title = f"{self.means(scores)['accuracy']:.0%} of images put in order"
        caption = "Images in shuffled tiles, and as these are put back."
        return self.strip(rows, title, caption)
