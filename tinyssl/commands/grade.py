"""``tinyssl grade``: the severity of new photographs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyssl import models, runs
from tinyssl.commands.prepare import choose_device
from tinyssl.data import Table, load_images
from tinyssl.downstream import grading


def grade(run: Path, images: Sequence[Path], *, device: str = "auto") -> list[dict]:
    """Grade photographs with the models of a finetune run.

    Parameters
    ----------
    run : path
        Folder of ``finetune``; its grader.pt holds one model a fold.
    images : sequence of paths

    Returns
    -------
    list of dict
        "image", "grade", "severity" in words, and "probabilities" (averaged over the
        models; the grade is their median).
    """
    state = runs.load_plain(Path(run) / "grader.pt")
    paths = tuple(Path(path) for path in images)
    names = tuple(str(path) for path in paths)
    rows = Table("images", Path("images"), names, paths, is_fundus=state["is_fundus"])
    pixels, _ = load_images(rows, state["size"])
    answers = []
    for member in state["members"]:
        task = grading.Grading(
            models.from_config(state["encoder"]),
            num_grades=state["num_grades"],
            head=state["head"],
        )
        task.load_state_dict(member)
        task.to(choose_device(device))
        answers.append(grading.predict(task, pixels, views=8)[1])
    probabilities = np.mean(answers, axis=0)  # (N, K)
    grades = grading.decode(probabilities, state["head"])
    return [
        {
            "image": name,
            "grade": int(chosen),
            "severity": grading.severity(int(chosen), state["num_grades"]),
            "probabilities": [round(float(p), 4) for p in row],
        }
        for name, chosen, row in zip(names, grades, probabilities, strict=True)
    ]
