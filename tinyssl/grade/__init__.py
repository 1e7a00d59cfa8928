"""Grade new images, and say how far each answer can be trusted."""

import json
from pathlib import Path

import numpy as np

from tinyssl import models, plots, runs
from tinyssl.data import DataError, Table, load_images
from tinyssl.data.files import images_below
from tinyssl.files import free_name
from tinyssl.grade import calibration, ood
from tinyssl.grade.occlusion import occlusion_map
from tinyssl.targets.grading import Grading, decode, in_words
from tinyssl.training import choose_device, use_threads

KEPT = ("encoder", "head", "num_grades", "members", "class_names", "ordered")
KEPT += ("size", "is_fundus", "calibration", "ood")  # of a grader.pt


def grade(s, key):
    """Do what `tinyssl.commands.grade` does, whose arguments are ``s``.

    Of each "grade" is the median of the "probabilities", averaged over the models (for
    classes without an order the most probable), "class" its name in the data set;
    "right" how often "of" so many held-out answers this sure were right ("low", "high":
    its interval); "unlike" the distance from the training images over the limit, with
    a "warning" above 1, and then no answer unless ``anyway``; "lines" are for a person.
    """
    state, out = load_grader(Path(s.run)), Path(s.out)
    paths = tuple(image for path in s.images for image in images_at(Path(path)))
    names = tuple(key("image", str(path)) for path in paths)
    table = Table("images", Path("images"), names, paths, is_fundus=state["is_fundus"])
    pixels, _ = load_images(table, state["size"])
    tasks = rebuild(state, device=choose_device(s.device))
    with use_threads(1):  # one image a batch: a second thread waits more than it works
        rows = answer(state, tasks, pixels, names)
    rows = [row if s.anyway else withheld(row) for row in rows]
    key.write(out)
    draw(out, state, tasks, pixels, rows)
    return [row | {"lines": lines(row)} for row in rows]


def load_grader(run):
    """Load the grader.pt of a run folder, or say what it lacks."""
    path = run / "grader.pt"
    if not path.is_file():
        raise ValueError(f"{run} must be a run of finetune: it has no grader.pt")
    state = runs.load_plain(path)
    runs.refuse_lacking(path, state, KEPT)
    runs.refuse_lacking(path, state["ood"], ood.SHRINKAGE)
    return state | {"file": str(path)}


def rebuild(state, *, device="cpu"):
    """Rebuild the graders of a ``grader.pt``, one a fold."""
    tasks = []
    for member in state["members"]:
        encoder = models.from_config(state["encoder"])
        task = Grading(encoder, num_grades=state["num_grades"], head=state["head"])
        runs.fill(task, member, state["file"])
        tasks.append(task.to(device).eval())
    return tasks


def answer(state, tasks, pixels, names):
    """Return what `grade` returns, without pictures."""
    probabilities = np.mean([task.predict(pixels)[1] for task in tasks], axis=0)
    grades = decode(probabilities, state["head"]).tolist()
    unlike = ood.score(state["ood"], tasks[0].encoder, pixels)
    rows, each = [], zip(names, grades, probabilities, unlike, strict=True)
    for name, chosen, probability, far in each:
        row = {"image": name, "grade": chosen}
        row["class"] = in_words(chosen, state["class_names"])
        row["probabilities"] = [round(float(p), 4) for p in probability]
        group = calibration.group_of(state["calibration"], probability[chosen])
        row |= {key: round(group[key], 4) for key in ("right", "low", "high")}
        row |= {"of": group["n"], "unlike": round(float(far), 3)}
        if far > 1:
            row["warning"] = (
                f"looks unlike the training images: {far:.1f} times as far from them "
                f"as 995 in 1,000 of {state['ood']['images']} held-out images"
            )
        rows.append(row)
    return rows


def images_at(path):
    """Return a file, or the images in a folder and below it."""
    found = images_below(path) if path.is_dir() else [path]
    if not found:
        raise DataError(f"{path}: must hold images, found none")
    return found


def withheld(row):
    """Take the answer out of a row with a warning: it would be read as one."""
    if "warning" not in row:
        return row
    kept = {name: row[name] for name in ("image", "unlike", "warning")}
    return kept | {"grade": None, "class": None}


def draw(out, state, tasks, pixels, rows):
    """Write one picture an image, the calibration figure, and the answers as lines."""
    K, taken = state["num_grades"], set()
    names = [in_words(k, state["class_names"], short=True) for k in range(K)]

    def save(figure, stem):
        path = out / f"{free_name(stem, taken)}.png"
        runs.write_atomic(path, lambda f: figure.savefig(f, format="png", dpi=120))
        return str(path)

    save(plots.calibration(state["calibration"]), "calibration")
    for image, row in zip(pixels, rows, strict=True):
        if row["grade"] is None:
            figure = plots.strip([image[None]], title=heading(row))
        else:
            weights, raised = np.eye(K)[row["grade"]], "the answer's probability"
            if state["ordered"]:
                weights, raised = np.arange(K), "the grade"
            looked = occlusion_map(tasks, image, weights=weights)
            said = {"answer": row["grade"], "note": words(row), "title": heading(row)}
            said |= {"looked": looked, "raised": raised}
            figure = plots.grade_bars(image, row["probabilities"], names, **said)
        row["picture"] = save(figure, Path(row["image"]).stem)
    text = "".join(json.dumps(runs.plain(row)) + "\n" for row in rows)
    runs.write_text(out / "grades.jsonl", text)


def heading(row):
    """Say the class of an image; where it is unlike the others, that first."""
    name = Path(row["image"]).name
    if "warning" in row:
        answer = f"answered {row['class']}" if row["class"] else "no answer"
        return f"Unlike the training images: {name}, {answer}"
    return f"Answered {row['class']}: {name}"


def words(row):
    """Say what an answer is worth."""
    warning = f" WARNING: {row['warning']}." if "warning" in row else ""
    return (
        f"Of {row['of']} held-out images answered about as surely, {row['right']:.0%} "
        f"were right [{row['low']:.0%}, {row['high']:.0%}].{warning}"
        " For research and teaching; not a medical device."
    )


def lines(row):
    """Write one answer for a person; a warning stands first."""
    warned = [f"{row['image']}: WARNING: {row['warning']}"] if "warning" in row else []
    if row["grade"] is None:
        return [*warned, "  no answer; --anyway gives one"]
    shown = " ".join(f"{p:.2f}" for p in row["probabilities"])
    picture = f"; picture: {row['picture']}" if "picture" in row else ""
    return [
        *warned,
        f"{row['image']}: {row['grade']}, {row['class']} [{shown}]",
        f"  {row['right']:.0%} of {row['of']} held-out images answered about as surely "
        f"were right{picture}",
    ]
