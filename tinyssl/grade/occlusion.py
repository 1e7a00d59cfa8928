"""Where a grader looked: what changes when a piece of the retina is smoothed away.

A window is replaced by the image's own blur, which takes lesions and vessels out and
leaves the illumination; the map says how much the expected grade falls. Positive is
evidence for a higher grade. Nothing but answers is used, so it is true of any grader,
and of several together. (Zeiler and Fergus 2014, section 4.2, used a grey square, which
is itself something to see.)
"""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from tinyssl.training import to_tensor

BATCH = 64  # images answered at once


@torch.no_grad()
def expected(tasks, inputs, weights=None):
    """Return the mean of K weights by the probabilities of all graders, an image."""
    total = 0.0
    for task in tasks:
        probability = task.eval().log_probabilities(task.outputs(inputs)).exp()
        if weights is None:
            weights = torch.arange(probability.shape[1], device=probability.device)
        total = total + (probability * weights).sum(1) / probability.sum(1)
    return (total / len(tasks)).cpu().double().numpy()


def occlusion_map(tasks, image, *, weights=None):
    """Map how much each place of an (S, S, C) uint8 image raises the expected weight.

    (K,) weights 0, 1, 2, ..., if not given, make it the grade; 0 but for a 1 make it
    the probability of one class. It is the mean fall over the soft windows, S / 8
    pixels wide, that cover a pixel; 0 where the image is black.
    """
    S, lit = len(image), image.max(-1) > 0
    window = max(3, S // 8)
    blurred = gaussian_filter(image.astype(np.float64), (window / 2, window / 2, 0))
    share = np.maximum(gaussian_filter(lit.astype(np.float64), window / 2), 1e-6)
    blurred = np.clip(blurred / share[..., None], 0, 255) * lit[..., None]
    places = np.arange(0, S, max(1, window // 2))
    centres = [(y, x) for y in places for x in places if lit[y, x]]
    rows = np.arange(S)
    device = next(tasks[0].parameters()).device
    weights = None if weights is None else torch.as_tensor(weights, device=device)
    before = expected(tasks, to_tensor(image[None], device), weights)[0]
    total, weight = np.zeros((S, S)), np.full((S, S), 1e-9)
    for start in range(0, len(centres), BATCH):
        some = np.array(centres[start : start + BATCH])
        # a soft window around each centre
        near = np.exp(-0.5 * ((rows - some[..., None]) / (window / 2.5)) ** 4)
        cover = near[:, 0, :, None] * near[:, 1, None, :]  # (B, S, S)
        mixed = np.rint(image + cover[..., None] * (blurred - image)).astype(np.uint8)
        fall = before - expected(tasks, to_tensor(mixed, device), weights)
        total += np.einsum("b,bhw->hw", fall, cover)
        weight += cover.sum(0)
    return np.where(lit, total / weight, 0.0)
