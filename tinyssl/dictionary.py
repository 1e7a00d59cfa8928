"""The patch dictionary: filters learned in seconds, without a network or torch."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.sparse import csr_array

from tinyssl import _checks, _patches, _threads

RIDGE = 0.1  # added to the variance of each direction
TOP = 5  # responses whose mean tells of small things


@dataclass(kw_only=True, eq=False)
class PatchDictionary:
    """Learn filters from patches without labels; describe images by their responses.

    It fits into scikit-learn's pipelines and imports nothing of it. Images are
    (N, H, W), (N, H, W, C) or a list of any sizes: uint8, or floats in [0, 1]. Outside
    the field of view are patches with a black pixel, or dark ones (mean below .08).

    Parameters
    ----------
    num_filters, patch_size, stride : int
        K; pixels of a side; pixels from one patch to the next, for features.
    threshold : float; the response to a whitened patch z is relu(z . filter - it)
    num_patches, iterations : int; most to learn from, steps of spherical k-means
    filters : {"learned", "random", "patches"}
        The others are controls: random directions, patches as they were drawn.
    whiten : bool; False is a control: normalised patches stay as they are
    rng : numpy Generator or seed

    Attributes
    ----------
    mean_, whitening_, filters_ : (d,), (d, d), (K, d) arrays, d = patch_size**2 * C
        z = (x - mean_) @ whitening_ of a normalised patch x; filters have length 1.

    References
    ----------
    Coates, Lee, Ng: An analysis of single-layer networks in unsupervised feature
    learning, AISTATS 2011, section 3.
    """

    num_filters: int = 192
    patch_size: int = 6
    stride: int = 2
    threshold: float = 0.25
    num_patches: int = 40_000
    iterations: int = 8
    filters: str = "learned"
    whiten: bool = True
    rng: np.random.Generator | int = 0

    def get_params(self, deep=True):
        """Return the options by name; ``deep`` changes nothing."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params):
        """Change options; the filters stay until the next fit."""
        for name, value in params.items():
            _checks.choice("an option's name", name, [*self.get_params()])
            setattr(self, name, value)
        return self

    def fit(self, images, y=None):
        """Learn the filters; ``y`` is not looked at."""
        for name in ("num_filters", "patch_size", "stride", "num_patches"):
            _checks.integer(name, getattr(self, name), least=1)
        _checks.choice("filters", self.filters, ("learned", "random", "patches"))
        rng, K = _checks.generator(self.rng), self.num_filters
        x = _patches.sample(images, self.patch_size, self.num_patches, rng=rng)
        if len(x) < K:
            rule = f"have {K} patches or more in the field of view, one a filter"
            raise _checks.refusal("images", rule, len(x))
        d = x.shape[1]
        self.mean_, self.whitening_ = zca(x) if self.whiten else (x[0] * 0, np.eye(d))
        if self.filters == "random":
            self.filters_ = unit(rng.normal(size=(K, d)))
        else:
            steps = self.iterations if self.filters == "learned" else 0
            self.filters_ = spherical_kmeans(unit(self.whitened(x)), K, steps, rng=rng)
        self.projection_ = np.float32(self.whitening_ @ self.filters_.T)  # (d, K)
        self.offset_ = np.float32(self.mean_ @ self.projection_ + self.threshold)
        return self

    def whitened(self, x):
        """Whiten normalised patches (n, d)."""
        return _threads.product(x - np.float32(self.mean_), np.float32(self.whitening_))

    def features(self, images):
        """Return mean, root mean square and mean of the top 5 of each filter: (N, 3 K).

        The K means come first. Without a patch in the field of view all are 0.
        """
        if not hasattr(self, "projection_"):
            raise ValueError("features must come after fit(images), found no filters")
        d, K = self.projection_.shape
        images = _patches.as_list(images, self.patch_size, d)
        features = np.empty((len(images), 3 * K), np.float32)

        def work(start, stop):
            for n in range(start, stop):
                features[n] = self._pooled(images[n])

        _threads.spread(work, len(images))
        return features

    transform = features

    def _pooled(self, image):
        count, sums, top = 0, 0, np.zeros((TOP, len(self.offset_)), np.float32)
        for x in _patches.unfold(image, self.patch_size, self.stride):
            r = np.maximum(_threads.product(x, self.projection_) - self.offset_, 0)
            sums = sums + np.stack([r.sum(0), np.square(r).sum(0)])  # of (n, K)
            top = np.partition(np.concatenate([top, r]), -TOP, axis=0)[-TOP:]
            count += len(r)
        mean, square = sums / max(1, count)
        return np.concatenate([mean, np.sqrt(square), top.mean(0)])


def zca(x):
    """Return the mean (d,) of rows, and the symmetric matrix (d, d) that whitens."""
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    return x.mean(0), vectors / np.sqrt(values + RIDGE) @ vectors.T


def spherical_kmeans(points, K, steps, *, rng):
    """Group unit vectors by angle: K directions, first those of some points."""
    centres = points[rng.choice(len(points), K, replace=False)]
    ones, ends = np.ones(len(points), np.float32), np.arange(len(points) + 1)
    for _ in range(steps):
        nearest = _threads.product(points, centres.T).argmax(1)
        sums = csr_array((ones, nearest, ends), (len(points), K)).T @ points
        centres = np.where(sums.any(1, keepdims=True), unit(sums), centres)
    return centres


def unit(rows):
    """Return rows of length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
