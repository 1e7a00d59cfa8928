"""CHASE_DB1, HRF and DRIVE on small copies of their folders."""

import numpy as np
import pytest

from tinyssl.data import DataError, load_images, load_masks, open_dataset


def test_chase_db1_knows_child_eye_and_both_observers(
    tmp_path, write_image, write_mask
):
    for name in ("Image_01L", "Image_01R", "Image_02L"):
        write_image(tmp_path / f"{name}.jpg")
        write_mask(tmp_path / f"{name}_1stHO.png")
    write_mask(tmp_path / "Image_01L_2ndHO.png")
    table = open_dataset(tmp_path)
    assert table.layout == "chase_db1"
    assert table.names == ("Image_01L", "Image_01R", "Image_02L")
    assert table.patient.tolist() == ["01", "01", "02"]
    assert table.eye.tolist() == ["left", "right", "left"]
    assert all(table.masks["vessel"])
    assert [bool(path) for path in table.masks["vessel_2nd"]] == [True, False, False]


def test_chase_db1_names_the_missing_mask(tmp_path, write_image):
    write_image(tmp_path / "Image_03R.jpg")
    with pytest.raises(DataError, match="missing file Image_03R_1stHO"):
        open_dataset(tmp_path)


def test_hrf_counts_each_subject_as_one_patient(tmp_path, write_image, write_mask):
    for name in ("01_dr", "01_g", "01_h"):
        write_image(tmp_path / "images" / f"{name}.JPG")
        write_mask(tmp_path / "manual1" / f"{name}.tif")
        write_mask(tmp_path / "mask" / f"{name}_mask.tif")
    table = open_dataset(tmp_path)
    assert table.layout == "hrf"
    assert table.patient.tolist() == ["01_dr", "01_g", "01_h"]
    assert [path.name for path in table.region] == [
        "01_dr_mask.tif",
        "01_g_mask.tif",
        "01_h_mask.tif",
    ]
    assert table.grade is None


@pytest.fixture
def drive(tmp_path, write_image, write_mask):
    for part, number, word in [("training", 21, "training"), ("test", 1, "test")]:
        folder, number = tmp_path / part, f"{number:02d}"
        write_image(folder / "images" / f"{number}_{word}.tif")
        write_mask(folder / "mask" / f"{number}_{word}_mask.gif")
        if part == "training":
            write_mask(folder / "1st_manual" / f"{number}_manual1.gif")
    return tmp_path


def test_drive_test_part_may_lack_masks(drive):
    table = open_dataset(drive)
    assert table.layout == "drive"
    assert table.names == ("21_training", "01_test")
    assert table.patient.tolist() == ["21", "01"]
    assert table.split.tolist() == ["train", "test"]
    assert [bool(path) for path in table.masks["vessel"]] == [True, False]
    vessels, regions = (load_masks(table, name, 12) for name in ("vessel", "region"))
    assert vessels[0].any()
    assert not vessels[1].any()
    np.testing.assert_array_equal(regions[0], regions[1])


def test_masks_have_the_proportions_of_their_image(drive, write_mask):
    expected = load_masks(open_dataset(drive), "vessel", 12)
    path = drive / "training" / "1st_manual" / "21_manual1.gif"
    write_mask(path, height=80, width=120)  # another resolution is fine
    np.testing.assert_array_equal(
        load_masks(open_dataset(drive), "vessel", 12), expected
    )
    write_mask(path, height=60, width=40)
    with pytest.raises(DataError, match="must be 40 x 60 as its image, found 60 x 40"):
        load_masks(open_dataset(drive), "vessel", 12)
    write_mask(drive / "test" / "mask" / "01_test_mask.gif", height=60, width=40)
    with pytest.raises(DataError, match="must be 40 x 60 as its image, found 60 x 40"):
        load_images(open_dataset(drive), 12)


def test_drive_training_part_must_have_masks(drive):
    (drive / "training" / "1st_manual" / "21_manual1.gif").unlink()
    with pytest.raises(DataError, match="missing file training/1st_manual/21_manual1"):
        open_dataset(drive)
