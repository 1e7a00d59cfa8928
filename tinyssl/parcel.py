"""What several processes share, in a folder: each maps the same arrays into memory."""

import mmap
import pickle
import shutil
from contextlib import contextmanager, suppress

import numpy as np

from tinyssl.files import no_room, partial_of


class _Pickler(pickle.Pickler):
    """An array that lies in a file goes by the name of that file."""

    def reducer_override(self, value):
        whole = type(value) is np.memmap and isinstance(value.base, mmap.mmap)
        if not (whole and value.filename and value.flags.c_contiguous):
            return NotImplemented
        place = (value.filename, value.dtype, "r", value.offset, value.shape)
        return np.memmap, place


@contextmanager
def packed(path, content):
    """Write a folder for `unpack`, named as what is not yet whole; delete it after.

    Arrays are written beside what else there is; memory holds none of them twice.
    """
    folder, lengths = partial_of(path), []
    beside = folder.parent.exists()
    try:
        folder.mkdir(parents=True)
        with (folder / "arrays").open("wb") as large, (folder / "rest").open("wb") as f:

            def write(buffer):
                raw = buffer.raw()
                lengths.append(raw.nbytes)
                large.write(raw)
                large.write(bytes(-raw.nbytes % 64))  # the next begins aligned

            _Pickler(f, 5, buffer_callback=write).dump(content)
            large.write(bytes(1))  # nothing cannot be mapped
        (folder / "lengths").write_text(" ".join(map(str, lengths)))
        yield folder
    except OSError as error:
        raise no_room(folder, error) or error from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if not beside:
            with suppress(OSError):  # where a job has left its file, it stays
                folder.parent.rmdir()


def unpack(folder):
    """Read what `packed` wrote; changing an array changes it in this process only."""
    with (folder / "arrays").open("rb") as file:
        everything = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    start, buffers = 0, []
    for length in map(int, (folder / "lengths").read_text().split()):
        buffers.append(everything[start : start + length])
        start += length + -length % 64
    return pickle.loads((folder / "rest").read_bytes(), buffers=buffers)
