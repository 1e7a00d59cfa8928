"""The vision transformer: positions, patches as tokens, and that it learns."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tinyssl import runs, studies
from tinyssl.models import ViT, vit


def small(**options):
    torch.manual_seed(0)
    return ViT(**{"patch_size": 4, "dim": 16, "depth": 2} | options).eval()


def test_a_position_holds_sines_and_cosines_of_its_row_and_its_column():
    h, w, D = 5, 7, 24
    found, waves = vit.positions(h, w, D), [10_000 ** (-k / 6) for k in range(6)]
    for (y, x), position in zip(np.ndindex(h, w), found.tolist(), strict=True):
        halves = [[f(p * k) for f in (np.sin, np.cos) for k in waves] for p in (y, x)]
        assert position == pytest.approx(np.concatenate(halves), abs=1e-5)
    assert torch.equal(vit.positions(9, 7, D)[: h * w], found)  # whatever lies below
    # how like two places are depends on how far apart they lie, and nothing else
    alike = (found @ found.T).reshape(h, w, h, w)
    assert torch.allclose(alike[0, 0, 1, 2], alike[3, 4, 4, 6])
    assert alike[0, 0, 0, 0] > alike[0, 0, 0, 1] > alike[0, 0, 0, 2]


def test_patches_that_change_places_are_tokens_that_do(monkeypatch):
    monkeypatch.setattr(vit, "positions", lambda h, w, D: torch.zeros(h * w, D))
    model, x = small(), torch.rand(2, 3, 12, 20)
    for expected in (True, False):  # with positions as they are the answer is another
        moved = model.features(x.roll((4, 8), (2, 3)))
        maps = model.features(x).roll((1, 2), (2, 3))
        assert torch.allclose(moved, maps, atol=1e-4) == expected
        monkeypatch.undo()


@pytest.mark.parametrize(("size", "grid"), [((13, 18), (4, 5)), ((3, 4), (1, 1))])
def test_other_sides_are_padded_with_black_below_and_at_the_right(size, grid):
    model, x = small(), torch.rand(2, 3, *size)
    h, w = grid
    padded = F.pad(x, (0, 4 * w - size[1], 0, 4 * h - size[0]))
    assert model.tokens(x).shape == (2, h * w, 16)
    assert model.features(x).shape == (2, 16, h, w)
    assert torch.equal(model.features(x), model.features(padded))
    assert torch.equal(model(x), model.classifier(model.features(x).mean((2, 3))))


def test_a_token_is_made_of_its_patch_alone_and_reads_from_those_that_are_there():
    model, x = small(), torch.rand(1, 3, 8, 8)
    other = x.clone()
    other[..., :4, 4:] = 0  # the second of four patches
    first, second = model.tokens(x), model.tokens(other)
    assert (first != second).any(2).tolist() == [[False, True, False, False]]
    kept = [0, 2, 3]
    assert torch.equal(model.encode(first[:, kept]), model.encode(second[:, kept]))
    changed = (model.encode(first) - model.encode(second)).abs().amax(2)
    assert (changed > 1e-4).all()


def test_it_is_saved_and_built_by_its_name_for_a_size(tmp_path):
    model, x = small(in_channels=1), torch.rand(2, 1, 9, 9)
    runs.save_encoder(tmp_path / "encoder.pt", model, task="rotation", seen=[])
    again, _ = runs.load_encoder(tmp_path / "encoder.pt")
    assert torch.equal(again.eval()(x), model(x))
    sizes = [studies.new_config("vit", None, size)["patch_size"] for size in (96, 30)]
    assert sizes == [12, 4]
    with pytest.raises(ValueError, match="--widths belongs to --encoder unet"):
        studies.new_config("vit", [8], 48)
    with pytest.raises(ValueError, match=r"multiple of 4 and of heads \(3\), found 16"):
        ViT(dim=16, heads=3)


def test_it_learns_in_which_quarter_of_an_image_a_spot_lies():
    model, draw = small(num_classes=4).train(), torch.Generator().manual_seed(0)
    optimizer, right = torch.optim.AdamW(model.parameters(), lr=3e-3), []
    for _ in range(150):
        places = torch.randint(4, (32,), generator=draw)
        x = 0.4 * torch.rand(32, 3, 16, 16, generator=draw)
        x[torch.arange(32), :, 4 + 8 * (places // 2), 4 + 8 * (places % 2)] = 1.0
        logits = model(F.max_pool2d(x, 3, stride=1, padding=1))
        optimizer.zero_grad()
        F.cross_entropy(logits, places).backward()
        optimizer.step()
        right.append((logits.argmax(1) == places).float().mean())
    assert sum(right[-10:]) / 10 > 0.7  # chance: 1/4
