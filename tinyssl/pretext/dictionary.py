"""The patch dictionary: filters found by k-means in seconds (Coates et al. 2011)."""

import numpy as np
import torch

from tinyssl import _patches, models
from tinyssl.dictionary import PatchDictionary, unit
from tinyssl.task import Pretext


class Dictionary(Pretext):
    """Find filters that patches look like; no network is trained, `fit` does it all.

    Parameters
    ----------
    encoder, standardise : Module, bool
        Give way to a `tinyssl.models.FilterBank`, which normalises each patch.
    num_filters : int, maps that the encoder has
    patch_size, stride : int
        Side of a patch, pixels from one to the next; 5 and 1 at 28 to 32 pixels.

    References
    ----------
    Coates, Lee, Ng: An analysis of single-layer networks in unsupervised feature
    learning, AISTATS 2011, section 3.
    """

    name, main, higher, trains = "dictionary", "explained", True, False
    finding = (
        "The best of all learned filters explains {explained:.0%} of a whitened patch "
        "of the {where} (of its squared length), the best of as many random filters "
        "{bar:.0%}, of as many other patches {patches:.0%}."
    )

    def __init__(
        self,
        encoder,
        *,
        num_filters: int = 192,
        patch_size: int = 6,
        stride: int = 2,
        standardise: bool = False,
    ):
        super().__init__()
        shape = {"num_filters": num_filters, "patch_size": patch_size, "stride": stride}
        config = self.encoder_config(getattr(encoder, "config", {}), **shape)
        self.encoder, self.shape = models.from_config(config), shape
        K, d = num_filters, self.encoder.weight[0].numel()
        for name, size in {"mean": d, "whitening": (d, d), "filters": (K, d)}.items():
            self.register_buffer(name, torch.zeros(size))

    @classmethod
    def encoder_config(cls, config, **options):
        """Return that of a bank of filters."""
        options["in_channels"] = config.get("in_channels", 3)
        return models.FilterBank(**options).config

    def fit(self, images, rng):
        """Find the filters; the encoder takes them over."""
        found = PatchDictionary(**self.shape, rng=rng).fit(images)
        self.encoder.take(found)
        for name, buffer in self.named_buffers():
            buffer.copy_(torch.as_tensor(getattr(found, f"{name}_")))

    def evaluate(self, images, rng):
        """Score filters by the share of each whitened patch that the best explains."""
        mean, whitening, learned = (x.cpu().numpy() for x in self.buffers())
        x = _patches.sample(images, self.shape["patch_size"], 10_000, rng=rng)
        some, z = np.split(rng.permutation(x - mean) @ whitening, [len(learned)])
        random = unit(rng.normal(size=learned.shape))
        kinds = {"explained": learned, "bar": random, "patches": unit(some)}
        best = {kind: (z @ filters.T).max(1) for kind, filters in kinds.items()}
        return {k: float((p**2).sum() / (z**2).sum()) for k, p in best.items()}

    def figures(self, images, scores, *, rng):
        """Show learned filters above random ones."""
        learned, size = self.filters.cpu().numpy(), self.shape["patch_size"]
        both = np.stack([learned[:8], unit(rng.normal(size=learned[:8].shape))])
        rows = (0.5 + 2 * both).reshape(*both.shape[:2], size, size, -1)
        rows = dict(zip(("learned", "random"), rows, strict=True))
        title = "Learned filters explain {explained:.0%} of a patch, random {bar:.0%}"
        caption = "The first filters of each kind, for whitened patches."
        return self.strip(rows, title.format(**scores[0]), caption)
