"""What a comparison leaves for grading: the models of the best initialisation."""

import numpy as np

from tinyssl import runs
from tinyssl.experiment import loader
from tinyssl.grade import calibration, ood
from tinyssl.rows import thin
from tinyssl.targets.grading import decode

ENOUGH = 5000  # images of each kind, to learn from what images look like


def keep_grader(out, kind, cases, results, trained):
    """Keep the fold models of the initialisation with the best mean as grader.pt.

    Its score is a little optimistic, being the best of several: the report shows all.
    """
    most = max(line["labels"] for line in results["summary"])
    whole = [line for line in results["summary"] if line["labels"] == most]
    best = max(whole, key=lambda line: np.nan_to_num(line["avg"], nan=-1.0))
    init = best["init"]
    rows = [r for r in results["rows"] if (r["init"], r["labels"]) == (init, most)]
    load = loader(kind, cases, **trained)
    tasks = [load(init, row["run"]) for row in rows]
    head, K = tasks[0].head, tasks[0].num_grades
    index = np.concatenate([row["held"] for row in rows])
    probabilities = np.concatenate([row["answers"][1] for row in rows])
    truth = cases.columns["grade"][index]
    state = {
        "encoder": dict(trained["encoder"]),
        "head": head,
        "num_grades": K,
        "class_names": list(cases.facts["class_names"]),
        "ordered": bool(cases.facts["ordered"]),
        "size": cases.facts["size"],
        "is_fundus": cases.facts["is_fundus"],
        "init": init,
        "measure": kind.metrics[best["metric"]].words,
        "score": float(best["avg"]),
        "calibration": calibration.reliability(truth, probabilities, head=head),
        "members": [task.state_dict() for task in tasks],
    }
    seen, held = cases.part(0, labelled=True), np.flatnonzero(cases.fold == 0)
    seen, held = (cases.images(thin(index, ENOUGH)) for index in (seen, held))
    known = ood.fit(tasks[0].encoder, seen, held)
    runs.save_state(out / "grader.pt", state | {"ood": known})
    if "test" in results:
        results["ensembles"] = ensembles(kind, cases, results["rows"], head)
    shown = ("init", "measure", "score", "head", "size", "calibration")
    return {key: state[key] for key in shown}


def ensembles(kind, cases, rows, head):
    """Score the folds' mean probabilities on the official test images."""
    cells = {}
    for row in rows:
        members = cells.setdefault((row["init"], row["labels"]), [])
        members.append(row["test_answers"][1])
    lines = []
    for (init, labels), members in cells.items():
        mean = np.mean(members, axis=0)
        scores = kind.score(cases, cases.test, (decode(mean, head), mean))
        line = {"init": init, "labels": labels, "models": len(members)}
        lines.append(line | {"scores": scores})
    return lines
