"""With --anonymous no name is left but in the key: of files, folders and patients."""

import csv
import re

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from tinyssl.cli import main
from tinyssl.data import toy

NAME = "Maria_Muster_1961"
INNER = f"{NAME}/{NAME}"
BAD = [  # an unreadable image, a missing one, a cell that is no grade
    (f"{INNER}_bad.png", "1", NAME, ""),
    (f"{INNER}_lost.png", "1", NAME, ""),
    (f"{NAME}/2_{NAME}.jpg", NAME, NAME, ""),
]


def write_set(folder, bad=()):
    """Write 24 eyes under telling names, two alike; with faults if there are rows."""
    eyes = toy.fundus(24, size=32, rng=0)
    (folder / NAME).mkdir(parents=True)
    rows = [("image", "grade", "patient", "mask:vessel"), *bad]
    for k, (image, grade) in enumerate(zip(eyes.images, eyes.grades, strict=True)):
        file, mask = f"{NAME}/{k}_{NAME}.png", f"{INNER}_mask.png" if bad else ""
        Image.fromarray(eyes.images[0] if k == 1 else image).save(folder / file)
        rows.append((file, grade, f"{NAME}-{k // 2}", mask))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    white = Image.new("L", (16, 16), 255)  # a mask of another size, used by all
    for name in (f"{INNER}_mask.png", f"{INNER}_unlisted.png") if bad else ():
        white.save(folder / name)
    for name in (f"{INNER}_bad.png", f"a.{NAME}", NAME + "/" + NAME) if bad else ():
        (folder / name).write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Write a set with faults and one without, a restoring network and a grader."""
    folder = tmp_path_factory.mktemp("made")
    write_set(folder / f"bad_{NAME}", BAD)
    good = write_set(folder / f"good_{NAME}")
    small = ["--size", 24, "--workers", 1, "--batch-size", 8, "--folds"]
    pretrain = ["pretrain", good, "--task", "restoration", "--steps", 1, *small, 0]
    finetune = ["finetune", good, "--images", "all", "--steps", 2, *small, 2]
    for line in (pretrain, finetune):
        assert main([*line, "--out", folder / line[0]]) == 0
    return folder


@pytest.fixture
def anonymous(made, capfd, monkeypatch):
    """Return a function that runs a command, and looks for the name in all it leaves.

    Of figures their texts are searched; it returns what the key holds.
    """
    drawn, save = [], Figure.savefig

    def savefig(figure, *args, **options):
        drawn.extend(text.get_text() for text in figure.findobj(Text))
        return save(figure, *args, **options)

    def run(line, out, status=0):
        words = [word.replace("SET", f"_{NAME}") for word in line.split()]
        assert main([*words, "--anonymous", "--out", out]) == status
        said, left = capfd.readouterr(), [*out.rglob("*")]
        files = [path for path in left if path.is_file() and path.name != "key.csv"]
        texts = [*map(str, left), *drawn, said.out, said.err]
        texts += [path.read_bytes().decode("latin-1") for path in files]
        assert [t for t in texts if re.search("maria|muster|1961", t, re.I)] == []
        if status:
            return said.err
        assert said.out.endswith(
            f"{out}/key.csv says which is which: keep it to yourself\n"
        )
        with (out / "key.csv").open(newline="", encoding="utf-8") as file:
            return dict(csv.reader(file))

    monkeypatch.chdir(made)
    monkeypatch.setattr(Figure, "savefig", savefig)
    capfd.readouterr()
    return run


LINES = """\
audit badSET goodSET -> 48
compare goodSET goodSET -> 24
grade finetune goodSET/FILE/0_FILE.png goodSET/FILE/1_FILE.png -> 2
export-restored pretrain badSET --skip-bad -> 24"""
LINES = [line.replace("FILE", NAME).split(" -> ") for line in LINES.split("\n")]


@pytest.mark.parametrize(("line", "images"), LINES)
def test_names_are_left_in_the_key_alone(line, images, anonymous, tmp_path):
    key = anonymous(line, tmp_path / "run")
    assert key.pop("number") == "name"
    assert len({*key.values()}) == len(key)
    named = [name for number, name in key.items() if number.startswith("image-")]
    assert len(named) == int(images)
    assert all(NAME in name for name in key.values())


def test_faults_are_told_by_number_and_the_key_has_the_words(anonymous, tmp_path):
    words = {*anonymous("audit badSET", tmp_path / "run").values()}
    for text in ("_bad.png: not a", "missing file", "grade must be", "_unlisted"):
        assert [word for word in words if text in word], text


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("audit goodSET", "audit badSET"),
        ("compare goodSET goodSET", f"compare goodSET/{NAME} goodSET"),
        *[[f"grade finetune goodSET/{NAME}/{k}_{NAME}.png" for k in (0, 5)]],
    ],
)
def test_a_key_in_use_is_never_replaced(line, other, anonymous, tmp_path):
    out = tmp_path / "run"
    key = anonymous(line, out)
    assert anonymous(line, out) == key
    said = anonymous(other, out, status=2)
    assert "key.csv holds the names of other data: give another --out" in said
    with (out / "key.csv").open(newline="", encoding="utf-8") as file:
        assert dict(csv.reader(file)) == key


@pytest.mark.parametrize(
    "line",
    [
        f"audit badSET/{NAME}/{NAME}",
        f"compare badSET/{NAME} goodSET/{NAME}",
        f"grade finetune badSET/{NAME}/{NAME}_bad.png",
        "export-restored pretrain badSET",
    ],
)
def test_a_refusal_names_no_file_and_leaves_nothing(line, anonymous, tmp_path):
    said = anonymous(line, tmp_path / "run", status=2)
    assert "without --anonymous the same command says which" in said
    assert not (tmp_path / "run").exists()
