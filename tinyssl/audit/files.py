"""Files: unreadable, left aside, unlabelled; masks that do not fit; odd images."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from tinyssl.data.audit.finding import Finding, counted
from tinyssl.data.audit.look import Looks
from tinyssl.data.decode import image_size, read_mask
from tinyssl.data.records import IMAGE_SUFFIXES
from tinyssl.data.table import DataError, Table

FAINT = 1 / 3  # of the median of the part: nothing of IDRiD's 412 is below .39


def find_files(looks: Looks) -> Iterator[Finding]:
    """Yield what is wrong with files, masks and single images."""
    yield from _bad_files(looks)
    yield from _unlabelled(looks)
    for part, table in looks.parts.items():
        yield from _masks(part, table)
    yield from _odd_images(looks)


def _bad_files(looks: Looks) -> Iterator[Finding]:
    """Yield files that cannot be read, and rows that cannot be used."""
    if looks.unreadable:
        yield Finding(
            "unreadable",
            "warning",
            f"{counted(len(looks.unreadable), 'image')} cannot be read",
            "Every job stops there, or goes on without them and without a word.",
            "Fetch them again, or leave them out with --skip-bad.",
            [[f"{part}: {name}: {reason}"] for part, name, reason in looks.unreadable],
        )
    skipped = [
        f"{p}: {line}" for p, table in looks.parts.items() for line in table.skipped
    ]
    missing = [line for line in skipped if ": missing file" in line]
    refused = [line for line in skipped if line not in missing]
    if missing:
        yield Finding(
            "labels-without-images",
            "warning",
            f"{counted(len(missing), 'row')} without an image",
            "The labels name files that are not there: the data set is not whole.",
            "Fetch the files, or take the rows out.",
            [[line] for line in missing],
        )
    if refused:
        yield Finding(
            "rows-refused",
            "warning",
            f"{counted(len(refused), 'row')} cannot be used",
            "What the row says breaks a rule; every job stops there.",
            "Correct the row.",
            [[line] for line in refused],
        )


def _unlabelled(looks: Looks) -> Iterator[Finding]:
    """Yield images that no row names, and rows without a grade among graded ones."""
    aside = [f"{p}: {path}" for p, t in looks.parts.items() for path in _unlisted(t)]
    if aside:
        yield Finding(
            "images-without-labels",
            "note",
            f"{counted(len(aside), 'image file')} that no row names",
            "They are not read; perhaps labels are missing.",
            "Nothing, if they were left out on purpose; they can serve pretraining.",
            [[line] for line in aside],
        )
    blank = [
        row
        for row in np.flatnonzero(looks.grade < 0)
        if (
            looks.grade[
                (looks.part == looks.part[row]) & (looks.split == looks.split[row])
            ]
            >= 0
        ).any()
    ]
    if blank:
        yield Finding(
            "ungraded",
            "note",
            f"{counted(len(blank), 'image')} without a grade among graded ones",
            "They train nothing and test nothing.",
            "Grade them, or use them for pretraining only.",
            [[looks.label(row)] for row in blank],
        )


def _unlisted(table: Table) -> list[Path]:
    """Return the image files below a folder that no row of its table names."""
    if isinstance(table.images, np.ndarray) or not table.root.is_dir():
        return []
    named = {*table.images, *(path for path in table.region or () if path)}
    named |= {path for column in table.masks.values() for path in column if path}
    return [
        path.relative_to(table.root)
        for path in sorted(table.root.rglob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
        and path not in named
        and not any(word.startswith((".", "_")) for word in path.parts[-2:])
    ]


def _masks(part: str, table: Table) -> Iterator[Finding]:
    """Yield masks of another shape than their image, and masks used for two."""
    unlike, cut, unreadable = [], [], []
    places = defaultdict(list)
    for where, image, mask in _mask_files(part, table):
        try:
            (H, W), (h, w) = image_size(image), image_size(mask)
        except DataError as error:
            unreadable.append(f"{where}: {error}")
            continue
        words = f"{where}: {h} x {w}, its image {H} x {W}"
        if abs(h * W - w * H) > max(H, W):
            cut.append(words)
        elif (h, w) != (H, W):
            unlike.append(words)
        if mask not in (table.region or ()):  # one camera's circles are all alike
            places[sha256(mask.read_bytes()).hexdigest()].append((where, mask))
    yield from _sizes_of_masks(cut, unlike, unreadable)
    twice = [
        [where for where, _ in found]
        for found in places.values()
        if len(found) > 1 and read_mask(found[0][1]).any()  # empty ones are all alike
    ]
    if twice:
        yield Finding(
            "masks-twice",
            "warning",
            f"{counted(len(twice), 'mask')} used more than once",
            "Two images, or two observers, cannot have the same outlines by chance.",
            "Compare the mask with each of its images.",
            twice,
        )


def _mask_files(part: str, table: Table) -> Iterator[tuple[str, Path, Path]]:
    """Yield the words for each mask that is a file, its image, and itself."""
    if isinstance(table.images, np.ndarray):
        return
    columns = table.masks | ({"region": table.region} if table.region else {})
    for kind, column in columns.items():
        for name, image, mask in zip(table.names, table.images, column, strict=True):
            if mask is not None:
                yield f"{part}: {name}, {kind}", image, mask


def _sizes_of_masks(
    cut: list[str], unlike: list[str], unreadable: list[str]
) -> Iterator[Finding]:
    """Yield masks that do not lie on their images pixel by pixel."""
    for kind, gravity, found, words, advice in (
        (
            "masks-unreadable",
            "warning",
            unreadable,
            "cannot be read",
            "Fetch them again.",
        ),
        (
            *("masks-of-other-proportions", "warning", cut),
            *(
                "of other proportions than their images",
                "Find the image they belong to.",
            ),
        ),
        (
            *("masks-of-other-sizes", "note", unlike),
            *(
                "of another size than their images",
                "tinyssl scales them; others may not.",
            ),
        ),
    ):
        if found:
            yield Finding(
                *(kind, gravity, f"{counted(len(found), 'mask')} {words}"),
                "A mask that does not lie on its image trains the wrong pixels.",
                *(advice, [[line] for line in found]),
            )


def _odd_images(looks: Looks) -> Iterator[Finding]:
    """Yield gray images among coloured ones, and dark or blurred ones."""
    dark, blurred, gray = [], [], []
    for part in looks.parts:
        rows = np.flatnonzero(looks.part == part)
        if not len(rows):
            continue
        faint = looks.brightness[rows] < FAINT * np.median(looks.brightness[rows])
        soft = looks.detail[rows] < FAINT * np.median(looks.detail[rows])
        dark += rows[faint].tolist()
        blurred += rows[soft & ~faint].tolist()
        if looks.gray[rows].mean() < 0.5:
            gray += rows[looks.gray[rows]].tolist()
    for kind, found, words, why in (
        (
            "gray",
            gray,
            "without colour among coloured ones",
            "Colour tells them apart.",
        ),
        ("dark", dark, "much darker than the others", "Lesions may not be visible."),
        ("blurred", blurred, "much smoother than the others", "Lesions may be lost."),
    ):
        if found:
            yield Finding(
                kind,
                "note" if kind != "gray" else "warning",
                f"{counted(len(found), 'image')} {words}",
                why,
                "Look at them; leave out what a grader would refuse.",
                **_single(looks, found),
            )


def _single(looks: Looks, rows: Sequence[int]) -> dict:
    """Return single rows and their names."""
    return {
        "rows": [[row] for row in rows],
        "files": [[looks.label(row)] for row in rows],
    }


def count_grades(looks: Looks) -> list[dict]:
    """Return how many images of each grade every part and split has."""
    lines = []
    for part in looks.parts:
        for split in sorted(set(looks.split[looks.part == part])):
            rows = (looks.part == part) & (looks.split == split)
            grades = Counter(looks.grade[rows].tolist())
            lines.append(
                {
                    "part": part,
                    "split": split,
                    "images": int(rows.sum()),
                    "ungraded": grades.pop(-1, 0),
                    "grades": {str(grade): grades[grade] for grade in sorted(grades)},
                }
            )
    return lines


def count_sizes(looks: Looks) -> list[dict]:
    """Return how many images of each size every part has, most frequent first."""
    sizes = Counter(zip(looks.part, looks.height, looks.width, strict=True))
    return [
        {"part": str(part), "height": int(h), "width": int(w), "images": n}
        for (part, h, w), n in sizes.most_common()
    ]
