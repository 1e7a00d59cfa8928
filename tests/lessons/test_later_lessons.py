"""Lessons 11 to 20 run, in a file of their own: workers share the tests by file."""

import pytest
from lesson_form import FILES, check_runs


@pytest.mark.parametrize("path", FILES[11:], ids=lambda path: path.stem)
def test_it_runs_in_its_folder_and_finds_what_it_says(path, tmp_path):
    check_runs(path, tmp_path)
