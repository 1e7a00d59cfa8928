"""Volumes: the synthetic macula, files of three axes, and what trains on them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tinyssl.cases import Reading
from tinyssl.data import load_images, open_dataset, toy
from tinyssl.data.table import DataError
from tinyssl.data.toy.macula import CLASSES
from tinyssl.targets import Grading


@pytest.fixture(scope="module")
def maculas():
    return toy.volumes(60, rng=3)


def test_the_same_seed_gives_the_same_bytes_however_many_follow(maculas):
    fewer, other = toy.volumes(7, rng=3), toy.volumes(7, rng=4)
    assert np.array_equal(maculas.images[:7], fewer.images)
    assert not np.array_equal(fewer.images, other.images)
    assert maculas.images.shape == (60, 16, 48, 64, 1)
    assert maculas.images.dtype == np.uint8


def test_the_class_is_the_last_kind_of_lesion_that_is_there(maculas):
    counts = np.stack([maculas.lesion_counts[kind] for kind in CLASSES[1:]])
    last = [max([0, *np.flatnonzero(column > 0) + 1]) for column in counts.T]
    assert maculas.classes.tolist() == last
    for kind in CLASSES[1:]:
        drawn = maculas.lesions[kind].any((1, 2, 3))
        assert np.array_equal(drawn, maculas.lesion_counts[kind] > 0), kind


def test_lesions_look_as_they_should(maculas):
    images = maculas.images[..., 0].astype(float)
    means = {k: images[mask].mean() for k, mask in maculas.lesions.items()}
    assert means["cysts"] < 40 < 90 < means["drusen"]
    ill = np.flatnonzero(maculas.classes == 3)
    gone = maculas.lesions["atrophy"][ill].any(2)  # (M, D, W), seen from above
    below = images[ill, :, -12:-6].mean(2)
    assert below[gone].mean() > 1.3 * below[~gone].mean()


def test_surfaces_lie_in_order_and_the_pit_is_thinnest(maculas):
    assert (np.diff(maculas.surfaces, axis=1) > -1e-9).all()
    healthy = np.flatnonzero(maculas.classes == 0)
    thick = (maculas.surfaces[healthy, 7] - maculas.surfaces[healthy, 0]) ** 1
    rows, columns = np.rint(maculas.fovea[healthy]).astype(int).T
    at_fovea = thick[np.arange(len(healthy)), rows, columns]
    assert (at_fovea < 0.85 * np.median(thick, axis=(1, 2))).all()


def test_nerve_fibres_are_thicker_towards_the_disc(maculas):
    layer = maculas.surfaces[:, 1] - maculas.surfaces[:, 0]
    right_thicker = layer[..., 48:].mean((1, 2)) > layer[..., :16].mean((1, 2))
    assert np.array_equal(right_thicker, maculas.eye == "right")
    assert (maculas.patient[::2] == maculas.patient[1::2]).all()


def test_the_surfaces_stand_where_the_pixels_change(maculas):
    last = maculas.surfaces[:, 0, -1].mean(-1)  # of the slice that every jump moves
    for volume, top, jumped in zip(
        maculas.images, last, maculas.motion > 0, strict=True
    ):
        light = volume[-1, :, :, 0].mean(-1)
        step = np.argmax(np.diff(light[: round(top) + 8]))
        assert abs(step + 0.5 - top) < 1.6, jumped


def test_a_jump_of_the_eye_moves_the_slices_after_it(maculas):
    healthy = maculas.classes == 0  # the lowest surface is straight from slice to slice
    floor = maculas.surfaces[healthy, 7]
    bend = np.abs(np.diff(floor, n=2, axis=1)).max((1, 2))
    assert np.allclose(bend, maculas.motion[healthy])
    assert 0.1 < (maculas.motion > 0).mean() < 0.6


@pytest.mark.parametrize("value", [0, -1, 1.5, "3"])
def test_a_number_of_volumes_that_is_none_is_refused(value):
    with pytest.raises((TypeError, ValueError), match="n must be"):
        toy.volumes(value)


def save(folder, volumes, suffix):
    """Write volumes as files in folders of their class."""
    for i, volume in enumerate(volumes):
        path = folder / ("ill" if i % 2 else "well") / f"scan{i}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".npy":
            np.save(path, volume)
        else:
            nibabel = pytest.importorskip("nibabel")
            nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), path)


@pytest.mark.parametrize("suffix", [".npy", ".nii", ".nii.gz"])
def test_a_folder_of_volumes_is_read_as_a_data_set(suffix, tmp_path):
    rng = np.random.default_rng(0)
    volumes = [rng.integers(0, 900, (9, 12 + i, 14), np.int16) for i in range(4)]
    save(tmp_path, volumes, suffix)
    table = open_dataset(tmp_path)
    assert (table.dims, len(table), table.is_fundus) == (3, 4, False)
    assert sorted(table.class_names) == ["ill", "well"]
    images, _ = load_images(table, 8, cache=tmp_path / ".cache")
    assert images.shape == (4, 8, 8, 8, 1)
    again, _ = load_images(table, 8, cache=tmp_path / ".cache")
    assert np.array_equal(images, again)
    cases = Grading.read(table, Reading(8))
    assert cases.facts["volumes"]
    assert cases.small.shape == (4, 16, 16, 3)


def test_bytes_stay_and_other_numbers_are_scaled_from_least_to_greatest(tmp_path):
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 256, (6, 6, 6), np.uint8)
    save(tmp_path, [whole, -40.0 + 3 * whole.astype(np.float32)], ".npy")
    images, table = load_images(open_dataset(tmp_path), 6)
    by_name = dict(zip(table.names, images[..., 0], strict=True))
    assert np.array_equal(by_name["well/scan0.npy"], whole)
    scaled = by_name["ill/scan1.npy"]
    assert np.corrcoef(scaled.ravel(), whole.ravel())[0, 1] > 0.999
    assert (scaled.min(), scaled.max()) == (0, 255)


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (np.full((4, 4, 4), np.nan), "must hold finite numbers"),
        (np.diagflat([np.inf] + 15 * [0.0]).reshape(4, 8, 8), "must hold finite"),
        (np.zeros((4, 4, 4), complex), "must hold finite numbers, found complex128"),
        (np.zeros((4, 4)), r"must be a volume .*, found \(4, 4\)"),
    ],
)
def test_a_file_that_is_no_volume_among_volumes_is_named(volume, words, tmp_path):
    save(tmp_path, [volume, np.zeros((4, 4, 4), np.uint8)], ".npy")
    with pytest.raises(DataError, match=rf"scan0.npy: {words}"):
        load_images(open_dataset(tmp_path), 4)


def test_cubes_beyond_what_a_laptop_trains_on_are_refused():
    table = open_dataset("toy-volumes:2")
    with pytest.raises(ValueError, match="size must be at most 64, found 96"):
        load_images(table, 96)


def test_a_real_volume_passes_through(tmp_path):
    testing = pytest.importorskip("nibabel.testing")
    shutil.copy(Path(testing.data_path) / "anatomical.nii", tmp_path)
    images, table = load_images(open_dataset(tmp_path), 16)
    assert table.dims == 3
    assert images.shape == (1, 16, 16, 16, 1)
    assert images.std() > 10
