"""Starts: a run whose network is used to another scale of input is named."""

import json

import pytest

from tinyssl.downstream.starts import scale_notes

OLD = {}
SHOWN, KEPT = {"standardise": True}, {"standardise": False}


@pytest.mark.parametrize(
    ("task", "options", "saw"),
    [
        ("restoration", OLD, True),
        ("shuffling", OLD, True),
        ("rotation", OLD, False),
        ("restoration", KEPT, False),
        ("rotation", KEPT, False),
        ("rotation", SHOWN, True),
    ],
)
def test_another_scale_is_named(task, options, saw, tmp_path):
    config = {"task": task, "task_options": options}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert scale_notes([tmp_path], standardised=saw) == []
    (line,) = scale_notes([tmp_path], standardised=not saw)
    seen, shown = line.split(" and is shown ")
    assert str(tmp_path) in seen
    assert ("standardised" in seen) is saw
    assert ("standardised" in shown) is not saw
