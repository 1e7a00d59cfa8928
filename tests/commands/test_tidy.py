"""A refused command takes back what it claimed, and nothing else."""

import pytest

from tinyssl.commands.tidy import taken_back_if_refused


def job(out, names, error):
    """Claim a folder, leave files in it, and fail."""
    with taken_back_if_refused(out):
        out.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", *names):
            (out / name).write_text("{}")
        raise error


def refuse(out, *names):
    with pytest.raises(ValueError, match="no"):
        job(out, names, ValueError("no"))


def test_a_new_folder_goes(tmp_path):
    refuse(tmp_path / "runs" / "new")
    assert not (tmp_path / "runs" / "new").exists()


def test_an_empty_folder_stays_empty(tmp_path):
    refuse(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_work_done_stays(tmp_path):
    refuse(tmp_path / "new", "checkpoint.pt")
    assert (tmp_path / "new" / "config.json").exists()


def test_a_run_that_was_there_stays(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    refuse(tmp_path)
    assert (tmp_path / "config.json").exists()


def test_another_error_leaves_what_can_be_resumed(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        job(tmp_path, (), KeyboardInterrupt())
    assert (tmp_path / "config.json").exists()


def test_a_command_without_a_folder():
    with pytest.raises(TypeError), taken_back_if_refused(None):
        raise TypeError
