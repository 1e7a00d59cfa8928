"""Synthetic eyes, and folders of images."""

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import toy


@pytest.fixture(scope="session")
def eyes():
    return toy.fundus(80, size=32, rng=0).images


@pytest.fixture(scope="session")
def save():
    """Return what saves images under their names, or under 00.png, 01.png, ..."""

    def save(folder, images, names=None):
        for number, image in enumerate(images):
            path = folder / (names[number] if names else f"{number:02d}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(image)).save(path)
        return folder

    return save
