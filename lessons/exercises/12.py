"""Exercises of lesson 12: hide and predict."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, unchanged


def arrays(shape, low, high):
    size = math.prod(shape)
    numbers = st.lists(st.integers(low, high), min_size=size, max_size=size)
    return numbers.map(lambda x: np.array(x, float).reshape(shape))


@st.composite
def patches_and_answers(draw):
    L, P = draw(st.integers(2, 4)), draw(st.integers(3, 5))
    noise = draw(arrays((L, P), -9, 9))
    masked = draw(st.lists(st.booleans(), min_size=L, max_size=L).filter(any))
    patches = noise + 40 * np.arange(P)  # so that none is flat
    return patches, draw(arrays((L, P), -2, 2)), np.array(masked)


def wanted(patches):
    mean = patches.mean(axis=1, keepdims=True)
    return (patches - mean) / patches.std(axis=1, ddof=1, keepdims=True)


def my_masked_loss(patches, answers, masked):
    mean = patches.mean(axis=1, keepdims=True)
    variance = patches.var(axis=1, ddof=1, keepdims=True)
    wanted = (patches - mean) / np.sqrt(variance)
    return ((answers - wanted)[masked] ** 2).mean()


laws = {
    "Whoever answers what is wanted pays 0.": gives(
        0.0, lambda patches, answers, masked: (patches, wanted(patches), masked)
    ),
    "Answers to visible patches change nothing.": unchanged(
        lambda patches, answers, masked: (
            patches,
            answers + 5 * ~masked[:, None],
            masked,
        ),
        "changed",
    ),
    "An answer of 0 costs 1 - 1/P.": gives(
        lambda patches, answers, masked: 1 - 1 / patches.shape[1],
        lambda patches, answers, masked: (patches, 0 * answers, masked),
    ),
    "Patches twice as bright change nothing.": unchanged(
        lambda patches, answers, masked: (2 * patches, answers, masked), "brighter"
    ),
}
hints = """
- bring each patch to mean 0 and variance 1; compare with the answers; take the mean of
  the squared differences over masked patches only
- the variance of a patch: patches.var(axis=1, ddof=1, keepdims=True), divided by P - 1
- ((answers - wanted)[masked] ** 2).mean()
- visible patches can be copied: they must not count
      (answers - wanted)[masked] -> (answers - wanted)
- the variance of the authors is divided by P - 1
      ddof=1 -> ddof=0
- the patch keeps its contrast: divide by the root of its variance
      / np.sqrt(variance) ->
"""
masked_loss = Exercise(my_masked_loss, patches_and_answers(), laws=laws, hints=hints)


@st.composite
def grey_and_chroma(draw):
    H, W = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return draw(arrays((H, W), 0, 200)), draw(arrays((H, W, 2), -20, 60))


def my_paint(grey, chroma):
    red, blue = chroma[..., 0], chroma[..., 1]
    return grey[..., None] + np.stack([red, -red - blue, blue], axis=-1)


laws = {
    "Where both chroma are 0, the image is grey.": gives(
        lambda grey, chroma: np.repeat(grey[..., None], 3, axis=2),
        lambda grey, chroma: (grey, 0 * chroma),
    ),
    "The mean of the three colours is the grey image.": Law(
        lambda f, grey, chroma: (grey, np.mean(np.asarray(f(grey, chroma)), axis=2))
    ),
    "The red of a painted image minus its grey is the first chroma.": Law(
        lambda f, grey, chroma: (
            chroma[..., 0],
            np.asarray(f(grey, chroma))[..., 0] - grey,
        )
    ),
}
hints = """
- the chroma are red minus grey and blue minus grey; grey is the mean of all three
  colours
- green is what is left: 3 grey - red - blue, that is grey - chroma 0 - chroma 1
- grey[..., None] + np.stack([red, -red - blue, blue], axis=-1)
- green is not the grey: the three must have the grey as their mean
      -red - blue -> 0 * red
- the order is red, green, blue
      [red, -red - blue, blue] -> [red, blue, -red - blue]
- the chroma are differences from the grey image: add it
      grey[..., None] + ->
"""
paint = Exercise(my_paint, grey_and_chroma(), laws=laws, hints=hints)


def distances(image, region):
    return np.linalg.norm(image - image[region].mean(axis=0), axis=2)


@st.composite
def images_and_regions(draw):
    H, W = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    cells = st.lists(st.sampled_from((0, 0, 0, 1, 2)), min_size=H * W, max_size=H * W)
    colours = draw(arrays((3, 3), 0, 250))
    region = draw(st.lists(st.booleans(), min_size=H * W, max_size=H * W).filter(any))
    image = colours[np.reshape(draw(cells), (H, W))]
    return image, np.reshape(region, (H, W))


def clear(case):  # no pixel lies on the threshold
    away = distances(*case)
    return (abs(away - 2 * away[case[1]].mean()) > 0.01).all()


def my_salient(image, region):
    away = np.linalg.norm(image - image[region].mean(axis=0), axis=2)
    return region & (away > 2 * away[region].mean())


def one_red(image, region):
    red = np.full((4, 4, 3), 20.0)
    red[1, 2] = 200, 20, 20
    return red, np.ones((4, 4), bool)


laws = {
    "Of a grey image with one red pixel, this pixel.": gives(
        lambda image, region: np.arange(16).reshape(4, 4) == 6, one_red
    ),
    "What lies outside of the region changes nothing.": unchanged(
        lambda image, region: (np.where(region[..., None], image, 0), region),
        "black outside",
    ),
    "All colours twice as bright change nothing.": unchanged(
        lambda image, region: (2 * image, region), "brighter"
    ),
}
hints = """
- a pixel is salient if its colour is far from the mean colour: farther than twice the
  mean distance. All means are over the region, and the answer lies in it
- away = np.linalg.norm(image - image[region].mean(axis=0), axis=2)
- region & (away > 2 * away[region].mean())
- what is black outside of the region belongs to no mean
      image[region].mean(axis=0) -> image.mean(axis=(0, 1))
      away[region].mean() -> away.mean()
- twice the mean distance, not the mean distance
      2 * away -> away
- the answer lies in the region
      region & (away -> (away
"""
cases = images_and_regions().filter(clear)
salient = Exercise(my_salient, cases, laws=laws, hints=hints)
