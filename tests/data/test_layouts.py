"""Every layout on small copies of its folders, and on the real ones where they are."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image
from strategies import refused

from tinyssl.data import (
    DataError,
    load_images,
    load_masks,
    load_points,
    open_dataset,
    toy,
)
from tinyssl.data.copies import content_groups
from tinyssl.data.folds import stratified_group_folds
from tinyssl.data.images import field_of_view, round_mask

RNG = np.random.default_rng(0)
IMAGES, TRAIN, TEST = "1. Original Images", "a. Training Set", "b. Testing Set"
SEGMENTED, GRADED = "A. Segmentation", "B. Disease Grading"
LOCALIZED = "C. Localization"
LABELS = f"{GRADED}/2. Groundtruths"
CENTERS = f"{LOCALIZED}/2. Groundtruths"
MASKS = f"{SEGMENTED}/2. All Segmentation Groundtruths/{TRAIN}"
HEADER = "Image name,Retinopathy grade,Risk of macular edema ,,,\n"
PLACES = "Image No,X- Coordinate,Y - Coordinate,,\nIDRiD_001,{},,\n,,,,\n"


def expect(table, **columns):
    """Compare columns of a table, arrays as lists."""
    for name, expected in columns.items():
        actual = getattr(table, name)
        actual = actual.tolist() if isinstance(actual, np.ndarray) else actual
        assert actual == expected, name


def check_refused(path, message, **options):
    with pytest.raises(DataError, match=message):
        open_dataset(path, **options)


def have_mask(table, name):
    return [path is not None for path in table.masks[name]]


@pytest.fixture
def aptos(folder):
    train, test = "id_code,diagnosis\naa,2\nbb,0\n", "id_code\ncc\n"
    images = ("train_images/aa.png", "train_images/bb.JPG", "test_images/cc.png")
    return folder(*images, files={"train.csv": train, "test.csv": test})


@pytest.mark.parametrize(
    "text",
    [
        "id_code,diagnosis\naa,2\nbb,0\n",
        "\ufeffid_code,diagnosis\r\naa,2\r\nbb,0\r\n",
        '"id_code" , "diagnosis",,\n"aa", 2,,\n"bb",0,,\n,,,\n',
        "id_code;diagnosis\naa;2\nbb;0",
        "ID_code\tDiagnosis\naa\t2.0\nbb\t0\n\n",
    ],
)
def test_aptos_has_both_parts_from_a_csv_as_people_save_it(aptos, text):
    (aptos / "train.csv").write_text(text, newline="")
    table = open_dataset(aptos)
    expect(table, layout="aptos", names=("aa", "bb", "cc"), grade=[2, 0, -1])
    expect(table, split=["train", "train", "test"], patient=None, is_fundus=True)


def test_every_missing_image_is_named_at_once(aptos):
    names = [f"gone{i:02d}" for i in range(13)]
    rows = "".join(f"{name},1\n" for name in names)
    (aptos / "train.csv").write_text(f"id_code,diagnosis\naa,2\nbb,0\n{rows}")
    with pytest.raises(DataError) as caught:
        open_dataset(aptos)
    first, *lines = (line.strip() for line in str(caught.value).splitlines())
    gone = tuple(f"{name}: missing file train_images/{name}.png" for name in names)
    assert first.endswith("13 problems")
    assert lines == [*gone[:10], "and 3 more"]
    expect(open_dataset(aptos, skip_bad=True), names=("aa", "bb", "cc"), skipped=gone)


@pytest.mark.parametrize(
    ("content", "message"),
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
        (b"name,grade\naa,2", "must have the columns id_code, diagnosis; found name,"),
        (b"", "must have the columns id_code, diagnosis; found none"),
        (b"id_code,diagnosis,diagnosis\naa,2,2", "'diagnosis' more than once"),
        ("id_code,diagnosis\näa,2".encode("latin-1"), "must be UTF-8 text"),
    ],
)
def test_aptos_refuses(aptos, content, message):
    if isinstance(content, str):
        content = f"id_code,diagnosis\n{content}\n".encode()
    (aptos / "train.csv").write_bytes(content)
    check_refused(aptos, message)


@pytest.fixture
def idrid(folder):
    folder(f"{LOCALIZED}/{IMAGES}/{TEST}/IDRiD_001.jpg", size=(267, 402))
    images = [
        *(f"{GRADED}/{IMAGES}/{TRAIN}/IDRiD_{name}.jpg" for name in ("001", "002")),
        f"{GRADED}/{IMAGES}/{TEST}/IDRiD_001.jpg",
        *(f"{SEGMENTED}/{IMAGES}/{TRAIN}/IDRiD_{name}.jpg" for name in ("01", "02")),
    ]
    masks = ["1. Microaneurysms/IDRiD_01_MA.tif", "5. Optic Disc/IDRiD_02_OD.tif"]
    end = "_Testing Set_Markups.csv"
    files = {
        f"{LABELS}/a. Training Labels.csv": "IDRiD_001,3,2,,,\nIDRiD_002, 0,0,,,\n",
        f"{LABELS}/IDRiD_Testing Labels.csv": "IDRiD_001,4,0\n",
    }
    files = {name: HEADER + rows for name, rows in files.items()} | {
        f"{CENTERS}/1. Optic Disc Center Location/OD{end}": PLACES.format("1072,712"),
        f"{CENTERS}/2. Fovea Center Location/Fovea{end}": PLACES.format("2144,1424"),
    }
    return folder(*images, masks=[f"{MASKS}/{name}" for name in masks], files=files)


def test_idrid_root_is_its_grading_part(idrid):
    table = open_dataset(idrid)
    names = ("train/IDRiD_001", "train/IDRiD_002", "test/IDRiD_001")
    expect(table, layout="idrid-grading", names=names, grade=[3, 0, 4])
    expect(table, split=["train", "train", "test"])
    expect(open_dataset(idrid / GRADED), names=names)
    # images of one visit stay together
    comments = (b"181120172a\0", b"No ID\0", b"181120172a\0")
    for path, comment in zip(open_dataset(idrid).images, comments, strict=True):
        Image.open(path).save(path, comment=comment)
    expect(open_dataset(idrid), patient=["181120172a", "", "181120172a"])


def test_idrid_masks_and_points_are_scaled_to_the_image_that_is_there(idrid):
    table = open_dataset(idrid / SEGMENTED)
    expect(table, layout="idrid-segmentation")
    assert list(table.masks) == ["MA", "OD"]
    assert have_mask(table, "MA") == [True, False]
    assert load_masks(table, "MA", 16).any(axis=(1, 2)).tolist() == [True, False]
    with pytest.raises(DataError, match="has no mask 'HE'; its masks are: MA, OD"):
        load_masks(table, "HE", 16)
    table = open_dataset(idrid / LOCALIZED)
    expect(table, layout="idrid-localization")
    expected = [[712 * 267 / 2848, 1072 * 402 / 4288]]
    np.testing.assert_allclose(table.points["disc"], expected)
    # The image's centre is the centre of the square around its circle.
    fovea = load_points(table, "fovea", 100)
    np.testing.assert_allclose(fovea, [[49.5, 49.5]], atol=0.5)
    with pytest.raises(DataError, match="has no point 'cup'; its points are: disc,"):
        load_points(table, "cup", 16)


def test_idrid_names_a_broken_image_and_missing_labels(idrid):
    (idrid / LOCALIZED / IMAGES / TEST / "IDRiD_001.jpg").write_bytes(b"nothing")
    check_refused(idrid / LOCALIZED, "not a JPEG, PNG")
    for path in (idrid / LABELS).iterdir():
        path.unlink()
    check_refused(idrid, r"one csv '\*Training\*Labels.csv', found 0")
    bomb = idrid / SEGMENTED / IMAGES / TRAIN / "IDRiD_01.jpg"
    Image.new("1", (14000, 14000)).save(bomb, format="PNG")
    with pytest.raises(DataError, match=r"IDRiD_01\.jpg: larger than 80,000,000"):
        load_images(open_dataset(idrid / SEGMENTED), 16)


def test_chase_db1_knows_child_eye_and_both_observers(folder):
    names = ("Image_01L", "Image_01R", "Image_02L")
    masks = [*(f"{name}_1stHO.png" for name in names), "Image_01L_2ndHO.png"]
    table = open_dataset(folder(*(f"{name}.jpg" for name in names), masks=masks))
    expect(table, layout="chase_db1", names=names, patient=["01", "01", "02"])
    expect(table, eye=["left", "right", "left"])
    assert have_mask(table, "vessel") == [True, True, True]
    assert have_mask(table, "vessel_2nd") == [True, False, False]


def test_hrf_counts_each_subject_as_one_patient(folder):
    names = ("01_dr", "01_g", "01_h")
    regions = [f"mask/{name}_mask.tif" for name in names]
    masks = [*(f"manual1/{name}.tif" for name in names), *regions]
    root = folder(*(f"images/{name}.JPG" for name in names), masks=masks)
    paths = tuple(root / region for region in regions)
    expect(open_dataset(root), layout="hrf", patient=[*names], grade=None, region=paths)


@pytest.fixture
def drive(folder):
    images = ("training/images/21_training.tif", "test/images/01_test.tif")
    masks = ["training/mask/21_training_mask.gif", "test/mask/01_test_mask.gif"]
    return folder(*images, masks=[*masks, "training/1st_manual/21_manual1.gif"])


def test_only_the_test_part_of_drive_may_lack_masks(drive):
    table = open_dataset(drive)
    expect(table, layout="drive", names=("21_training", "01_test"))
    expect(table, patient=["21", "01"], split=["train", "test"])
    assert have_mask(table, "vessel") == [True, False]
    vessels, regions = (load_masks(table, name, 12) for name in ("vessel", "region"))
    assert vessels.any(axis=(1, 2)).tolist() == [True, False]
    np.testing.assert_array_equal(regions[0], regions[1])
    (drive / "training" / "1st_manual" / "21_manual1.gif").unlink()
    check_refused(drive, "must have one mask in 1st_manual, found none")


def test_masks_have_the_proportions_of_their_image(drive, folder):
    expected = load_masks(open_dataset(drive), "vessel", 12)
    path = "training/1st_manual/21_manual1.gif"
    folder(masks=[path], size=(80, 120))  # another resolution is fine
    actual = load_masks(open_dataset(drive), "vessel", 12)
    np.testing.assert_array_equal(actual, expected)
    message = "must be 40 x 60 as its image, found 60 x 40"
    folder(masks=[path], size=(60, 40))
    with pytest.raises(DataError, match=message):
        load_masks(open_dataset(drive), "vessel", 12)
    folder(masks=["test/mask/01_test_mask.gif"], size=(60, 40))
    with pytest.raises(DataError, match=message):
        load_images(open_dataset(drive), 12)


@pytest.mark.parametrize(
    ("names", "grade", "class_names", "split"),
    [
        (("a/1.jpg", "a/2.jpg", "b/1.png"), [0, 0, 1], ("a", "b"), None),
        (("0/c.png", "1/a.png", "3/b.png"), [0, 1, 3], tuple("0123"), None),
        (("10/a.png", "9/b.png"), [10, 9], tuple(map(str, range(11))), None),
        (("20250131/a.png", "20250201/b.png"), [0, 1], ("20250131", "20250201"), None),
        (("train/1/1.png", "val/0/2.png"), [1, 0], ("0", "1"), ["train", "val"]),
        (("test/b/1.png", "train/a/2.png"), [1, 0], ("a", "b"), ["test", "train"]),
        (("test/1.png", "train/1.png"), None, None, ["test", "train"]),
        (("a.jpeg", "b.PNG"), None, None, None),
    ],
)
def test_folders(folder, names, grade, class_names, split):
    stray = f"{names[0].rpartition('/')[0] or '.'}/._1.jpg"
    strays = {stray: b"left by a Mac", ".hidden/1.jpg": b"no class"}
    table = open_dataset(folder(*names[::-1], files=strays))
    layout = "class-folders" if class_names else "images"
    expect(table, layout=layout, names=names, grade=grade, is_fundus=True)
    expect(table, class_names=class_names, split=split)


def test_gray_images_are_no_eyes_though_on_black(folder):
    root = folder("a.png", color=(120, 120, 120), files={"notes.txt": "hello"})
    expect(open_dataset(root), layout="images", is_fundus=False)


def test_manifest_says_everything(folder):
    text = (
        "image,name,grade,patient,eye,split,region,Mask:MA,disc_y,disc_x\n"
        "raw/a.png,first,3,p1,OD,train,drawn/a.gif,drawn/a.gif,19.5,29.5\n"
        "raw/b.png,second,,p1,left,test,,,,\n"
    )
    files = {"manifest.csv": text}
    root = folder("raw/a.png", "raw/b.png", masks=["drawn/a.gif"], files=files)
    table = open_dataset(root)
    expect(table, layout="manifest", names=("first", "second"), grade=[3, -1])
    expect(table, patient=["p1", "p1"], eye=["right", "left"], split=["train", "test"])
    expect(table, region=(root / "drawn" / "a.gif", None))
    assert load_masks(table, "MA", 8).any(axis=(1, 2)).tolist() == [True, False]
    assert np.isfinite(load_points(table, "disc", 8)).all(1).tolist() == [True, False]
    expect(open_dataset(root / "manifest.csv"), names=table.names)


@pytest.mark.parametrize("split", ["test", "train"])
def test_a_data_set_that_is_a_test_part_alone_keeps_nothing_apart(folder, split):
    text = f"image,split\na.png,{split}\nb.png,{split}\n"
    root = folder("a.png", "b.png", files={"manifest.csv": text})
    expect(open_dataset(root), split=None if split == "test" else ["train", "train"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("picture\na.png", "must have the columns image; found picture"),
        ("image\n", "must have at least one row"),
        ("image,grde\na.png,1", "unknown column 'grde'; known are image, name, grade"),
        ("image,disc_y\na.png,1", "unknown column 'disc_y'"),
        ("image,eye\na.png,up", "a.png: eye must be left or right, found 'up'"),
        ("image,split\na.png,dev", "split must be train, val or test, found 'dev'"),
        ("image,d_y,d_x\na.png,1,", "d must be two numbers or blank, found '1', ''"),
        ("image,d_y,d_x\na.png,1,inf", "d must be two numbers or blank"),
        ("image,region\na.png,no.png", "a.png: missing file no.png"),
        ("image,mask:MA\na.png,../no.png", "a.png: path leaves the folder"),
        ("image\n/etc/hostname", "path leaves the folder: /etc/hostname"),
        ("image\na\0.png", "path cannot be followed"),
    ],
)
def test_manifest_refuses(folder, text, message):
    root = folder("data/a.png", files={"data/manifest.csv": text}) / "data"
    check_refused(root, message)


def test_links_must_stay_inside(folder):
    root = folder("outside.png", "data/real.png") / "data"
    targets = {"escape": "../outside.png", "fine": "real.png", "loop": "loop.png"}
    try:
        for name, target in targets.items():
            (root / f"{name}.png").symlink_to(root / target)
    except OSError:
        pytest.skip("this system makes no links")
    check_refused(root, r"escape\.png: a link out of the folder: escape.png -> /")
    table = open_dataset(root, skip_bad=True)
    expect(table, names=("fine.png", "real.png"))
    refused = [reason.split(":")[0] for reason in table.skipped]
    assert refused == ["escape.png", "loop.png"]


def test_unknown_layout_lists_what_is_supported_and_found(folder):
    root = folder("deep/deeper/a.png", files={"notes.txt": "hello"})
    known = ("manifest", "APTOS", "IDRiD", "CHASE_DB1", "HRF", "DRIVE", "MedMNIST")
    with refused(".*".join((*known, "found 1 .txt, folders deep$"))):
        open_dataset(root)
    check_refused(root / "none", "no such file or folder")
    check_refused(root / "notes.txt", "unknown kind of file")


@pytest.mark.parametrize(
    ("images", "files", "message"),
    [
        ((), {}, "found an empty folder"),
        ((), {"manifest.csv": "image\ngone.png"}, r"no image .* first row: gone\.png"),
        ((), {"train.csv": ""}, "unknown layout; .* found 1 .csv"),
        (("Image_03R.jpg",), {}, "no image .* missing file Image_03R_1stHO"),
        (("1.png", "b/2.png", "a/3.png"), {}, r"also folders of images \(a, b\)"),
    ],
)
def test_nothing_to_use(folder, images, files, message):
    check_refused(folder(*images, files=files), message, skip_bad=True)


def eyes(n, size=28):
    images = RNG.integers(60, 90, (n, size, size, 3), np.uint8)
    images[..., 0] += 90
    images[:, ~round_mask(size)] = 0
    return images


def medmnist(tmp_path, **arrays):
    np.savez(tmp_path / "images.npz", **arrays)
    return open_dataset(tmp_path / "images.npz")


def test_medmnist_joins_its_parts_and_gray_images_are_no_eyes(tmp_path):
    train = {"train_images": eyes(3), "train_labels": np.uint8([[0], [4], [2]])}
    test = {"test_images": eyes(2), "test_labels": np.uint8([[1], [0]])}
    table = medmnist(tmp_path, **train, **test)
    names = ("train/0", "train/1", "train/2", "test/0", "test/1")
    expect(table, layout="medmnist", names=names, grade=[0, 4, 2, 1, 0], is_fundus=True)
    expect(table, split=["train"] * 3 + ["test"] * 2)
    assert table.images.shape == (5, 28, 28, 3)
    images = RNG.integers(0, 255, (3, 28, 28), np.uint8)
    table = medmnist(tmp_path, train_images=images)
    expect(table, is_fundus=False, grade=None)
    loaded, _ = load_images(table, 28)
    np.testing.assert_array_equal(loaded, images[..., None].repeat(3, axis=-1))


@pytest.mark.parametrize(
    ("images", "more", "message"),
    [
        (None, {"train_labels": np.zeros(3)}, "must hold train_images"),
        (np.zeros((2, 8, 8)), {}, r"\(n, H, W, 3\) uint8, found .*float"),
        (np.zeros((2, 8, 8, 8), np.uint8), {}, r"found \(2, 8, 8, 8\)"),
        (np.zeros((0, 8, 8), np.uint8), {}, r"found \(0, 8, 8\)"),
        (
            eyes(2),
            {"train_labels": np.zeros((2, 14), int)},
            r"labels .* \(2, 14\)",
        ),
        (eyes(2), {"train_labels": np.zeros(2)}, "one integer an image, .* float64"),
        (eyes(2), {"test_images": eyes(2, 32)}, "images must have one size"),
    ],
)
def test_medmnist_refuses(tmp_path, images, more, message):
    given = {} if images is None else {"train_images": images}
    with pytest.raises(DataError, match=message):
        medmnist(tmp_path, **given, **more)


def test_medmnist_never_unpickles_and_refuses_broken_files(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    with pytest.raises(DataError, match="cannot be read as plain arrays"):
        medmnist(tmp_path, train_images=np.array([Trap()], object))
    assert not (tmp_path / "sprung").exists()
    for content in (b"", b"PK\x03\x04 cut off", b"\x80\x04pickle"):
        (tmp_path / "images.npz").write_bytes(content)
        check_refused(tmp_path / "images.npz", "cannot be read as plain arrays")


def test_toy_is_a_table_of_everything():
    table = open_dataset("toy:6:32")
    shapes = (len(table), table.images.shape, table.region.shape)
    assert shapes == (6, (6, 32, 32, 3), (6, 32, 32))
    assert set(table.masks) >= {"vessel", "MA", "HE", "EX"}
    assert list(table.points) == ["disc", "fovea"]
    assert set(table.eye) <= {"left", "right"}
    assert len(set(table.patient)) == 3
    assert np.array_equal(table.images, open_dataset("toy:6:32").images)
    assert (table.images != open_dataset("toy:6:32:1").images).any((1, 2, 3)).all()
    for spec in ("toy:0", "toy:many", "toy:4:8", "toy:", "toy:4:32:x", "toy:12345678"):
        check_refused(spec, "must be toy, toy:N, toy:N:SIZE or")


def test_toy_tells_the_factors_of_its_eyes_as_numbers_and_selected_rows_keep_them():
    table, eyes = open_dataset("toy:40:32"), toy.fundus(40, size=32)
    known = table.factors
    assert all(len(x) == 40 and x.dtype.kind in "if" for x in known.values())
    assert np.array_equal(known["right eye"] == 1, table.eye == "right")
    assert [f"p{number:04d}" for number in known["patient"]] == table.patient.tolist()
    assert np.array_equal(
        np.stack([known["disc y"], known["disc x"]], 1), table.points["disc"]
    )
    for kind, mask in eyes.lesions.items():
        assert np.array_equal(known[f"lesions {kind}"] > 0, mask.any((1, 2)))
    for kind, count in eyes.distractor_counts.items():
        assert np.array_equal(known[f"look-alikes {kind}"], count)
    for eye, share in enumerate(known["vessel share"]):
        assert share == table.masks["vessel"][eye][table.region[eye]].mean()
    for name in ("camera", "pigment", "cup_ratio", "disc_radius"):
        assert np.array_equal(known[name.replace("_", " ")], getattr(eyes, name))
    assert np.array_equal(known["exposure"], eyes.light["exposure"])
    some = table.select([4, 1]).factors
    assert {k: x[[4, 1]].tolist() for k, x in known.items()} == {
        k: x.tolist() for k, x in some.items()
    }


REAL = [  # folder, layout, images, is_fundus
    ("IDRiD", "idrid-grading", 412, True),
    ("IDRiD/A. Segmentation", "idrid-segmentation", 51, True),
    ("IDRiD/C. Localization", "idrid-localization", 40, True),
    ("CHASE_DB1", "chase_db1", 20, True),
    ("HRF", "hrf", 15, True),
    ("MedMNIST/retinamnist.npz", "medmnist", 1600, True),
    ("MedMNIST/pneumoniamnist_reconstructed.npz", "medmnist", 5856, False),
]


@pytest.mark.parametrize(("folder", "layout", "count", "is_fundus"), REAL)
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
