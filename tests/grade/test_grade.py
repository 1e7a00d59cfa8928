"""Grading: where the grader looked, what stands above a picture, other runs."""

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl import metrics
from tinyssl.commands import grade
from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.grade import draw, heading, images_at, lines, withheld
from tinyssl.grade.occlusion import expected, occlusion_map
from tinyssl.plots import grade_bars


class CountsYellow(nn.Module):
    """A grader that can be checked: grade 1 of 0..1 by the share of yellow pixels."""

    def __init__(self, sign=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(sign))

    def outputs(self, x):
        yellow = torch.relu(x[:, 1] - 0.55) * (x[:, 2] < 0.6)  # (N, H, W)
        return self.weight * (yellow.sum((1, 2))[:, None] - 1.5)

    def log_probabilities(self, outputs):
        return torch.cat([-outputs / 2, outputs / 2], 1).log_softmax(1)


class CountsExudates(CountsYellow):
    """A grader that looks at the true mask, and there only at brightness."""

    def __init__(self, mask):
        super().__init__()
        self.mask = torch.from_numpy(mask).float()

    def outputs(self, x):
        seen = (x.mean(1) * self.mask).sum((1, 2)) / self.mask.sum()  # (N,)
        return self.weight * (20 * seen - 10)[:, None]


def retina(spot=np.s_[14:17, 30:33], side=48):
    """Return a red disc with a yellow spot, and where it is lit."""
    lit = round_mask(side)
    image = np.zeros((side, side, 3), np.uint8)
    image[lit] = [150, 70, 40]
    image[spot] = [250, 230, 90]
    return image, lit


def test_a_bright_spot_that_makes_the_grade_is_where_the_map_is_highest():
    image, _ = retina()
    found = occlusion_map([CountsYellow()], image)
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert max(abs(y - 15), abs(x - 31)) <= 3
    assert found.max() > 0.1
    # evidence against a grade is negative, and several graders are averaged
    against = occlusion_map([CountsYellow(sign=-1.0)], image)
    assert against.min() < -0.1
    assert against.max() < 0.01
    both = occlusion_map([CountsYellow(), CountsYellow(-1.0)], image)
    np.testing.assert_allclose(both, (found + against) / 2, atol=1e-6)


def test_a_flat_retina_and_the_black_frame_are_no_evidence():
    image, _ = retina(spot=[])
    assert np.abs(occlusion_map([CountsYellow()], image)).max() < 1e-6
    image, lit = retina(spot=np.s_[20:24, 20:24])
    assert not occlusion_map([CountsYellow()], image)[~lit].any()
    # sure answers
    x = torch.zeros(2, 3, 8, 8)
    x[1, 1] = 1.0
    found = expected([CountsYellow()], x, torch.arange(2))
    assert found == pytest.approx([0, 1], abs=0.2)


def test_on_synthetic_eyes_the_map_points_at_the_true_lesions():
    eyes = toy.fundus(60, size=96, rng=3)
    lesions = eyes.lesions["EX"]
    chosen = np.flatnonzero(lesions.sum((1, 2)) >= 12)[:6]
    assert len(chosen) == 6
    scores = []
    for i in chosen:
        found = occlusion_map([CountsExudates(lesions[i])], eyes.images[i])
        inside = eyes.field_of_view[i]
        scores.append(metrics.roc_auc(lesions[i][inside], found[inside]))
    assert np.mean(scores) > 0.9, scores


def test_a_warning_stands_first_and_names_stay_as_they_are():
    row = {"image": "photos/cat.png", "class": "no diabetic retinopathy"}
    assert heading(row) == "Answered no diabetic retinopathy: cat.png"
    warned = heading(row | {"warning": "looks unlike the training images"})
    assert warned.startswith("Unlike the training images: cat.png, answered no")
    figure = grade_bars(np.zeros((8, 8, 3)), [0.5, 0.5], ["a", "b"], title=heading(row))
    assert figure.get_suptitle() == heading(row)


def test_a_folder_that_holds_no_grader_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be a run of finetune: it has no grader"):
        grade(tmp_path, ["eye.png"])


def test_of_classes_without_an_order_the_map_is_of_one_of_them():
    image, _ = retina(spot=np.s_[14:17, 30:33])
    one, other = (
        occlusion_map([CountsYellow()], image, weights=np.eye(2)[k]) for k in (1, 0)
    )
    np.testing.assert_allclose(one, occlusion_map([CountsYellow()], image), atol=1e-6)
    np.testing.assert_allclose(other, -one, atol=1e-6)


def test_a_folder_stands_for_its_images(tmp_path):
    for name in ("b/2.png", "a.png", "b/c/3.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in images_at(tmp_path)]
    assert found == ["a.png", "b/2.png", "b/c/3.png"]
    assert images_at(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: must hold images, found none"):
        images_at(tmp_path / "empty")


def test_what_is_unlike_the_training_images_gets_no_answer(tmp_path):
    row = {"image": "cat.png", "grade": 2, "class": "moderate", "unlike": 2.5}
    row |= {"probabilities": [0.1, 0.2, 0.7], "right": 0.5, "low": 0.2, "high": 0.8}
    row |= {"of": 9}
    assert withheld(row) == row
    assert lines(row)[0] == "cat.png: 2, moderate [0.10 0.20 0.70]"
    warned = row | {"warning": "looks unlike"}
    assert lines(warned)[0] == "cat.png: WARNING: looks unlike"
    assert len(lines(warned)) == 3
    kept = withheld(warned)
    assert not {"probabilities", "right", "low", "high", "of"} & set(kept)
    assert (kept["grade"], kept["class"]) == (None, None)
    assert "moderate" not in " ".join([*lines(kept), heading(kept)])
    state = {"num_grades": 3, "class_names": ["0", "1", "2"], "ordered": True}
    bins = [{"said": 0.5, "right": 0.5, "low": 0.2, "high": 0.8, "n": 9}]
    state["calibration"] = {"bins": bins, "error": 0.1}
    draw(tmp_path, state, [], np.zeros((1, 16, 16, 3), np.uint8), [kept])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("calibration.png", "cat.png", "grades.jsonl")
    ]
