"""Readers of the layouts in which eye data sets are handed out.

Each is a function ``read_NAME(root, *, skip_bad)`` that returns a `Table`, or None if
the folder is of another layout. Nothing is decoded: files are looked up, text is
checked, and one DataError names every bad row, which `skip_bad` leaves out instead.
"""

from collections import Counter
from pathlib import Path

from tinyssl.data.layouts.arrays import read_medmnist, read_toy
from tinyssl.data.layouts.folders import read_folders
from tinyssl.data.layouts.graded import read_aptos, read_idrid
from tinyssl.data.layouts.lists import SHEETS, read_list, read_lists, refuse_sheet
from tinyssl.data.layouts.pairs import read_chase_db1, read_pairs
from tinyssl.data.table import DataError, Table

__all__ = ["open_dataset"]

# From the most particular layout to the most general: each looks for its own signs.
READERS = (read_aptos, read_idrid, read_chase_db1, read_pairs, read_lists, read_folders)
SUPPORTED = (
    "manifest.csv, APTOS (train.csv and train_images/), IDRiD (its folders 'A. "
    "Segmentation', 'B. Disease Grading', 'C. Localization', or one of them), "
    "CHASE_DB1, HRF, DRIVE, folders of images and of masks (images/ and masks/), a csv "
    "of labels beside images, a MedMNIST .npz, a folder of class-named folders or of "
    "patients (patient1/), a folder of images, toy"
)


def open_dataset(path: str | Path, *, skip_bad: bool = False) -> Table:
    """Return one table whatever the layout of a data set.

    Parameters
    ----------
    path : str or Path
        One of

        - ``"toy"``, ``"toy:N"``, ``"toy:N:SIZE"`` or ``"toy:N:SIZE:SEED"``: synthetic
          eyes, 500 of 96 pixels and seed 0 unless said (a folder is ``"./toy"``), or
          ``"toy-volumes:N:SEED"``: synthetic maculas, volumes;
        - a MedMNIST ``.npz``;
        - a folder with ``manifest.csv``, or that: columns ``image`` and any of
          ``name``, ``grade`` (an integer), ``class`` (a name), ``patient``, ``eye``,
          ``split``, ``region``, ``report`` (words), ``mask:NAME``, and ``NAME_y`` with
          ``NAME_x``, a point;
        - a folder with one other ``.csv`` of labels, or that: the same columns, or
          ``id_code,diagnosis``, ``image,level``, ``filename,label`` and the like, of
          images beside it or in folders below;
        - a folder as APTOS 2019, IDRiD, CHASE_DB1, HRF or DRIVE distribute it; of
          IDRiD's root part B, Disease Grading: give the folder of part A for lesion
          masks and of part C for the disc and the fovea;
        - a folder of images beside folders of masks, such as images/ and masks/;
        - a folder of images, of class-named folders or of patients' (patient1/); this
          and the one before also below train/, val/ and test/;
        - any of these whose files are volumes, NIfTI or .npy of three axes.
    skip_bad : bool, leave out bad rows and note them in ``Table.skipped``

    Raises
    ------
    DataError
        If there is nothing at `path`, its layout is unknown, or rows cannot be used,
        such as one whose file is missing. All such rows are named at once.

    Examples
    --------
    >>> open_dataset("toy:6:32").images.shape
    (6, 32, 32, 3)
    """
    if isinstance(path, str) and (table := read_toy(path)):
        return table
    root = Path(path)
    try:
        if root.is_file():
            if root.suffix.lower() == ".npz":
                return read_medmnist(root)
            if root.suffix.lower() == ".csv":
                return read_list(root, skip_bad=skip_bad)
            if root.suffix.lower() in SHEETS:
                refuse_sheet(root)
            raise DataError(f"{root}: unknown kind of file; supported: {SUPPORTED}")
        if not root.is_dir():
            raise DataError(f"{root}: no such file or folder")
        if (root / "manifest.csv").is_file():
            return read_list(root / "manifest.csv", skip_bad=skip_bad)
        for read in READERS:
            table = read(root, skip_bad=skip_bad)
            if table is not None:
                return table
        found = _contents(root)
    except OSError as error:  # such as a folder one may not list
        raise DataError(f"{root}: cannot be read ({error.strerror})") from None
    rule = f"unknown layout; supported: {SUPPORTED}"
    raise DataError(f"{root}: {rule}; found {found}")


def _contents(root):
    folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    files = (path.suffix.lower() for path in root.iterdir() if path.is_file())
    counts = Counter(suffix or "no suffix" for suffix in files)
    words = [f"{count} {suffix}" for suffix, count in sorted(counts.items())]
    if folders:
        more = f" and {len(folders) - 5} more" if len(folders) > 5 else ""
        words.append(f"folders {', '.join(folders[:5])}{more}")
    return ", ".join(words) or "an empty folder"
