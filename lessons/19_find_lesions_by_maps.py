# %% [markdown]
"""
Lesson 19. Where it looked
==========================

- do: derive three maps of what moved a network's answer, and score them against true
  lesion masks
- learn: what must stand beside a map before anyone may believe it
- need: lessons 04 and 10; derivatives
- sources: D (outlook: explainability); Zhou et al. 2016, Zeiler and Fergus 2014,
  Zhang et al. 2018, Adebayo et al. 2018
- data: toy.fundus, n 900 (fast 220), 48 px, 6.2 MB
- runtime: fast 15 s, full 33 s
- memory: 600 MB
- files: 1_lesions.png, 2_maps.png, 3_pointing.png, 4_broken.png, 5_erased.png,
  results.json
"""

# %% [markdown]
# **The question.** A network says: this eye should see an ophthalmologist (grade 2 or
# more: *refer*). "Where did you look?" Many methods answer with a *map*. Do maps find
# lesions? Only one who knows where the lesions are can tell. Of our eyes we know it.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt

from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/19"))
OUT.mkdir(parents=True, exist_ok=True)
eyes = toy.fundus(220 if FAST else 900, size=48, rng=SEED)
refer, lesions = eyes.grades >= 2, sum(eyes.lesions.values()) > 0  # of any kind
figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
axes[0].imshow(eyes.images[refer.argmax()]).axes.set(xlabel="pixels", title="to refer")
said = f"lesions: {lesions[refer].mean():.1%} of all pixels of such eyes"
axes[1].imshow(lesions[refer.argmax()], cmap="gray").axes.set_title(said)
figure.savefig(OUT / "1_lesions.png")

# %% [markdown]
# A network to ask
# ----------------
# First each photograph is evened out (Graham 2015): its own blur is subtracted, and the
# difference tripled, around grey, 128. Then a small DenseNet (lesson 04) learns from
# 600 labelled eyes. It ends in 12 × 12 places with C numbers each (*features*), takes
# the mean over the places, and adds these means up, each times a weight: the *logit*.
# Above 0 it says refer. Its AUC is for eyes of other patients; guessing has .5.

# %%
import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from tinyssl import metrics, models, summary, training
from tinyssl.targets.classification import Classification

torch.set_num_threads(1)


class Refer(Classification):
    """One logit, refer or not, from the mean of the features over the places."""

    pool = staticmethod(lambda features: features.mean((2, 3)))

    def __init__(self):
        shape = {"growth_rate": 8, "block_layers": (2, 3), "stem_channels": 12}
        encoder = models.DenseNet(**shape, bottleneck=2, small_stem=True)
        super().__init__(encoder, num_grades=2, head="continuation")
        self.linear = torch.nn.Linear(encoder.num_features, 1)


def even_out(images, views):
    """Subtract from each image its blur; grey 128 is like the surroundings."""
    inside = views[..., None] * 1.0
    blur, share = (gaussian_filter(a, (0, 4, 4, 0)) for a in (images * inside, inside))
    evened = np.clip(128 + 3 * (images - blur / np.maximum(share, 1e-6)), 1, 255)
    return np.where(views[..., None], evened, 0).astype(np.uint8)


def probability(task, images):
    return task.predict(images, views=1)[1][:, 1]


torch.manual_seed(SEED)
trained, LABELLED = Refer(), len(eyes) // 6 * 4
evened = even_out(eyes.images, eyes.field_of_view)
how = {"steps": 25 if FAST else 200, "batch_size": 16, "lr": 5e-3, "seed": SEED}
training.train(trained, (evened[:LABELLED], 1 * refer[:LABELLED]), **how)
held = np.arange(LABELLED, len(eyes), 2)  # one eye a patient: the right one
guess = probability(trained, evened[held])
results = {"auc": metrics.roc_auc(refer[held], guess)}
ill = held[refer[held]][: 6 if FAST else 40]
images, masks, view = (a[ill] for a in (evened, lesions, eyes.field_of_view))
print(f"AUC {results['auc']:.3f}; {len(ill)} unseen eyes to refer")

# %% [markdown]
# Two maps by hand
# ----------------
# **Class activation map (CAM).** The mean over the places and the weighted sum can
# trade places: first weigh the C features at each place, then take the mean. What
# stands at a place before the mean is its share. *Law: the mean of the map, plus the
# bias, is the logit.*
#
# **Gradient times input.** The gradient tells how much the logit rises when a pixel
# rises a little; times the pixel, it is a guess of the pixel's share. *Law: for a
# network of weights and ReLU (the larger of a and 0) alone, without biases, the shares
# sum to the answer.* Ours has shifts, in its batch normalisation: the law fails.


# %%
def gradient_times_input(x, w, v):
    """Of v · relu(w x): (d,)."""
    return x * (w.T @ (v * (w @ x > 0)))


rng = np.random.default_rng(SEED)
x, w, v = rng.normal(size=6), rng.normal(size=(4, 6)), rng.normal(size=4)
by_hand, t = gradient_times_input(x, w, v), torch.tensor(x, requires_grad=True)
answer = (torch.tensor(w) @ t).relu() @ torch.tensor(v)
answer.backward()
assert np.allclose(by_hand, x * t.grad.numpy())  # torch agrees
assert np.isclose(by_hand.sum(), answer.item())  # the second law


def two_maps(task):
    """Return the size of gradient times input, and the CAM: (N, 48, 48) each."""
    x = training.to_tensor(images).requires_grad_()
    features = task.eval().encoder.features(x)  # (N, C, 12, 12)
    logit = task.linear(features.mean((2, 3)))[:, 0]
    share = x * torch.autograd.grad(logit.sum(), x)[0]
    cam = torch.einsum("nchw,c->nhw", features, task.linear.weight[0])
    assert torch.allclose(cam.mean((1, 2)) + task.linear.bias, logit, atol=1e-4)
    print(f"logit {logit[0]:.1f}, sum of gradient times input {share[0].sum():.1f}")
    cam = torch.nn.functional.interpolate(cam[:, None], size=48, mode="bilinear")
    maps = {"gradient": abs(share.sum(1)), "CAM": cam[:, 0]}
    return {name: heat.detach().numpy() for name, heat in maps.items()}


maps = two_maps(trained)

# %% [markdown]
# The third asks the network
# --------------------------
# **Occlusion.** Smooth a small window away and ask again. How far does the probability
# fall? Do so everywhere; a pixel gets the mean fall of the windows that cover it.
# By hand, then by the library:

# %%
from time import perf_counter

from tinyssl.grade.occlusion import occlusion_map


def occlusion(answer, image):
    """Map the mean fall of the answer (48, 48) over soft windows 6 pixels wide."""
    lit, rows = image.max(axis=2, keepdims=True) > 0, np.arange(48)
    blur, share = (gaussian_filter(a * 1.0, (3, 3, 0)) for a in (image, lit))
    smooth = np.clip(blur / np.maximum(share, 1e-6), 0, 255) * lit  # black stays black
    total, weight = np.zeros((48, 48)), np.full((48, 48), 1e-9)
    for y, x in 3 * np.argwhere(lit[::3, ::3, 0]):
        near = [np.exp(-0.5 * ((rows - place) / 2.4) ** 4) for place in (y, x)]
        window = np.outer(*near)
        mixed = np.rint(image + window[..., None] * (smooth - image))
        total += window * (answer(image) - answer(mixed.astype(np.uint8)))
        weight += window
    return np.where(lit[..., 0], total / weight, 0)


one, start = images[0], perf_counter()
by_hand = occlusion(lambda image: probability(trained, image[None])[0], one)
middle, theirs = perf_counter(), occlusion_map([trained], one)
print(f"a map by hand {middle - start:.2f} s, library {perf_counter() - middle:.2f} s")
assert np.allclose(by_hand, theirs, atol=1e-5)
assert not occlusion(lambda image: 0.7, one).any()  # who never changes has no map

# %% [markdown]
# **Before you run.** Order the three maps by how well their brightest pixel hits a
# lesion. Is one better than the middle of the image?


# %%
def occlude(task):
    return np.array([occlusion_map([task], image) for image in images])


maps["occlusion"] = occlude(trained)
# eyes that the network is surest to refer
surest = np.argsort(-guess[np.searchsorted(held, ill)])[:3]
figure, axes = plt.subplots(1, 5, figsize=(9, 5.6), layout="constrained")
columns = {"evened out": images, "lesions": masks} | maps
for ax, (name, pictures) in zip(axes, columns.items(), strict=True):
    ax.imshow(np.vstack(pictures[surest]), cmap="gray")
    ax.set(title=name, xticks=[], yticks=[])
figure.suptitle("Three maps of one network do not agree; each has its own scale")
figure.savefig(OUT / "2_maps.png")

# %% [markdown]
# Score them
# ----------
# **Pointing rate** (Zhang et al.): does the brightest pixel lie on a lesion, or within
# one pixel of it? Beside it stand three who never saw the network:
#
# - a random place of the retina;
# - the centre of the image;
# - a filter: how much darker than its surroundings is a pixel?
#
# **Pixel AUC**: of a pixel in a lesion and one outside, how often is the first
# brighter?

# %%
from scipy.ndimage import binary_dilation

targets = np.array([binary_dilation(mask, np.ones((3, 3))) for mask in masks])
green = eyes.images[ill, :, :, 1] / 255
maps["filter"] = gaussian_filter(green, (0, 3, 3)) - green


def pointing(heat, target, view):
    """Share of the highest pixels of a map, within the view, that hit the target."""
    return target[view & (heat == heat[view].max())].mean()


def scores(heats):
    """Return the hits of maps (N, 48, 48), and their mean pixel AUC."""
    hits = [pointing(*each) for each in zip(heats, targets, view, strict=True)]
    known = zip(masks, heats.astype(float), view, strict=True)
    return np.array(hits), np.mean([metrics.roc_auc(m[v], h[v]) for m, h, v in known])


hits, auc = {}, {}
for name, heats in (maps | {"random place": 0 * green}).items():
    hits[name], auc[name] = scores(heats)
hits["centre"], auc["centre"] = targets[:, 23:25, 23:25].mean((1, 2)), np.nan
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
for ax, values in zip(axes, (hits, auc), strict=True):
    for name in hits:
        mark = "C0o" if name in ("gradient", "CAM", "occlusion") else "kD"
        ax.plot(np.mean(values[name]), name, mark, markersize=8)
    ax.set(xlabel="pointing rate" if values is hits else "pixel AUC", xlim=(0, 1))
    ax.grid(alpha=0.3)
axes[0].legend(axes[0].lines[2:4], ("map of the network", "without the network"))
results |= {f"point_{k.replace(' ', '_')}": v.mean() for k, v in hits.items()}
results |= {f"pixels_{name}": auc[name] for name in maps}
said = "Pointing: occlusion {point_occlusion:.2f}, filter {point_filter:.2f}"
figure.suptitle(said.format(**results))
figure.savefig(OUT / "3_pointing.png")
for rival in ("centre", "filter"):
    mean, low, high = summary.paired_interval(hits["occlusion"] - hits[rival])
    print(f"occlusion - {rival}: {mean:+.2f} [{low:+.2f}, {high:+.2f}]")
    results[f"over_{rival}"] = mean

# %% [markdown]
# **You predicted** an order. **What you should see**, over 10 seeds:
#
# - ``auc``: 0.8 to 0.93
# - ``point_centre``: 0.26 to 0.43
# - ``point_filter``: 0.42 to 0.73
# - ``point_gradient``: 0.47 to 0.85
# - ``point_CAM``: 0.19 to 0.65
# - ``point_occlusion``: 0.59 to 0.93
# - ``over_centre``: 0.25 to 0.57
# - ``over_filter``: -0.13 to 0.48
# - ``pixels_filter``: 0.6 to 0.78
# - ``pixels_CAM``: 0.56 to 0.66
# - ``pixels_occlusion``: 0.62 to 0.75
#
# (``over``: occlusion minus rival. Fast mode reaches few ranges.) If you see all maps
# at the random place, the network has learned nothing: look at ``auc``.
#
# Occlusion hits far more often than the centre, on most seeds more often than the
# filter; the CAM, with places of 4 pixels, on some seeds less often than the centre.
# **Where the method lost**: over all pixels the filter, which never saw the network, is
# mostly ahead. **Misconception: "it hits, so it shows where the lesions are".** A pixel
# AUC of .6 or .7 leaves many lesions as dark as healthy retina.
#
# Broken on purpose: the same map from random weights
# ---------------------------------------------------
# A map of evidence must change when there is no evidence. We ruin the network twice:
# only its *last layer*, the C weights, is drawn anew; then all weights are.
#
# **Before you run.** With a random last layer the answer means nothing. What do the
# maps show?

# %%
import copy

from scipy.stats import spearmanr

ruined = {"last layer random": copy.deepcopy(trained), "all random": Refer()}
torch.manual_seed(SEED + 1)
ruined["last layer random"].linear.reset_parameters()
figure, axes = plt.subplots(3, 3, figsize=(10, 10.3), layout="constrained")
for ax, name in zip(axes[0], ("gradient", "CAM", "occlusion"), strict=True):
    ax.imshow(maps[name][surest[0]], cmap="gray").axes.set(title=f"{name}, trained")
for line, (kind, net) in zip(axes[1:], ruined.items(), strict=True):
    again, key = two_maps(net) | {"occlusion": occlude(net)}, kind.split()[0]
    results[f"auc_{key}"] = metrics.roc_auc(refer[held], probability(net, evened[held]))
    for ax, (name, heats) in zip(line, again.items(), strict=True):
        pairs = zip(heats, maps[name], view, strict=True)
        like = np.mean([spearmanr(a[v], b[v])[0] for a, b, v in pairs])
        results[f"point_{name}_{key}"] = scores(heats)[0].mean()
        results[f"like_{name}_{key}"] = like
        ax.imshow(heats[surest[0]], cmap="gray")
        ax.set_title(f"{kind}: correlation {like:.2f}")
plt.setp(axes, xticks=[], yticks=[])
point = results["point_gradient_last"]
figure.suptitle(f"Last layer random: the gradient still hits lesions in {point:.0%}")
figure.savefig(OUT / "4_broken.png")

# %% [markdown]
# **You predicted** the maps of a ruined network. **What you should see**, over 10 seeds
# (``like``: rank correlation with the map of the trained network, pixel by pixel):
#
# - ``auc_last``: 0.01 to 0.96
# - ``auc_all``: 0.4 to 0.71
# - ``point_gradient_last``: 0.5 to 0.75
# - ``point_gradient_all``: 0 to 0.5
# - ``point_occlusion_all``: 0 to 0.58
# - ``like_gradient_last``: 0.349 to 0.93
#
# With all weights random the maps find little on most seeds; on some, gradient or
# occlusion hits half of the eyes: what stands out moves any network. With a random last
# layer the *answer* is chance, on some seeds nearly the opposite of the truth
# (``auc_last``), and the gradient still hits: it shows what the features respond to,
# not why the network said refer. If you see a ``like_gradient_last`` of 1, nothing was
# drawn anew.
#
# Did it look at the lesions?
# ---------------------------
# **Misconception: "the map missed, so the network did not use the lesion".** One can
# ask the network itself: make all lesions grey, like their surroundings. For
# comparison, grey the same shapes upside down, where they meet no lesion.

# %%
flipped = targets[:, ::-1] & ~targets
shapes = {"nothing": 0 * targets, "lesions": targets, "elsewhere": flipped}
figure, axes = plt.subplots(1, 3, figsize=(9, 3.5), layout="constrained")
for ax, (name, shape) in zip(axes, shapes.items(), strict=True):
    some = np.where(shape[..., None], np.uint8(128), images)
    results[f"called_{name}"] = called = (probability(trained, some) > 0.5).mean()
    ax.imshow(some[surest[0]]).axes.set(xticks=[], yticks=[])
    ax.set_title(f"erased: {name}; {called:.0%} called refer", fontsize=10)
figure.suptitle("Lesions erased: {called_lesions:.0%} called refer".format(**results))
figure.savefig(OUT / "5_erased.png")

# %% [markdown]
# **What you should see**, over 10 seeds:
#
# - ``called_nothing``: 0.6 to 0.825
# - ``called_lesions``: 0 to 0.19
# - ``called_elsewhere``: 0.6 to 0.88
#
# Without lesions few eyes are referred. The network uses
# lesions; a map may not show it. If you see ``called_elsewhere`` fall as far,
# the shapes still cover lesions.
#
# Your turn
# ---------
# **Check.** Fill in two functions.
#
# 1. ``my_input_gradient``: gradient times input of v · relu(w x + b).
# 2. ``my_pointing``: the share of the highest pixels, within the view, that hit.

# %%
from tinyssl import check


def my_input_gradient(x, w, b, v):
    """(d,), (k, d), (k,) and (k,); return the (d,) shares of v · relu(w x + b)."""
    return None  # your lines in place of this one


def my_pointing(heat, target, view):
    """(H, W) numbers and two masks; nan where the view holds no target."""
    return None  # your lines in place of this one


check.input_gradient(my_input_gradient)
check.pointing(my_pointing)

# %% [markdown]
# **Change.** (a) Score by the exact lesion, without the pixel around it: who falls
# most? (b) Keep the sign: return ``share`` in place of its size. What becomes of the
# last-layer test? (c) Train with ``rng.permutation(refer[:LABELLED])``, labels that
# mean nothing: which map still points at lesions?
#
# **Make.** Score one more method, or one map of your own classifier. Rubric, one point
# each: a mask nobody drew by looking at the map; centre and random place beside it; a
# filter without a network; a ruined network; eyes on which it fails, shown.

# %%
import json

results = {name: round(float(value), 3) for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Three things to keep
# --------------------
# - A map needs a truth, a baseline and a ruined network.
# - A map may fit the image and not the answer.
# - To know what a network uses, take it away and ask again.
#
# Quiz
# ----
# 1. A map hits a lesion in 60 % of the eyes. Good?
# 2. The maps stay as they are when the last layer is drawn anew. What follows?
# 3. The mean of a CAM is not the logit. What was forgotten?
#
# <details><summary>Answers</summary>
#
# 1. Nobody knows before the centre and a filter were scored.
# 2. They show what the features respond to, not why this answer was given.
# 3. The bias.
#
# </details>
#
# In a clinic
# -----------
# A map beside a grade makes people trust it, right or wrong. Masks of a few
# hundred lesions cost a reader some days and show what the map is worth. On
# photographs the order may be another.
#
# Sources
# -------
# - Zhou et al. 2016, CVPR (class activation maps); Zeiler, Fergus 2014, ECCV.
# - Zhang et al. 2018, IJCV 126 (pointing rate).
# - Adebayo et al. 2018, "Sanity checks for saliency maps", NeurIPS.
# - Graham 2015, report on Kaggle's diabetic retinopathy detection.
