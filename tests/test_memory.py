"""What looks at every image of a large set keeps a few numbers of each, no copies."""

import errno
import os
import tracemalloc

import numpy as np
import pytest

from tinyssl import _patches, rows
from tinyssl.audit import copies
from tinyssl.grade import ood
from tinyssl.pretext.inputs import common_field
from tinyssl.rows import in_file, take, thin
from tinyssl.targets import baselines

N, SIDE = 4096, 32
MAPPED = np.random.default_rng(0).integers(0, 256, (N, SIDE, SIDE, 3), np.uint8)
SMALL = MAPPED[:, :16, :16].copy()
FEATURES = np.random.default_rng(1).normal(size=(N, 64))


def sample():
    return _patches.sample(MAPPED, 6, 1000, rng=np.random.default_rng(0))


WHOLE = {  # what is called, and the bytes that it may take for each image
    "take": (lambda: take(MAPPED, np.arange(N)), 100),
    "common_field": (lambda: common_field(MAPPED), 300),
    "global_intensities": (lambda: baselines.global_intensities(MAPPED), 6_000),
    "nearest": (lambda: baselines.nearest(FEATURES, FEATURES, 5), 9_000),
    "sample": (sample, 1_200),
    "texture": (lambda: ood.texture(MAPPED[: N // 8]), 500),
    "propose": (lambda: copies.propose(SMALL, (1, 0), 3), 8_000),
}


@pytest.mark.parametrize("name", WHOLE)
def test_memory_grows_by_little_an_image(name):
    call, most = WHOLE[name]
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / N < most


def test_some_of_all_rows_are_a_copy_and_all_of_them_the_rows_themselves():
    assert take(MAPPED, np.arange(N)) is MAPPED
    some = take(MAPPED, np.arange(5))
    assert not np.shares_memory(some, MAPPED)
    assert np.array_equal(some, MAPPED[:5])
    order = np.arange(N)[::-1]
    assert np.array_equal(take(MAPPED, order)[0], MAPPED[-1])
    rows = list(MAPPED[:3])
    assert take(rows, np.arange(3)) is rows
    assert len(take(rows, [2, 1])) == 2


@pytest.mark.parametrize("n", [0, 1, 7, 8, 15, 16, 17, 1000])
def test_thinned_positions_are_spread_and_few(n):
    index = np.arange(n) + 5
    some = thin(index, 8)
    assert len(some) <= 8
    assert len(some) > 4 or n < 5
    if n <= 8:
        assert np.array_equal(some, index)
    else:
        assert len(set(np.diff(some))) == 1
        assert some[0] == 5
        assert some[-1] > index[-1] - np.diff(some)[0]


def test_what_is_done_in_blocks_is_done_to_each_row():
    images, last = MAPPED[:600], slice(550, 600)
    whole = baselines.global_intensities(images)
    assert np.array_equal(whole[last], baselines.global_intensities(images[last]))
    assert np.isclose(whole[256, 0], images[256, ..., 0].mean() / 255)
    near = baselines.nearest(FEATURES[:600], FEATURES[:600], 1)[:, 0]
    assert near.tolist() == list(range(600))
    dark = images.copy()
    dark[540:, 16, 16] = 0  # a tenth: it is still lit in nine images of ten
    assert common_field(dark)[16, 16]
    dark[256, 16, 16] = 0
    assert not common_field(dark)[16, 16]
    found = copies.propose(np.repeat(SMALL[:300], 2, axis=0), (0, 0), 1)
    assert {(2 * i, 2 * i + 1) for i in range(300)} <= {*map(tuple, found.tolist())}


def test_rows_lie_in_a_file_without_a_name(tmp_path):
    tracemalloc.start()
    rows = in_file((500, 64, 64), np.int8, tmp_path)
    rows[-1] = 7
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000
    assert rows.dtype == np.int8
    assert rows.sum() == 7 * 64 * 64
    assert not [*tmp_path.iterdir()]


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match=r"rows could not be written \(No space"):
        in_file((500, 64, 64), np.int8, tmp_path)


@pytest.mark.parametrize("can_write", [True, False])
def test_many_rows_of_a_file_lie_in_a_file(tmp_path, monkeypatch, can_write):
    monkeypatch.setattr(rows, "LARGE", 300 * MAPPED[0].nbytes)
    monkeypatch.setattr(os, "access", lambda *_: can_write)
    monkeypatch.setattr(rows, "gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    folders = []
    make = rows.TemporaryFile
    monkeypatch.setattr(
        rows, "TemporaryFile", lambda dir: folders.append(dir) or make(dir=dir)
    )
    np.save(tmp_path / "images.npy", MAPPED[:700])
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    index = np.random.default_rng(0).permutation(700)[:600]
    tracemalloc.start()
    some = take(images, index)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(some, np.memmap)
    assert peak < some.nbytes
    assert np.array_equal(some, MAPPED[index])
    assert np.array_equal(take(some, np.arange(599)), MAPPED[index[:599]])
    assert not isinstance(take(images, index[:299]), np.memmap)
    assert folders[0] == (tmp_path if can_write else tmp_path / "temporary")
    assert len([*tmp_path.rglob("*")]) == 2
