"""Data sets of vessel masks: CHASE_DB1, HRF and DRIVE."""

import re

from tinyssl.data.records import Record, build_table, existing, list_images


def read_chase_db1(root, *, skip_bad):
    """Read CHASE_DB1: Image_01L.jpg of child 01, Image_01L_1stHO.png, .._2ndHO.png."""
    records = []
    for image in list_images(root):
        match = re.fullmatch(r"Image_(\d+)([LR])", image.stem)
        if match:
            child, side = match.groups()
            masks = {"vessel": root / f"{image.stem}_1stHO.png"}
            masks |= existing({"vessel_2nd": root / f"{image.stem}_2ndHO.png"})
            record = Record(image.stem, image, patient=child, eye=side, masks=masks)
            records.append(record)
    options = {"layout": "chase_db1", "root": root, "skip_bad": skip_bad}
    return build_table(records, **options) if records else None


def read_hrf(root, *, skip_bad):
    """Read HRF: images/01_dr.jpg, manual1/01_dr.tif, mask/01_dr_mask.tif."""
    if not ((root / "images").is_dir() and (root / "manual1").is_dir()):
        return None
    records = []
    for image in list_images(root / "images"):
        masks = {"vessel": root / "manual1" / f"{image.stem}.tif"}
        # 01_dr, 01_g (glaucoma) and 01_h (healthy) are three people
        record = Record(image.stem, image, patient=image.stem, masks=masks)
        record.region = root / "mask" / f"{image.stem}_mask.tif"
        records.append(record)
    return build_table(records, layout="hrf", root=root, skip_bad=skip_bad)


def read_drive(root, *, skip_bad):
    """Read DRIVE: training/images/21_training.tif, test/images/01_test.tif, ..."""
    parts = {"train": root / "training", "test": root / "test"}
    if not any((part / "images").is_dir() for part in parts.values()):
        return None
    records = []
    for split, part in parts.items():
        for image in list_images(part / "images"):
            number = image.stem.partition("_")[0]
            vessel = part / "1st_manual" / f"{number}_manual1.gif"
            second = part / "2nd_manual" / f"{number}_manual2.gif"
            masks = existing({"vessel": vessel, "vessel_2nd": second})
            if split == "train":  # those of the test part are handed out separately
                masks["vessel"] = vessel
            record = Record(image.stem, image, patient=number, split=split, masks=masks)
            record.region = part / "mask" / f"{image.stem}_mask.gif"
            records.append(record)
    return build_table(records, layout="drive", root=root, skip_bad=skip_bad)
