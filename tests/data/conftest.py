"""Small image files for the readers to read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def write_image() -> Callable[..., Path]:
    """Return a function that writes a disc of one colour on black, any format."""

    def write(path: Path, *, height=40, width=60, color=(180, 90, 30)) -> Path:
        y, x = np.mgrid[:height, :width]
        radius = 0.45 * width
        inside = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2) < radius
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(inside[..., None] * np.array(color, np.uint8)).save(path)
        return path

    return write


@pytest.fixture
def write_mask() -> Callable[..., Path]:
    """Return a function that writes a black-and-white mask, True in its upper half."""

    def write(path: Path, *, height=40, width=60) -> Path:
        mask = np.zeros((height, width), bool)
        mask[: height // 2] = True
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
        return path

    return write
