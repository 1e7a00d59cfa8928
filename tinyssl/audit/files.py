"""Files: unreadable, left aside, unlabelled; masks that do not fit; odd images."""

from collections import defaultdict
from hashlib import sha256

import numpy as np

from tinyssl.audit.findings import tell
from tinyssl.data.decode import image_size, read_mask, same_proportions
from tinyssl.data.files import IMAGE_SUFFIXES, suffix_of, unlisted
from tinyssl.data.table import DataError

FAINT = 1 / 3  # of the median of the part: nothing of IDRiD's 412 is below .39


def find_files(looks):
    """Yield what is wrong with files, rows of the table, masks and single images."""
    found = defaultdict(list, unreadable=[[line] for line in looks.unreadable])
    for part, table in looks.parts.items():
        for line in table.skipped:
            missing = ": missing file" in line
            kind = "labels-without-images" if missing else "rows-refused"
            found[kind].append([f"{part}: {line}"])
        if isinstance(table.images, tuple):
            named = {*table.images, *(table.region or ())}.union(*table.masks.values())
            for path in unlisted(table.root, named):
                if suffix_of(path) in IMAGE_SUFFIXES:
                    aside = [f"{part}: {path.relative_to(table.root)}"]
                    found["images-without-labels"].append(aside)
            for kind, files in _masks(part, table).items():
                found[kind] += files
    for kind, files in found.items():
        yield from tell(kind, files)
    yield from _odd_images(looks)


def _masks(part, table):
    """Return masks of another shape than their image, and masks used for two."""
    columns = table.masks | ({"region": table.region} if table.region else {})
    masks = [
        (f"{part}: {name}, {kind}", image, mask)
        for kind, column in columns.items()
        for name, image, mask in zip(table.names, table.images, column, strict=True)
        if mask
    ]
    found, uses = defaultdict(list), defaultdict(list)
    for words, image, mask in masks:
        try:
            (H, W), (h, w) = image_size(image), image_size(mask, image)
        except DataError as error:
            found["masks-unreadable"].append([f"{words}: {error}"])
            continue
        unlike = [f"{words}: {h} x {w}, its image {H} x {W}"]
        if not same_proportions((h, w), (H, W)):
            found["masks-of-other-proportions"].append(unlike)
        elif (h, w) != (H, W):
            found["masks-of-other-sizes"].append(unlike)
        if mask not in (table.region or ()):  # one camera's circles are all alike
            uses[sha256(mask.read_bytes()).digest()].append((words, mask))
    for same in uses.values():
        if len(same) < 2:
            continue
        try:
            if read_mask(same[0][1]).any():  # empty ones are all alike
                found["masks-twice"].append([words for words, _ in same])
        except DataError as error:
            found["masks-unreadable"] += [[f"{words}: {error}"] for words, _ in same]
    return found


def _odd_images(looks):
    """Yield images without a grade among graded ones, gray, dark and blurred ones."""
    place = np.strings.add(np.strings.add(looks.part, "\n"), looks.split)
    ungraded = (looks.grade < 0) & np.isin(place, place[looks.grade >= 0])
    gray, dark, soft = (np.zeros(len(looks.name), bool) for _ in range(3))
    for part in np.unique(looks.part):
        here = looks.part == part
        gray |= here & looks.gray & (looks.gray[here].mean() < 0.5)
        dark |= here & (looks.brightness < FAINT * np.median(looks.brightness[here]))
        soft |= here & (looks.detail < FAINT * np.median(looks.detail[here]))
    odd = {"ungraded": ungraded, "gray": gray, "dark": dark, "blurred": soft & ~dark}
    for kind, rows in odd.items():
        yield from tell(kind, np.flatnonzero(rows)[:, None], looks)
