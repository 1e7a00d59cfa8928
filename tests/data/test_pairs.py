"""Folders of images beside folders of masks, paired by name, are never classes."""

import numpy as np
import pytest
from strategies import refused

from tinyssl.data import DataError, load_masks, open_dataset

PAIRED = [  # images, masks as {column: files}; each mask belongs to the image above it
    (["Images/1.png", "Images/2.png"], {"mask": ["Masks/1.png", "Masks/2.png"]}),
    (["imgs/1.png", "imgs/1_test.png"], {"mask": ["gt/1.png", "gt/1_test.png"]}),
    (["imgs/a_1.jpg"], {"mask": ["annotations/a_1.gif"]}),
    (["Original images/8_D.png"], {"mask": ["Ground truth/8_D.png"]}),
    (["ISIC_Input/ISIC_01.jpg"], {"mask": ["GroundTruth/ISIC_01_segmentation.png"]}),
    (["img/img_7.png", "img/img_12.png"], {"mask": ["gt/gt_7.png", "gt/gt_12.png"]}),
    (["raw/image1.png"], {"mask": ["labels/label1.png"]}),
    (["CXR_png/CHN_1.png"], {"mask": ["mask/CHN_1_mask.png"]}),
    (["1.png", "2.png"], {"mask": ["masks/1.png", "masks/2.png"]}),
    (["images/train/1.png"], {"mask": ["masks/train/1.png"]}),
    (["photos/1.png"], {"mask": ["labels/1_label.png"], "region": ["fov/1_fov.png"]}),
    (
        ["stare-images/im0001.ppm"],
        {"vessel": ["labels-ah/im0001.ah.ppm"], "vessel_2nd": ["labels-vk/im0001.ppm"]},
    ),
    (
        ["images/01_dr.png", "images/01_h.png"],
        {
            "vessel": ["manual1/01_dr.gif", "manual1/01_h.gif"],
            "region": ["mask/01_dr_mask.png", "mask/01_h_mask.png"],
        },
    ),
    (["training/images/21_training.png"], {"vessel": ["training/1st_manual/21.gif"]}),
    (
        ["test/images/01_test.png"],
        {
            "vessel": ["test/1st_manual/01_manual1.png"],
            "vessel_2nd": ["test/2nd_manual/01_manual2.png"],
            "region": ["test/mask/01_test_mask.png"],
        },
    ),
    (["images/01_test.png"], {"region": ["mask/01_test_mask.gif"]}),
]


@pytest.mark.parametrize(("images", "masks"), PAIRED)
def test_each_image_has_the_mask_of_its_name(folder, images, masks):
    root = folder(*images, masks=[path for column in masks.values() for path in column])
    table = open_dataset(root)
    at = [[*table.images].index(root / image) for image in images]
    found = {**table.masks, **({"region": table.region} if table.region else {})}
    assert {name: [column[i] for i in at] for name, column in found.items()} == {
        name: [root / path for path in column] for name, column in masks.items()
    }
    assert (table.grade, table.class_names, table.unused) == (None, None, ())
    for name in found:
        assert load_masks(table, name, 8).any(axis=(1, 2)).all()


def test_parts_and_layouts_of_pairs_are_known(folder):
    names = [
        f"{p}/{kind}/{p[:2]}.png" for p in ("train", "val") for kind in ("img", "gt")
    ]
    table = open_dataset(folder(*names))
    assert (table.layout, table.split.tolist()) == ("image-mask", ["train", "val"])
    root = folder("h/images/01_g.tif", masks=["h/manual1/01_g.png"])
    table = open_dataset(root / "h")
    assert (table.layout, table.names) == ("hrf", ("01_g",))
    assert table.patient.tolist() == ["01_g"]


def test_unpaired_images_and_masks_are_all_named_or_left_out(folder):
    root = folder("images/1.png", "images/2.png", "images/3.png")
    folder(masks=["masks/2.png", "masks/4.png", "masks/3_mask.png", "masks/3_gt.png"])
    lacking = (
        "images/1.png: must have one mask in masks, found none",
        "images/3.png: must have one mask in masks, found 3_gt.png, 3_mask.png",
        "masks/4.png: is a mask, and no image in images has its name",
    )
    with pytest.raises(DataError) as caught:
        open_dataset(root)
    assert tuple(map(str.strip, str(caught.value).splitlines()[1:])) == lacking
    table = open_dataset(root, skip_bad=True)
    assert (table.names, table.skipped) == (("images/2.png",), lacking)
    assert table.unused == ("2 .png (masks/3_gt.png)",)  # the two that are not clear


def test_one_mask_of_two_images_belongs_to_neither(folder):
    root = folder("img/image_1.png", "img/img_1.png", masks=["masks/mask_1.png"])
    with pytest.raises(DataError, match=r"found mask_1\.png of several images"):
        open_dataset(root)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("A/1.png", "B/1.png", "masks/1.png"), r"one folder .*\(masks\), found A, B"),
        (
            ("images/1.png", "gt/1.png", "seg/1.png"),
            "one folder for mask, found gt, seg",
        ),
        (("images/1.png", "discs/1.png"), "images, no name of a class"),
        (("a/images/1.png", "a/masks/1.png", "b/images/2.png"), "found images, masks"),
        (("b/x 1.png", "b/x 1_mask.png", "n/2.png"), "looks like a mask of the image"),
        (
            ("pt1/image.png", "pt1/mask.png", "pt2/image.png"),
            "pt1/mask.png: looks like",
        ),
        (
            ("pt1/image/1.png", "pt1/Seg/1.png", "pt2/1.png"),
            "pt1/Seg/1.png: looks like",
        ),
        (("1.png", "1_segmentation.png"), "looks like a mask of the image beside it"),
    ],
)
def test_other_places_of_masks_are_refused_with_the_way_out(folder, names, message):
    with refused(message):
        open_dataset(folder(*names))


def test_classes_may_be_called_by_such_words(folder):
    for names in (("label 0", "label 1"), ("image_dr", "image_normal")):
        root = folder(*(f"{names[0]}s/{name}/1.png" for name in names)) / f"{names[0]}s"
        table = open_dataset(root)
        assert set(table.class_names) == {*names}
        assert np.array_equal(np.sort(table.grade), [0, 1])
