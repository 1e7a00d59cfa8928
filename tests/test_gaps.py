"""What planted errors showed to be untested elsewhere."""

import numpy as np

from tinyssl import transforms


def test_aspect_is_height_over_width():
    shape, options = (90, 60), {"rng": 0, "area": (0.05, 0.1), "aspect": (2.5, 4)}
    blocks = transforms.sample_blocks(50, shape, **options)[:, 0]
    boxes, _, _ = transforms.sample_pastes(50, shape, **options)
    for height, width in (blocks[:, 2:].T, boxes[:, 4:].T):
        assert (height > 2 * width).all()


def test_a_piece_never_lands_where_it_came_from():
    region = np.zeros((8, 8))
    region[2, 3] = region[6, 1] = 1
    options = {"region": region, "area": (1 / 64, 1 / 64), "aspect": (1, 1)}
    boxes, _, _ = transforms.sample_pastes(60, (8, 8), rng=0, **options)
    assert {tuple(box) for box in boxes[:, :4]} == {(2, 3, 6, 1), (6, 1, 2, 3)}
