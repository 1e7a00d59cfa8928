"""How well a network restores disordered images, beside returning its input.

Error inside the swapped patches and outside them, PSNR and SSIM an image; the Frechet
distance of the restored set to the original one, also between halves, for where the
same eyes stand on both sides it has no floor to be read beside.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tinyssl.downstream import comparison
from tinyssl.metrics import frechet_distance
from tinyssl.pretext import ContextRestoration
from tinyssl.training import to_tensor
from tinyssl.transforms import sample_swaps, swap_patches

WAYS = ("restored", "copy")  # copy: the disordered image as it is
SCORES = ("ssim", "mse", "mse_swapped", "mse_unswapped")
HALVINGS = 20


@dataclass(frozen=True, eq=False)
class Restored:
    """Images, what they were turned into, and what came back.

    Parameters
    ----------
    images, disordered, restored : (N, S, S, C) uint8 arrays
    swaps : (N, T, 4) int64 array
        Undo with ``swap_patches(disordered, swaps[:, ::-1], patch_size)``.
    """

    images: NDArray[np.uint8]
    disordered: NDArray[np.uint8]
    restored: NDArray[np.uint8]
    swaps: NDArray[np.int64]

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Where a swap moved another value to, (N, S, S)."""
        return (self.disordered != self.images).any(-1)


@torch.no_grad()
def disorder_and_restore(
    task: ContextRestoration,
    images: NDArray[np.uint8],
    *,
    numbers: NDArray[np.int64] | None = None,
    draw: int = 0,
    seed: int = 0,
    field: NDArray[np.bool_] | None = None,
    batch_size: int = 64,
) -> Restored:
    """Disorder every image once, let the network restore it, round to bytes.

    Parameters
    ----------
    task : ContextRestoration
        Its patch size, number of swaps and region are used.
    images : (N, S, S, C) uint8 array
    numbers : (N,) int array, optional
        Names an image to the generator: its swaps follow from (seed, draw, number)
        alone, not from the images beside it. Positions if left out.
    draw, seed : int
    field : (S, S) bool array, optional
        Restored images are black outside, as the originals are.
    batch_size : int

    Returns
    -------
    Restored
    """
    numbers = np.arange(len(images)) if numbers is None else numbers
    shape, size, T = images.shape[1:3], task.patch_size, task.num_swaps
    swaps = np.empty((len(images), T, 4), np.int64)
    for k, number in enumerate(numbers):
        rng = np.random.default_rng([seed, draw, number])
        swaps[k] = sample_swaps(shape, size, T, rng=rng, region=task.region)
    disordered = swap_patches(images, swaps, size)
    task.eval()
    device = next(task.parameters()).device
    restored = np.empty_like(disordered)
    for start in range(0, len(images), batch_size):
        part = slice(start, start + batch_size)
        answer = task.restore(to_tensor(disordered[part], device))  # (n, C, S, S)
        answer = answer.permute(0, 2, 3, 1).cpu().numpy()
        restored[part] = np.rint(255 * answer).astype(np.uint8)
    if field is not None:
        restored[:, ~field] = 0
    return Restored(np.asarray(images), disordered, restored, swaps)


def score_images(found: Restored) -> list[dict[str, dict[str, float]]]:
    """Score every image, restored and copied, against its original.

    Parameters
    ----------
    found : Restored

    Returns
    -------
    list of dict
        "restored" and "copy" of each: "ssim", "psnr", "mse", and "mse_swapped" inside
        and "mse_unswapped" outside the pixels that the swaps changed (nan where there
        are none). Errors are of values in [0, 1].
    """
    rows = []
    changed = found.changed
    for k, image in enumerate(found.images):
        row = {}
        for way, other in zip(WAYS, (found.restored, found.disordered), strict=True):
            scores = comparison.pair_scores(image, other[k])
            squared = np.square(image / 255 - other[k] / 255).mean(-1)  # (S, S)
            for key, where in (("swapped", changed[k]), ("unswapped", ~changed[k])):
                inside = squared[where]
                scores[f"mse_{key}"] = float(inside.mean()) if inside.size else np.nan
            row[way] = scores
        rows.append(row)
    return rows


def summarise(
    rows: list[dict[str, dict[str, float]]],
    *,
    groups: NDArray | None = None,
    rng: np.random.Generator | int = 0,
) -> dict[str, dict[str, dict[str, float]]]:
    """Average the scores with intervals: restored, copied, and restored minus copied.

    Parameters
    ----------
    rows : list of dict
        From `score_images`.
    groups : (N,) array, optional
        Images of one patient are drawn together.
    rng : numpy.random.Generator or int

    Returns
    -------
    dict
        A score to "restored", "copy" and "difference", each with "mean", "low", "high".
        Images without a changed pixel are left out of "mse_swapped".
    """
    table = {}
    for key in SCORES:
        values = {way: np.array([row[way][key] for row in rows]) for way in WAYS}
        values["difference"] = values["restored"] - values["copy"]
        known = np.isfinite(values["difference"])
        some = None if groups is None else groups[known]
        table[key] = {
            name: comparison.bootstrap(column[known], groups=some, rng=rng)
            for name, column in values.items()
        }
    return table


def set_distances(
    originals: NDArray,
    restored: NDArray,
    disordered: NDArray,
    *,
    groups: NDArray | None = None,
    rng: np.random.Generator | int = 0,
) -> dict[str, Any]:
    """Frechet distance of the restored and of the disordered set to the originals.

    Parameters
    ----------
    originals, restored, disordered : (N, d) float arrays
        Features of the same images in the same order.
    groups : (N,) array, optional
        Patients, never parted.
    rng : numpy.random.Generator or int

    Returns
    -------
    dict
        "n", "d"; "same": the distances with the same images on both sides, "restored"
        and "copy"; "halves": with the originals of one half of the patients on one
        side and the other half's images on the other, "restored", "copy" and "floor"
        (originals on both sides), each the mean of 20 random halvings with "low" and
        "high", where nine tenths of them lie. Left out with fewer than 4 patients.

    Notes
    -----
    With the same images on both sides what is peculiar to this sample cancels, and
    the distance may fall below that of two samples of one distribution. Between
    halves it can be read beside that floor. The spread of the halvings is no
    interval: they share their images.
    """
    rng = np.random.default_rng(rng)
    labels = np.arange(len(originals)) if groups is None else groups
    names = np.unique(labels)
    sets = {"restored": restored, "copy": disordered, "floor": originals}
    with comparison.known_bias():
        same = {way: frechet_distance(originals, sets[way]) for way in WAYS}
        halves: dict[str, list[float]] = {name: [] for name in sets}
        for _ in range(HALVINGS if len(names) > 3 else 0):
            drawn = rng.permutation(names)[: len(names) // 2]
            first = np.isin(labels, drawn)
            if min(first.sum(), (~first).sum()) < 2:
                continue
            for name, features in sets.items():
                found = frechet_distance(originals[first], features[~first])
                halves[name].append(found)
    result = {"n": len(originals), "d": originals.shape[1], "same": same}
    if halves["floor"]:
        result["halves"] = {name: spread(values) for name, values in halves.items()}
    return result


def spread(values: list[float]) -> dict[str, float]:
    """Return the mean, and where nine tenths of the values lie."""
    low, high = np.quantile(values, [0.05, 0.95])
    return {"mean": float(np.mean(values)), "low": float(low), "high": float(high)}
