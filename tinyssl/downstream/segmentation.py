"""Segmentation of vessels and lesions: patches in, whole images out.

Input
    Each colour brought to zero mean and unit deviation around each pixel:
    illumination and camera go, vessels stay. Blood is darkest in green; red shows
    the choroid behind the retina, whose vessels are not to be found.
    ``prepare`` does it once an image.
Loss
    Cross-entropy plus soft Dice. Cross-entropy is proper, so the probabilities rank
    (AUC); Dice is the number that is reported, and is not swamped by the nine pixels
    in ten that are background.
Threshold
    0.6, chosen once on children held out of CHASE_DB1's training part, where Dice
    peaks at 0.6 to 0.7: soft Dice lifts probabilities. Nothing is chosen on the
    images that are scored.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn
from torch.nn import functional as F

from tinyssl import metrics
from tinyssl.downstream.patches import cut_patches, move_to_objects, sample_corners
from tinyssl.downstream.thin_vessels import thin_vessels
from tinyssl.training import to_tensor
from tinyssl.transforms import rotate, sample_turns

NEUTRAL, DEVIATION = 128, 32  # bytes of the local mean and of one deviation from it
THRESHOLD = 0.6  # a pixel is a vessel from this probability on


def prepare(
    image: NDArray[np.uint8], region: NDArray[np.bool_], *, sigma: float | None = None
) -> NDArray[np.uint8]:
    """Even out local mean and local contrast, each colour by itself.

    Parameters
    ----------
    image : (H, W, C) uint8 array
    region : (H, W) bool array
        Field of view; pixels outside it do not take part and come out neutral.
    sigma : float, optional
        Radius of the neighbourhood in pixels; 1/40 of the field's width if None.

    Returns
    -------
    (H, W, C) uint8 array
        128 is the local mean, 32 one local deviation; clipped at 4 deviations.

    Examples
    --------
    >>> photograph = np.full((40, 40, 3), 90, np.uint8)
    >>> photograph[:, 20] = 60  # a vessel
    >>> prepared = prepare(photograph, np.ones((40, 40), bool), sigma=5)
    >>> bool(prepared[0, 20, 0] < 64), bool(prepared[0, 10, 0] > 127)
    (True, True)
    """
    if sigma is None:
        sigma = np.ptp(np.flatnonzero(region.any(0))) / 40
    inside = region[..., None].astype(np.float32)

    def local(values):
        return ndimage.gaussian_filter(values, (sigma, sigma, 0), truncate=3)

    weight = np.maximum(local(inside), 1e-3)
    centred = (image - local(image * inside) / weight) * inside
    deviation = np.sqrt(local(centred * centred) / weight)
    scaled = NEUTRAL + DEVIATION * centred / np.maximum(deviation, 1.0)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


class Segmentation(nn.Module):
    """Find one kind of object: a logit a pixel, learnt on patches of labelled images.

    Parameters
    ----------
    network : Module
        Maps (N, C, H, W) to (N, 1, H, W) logits: ``UNet`` or ``DenseUNet``.
    patch_size : int
        Side of the training patches in pixels.
    augment : bool
        Draw one of the eight flips and turns, brightness and contrast.
    focus : float
        Share of the patches drawn so that they hold the object: 0 for vessels, which
        are everywhere; a lesion covers one pixel in a thousand.

    Examples
    --------
    >>> from tinyssl.models import UNet
    >>> task = Segmentation(UNet(in_channels=1, widths=(4, 8)), patch_size=16)
    >>> image, region = np.zeros((40, 50, 1), np.uint8), np.ones((40, 50), bool)
    >>> pixels, (mask, inside) = task.make_batch([image], [region], [region], rng=0)
    >>> pixels.shape, mask.shape, inside.shape
    ((1, 16, 16, 1), (1, 16, 16), (1, 16, 16))
    """

    name = "segmentation"
    chance: dict[str, float] = {}  # noqa: RUF012

    def __init__(
        self,
        network: nn.Module,
        *,
        patch_size: int = 64,
        augment: bool = True,
        focus: float = 0.0,
    ):
        super().__init__()
        self.network = network
        self.patch_size = patch_size
        self.augment = augment
        self.focus = focus

    def make_batch(self, images, masks, regions, rng):
        """Cut a patch out of each prepared image, its mask and its field of view."""
        rng = np.random.default_rng(rng)
        size = self.patch_size
        corners = sample_corners(regions, size, rng=rng)
        if self.focus:
            corners = move_to_objects(corners, masks, size, share=self.focus, rng=rng)
        pixels = cut_patches(images, corners, size)
        layers = [cut_patches(m, corners, size) for m in (masks, regions)]
        layers = np.stack(layers, -1)  # (N, s, s, 2)
        if self.augment:
            N = len(pixels)
            mirrored = (rng.random(N) < 0.5)[:, None, None, None]
            turns = sample_turns(N, rng=rng)
            pixels, layers = (
                rotate(np.where(mirrored, a[:, :, ::-1], a), turns)
                for a in (pixels, layers)
            )
            gains = rng.uniform(0.8, 1.25, (N, 1, 1, 1))
            offsets = rng.uniform(-16, 16, (N, 1, 1, 1))
            adjusted = NEUTRAL + gains * (pixels - float(NEUTRAL)) + offsets
            pixels = np.clip(np.rint(adjusted), 0, 255).astype(np.uint8)
        return pixels, (layers[..., 0], layers[..., 1])

    def forward(self, inputs, targets):
        """Cross-entropy plus soft Dice over the pixels of the field of view."""
        masks, regions = targets  # (N, 1, H, W) each
        logits = self.logits(inputs)
        entropy = F.binary_cross_entropy_with_logits(logits, masks, reduction="none")
        entropy = (entropy * regions).sum() / regions.sum()
        found = torch.sigmoid(logits) * regions
        wanted = masks * regions
        overlap = 2 * (found * wanted).sum() + 1
        dice = overlap / (found.sum() + wanted.sum() + 1)
        logs = {"entropy": entropy.detach(), "soft_dice": dice.detach()}
        return entropy + 1 - dice, logs

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Standardise prepared images in [0, 1] and return (N, 1, H, W) logits."""
        return self.network((255 * inputs - NEUTRAL) / DEVIATION)


@torch.no_grad()
def predict(
    task: Segmentation,
    image: NDArray[np.uint8],
    *,
    patch_size: int = 64,
    stride: int = 48,
    views: int = 1,
    batch_size: int = 32,
) -> NDArray[np.float32]:
    """Return the probability of a vessel at each pixel of a whole image.

    Parameters
    ----------
    task : Segmentation
        Put into evaluation mode.
    image : (H, W, C) uint8 array
        As `prepare` returns it.
    patch_size, stride : int
        Overlapping patches are averaged; the weight falls smoothly from a patch's
        middle to its rim, where it has seen the least.
    views : int
        The mean over that many views of each patch, 1 to 8: its quarter turns, then
        those of its mirror image. Time grows in proportion.
    batch_size : int
        Patches at a time.

    Returns
    -------
    (H, W) float32 array, values in [0, 1]

    Raises
    ------
    ValueError
        If the stride would leave gaps between the patches, or views is not 1 to 8.

    Examples
    --------
    >>> from tinyssl.models import UNet
    >>> task = Segmentation(UNet(in_channels=1, widths=(4, 8)))
    >>> predict(task, np.zeros((70, 50, 1), np.uint8)).shape
    (70, 50)
    """
    if not 1 <= stride <= patch_size:
        raise ValueError(
            f"stride must lie in 1..patch_size, found {stride} with patches of "
            f"{patch_size}"
        )
    if not 1 <= views <= 8:
        raise ValueError(f"views must lie in 1..8, found {views}")
    task.eval()
    H, W, _ = image.shape
    # reflect, so that each pixel lies near the middle of some patch
    margin = patch_size // 2
    tops, lefts = (np.arange(0, side + stride, stride) for side in (H, W))
    height, width = int(tops[-1]) + patch_size, int(lefts[-1]) + patch_size
    rims = (margin, height - margin - H), (margin, width - margin - W), (0, 0)
    padded = np.pad(image, rims, mode="reflect")
    hill = np.sin(np.pi * (np.arange(patch_size) + 0.5) / patch_size) ** 2
    window = np.outer(hill, hill).astype(np.float32)

    total = np.zeros((height, width), np.float32)
    weight = np.zeros((height, width), np.float32)
    corners = np.stack(np.meshgrid(tops, lefts, indexing="ij"), -1).reshape(-1, 2)
    for first in range(0, len(corners), batch_size):
        some = corners[first : first + batch_size]
        patches = cut_patches([padded] * len(some), some, patch_size)
        found = _mean_over_views(task, patches, views)
        for (y, x), patch in zip(some, found, strict=True):
            place = np.s_[y : y + patch_size, x : x + patch_size]
            total[place] += window * patch
            weight[place] += window
    inner = np.s_[margin : margin + H, margin : margin + W]
    return total[inner] / weight[inner]


def _mean_over_views(task, patches, views):
    """Return the probabilities of (N, s, s, C) patches, each seen several ways."""
    inputs = to_tensor(patches, next(task.parameters()).device)  # (N, C, s, s)
    total = 0
    for view in range(views):
        mirrored = inputs.flip(3) if view >= 4 else inputs
        found = torch.sigmoid(task.logits(mirrored.rot90(view % 4, (2, 3))))
        found = found.rot90(-(view % 4), (2, 3))
        total = total + (found.flip(3) if view >= 4 else found)
    return (total[:, 0] / views).cpu().numpy()


def evaluate(
    probability: NDArray[np.floating],
    mask: NDArray[np.bool_],
    region: NDArray[np.bool_],
    *,
    threshold: float = THRESHOLD,
    thin: float | None = None,
) -> dict[str, float]:
    """Score one image inside its field of view.

    Parameters
    ----------
    probability : (H, W) float array, values in [0, 1]
    mask : (H, W) bool array
        What the observer drew.
    region : (H, W) bool array
        Field of view: the black surround is no achievement and does not count.
    threshold : float
        A pixel is a vessel from here on. Fixed beforehand, or chosen on training
        images; never on those that are scored.
    thin : float, optional
        Width in pixels below which a vessel is thin: adds "thin_recall".

    Returns
    -------
    dict of float
        "dice", "auc", "sensitivity", "specificity" and "accuracy". Accuracy is given
        because papers print it: finding nothing at all scores about 0.9. Where the
        mask is empty, "dice", "auc" and "sensitivity" are nan: the image has nothing
        to overlap with; its false alarms lower the specificity. "thin_recall" is the
        share found of the pixels of vessels narrower than `thin`.

    Examples
    --------
    >>> mask = np.array([[True, True, False, False]])
    >>> region = np.array([[True, True, True, False]])
    >>> scores = evaluate(np.array([[0.9, 0.2, 0.1, 0.8]]), mask, region)
    >>> scores["sensitivity"], scores["specificity"], scores["auc"]
    (0.5, 1.0, 1.0)
    """
    found = probability >= threshold
    truth, answer = mask[region].astype(int), found[region].astype(int)
    drawn = bool(truth.any())
    scores = {
        "dice": metrics.dice(mask, found, region=region) if drawn else np.nan,
        "auc": metrics.roc_auc(truth, probability[region]),
        "sensitivity": metrics.sensitivity(mask, found, region=region),
        "specificity": metrics.specificity(mask, found, region=region),
        "accuracy": metrics.accuracy(truth, answer),
    }
    if thin is not None:
        narrow = thin_vessels(mask, width=thin)
        scores["thin_recall"] = metrics.sensitivity(narrow, found, region=region)
    return {name: float(score) for name, score in scores.items()}
