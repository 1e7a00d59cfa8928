"""The readers on the real data sets, where they are on this machine."""

from collections import Counter

import numpy as np
import pytest

from tinyssl.data import load_images, load_masks, load_points, open_dataset
from tinyssl.data.copies import content_groups
from tinyssl.data.folds import stratified_group_folds
from tinyssl.data.images import field_of_view

ROWS = [  # folder, layout, images, is_fundus
    ("IDRiD", "idrid-grading", 412, True),
    ("IDRiD/A. Segmentation", "idrid-segmentation", 51, True),
    ("IDRiD/C. Localization", "idrid-localization", 40, True),
    ("CHASE_DB1", "chase_db1", 20, True),
    ("HRF", "hrf", 15, True),
    ("MedMNIST/retinamnist.npz", "medmnist", 1600, True),
    ("MedMNIST/pneumoniamnist_reconstructed.npz", "medmnist", 5856, False),
]


@pytest.mark.parametrize(("folder", "layout", "count", "is_fundus"), ROWS)
def test_real_layout(real_data, folder, layout, count, is_fundus):
    if not (real_data / folder).exists():
        pytest.skip(f"no {folder} here")
    table = open_dataset(real_data / folder)
    assert (table.layout, len(table), table.is_fundus) == (layout, count, is_fundus)


def test_idrid_grades_and_pairs(real_data, tmp_path):
    table = open_dataset(real_data / "IDRiD")
    assert np.bincount(table.grade).tolist() == [133, 20, 136, 74, 49]
    images, table = load_images(table, 32, cache=tmp_path)
    groups = content_groups(images)
    assert len(np.unique(groups)) == 407  # 5 byte-identical pairs, 2 of unlike grade
    folds = stratified_group_folds(table.grade, groups, 5, rng=0)
    counts = np.array([np.bincount(table.grade[folds == k]) for k in range(5)])
    assert np.ptp(counts, axis=0).max() <= 2


def test_idrid_disc_is_bright_and_fovea_dark(real_data):
    table = open_dataset(real_data / "IDRiD" / "C. Localization")
    images, table = load_images(table, 128)
    rows, green = np.arange(len(table)), images[..., 1]
    places = (load_points(table, name, 128) for name in ("disc", "fovea"))
    disc, fovea = (green[(rows, *place.round().astype(int).T)] for place in places)
    assert (disc > fovea).mean() >= 0.9


def test_idrid_disc_mask_lies_on_a_bright_spot(real_data):
    table = open_dataset(real_data / "IDRiD" / "A. Segmentation").select(range(8))
    images, table = load_images(table, 128)
    discs = load_masks(table, "OD", 128)
    assert discs.any(axis=(1, 2)).all()
    for image, disc in zip(images[..., 1].astype(float), discs, strict=True):
        assert image[disc].mean() > 1.2 * image[image > 0].mean()


def test_chase_vessels_are_darker_than_their_surroundings(real_data):
    table = open_dataset(real_data / "CHASE_DB1").select(range(4))
    images, table = load_images(table, 256)
    vessels = load_masks(table, "vessel", 256)
    retina = np.stack([field_of_view(image) for image in images]) & ~vessels
    for image, vessel, other in zip(images[..., 1], vessels, retina, strict=True):
        assert 0.03 < vessel.mean() < 0.15
        assert image[vessel].mean() < image[other].mean()


def test_retinamnist_parts(real_data):
    table = open_dataset(real_data / "MedMNIST" / "retinamnist.npz")
    assert Counter(table.split.tolist()) == {"train": 1080, "val": 120, "test": 400}
    assert set(table.grade.tolist()) == set(range(5))
