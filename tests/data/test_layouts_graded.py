"""APTOS and IDRiD on small copies of their folders."""

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import DataError, load_masks, load_points, open_dataset

GRADING = "B. Disease Grading"
IMAGES, TRAIN, TEST = "1. Original Images", "a. Training Set", "b. Testing Set"


@pytest.fixture
def aptos(tmp_path, write_image):
    for name in ("aa", "bb"):
        write_image(tmp_path / "train_images" / f"{name}.png")
    write_image(tmp_path / "test_images" / "cc.png")
    (tmp_path / "train.csv").write_text("id_code,diagnosis\naa,2\nbb,0\n")
    (tmp_path / "test.csv").write_text("id_code\ncc\n")
    return tmp_path


def test_aptos_reads_labelled_and_unlabelled_part(aptos):
    table = open_dataset(aptos)
    assert table.layout == "aptos"
    assert table.names == ("aa", "bb", "cc")
    assert table.grade.tolist() == [2, 0, -1]
    assert table.split.tolist() == ["train", "train", "test"]
    assert table.patient is None
    assert table.is_fundus


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffid_code,diagnosis\r\naa,2\r\nbb,0\r\n",
        '"id_code" , "diagnosis",,\n"aa", 2,,\n"bb",0,,\n,,,\n',
        "id_code;diagnosis\naa;2\nbb;0",
        "ID_code\tDiagnosis\naa\t2.0\nbb\t0\n\n",
    ],
    ids=["bom-crlf", "quotes-commas-blank-row", "semicolons", "tabs-float"],
)
def test_aptos_csv_as_people_save_it(aptos, text):
    (aptos / "train.csv").write_text(text, newline="")
    assert open_dataset(aptos).grade.tolist() == [2, 0, -1]


def test_aptos_names_every_missing_image_at_once(aptos):
    rows = "".join(f"gone{i:02d},1\n" for i in range(13))
    (aptos / "train.csv").write_text(f"id_code,diagnosis\naa,2\nbb,0\n{rows}")
    with pytest.raises(DataError) as caught:
        open_dataset(aptos)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("13 problems")
    assert lines[1].strip() == "gone00: missing file train_images/gone00.png"
    assert len(lines) == 12
    assert lines[-1].strip() == "and 3 more"

    table = open_dataset(aptos, skip_bad=True)
    assert table.names == ("aa", "bb", "cc")
    assert len(table.skipped) == 13
    assert table.skipped[0] == "gone00: missing file train_images/gone00.png"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("aa,2.5", "aa: grade must be an integer, found '2.5'"),
        ("aa,severe", "aa: grade must be an integer, found 'severe'"),
        ("aa,-2", "aa: grade must be an integer, found '-2'"),
        ("aa,1234", r"aa: grade must lie in 0\.\.99, found '1234'"),
        ("aa,1\naa,2", "aa: named 2 times, each image must be listed once"),
        ("../secret,1", r"\.\./secret: missing file secret\.png"),
        ("../../secret,1", r"\.\./\.\./secret: path leaves the folder"),
        (",1", "row 1: must name an image, found a blank"),
        ("aa,1,7", "row 2 has a value in a column without a name"),
    ],
)
def test_aptos_refuses_a_row(aptos, rows, message):
    (aptos / "train.csv").write_text(f"id_code,diagnosis\n{rows}\n")
    with pytest.raises(DataError, match=message):
        open_dataset(aptos)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,grade\naa,2", "must have the columns id_code, diagnosis; found name,"),
        (b"", "must have the columns id_code, diagnosis; found none"),
        (b"id_code,diagnosis,diagnosis\naa,2,2", "'diagnosis' more than once"),
        ("id_code,diagnosis\näa,2".encode("latin-1"), "must be UTF-8 text"),
    ],
    ids=["columns", "empty", "twice", "latin-1"],
)
def test_aptos_refuses_a_csv(aptos, content, message):
    (aptos / "train.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        open_dataset(aptos)


def test_aptos_without_image_folder(tmp_path):
    (tmp_path / "train.csv").write_text("id_code,diagnosis\n")
    with pytest.raises(DataError, match=r"has train\.csv but no folder train_images"):
        open_dataset(tmp_path)


@pytest.fixture
def idrid(tmp_path, write_image, write_mask):
    root = tmp_path / "IDRiD"
    for folder, names in [(TRAIN, ("001", "002")), (TEST, ("001",))]:
        for name in names:
            write_image(root / GRADING / IMAGES / folder / f"IDRiD_{name}.jpg")
    truth = root / GRADING / "2. Groundtruths"
    truth.mkdir()
    header = "Image name,Retinopathy grade,Risk of macular edema ,,,\n"
    for prefix, word, rows in [
        ("a.", "Training", "IDRiD_001,3,2,,,\nIDRiD_002, 0,0,,,\n"),
        ("b.", "Testing", "IDRiD_001,4,0\n"),
    ]:
        name = f"{prefix} IDRiD_Disease Grading_{word} Labels.csv"
        (truth / name).write_text(header + rows)

    part = root / "A. Segmentation"
    write_image(part / IMAGES / TRAIN / "IDRiD_01.jpg")
    write_image(part / IMAGES / TRAIN / "IDRiD_02.jpg")
    masks = part / "2. All Segmentation Groundtruths" / TRAIN
    write_mask(masks / "1. Microaneurysms" / "IDRiD_01_MA.tif")
    write_mask(masks / "5. Optic Disc" / "IDRiD_02_OD.tif")

    part = root / "C. Localization"
    write_image(part / IMAGES / TEST / "IDRiD_001.jpg", height=267, width=402)
    for folder, name, row in [
        ("1. Optic Disc Center Location", "b. IDRiD_OD_Center", "IDRiD_001,1072,712"),
        ("2. Fovea Center Location", "IDRiD_Fovea_Center", "IDRiD_001,2144,1424"),
    ]:
        path = part / "2. Groundtruths" / folder / f"{name}_Testing Set_Markups.csv"
        path.parent.mkdir(parents=True)
        path.write_text(f"Image No,X- Coordinate,Y - Coordinate,,\n{row},,\n,,,,\n")
    return root


def test_idrid_root_is_its_grading_part(idrid):
    table = open_dataset(idrid)
    assert table.layout == "idrid-grading"
    assert table.names == ("train/IDRiD_001", "train/IDRiD_002", "test/IDRiD_001")
    assert table.grade.tolist() == [3, 0, 4]
    assert table.split.tolist() == ["train", "train", "test"]
    assert open_dataset(idrid / GRADING).names == table.names


def test_idrid_images_of_one_visit_stay_together(idrid):
    folder = idrid / GRADING / IMAGES
    for path, comment in (
        (folder / TRAIN / "IDRiD_001.jpg", b"181120172a\0"),
        (folder / TRAIN / "IDRiD_002.jpg", b"No ID\0"),
        (folder / TEST / "IDRiD_001.jpg", b"181120172a\0"),
    ):
        Image.open(path).save(path, comment=comment)
    assert open_dataset(idrid).patient.tolist() == ["181120172a", "", "181120172a"]


def test_idrid_segmentation_has_a_mask_where_there_is_a_lesion(idrid):
    table = open_dataset(idrid / "A. Segmentation")
    assert table.layout == "idrid-segmentation"
    assert list(table.masks) == ["MA", "OD"]
    assert [path is None for path in table.masks["MA"]] == [False, True]
    masks = load_masks(table, "MA", 16)
    assert masks.shape == (2, 16, 16)
    assert masks[0].any()
    assert not masks[1].any()
    with pytest.raises(DataError, match="has no mask 'HE'; its masks are: MA, OD"):
        load_masks(table, "HE", 16)


def test_idrid_points_are_scaled_to_the_image_that_is_there(idrid):
    table = open_dataset(idrid / "C. Localization")
    assert table.layout == "idrid-localization"
    expected = [[712 * 267 / 2848, 1072 * 402 / 4288]]
    np.testing.assert_allclose(table.points["disc"], expected)
    # The image's centre is the centre of the square around its circle.
    fovea = load_points(table, "fovea", 100)
    np.testing.assert_allclose(fovea, [[49.5, 49.5]], atol=0.5)
    with pytest.raises(DataError, match="has no point 'cup'; its points are: disc,"):
        load_points(table, "cup", 16)


def test_idrid_names_the_broken_image_of_a_point(idrid):
    image = idrid / "C. Localization" / IMAGES / TEST / "IDRiD_001.jpg"
    image.write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a JPEG, PNG"):
        open_dataset(idrid / "C. Localization")


def test_idrid_without_labels(idrid):
    for path in (idrid / GRADING / "2. Groundtruths").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"one csv '\*Training\*Labels.csv', found 0"):
        open_dataset(idrid)
