"""Classes by name: an order where their words have one, nominal otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import DataError, open_dataset
from tinyssl.data.classes import RETINOPATHY, in_order, reorder


@pytest.mark.parametrize(
    "names",
    [
        ["No_DR", "Mild", "Moderate", "Severe", "Proliferate_DR"],
        ["no DR", "mild NPDR", "Moderate non-proliferative DR", "Severe NPDR", "PDR"],
        ["grade1", "grade2", "grade10"],
        ["Stage 0", "Stage I", "Stage II", "Stage IV"],
        ["0Normal", "1Doubtful", "2Mild", "3Moderate", "4Severe"],
        ["NonDemented", "VeryMildDemented", "MildDemented", "ModerateDemented"],
        ["healthy", "early", "advanced"],
        ["low risk", "intermediate risk", "high risk"],
        ["2", "9", "10"],
    ],
)
def test_numbers_and_words_of_severity_are_put_in_their_order(names):
    for seed in range(3):
        shuffled = np.random.default_rng(seed).permutation(names).tolist()
        assert in_order(shuffled) == (tuple(names), True)


@pytest.mark.parametrize(
    "names",
    [
        ["cataract", "glaucoma", "retinopathy"],
        ["normal", "AMD", "glaucoma"],  # the healthy first, so that 1 is the finding
        ["non-referable", "referable"],
        ["mild", "moderate", "slight"],  # two of one step
        ["grade1", "grade2", "ungradable"],
        ["left3", "right4"],  # numbers of different things
    ],
)
def test_other_classes_have_no_order(names):
    assert in_order(reversed(names)) == (tuple(names), False)


@pytest.fixture
def eyes(tmp_path):
    """Return a function that makes class folders of two images each."""

    def make(*names):
        for name in names:
            (tmp_path / name).mkdir()
            for k in range(2):
                image = np.full((20, 20, 3), 10 * len(name) + k, np.uint8)
                Image.fromarray(image).save(tmp_path / name / f"{k}.png")
        return tmp_path

    return make


def test_folders_of_stages_are_grades_in_the_order_of_the_stages(eyes):
    table = open_dataset(eyes("Severe", "No_DR", "Mild"))
    assert table.class_names == ("No_DR", "Mild", "Severe")
    assert table.ordered
    named = {n.split("/")[0]: g for n, g in zip(table.names, table.grade, strict=True)}
    assert named == {"No_DR": 0, "Mild": 1, "Severe": 2}


def test_an_order_given_by_the_user_renames_every_grade(eyes):
    table = open_dataset(eyes("amber", "green", "red"))
    assert not table.ordered
    given = reorder(table, ["green", "amber", "red"])
    assert given.ordered
    assert given.class_names == ("green", "amber", "red")
    for k in range(len(table)):
        before, after = (t.class_names[t.grade[k]] for t in (table, given))
        assert before == after
    for order in (["green", "red"], ["green", "red", "red"], ["green", "red", "blue"]):
        with pytest.raises(DataError, match="must name each class once: amber, green"):
            reorder(table, order)


def test_unlabelled_images_stay_so_in_another_order():
    table = open_dataset("toy:12:16")
    table.grade[3] = -1
    expected = np.where(np.arange(12) == 3, -1, 4 - table.grade)
    assert reorder(table, RETINOPATHY[::-1]).grade.tolist() == expected.tolist()


def test_an_order_of_images_without_labels_is_refused():
    table = replace(open_dataset("toy:4:16"), grade=None)
    with pytest.raises(DataError, match="an order needs classes, found no labels"):
        reorder(table, ["green", "red"])


def test_only_sets_whose_grades_are_retinopathy_have_its_words(tmp_path):
    images = np.zeros((4, 28, 28, 3), np.uint8)
    found = {}
    for name in ("retinamnist_64", "pneumoniamnist", "mine"):
        labels = np.array([[0], [1], [0], [1]])
        np.savez(tmp_path / f"{name}.npz", train_images=images, train_labels=labels)
        table = open_dataset(tmp_path / f"{name}.npz")
        found[name] = table.class_names, table.ordered
    assert found["retinamnist_64"] == (RETINOPATHY, True)
    assert found["pneumoniamnist"] == (("normal", "pneumonia"), False)
    assert found["mine"] == (None, False)
    assert open_dataset("toy:2:16").class_names == RETINOPATHY
