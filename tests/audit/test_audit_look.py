"""One look at each image: what it keeps in memory, and what of images that fail."""

import errno
import os
import tracemalloc

import numpy as np
import pytest

from tinyssl.anonymous import Key
from tinyssl.audit import open_parts
from tinyssl.audit.look import in_file, look


def test_what_is_seen_lies_in_a_file_without_a_name(tmp_path):
    tracemalloc.start()
    structures = in_file((500, 64, 64), tmp_path)
    structures[-1] = 7
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000
    assert structures.dtype == np.int8
    assert structures.sum() == 7 * 64 * 64
    assert not [*tmp_path.iterdir()]


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match=r"structures could not be written \(No space"):
        in_file((500, 64, 64), tmp_path)


def test_rows_of_unreadable_images_are_closed_up(clean):
    folder = clean.save()
    whole = look(open_parts([folder], Key()))
    for k in (0, 5, 6):
        (folder / f"e{k}.png").write_bytes(b"no image")
    some = look(open_parts([folder], Key()))
    rest = [k for k, name in enumerate(whole.name) if name in set(some.name)]
    assert len(rest) == 21
    for column in ("name", "structure", "coarse", "digest"):
        assert np.array_equal(getattr(some, column), getattr(whole, column)[rest])
