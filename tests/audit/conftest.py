"""A data set without fault, and what an audit finds once one is planted."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyssl.anonymous import Key
from tinyssl.audit import open_parts
from tinyssl.audit.copies import find_copies
from tinyssl.audit.files import find_files
from tinyssl.audit.leaks import find_leaks
from tinyssl.audit.look import look
from tinyssl.data import toy


class Planted:
    """A manifest, images and vessel masks, to be changed before they are read."""

    def __init__(self, folder: Path, eyes, rows=()):
        self.folder, self.rows = folder, []
        folder.mkdir(parents=True, exist_ok=True)
        for k, row in enumerate(rows):
            split = "train" if k % 4 else "test"
            self.add(f"e{k}.png", eyes.images[row], eyes.grades[row], f"p{k}", split)
            self.rows[k]["mask:vessel"] = f"m{k}.png"
            Image.fromarray(eyes.vessels[row]).save(folder / f"m{k}.png")

    def add(self, name, image, grade=0, patient="", split="train", **saved):
        Image.fromarray(image).save(self.folder / name, **saved)
        row = {"image": name, "grade": grade, "patient": patient, "split": split}
        self.rows.append(row)

    def image(self, k):
        return np.asarray(Image.open(self.folder / f"e{k}.png"))

    def save(self):
        with (self.folder / "manifest.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, self.rows[0])
            writer.writeheader()
            writer.writerows(self.rows)
        return self.folder


@pytest.fixture(scope="session")
def eyes():
    """Both eyes of thirty-four patients."""
    return toy.fundus(68, size=96, rng=3)


@pytest.fixture(scope="session")
def plant(eyes):
    """Return a function of a folder and of the eyes to write there."""
    return lambda folder, rows=(): Planted(folder, eyes, rows)


@pytest.fixture
def clean(tmp_path, plant):
    """Write an eye of each of twenty-four patients, without fault."""
    return plant(tmp_path / "clean", range(0, 48, 2))


@pytest.fixture
def found():
    """Return a function that returns what an audit finds in folders, by kind."""

    def audit(*folders):
        looks = look(open_parts(folders, Key()))
        findings = [*find_leaks(looks, find_copies(looks)["pairs"]), *find_files(looks)]
        assert len({finding["kind"] for finding in findings}) == len(findings)
        return {finding["kind"]: finding for finding in findings}

    return audit


@pytest.fixture
def told(found):
    """Return a function that returns the files of each finding, by kind."""
    return lambda *folders: {k: x["files"] for k, x in found(*folders).items()}
