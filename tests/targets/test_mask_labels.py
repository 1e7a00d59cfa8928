"""Folders whose masks have a name of their own, or hold several labels."""

import numpy as np
import pytest
from PIL import Image

from tinyssl import runs
from tinyssl.cases import Reading
from tinyssl.cli import main
from tinyssl.data import open_dataset, toy
from tinyssl.targets import Segmentation

CUP, DISC = (np.hypot(*(np.indices((64, 64)) - 31)) < r for r in (6, 14))
CODES = {1: [0, 1, 2], 0xFF0000: [(0, 0, 0), (255, 0, 0), (0, 255, 0)]}


def written(root, colours):
    """Write images, and masks with colours of the ground, the rim and the cup."""
    for k, image in enumerate(toy.fundus(6, size=64, rng=0).images):
        mask = np.uint8(colours)[DISC + 1 * CUP]
        for name, pixels in (("images", image), ("masks", mask)):
            (root / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / name / f"{k}.png")
    return root


def test_the_only_kind_of_mask_is_learnt_and_said(tmp_path):
    table, said = open_dataset(written(tmp_path, [0, 255, 255])), []
    cases = Segmentation.read(table, Reading(log=said.append))
    assert (cases.columns["truth"][0] == DISC).all()
    assert any("learning 'mask', the only kind" in line for line in said)
    with pytest.raises(ValueError, match=r"must have the mask of .*, mask; found ves"):
        cases.scored_on(Segmentation.read(open_dataset("toy:6:64"), Reading()))
    table.masks["EX"] = table.masks["mask"]
    with pytest.raises(ValueError, match="needs vessel masks, found mask, EX"):
        Segmentation.read(table, Reading())


@pytest.mark.parametrize("label", CODES)
def test_a_label_of_several_is_chosen_for_this_mask_alone(tmp_path, label):
    table = open_dataset(written(tmp_path, CODES[label]))
    Image.fromarray(DISC).save(tmp_path / "two.png")  # another observer's
    table.masks["mask_2nd"] = (tmp_path / "two.png",) * 6
    columns = Segmentation.read(table, Reading(), mask_label=label).columns
    assert all((truth == (DISC & ~CUP)).all() for truth in columns["truth"])
    assert (columns["second"][0] == DISC).all()
    for data in (table, open_dataset("toy:6:64")):  # files, arrays
        with pytest.raises(ValueError, match="label 77 of"):
            Segmentation.read(data, Reading(), mask_label=77)


def test_a_label_is_an_option(tmp_path):
    words = ["segment", written(tmp_path / "data", CODES[0xFF0000]), "--images", 1]
    words += ["--repeats", 1, "--steps", 1, "--widths", 4, 8, "--out", tmp_path / "out"]
    assert main(words) == 2
    assert main([*words, "--mask-label", "0xFF0000"]) == 0
    assert runs.read_config(tmp_path / "out")["mask_label"] == 0xFF0000
