"""Grade one photograph in your own code: severity, its certainty, where it looked.

    python examples/grade_image.py RUN PHOTO [PICTURE.png]

RUN is a folder of `tinyssl finetune`. Needs tinyssl[course]. `tinyssl grade` does the
same for many photographs. For research and teaching; not a medical device.
"""

import sys
from pathlib import Path

import numpy as np

from tinyssl import plots
from tinyssl.data import Table, load_images
from tinyssl.grade import calibration, load_grader, ood, rebuild
from tinyssl.grade.occlusion import occlusion_map
from tinyssl.targets import grading


def main(run, photo, picture="grade.png"):
    """Print the answer and what it is worth; draw where the graders looked."""
    state = load_grader(Path(run))
    table = Table("photo", Path(photo).parent, (photo,), (Path(photo),))
    images, _ = load_images(table, state["size"])  # cropped to the field of view
    graders = rebuild(state)
    answers = [grader.predict(images)[1] for grader in graders]
    probabilities = np.mean(answers, axis=0)  # (1, K)
    grade = int(grading.decode(probabilities, state["head"])[0])

    K = state["num_grades"]
    names = state["class_names"]
    print(f"grade {grade}: {grading.in_words(grade, names)}")
    print("probabilities", probabilities[0].round(3))
    known = calibration.group_of(state["calibration"], probabilities[0, grade])
    print(
        f"{known['right']:.0%} [{known['low']:.0%}, {known['high']:.0%}] of "
        f"{known['n']} held-out images answered about as surely were right"
    )
    unlike = ood.score(state["ood"], graders[0].encoder, images)[0]
    if unlike > 1:
        print(f"WARNING: unlike the training images ({unlike:.1f} times the limit)")
    figure = plots.grade_bars(
        images[0],
        probabilities[0],
        [grading.in_words(k, names, short=True) for k in range(K)],
        answer=grade,
        looked=occlusion_map(graders, images[0], weights=np.arange(K)),
    )
    figure.savefig(picture, dpi=120)
    print(f"where it looked: {picture}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:4])
