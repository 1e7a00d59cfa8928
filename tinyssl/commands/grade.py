"""``tinyssl grade``: the severity of new photographs, and how far to trust it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import plots, runs
from tinyssl.commands.prepare import choose_device
from tinyssl.data import Table, load_images
from tinyssl.downstream import calibration, familiarity, grading
from tinyssl.downstream.occlusion import occlusion_map
from tinyssl.training import use_threads


def grade(
    run: Path,
    images: Sequence[Path],
    *,
    out: Path | None = None,
    device: str = "auto",
) -> list[dict[str, Any]]:
    """Grade photographs with the models of a finetune run.

    Parameters
    ----------
    run : path
        Folder of ``finetune``; its grader.pt holds one model a fold.
    images : sequence of paths
    out : path, optional
        A folder for one picture an image, ``calibration.png`` and ``grades.jsonl``;
        without it nothing is written.

    Returns
    -------
    list of dict
        "image"; "grade" (the median of the probabilities) and "severity" in words;
        "probabilities", averaged over the models; "right", how often answers this
        sure were right on held-out images, with "low" and "high", its interval, and
        "of", their number; "unlike", the distance from the training images over the
        limit, and "warning" where it is more than 1; "picture" where one was made.
    """
    if not (Path(run) / "grader.pt").is_file():
        raise ValueError(f"{run} must be a run of finetune: it has no grader.pt")
    state = runs.load_plain(Path(run) / "grader.pt")
    missing = {"members", "calibration", "familiar"} - set(state)
    if missing:
        raise ValueError(
            f"{run}/grader.pt lacks {', '.join(sorted(missing))}: "
            "run finetune again to make it anew"
        )
    paths = tuple(Path(path) for path in images)
    names = tuple(str(path) for path in paths)
    table = Table("images", Path("images"), names, paths, is_fundus=state["is_fundus"])
    pixels, _ = load_images(table, state["size"])
    tasks = grading.from_state(state, device=choose_device(device))
    with use_threads(1):  # one image a batch: a second thread waits more than it works
        rows = answer(state, tasks, pixels, names)
    if out is not None:
        draw(Path(out), state, tasks, pixels, rows)
    return rows


def answer(
    state: dict[str, Any],
    tasks: Sequence[grading.Grading],
    pixels: np.ndarray,
    names: Sequence[str],
) -> list[dict[str, Any]]:
    """Return what `grade` returns, without pictures."""
    answers = [grading.predict(task, pixels, views=8)[1] for task in tasks]
    probabilities = np.mean(answers, axis=0)  # (N, K)
    grades = grading.decode(probabilities, state["head"])
    known = state["familiar"]
    unlike = familiarity.strangeness(known, tasks[0].encoder, pixels)
    rows = []
    for name, chosen, probability, far in zip(
        names, grades.tolist(), probabilities, unlike, strict=True
    ):
        row = {"image": name, "grade": chosen}
        row["severity"] = grading.severity(chosen, state["num_grades"])
        row["probabilities"] = [round(float(p), 4) for p in probability]
        group = calibration.group_of(state["calibration"], probability[chosen])
        row |= {key: round(group[key], 4) for key in ("right", "low", "high")}
        row |= {"of": group["n"], "unlike": round(float(far), 3)}
        if far > 1:
            row["warning"] = (
                f"looks unlike the training images: {far:.1f} times as far from them "
                f"as 995 in 1,000 of {known['images']} held-out images"
            )
        rows.append(row)
    return rows


def draw(
    out: Path,
    state: dict[str, Any],
    tasks: Sequence[grading.Grading],
    pixels: np.ndarray,
    rows: list[dict[str, Any]],
) -> None:
    """Write one picture an image, the calibration figure, and the answers as lines."""
    out.mkdir(parents=True, exist_ok=True)
    K = state["num_grades"]
    names = [grading.severity(k, K, short=True) for k in range(K)]
    taken: set[str] = set()
    for image, row in zip(pixels, rows, strict=True):
        figure = plots.grade_bars(
            image,
            row["probabilities"],
            names,
            answer=row["grade"],
            looked=occlusion_map(tasks, image),
            note=words(row),
            title=heading(row),
        )
        path = out / f"{free_name(Path(row['image']).stem, taken)}.png"
        runs.write_atomic(path, lambda p, f=figure: f.savefig(p, format="png", dpi=120))
        row["picture"] = str(path)
    figure = plots.calibration(state["calibration"])
    runs.write_atomic(
        out / "calibration.png", lambda p: figure.savefig(p, format="png", dpi=120)
    )
    lines = "".join(json.dumps(runs.plain(row)) + "\n" for row in rows)
    runs.write_atomic(
        out / "grades.jsonl", lambda p: p.write_text(lines, encoding="utf-8")
    )


def free_name(stem: str, taken: set[str]) -> str:
    """Return the stem, numbered where another image has it too."""
    name, number = stem, 1
    while name in taken or name == "calibration":
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


def heading(row: dict[str, Any]) -> str:
    """Say the severity of an image; where it looks strange, that first."""
    name = Path(row["image"]).name
    if "warning" in row:
        return f"Unlike the training images: {name}, answered {row['severity']}"
    return f"{row['severity']}: {name}"


def words(row: dict[str, Any]) -> str:
    """Say what an answer is worth."""
    text = (
        f"Of {row['of']} held-out images answered about as surely, {row['right']:.0%} "
        f"were right [{row['low']:.0%}, {row['high']:.0%}]."
    )
    if "warning" in row:
        text += f" WARNING: {row['warning']}."
    return text + " For research and teaching; not a medical device."
