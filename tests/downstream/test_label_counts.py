"""Scratch beside pretrained: same images, same steps, one file a finished job."""

import numpy as np
import pytest
import torch

from tinyssl import models, runs
from tinyssl.downstream.annotated import Annotated
from tinyssl.downstream.label_counts import label_counts, pretrain, start_from
from tinyssl.downstream.starts import Start
from tinyssl.summary import summarise

NETWORK = {"name": "UNet", "in_channels": 3, "widths": [4, 8]}


def annotated(seeds, side=72):
    """Return noise crossed by dark lines, with the lines as masks."""
    images, masks = [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        mask = np.zeros((side, side + 8), bool)
        mask[rng.integers(4, side - 4, 3)] = True
        image = rng.normal(128, 10, mask.shape) - 60 * mask
        images.append(np.stack([image.astype(np.uint8)] * 3, -1))
        masks.append(mask)
    return Annotated(images, masks, [np.ones_like(mask) for mask in masks])


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    part, out = annotated(range(4)), tmp_path_factory.mktemp("pretrain")
    options = {"patch_size": 4, "num_swaps": 3}
    options |= {"network": NETWORK, "seen": ["ab"], "out": out, "steps": 4}
    pretrain("restoration", part.images, part.regions, **options)
    return out / "encoder.pt"


def compare(pretrained, out, **options):
    options = {"counts": (1, 3), "seeds": 2, "steps": 2, "batch_size": 2} | options
    return label_counts(
        annotated(range(4)),
        annotated([9]),
        network=NETWORK,
        inits={"restoration": Start(pretrained.parent)},
        out=out,
        **options,
    )


@pytest.fixture(scope="module")
def rows(pretrained, tmp_path_factory):
    return compare(pretrained, tmp_path_factory.mktemp("compare"), pretrain_images=6)


def test_every_start_gets_the_same_images_and_the_same_steps(rows):
    assert len(rows) == 3 * 2 * 2
    for labels in (1, 3):
        for seed in (0, 1):
            cell = [r for r in rows if (r["labels"], r["fold"]) == (labels, seed)]
            steps = {r["init"]: r["steps"] for r in cell}
            assert len({tuple(r["chosen"]) for r in cell}) == 1
            assert len(cell[0]["chosen"]) == labels
            assert steps["scratch"] == steps["restoration"] == 2
            assert steps["scratch, same compute"] == 5


def test_fewer_images_lie_inside_more(rows):
    chosen = {(r["fold"], r["labels"]): set(r["chosen"]) for r in rows}
    assert all(chosen[seed, 1] < chosen[seed, 3] for seed in (0, 1))


def test_rows_go_into_the_summary(rows):
    table = summarise(rows, metric="dice", by="labels")
    line = next(t for t in table if t["init"] == "restoration" and t["labels"] == 3)
    cell = {(r["init"], r["labels"], r["fold"]): r["dice"] for r in rows}
    expected = np.mean(
        [cell["restoration", 3, s] - cell["scratch", 3, s] for s in (0, 1)]
    )
    assert line["difference"] == pytest.approx(expected)


def test_finished_jobs_are_not_run_again(pretrained, tmp_path, monkeypatch):
    first = compare(pretrained, tmp_path, counts=(1,))
    monkeypatch.setattr("tinyssl.downstream.label_counts.train", None)
    assert compare(pretrained, tmp_path, counts=(1,)) == first


def test_more_labelled_images_than_there_are_is_refused(pretrained, tmp_path):
    with pytest.raises(ValueError, match=r"counts must lie in 1\.\.4 images, found 5"):
        compare(pretrained, tmp_path, counts=(5,))


@pytest.mark.parametrize("transfer", ["encoder", "network"])
def test_what_is_carried_over(pretrained, transfer):
    torch.manual_seed(1)
    network = models.from_config(NETWORK)
    before = {name: t.clone() for name, t in network.state_dict().items()}
    saved = runs.load_encoder(pretrained)[0].state_dict()
    start_from(network, pretrained, transfer=transfer)
    carried = ("down.",) if transfer == "encoder" else ("down.", "decoder.")
    for name, tensor in network.state_dict().items():
        expected = saved[name] if name.startswith(carried) else before[name]
        assert torch.equal(tensor, expected), name
    assert not torch.equal(before["head.weight"], saved["head.weight"])


def test_a_decoder_that_was_not_trained_is_not_carried_over(tmp_path):
    network = models.from_config(NETWORK | {"out_channels": 3})
    runs.save_encoder(tmp_path / "encoder.pt", network, task="rotation", seen=[])
    with pytest.raises(ValueError, match="rotation trains no decoder"):
        start_from(network, tmp_path / "encoder.pt", transfer="network")


def test_an_unknown_transfer_is_refused(pretrained):
    with pytest.raises(ValueError, match="transfer must be one of"):
        start_from(models.from_config(NETWORK), pretrained, transfer="head")
