"""Compare two folders of images, real and generated, in your own code.

    python examples/compare_folders.py REAL GENERATED [SIZE]

Needs tinyssl[torch]. Prints SSIM of the images whose names agree, beside that of the
same images paired at random; the Frechet distance of the two sets, with n, d, the
features, its interval and what chance alone gives. `tinyssl compare` does the same
with a report. Without arguments it makes two small folders of synthetic eyes.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from tinyssl.compare.comparison import (
    bootstrap,
    pair_scores,
    set_distance,
    verdict,
)
from tinyssl.compare.features import RandomNetwork, extract
from tinyssl.compare.image_sets import open_images, pairs_of
from tinyssl.data import toy


def make_folders(root):
    """Save synthetic eyes, one of each patient, and the same a little blurred."""
    for name in ("real", "generated"):
        (root / name).mkdir()
    for number, eye in enumerate(toy.fundus(160, size=48, rng=0).images[::2]):
        image = Image.fromarray(eye)
        image.save(root / f"real/{number:03d}.png")
        small = image.resize((32, 32)).resize((48, 48))
        small.save(root / f"generated/{number:03d}.png")
    return root / "real", root / "generated"


def compare(real, generated, size=None):
    """Print what the pairs and the sets say."""
    sets = [open_images(path, size=size) for path in (real, generated)]
    print(f"{len(sets[0])} and {len(sets[1])} images")

    pairs = pairs_of(*sets)  # (P, 2): positions of equal names
    others = np.column_stack([pairs[:, 0], np.roll(pairs[:, 1], 1)])
    for words, places in (("paired by name", pairs), ("paired at random", others)):
        scores = [pair_scores(sets[0][i], sets[1][j])["ssim"] for i, j in places]
        found = bootstrap(scores, rng=0)
        print(f"SSIM, {len(places)} {words}: {found['mean']:.3f}")

    # Rows of pairs first, in one order: then images are exchanged within the pair
    rest = [np.setdiff1d(range(len(s)), pairs[:, k]) for k, s in enumerate(sets)]
    order = [np.concatenate([pairs[:, k], rest[k]]) for k in (0, 1)]
    dim = min(64, max(2, min(map(len, sets)) // 4))  # four images a feature
    features = [
        extract(images, RandomNetwork(), dim=dim)[places]
        for images, places in zip(sets, order, strict=True)
    ]
    found = set_distance(*features, pairs=len(pairs), rng=0)
    print(
        f"Frechet distance {found['distance']:.3g} "
        f"[{found['low']:.3g}, {found['high']:.3g}], n = {found['n1']} and "
        f"{found['n2']}, d = {found['d']}, random network of seed 0"
    )
    chance = np.quantile(found["exchanged"], [0.05, 0.95])
    print(f"by chance alone {chance[0]:.3g} to {chance[1]:.3g}")
    print(verdict(found))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        compare(*sys.argv[1:3], *map(int, sys.argv[3:4]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(*make_folders(Path(folder)))
