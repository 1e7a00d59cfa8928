"""Small image files for the readers to read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path) -> Callable[..., Path]:
    """Return a function that fills a folder: images, masks, and files by content.

    An image is a disc of one colour on black, a mask True in its upper half.
    """

    def fill(*images, masks=(), files=None, size=(40, 60), color=(180, 90, 30)) -> Path:
        height, width = size
        y, x = np.mgrid[:height, :width]
        inside = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2) < 0.45 * width
        disc, upper = inside[..., None] * np.array(color, np.uint8), y < height // 2
        for name in (*images, *masks, *(files or {})):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        for names, pixels in ((images, disc), (masks, upper)):
            for name in names:
                Image.fromarray(pixels).save(tmp_path / name)
        for name, content in (files or {}).items():
            content = content if isinstance(content, bytes) else content.encode()
            (tmp_path / name).write_bytes(content)
        return tmp_path

    return fill
