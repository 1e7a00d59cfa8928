"""Calibrate the synthetic eye: a small DenseNet from scratch at 1,000 and 50 labels.

Grading must be neither trivial nor hopeless, and colour alone must not give it away.
Needs tinyssl[torch] and scikit-learn; took 15 minutes of one thread on a busy machine.

    python examples/calibrate_toy_eye.py

Measured (torch 2.13, one thread of a busy 2-core machine; QWK of three seeds):

    logistic regression on intensities, 1000 labels   .031
    DenseNet, 1000 labels, 201 to 336 s each          .870 .843 .852
    DenseNet, 50 labels, 36 to 42 s each              .356 .010 .120
"""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score
from sklearn.preprocessing import scale
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import OneCycleLR

from tinyssl.data import toy
from tinyssl.models import densenet_small
from tinyssl.training import to_tensor


def train(images, grades, *, steps, seed, batch_size=32, lr=3e-3):
    """Train from scratch with flips, shifts and brightness; AdamW, one cosine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = densenet_small().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
    schedule = OneCycleLR(optimizer, lr, total_steps=steps, pct_start=0.1)
    for _ in range(steps):
        index = rng.integers(len(images), size=batch_size)
        mirror = slice(None, None, rng.choice([-1, 1]))
        batch = np.roll(images[index][:, :, mirror], rng.integers(-3, 4, 2), (1, 2))
        x = to_tensor(batch) * (1 + 0.15 * (2 * torch.rand(batch_size, 1, 1, 1) - 1))
        x = x.contiguous(memory_format=torch.channels_last)
        loss = cross_entropy(model(x), to_tensor(grades[index]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def predict(model, images):
    """Return the expected grade, rounded; mean over an image and its mirror image."""
    x = to_tensor(images)
    probabilities = (model(x).softmax(1) + model(x.flip(3)).softmax(1)) / 2
    return (probabilities @ torch.arange(5.0)).round().long().numpy()


def main():
    """Print the agreement (QWK) on 500 eyes of other patients."""
    torch.set_num_threads(1)
    eyes = toy.fundus(1500, size=64, rng=0)  # two in a row share a patient
    images, grades = eyes.images, eyes.grades

    def report(name, predicted):
        qwk = cohen_kappa_score(grades[1000:], predicted, weights="quadratic")
        print(f"{name:38s} QWK {qwk:.3f}", flush=True)

    intensities = scale(np.hstack([images.mean((1, 2)), images.std((1, 2))]))
    baseline = LogisticRegression(max_iter=1000).fit(intensities[:1000], grades[:1000])
    report("intensities, 1000 labels", baseline.predict(intensities[1000:]))
    for num_labels, steps in ((1000, 1000), (50, 350)):
        for seed in range(3):
            few = slice(50 * seed, 50 * seed + 50) if num_labels == 50 else slice(1000)
            model = train(images[few], grades[few], steps=steps, seed=seed)
            predicted = predict(model, images[1000:])
            report(f"DenseNet, {num_labels} labels, seed {seed}", predicted)


if __name__ == "__main__":
    main()
