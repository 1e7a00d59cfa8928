"""The benchmark's check: it passes on small data, and it can fail."""

import dataclasses
import itertools
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        import benchmark

        yield benchmark


@pytest.fixture
def row(benchmark):
    return next(row for row in benchmark.ROWS if row.name.startswith("accuracy"))


def slightly_wrong(prepare, *data):
    """Prepare a row's call, its answer a thousandth off, or one pixel."""
    call = prepare(*data)

    def wrong():
        answer = np.array(call())
        if answer.ndim < 4:
            return answer + 1e-3 * max(1, abs(answer.max()))
        answer[-1, -1, -1, -1] += 1
        return answer

    return wrong


def test_every_row_is_checked(benchmark, capsys):
    assert benchmark.main(["--quick"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    checked = [line for line in lines if line.endswith("| checked")]
    assert checked == [f"{row.name} | checked" for row in benchmark.ROWS]


def test_the_check_of_every_row_can_fail(benchmark, capsys):
    for row in benchmark.ROWS:
        wrong = dataclasses.replace(row, ours=partial(slightly_wrong, row.ours))
        assert benchmark.main(["--quick"], [wrong]) == 1, row.name
        assert "apart" in capsys.readouterr().err


def test_no_row_has_only_peers_that_are_wrong(benchmark):
    for row in benchmark.ROWS:
        assert any(not peer.known for peer in row.peers), row.name
        assert row.best or row.limit < np.inf, row.name


def test_nan_and_another_shape_are_no_agreement(benchmark):
    assert benchmark.gap(np.zeros(2), np.zeros(3)) == np.inf
    row = dataclasses.replace(benchmark.ROWS[0], ours=lambda *data: lambda: np.nan)
    assert benchmark.main(["--quick"], [row]) == 1


def test_an_absent_peer_is_named_and_does_not_stop_the_row(benchmark, row, capsys):
    def absent(*data):
        raise ImportError

    peer = dataclasses.replace(row.peers[0], name="elsewhere", prepare=absent)
    row = dataclasses.replace(row, peers=[peer, *row.peers])
    assert benchmark.main(["--quick"], [row]) == 0
    assert "elsewhere is absent" in capsys.readouterr().out


@pytest.mark.parametrize("error", ["ImportError", "RuntimeError"])
def test_a_peer_does_without_torchvision_or_with_anothers(
    benchmark, tmp_path, monkeypatch, error
):
    (tmp_path / "torchvision.py").write_text(f"raise {error}('nms does not exist')")
    (tmp_path / f"with_{error}.py").write_text("from torchvision import models")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    peers = sys.modules["benchmark_peers"]
    assert peers.load(f"with_{error}").models
    with pytest.raises(ImportError):
        peers.load("no_such_library")


def test_calls_run_in_turns(benchmark):
    order = []
    calls = {name: lambda name=name: order.append(name) for name in ("tinyssl", "a")}
    times = benchmark.interleave(calls, seconds=0)
    assert [len(values) for values in times.values()] == [3, 3]
    runs = [name for name, _ in itertools.groupby(order)]
    assert runs == ["tinyssl", "a"] * 4  # once to see how long it takes


def test_the_bar_decides_what_is_met(benchmark, row):
    row = dataclasses.replace(row, best=2, usual=10)
    times = {"tinyssl": [1.0] * 3, "numpy": [2.5] * 3, "scikit-learn": [20.0] * 3}
    assert benchmark.summarize(row, times)[-2] == "met"
    assert benchmark.summarize(row, times | {"numpy": [1.9] * 3})[-2] == "missed"
    times["scikit-learn"] = [9.0] * 3
    assert benchmark.summarize(row, times)[-2] == "missed"


def test_the_command_prints_a_table_of_times():
    command = [sys.executable, EXAMPLES / "benchmark.py", "--seconds", "0"]
    command += ["--rows", "gaussian 64² uint8|QWK n = 3,662", "--markdown"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    table = [line for line in done.stdout.splitlines() if line.startswith("|")]
    names = [line.split(" | ")[0] for line in table[2:]]
    assert names == ["| SSIM gaussian 64² uint8", "| QWK n = 3,662 int64"]


def test_a_row_carries_the_smallest_median_and_largest_ratio(benchmark, row):
    times = {"tinyssl": [1.0, 2.0, 1.0], "numpy": [2.5, 3.0, 4.0]}
    assert benchmark.ratios(times, "numpy") == (1.5, 2.5, 4.0)
    assert "1.5..2.5..4x / ?" in benchmark.summarize(row, times)


def test_growth_prints_the_slope_of_each_step(benchmark, capsys):
    slopes = benchmark.growth.slopes([1, 10, 100], [2, 20, 2000])
    np.testing.assert_allclose(slopes, [1, 2])
    assert benchmark.main(["--growth", "--quick", "--rows", "QWK|Frechet"]) == 0
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[1:]]
    assert [line[0] for line in lines] == ["metric", "QWK", "Frechet"]
    assert [line[-1] for line in lines[1:]] == ["1", "3"]
    for _, sizes, times, slope, _ in lines[1:]:
        shown = [float(value) for value in times.split(", ")]
        assert len(shown) == len(sizes.split(", ")) == 2
        expected = np.log10(shown[1] / shown[0])  # each step is tenfold
        assert float(slope) == pytest.approx(expected, abs=0.02)
