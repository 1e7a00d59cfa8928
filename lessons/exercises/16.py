"""Exercises of lesson 16: paste and find."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, unchanged


@st.composite
def pieces(draw):
    H, W = draw(st.integers(2, 5)), draw(st.integers(2, 5))
    h, w = draw(st.integers(1, H)), draw(st.integers(1, W))
    box = [draw(st.integers(0, end)) for end in (H - h, W - w) * 2]
    image = draw(st.lists(st.integers(0, 9), min_size=H * W, max_size=H * W))
    mask = draw(
        st.lists(st.sampled_from((0.5, 1, 0, 0.25)), min_size=h * w, max_size=25)
    )
    image, mask = np.reshape(image, (H, W)), np.reshape(mask[: h * w], (h, w))
    return image.astype(float), np.array([*box, h, w]), mask.astype(float)


def my_paste(image, box, mask):
    y1, x1, y2, x2, h, w = box
    piece = image[y1 : y1 + h, x1 : x1 + w].copy()
    pasted = image.copy()
    pasted[y2 : y2 + h, x2 : x2 + w] *= 1 - mask
    pasted[y2 : y2 + h, x2 : x2 + w] += mask * piece
    return pasted


laws = {
    "A mask of 0 changes nothing.": gives(
        lambda image, box, mask: image, lambda image, box, mask: (image, box, 0 * mask)
    ),
    "A piece pasted where it comes from changes nothing.": gives(
        lambda image, box, mask: image,
        lambda image, box, mask: (image, np.r_[box[:2], box[:2], box[4:]], mask),
    ),
    "In an image of one colour nothing changes.": gives(
        lambda image, box, mask: image,
        lambda image, box, mask: (np.full(image.shape, 7.0), box, mask),
    ),
}
hints = """
- cut the piece out first, of h rows and w columns from (y1, x1) on; then mix it into
  what lies at (y2, x2) of a copy
- piece = image[y1 : y1 + h, x1 : x1 + w]; at the other place stands (1 - mask) * under
  + mask * piece
- pasted = image.copy(), and pasted[y2 : y2 + h, x2 : x2 + w] = ... ; return pasted
- the mask says how much of the piece is seen, not how much of what it covers
      1 - mask -> mask
      mask * piece -> (1 - mask) * piece
- the piece covers what lies there: it is not added to all of it
      *= 1 - mask -> *= 1
- the piece comes from (y1, x1) and goes to (y2, x2)
      y1, x1, y2, x2, h, w = box -> y2, x2, y1, x1, h, w = box
"""
paste = Exercise(my_paste, pieces(), laws=laws, hints=hints)


@st.composite
def tables(draw):
    d = draw(st.integers(1, 3))
    row = st.tuples(*[st.integers(-4, 5)] * d)
    normal = draw(st.lists(row, min_size=2, max_size=6))
    rows = draw(st.lists(row, min_size=1, max_size=4))
    ridge = draw(st.sampled_from((0.5, 1.0, 4.0)))
    return np.array(normal, float), np.array(rows, float), ridge


def my_mahalanobis(normal, rows, ridge):
    mean, d = normal.mean(axis=0), normal.shape[1]
    covariance = np.cov(normal.T, bias=True).reshape(d, d) + ridge * np.eye(d)
    apart = rows - mean
    return np.sqrt(np.sum(apart @ np.linalg.inv(covariance) * apart, axis=1))


laws = {
    "The mean of the normal rows has distance 0.": gives(
        lambda normal, rows, ridge: np.zeros(1),
        lambda normal, rows, ridge: (normal, normal.mean(axis=0, keepdims=True), ridge),
    ),
    "Normal rows that are all equal: the distance by the root of the ridge.": gives(
        lambda normal, rows, ridge: np.linalg.norm(rows - normal, axis=1) / ridge**0.5,
        lambda normal, rows, ridge: (0 * rows + normal[0], rows, ridge),
    ),
    "Adding one row to all rows changes nothing.": unchanged(
        lambda normal, rows, ridge: (normal + 2, rows + 2, ridge), "added"
    ),
    "The normal rows twice change nothing.": unchanged(
        lambda normal, rows, ridge: (np.vstack([normal, normal]), rows, ridge), "twice"
    ),
    "A row in the middle between the mean and a row is half as far.": Law(
        lambda f, normal, rows, ridge: (
            np.array(f(normal, rows, ridge)) / 2,
            f(normal, (rows + normal.mean(axis=0)) / 2, ridge),
        ),
        labels=("half", "middle"),
    ),
}
hints = """
- subtract the mean of the normal rows; divide by how they vary: the covariance, plus
  ridge on its diagonal
- for one row: the root of apart @ np.linalg.inv(covariance) @ apart
- for all: np.sqrt(np.sum(apart @ np.linalg.inv(covariance) * apart, axis=1)), with
  covariance = np.cov(normal.T, bias=True).reshape(d, d) + ridge * np.eye(d)
- this is its square
      np.sqrt(np.sum -> (np.sum
- divide by n, not by n - 1
      bias=True -> bias=False
- columns vary together: the whole covariance counts, not its diagonal alone
      np.linalg.inv(covariance) -> np.diag(1 / covariance.diagonal())
"""
mahalanobis = Exercise(my_mahalanobis, tables(), laws=laws, hints=hints)
