"""CHASE_DB1: vessel masks of two observers, beside the images of both eyes."""

import re

from tinyssl.data.files import list_images
from tinyssl.data.records import Record, build_table


def read_chase_db1(root, *, skip_bad):
    """Read CHASE_DB1: Image_01L.jpg of child 01, Image_01L_1stHO.png, .._2ndHO.png."""
    records = []
    for image in list_images(root):
        match = re.fullmatch(r"Image_(\d+)([LR])", image.stem)
        if match:
            child, side = match.groups()
            masks = {"vessel": root / f"{image.stem}_1stHO.png"}
            if (second := root / f"{image.stem}_2ndHO.png").is_file():
                masks["vessel_2nd"] = second
            record = Record(image.stem, image, patient=child, eye=side, masks=masks)
            records.append(record)
    options = {"layout": "chase_db1", "root": root, "skip_bad": skip_bad}
    return build_table(records, **options) if records else None
