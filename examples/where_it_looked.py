"""Score where graders looked against the true lesions of synthetic eyes.

    tinyssl finetune toy:1000 --size 64 --fractions 100 --epochs 20 --out runs/toy
    python examples/where_it_looked.py runs/toy [EYES]

Needs tinyssl[course]. For each unseen eye that has lesions, the area under the ROC
curve of the occlusion map against the lesion mask, inside the field of view: .5 is
chance. Beside it the map of the same networks with random weights, and a rule that
looked at no answer: how far a pixel lies from the image's own blur.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from tinyssl import runs
from tinyssl.data import toy
from tinyssl.grade import rebuild
from tinyssl.grade.occlusion import expected, occlusion_map
from tinyssl.metrics import quadratic_weighted_kappa, roc_auc
from tinyssl.training import to_tensor

SEED = 2_000_000  # unseen: the readers' synthetic eyes use small seeds


def main(run, count=200):
    """Print the mean areas with their intervals, over eyes with lesions."""
    state = runs.load_plain(Path(run) / "grader.pt")
    graders = rebuild(state)
    eyes = toy.fundus(int(count), size=state["size"], rng=SEED)
    grades = np.arange(state["num_grades"])
    inputs = to_tensor(eyes.images)
    answer = np.rint(expected(graders, inputs, torch.as_tensor(grades)))
    kappa = quadratic_weighted_kappa(eyes.grades, answer.astype(int))
    print(f"graders of {run}: QWK {kappa:.3f} on {len(eyes)} unseen eyes")

    torch.manual_seed(0)
    guessers = rebuild(state)
    for module in (m for task in guessers for m in task.modules()):
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    areas = {"trained graders": [], "random weights": [], "unlike its blur": []}
    lesions = np.any(list(eyes.lesions.values()), axis=0)
    for n in np.flatnonzero(lesions.any((1, 2))):
        image, view = eyes.images[n], eyes.field_of_view[n]
        light = image.astype(float).mean(-1)
        maps = (
            occlusion_map(graders, image, weights=grades),
            occlusion_map(guessers, image, weights=grades),
            np.abs(light - gaussian_filter(light, 3)),
        )
        for found, shown in zip(areas.values(), maps, strict=True):
            found.append(roc_auc(lesions[n][view], shown[view]))
    for name, found in areas.items():
        mean, half = np.mean(found), 1.96 * np.std(found, ddof=1) / len(found) ** 0.5
        print(f"{name:16} AUC {mean:.3f} ± {half:.3f} ({len(found)} eyes)")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:3])
