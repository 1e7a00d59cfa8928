"""One image where a batch is wanted is refused; a batch of grey images is not."""

import numpy as np
import pytest
from strategies import refused

from tinyssl import transforms

BOX = [0, 0, 0, 1, 1, 1]
CALLS = {
    "rotate": lambda x: transforms.rotate(x, 1),
    "flip": lambda x: transforms.flip(x, np.ones(len(x), bool)),
    "split_tiles": lambda x: transforms.split_tiles(x, 1),
    "permute_tiles": lambda x: transforms.permute_tiles(x, 1, [0]),
    "patchify": lambda x: transforms.patchify(x, 1),
    "mask_patches": lambda x: transforms.mask_patches(
        x, np.ones(x.shape[1] * x.shape[2], bool), 1
    ),
    "mask_blocks": lambda x: transforms.mask_blocks(x, [[0, 0, 1, 1]]),
    "cut_paste": lambda x: transforms.cut_paste(
        x, [BOX] * len(x), [1] * len(x), [[1]] * len(x)
    ),
}
every_verb = pytest.mark.parametrize("verb", CALLS)


@every_verb
@pytest.mark.parametrize(
    "shape", [(30, 30, 3), (30, 40, 4), (5, 5, 3), (64, 48, 2), (64, 48, 1)]
)
def test_one_image_with_channels_is_refused(verb, shape):
    mended = r"taken for one image: give image\[None\], or images\[\.\.\., None\]"
    with refused(f"^images must be a batch, found shape .*{mended}"):
        CALLS[verb](np.zeros(shape))
    if shape[2] > 1:
        CALLS[verb](np.zeros((*shape, 1)))
    CALLS[verb](np.zeros((1, *shape[:2], 1)))


@every_verb
@pytest.mark.parametrize("shape", [(30, 3, 5), (4, 30, 3), (3, 64, 64), (99, 4, 4)])
def test_batches_of_grey_images_pass(verb, shape):
    CALLS[verb](np.zeros(shape))


def test_one_grey_image_is_told_how():
    for verb in ("rotate", "split_tiles", "flip", "patchify"):
        with refused(r"found shape \(9, 8\): one image is image\[None\]"):
            CALLS[verb](np.zeros((9, 8)))
    with refused(r"\(N, H, W, C\), found shape \(30, 30, 3\): one image is image"):
        transforms.adjust(np.zeros((30, 30, 3), np.uint8), [1], [0])


def test_a_narrow_region_for_each_image_passes():
    mask = transforms.sample_mask(9, (6, 3), 1, rng=0, region=np.ones((9, 6, 3)))
    assert mask.shape == (9, 18)
