"""A csv of labels beside images, whatever it and its columns are called."""

import pytest
from strategies import refused

from tinyssl.data import DataError, open_dataset

GRADES = [2, 0, 1]


@pytest.mark.parametrize(
    "header", ["image,level", "id_code,diagnosis", "name,grade", "ID,Target"]
)
@pytest.mark.parametrize("suffix", ["", ".jpeg"])
@pytest.mark.parametrize("place", ["", "train/", "data/all images/"])
def test_labels_of_images_beside_or_below(folder, header, suffix, place):
    names = ["8_left", "8_right", "9_left"]
    rows = [f"{n}{suffix},{g}" for n, g in zip(names, GRADES, strict=True)]
    root = folder(
        *(f"{place}{n}.jpeg" for n in names),
        files={"some labels.csv": "\n".join([header, *rows])},
    )
    for path in (root, root / "some labels.csv"):
        table = open_dataset(path)
        assert (table.layout, table.grade.tolist()) == ("csv", GRADES)
        assert [path.stem for path in table.images] == names
        assert table.patient.tolist() == ["8", "8", "9"]
        assert table.eye.tolist() == ["left", "right", "left"]
        assert (table.class_names, table.unused) == (None, ())


def test_a_column_of_patients_counts_more_than_names(folder):
    rows = "filename,label,patient_id\n1_left,1,p\n1_right,0,q"
    table = open_dataset(folder("1_left.png", "1_right.png", files={"l.csv": rows}))
    assert (table.patient.tolist(), table.eye) == (["p", "q"], None)


def test_names_tell_eyes_only_where_all_do(folder):
    rows = "image,level\n1_left,1\nother,0"
    table = open_dataset(folder("1_left.png", "other.png", files={"l.csv": rows}))
    assert (table.patient, table.eye) == (None, None)


@pytest.mark.parametrize("name", ["manifest.csv", "other.csv"])
@pytest.mark.parametrize(
    ("header", "cells", "names", "ordered", "grade"),
    [
        ("class", ("Severe", "No DR", ""), ("No DR", "Severe"), True, [1, 0, -1]),
        ("class", ("wet", "dry", ""), ("dry", "wet"), False, [1, 0, -1]),
        ("class", ("3", "0", "1"), None, True, [3, 0, 1]),
        ("grade", ("wet", "dry", "wet"), ("dry", "wet"), False, [1, 0, 1]),
        ("grade,class", ("2,b", "0,a", ","), ("a", "1", "b"), True, [2, 0, -1]),
    ],
)
def test_text_labels_are_names_of_classes(
    folder, name, header, cells, names, ordered, grade
):
    rows = [f"{k}.png,{cell}" for k, cell in zip("abc", cells, strict=True)]
    text = "\n".join([f"image,{header}", *rows])
    table = open_dataset(folder("a.png", "b.png", "c.png", files={name: text}))
    assert (table.class_names, table.ordered) == (names, ordered)
    assert table.grade.tolist() == grade


@pytest.mark.parametrize("index", ["", "Unnamed: 0", ",Unnamed: 0", '""'])
@pytest.mark.parametrize(
    ("csv", "header", "row", "image"),
    [
        ("train.csv", "id_code,diagnosis", "a1,2", "train_images/a1.png"),
        ("manifest.csv", "image,grade", "a1.png,2", "a1.png"),
        ("labels.csv", "image,level", "a1,2", "eyes/a1.png"),
    ],
)
def test_an_index_saved_by_pandas_is_ignored(folder, index, csv, header, row, image):
    head = "0," * (index.count(",") + 1)
    root = folder(image, files={csv: f"{index},{header}\n{head}{row}\n"})
    assert open_dataset(root).grade.tolist() == [2]
    folder(files={csv: f"{index},{header}\n{head.replace('0', 'x')}{row}\n"})
    with pytest.raises(DataError, match="row 2 has a value in a column without a name"):
        open_dataset(root)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"x.csv": "image,level\na,1", "y.csv": "name,label\na,2"},
            r"found x\.csv, y\.csv",
        ),
        ({"x.csv": "image,level\na1.png,1"}, r"a1\.png: missing file a1\.png$"),
        ({"x.csv": "image,level\na1,1"}, "a1: missing file a1$"),
        (
            {"x.csv": "image,level\ntwice,1"},
            r"one image, found s/twice\.png, t/twice\.png",
        ),
        (
            {"x.csv": "image,level,label\na,1,2"},
            "one column of labels, found level, label",
        ),
        (
            {"x.csv": "image,level\na,1\nb,Mild"},
            "b: grade must be an integer, found 'Mild'",
        ),
        ({"manifest.csv": "image,grade,class\na.png,1,A\nb.png,1,B"}, "1: A, 1: B"),
        (
            {"labels.xlsx": ""},
            "labels.xlsx: is a spreadsheet, .* save its sheet as csv",
        ),
        ({"labels.XLS": ""}, "labels.XLS: is a spreadsheet"),
    ],
)
def test_what_is_not_clear_is_refused(folder, files, message):
    images = ["a.png", "b.png"]
    if "twice" in str(files):
        images = ["s/twice.png", "t/twice.png"]
    root = folder(*images, files=files)
    with refused(message):
        open_dataset(root)
    if len(files) == 1:
        with refused(message):
            open_dataset(root / next(iter(files)))


def test_of_several_lists_the_one_given_is_read(folder):
    files = {"x.csv": "image,level\na,1", "y.csv": "image,level,age\na,2,60"}
    root = folder("a.png", files=files)
    table = open_dataset(root / "y.csv")
    assert (table.grade.tolist(), table.unused) == (
        [2],
        ("1 .csv (x.csv)", "column age"),
    )


def test_a_suffix_is_not_put_twice(folder):
    files = {"train.csv": "id_code,diagnosis\na1.png,0\nb.JPG,1\n"}
    root = folder("train_images/b.JPG", files=files)
    with refused(r"a1\.png: missing file train_images/a1\.png$"):
        open_dataset(root)
    assert open_dataset(root, skip_bad=True).names == ("b.JPG",)
