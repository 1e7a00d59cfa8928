"""Image-and-mask sets: a folder of images beside folders of masks, paired by name.

The words of a folder's name tell what it holds: "Original images", "1st_manual",
"Ground truth". A mask belongs to the image of its name, or else of its name but for
such words at both ends: mask_3 to image_3, 21_manual1 to 21_training, im7.ah to im7.
"""

import re
from collections import Counter, defaultdict

from tinyssl.data.files import images_below, list_folders, list_images, stem_of
from tinyssl.data.records import SPLITS, Record, build_table
from tinyssl.data.table import DataError

IMAGES = {"image", "images", "img", "imgs", "original", "originals", "photo", "photos"}
IMAGES |= {"photograph", "photographs", "picture", "pictures"}
MASKS = {"mask", "masks", "label", "labels", "manual", "manuals", "gt", "gts", "fov"}
MASKS |= {"annotation", "annotations", "groundtruth", "groundtruths", "truth", "truths"}
MASKS |= {"segmentation", "segmentations", "seg", "segs"}
VESSELS = {"manual", "manuals", "ah", "vk", "vessel", "vessels"}
KNOWN = {"manual1": "hrf", "1st_manual": "drive"}  # folder: layout
OF_MASK = r"masks?|labels?|manual\d?|annotations?|gt|(?:ground[\s_]?)?truths?|vessels?"
OF_MASK += r"|seg|segmentations?|(?:1st|2nd)_?(?:ho|manual)|ah|vk|fov"
WORD = rf"(?:images?|imgs?|im|training|test|{OF_MASK})"
ENDS = re.compile(rf"^{WORD}(?:[\s_.-]+|(?=\d))|[\s_.-]+{WORD}$", re.IGNORECASE)
BESIDE = re.compile(rf"(.+?)[\s_.-]+(?:{OF_MASK})")
OF_DRIVE = re.compile(r"\d\d_(training|test)_mask")


def words_of(folder):
    """Return the words of a folder's name, in small letters, without its numbers."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", folder.name).lower()
    return {*re.findall(r"[^\W\d_]+", apart)}


def read_pairs(root, *, skip_bad):
    """Read folders of images and of masks, perhaps below train/, val/, test/."""
    parts = {"": root}
    if not _masks_of(root):
        found = [f for f in list_folders(root) if f.name.lower() in SPLITS]
        found.sort(key=lambda folder: SPLITS[folder.name.lower()] == "test")
        parts = {folder.name: folder for folder in found}
    masks = {split: _masks_of(part) for split, part in parts.items()}
    names = {folder.name.lower() for found in masks.values() for folder in found}
    images = {s: _images_of(part, masks[s]) for s, part in parts.items() if names}
    if not any(images.values()):  # folders so called may be classes: label 0, label 1
        return None
    known = [KNOWN[name] for name in sorted(names) if name in KNOWN]
    layout = known[0] if known else "image-mask"
    records = []
    for split, folder in images.items():
        if folder:
            columns = _columns(parts[split], masks[split], several=len(names) > 1)
            records += _paired(root, folder, columns, split)
    for record in records if known else ():
        record.name = stem_of(record.image)
        number = record.name.partition("_")[0]
        # of HRF 01_dr, 01_g (glaucoma) and 01_h (healthy) are three people
        record.patient = record.name if layout == "hrf" else number
    options = {"is_fundus": True if known else None}
    return build_table(records, layout=layout, root=root, skip_bad=skip_bad, **options)


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


def refuse_masks_beside(images, root):
    """Refuse 1_mask.png beside 1.png, mask.png or masks/1.png among images."""
    stems = {stem_of(image).lower() for image in images}
    for image in images:
        stem, match = stem_of(image), BESIDE.fullmatch(stem_of(image).lower())
        words = (*image.relative_to(root).parts[:-1], stem)
        named = any(re.fullmatch(OF_MASK, word, re.IGNORECASE) for word in words)
        if named or (match and match[1] in stems):
            rule = "looks like a mask of the image beside it: put images and masks into"
            raise DataError(f"{image}: {rule} folders of their own, images/ and masks/")


def _masks_of(part):
    """Return the folders of masks; an empty one too, so that its masks are missed."""
    found = [folder for folder in list_folders(part) if words_of(folder) & MASKS]
    return [f for f in found if images_below(f) or not any(f.iterdir())]


def _images_of(part, masks):
    """Return the one folder of images beside masks; None if nothing is there."""
    others = [f for f in list_folders(part) if f not in masks and images_below(f)]
    others = [folder for folder in others if words_of(folder) & IMAGES] or others
    others += [part] if list_images(part) else []
    if len(others) > 1:
        names, beside = (", ".join(f.name for f in some) for some in (others, masks))
        rule = f"must hold one folder of images beside masks ({beside or 'none'})"
        raise DataError(f"{part}: {rule}, found {names}; or give a manifest.csv")
    return others[0] if others else None


def _columns(part, masks, *, several):
    """Return which folder holds the region and which masks: vessel, vessel_2nd, mask.

    A folder called mask is the field of view beside others (``several``), and DRIVE's.
    """
    columns = {}
    for folder in masks:
        name, words = folder.name.lower(), words_of(folder)
        second = "_2nd" if re.search(r"2nd|second|manual2|vk", name) else ""
        column = ("vessel" if words & VESSELS else "mask") + second
        drive = all(OF_DRIVE.fullmatch(stem_of(path)) for path in images_below(folder))
        if "fov" in words or (name == "mask" and (several or drive)):
            column = "region"
        if column in columns:
            found = f"{columns[column].name}, {folder.name}"
            raise DataError(f"{part}: must have one folder for {column}, found {found}")
        columns[column] = folder
    return columns


def _paired(root, folder, columns, split):
    """Return a record of each image, and of each mask without one, to be refused."""
    inside = any(place.parent == folder for place in columns.values())
    images = list_images(folder) if inside else images_below(folder)
    records, lost = [], []
    for image in images:
        inner = image.relative_to(folder).parts[0].lower()
        record = Record(image.relative_to(root).as_posix(), image, split=split)
        record.split = split or (inner if inner in SPLITS else "")
        records.append(record)
    for column, place in columns.items():
        masks = images_below(place)
        owned = _match(folder, images, place, masks)
        uses = Counter(mask for found in owned.values() for mask in found)
        for record in records:
            found = owned[record.image]
            if len(found) == 1 == uses[found[0]]:
                record.masks[column] = found[0]
            elif found or not column.endswith("_2nd"):
                names = ", ".join(mask.name for mask in found) or "none"
                names += " of several images" if len(found) == 1 else ""
                record.problem = f"must have one mask in {place.name}, found {names}"
        reason = f"is a mask, and no image in {folder.name} has its name"
        for mask in (mask for mask in masks if not uses[mask]):
            name = mask.relative_to(root).as_posix()
            lost.append(Record(name, mask, problem=reason))
    for record in records:
        record.region = record.masks.pop("region", None)
    return records + lost


def _match(folder, images, place, masks):
    """Return the masks of each image: of its name, or else of its name's middle."""
    owned = {}
    for word in (lambda path: stem_of(path).lower(), _middle):
        named = defaultdict(list)
        for mask in masks:
            named[mask.parent.relative_to(place), word(mask)].append(mask)
        for image in images:
            key = image.parent.relative_to(folder), word(image)
            owned[image] = owned.get(image) or named.get(key, [])
    return owned


def _middle(path):
    """Return a stem without the words of images and masks at its ends."""
    stem, before = stem_of(path).lower(), ""
    while stem != before:
        before, stem = stem, ENDS.sub("", stem) or stem
    return stem
