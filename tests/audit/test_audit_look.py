"""One look at each image, and what is left where some fail."""

import numpy as np

from tinyssl.anonymous import Key
from tinyssl.audit import open_parts
from tinyssl.audit.look import look


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
