"""Classes without an order: the six numbers, who gets them, and what grade answers."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn import metrics as sklearn
from test_pretexts import OwnEncoder

from tinyssl import studies
from tinyssl.cases import Reading
from tinyssl.cli import main
from tinyssl.data import open_dataset, toy
from tinyssl.summary import format_scores
from tinyssl.targets.classification import Classification, evaluate
from tinyssl.targets.grading import Grading, in_words


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return a function of class names: a folder of synthetic eyes in such classes."""
    eyes = toy.fundus(24, size=32, rng=0)

    def make(*names):
        root = tmp_path_factory.mktemp("classes")
        for k, image in enumerate(eyes.images):
            place = root / names[k % len(names)]
            place.mkdir(exist_ok=True)
            Image.fromarray(image).save(place / f"{k}.png")
        return root

    return make


def read(path, **options):
    return Grading.read(open_dataset(path), Reading(size=16, folds=2), **options)


def test_grades_need_an_order_and_three_of_them(folders):
    named, two = folders("apple", "horse", "zebra"), folders("mild", "severe")
    assert Grading.suited(read(named)) is Classification
    assert Grading.suited(read(two)) is Classification
    assert Grading.suited(read(named, order=["zebra", "apple", "horse"])) is Grading
    assert Grading.suited(read("toy:12:32")) is Grading
    for kind in (Grading, Classification):
        assert Classification.suited(read("toy:12:32")) is Classification, kind


def test_folds_are_those_of_the_classes_whatever_their_order(folders):
    path = folders("apple", "horse", "zebra")
    given = read(path, order=["zebra", "apple", "horse"])
    assert (given.fold == read(path).fold).all()
    assert given.facts["class_names"] == ["zebra", "apple", "horse"]
    assert (given.columns["grade"] == (read(path).columns["grade"] + 1) % 3).all()


def test_one_class_alone_is_refused(folders, tmp_path):
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "manifest.csv").write_text("image,grade\na.png,1\n")
    with pytest.raises(ValueError, match=r"images of two grades or more, found \[1\]"):
        read(tmp_path)


@pytest.mark.parametrize("K", [2, 4])
def test_the_six_numbers_are_those_of_sklearn(K):
    rng = np.random.default_rng(K)
    truth = np.r_[np.arange(K), rng.integers(0, K, 60)]
    p = rng.dirichlet(np.ones(K), len(truth))
    answers = p.argmax(1)
    found = evaluate(truth, answers, p)
    how = {"average": "binary" if K == 2 else "macro"}
    one, hot = (p[:, 1], truth) if K == 2 else (p, np.eye(K)[truth])
    expected = {
        "accuracy": sklearn.accuracy_score(truth, answers),
        "auc": sklearn.roc_auc_score(truth, one, multi_class="ovr"),
        "f1": sklearn.f1_score(truth, answers, **how),
        "precision": sklearn.precision_score(truth, answers, **how),
        "recall": sklearn.recall_score(truth, answers, **how),
        "ap": sklearn.average_precision_score(hot, one),
    }
    assert found == pytest.approx(expected)
    assert set(found) == set(Classification.metrics)


def test_a_class_that_does_not_occur_is_left_out_and_one_alone_is_undefined():
    p = np.array([[0.2, 0.8, 0.0], [0.6, 0.4, 0.0], [0.3, 0.7, 0.0]])
    found = evaluate(np.array([1, 0, 1]), p.argmax(1), p)
    assert found["auc"] == found["ap"] == found["f1"] == 1.0
    alone = evaluate(np.array([1, 1, 1]), p.argmax(1), p)
    assert np.isnan(alone["auc"])
    assert np.isnan(alone["ap"])


def test_the_head_is_a_softmax_whatever_the_grades():
    cases = read("toy:12:32")
    task = Classification.build(OwnEncoder(), cases)
    assert task.head == "softmax"
    assert task.outputs(torch.zeros(2, 3, 16, 16)).shape == (2, 5)
    assert "head" not in Classification.own_options()


def test_a_class_is_called_by_its_own_name():
    assert in_words(1, ["No_DR", "Mild"]) == "Mild"
    assert in_words(1, ["0", "1", "2"]) == "grade 1 of 0..2"


@pytest.mark.parametrize(
    "names", [("No_DR", "Mild", "Severe"), ("yes", "no"), ("0", "1")]
)
def test_finetune_then_grade_speaks_of_the_classes_of_the_folders(
    folders, tmp_path, capsys, names
):
    data, run = folders(*names), tmp_path / "run"
    words = ["--folds", 2, "--fractions", 100, "--steps", 2, "--size", 16]
    words += ["--no-same-compute", "--workers", 1, "--out", run]
    assert main(["finetune", data, *words]) == 0
    shown = capsys.readouterr()
    first = next(line for line in shown.err.splitlines() if str(data) in line)
    table = open_dataset(data)
    config = json.loads((run / "config.json").read_text())
    page = (run / "report.html").read_text()
    for k, name in enumerate(table.class_names):
        text = f"{k} {name}: " if name != str(k) else f"{k}: "
        assert text in first
        assert text in shown.out
        assert text in page
    assert config["class_names"] == list(table.class_names)
    assert ("without an order" in first) == (not table.ordered)
    assert ("QWK" in shown.out) == (len(names) == 3)
    assert ("AP" in shown.out.split()) == (len(names) == 2)
    image = next(data.glob("*/*.png"))
    assert (
        main(["grade", run, image, "--anyway", "--json", "--out", tmp_path / "g"]) == 0
    )
    row = json.loads(capsys.readouterr().out)
    assert row["class"] == in_words(row["grade"], table.class_names)


def test_options_of_grades_and_other_classes_for_testing_are_refused(folders, capsys):
    data = folders("apple", "horse")
    assert main(["finetune", data, "--size", 16, "--head", "cumulative"]) == 2
    assert "--head is for grades, of which" in capsys.readouterr().err
    other = folders("apple", "zebra")
    assert main(["finetune", data, "--size", 16, "--test", other]) == 2
    error = capsys.readouterr().err
    assert "must have the class_names of" in error
    assert "['apple', 'zebra']" in error


def test_few_labels_are_doubted_before_any_number(folders):
    few = read("toy:12:32")
    notes = Grading.notes(few)
    assert notes["WARNING"].startswith("too few to tell: 12 labels, ")
    assert "WARNING" not in Grading.notes(read(folders("apple", "horse")))
    line = {"init": "scratch", "labels": 1.0, "run": 0, "scores": {"qwk": 0.5}}
    results = studies.outcomes.conclude(Grading, few, [line], [], [])
    assert studies.outcomes.result_lines(results)[0].startswith(
        "WARNING: too few to tell"
    )


def test_every_mean_stands_in_one_table():
    rows = [
        {"init": i, "labels": n, "run": 0, "scores": {"auc": a, "accuracy": 0.25}}
        for i, n, a in (("scratch", 2, 0.1), ("scratch", 4, 0.7), ("rotation", 4, 0.9))
    ]
    cases = read("toy:12:32")
    results = studies.outcomes.conclude(Classification, cases, rows, [], [])
    text = format_scores([results["summary"], *results["more"].values()])
    head, *lines = (line.split() for line in text.splitlines())
    assert head == ["4", "images", "AUC", "accuracy"]
    assert lines == [["scratch", "0.700", "0.250"], ["rotation", "0.900", "0.250"]]
