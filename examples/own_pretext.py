"""A pretext task and an encoder of your own: train, score, and a page.

    python examples/own_pretext.py
    python examples/own_pretext.py --backbone resnet18    (needs torchvision or timm)

The task asks which of two crops of an eye was shown larger. A task needs `make_batch`
(NumPy, which draws the label) and `forward` (torch, which returns the loss and what to
log); the loop, the checkpoints and the rest are `tinyssl.training.train`'s.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import plots
from tinyssl.data import toy
from tinyssl.report import Section, write_report
from tinyssl.task import Pretext
from tinyssl.training import to_tensor, train


class OwnEncoder(nn.Module):
    """The least that an encoder must have: maps, and how many there are."""

    num_features = 32

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
        )  # fmt: skip

    def features(self, x):
        """Map images (N, 3, H, W) to maps (N, 32, h, w)."""
        return self.layers(x)


class Backbone(nn.Module):
    """Any network of torchvision or timm, in five lines."""

    def __init__(self, name):
        super().__init__()
        try:
            import timm

            self.network = timm.create_model(name, num_classes=0, global_pool="")
            self.num_features = self.network.num_features
        except ImportError:
            import torchvision

            whole = torchvision.models.get_model(name, weights=None)
            self.network = nn.Sequential(*list(whole.children())[:-2])
            self.num_features = whole.fc.in_features

    def features(self, x):
        """Map images (N, 3, H, W) to maps (N, num_features, h, w)."""
        return self.network(x)


class WhichIsLarger(Pretext):
    """Say which of two crops of an image was enlarged more."""

    name, main, higher = "larger", "accuracy", True
    chance = {"loss": float(np.log(2)), "accuracy": 0.5}  # noqa: RUF012

    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(2 * encoder.num_features, 1)

    def make_batch(self, images, rng):
        """Cut a half and a fifth of each image, in an order that is drawn."""
        N, S = len(images), images.shape[1]
        first = rng.integers(2, size=N)  # 1: the smaller crop, shown larger, is first
        pair = []
        for turn in (first, 1 - first):
            sides = np.where(turn == 1, S // 5, S // 2)
            corners = rng.integers(0, S - sides[:, None] + 1, (N, 2))
            grids = np.linspace(0, 1, S // 2)
            at = np.rint(corners[..., None] + grids * (sides - 1)[:, None, None])
            y, x = np.moveaxis(at.astype(int), 1, 0)
            pair.append(images[np.arange(N)[:, None, None], y[:, :, None], x[:, None]])
        return tuple(pair), first

    def logits(self, inputs):
        """Compare the mean features of both crops: (N,)."""
        both = [self.encoder.features(x).mean((2, 3)) for x in inputs]
        return self.head(torch.cat(both, 1))[:, 0]

    def forward(self, inputs, targets):
        """Cross-entropy of the two answers."""
        logits = self.logits(inputs)
        accuracy = ((logits > 0) == (targets > 0)).float().mean()
        loss = F.binary_cross_entropy_with_logits(logits, targets.float())
        return loss, {"accuracy": accuracy}

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Score one question an image."""
        self.eval()
        inputs, targets = to_tensor(self.make_batch(images, rng))
        _, logs = self(inputs, targets)
        return {"accuracy": float(logs["accuracy"]), "bar": 0.5}


def main():
    """Train on synthetic eyes and score on others."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backbone", help="a name of torchvision's or timm's")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--out", default="own_pretext", help="a folder for the page")
    args = parser.parse_args()
    eyes, others = (toy.fundus(200, size=48, rng=seed) for seed in (0, 1))
    torch.manual_seed(0)
    encoder = Backbone(args.backbone) if args.backbone else OwnEncoder()
    task = WhichIsLarger(encoder)
    rows = train(task, (eyes.images,), steps=args.steps, lr=3e-3)
    found = task.evaluate(others.images, np.random.default_rng(0))
    said = f"The larger crop is named for {found['accuracy']:.1%} of eyes of others."
    figure = plots.pretext_curves({"larger": [rows]}, metric="accuracy", chance=0.5)
    section = Section("Which crop is larger?", [said], [(figure, "In training.")])
    write_report(Path(args.out) / "report.html", "A task of my own", [section])
    print(said)


if __name__ == "__main__":
    main()
