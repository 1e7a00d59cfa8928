"""The demonstration, in small: every part of its page, and a second run that reads."""

import json
from html.parser import HTMLParser

import pytest

from tinyssl.commands import demo as module


class Page(HTMLParser):
    """Collect the figures and the words of a page."""

    def __init__(self, text):
        super().__init__()
        self.figures, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.figures.append(dict(attrs))

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(module, "IMAGES", 40)
    monkeypatch.setattr(module, "SIZE", 24)
    monkeypatch.setattr(module, "FOLDS", 2)
    monkeypatch.setattr(module, "FRACTIONS", (0.5, 1.0))
    training = {"steps": 2, "batch_size": 8, "lr": 1e-3}
    monkeypatch.setattr(module, "PRETRAINING", training)
    tuning = {"epochs": 1, "least_steps": 2, "batch_size": 8, "lr": 1e-3}
    monkeypatch.setattr(module, "FINETUNING", tuning)


def test_demo_shows_images_both_tasks_curves_and_the_table(small, tmp_path):
    results = module.demo(out=tmp_path / "demo", threads=1)
    starts = {line["init"] for line in results["summary"]}
    assert starts == {"scratch", "scratch, same compute", "rotation", "restoration"}
    assert set(results["pretraining"]) == {"rotation", "restoration"}

    page = Page((tmp_path / "demo" / "report.html").read_text(encoding="utf-8"))
    words = " ".join(page.words)
    for part in ("Pretext task: rotation", "restored", "minus scratch", "Convergence"):
        assert part in words
    assert len(page.figures) >= 8
    for figure in page.figures:
        assert figure["alt"]
        assert figure["src"].startswith("data:image/png;base64,")


def test_second_run_reads_and_gives_the_same_bytes(small, tmp_path):
    module.demo(out=tmp_path / "a", threads=1)
    first = (tmp_path / "a" / "results.json").read_bytes()
    files = sorted((tmp_path / "a" / "jobs").iterdir())
    before = [file.stat().st_mtime_ns for file in files]
    module.demo(out=tmp_path / "a", threads=1)
    assert [file.stat().st_mtime_ns for file in files] == before
    assert (tmp_path / "a" / "results.json").read_bytes() == first


def test_same_seed_gives_the_same_scores_elsewhere(small, tmp_path):
    scores = []
    for name in "ab":
        module.demo(out=tmp_path / name, threads=1)
        results = json.loads((tmp_path / name / "results.json").read_text())
        scores.append([line["values"] for line in results["summary"]])
    assert scores[0] == scores[1]
