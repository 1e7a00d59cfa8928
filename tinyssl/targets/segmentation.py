"""Segmentation of vessels and lesions: patches in, whole images out.

The input is evened out by `tinyssl.targets.fields.prepare`, which says why. The loss is
cross-entropy, so that the probabilities rank (AUC), plus soft Dice, which is reported
and is not swamped by the nine pixels in ten that are background. The threshold, 0.6,
was chosen once on children held out of CHASE_DB1's training part, where Dice peaks at
0.6 to 0.7: soft Dice lifts probabilities. Nothing is chosen on images that are scored.
"""

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from tinyssl import metrics, models, ranks
from tinyssl.cases import Cases, gather
from tinyssl.data import load_images
from tinyssl.data.copies import thumbnails
from tinyssl.data.crop import resize
from tinyssl.data.toy.report import NAMES
from tinyssl.pretext.patches import cut_patches, move_to_objects, sample_corners
from tinyssl.summary import Metric, mean_of
from tinyssl.targets import fields
from tinyssl.targets.overlap import THRESHOLD, evaluate, thin_vessels, thin_width
from tinyssl.task import Figures, OnNetwork, Target
from tinyssl.training import to_tensor
from tinyssl.transforms import flip, rotate, sample_flips, sample_turns

FIELD_WIDTH = 540  # pixels: that of DRIVE, where the field measures its vessels
# Pixels across the field of view at which a network looks; 0 is the image's own. A
# microaneurysm is gone where an optic disc fits a patch.
FIELD_WIDTHS = {"MA": 0, "OD": 180}
WORDS = {kind: many.capitalize() for kind, (_, many) in NAMES.items()}
WORDS |= {"SE": "Soft exudates", "OD": "Optic disc"}
Views = Annotated[int, (1, 8)]
Label = Annotated[int, (0, None)]
EVERYWHERE = ("vessel",)  # the others are looked for: half of the patches hold them


class Segmentation(OnNetwork, Target):
    """Find one kind of object: a logit a pixel, learnt on patches of labelled images.

    Parameters
    ----------
    network : Module
        Maps (N, C, H, W) to (N, 1, H, W) logits: ``UNet`` or ``DenseUNet``.
    patch_size : int, side of the training patches in pixels
    augment : bool, draw one of the eight flips and turns, brightness and contrast
    focus : float
        Share of the patches drawn so that they hold the object: 0 for vessels, which
        are everywhere; a lesion covers one pixel in a thousand.
    """

    name = "segmentation"
    title = "Segmentation with few labelled images"
    measure = (
        "Scored inside the field of view of whole held-out images, at their own size. "
        "Dice is the overlap of what was drawn and what was found; average precision "
        "is of all pixels together, so that false alarms count in every image."
    )
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
    decodes = True
    probes = keeps = False

    def __init__(self, network, *, patch_size=64, augment=True, focus=0.0):
        super().__init__()
        self.network, self.patch_size = network, patch_size
        self.augment, self.focus, self.views = augment, focus, 1

    def make_batch(self, images, masks, regions, rng):
        """Cut a patch out of each prepared image, its mask and its field of view."""
        rng = np.random.default_rng(rng)
        size = self.patch_size
        corners = sample_corners(regions, size, rng=rng)
        if self.focus:
            corners = move_to_objects(corners, masks, size, share=self.focus, rng=rng)
        cut = [cut_patches(x, corners, size) for x in (images, masks, regions)]
        pixels, layers = cut[0], np.stack(cut[1:], -1)  # (N, s, s, 2)
        if self.augment:
            N = len(pixels)
            flips, turns = sample_flips(N, rng=rng), sample_turns(N, rng=rng)
            pixels, layers = (rotate(flip(a, flips), turns) for a in (pixels, layers))
            gains = rng.uniform(0.8, 1.25, (N, 1, 1, 1))
            offsets = rng.uniform(-16, 16, (N, 1, 1, 1))
            centred = gains * (pixels - float(fields.NEUTRAL))
            adjusted = np.rint(fields.NEUTRAL + centred + offsets)
            pixels = np.clip(adjusted, 0, 255).astype(np.uint8)
        return pixels, (layers[..., 0], layers[..., 1])

    def forward(self, inputs, targets):
        """Cross-entropy plus soft Dice over the pixels of the field of view."""
        masks, regions = targets  # (N, 1, H, W) each
        logits = self.logits(inputs)
        entropy = F.binary_cross_entropy_with_logits(logits, masks, reduction="none")
        entropy = (entropy * regions).sum() / ranks.mean(regions.sum())
        found = torch.sigmoid(logits) * regions
        wanted = masks * regions
        sums = torch.stack([(found * wanted).sum(), found.sum(), wanted.sum()])
        shared, found, wanted = ranks.gather(sums[None]).sum(0)  # of the whole batch
        dice = (2 * shared + 1) / (found + wanted + 1)
        logs = {"entropy": entropy.detach(), "soft_dice": dice.detach()}
        return entropy + 1 - dice, logs

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Standardise prepared images in [0, 1] and return (N, 1, H, W) logits."""
        return self.network((255 * inputs - fields.NEUTRAL) / fields.DEVIATION)

    @classmethod
    def read(
        cls,
        table,
        reading,
        *,
        mask: str | None = None,
        mask_label: Label | None = None,
        field_width: int | None = None,
    ) -> Cases:
        """Read images, at the width at which a network looks, and one kind of mask.

        Parameters
        ----------
        mask : str, optional
            What to find; vessels, or the only kind there is, if not given. Training
            images are those that show it; all held-out images are scored, and the false
            alarms in those that do not show it count.
        mask_label : int, optional
            Which label of masks that hold several, a colour as 0xRRGGBB.
        field_width : int, optional
            Pixels across the field of view at which the network looks; 0 is the
            images' own; by the mask if not given.
        """
        if mask is None:
            mask = fields.kind_of_mask(table, reading)
        if field_width is None:
            field_width = FIELD_WIDTHS.get(mask, FIELD_WIDTH)
        images, regions = fields.read_fields(table, field_width)
        columns = {"image": images, "region": fields.shrunk(regions, images, 0.5)}
        shows = np.zeros(len(table), bool)
        if reading.labelled:
            truth = fields.read_masks(table, mask, regions, mask_label)
            shows = np.array([m.any() for m in truth])
            columns |= {"mask": fields.shrunk(truth, images), "truth": truth}
            columns["field"] = regions
            if mask in EVERYWHERE:
                both = zip(truth, map(thin_width, regions), strict=True)
                columns["thin"] = [thin_vessels(m, width=w) for m, w in both]
            second = table.masks.get(f"{mask}_2nd", [None])
            if all(item is not None for item in second):
                columns["second"] = fields.read_masks(table, f"{mask}_2nd", regions)
        held = fields.held_out(table)
        if held.all() and not reading.folds:
            raise ValueError(f"{table.root}: all images are of one patient")
        known = {"held": held, "small": thumbnails(load_images(table, 96)[0])}
        known |= {"mask": mask, "field_width": field_width, "patch_size": 64}
        known |= {} if mask_label is None else {"mask_label": mask_label}
        cases = gather(table, reading, columns, labelled=shows, **known)
        return replace(cases, scored=np.full(len(table), reading.labelled))

    @classmethod
    def build(cls, encoder: nn.Module, cases: Cases, *, views: Views = 1):
        """Put a decoder on an encoder that has none.

        Parameters
        ----------
        views : int
            Of each held-out patch, 1 to 8: its quarter turns, then those of its mirror
            image. Time grows in proportion.
        """
        focus = 0.0 if cases.facts["mask"] in EVERYWHERE else 0.5
        size = cases.facts["patch_size"]
        task = cls(models.mapping(encoder, channels=1), patch_size=size, focus=focus)
        task.views = views
        return task

    @torch.no_grad()
    def predict(self, images, *, views=None, **options) -> list[NDArray[np.float32]]:
        """Return the probability at each pixel, (H, W), of prepared images (H, W, C).

        ``views`` as in `build`; options are those of `tinyssl.targets.fields.blend`.
        """
        views = self.views if views is None else views
        if not 1 <= views <= 8:
            raise ValueError(f"views must lie in 1..8, found {views}")
        self.eval()

        def answer(patches):
            inputs, total = to_tensor(patches, self.device), 0.0  # (N, C, s, s)
            for view in range(views):
                turn, mirrored = view % 4, view >= 4
                seen = (inputs.flip(3) if mirrored else inputs).rot90(turn, (2, 3))
                found = self.logits(seen).sigmoid().rot90(-turn, (2, 3))
                total = total + (found.flip(3) if mirrored else found)
            return (total / views)[:, 0].cpu().numpy()

        size = self.patch_size
        options = {"patch_size": size, "stride": 3 * size // 4} | options
        return [fields.blend(answer, image, **options) for image in images]

    @classmethod
    def score(cls, cases: Cases, index: NDArray, answers: list) -> dict[str, float]:
        """Score maps at the images' own size, inside the field of view.

        Means over the images of what `evaluate` returns, where it is defined;
        "average_precision" is of all pixels of all images together.
        """
        truth, regions = cases.take(("truth", "field"), index)
        thin = cases.columns.get("thin")
        scores, inside = [], []
        each = zip(index, answers, truth, regions, strict=True)
        for i, answer, mask, field in each:
            found = resize(answer, mask.shape)
            scores.append(evaluate(found, mask, field, thin=thin and thin[i]))
            inside.append([mask[field], found[field]])
        pixels, found = (np.concatenate(part) for part in zip(*inside, strict=True))
        pooled = metrics.average_precision(pixels.astype(int), found)
        every = {name: [s[name] for s in scores] for name in scores[0]}
        means = {name: mean_of(values) for name, values in every.items()}
        return means | {"average_precision": pooled, "dice_per_image": every["dice"]}

    @classmethod
    def notes(cls, cases: Cases) -> dict[str, Any]:
        """Say what was held out, what is rare, and what a second observer reaches."""
        index = np.flatnonzero(cases.scored)
        held = np.concatenate([cases.held(fold) for fold in range(cases.num_folds)])
        found = {"held out": ", ".join(cases.names[i] for i in held)}
        if cases.num_folds == 1:
            found["training images"] = len(cases.part(0, labelled=True))
            index = held
        truth, regions = cases.take(("truth", "field"), index)
        area = sum((m & f).sum() for m, f in zip(truth, regions, strict=True))
        share = area / sum(field.sum() for field in regions)
        found["drawn"] = f"{share:.2%} of the field of view"
        if "thin" not in cases.columns:
            shows = sum(m.any() for m in truth)
            return found | {"held-out images that show it": f"{shows} of {len(truth)}"}
        (thin,) = cases.take(("thin",), index)
        part = sum(m.sum() for m in thin) / max(1, area)
        found["thin vessels"] = f"below {thin_width(regions[0])} px, {part:.0%} of all"
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
        truth, regions = cases.take(("truth", "field"), held)
        place = int(np.argmax([mask.mean() for mask in truth]))
        mask, field, image = truth[place], regions[place], cases.images(held)[place]
        name, shown = cases.facts["mask"], []
        for init in results["shown"]:
            (found,) = load(init).predict([image], views=1)
            layers = (resize(image, mask.shape), mask, resize(found, mask.shape), field)
            dice = metrics.dice(mask, layers[2] >= THRESHOLD, region=field)
            title = f"{WORDS.get(name, name)}: Dice {dice:.3f} here"
            title = None if name == "vessel" else title
            figure = plots.vessels(*layers, threshold=THRESHOLD, title=title)
            shown.append((figure, f"{init}: the held-out image with the most to find."))
        return shown
