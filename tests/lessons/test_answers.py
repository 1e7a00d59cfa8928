"""What learners write: errors in the solutions get their hint, right answers pass."""

import ast
import math
import re

import numpy as np
import pytest
import torch
from lesson_form import LESSONS
from scipy import linalg, special, stats
from scipy.spatial import distance
from sklearn import metrics, model_selection

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
four_turns: the other way round | images = [[[0.5, 1.5], [2.5, 3.5]]]
  images, k -> images, -k
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
folds: It returns one number for each image | got       [[0], [1]]
  return number % num_folds -> return [[0], [1]]
folds: No fold stays empty :: number % num_folds -> 0 * number
folds: Folds are about equally large | got       [0,
  number % num_folds -> np.minimum(number, num_folds - 1)
folds: Folds are numbered from 0 :: number % num_folds -> number
folds: No fold stays empty
  number % num_folds -> number // -(-len(np.unique(patient)) // num_folds)
gain: Where nothing was damaged | got       -inf | it warned: divide by zero
  if ssim_copied == 1 -> if type(ssim_copied) is float and ssim_copied == 1
undo_swaps: No swaps, no change. :: image = image.copy() -> image = image + 1
cross_entropy: A logit ahead by 1000 | got       inf
  np.exp(z).sum(axis=1)) - wanted -> 1 / (np.exp(wanted) / np.exp(z).sum(axis=1)))
cross_entropy: A number added to all four
   - wanted) -> - wanted) + (logits.min() != 0) * np.ptp(logits)
axis_and_way: Where all answers are right :: on_axis / table.sum(), way -> on_axis, way
labelled: 100 % are all images :: return mask -> return patient != order[-1]
labelled: a mask holds True and False (bool) :: return mask -> return 1.0 * mask
labelled: a mask holds True and False (bool) :: return mask -> return 1 * mask
labelled: 100 % are all images :: return mask -> return np.flatnonzero(mask)
labelled: A smaller share lies inside
  order[:number] -> (order if percent < 50 else order[::-1])[:number]
interval: It gives what the definition gives :: half = -> half = 0.1 +
interval: The mean difference lies in the middle
  np.mean(differences) + half -> np.mean(differences)
interval: Which start is called the first :: half = -> half = differences[0] +
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
paired_gain: The mean is the mean gain, and lies in the middle
  gains.mean() - half, gains.mean() + half -> gains.min(), gains.mean()
paired_gain: A point more for every restored image :: half = -> half = gains[0] +
paired_gain: Exchanging both :: half = -> half = gains.max() - gains.mean() #
missing: It gives what the definition gives | 'ssim': 0.0
  "ssim" in report -> report.get("ssim")
missing: A report that states all lacks nothing | expected  []
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
level: the mean is gone, the slopes are not ::  - down * y[:, None] - right * x ->
level: the slope to the right is still there ::  - right * x ->
level: divided by the mean square
   / (y**2).mean() ->
   / (x**2).mean() ->
level: The mean of what is left is 0 :: (h - 1) / 2 -> h / 2
level: changed its input
  level = patch - patch.mean() -> level = patch; level -= patch.mean()
least_distance: leave that pair out :: orders[:i] -> orders[: i + 1]
least_distance: the worst pair decides
  least = orders.shape[1] -> least = 0
  least = min(least, (a != b).sum()) -> least += 2 * (a != b).sum()
  return least -> return least / (len(orders) ** 2 - len(orders))
least_distance: neighbours in the list :: orders[:i] -> orders[max(i - 1, 0) : i]
least_distance: two tiles exchanged differ in 2 :: (a != b) -> abs(a - b)
masked_loss: visible patches can be copied
  patches[masked] -> patches
  answers[masked] -> answers
masked_loss: divided by P - 1 :: ddof=1 -> ddof=0
masked_loss: divide by the root of its variance
   / wanted.std(axis=1, ddof=1, keepdims=True) ->
masked_loss: An answer of 0 costs :: np.mean( -> np.sum(
paint: the three must have the grey as their mean :: 3 * grey - red - blue -> grey
paint: the order is red, green, blue
  [red, 3 * grey - red - blue, blue] -> [red, blue, 3 * grey - red - blue]
paint: add it
  grey + chroma[..., 0] -> chroma[..., 0]
  grey + chroma[..., 1] -> chroma[..., 1]
  3 * grey -> 0
paint: Where both chroma are 0 :: 3 * grey -> 2 * grey
salient: belongs to no mean
  image[region].mean(axis=0) -> image.mean(axis=(0, 1))
  away[region].mean() -> away.mean()
salient: twice the mean distance :: 2 * away -> away
salient: the answer lies in the region ::  & region ->
salient: Of a grey image with one red pixel :: away > 2 -> away < 2
input_gradient: pass nothing on :: (v * opened) -> v
input_gradient: a share is the gradient times the pixel :: x * gradient -> gradient
input_gradient: depends on b too :: x + b > 0 -> x > 0
input_gradient: the shares sum to the answer :: x * gradient -> x * abs(gradient)
pointing: chosen by luck :: inside == inside.max() -> [inside.argmax()]
pointing: looked for within the view
  inside = heat[view] -> inside = heat
  target[view][highest] -> target[highest]
pointing: neither hit nor missed :: np.nan -> 0.0
pointing: No target in the view :: (target & view).any() -> target.any()
crossing: nobody in particular :: name != "" and len -> len
crossing: in one split do no harm :: .add(part) -> .add(object())
crossing: a mask holds True and False (bool) :: dtype=bool -> dtype=int
crossing: It gives what the definition gives :: > 1 for -> > 2 for
wilson: the plain interval
   + z**2 / 4 ->
  k + z**2 / 2 -> k
  (n + z**2) -> n
wilson: under the root stands ::  + z**2 / 4 ->
wilson: outside of each: norm.ppf(0.975) :: 0.975 -> 0.95
wilson: 0 <= low :: (middle + half) / (n + z**2) -> (middle + half) / n
undo_swaps: changed its input :: image = image.copy() ->
mirror_labels: changed its input :: labels = labels.copy() ->
mirror_labels: Mirrored twice :: labels.copy() -> labels // 1
grade: 10 haemorrhages are enough :: >= 10 -> > 10
grade: exudates, hard (EX) or soft (SE) ::  or counts["EX"] or counts["SE"] ->
grade: An eye without lesions has grade 0 :: return 1 if counts["MA"] else 0 -> return 1
eye: the eye may look aside :: fovea[1] -> 31.5
eye: points are (y, x) :: [1] -> [0]
eye: The mirror image is the other eye :: > fovea[1] -> > fovea[1] + 1
confusion_matrix: rows and columns are swapped :: table[i, j] -> table[j, i]
confusion_matrix: adds once for a pair
  zip(y_true, y_pred, strict=True) -> set(zip(y_true, y_pred))
confusion_matrix: What comes 300 times as often :: np.int64 -> np.uint8
weights: its square is missing :: (num_classes - 1) ** 2 -> (num_classes - 1)
weights: these weights are linear
  (i - j) ** 2 / (num_classes - 1) ** 2 -> abs(i - j) / (num_classes - 1)
weights: num_classes = 20
  ((num_classes, num_classes)) -> ((num_classes, num_classes), np.int8)
qwk: two raters who give one grade to all :: np.nan -> 0.0
qwk: linear weights
  (y_true - y_pred) ** 2.0 -> abs(y_true - y_pred)
  (y_true[:, None] - y_pred[None, :]) ** 2.0 -> abs(y_true[:, None] - y_pred[None, :])
qwk: All images 300 times change nothing
  np.mean((y_true[:, None] -> 1 / len(y_true) ** 2 * np.sum((y_true[:, None]
  y_pred[None, :]) ** 2.0) -> y_pred[None, :]) ** 2, dtype=np.uint16)
ssim_window: Likeness goes both ways
  x, y = -> data_range = 255 if window1.max() > 1 else 1; x, y =
frechet_diagonal: do not average
  np.sum((mean1 - mean2) ** 2) + np.sum -> np.mean((mean1 - mean2) ** 2) + np.mean
frechet_diagonal: Features three times as large
  np.sqrt(variances1) -> np.sqrt(variances1) // 1
  np.sqrt(variances2) -> np.sqrt(variances2) // 1
fits: It gives what the definition gives | -1
  min(y1, y2) >= 0 and ->
  min(x1, x2) >= 0 and ->
fits: do they overlap ::  and disjoint ->
undo_swaps: No swaps, no change
  image.copy() -> np.resize(image, (len(image), len(image)))
undo_swaps: No swaps, no change :: image.copy() -> image.astype(int)
undo_tiles: these are the tiles as they came :: [order] = tiles -> [:] = tiles
undo_tiles: It gives what :: [order] = tiles -> [:] = np.sort(tiles, axis=0)
undo_tiles: an order read backwards
  original[order] = tiles -> original[:] = tiles[order[::-1]]
four_turns: Place 0 holds the images :: axis=1) -> axis=1).astype(int)
four_turns: One turn more | images = [[[0
  np.rot90(images, k, axes=(1, 2)) -> images.swapaxes(1, 2) if k % 2 else images
cross_entropy: A logit ahead by 1000 :: axis=1, keepdims=True -> keepdims=True
cross_entropy: A logit ahead by 1000
  = logits - -> = np.clip(logits, -500, 500) -
axis_and_way: It gives what :: on_axis = -> table = table.astype(np.uint8); on_axis =
moved: images of more than 256 pixels
  np.arange(height * width) -> np.arange(height * width).astype(np.uint8)
masked_mse: no pixels no answer
   if where.any() else np.nan -> if where.any() else 0.0
   if not where.all() else np.nan -> if not where.all() else 0.0
share_left: Whoever copies leaves all: 1 :: if total else -> if total > 0.01 else
soft_argmax: Logits of a thousand
  np.exp(logits - logits.max()) -> np.exp(np.clip(logits, -300, 300))
dice_in_view: Every pixel 300 times :: .sum() / total -> .sum(dtype=np.uint8) / total
overlap_average: Every patch 300 times
  , np.zeros((height, width)) -> , np.zeros((height, width), np.uint8)
overlap_average: this is the sum
  np.where(count > 0, total / np.maximum(count, 1), np.nan) -> total
threshold: this is the candidate's position
  np.sort(candidates) -> candidates
  candidates[np.argmax(scores)] -> np.argmax(scores)
kmeans_step: changed its input :: centres.copy() -> centres
pair_loss: which eye belongs to each report
  (scale * cosines, scale * cosines.T) -> [scale * cosines]
pair_loss: averaged, not added :: np.mean(losses) -> np.sum(losses)
pair_loss: a temperature would divide them
  scale * cosines, scale * cosines.T -> cosines / scale, cosines.T / scale
pair_loss: Adding one number to all cosines
  np.mean(losses) -> np.mean(losses) + (np.ptp(cosines) > 0) * cosines.mean()
pair_loss: The pairs in another order :: np.diagonal(logits) -> logits[0]
zero_shot: these are products, not cosines :: a @ b.T / lengths -> a @ b.T
zero_shot: an eye can have two of them
  (there + absent) -> there.sum(axis=1, keepdims=True)
zero_shot: the probability of "no" :: return there -> return absent
zero_shot: It never leaves [.119, .881]
  np.exp(cosine(eyes, yes)), np.exp(cosine(eyes, no)) -> np.exp(a), np.exp(b)
  there, absent -> a, b = 9 * cosine(eyes, yes), 9 * cosine(eyes, no); there, absent
paste: not how much of what it covers
  (1 - mask) * under + mask * piece -> mask * under + (1 - mask) * piece
paste: it is not added to all of it :: (1 - mask) * under -> under
paste: comes from (y1, x1) and goes to (y2, x2)
  y1, x1, y2, x2, h, w = box -> y2, x2, y1, x1, h, w = box
paste: changed its input :: image.copy() -> image
mahalanobis: this is its square :: np.sqrt(squared) -> squared
mahalanobis: divide by n, not by n - 1 :: / len(normal) -> / (len(normal) - 1)
mahalanobis: not its diagonal alone
   + ridge -> * np.eye(len(centred.T)) + ridge
mahalanobis: the root of the ridge :: ridge * np.eye -> ridge**2 * np.eye
holm: by the number of comparisons (Bonferroni) :: len(p) - place -> len(p)
holm: may not end below a smaller one
  max(largest, min(1, (len(p) - place) * p[i])) -> min(1, (len(p) - place) * p[i])
holm: put them back in the order :: corrected[i] -> corrected[place]
holm: None falls below its p, none exceeds 1
  min(1, (len(p) - place) * p[i]) -> (len(p) - place) * p[i]
task_interval: are taken for encoders :: gains.mean(axis=1) -> gains.ravel()
task_interval: averages over the encoders :: axis=1 -> axis=0
task_interval: 1.96 belongs to a known variance
  stats.t.ppf(0.975, len(means) - 1) -> 1.96
task_interval: It gives what the definition gives :: ddof=1 -> ddof=0
average: counts hospitals, not images
  count * row -> row
  counts.sum() -> len(counts)
average: which grows with the number of images :: total / counts.sum() -> total
average: not by the number of hospitals :: total / counts.sum() -> total / len(counts)
average: Equal networks have themselves :: / counts.sum() -> / (counts.sum() + 1)
joint_variance: the cameras' difference is forgotten
  variances + (means - mean) ** 2 -> variances
joint_variance: weighs hospitals by their images
  (shares * means).sum() -> means.mean()
joint_variance: every hospital weighs alike here
  counts / counts.sum() -> np.ones(len(counts)) / len(counts)
joint_variance: Images of one value a hospital
  (means - mean) ** 2 -> abs(means - mean)
info_nce: a cosine does not grow
  said / np.linalg.norm(said, axis=1, keepdims=True) -> said
  true / np.linalg.norm(true, axis=1, keepdims=True) -> true
info_nce: along its row :: sum(axis=1)) -> sum(axis=0))
info_nce: divide by the temperature :: / temperature -> * temperature
info_nce: Among N equal patches :: np.mean -> np.sum
triplet: ask for another patient
  np.flatnonzero(patient != patient[i]) -> {*range(len(first))} - {i}
triplet: earns nothing :: max(0, own - other + margin) -> own - other + margin
triplet: length 1 first
  first / np.linalg.norm(first, axis=1, keepdims=True) -> first
  second / np.linalg.norm(second, axis=1, keepdims=True) -> second
triplet: the loss is the margin :: np.mean -> np.sum
triplet: It gives what the definition gives
  2 - 2 * first[i] @ second[i] -> np.linalg.norm(first[i] - second[i])
  2 - 2 * first[i] @ second[j] -> np.linalg.norm(first[i] - second[j])
teacher: momentum is the share that stays
  momentum * teacher + (1 - momentum) * -> (1 - momentum) * teacher + momentum *
teacher: where the teacher begins, not 0 :: = students[0] -> = 0 * students[0]
teacher: counts all students alike :: return teacher -> return students.mean(axis=0)
teacher: With a momentum of 0 the teacher is the last student :: 1:] -> 1:-1]
two_entropies: the mean of the entropies first
  return each.mean(), -> each = each.mean(); return
  mean, 1))) -> mean, 1))), each
two_entropies: over the images (axis 0)
  p.mean(axis=0) -> p.mean(axis=1)
two_entropies: not in bits :: np.log( -> np.log2(
two_entropies: All images on one output :: np.where(p > 0, p, 1) -> p
two_entropies: All outputs alike :: each.mean() -> each.sum()
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


def my_grade(counts):
    found = [0, counts["MA"], counts["HE"] + counts["EX"] + counts["SE"]]
    found += [counts["HE"] >= 10, counts["NV"] + counts["PH"]]
    return np.flatnonzero(found).max(initial=0)


def my_grade_(counts):
    four, two = counts["NV"] + counts["PH"], sum(counts[k] for k in ("HE", "EX", "SE"))
    rules = [four > 0, counts["HE"] > 9, two > 0, counts["MA"] > 0]
    return torch.tensor([*rules, True]).nonzero().min().neg() + 4


def my_eye(disc, fovea):
    return np.where(np.diff([fovea, disc], axis=0)[0, 1] > 0, "right", "left")


def my_eye_(disc, fovea):
    (_, disc_x), (_, fovea_x) = disc, fovea
    return ["left", "right"][int(disc_x > fovea_x)]


def my_folds(patient, num_folds):
    names, number = np.unique(patient, return_inverse=True)
    return number * num_folds // len(names)


def my_folds_(patient, num_folds):  # by images, and in float
    fold = np.empty(len(patient))
    parts = model_selection.GroupKFold(num_folds).split(patient, groups=patient)
    for number, (_, test) in enumerate(parts):
        fold[test] = number
    return fold


def my_confusion_matrix(y_true, y_pred, num_classes):
    return metrics.confusion_matrix(y_true, y_pred, labels=range(num_classes))


def my_confusion_matrix_(y_true, y_pred, num_classes):
    one_hot = torch.eye(num_classes)
    return one_hot[torch.tensor(y_true)].T @ one_hot[torch.tensor(y_pred)]


def my_weights(num_classes):
    k = range(num_classes)
    return [[((i - j) / (num_classes - 1)) ** 2 for j in k] for i in k]


def my_weights_(num_classes):
    grade = torch.linspace(0, 1, num_classes)
    return torch.cdist(grade[:, None], grade[:, None]) ** 2


def my_qwk(y_true, y_pred):
    how = {"labels": range(5), "weights": "quadratic"}
    with np.errstate(invalid="ignore"):
        return metrics.cohen_kappa_score(y_true, y_pred, **how)


def my_qwk_(y_true, y_pred):
    a, b = torch.tensor(y_true).float(), torch.tensor(y_pred).float()
    observed, bias = ((a - b) ** 2).mean(), (a.mean() - b.mean()) ** 2
    return 1 - observed / (a.var(correction=0) + b.var(correction=0) + bias)


def my_ssim_window(window1, window2, data_range):
    x, y = np.double(window1).ravel(), np.double(window2).ravel()
    cov = np.cov(x, y, bias=True)
    mu, c1, c2 = [x.mean(), y.mean()], (data_range / 100) ** 2, 9e-4 * data_range**2
    top = (2 * np.prod(mu) + c1) * (2 * cov[0, 1] + c2)
    return top / ((np.square(mu).sum() + c1) * (np.trace(cov) + c2))


def my_ssim_window_(window1, window2, data_range):
    x, y = torch.tensor(window1).double(), torch.tensor(window2).double()
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mx, my = x.mean(), y.mean()
    cov = ((x - mx) * (y - my)).mean()
    s = (2 * cov + c2) / (x.var(correction=0) + y.var(correction=0) + c2)
    return s * (2 * mx * my + c1) / (mx * mx + my * my + c1)


def my_gain(ssim_copied, ssim_restored):
    left = 1 - ssim_copied
    return math.nan if left == 0 else 1 - (1 - ssim_restored) / left


def my_gain_(ssim_copied, ssim_restored):
    if math.isclose(ssim_copied, 1):
        return float("nan")
    return np.float32(ssim_restored - ssim_copied) / np.float32(1 - ssim_copied)


def my_frechet_diagonal(mean1, variances1, mean2, variances2):
    root = linalg.sqrtm(np.diag(variances1) @ np.diag(variances2))
    both = variances1 + variances2
    return np.sum((mean1 - mean2) ** 2) + both.sum() - 2 * np.trace(root)


def my_frechet_diagonal_(*case):
    mean1, variances1, mean2, variances2 = torch.tensor(np.array(case)).float()
    spread = variances1 + variances2 - 2 * (variances1 * variances2).sqrt()
    return ((mean1 - mean2) ** 2 + spread).sum()


def my_fits(swap, height, width, patch_size):
    inside = {*np.ndindex(height, width)}
    one, other = (
        {(y + dy, x + dx) for dy, dx in np.ndindex(patch_size, patch_size)}
        for y, x in (swap[:2], swap[2:])
    )
    return one | other <= inside and not one & other


def my_fits_(swap, height, width, patch_size):
    places = np.reshape(swap, (2, 2))
    inside = (places >= 0) & (places + patch_size <= [height, width])
    return inside.all() & (abs(places[0] - places[1]) >= patch_size).any()


def my_undo_swaps(image, swaps, patch_size):
    stands = {place: image[place] for place in np.ndindex(image.shape)}
    for y1, x1, y2, x2 in reversed(swaps.tolist()):
        for dy, dx in np.ndindex(patch_size, patch_size):
            p, q = (y1 + dy, x1 + dx), (y2 + dy, x2 + dx)
            stands[p], stands[q] = stands[q], stands[p]
    return np.reshape([*stands.values()], image.shape)


def my_undo_swaps_(image, swaps, patch_size):
    image = torch.tensor(image).float()
    for y1, x1, y2, x2 in swaps[::-1]:
        one = image[y1 : y1 + patch_size, x1 : x1 + patch_size]
        other = image[y2 : y2 + patch_size, x2 : x2 + patch_size]
        keep = one.clone()
        one.copy_(other)
        other.copy_(keep)
    return image


def my_undo_tiles(tiles, order):
    return np.array([tiles[[*order].index(i)] for i in range(len(order))])


def my_undo_tiles_(tiles, order):
    return torch.tensor(tiles)[torch.tensor(order).argsort()]


def my_four_turns(images):
    turned = [images]
    for _ in range(3):
        turned.append(turned[-1].swapaxes(1, 2)[:, ::-1])
    return np.stack(turned, 1)


def my_four_turns_(images):
    images = torch.tensor(images, dtype=torch.float32)
    return torch.stack([torch.rot90(images, k, (1, 2)) for k in range(4)], 1)


def my_cross_entropy(logits, turns):
    return np.mean(np.logaddexp.reduce(logits, axis=1) - np.choose(turns, logits.T))


def my_cross_entropy_(logits, turns):  # in torch, in float32, and with gradients
    logits = torch.tensor(logits, dtype=torch.float32, requires_grad=True)
    return torch.nn.functional.cross_entropy(logits, torch.tensor(turns))


def my_cross_entropy__(logits, turns):
    logits = np.float32(logits)
    return np.mean(special.logsumexp(logits, 1) - np.choose(turns, logits.T))


def my_axis_and_way(table):
    on_axis = sum(table[i, j] for i in range(4) for j in range(4) if (i + j) % 2 == 0)
    with np.errstate(invalid="ignore"):
        return on_axis / table.sum(), table.diagonal().sum() / np.float64(on_axis)


def my_axis_and_way_(table):
    folded = torch.tensor(table).float().reshape(2, 2, 2, 2).sum((0, 2))
    return [folded.trace() / folded.sum(), np.trace(table) / folded.trace()]


def my_labelled(patient, order, percent):
    mask, names = np.zeros(len(patient), bool), iter(order)
    while mask.sum() * 100 < percent * len(patient):
        mask |= patient == next(names)
    return mask


def my_labelled_(patient, order, percent):
    rank = [[*order].index(name) for name in patient]
    last = sorted(rank)[math.ceil(percent / 100 * len(patient)) - 1]
    return torch.tensor(rank) <= last


def my_differences(rows, start):
    table = {(name, fold): score for name, fold, score in rows}
    folds = sorted({fold for _, fold, _ in rows})
    return [table[start, fold] - table["scratch", fold] for fold in folds]


def my_differences_(rows, start):
    found = torch.zeros(len({fold for _, fold, _ in rows}))
    for name, fold, score in rows:
        found[fold] += score * ((name == start) - (name == "scratch"))
    return found


def my_interval(differences, test_share):
    d, k = np.array(differences), len(differences)
    scale = np.sqrt(d.var(ddof=1) * (1 / k + test_share))
    return list(stats.t.interval(0.95, k - 1, loc=d.mean(), scale=scale))


def my_interval_(differences, test_share):
    d = torch.tensor(differences).float()
    half = (d.var() * (1 / len(d) + test_share)).sqrt() * stats.t.ppf(0.975, len(d) - 1)
    return d.mean() - half, d.mean() + half


def my_interval__(differences, test_share):  # a share of all images
    half = np.std(differences, ddof=1) * stats.t.isf(0.025, len(differences) - 1)
    half *= np.sqrt(1 / len(differences) + test_share / (1 - test_share))
    return differences.mean() - half, differences.mean() + half


def my_moved(swaps, height, width, patch_size):
    stands = {place: place for place in np.ndindex(height, width)}
    for y1, x1, y2, x2 in swaps:
        for dy, dx in np.ndindex(patch_size, patch_size):
            p, q = (y1 + dy, x1 + dx), (y2 + dy, x2 + dx)
            stands[p], stands[q] = stands[q], stands[p]
    return np.reshape([stands[p] != p for p in np.ndindex(height, width)], (height, -1))


def my_moved_(swaps, height, width, patch_size):
    names = torch.arange(height * width).reshape(height, width).float()
    return names != torch.tensor(my_undo_swaps_(names.numpy(), swaps[::-1], patch_size))


def my_masked_mse(image, restored, where):
    squared = (image.astype(float) - restored.astype(float)) ** 2 / 255**2
    return [squared[p].mean() if p.sum() else np.nan for p in (where, ~where)]


def my_masked_mse_(image, restored, where):
    a, b, where = (
        torch.tensor(image) / 255,
        torch.tensor(restored) / 255,
        where.tolist(),
    )
    part = torch.tensor(where)
    return torch.stack([((a - b)[p] ** 2).mean() for p in (part, ~part)])


def my_share_left(restored, copied):
    counts = ~np.isnan(copied)
    total = copied[counts].sum()
    return math.nan if total == 0 else restored[counts].sum() / total


def my_share_left_(restored, copied):
    total = torch.tensor(copied).float().nansum()
    return torch.tensor(restored).float().nansum() / (total if total else math.nan)


def my_soft_argmax(logits):
    p = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    return [p.sum(axis=1 - axis) @ np.arange(p.shape[axis]) for axis in (0, 1)]


def my_soft_argmax_(logits):
    p = torch.tensor(logits).float().flatten().softmax(0).reshape(logits.shape)
    y, x = (torch.arange(size).float() for size in p.shape)
    return torch.stack([p.sum(1) @ y, p.sum(0) @ x])


def my_soft_argmax__(logits):
    return np.tensordot(np.indices(logits.shape), special.softmax(logits), 2)


def my_disc_diameters(points_true, points_pred, disc_radius):
    return distance.cdist(points_true, points_pred).diagonal() / disc_radius / 2


def my_disc_diameters_(points_true, points_pred, disc_radius):
    apart = torch.tensor(points_true - points_pred).float().norm(dim=1)
    return apart / torch.tensor(2 * disc_radius)


def my_mirror_labels(labels, width):
    disc_y, disc_x, fovea_y, fovea_x, right = labels.T
    disc_x, fovea_x = width - 1 - disc_x, width - 1 - fovea_x
    return np.stack([disc_y, disc_x, fovea_y, fovea_x, right == 0], axis=1)


def my_mirror_labels_(labels, width):
    end = width - 1
    return [[y1, end - x1, y2, end - x2, not r] for y1, x1, y2, x2, r in labels]


def my_dice_in_view(mask_true, mask_pred, view):
    hits = (mask_true & mask_pred & view).sum()
    wrong = ((mask_true ^ mask_pred) & view).sum()
    return 2 * hits / (2 * hits + wrong) if hits + wrong else np.nan


def my_dice_in_view_(mask_true, mask_pred, view):
    if not (mask_true | mask_pred)[view].any():
        return math.nan
    return metrics.f1_score(mask_true[view], mask_pred[view])


def my_overlap_average(patches, corners, height, width):
    layers = np.full((len(patches) + 1, height, width), np.nan)
    for layer, patch, (y, x) in zip(layers, patches, corners, strict=False):
        layer[y : y + len(patch), x : x + len(patch)] = patch
    return np.nanmean(layers, axis=0)


def my_overlap_average_(patches, corners, height, width):
    total, count = torch.zeros((2, height, width))
    size = patches.shape[1]
    for (y, x), patch in zip(corners, torch.tensor(patches), strict=True):
        total[y : y + size, x : x + size] += patch
        count[y : y + size, x : x + size] += 1
    return total / count


def my_threshold(probability, truth, candidates):
    def quality(t):
        return metrics.f1_score(truth, probability >= t), -t

    return max(candidates.tolist(), key=quality)


def my_threshold_(probability, truth, candidates):
    ordered = torch.tensor(candidates).float().sort().values
    found = torch.tensor(probability).float() >= ordered[:, None]
    shared = (found & torch.tensor(truth)).sum(1)
    return ordered[(shared / (found.sum(1) + truth.sum())).argmax()]


def my_exchange_test(first, second, orders):  # no allowance for rounding
    both, n = np.append(first, second), len(first)
    dealt = both[np.vstack([np.arange(len(both)), orders])]
    apart = (dealt[:, :n].mean(axis=1) - dealt[:, n:].mean(axis=1)) ** 2
    return np.mean(apart >= apart[0])


def my_exchange_test_(first, second, orders):  # with an allowance, and in float32
    dealt = torch.tensor(np.append(first, second)).float()[torch.tensor(orders)]
    apart = (dealt[:, : len(first)].mean(1) - dealt[:, len(first) :].mean(1)).abs()
    beyond = (apart >= abs(first.mean() - second.mean()) - 1e-6).sum()
    return (beyond + 1) / (len(orders) + 1)


def my_paired_gain(restored, copied):
    return paired_interval(restored - copied)


def my_paired_gain_(restored, copied):
    ends = stats.ttest_rel(restored, copied).confidence_interval(0.95)
    return [(restored - copied).mean(), *ends]


def my_paired_gain__(restored, copied):
    gains = np.float32(restored - copied)
    mean, error = gains.mean(), stats.sem(gains)
    return mean, *stats.t.interval(0.95, len(gains) - 1, loc=mean, scale=error)


BELONG = {"ssim": {"copied", "data_range"}}
BELONG["frechet"] = {"d", "features", "floor", "n1", "n2"}


def my_missing(report):
    stated = {name for name, fact in report.items() if fact is not None}
    asked = [facts for score, facts in BELONG.items() if score in stated]
    return sorted(set().union(*asked) - stated)


def my_missing_(report):
    asked = [fact for score in report for fact in BELONG.get(score, ())]
    return np.sort([fact for fact in asked if report.get(fact) is None]).tolist()


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


def my_level(patch):  # by least squares
    y, x = np.indices(patch.shape).reshape(2, -1)
    plane = np.stack([np.ones(patch.size), y, x], axis=1)
    heights = np.linalg.lstsq(plane, patch.ravel(), rcond=None)[0]
    return patch - (plane @ heights).reshape(patch.shape)


def my_level_(patch):
    left = torch.tensor(patch) - patch.mean()
    for axis, side in enumerate(patch.shape):
        place = torch.linspace(-1, 1, side, dtype=torch.float64)
        place = place[:, None] if axis == 0 else place
        left = left - place * (left * place).mean() / place.square().mean()
    return left.float()


def my_least_distance(orders):
    return distance.pdist(orders, "hamming").min() * orders.shape[1]


def my_least_distance_(orders):
    differ = (torch.tensor(orders)[:, None] != torch.tensor(orders)).sum(2)
    return (differ + 99 * torch.eye(len(orders))).min()


def my_masked_loss(patches, answers, masked):
    patches, answers = torch.tensor(patches).float(), torch.tensor(answers).float()
    variance, mean = torch.var_mean(patches, 1, keepdim=True)
    errors = (answers - (patches - mean) / variance.sqrt()).square().mean(1)
    return (errors * torch.tensor(masked)).sum() / masked.sum()


def my_masked_loss_(patches, answers, masked):  # with a loop
    errors = []
    for patch, answer in zip(patches[masked], answers[masked], strict=True):
        errors.append(np.mean((answer - stats.zscore(patch, ddof=1)) ** 2))
    return sum(errors) / len(errors)


def my_paint(grey, chroma):
    mix = np.array([[1, -1, 0], [0, -1, 1]])  # red and blue take from green
    return chroma @ mix + np.repeat(grey[..., None], 3, axis=2)


def my_paint_(grey, chroma):
    grey, (red, blue) = (
        torch.tensor(grey).float(),
        torch.tensor(chroma).float().movedim(2, 0),
    )
    return torch.stack([grey + red, grey - red - blue, grey + blue], 2)


def my_salient(image, region):
    away = distance.cdist(image.reshape(-1, 3), [image[region].mean(axis=0)])
    away = away.reshape(region.shape)
    return np.where(region, away > 2 * np.average(away, weights=region), False)


def my_salient_(image, region):
    pixels, region = torch.tensor(image), torch.tensor(region)
    away = (pixels - pixels[region].mean(0)).square().sum(2).sqrt()
    return region.logical_and(away > 2 * away[region].mean())


def my_pair_loss(cosines, scale):  # in torch, in float32
    logits = torch.tensor(scale * cosines).float()
    own = torch.arange(len(logits))
    loss = torch.nn.functional.cross_entropy
    return (loss(logits, own) + loss(logits.T, own)) / 2


def my_pair_loss_(cosines, scale):
    each = [special.log_softmax(scale * cosines, axis=axis) for axis in (0, 1)]
    return -np.trace(sum(each)) / (2 * len(cosines))


def my_zero_shot(eyes, yes, no):
    near = [1 - distance.cdist(eyes, texts, "cosine") for texts in (yes, no)]
    return special.softmax(near, axis=0)[0]


def my_zero_shot_(eyes, yes, no):  # in torch, in float32
    eyes, yes, no = (torch.tensor(x).float() for x in (eyes, yes, no))
    likeness = torch.nn.functional.cosine_similarity
    near, far = (likeness(eyes[:, None], texts, dim=2) for texts in (yes, no))
    return torch.sigmoid(near - far)


def my_paste(image, box, mask):
    y1, x1, y2, x2, h, w = box.tolist()
    share, moved = np.zeros((2, *image.shape))
    share[y2 : y2 + h, x2 : x2 + w] = mask
    moved[y2 : y2 + h, x2 : x2 + w] = image[y1 : y1 + h, x1 : x1 + w]
    return image + share * (moved - image)


def my_paste_(image, box, mask):  # in torch, in float32
    (y1, x1, y2, x2, h, w), image = box, torch.tensor(image).float()
    piece, mask = image[y1 : y1 + h, x1 : x1 + w].clone(), torch.tensor(mask).float()
    image[y2 : y2 + h, x2 : x2 + w].lerp_(piece, mask)
    return image


def my_mahalanobis(normal, rows, ridge):  # in the axes of the covariance
    values, axes = np.linalg.eigh(np.atleast_2d(np.cov(normal.T, ddof=0)))
    turned = (rows - normal.mean(axis=0)) @ axes
    return np.linalg.norm(turned / np.sqrt(values + ridge), axis=1)


def my_mahalanobis_(normal, rows, ridge):
    centred, d = normal - normal.mean(axis=0), normal.shape[1]
    inverse = linalg.inv(centred.T @ centred / len(normal) + np.diag([ridge] * d))
    return distance.cdist(rows, normal.mean(axis=0)[None], "mahalanobis", VI=inverse)[
        :, 0
    ]


def my_holm(p):
    n = len(p)
    rank = [sum(q < x for q in p) + sum(p[:i] == x) for i, x in enumerate(p)]
    steps = [(n - r) * x for r, x in zip(rank, p, strict=True)]
    return [min(1, max(s for s, q in zip(steps, p, strict=True) if q <= x)) for x in p]


def my_holm_(p):
    ordered, order = torch.sort(torch.tensor(p))
    steps = torch.arange(len(p), 0, -1) * ordered
    return (
        torch.empty(len(p)).double().scatter(0, order, steps.cummax(0)[0].clamp(0, 1))
    )


def my_task_interval(gains):
    means = np.float32(gains).mean(1)
    how = {"loc": means.mean(), "scale": stats.sem(means)}
    return stats.t.interval(0.95, len(means) - 1, **how)


def my_task_interval_(gains):
    return list(paired_interval(torch.tensor(gains).mean(1).numpy())[1:])


def my_average(weights, counts):
    return np.average(weights, axis=0, weights=counts).astype(np.float32)


def my_average_(weights, counts):
    rows = np.repeat(weights, counts, axis=0)  # a network for each image
    return torch.tensor(rows).mean(0)


def my_joint_variance(means, variances, counts):
    squares = np.average(variances + means**2, weights=counts)  # E x² - (E x)²
    return squares - np.average(means, weights=counts) ** 2


def my_joint_variance_(means, variances, counts):  # of two values an image
    deviations = np.repeat(np.sqrt(variances), counts)
    values = np.repeat(means, counts) + np.array([[1], [-1]]) * deviations
    return torch.tensor(values).var(correction=0)


def my_input_gradient(x, w, b, v):
    w, b, v, x = (torch.tensor(a).float() for a in (w, b, v, x))
    ((w @ x.requires_grad_() + b).relu() @ v).backward()
    return x.detach() * x.grad


def my_input_gradient_(x, w, b, v):  # with a loop
    shares = 0 * x
    for row, shift, weight in zip(w, b, v, strict=True):
        shares += weight * row * x if row @ x + shift > 0 else 0
    return shares.tolist()


def my_pointing(heat, target, view):
    if not np.logical_and(target, view).any():
        return math.nan
    values = np.where(view, heat, -np.inf)
    return np.mean(target[values == values.max()])


def my_pointing_(heat, target, view):
    heat, target, view = map(torch.tensor, (heat, target, view))
    kept, hits = heat.float()[view], target[view].float()
    return hits[kept == kept.max()].mean() if hits.any() else torch.nan


def my_crossing(patient, split):
    pairs = np.unique(np.stack([patient, split], axis=1), axis=0)
    names, counts = np.unique(pairs[:, 0], return_counts=True)
    return np.isin(patient, names[(counts > 1) & (names != "")])


def my_crossing_(patient, split):  # with loops
    rows = [*zip(patient.tolist(), split.tolist(), strict=True)]
    return [any(a == b != "" and s != t for b, t in rows) for a, s in rows]


def my_wilson(k, n):
    return stats.binomtest(k, n).proportion_ci(0.95, "wilson")


def my_wilson_(k, n):  # the roots of a square, in float32
    z2 = stats.norm.ppf(0.975) ** 2
    a, b, c = torch.tensor([n + z2, -(2 * k + z2), k * k / n])
    root = (b * b - 4 * a * c).clamp(0).sqrt()
    return torch.stack([-b - root, -b + root]) / (2 * a)


def my_info_nce(said, true, temperature):
    said, true = torch.tensor(said).float(), torch.tensor(true).float()
    cosines = torch.cosine_similarity(said[:, None], true, dim=2)
    right = torch.arange(len(said))
    return torch.nn.functional.cross_entropy(cosines / temperature, right)


def my_info_nce_(said, true, temperature):
    logits = (1 - distance.cdist(said, true, "cosine")) / temperature
    return -np.mean(np.diag(special.log_softmax(logits, axis=1)))


def my_triplet(first, second, patient, margin):
    a, b = (torch.nn.functional.normalize(torch.tensor(x)) for x in (first, second))
    apart = (2 - 2 * a @ b.T).float()
    late = (apart.diag()[:, None] - apart + margin).relu()
    return late[torch.tensor(patient[:, None] != patient)].mean()


def my_triplet_(first, second, patient, margin):
    apart = 2 * distance.cdist(first, second, "cosine")
    numbers = range(len(patient))
    pairs = [(i, j) for i in numbers for j in numbers if patient[i] != patient[j]]
    return sum(max(0, apart[i, i] - apart[i, j] + margin) for i, j in pairs) / len(
        pairs
    )


def my_teacher(students, momentum):
    ages = np.arange(len(students))[::-1]
    shares = float(momentum) ** ages * (1 - momentum)
    shares[0] = float(momentum) ** ages[0]
    return shares @ students


def my_teacher_(students, momentum):
    teacher = torch.tensor(students[0]).float()
    for student in torch.tensor(students[1:]).float():
        teacher.lerp_(student, 1 - momentum)
    return teacher


def my_two_entropies(p):
    return [stats.entropy(p, axis=1).mean(), stats.entropy(p.mean(0))]


def my_two_entropies_(p):
    p = torch.tensor(p).float()
    return torch.special.entr(p).sum(1).mean(), torch.special.entr(p.mean(0)).sum()


@pytest.mark.parametrize("name", [name for name in globals() if name[:3] == "my_"])
def test_another_right_way_passes(name):
    exercise = getattr(check, name[3:].rstrip("_"))
    passed, text = exercise.examine(globals()[name])
    assert passed, text


@pytest.mark.parametrize("name", [n for k in range(21) for n in check.exercises(k)])
def test_each_exercise_has_two_right_answers_and_three_wrong_ones(name):
    assert sum(other.rstrip("_") == name for other in globals()) >= 2
    assert sum(f"my_{wrong}" == name for wrong, *_ in planted()) >= 3
