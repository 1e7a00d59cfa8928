"""Ranks: two processes of torchrun train as one does, die, resume, and refuse once.

Started by torchrun, this file is what each rank does; see `main`.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import tinyssl
from tinyssl import ranks
from tinyssl.interrupts import OutOfTimeError
from tinyssl.models import DenseNet, ViT
from tinyssl.pretext import (
    CPC,
    DINO,
    Colourisation,
    ContextRestoration,
    Exemplar,
    ImageText,
    Inpainting,
    MaskedAutoencoder,
    Rotation,
    SimCLR,
)
from tinyssl.targets import Segmentation
from tinyssl.training import to_tensor, train

BATCH, LONG, SHORT, WHOLE = 8, 30, 5, 12  # WHOLE: of runs that are killed or stopped


def data():
    """Return blocky images, each with its number in a corner, and more columns."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 8, 8, 3), np.uint8).repeat(4, 1).repeat(4, 2)
    images[:, 0, 0] = np.arange(20)[:, None]
    images[::3, :12] = 0  # unlit, unequally
    words = [("no", "few", "many")[i % 3] + " exudates" for i in range(20)]
    masks = rng.random((20, 32, 32)) < 0.3
    regions = np.ones((20, 32, 32), bool)
    regions[::2, 20:] = False
    return {"image": images, "report": words, "mask": masks, "region": regions}


def vit(depth=2):
    return ViT(patch_size=4, dim=16, depth=depth)


class Seen(Rotation):
    """Keeps which images it was given at each step, and dies when asked to."""

    dies_at = None

    def __init__(self, *args):
        super().__init__(*args)
        self.seen = []

    def make_batch(self, images, rng):
        self.seen.append(images[:, 0, 0, 0].tolist())
        batch = super().make_batch(images, rng)
        self.seen[-1].append(int(batch[0].astype(int).sum()))
        if len(self.seen) == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return batch


def densenet():
    small = {"growth_rate": 4, "block_layers": (1, 1), "stem_channels": 8}
    return DenseNet(num_classes=2, small_stem=True, **small)


def conv(channels=3):
    return nn.Conv2d(3, channels, 3, padding=1)


TASKS = {  # without batch normalisation
    "mae": lambda: MaskedAutoencoder(vit(), patch_size=4),
    "simclr": lambda: SimCLR(vit()),
    "exemplar": lambda: Exemplar(vit(1)),
    "text": lambda: ImageText(vit(1)),
    "cpc": lambda: CPC(vit(1), patch_size=8),
    "dino": lambda: DINO(vit(1), outputs=16),
    "restoration": lambda: ContextRestoration(conv()),
    "inpainting": lambda: Inpainting(conv()),
    "colourisation": lambda: Colourisation(conv(2)),
    "segmentation": lambda: Segmentation(conv(1), patch_size=16),
}


def trained(name, out=None, **how):
    """Train one task; return its losses and logs, a row a step, and the task."""
    torch.manual_seed(0)
    task = TASKS[name]() if name in TASKS else Seen(densenet())
    columns = [data()[column] for column in task.columns]
    steps = how.pop("steps", LONG if name in ("mae", "simclr") else SHORT)
    rows = train(task, columns, steps=steps, batch_size=BATCH, out=out, **how)
    return [{k: row[k] for k in row if k != "seconds"} for row in rows], task


def weights(task):
    """Return a number that only equal weights and statistics share."""
    values = [v.numpy().tobytes() for v in task.state_dict().values()]
    return hashlib.sha256(b"".join(values)).hexdigest()


def gathered():
    """Return the gradient at this rank's rows of losses that differ from rank to rank.

    A loss that all ranks share gives them one gradient, of the right direction even
    where none comes from the others.
    """
    x = torch.arange(6.0).reshape(3, 2)[:, None] + 10 * ranks.rank()
    x = x.flatten(0, 1).requires_grad_()  # (3 parts of 1 image, 2)
    with ranks.slices():
        every = ranks.gather(x, parts=3)
    ((1 + ranks.rank()) * every.square()).sum().backward()
    return every.tolist(), x.grad.tolist()


def main(out):
    """Train as a rank; the second is killed once, and torchrun begins again."""
    from tinyssl.cli import main as tinyssl_main

    ranks.join()
    number, again = ranks.rank(), os.environ["TORCHELASTIC_RESTART_COUNT"] == "1"
    left = {} if again else {name: trained(name) for name in TASKS}
    if not again:
        left["order"] = trained("order")
        kept = {k: (rows, weights(task)) for k, (rows, task) in left.items()}
        kept["seen"] = left["order"][1].seen
        kept["gathered"] = gathered()
        (out / f"rank{number}.json").write_text(json.dumps(kept))
        Seen.dies_at = 7 if number == 1 else None
    rows, task = trained("killed", out / "killed", steps=WHOLE, checkpoint_every=3)
    (out / f"again{number}.json").write_text(json.dumps([rows, task.seen]))
    try:  # the second rank's clock is late: both stop at once
        until = time.time() + (0 if number else 1000)
        trained("stopped", out / "stopped", steps=WHOLE, until=until)
    except OutOfTimeError as error:
        (out / f"stopped{number}").write_text(str(error))
    line = "pretrain toy:12:16 --task rotation --size 16 --steps 2 --batch-size 4 --out"
    return tinyssl_main([*line.split(), out / "run"])


def torchrun(*words, restarts=0):
    """Start two ranks; return exit status, stdout and stderr."""
    here = [str(Path(tinyssl.__file__).parents[1]), str(Path(__file__).parent)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(here)}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "--max-restarts", restarts, "-m", *words]
    done = subprocess.run(
        [*map(str, command)],
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Return the folder that two ranks have left, of which one was killed once."""
    out = tmp_path_factory.mktemp("ranks")
    status, stdout, stderr = torchrun("test_ranks", out, restarts=1)
    assert status == 0, stderr
    (out / "stdout").write_text(stdout)
    return out


def left(shared, name):
    return [json.loads((shared / f"{name}{k}.json").read_text()) for k in (0, 1)]


@pytest.mark.parametrize("name", TASKS)
def test_two_ranks_train_as_one_process_does(shared, name):
    (found, first), (same, second) = (kept[name] for kept in left(shared, "rank"))
    assert first == second  # weights, bit for bit
    assert found == same
    expected, _ = trained(name)
    assert len(found) == len(expected) >= SHORT
    approximate = {"unusual", "unusual_bar"}  # the top 5 % of each slice
    for row, one in zip(found, expected, strict=True):
        for key in row.keys() - approximate:
            assert row[key] == pytest.approx(one[key], abs=1e-4), (key, row["step"])


def test_rows_are_gathered_in_order_and_their_gradients_come_from_all_ranks(shared):
    for number, kept in enumerate(left(shared, "rank")):
        every, gradient = kept["gathered"]
        assert every == [[0, 1], [10, 11], [2, 3], [12, 13], [4, 5], [14, 15]]
        assert gradient == (2 * (1 + 2) * np.array(every[number::2])).tolist()


def test_batch_statistics_are_of_a_slice_but_data_and_draws_those_of_one(shared):
    expected, one = trained("order")
    for kept in left(shared, "rank"):
        assert kept["seen"] == one.seen
        rows, state = kept["order"]
        assert state == left(shared, "rank")[0]["order"][1]
        assert rows[0]["loss"] != expected[0]["loss"]
        assert rows[0]["loss"] == pytest.approx(expected[0]["loss"], abs=0.2)


def test_a_killed_rank_costs_the_steps_since_the_last_checkpoint(shared):
    _, one = trained("killed", steps=WHOLE)
    for rows, seen in left(shared, "again"):
        assert [row["step"] for row in rows] == [*range(WHOLE)]
        assert seen == one.seen[6:]


def test_all_ranks_stop_at_one_step_and_one_process_goes_on(shared):
    said = {(shared / f"stopped{k}").read_text() for k in (0, 1)}
    assert said == {"time is up at step 1 of 12"}
    rows, task = trained("stopped", shared / "stopped", steps=WHOLE)
    assert [row["step"] for row in rows] == [*range(WHOLE)]
    assert task.seen == trained("killed", steps=WHOLE)[1].seen[1:]


def test_a_run_says_how_many_ranks_it_had_and_how_they_normalised(shared):
    config = json.loads((shared / "run/config.json").read_text())
    assert config["layout"]["ranks"] == 2
    assert config["layout"]["batch_norm"].startswith("each rank its slice")
    assert (shared / "run/report.html").is_file()
    assert not [*(shared / "run").rglob("*.partial")]
    assert (shared / "stdout").read_text().count("report:") == 1


def test_bad_input_is_refused_in_one_line_once(tmp_path):
    words = "tinyssl pretrain toy:9:16 --task rotation --size 16 --batch-size 3 --out"
    status, stdout, stderr = torchrun(*words.split(), tmp_path / "run")
    assert status != 0
    said = "--batch-size must be a multiple of 2, the number of ranks; found 3"
    assert stderr.count(said) == 1
    assert stderr.count("tinyssl pretrain: ") == 1
    assert not stdout
    assert not (tmp_path / "run").exists()


def test_alone_nothing_is_shared():
    batch = (np.arange(3), {"a": [np.ones(2), 5]})
    assert ranks.slice_of(batch, 3) is batch
    x = to_tensor(np.arange(4.0))
    assert ranks.gather(x) is x
    assert ranks.total(x) is x
    assert ranks.agree(True, False) == [True, False]
    assert ranks.as_first("a") == "a"


def test_a_rank_takes_its_rows_of_every_array(monkeypatch):
    monkeypatch.setattr(ranks, "size", lambda: 2)
    monkeypatch.setattr(ranks, "rank", lambda: 1)
    batch = (np.arange(6), {"a": np.arange(12).reshape(6, 2)}, ())
    rows, named, nothing = ranks.slice_of(batch, 6)
    assert rows.tolist() == [3, 4, 5]
    assert named["a"].tolist() == [[6, 7], [8, 9], [10, 11]]
    assert nothing == ()
    with pytest.raises(ValueError, match=r"the 6 images, .* found 5"):
        ranks.slice_of((np.arange(6), np.arange(5)), 6)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
