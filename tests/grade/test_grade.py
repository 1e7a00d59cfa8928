"""Grading: what stands above a picture, and what is no run of finetune."""

import pytest
import torch

from tinyssl.grade import grade, heading
from tinyssl.plots import grade_bars

ROW = {"image": "photos/cat.png", "severity": "no diabetic retinopathy"}


def test_a_warning_stands_first_and_names_stay_as_they_are():
    assert heading(ROW) == "no diabetic retinopathy: cat.png"
    warned = heading(ROW | {"warning": "looks unlike the training images"})
    assert warned.startswith("Unlike the training images: cat.png, answered no")
    image = torch.zeros(8, 8, 3).numpy()
    figure = grade_bars(image, [0.5, 0.5], ["a", "b"], title=heading(ROW))
    assert figure.get_suptitle() == "No diabetic retinopathy: cat.png"


def test_a_folder_that_holds_no_grader_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be a run of finetune: it has no grader"):
        grade(tmp_path, ["eye.png"])
