"""Visual words: what a patch dictionary answers to an image, as few components."""

from hashlib import blake2b

import numpy as np
import torch
from torch import nn

from tinyssl.dictionary import PatchDictionary

COMPONENTS = 64
LEAST = 0.01  # of the deviation of the first component: less is rounding


class Words(nn.Module):
    """A dictionary and the principal components of its answers, kept in buffers."""

    def __init__(self, num_filters, patch_size, stride):
        super().__init__()
        shape = {"num_filters": num_filters, "patch_size": patch_size, "stride": stride}
        self.dictionary, self.known = PatchDictionary(**shape), {}
        K, d = num_filters, 3 * patch_size**2
        sizes = {"projection": (d, K), "offset": K, "mean": 3 * K, "deviation": 3 * K}
        sizes |= {"axes": (3 * K, COMPONENTS), "weights": COMPONENTS}
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size))

    def fit(self, images, rng):
        """Fit the dictionary, then the components of what it answers to the images."""
        shown = [coloured(image) for image in images]
        x = self.dictionary.set_params(rng=rng).fit(shown).features(shown)  # (N, 3 K)
        mean, deviation = x.mean(0), np.maximum(x.std(0), 1e-6)
        # Axes of the standardised answers, at deviation 1: 64, or as many as there are
        squares, axes = np.linalg.eigh(np.cov(((x - mean) / deviation).T, bias=True))
        s = np.sqrt(np.maximum(squares[::-1][:COMPONENTS], 0))
        weights = np.where(s > LEAST * s[0], s / s[0], 0)
        axes = axes[:, ::-1][:, :COMPONENTS] / np.where(weights > 0, s, np.inf)
        learned = {"mean": mean, "deviation": deviation, "axes": axes}
        learned |= {"weights": weights, "offset": self.dictionary.offset_}
        learned |= {"projection": self.dictionary.projection_}
        for name, buffer in self.named_buffers():
            value = np.zeros(buffer.shape, np.float32)
            value[..., : learned[name].shape[-1]] = learned[name]
            buffer.copy_(torch.from_numpy(value))
        pairs = zip(images, x, strict=True)
        self.known = {digest(image): self.components(row) for image, row in pairs}

    def components(self, row):
        """Return the components (64,) of one answer (3 K,)."""
        known = (self.mean, self.deviation, self.axes)
        mean, deviation, axes = (tensor.cpu().numpy() for tensor in known)
        return (row - mean) / deviation @ axes

    def histograms(self, images):
        """Return the components of each image (N, 64): as fitted, or computed anew."""
        return np.stack([self.histogram(image) for image in images])

    def histogram(self, image):
        """Return the components of one image; no other image changes a bit of them."""
        found = self.known.get(digest(image))
        if found is not None:
            return found
        if not self.weights.any():
            raise ValueError("fit(images) must come before batches, found no words")
        self.dictionary.projection_ = self.projection.cpu().numpy()
        self.dictionary.offset_ = self.offset.cpu().numpy()
        return self.components(self.dictionary.features([coloured(image)])[0])


def coloured(image):
    """Return an image (H, W, C) with three channels."""
    return np.broadcast_to(image, (*image.shape[:2], 3))


def digest(image):
    """Return a name for the content of an image."""
    return blake2b(np.ascontiguousarray(image), digest_size=16).digest()
