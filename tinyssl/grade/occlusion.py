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


@torch.no_grad()
def expected(tasks, inputs, weights):
    """Return the mean of K weights by the probabilities of all graders, an image."""
    total = 0.0
    for task in tasks:
        task.eval()
        probability = task.log_probabilities(task.outputs(inputs)).exp()
        total = total + (probability * weights).sum(1) / probability.sum(1)
    return (total / len(tasks)).cpu().double().numpy()


@torch.no_grad()
def occlusion_map(tasks, image, *, weights=None, window=None, batch_size=64):
    """Map how much each place of an (S, S, C) uint8 image raises the expected weight.

    (K,) weights 0, 1, 2, ..., if not given, make it the grade; 0 but for a 1 make it
    the probability of one class. It is the mean fall over the soft windows, S / 8
    pixels wide if not given, that cover a pixel; 0 where the image is black.
    """
    S = len(image)
    window = window or max(3, S // 8)
    lit = image.max(-1) > 0
    blurred = gaussian_filter(image.astype(np.float64), (window / 2, window / 2, 0))
    share = np.maximum(gaussian_filter(lit.astype(np.float64), window / 2), 1e-6)
    blurred = np.clip(blurred / share[..., None], 0, 255) * lit[..., None]
    places = np.arange(0, S, max(1, window // 2))
    centres = [(y, x) for y in places for x in places if lit[y, x]]
    rows = np.arange(S)
    device = next(tasks[0].parameters()).device
    inputs = to_tensor(image[None], device)
    if weights is None:
        weights = np.arange(
            tasks[0].log_probabilities(tasks[0].outputs(inputs)).shape[1]
        )
    weights = torch.as_tensor(weights, device=device)
    before = expected(tasks, inputs, weights)[0]
    total, weight = np.zeros((S, S)), np.full((S, S), 1e-9)
    for start in range(0, len(centres), batch_size):
        some = np.array(centres[start : start + batch_size])
        # a soft window around each centre
        near = np.exp(-0.5 * ((rows - some[..., None]) / (window / 2.5)) ** 4)
        cover = near[:, 0, :, None] * near[:, 1, None, :]  # (B, S, S)
        mixed = np.rint(image + cover[..., None] * (blurred - image)).astype(np.uint8)
        fall = before - expected(tasks, to_tensor(mixed, device), weights)
        total += np.einsum("b,bhw->hw", fall, cover)
        weight += cover.sum(0)
    return np.where(lit, total / weight, 0.0)
