"""A masked autoencoder for volumes, on the pieces that tinyssl has: forty lines.

    python examples/mae_volume.py --out mae_volume.png

`tinyssl.transforms.patchify` cuts volumes into cubes; three in four are hidden, and a
small transformer predicts them from the rest. Synthetic maculas, about a minute.
"""

import argparse

import numpy as np
import torch
from torch import nn

from tinyssl import plots
from tinyssl.data import toy
from tinyssl.models.vit import Block
from tinyssl.task import Task
from tinyssl.training import to_tensor, train
from tinyssl.transforms import patchify, unpatchify

SIDE, CUBE, HIDDEN, DIM = (16, 48, 64), 8, 0.75, 96


class VolumeMAE(Task):
    """Predict the hidden cubes of a volume from those that are seen."""

    def __init__(self):
        super().__init__()
        L = int(np.prod(SIDE)) // CUBE**3
        self.embedding = nn.Linear(CUBE**3, DIM)
        self.places = nn.Parameter(torch.randn(L, DIM) * 0.02)
        self.encoder = nn.Sequential(*(Block(DIM, 4) for _ in range(3)))
        self.mask_token = nn.Parameter(torch.zeros(DIM))
        self.decoder = nn.Sequential(Block(DIM, 4), nn.LayerNorm(DIM))
        self.to_cubes = nn.Linear(DIM, CUBE**3)

    def make_batch(self, volumes, rng):
        """Cut volumes into cubes (N, L, 512), and draw an order; the first are seen."""
        cubes = patchify(volumes, CUBE) / np.float32(255)
        order = rng.random(cubes.shape[:2]).argsort(1)
        return (cubes[..., None], order), ()

    def forward(self, inputs, targets):
        """Mean squared error of hidden cubes, and of answering each by its mean."""
        cubes, order = inputs[0][:, 0], inputs[1]  # (N, L, 512), (N, L)
        hidden = order[:, int(cubes.shape[1] * (1 - HIDDEN)) :]
        every = torch.arange(len(cubes), device=cubes.device)[:, None]
        error = (self.predict(cubes, order)[every, hidden] - cubes[every, hidden]) ** 2
        return error.mean(), {"mean_cube": cubes[every, hidden].var(2).mean()}

    def predict(self, cubes, order):
        """Encode the seen cubes; with mask tokens for the others decode all."""
        N, L, _ = cubes.shape
        seen = order[:, : int(L * (1 - HIDDEN))]
        every = torch.arange(N, device=cubes.device)[:, None]
        x = self.encoder((self.embedding(cubes) + self.places)[every, seen])
        tokens = self.mask_token.expand(N, L, DIM).clone()
        tokens[every, seen] = x
        return self.to_cubes(self.decoder(tokens + self.places))


def main():
    """Train, score maculas that were not seen, and show a slice of some."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--out", default="mae_volume.png")
    args = parser.parse_args()
    volumes, others = toy.volumes(200, rng=0).images, toy.volumes(40, rng=1).images
    torch.manual_seed(0)
    task = VolumeMAE()
    train(task, (volumes,), steps=args.steps, batch_size=16, lr=1e-3)
    task.eval()
    batch = to_tensor(task.make_batch(others, np.random.default_rng(0)))
    cubes, order = batch[0][0][:, 0], batch[0][1]
    with torch.no_grad():
        loss, logs = task(*batch)
        found = task.predict(cubes, order).numpy()
    print(f"error of hidden cubes {loss:.4f}, of their mean {logs['mean_cube']:.4f}")
    seen, painted = cubes.numpy().copy(), cubes.numpy().copy()
    every, hidden = np.arange(len(seen))[:, None], order[:, order.shape[1] // 4 :]
    seen[every, hidden], painted[every, hidden] = 0, found[every, hidden]
    rows = [unpatchify(x[:4], CUBE, (*SIDE, 1)) for x in (cubes.numpy(), seen, painted)]
    names = ["volume", "seen", "predicted"]
    plots.strip(rows, names=names, title="Middle slices").savefig(args.out, dpi=100)


if __name__ == "__main__":
    main()
