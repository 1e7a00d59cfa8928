"""A user's own images: folders that are class-named, of patients, split, or plain."""

import re
from collections import defaultdict
from statistics import median

from tinyssl.data.classes import in_order
from tinyssl.data.files import images_below, list_folders, list_images, suffix_of
from tinyssl.data.layouts.lists import SHEETS, refuse_sheet
from tinyssl.data.layouts.pairs import IMAGES, MASKS, refuse_masks_beside
from tinyssl.data.medical import medical_suffix
from tinyssl.data.records import MAX_GRADE, SPLITS, Record, build_table
from tinyssl.data.table import DataError

PATIENT = r"(?:patient|pat|pt|subject|subj|sub|case|person|participant|id)[\s_-]*\d+"
MANY = 20  # more class folders with a median of one or two images are of patients
WAY_OUT = "or give a manifest.csv with the columns image, class, patient"


def read_folders(root, *, skip_bad):
    """Read a folder of images or of class-named folders, perhaps below train/, ...

    Folders called patient1, subject-02, ... are patients, not classes; in a class
    folder, so are folders with a number in each name.
    """
    parts = _parts(root)
    classes = _classes(parts)
    places = [place for found in classes.values() for place in found]
    if len(places) == 1 and not list_images(places[0][0]):
        return None  # the data set may lie in it
    patients = bool(classes) and all(re.fullmatch(PATIENT, c.lower()) for c in classes)
    if classes and not patients:
        _refuse_classes(root, classes)
    found, ordered = in_order(() if patients else classes)
    numbered = all(re.fullmatch(r"\d{1,2}", name) for name in found)
    grades = {n: int(n) if numbered else place for place, n in enumerate(found)}
    records = []
    for split, part in parts.items():
        records += _records(list_images(part), root, split=split)
    for folder, split in places:
        if patients:
            known = {"split": split, "patient": folder.name}
            records += _records(images_below(folder), root, **known)
        else:
            records += _class_records(folder, root, split, grades[folder.name])
    if not records:
        return None
    sheets = [path for path in root.iterdir() if suffix_of(path) in SHEETS]
    if sheets and not classes:  # it may hold the labels
        refuse_sheet(sheets[0])
    names = {grade: name for name, grade in grades.items()}
    # "2" where no folder had grade 2
    found = tuple(names.get(k, str(k)) for k in range(max(names, default=-1) + 1))
    layout = "patient-folders" if patients else "class-folders" if names else "images"
    options = {"class_names": found or None, "ordered": ordered, "is_fundus": None}
    return build_table(records, layout=layout, root=root, skip_bad=skip_bad, **options)


def _parts(root):
    """Return the folders of the splits by name, or the root as the only part, ""."""
    names = [folder.name for folder in list_folders(root) if images_below(folder)]
    splits = [name for name in names if name.lower() in SPLITS]
    if not splits or list_images(root):
        return {"": root}
    if others := sorted({*names} - {*splits}):
        rule = f"{', '.join(splits)} and also other folders of images"
        found = f"{rule} ({', '.join(others[:5])})"
        raise DataError(f"{root}: holds {found}; give one of them, or a manifest.csv")
    return {name: root / name for name in splits}


def _classes(parts):
    """Return of each class the folders with their splits; none where images are."""
    classes = defaultdict(list)
    for split, part in parts.items():
        folders, own = list_folders(part), list_images(part)
        names = [folder.name for folder in folders if images_below(folder)]
        # beside images .npy files below, a cache, are unused
        if own and not all(map(medical_suffix, own)):
            below = [i for i in images_below(part) if not medical_suffix(i)]
            pictures = {i.relative_to(part).parts[0] for i in below}
            names = [name for name in names if name in pictures]
        if own and names:
            found = f"images and also folders of images ({', '.join(names[:5])})"
            raise DataError(f"{part}: holds {found}; give one, or a manifest.csv")
        for folder in folders if names else ():
            classes[folder.name].append((folder, split))
    return classes


def _refuse_classes(root, classes):
    """Raise a DataError where folders of these names cannot be classes."""
    folders = {name: [f for f, _ in places] for name, places in classes.items()}
    counts = {n: sum(len(images_below(f)) for f in fs) for n, fs in folders.items()}
    empty = [name for name, count in counts.items() if not count]
    kinds = [name for name in classes if name.lower() in IMAGES | MASKS]
    middle = median(counts.values())
    if empty:
        found = f"no image in the class folder {empty[0]}: fill it or take it out"
    elif kinds:
        found = f"{kinds[0]}, no name of a class: call folders of masks masks"
    elif len(classes) == 1:
        found = f"one class folder, {next(iter(classes))}: give that, without classes"
    elif len(classes) > MAX_GRADE + 1 or (len(classes) > MANY and middle <= 2):
        found = f"{len(classes)} folders with a median of {middle:g} images, perhaps "
        found += "of patients: call them patient1, ..."
    else:
        return
    raise DataError(f"{root}: holds {found}; {WAY_OUT}")


def _class_records(folder, root, split, grade):
    """Return the records of one class, perhaps in folders of patients or of splits."""
    inner = [f for f in list_folders(folder) if images_below(f)]
    names = [f.name for f in inner]
    splits = not split and all(name.lower() in SPLITS for name in names)
    numbered = all(re.search(r"\d", name) for name in names)
    deep = any(images_below(f) != list_images(f) for f in inner)
    if inner and (list_images(folder) or deep or not (splits or numbered)):
        rule = "must hold images, or only folders of patients, such as patient1"
        raise DataError(f"{folder}: {rule}, found {', '.join(names[:5])}; {WAY_OUT}")
    records = _records(list_images(folder), root, split=split, grade=grade)
    for f in inner:
        known = {"split": f.name} if splits else {"split": split, "patient": f.name}
        records += _records(list_images(f), root, grade=grade, **known)
    return records


def _records(images, root, **known):
    refuse_masks_beside(images, root)
    return [Record(i.relative_to(root).as_posix(), i, **known) for i in images]
