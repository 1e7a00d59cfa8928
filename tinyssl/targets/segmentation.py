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

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn
from torch.nn import functional as F

from tinyssl import metrics, models
from tinyssl.cases import Cases, Reading, gather
from tinyssl.data import Table, load_images
from tinyssl.data.copies import thumbnails
from tinyssl.data.images import field_of_view, read_image, read_mask
from tinyssl.data.resize import resize, working_shape
from tinyssl.jobs import cores
from tinyssl.pretext.patches import cut_patches, move_to_objects, sample_corners
from tinyssl.summary import Metric
from tinyssl.targets.thin_vessels import thin_vessels, thin_width
from tinyssl.targets.tiling import blend, mean_over_views
from tinyssl.task import Figures, Target
from tinyssl.training import to_tensor
from tinyssl.transforms import rotate, sample_turns

NEUTRAL, DEVIATION = 128, 32  # bytes of the local mean and of one deviation from it
THRESHOLD = 0.6  # a pixel is a vessel from this probability on
FIELD_WIDTH = 540  # pixels: that of DRIVE, where the field measures its vessels
# Pixels across the field of view at which a network looks; 0 is the image's own. A
# microaneurysm is gone where an optic disc fits a patch.
FIELD_WIDTHS = {"MA": 0, "OD": 180}
WORDS = {
    "vessel": "Vessels",
    "MA": "Microaneurysms",
    "HE": "Haemorrhages",
    "EX": "Hard exudates",
    "SE": "Soft exudates",
    "OD": "Optic disc",
}
EVERYWHERE = ("vessel",)  # the others are looked for: half of the patches hold them


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


class Segmentation(Target):
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
    title = "Segmentation with few labelled images"
    columns = ("image", "mask", "region")
    metrics = {  # noqa: RUF012
        "dice": Metric("Dice"),
        "thin_recall": Metric("thin recall"),
        "average_precision": Metric("average precision"),
        "auc": Metric("AUC", chance=0.5),
        "sensitivity": Metric("sensitivity"),
        "specificity": Metric("specificity"),
        "accuracy": Metric("accuracy"),
    }
    defaults = {  # noqa: RUF012
        "encoder": "unet",
        "images": (1, 2, 5, "all"),
        "repeats": 5,
        "steps": 150,
        "all_steps": 1500,
        "batch_size": 16,
        "folds": 0,
    }
    probes = keeps = False

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
        self.views = 1

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

    @classmethod
    def read(
        cls,
        table: Table,
        reading: Reading,
        *,
        mask: str = "vessel",
        field_width: int | None = None,
    ) -> Cases:
        """Read images, at the width at which a network looks, and one kind of mask.

        Parameters
        ----------
        table, reading
            As for every target. Without folds the official test images are held out,
            or else those of the last fifth of the patients in the order of their
            names.
        mask : str
            What to find. Training images are those that show it; all held-out images
            are scored, and the false alarms in those that do not show it count.
        field_width : int, optional
            Pixels across the field of view at which the network looks; 0 is the
            images' own; by the mask if not given.
        """
        width = FIELD_WIDTHS.get(mask, FIELD_WIDTH) if field_width is None else field_width
        images, fields = read_fields(table, width)
        columns = {"image": images, "region": shrunk(fields, images, 0.5)}
        shows = np.zeros(len(table), bool)
        if reading.labelled:
            drawn = read_masks(table, mask, fields)
            shows = np.array([m.any() for m in drawn])
            columns |= {"mask": shrunk(drawn, images), "truth": drawn, "field": fields}
            second = table.masks.get(f"{mask}_2nd")
            if second is not None and all(item is not None for item in second):
                columns["second"] = [loaded(item, read_mask) for item in second]
        held = held_out(table)
        if held.all() and not reading.folds:
            raise ValueError(f"{table.root}: all images are of one patient")
        return gather(
            table,
            reading,
            columns,
            labelled=shows,
            scored=np.full(len(table), reading.labelled),
            held=held,
            small=thumbnails(load_images(table, 96)[0]),
            mask=mask,
            field_width=width,
            patch_size=64,
        )

    @classmethod
    def build(cls, encoder: nn.Module, cases: Cases, *, views: int = 1):
        """Put a decoder on an encoder that has none.

        Parameters
        ----------
        encoder, cases
            As for every target.
        views : int
            Of each held-out patch, 1 to 8: its quarter turns, then those of its mirror
            image. Time grows in proportion.
        """
        focus = 0.0 if cases.facts["mask"] in EVERYWHERE else 0.5
        task = cls(models.mapping(encoder, channels=1), focus=focus)
        task.views = views
        return task

    @property
    def encoder(self) -> nn.Module:
        """What pretraining trained: a U-Net whole, else the encoder."""
        restorer = isinstance(self.network, models.Restorer)
        return self.network.encoder if restorer else self.network

    @torch.no_grad()
    def predict(
        self,
        images: list[NDArray[np.uint8]],
        *,
        views: int | None = None,
        **options: int,
    ) -> list[NDArray[np.float32]]:
        """Return the probability of the object at each pixel of whole images.

        Parameters
        ----------
        images : list of (H, W, C) uint8 arrays
            As `prepare` returns them.
        views : int, optional
            See `build`.
        **options
            ``patch_size``, ``stride`` and ``batch_size`` of `tinyssl.targets.tiling.blend`.

        Returns
        -------
        list of (H, W) float32 arrays, values in [0, 1]

        Raises
        ------
        ValueError
            If the stride would leave gaps between the patches, or views is not 1 to 8.

        Examples
        --------
        >>> from tinyssl.models import UNet
        >>> task = Segmentation(UNet(in_channels=1, widths=(4, 8)))
        >>> task.predict([np.zeros((70, 50, 1), np.uint8)])[0].shape
        (70, 50)
        """
        views = self.views if views is None else views
        if not 1 <= views <= 8:
            raise ValueError(f"views must lie in 1..8, found {views}")
        self.eval()

        def answer(patches):
            inputs = to_tensor(patches, self.device)  # (N, C, s, s)
            found = mean_over_views(self.probability, inputs, views)
            return found[:, 0].cpu().numpy()

        return [blend(answer, image, **options) for image in images]

    def probability(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return (N, 1, H, W) probabilities of prepared images."""
        return torch.sigmoid(self.logits(inputs))

    @classmethod
    def score(cls, cases: Cases, index: NDArray, answers: list) -> dict[str, float]:
        """Score maps at the images' own size, inside the field of view.

        Returns
        -------
        dict of float
            Means over the images of what `evaluate` returns; an image without the
            object has no Dice and is left out of that mean. "average_precision" is the
            area under the precision-recall curve of all pixels of all images together,
            so that a false alarm counts in every image.
        """
        truth, fields = cases.take(("truth", "field"), index)
        found = [resize(p, m.shape) for p, m in zip(answers, truth, strict=True)]
        thin = cases.facts["mask"] == "vessel"
        layers = list(zip(found, truth, fields, strict=True))
        scores = [
            evaluate(p, m, field, thin=thin_width(field) if thin else None)
            for p, m, field in layers
        ]
        drawn = np.concatenate([m[field] for _, m, field in layers]).astype(int)
        said = np.concatenate([p[field] for p, _, field in layers])
        pooled = {"average_precision": metrics.average_precision(drawn, said)}
        return means(scores) | pooled

    @classmethod
    def notes(cls, cases: Cases) -> dict[str, Any]:
        """Say what was held out, what is rare, and what a second observer reaches."""
        mask, index = cases.facts["mask"], np.flatnonzero(cases.scored)
        held = np.concatenate([cases.held(fold) for fold in range(cases.num_folds)])
        found = {"held out": ", ".join(cases.names[i] for i in held)}
        if cases.num_folds == 1:
            found["training images"] = len(cases.part(0, labelled=True))
            index = held
        truth, fields = cases.take(("truth", "field"), index)
        drawn = list(zip(truth, fields, strict=True))
        area = sum(int((m & field).sum()) for m, field in drawn)
        share = area / sum(int(field.sum()) for field in fields)
        found["drawn"] = f"{share:.2%} of the field of view"
        if mask != "vessel":
            shows = sum(bool(m.any()) for m in truth)
            return found | {"held-out images that show it": f"{shows} of {len(truth)}"}
        narrow = sum(thin_vessels(m, width=thin_width(f)).sum() for m, f in drawn)
        width = thin_width(fields[0])
        found["thin vessels"] = f"below {width} px, {narrow / max(1, area):.0%} of all"
        if "second" in cases.columns:
            (second,) = cases.take(("second",), index)
            ceiling = cls.score(cases, index, second)
            for name in ("dice", "sensitivity", "specificity", "thin_recall"):
                words = cls.metrics[name].words
                found[f"second observer's {words}"] = round(ceiling[name], 4)
        return found

    @classmethod
    def figures(cls, cases: Cases, results: dict[str, Any], load: Any) -> Figures:
        """Show what is found in the held-out image with the most to find."""
        from tinyssl import plots

        held = cases.held(0)
        truth, fields = cases.take(("truth", "field"), held)
        place = int(np.argmax([mask.mean() for mask in truth]))
        mask, field, image = truth[place], fields[place], cases.images(held)[place]
        name, shown = cases.facts["mask"], []
        words = WORDS.get(name, name)
        for init in results["shown"]:
            (found,) = load(init).predict([image], views=1)
            layers = (resize(image, mask.shape), mask, resize(found, mask.shape), field)
            dice = metrics.dice(mask, layers[2] >= THRESHOLD, region=field)
            title = None if name == "vessel" else f"{words}: Dice {dice:.3f} here"
            figure = plots.vessels(*layers, threshold=THRESHOLD, title=title)
            shown.append((figure, f"{init}: the held-out image with the most to find."))
        return shown


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


def means(scores: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each score over the images where it is defined."""
    columns = {name: np.array([s[name] for s in scores]) for name in scores[0]}
    defined = {name: column[np.isfinite(column)] for name, column in columns.items()}
    return {k: float(v.mean()) if len(v) else np.nan for k, v in defined.items()}


# Reading


def held_out(table: Table) -> NDArray[np.bool_]:
    """Say which images are for testing only.

    The official test images; without them those of the last fifth of the patients (at
    least one). An image of no known patient counts as one.
    """
    if table.split is not None and (table.split == "test").any():
        return table.split == "test"
    names = np.array(table.names)
    if table.patient is not None:
        names = np.where(table.patient == "", names, table.patient)
    order = np.unique(names)
    return np.isin(names, order[-max(1, len(order) // 5) :])


def read_fields(table: Table, width: int) -> tuple[list[NDArray], list[NDArray]]:
    """Read images, shrunk and prepared, and their fields of view.

    Returns
    -------
    images : list of (h, w, 3) uint8 arrays
    fields : list of (H, W) bool arrays
        At the images' own size: as shipped, else as found.
    """

    def read(item, region):
        image = loaded(item, read_image)
        found = field_of_view(image) if region is None else loaded(region, read_mask)
        shape = working_shape(found, width)
        inside = resize(found, shape) >= 0.5
        return prepare(resize(image, shape), inside), found

    shipped = table.region if table.region is not None else [None] * len(table)
    with ThreadPoolExecutor(cores()) as pool:
        images, fields = zip(*pool.map(read, table.images, shipped), strict=True)
    return list(images), list(fields)


def read_masks(table: Table, name: str, fields: list[NDArray]) -> list[NDArray]:
    """Read one kind of mask; an eye without that lesion has no file."""
    if name not in table.masks:
        kinds = ", ".join(table.masks) or "none"
        raise ValueError(f"{table.root}: needs {name} masks, found {kinds}")
    masks = table.masks[name]
    missing = [n for n, m in zip(table.names, masks, strict=True) if m is None]
    if missing and name == "vessel":
        raise ValueError(f"{table.root}: no vessel mask for {', '.join(missing[:10])}")
    drawn = [
        np.zeros_like(field) if mask is None else loaded(mask, read_mask)
        for mask, field in zip(masks, fields, strict=True)
    ]
    for n, mask, field in zip(table.names, drawn, fields, strict=True):
        if mask.shape != field.shape:
            raise ValueError(
                f"{table.root}: the {name} mask of {n} must be as large as its image "
                f"{field.shape}, found {mask.shape}"
            )
    if not any(mask.any() for mask in drawn):
        raise ValueError(f"{table.root}: {name} must be drawn in an image")
    return drawn


def loaded(item: Path | NDArray, read: Any) -> NDArray:
    """Read a file; pixels given as an array are there already."""
    return read(item) if isinstance(item, Path) else item


def shrunk(layers: list[NDArray], images: list[NDArray], least: float = 0.0):
    """Return masks at the images' size: the share of each pixel that they cover."""
    small = [resize(m, x.shape[:2]) for m, x in zip(layers, images, strict=True)]
    return [m >= least for m in small] if least else small
