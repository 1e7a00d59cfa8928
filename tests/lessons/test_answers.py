"""What learners write: errors in the solutions get their hint, right answers pass."""

import ast
import math
import re

import numpy as np
import pytest
import torch
from lesson_form import LESSONS
from scipy import linalg, stats

from tinyssl import check
from tinyssl.summary import paired_interval

# exercise: its hint or the law it breaks | what else the report shows :: errors of its
# solution, right -> wrong

ERRORS = """
eye: say it in words
  return "right" if disc[1] > fovea[1] else "left" -> return disc[1] > fovea[1]
ssim_window: do not grow with data_range :: * data_range -> * 1
ssim_window: digits cancel
  astype(np.float64) -> copy()
  np.mean((x - x.mean()) * (y - y.mean())) -> np.mean(x * y) - x.mean() * y.mean()
  x.var() -> np.mean(x**2) - x.mean() ** 2
  y.var() -> np.mean(y**2) - y.mean() ** 2
ssim_window: divide by n - 1
  np.mean((x - x.mean()) * (y - y.mean())) -> np.cov(x.ravel(), y.ravel())[0, 1]
  var() -> var(ddof=1)
gain: divide by what was left
  return np.nan -> return ssim_restored - ssim_copied
   / (1 - ssim_copied) ->
gain: return nan there :: if ssim_copied == 1 -> if False
frechet_diagonal: take their roots
  np.sqrt(variances1) - np.sqrt(variances2) -> variances1 - variances2
frechet_diagonal: stays squared
  np.sum((mean1 - mean2) ** 2) -> (np.sum((mean1 - mean2) ** 2)
  np.sum(deviations**2) -> np.sum(deviations**2)) ** 0.5
fits: off by one :: <= -> <
fits: Say or, not and :: patch_size or abs -> patch_size and abs
undo_swaps: The last swap is undone first | patch_size = 1 :: [::-1] ->
undo_tiles: you need the inverse | order = [1, 2, 0]
  original[order] = tiles -> original[:] = tiles[order]
four_turns: the other way round | images = [[[0, 1], [2, 3]]] :: images, k -> images, -k
four_turns: in an axis of their own
  np.stack(turned, axis=1) -> np.concatenate(np.stack(turned, axis=1))
cross_entropy: exp(1000) is infinite | level = 1000 | expected  1.386
   - logits.max(axis=1, keepdims=True) ->
cross_entropy: twice as large would cost twice :: np.mean -> np.sum
axis_and_way: 0 belongs to 180
  0::2 -> :2
  1::2 -> 2:
axis_and_way: not of all: this is the accuracy
  / on_axis if on_axis else np.nan -> / table.sum()
labelled: one patient too early
  range(1, len(order) + 1) -> range(len(order) + 1)
  100 * mask.sum() >= -> 100 * np.isin(patient, order[: number + 1]).sum() >
labelled: percent is of the images
  100 * mask.sum() >= percent * len(patient) -> 100 * number >= percent * len(order)
labelled: one patient more :: >= -> >
differences: not their order :: sorted(ours) -> ours
differences: formed as the rows come | The order of the rows
  scratch[fold] -> [*scratch.values()][[*ours].index(fold)]
  sorted(ours) -> ours
differences: easy folds look like gains :: scratch[fold] -> np.mean([*scratch.values()])
interval: the plain interval ::  + test_share ->
interval: k - 1 degrees of freedom :: k - 1 -> k
interval: 1.96 belongs to a known variance :: stats.t.ppf(0.975, k - 1) -> 1.96
moved: may bring a pixel home
  = patch2 -> = -1
  = keep -> = -1
moved: the second one moves too | patch_size = 1 | One swap moves both patches
  = patch2 -> = -1
  = keep -> = patch2
moved: lost its last row
  start.copy() -> start.copy(); patch_size -= 1
  = patch2 -> = -1
  = keep -> = -1
masked_mse: bytes wrap around
  image / 255 - restored / 255 -> (image - restored) / 255
masked_mse: divide by all pixels
  squared[where].mean() if where.any() else np.nan -> (squared * where).mean()
  squared[~where].mean() if not where.all() else np.nan -> (squared * ~where).mean()
share_left: weighs as much as all others
  np.nansum(restored) / total -> np.mean((restored / copied)[copied > 0])
share_left: makes all of it nan :: nansum -> sum
share_left: no share of nothing ::  if total else np.nan ->
soft_argmax: the mean row comes first :: y, x = -> x, y =
soft_argmax: this is the highest pixel
  y, x = -> return np.argwhere(logits == logits.max())[0]; y, x =
soft_argmax: np.exp(1000) is infinite ::  - logits.max() ->
disc_diameters: a diameter is two radii :: 2 * disc_radius -> disc_radius
disc_diameters: these are pixels ::  / (2 * disc_radius) ->
disc_diameters: a disc of its own :: 2 * disc_radius -> 2 * disc_radius.mean()
mirror_labels: off by one :: width - 1 -> width
mirror_labels: a mirrored right eye is a left eye :: 1 - labels[:, 4] -> labels[:, 4]
mirror_labels: its points were left behind
  width - 1 - labels[:, [1, 3]] -> labels[:, [1, 3]]
dice_in_view: the view is not used | mask_true = [[False, False, True]], mask_pred =
   & view ->
dice_in_view: 0/0 is nan, not 0 :: np.nan -> 0.0
dice_in_view: the joint area (IoU)
  2 * (true & pred).sum() / total -> (true & pred).sum() / (true | pred).sum()
overlap_average: overwrites the | corners = [[0, 0], [0, 0]] | given  [[1.0]] :: += -> =
overlap_average: where no patch lies
  np.where(count > 0, total / np.maximum(count, 1), np.nan) -> total / (count + 1e-9)
threshold: likes to mark nothing
  2 * (found & truth).sum() / (found.sum() + truth.sum()) -> np.mean(found == truth)
threshold: a pixel on the threshold is marked :: >= -> >
exchange_test: p can become 0
  (1 + beyond) / (1 + len(orders)) -> beyond / len(orders)
exchange_test: >=, not > :: >= -> >
exchange_test: square it ::  ** 2 ->
paired_gain: as strangers
  gains.std(ddof=1) -> np.hypot(restored.std(ddof=1), copied.std(ddof=1))
paired_gain: 1.96 is for endless images :: stats.t.ppf(0.975, len(gains) - 1) -> 1.96
paired_gain: single images scatter ::  / np.sqrt(len(gains)) ->
missing: owes no data range
  "ssim" in report -> True
  "frechet" in report -> True
missing: 0 is stated :: report.get(name) is None -> not report.get(name)
missing: None is not stated :: report.get(name) is None -> name not in report
folds: It returns one number for each image | got       (2, 1)
  return number % num_folds -> return [[0], [1]]
folds: No fold stays empty :: number % num_folds -> 0 * number
folds: The folds are about equally large
  number % num_folds -> np.minimum(number, num_folds - 1)
gain: Where nothing was damaged
  if ssim_copied == 1 -> if type(ssim_copied) is float and ssim_copied == 1
undo_swaps: No swaps, no change. :: image = image.copy() -> image = image + 1
cross_entropy: A logit ahead by 1000 | got       inf
  np.exp(z).sum(axis=1)) - wanted -> 1 / (np.exp(wanted) / np.exp(z).sum(axis=1)))
cross_entropy: A number added to all four
   - wanted) -> - wanted) + (logits.min() != 0) * np.ptp(logits)
axis_and_way: Where all answers are right :: on_axis / table.sum(), way -> on_axis, way
labelled: 100 % are all images :: return mask -> return patient != order[-1]
labelled: 100 % are all images :: return mask -> return 1.0 * mask
labelled: A smaller share lies inside
  order[:number] -> (order if percent < 50 else order[::-1])[:number]
interval: Folds that all agree :: half = -> half = 0.1 +
interval: Which start is called the first
  np.mean(differences) + half -> np.mean(differences)
moved: No swaps, nothing moved. :: != start -> > -1
masked_mse: Turning the mask round
  squared[~where].mean() -> 2 * squared[~where].mean()
share_left: Whoever copies leaves all
  np.nansum(restored) / total -> 1 - np.nansum(restored) / total
soft_argmax: Where one pixel has everything
  weights.sum() -> weights.sum(axis=1, keepdims=True)
disc_diameters: It gives what the definition gives :: sum(axis=1) -> sum()
dice_in_view: What is marked outside
   / total -> / total - ((mask_true ^ mask_pred) & ~view).sum()
dice_in_view: A mask agrees with itself
  mask_true & view, mask_pred & view -> mask_true, mask_pred
  true & pred -> true & pred & view
threshold: The threshold is one of the candidates
  np.sort(candidates) -> np.array([0.2, 0.4, 0.6, 0.8])
threshold: The order of the candidates :: np.sort(candidates) -> candidates
paired_gain: Exchanging both
  gains.mean() - half, gains.mean() + half -> gains.min(), gains.mean()
missing: A report that states all lacks nothing
  return sorted -> return sorted(report) or sorted
missing: It gives what the definition gives :: sorted(name -> list(name
whiten: PCA whitening ::  @ vectors.T ->
whiten: under the root :: np.sqrt(values + ridge) -> (np.sqrt(values) + ridge)
whiten: columns still vary together
  np.linalg.eigh(np.cov(x.T, bias=True)) -> x.var(axis=0), np.eye(x.shape[1])
whiten: Each column has mean 0 :: x - x.mean(axis=0) -> x
whiten: With a ridge of 0 the covariance is the identity :: bias=True -> bias=False
kmeans_step: divide by its length
  total / np.linalg.norm(total) -> total / (nearest == k).sum()
kmeans_step: stays where it is :: centres.copy() -> 0 * centres
kmeans_step: the cosine keeps its sign :: nearest = ( -> nearest = abs(
kmeans_step: Where every point is a centre, nothing moves :: argmax -> argmin
undo_swaps: changed its input :: image = image.copy() ->
mirror_labels: changed its input :: labels = labels.copy() ->
kmeans_step: changed its input :: centres.copy() -> centres
"""


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr("tinyssl.check.exercise.failures", {})  # the first hint


def planted():
    """Return exercise, [words of the report] and [(right, wrong)] of each error."""
    for block in re.split(r"\n(?=\w)", ERRORS.strip("\n")):
        head, *edits = re.split(r" :: |\n  ", block)
        name, _, words = head.partition(": ")
        yield name, words.split(" | "), [edit.split(" ->") for edit in edits]


def wrong_solution(name, edits):
    for path in sorted(LESSONS.glob("solutions/*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if getattr(node, "name", "") == f"my_{name}":
                source = ast.get_source_segment(text, node)
                for right, wrong in edits:
                    assert right in source
                    source = source.replace(right, wrong.removeprefix(" "))
                names = {}
                exec(f"{text}\n\n{source}", names)
                return names[f"my_{name}"]


@pytest.mark.parametrize(("name", "words", "edits"), [*planted()])
def test_an_error_in_the_solution_is_known(name, words, edits):
    passed, text = getattr(check, name).examine(wrong_solution(name, edits))
    assert not passed
    assert all(word in text for word in words), text


@pytest.mark.parametrize("kind", ["MA", "HE", "EX", "SE", "NV", "PH"])
def test_every_kind_of_lesion_is_asked_for(kind):
    answer = check.grade.answer
    passed, text = check.grade.examine(lambda counts: answer(counts | {kind: 0}))
    assert not passed
    assert f"'{kind}': 1" in text


def my_folds(patient, num_folds):
    names, number = np.unique(patient, return_inverse=True)
    return number * num_folds // len(names)


def my_gain(ssim_copied, ssim_restored):
    left = 1 - ssim_copied
    return math.nan if left == 0 else 1 - (1 - ssim_restored) / left


def my_undo_tiles(tiles, order):
    return np.array([tiles[[*order].index(i)] for i in range(len(order))])


def my_four_turns(images):
    turned = [images]
    for _ in range(3):
        turned.append(turned[-1].swapaxes(1, 2)[:, ::-1])
    return np.stack(turned, 1)


def my_cross_entropy(logits, turns):
    return np.mean(np.logaddexp.reduce(logits, axis=1) - np.choose(turns, logits.T))


def my_cross_entropy_(logits, turns):  # in torch, and in float32
    logits = torch.tensor(logits, dtype=torch.float32)
    return torch.nn.functional.cross_entropy(logits, torch.tensor(turns))


def my_labelled(patient, order, percent):
    mask, names = np.zeros(len(patient), bool), iter(order)
    while mask.sum() * 100 < percent * len(patient):
        mask |= patient == next(names)
    return mask


def my_interval(differences, test_share):
    d, k = np.array(differences), len(differences)
    scale = np.sqrt(d.var(ddof=1) * (1 / k + test_share)) + 1e-300
    return list(stats.t.interval(0.95, k - 1, loc=d.mean(), scale=scale))


def my_moved(swaps, height, width, patch_size):
    stands = {place: place for place in np.ndindex(height, width)}
    for y1, x1, y2, x2 in swaps:
        for dy, dx in np.ndindex(patch_size, patch_size):
            p, q = (y1 + dy, x1 + dx), (y2 + dy, x2 + dx)
            stands[p], stands[q] = stands[q], stands[p]
    return np.reshape([stands[p] != p for p in np.ndindex(height, width)], (height, -1))


def my_masked_mse(image, restored, where):
    squared = (image.astype(float) - restored.astype(float)) ** 2 / 255**2
    return [squared[p].mean() if p.sum() else np.nan for p in (where, ~where)]


def my_exchange_test(first, second, orders):  # no allowance for rounding
    both, n = np.append(first, second), len(first)
    dealt = both[np.vstack([np.arange(len(both)), orders])]
    apart = (dealt[:, :n].mean(axis=1) - dealt[:, n:].mean(axis=1)) ** 2
    return np.mean(apart >= apart[0])


def my_paired_gain(restored, copied):
    return paired_interval(restored - copied)


def my_soft_argmax(logits):
    p = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    return [p.sum(axis=1 - axis) @ np.arange(p.shape[axis]) for axis in (0, 1)]


def my_mirror_labels(labels, width):
    disc_y, disc_x, fovea_y, fovea_x, right = labels.T
    disc_x, fovea_x = width - 1 - disc_x, width - 1 - fovea_x
    return np.stack([disc_y, disc_x, fovea_y, fovea_x, right == 0], axis=1)


def my_dice_in_view(mask_true, mask_pred, view):
    hits = (mask_true & mask_pred & view).sum()
    wrong = ((mask_true ^ mask_pred) & view).sum()
    return 2 * hits / (2 * hits + wrong) if hits + wrong else np.nan


def my_whiten(x, ridge):  # by singular values
    centred = x - x.mean(axis=0)
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)
    return centred @ rows.T / np.sqrt(singular**2 / len(x) + ridge) @ rows


def my_whiten_(x, ridge):
    centred, covariance = x - x.mean(axis=0), np.cov(x, rowvar=False, ddof=0)
    covariance = covariance + ridge * np.eye(len(covariance))
    return centred @ linalg.fractional_matrix_power(covariance, -0.5)


def my_kmeans_step(points, centres):
    distances = np.square(points[:, None] - centres).sum(axis=2)
    hot = np.eye(len(centres))[distances.argmin(axis=1)]
    sums = hot.T @ points + centres * (hot.sum(axis=0) == 0)[:, None]
    return sums / np.linalg.norm(sums, axis=1, keepdims=True)


def my_kmeans_step_(points, centres):  # with loops
    groups = [[] for _ in centres]
    for point in points:
        groups[max(range(len(centres)), key=lambda k: point @ centres[k])].append(point)
    totals = [np.sum(group or [c], 0) for group, c in zip(groups, centres, strict=True)]
    return [(total / math.hypot(*total)).tolist() for total in totals]


@pytest.mark.parametrize("name", [name for name in globals() if name[:3] == "my_"])
def test_another_right_way_passes(name):
    exercise = getattr(check, name[3:].rstrip("_"))
    passed, text = exercise.examine(globals()[name])
    assert passed, text
