"""The cache of decoded images: full disks, damage, dead processes and two at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinyssl.data import DataError, load_images, open_dataset
from tinyssl.data import cache as cache_module

SIZE = 64
LOAD = """
import sys
from tinyssl.data import load_images, open_dataset
images, _ = load_images(open_dataset(sys.argv[1]), int(sys.argv[3]), cache=sys.argv[2])
"""
FULL = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
SUM = "print(images.sum())"


def run(*lines, root, cache, size=SIZE):
    program = "\n".join(lines)
    command = [sys.executable, "-c", program, root, cache, str(size)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes)


@pytest.fixture
def filled(folder, tmp_path):
    """Return a folder of ten images, one of them bad, a cache, and what it holds."""
    names = [f"data/{i}.png" for i in range(9)]
    root = folder(*names, files={"data/x.png": b"no image"}) / "data"
    cache = tmp_path / "cache"
    images = load(root, cache)
    return root, cache, np.array(images)


def load(root, cache, size=SIZE):
    return load_images(open_dataset(root), size, cache=cache, skip_bad=True)[0]


def zeroed(path):
    content = bytearray(path.read_bytes())
    content[-5000] ^= 1
    path.write_bytes(content)


def another(path, array):
    with path.open("wb") as file:
        np.save(file, array)


def edited(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGES = {
    "empty": lambda npy, notes: npy.write_bytes(b""),
    "cut": lambda npy, notes: npy.write_bytes(npy.read_bytes()[:-1]),
    "one bit": lambda npy, notes: zeroed(npy),
    "of another shape": lambda npy, notes: another(npy, np.load(npy)[:8]),
    "of another type": lambda npy, notes: another(npy, np.load(npy).view(np.int8)),
    "in another order": lambda npy, notes: another(
        npy, np.asfortranarray(np.load(npy))
    ),
    "a pickle": lambda npy, notes: another(npy, np.array([None] * 9)),
    "notes empty": lambda npy, notes: notes.write_text(""),
    "notes a list": lambda npy, notes: notes.write_text("[]"),
    "notes of no checksum": lambda npy, notes: notes.write_text('{"bad": {}}'),
    "notes of another row": lambda npy, notes: edited(notes, bad={"3": "x"}),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_cache_is_made_anew(filled, name):
    root, cache, expected = filled
    notes, npy = sorted(cache.iterdir())
    whole = notes.read_text(), npy.read_bytes()
    DAMAGES[name](npy, notes)
    np.testing.assert_array_equal(load(root, cache), expected)
    assert (notes.read_text(), npy.read_bytes()) == whole
    assert sorted(cache.iterdir()) == [notes, npy]


def test_a_whole_cache_is_not_decoded_again(filled, monkeypatch):
    root, cache, expected = filled
    monkeypatch.setattr("tinyssl.data.images.open_rgb", None)
    np.testing.assert_array_equal(load(root, cache), expected)


def test_a_full_disk_is_one_line_and_leaves_nothing(filled, monkeypatch):
    root, cache, _ = filled
    before = sorted(cache.iterdir())
    (root / "x.png").unlink()
    done = run(FULL, LOAD, root=root, cache=cache, size=300)
    last = done.communicate()[1].splitlines()[-1]
    assert done.returncode == 1  # and not a signal
    assert last.endswith(
        f"DataError: {cache}: cannot keep 2,430,000 bytes (File too large)"
    )
    assert sorted(cache.iterdir()) == before
    # known beforehand
    free = cache_module.shutil.disk_usage(cache)._replace(free=1000)
    monkeypatch.setattr(cache_module.shutil, "disk_usage", lambda path: free)
    monkeypatch.setattr("tinyssl.data.images.open_rgb", None)
    with pytest.raises(
        DataError, match=r"cache: cannot keep .* bytes \(1,000 are free\)"
    ):
        load(root, cache, 301)
    (root / "file").write_text("")
    with pytest.raises(DataError, match=r"file: cannot keep .* \(File exists\)"):
        load(root, root / "file", 301)
    assert sorted(cache.iterdir()) == before


def test_leftovers_of_the_dead_are_swept_and_those_of_the_living_are_not(filled):
    root, cache, _ = filled
    kill = "import os, signal\nfrom tinyssl.data import images as m\n"
    kill += "m.open_rgb = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"
    run(kill, LOAD, root=root, cache=cache, size=30).communicate()
    (left,) = cache.glob(".part-*")
    living = left.with_name(
        left.name.replace(left.name.split("-")[-2], str(os.getpid()))
    )
    elsewhere = cache / ".part-elsewhere-1-x"
    for part in (living, elsewhere):
        part.mkdir()
    load(root, cache)
    assert {*cache.glob(".part-*")} == {living, elsewhere}


def test_processes_that_fill_one_cache_at_once_do_no_harm(filled):
    root, cache, _ = filled
    (root / "x.png").unlink()
    runs = [run(LOAD, SUM, root=root, cache=cache, size=200) for _ in range(4)]
    told = {process.communicate() for process in runs}
    assert told == {(f"{load(root, cache, 200).sum()}\n", "")}
    assert len([*Path(cache).iterdir()]) == 4
