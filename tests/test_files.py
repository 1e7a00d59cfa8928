"""Files: plain values, whole writes, and a refusal by name of all that is damaged."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch

from tinyssl import experiment, files, grade, pretraining, runs, targets
from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.starts import Start

DAMAGE = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "binary": lambda content: bytes(range(256)) * 3,
    "other JSON": lambda content: b"[1, 2]",
    "JSON of others": lambda content: b'{"a": 1}',
    "deep JSON": lambda content: b"[" * 100_000,
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.bool_(True), True),
        (np.float32("nan"), None),
        (float("-inf"), None),
        (np.int64(3), 3),
        (np.str_("a"), "a"),
        ((1, np.arange(2)), [1, [0, 1]]),
    ],
)
def test_saved_values_are_plain_and_numbers_stay_keys(tmp_path, value, expected):
    state = {0: {"deep": [value]}, "tensor": torch.ones(2)}
    runs.save_state(tmp_path / "x.pt", state)
    found = runs.load_plain(tmp_path / "x.pt")
    assert found[0] == {"deep": [expected]}
    assert type(found[0]["deep"][0]) is type(expected)
    assert torch.equal(found["tensor"], torch.ones(2))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a run of pretraining, and of two jobs of grading with a grader.pt."""
    out = tmp_path_factory.mktemp("run")
    reading = Reading(24, 2)
    cases = targets.Grading.read(open_dataset("toy:20:24:1"), reading)
    config = {"name": "SonoNet", "width": 2, "num_classes": 2, "extra_pool": True}
    how = {"encoder": config, "out": out, "steps": 1, "batch_size": 4}
    restoring = {"folder": "p", "options": {"patch_size": 3}}
    pretrain = lambda: experiment.pretrain("restoration", cases, **how, **restoring)  # noqa: E731
    labels = {"labels": [4]}
    compare = lambda: experiment.compare_starts(  # noqa: E731
        targets.Grading, cases, {}, **how, **labels
    )
    pretrain()
    compare()
    task = targets.Grading.build(experiment.new_encoder(config, channels=1), cases)
    state = {"encoder": config, "members": [task.state_dict()], "head": task.head}
    state |= {"num_grades": task.num_grades, "size": 24, "is_fundus": np.bool_(True)}
    state |= {"class_names": list("01234"), "ordered": True}
    known = dict.fromkeys(("intensities", "texture", "features"), 0)
    runs.save_state(out / "grader.pt", state | {"calibration": {}, "ood": known})
    runs.write_json(out / "config.json", {"size": 24, "task": "restoration"})
    start = Start(out / "p")
    loader = experiment.loader(
        targets.Grading, cases, encoder=config, out=out, **labels
    )
    known = {
        "task": "restoration",
        "encoder": config,
        "task_options": {"patch_size": 3},
    }
    return out, {
        "config.json": lambda: runs.read_config(out, "size"),
        "p/fold0/done.json": pretrain,
        "jobs/scratch-4-run0.json": compare,
        "p/fold0/encoder.pt": lambda: start.seen(0),
        "p/fold0/thumbnails.npy": lambda: start.thumbnails(0),
        "p/fold0/task.pt": lambda: pretraining.load_pretext(
            out / "p/fold0", known | {"size": 24}
        ),
        "models/scratch-4-run0.pt": lambda: loader("scratch", 0),
        "grader.pt": lambda: grade.rebuild(grade.load_grader(out)),
    }


FILES = ("config.json", "p/fold0/done.json", "jobs/scratch-4-run0.json")
WEIGHTS = ("p/fold0/encoder.pt", "p/fold0/task.pt", "models/scratch-4-run0.pt")
WEIGHTS += ("grader.pt",)


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("name", [*FILES, *WEIGHTS, "p/fold0/thumbnails.npy"])
def test_a_damaged_file_is_refused_by_name_in_one_line(study, name, kind):
    out, reads = study
    reads[name]()  # as it is, it can be read
    content = (out / name).read_bytes()
    try:
        (out / name).write_bytes(DAMAGE[kind](content))
        with pytest.raises(ValueError, match=name) as caught:
            reads[name]()
    finally:
        (out / name).write_bytes(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("harm", ["nan", "shape", "lacking", "too many", "list"])
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_of_another_network_are_refused(study, name, harm):
    out, reads = study
    content = (out / name).read_bytes()
    state = runs.load_plain(out / name)
    tensors = state.get("state_dict", state.get("members", [state])[0])
    first = next(k for k, v in tensors.items() if v.ndim == 4)
    if harm == "nan":
        tensors[first][0, 0, 0, 0] = float("nan")
    elif harm == "shape":
        tensors[first] = tensors[first][:1]
    elif harm == "lacking":
        del tensors[first]
    elif harm == "list":
        state = [tensors]
    else:
        tensors["more"] = torch.ones(1)
    try:
        torch.save(state, out / name)
        with pytest.raises(ValueError, match=name):
            reads[name]()
    finally:
        (out / name).write_bytes(content)


FULL = """
import resource, sys, torch
from pathlib import Path
from tinyssl import runs
path = Path(sys.argv[1])
runs.save_state(path, {"a": torch.zeros(9)})
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
for write in (
    lambda: runs.save_state(path, {"a": torch.zeros(90_000)}),
    lambda: runs.write_text(path, "a" * 90_000),
    lambda: runs.write_json(path, ["a" * 90_000]),
):
    try:
        write()
    except OSError as error:
        print(error)
assert len(runs.load_plain(path)["a"]) == 9
assert [p.name for p in path.parent.iterdir()] == [path.name]
"""


def test_a_full_disk_is_one_line_and_what_was_there_stays(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path / "x.pt")]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = text.splitlines()
    assert len(lines) == 3
    assert all(str(tmp_path / "x.pt") in x and "MiB free" in x for x in lines)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 60_000


def test_only_what_dead_processes_left_is_swept(tmp_path):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    names = {n: tmp_path / f".x.{n}.partial" for n in (done.pid, os.getpid())}
    names[done.pid].mkdir()
    (names[done.pid] / "inner").touch()
    names[os.getpid()].touch()
    (tmp_path / ".y.partial").touch()  # not ours
    files.sweep(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted([names[os.getpid()].name, ".y.partial"])
