"""Segmentation of whole images: read, scored at their own size, second observers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from targets.test_segmentation import Pointwise
from tinyssl.cases import Reading, gather
from tinyssl.data import Table, open_dataset
from tinyssl.targets.fields import held_out, shrunk
from tinyssl.targets.overlap import thin_vessels
from tinyssl.targets.segmentation import Segmentation

RED = Segmentation(Pointwise())  # answers with the first colour
EMPTY = np.zeros((60, 80), bool)


def study(*masks, thin=True, others=None):
    """Return images whose red is the mask, half as large as the mask."""
    reds = [np.where(mask[::2, ::2], 192, 64).astype(np.uint8) for mask in masks]
    images = [np.stack([red] * 3, -1) for red in reds]
    fields = [np.ones_like(m) for m in masks]
    columns = {"image": images, "truth": list(masks), "field": fields}
    columns |= {"mask": shrunk(masks, images), "region": shrunk(fields, images, 0.5)}
    if thin:
        columns["thin"] = [thin_vessels(m, width=2) for m in masks]
    if others:
        columns["second"] = others
    names = tuple(f"eye{i}" for i in range(len(masks)))
    table = Table("x", Path("x"), names, np.zeros((len(masks), 4, 4, 3), np.uint8))
    options = dict.fromkeys(("labelled", "held"), np.ones(len(masks), bool))
    options |= {"mask": "vessel" if thin else "EX", "patch_size": 64}
    return gather(table, Reading(), columns, **options)


def score(cases):
    index = cases.held(0)
    return Segmentation.score(cases, index, RED.predict(cases.images(index)))


def square(top, side):
    mask = EMPTY.copy()
    mask[top : top + side, 20 : 20 + side] = True
    return mask


def test_what_is_seen_small_is_scored_in_full():
    scores = score(study(square(10, 20), square(30, 16)))
    assert scores["dice"] > 0.9
    assert scores["dice_per_image"][0] > scores["dice_per_image"][1]
    assert scores["dice"] == pytest.approx(np.mean(scores["dice_per_image"]))
    assert scores["average_precision"] > 0.95


def test_training_sees_masks_at_the_size_of_the_images():
    images, masks, regions = study(square(10, 20)).take(Segmentation.columns, [0])
    assert images[0].shape[:2] == masks[0].shape == regions[0].shape == (30, 40)
    assert regions[0].dtype == bool
    assert 4 * masks[0].sum() == pytest.approx(400, rel=0.02)


def test_an_image_without_the_object_is_said_has_no_dice_and_its_false_alarms_count():
    alone = score(study(square(10, 20), thin=False))
    part = study(square(10, 20), EMPTY, thin=False)
    notes, with_empty = Segmentation.notes(part), score(part)
    assert notes["held-out images that show it"] == "1 of 2"
    assert notes["drawn"] == f"{400 / 9600:.2%} of the field of view"
    assert with_empty["dice"] == alone["dice"]
    assert np.isnan(with_empty["dice_per_image"][1])
    part.columns["image"][1][5:25, 5:25] = 255  # surer than of the square
    alarmed = score(part)
    assert alarmed["dice"] == alone["dice"]
    assert alarmed["average_precision"] < with_empty["average_precision"] - 0.2
    assert alarmed["specificity"] < with_empty["specificity"]
    nothing = score(study(EMPTY, thin=False))
    assert np.isnan([nothing["dice"], nothing["average_precision"]]).all()
    assert nothing["specificity"] == 1.0


def test_second_observer_counts_only_in_the_field_and_may_miss_the_thin_vessel():
    mask = square(10, 20)
    other, upper = mask.copy(), np.zeros_like(mask)
    other[50:] = upper[:50] = mask[55:] = True
    part = study(mask, others=[other])
    part.columns["field"][0] = upper
    notes = Segmentation.notes(part)
    for name in ("Dice", "sensitivity", "specificity"):
        assert notes[f"second observer's {name}"] == 1.0
    assert notes["drawn"] == "10.00% of the field of view"
    mask, other = EMPTY.copy(), EMPTY.copy()
    mask[10:22] = mask[40:41] = other[10:22] = True
    notes = Segmentation.notes(study(mask, others=[other]))
    assert notes["second observer's thin recall"] == 0.0
    assert notes["second observer's sensitivity"] == pytest.approx(12 / 13, abs=1e-4)
    assert notes["thin vessels"] == "below 2 px, 8% of all"


def test_last_fifth_of_the_patients_is_held_out():
    table = open_dataset("toy:10:32")
    for one in (table, replace(table, patient=np.full(10, ""))):
        assert np.flatnonzero(held_out(one)).tolist() == [8, 9]
    some = replace(table, patient=np.where(np.arange(10) < 6, "", table.patient))
    assert held_out(some).sum() == 1  # one in five of the eight patients
    split = np.where(np.arange(10) == 3, "test", "train")
    assert np.flatnonzero(held_out(replace(table, split=split))).tolist() == [3]


def test_training_images_show_the_object_and_all_held_out_ones_are_scored():
    table = open_dataset("toy:40:64")
    cases = Segmentation.read(table, Reading(), mask="EX")
    shows = table.masks["EX"].any((1, 2))
    assert 0 < shows[:32].sum() < 32
    assert cases.part(0, labelled=True).tolist() == np.flatnonzero(shows[:32]).tolist()
    assert cases.held(0).tolist() == list(range(32, 40))


def test_masks_that_do_not_fit_or_are_empty_or_missing_are_refused():
    table = open_dataset("toy:6:48:7")
    table.masks["SE"] = np.zeros((6, 48, 48), bool)
    large = replace(table, masks={"vessel": np.zeros((6, 50, 48), bool)})
    some = replace(table, masks={"vessel": (None, *table.masks["vessel"][1:])})
    for data, mask, message in (
        (table, "SE", "SE must be drawn in an image"),
        (table, "XX", "needs XX masks, found vessel, "),
        (open_dataset("toy:2:48"), "vessel", "all images are of one patient"),
        (large, "vessel", "must be as large as its image"),
        (some, "vessel", "no vessel mask for toy00000"),
    ):
        with pytest.raises(ValueError, match=message):
            Segmentation.read(data, Reading(), mask=mask)


def test_a_lesion_is_sought_at_its_own_width():
    table = open_dataset("toy:10:64")
    for mask, width in {"vessel": 540, "MA": 0, "OD": 180, "EX": 540}.items():
        table.masks[mask] = table.masks["vessel"]
        read = Segmentation.read(table, Reading(), mask=mask)
        assert read.facts["field_width"] == width
    small = Segmentation.read(table, Reading(), field_width=30)
    assert small.images([0])[0].shape == (31, 31, 3)  # the field is 62 px wide
    assert small.columns["truth"][0].shape == (64, 64)
