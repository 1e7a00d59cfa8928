"""The factor profile: what a frozen encoder knows of a synthetic eye.

Every factor of a synthetic eye is known, so an encoder that stays as it is can be asked
for all of them: a ridge regression on its pooled features, with a penalty chosen inside
the training eyes, answers for eyes of other patients. A skill is R2 for a quantity and
2 AUC - 1 for a class: 1 knows it, 0 does not.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from tinyssl import metrics, models, plots, runs
from tinyssl.data import toy
from tinyssl.data.crop import resize
from tinyssl.data.toy.report import NAMES
from tinyssl.dictionary import unit
from tinyssl.pretraining import new_encoder
from tinyssl.report import Section, Table, write_report
from tinyssl.starts import Start
from tinyssl.summary import join_words, number
from tinyssl.targets.baselines import ridge
from tinyssl.targets.grading import Grading
from tinyssl.training import choose_device, train

PENALTIES = (0.01, 0.1, 1.0, 10.0)
FOLDS, SEEDS, STEPS = 4, 3, 600  # STEPS: of the supervised encoder
MORE = 0.02  # of a skill, to count
LIGHT = ("camera", "pigment", "exposure")  # what says nothing of the eye's health
PIXELS, TAUGHT = "8 × 8 pixels", "supervised by grades"


def profile(s: SimpleNamespace) -> dict[str, Any]:
    """Ask the encoders of pretraining runs for every factor; leave a page."""
    out = Path(s.out)
    runs.refuse_foreign(out)
    configs = [runs.read_config(run, "task", "encoder", "size") for run in s.runs]
    if len(sizes := {config["size"] for config in configs}) > 1:
        raise ValueError(f"runs must be of one size, found {sorted(sizes)}")
    size, device = sizes.pop(), choose_device(s.device)
    settings = {"command": "profile", "runs": s.runs, "eyes": s.eyes, "seed": s.seed}
    s.log(f"drawing {2 * s.eyes} synthetic eyes")
    parts = [toy.fundus(s.eyes, size=size, rng=[s.seed, k]) for k in (1, 2)]
    rows: dict[str, list[dict[str, float]]] = {}

    def ask(name, encoder):
        s.log(f"asking {name}")
        known = [features(encoder.to(device), eyes.images) for eyes in parts]
        rows.setdefault(name, []).append(skills(*known, *parts))

    with runs.claimed(out, settings, {"device": device}):
        for run, config in zip(s.runs, configs, strict=True):
            for start in Start(run).members():
                encoder, _ = runs.load_encoder(start.folder(0) / "encoder.pt")
                ask(config["task"], encoder)
        fresh = {c["encoder"]["name"]: c["encoder"] for c in configs}
        for name, config in fresh.items():
            for seed in range(SEEDS):
                torch.manual_seed(seed)
                ask(f"random {name}", new_encoder(config, channels=3))
        ask(TAUGHT, supervised(size, s.seed))
        small = [[resize(x, (8, 8)) for x in eyes.images] for eyes in parts]
        small = [np.reshape(x, (s.eyes, -1)) / 255.0 for x in small]
        rows[PIXELS] = [skills(*small, *parts)]
    networks = {c["task"]: f"random {c['encoder']['name']}" for c in configs}
    means = {
        name: {k: float(np.mean([found[k] for found in each])) for k in each[0]}
        for name, each in rows.items()
    }
    said = sentences(means, networks)
    results = {"command": "profile", "skills": rows, "means": means, "said": said}
    runs.write_json(out / "results.json", results)
    write_page(out, rows, means, said, {"size": f"{size} px", "eyes": str(s.eyes)})
    return results | {"lines": [*said, f"report: {out}/report.html"]}


def factors(eyes: toy.Fundus) -> dict[str, np.ndarray]:
    """Return what is known of eyes, (N, T) each; True and False are classes."""
    N, size = len(eyes), eyes.images.shape[1]
    lit = eyes.field_of_view.sum((1, 2))
    known = {
        "right or left": eyes.eye == "right",
        "disc position": eyes.disc / size,
        "cup ratio": eyes.cup_ratio,
        "vessel share": eyes.vessels.sum((1, 2)) / lit,
    }
    for kind, count in eyes.lesion_counts.items():
        known[NAMES[kind][1]] = count > 0
    known["grade ≥ 3"] = eyes.grades >= 3  # from 2 on there are haemorrhages
    known["camera"] = eyes.camera[:, None] == np.unique(eyes.camera)
    known |= {"pigment": eyes.pigment, "exposure": eyes.light["exposure"]}
    return {name: np.reshape(values, (N, -1)) for name, values in known.items()}


def features(encoder, images) -> np.ndarray:
    """Return features of images, pooled by mean and maximum: (N, D)."""
    return Grading(encoder).answers(lambda x: Grading.pool(encoder.features(x)), images)


def skills(some, others, eyes, new) -> dict[str, float]:
    """Fit each factor on some eyes, score it on others; "patient" needs no fit."""
    answers, truth = factors(eyes), factors(new)
    every = np.concatenate([*answers.values()], axis=1).astype(float)
    predicted = fitted(some, every, others, eyes.patient)
    ends = np.cumsum([values.shape[1] for values in answers.values()])
    found = {}
    for name, guess in zip(truth, np.split(predicted, ends[:-1], axis=1), strict=True):
        pairs = zip(truth[name].T, guess.T, strict=True)
        each = [value for pair in pairs if np.isfinite(value := skill(*pair))]
        found[name] = float(np.mean(each)) if each else np.nan
    rows = unit(others - others.mean(0))
    alike = rows[::2] @ rows[1::2].T  # right eyes beside left ones
    own = np.eye(*alike.shape, dtype=bool)
    return found | {"patient": skill(own.ravel(), alike.ravel())}


def fitted(some, values, others, patient) -> np.ndarray:
    """Answer for others by ridge regression, its penalty chosen over patients."""
    _, person = np.unique(patient, return_inverse=True)
    errors = np.zeros((len(PENALTIES), values.shape[1]))
    for fold in range(FOLDS):
        held = person % FOLDS == fold
        for k, penalty in enumerate(PENALTIES):
            guess = ridge(some[~held], values[~held], some[held], penalty=penalty)
            errors[k] += np.square(guess - values[held]).sum(0)
    best = errors.argmin(0)  # one for each column
    every = [ridge(some, values, others, penalty=p) for p in PENALTIES]
    return np.stack([every[k][:, j] for j, k in enumerate(best)], axis=1)


def skill(truth, predicted) -> float:
    """Return R2 of a quantity, 2 AUC - 1 of a class; nan where there is but one."""
    if truth.min() == truth.max():
        return np.nan
    if truth.dtype == bool:
        return 2 * metrics.roc_auc(truth, predicted) - 1
    return 1 - np.square(truth - predicted).mean() / truth.var()


def supervised(size, seed):
    """Train a small network on the grades of as many eyes as pretraining has seen."""
    eyes = toy.fundus(700, size=size, rng=[seed, 3])
    torch.manual_seed(seed)
    task = Grading(models.densenet_small())
    train(task, (eyes.images, eyes.grades), steps=STEPS, lr=3e-3, seed=seed)
    return task.encoder


def sentences(means, networks) -> list[str]:
    """Say in plain words what the matrix shows, losses included."""
    gains = {
        task: {k: means[task][k] - means[net][k] for k in means[task]}
        for task, net in networks.items()
    }
    ill = [*(many for _, many in NAMES.values()), "grade ≥ 3"]
    average = {n: float(np.nanmean([m[k] for k in ill])) for n, m in means.items()}
    sides = {n: m["right or left"] for n, m in means.items()}
    persons = {n: m["patient"] for n, m in means.items()}
    ranked = (average, sides, persons)
    best, side, person = (max(networks, key=known.get) for known in ranked)
    seen = [k for k in next(iter(means.values())) if k not in (*LIGHT, "patient")]
    grown = {t: np.nanmean([g[k] for k in seen]) for t, g in gains.items()}
    light = [t for t, g in gains.items() if max(g[k] for k in LIGHT) > MORE > grown[t]]
    less = [t for t in gains if grown[t] < 0]
    lost = [t for t in networks if sides[t] < sides[PIXELS] - MORE]
    camera = "No task taught the camera alone."
    if light:
        camera = (
            "Nothing but camera, pigment or exposure grew over random weights after "
            f"{join_words(light)}: these learned the camera."
        )
    eye = "every task taught more than random weights know."
    if less:
        eye = f"encoders know less than random weights after {join_words(less)}."
    return [
        f"Lesions and grade are known best after {best} (mean skill "
        f"{number(average[best], 2)}), beside {number(average[networks[best]], 2)} of "
        f"random weights and {number(average[TAUGHT], 2)} of a network taught the "
        "grades.",
        camera,
        f"Of the eye itself, {eye}",
        f"Right or left is known best after {side} ({number(sides[side], 2)}); 8 × 8 "
        f"pixels know it at {number(sides[PIXELS], 2)}"
        + (f", more than after {join_words(lost)}." if lost else "."),
        "Whose eye it is should be hard to tell: the other eye of the patient is "
        f"recognised at {number(persons[person], 2)} after {person}, at "
        f"{number(persons[PIXELS], 2)} by 8 × 8 pixels.",
    ]


def write_page(out, rows, means, said, facts):
    """Write the matrix, its figure and its sentences as a page."""
    figure = plots.matrix(means, title=said[0])
    caption = "Skill: R² of a quantity, 2 AUC − 1 of a class; 1 knows it, 0 does not."
    names = list(next(iter(means.values())))
    body = []
    for name, each in rows.items():
        cells = []
        for factor in names:
            values = [found[factor] for found in each]
            ends = (number(f(values), 2) for f in (min, max))
            spread = f" [{', '.join(ends)}]" if len(values) > 1 else ""
            cells.append(number(np.mean(values), 2) + spread)
        body.append((name, str(len(each)), *cells))
    spreads = "Mean over the encoders of a row, and their least and greatest."
    table = Table(("encoder", "encoders", *names), body, spreads)
    how = "Frozen features, a ridge regression for each factor, eyes of other patients."
    parts = ([how, *said], [(figure, caption)], [table])
    section = Section("The factor profile", *parts)
    title = "What does each pretext task teach?"
    write_report(out / "report.html", title, [section], facts=facts)
