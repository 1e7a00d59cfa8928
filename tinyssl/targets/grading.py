"""Grading: an encoder, a head that knows the grades are ordered, an honest score.

Four heads, to be compared on the same folds (``python -m tinyssl finetune --head``):

``continuation`` (the default)
    Continuation ratios (Fienberg 1980): K - 1 outputs, each the log-odds of going
    beyond a grade once it is reached; each step may look at its own features.
``cumulative``
    Proportional odds (McCullagh 1980): one severity score and K - 1 ordered
    thresholds; P(grade <= k) is the logistic function of threshold k minus score.
``softmax``, ``regression``
    Cross-entropy over K unordered classes; squared error of one number.

On RetinaMNIST's five folds, from scratch with all labels, the mean QWK was .583, .564,
.553 and .555 in this order (``tinyssl finetune retinamnist.npz --size 32 --fractions
100 --epochs 20 --head H``): the default is best, by less than the folds differ.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import metrics, transforms
from tinyssl.cases import Cases, Reading, classes_in_words, gather
from tinyssl.data import Table
from tinyssl.data.classes import RETINOPATHY, reorder
from tinyssl.dictionary import TOP
from tinyssl.summary import Metric, mean_of
from tinyssl.targets import baselines
from tinyssl.task import Figures, Target

Head = Literal["continuation", "cumulative", "softmax", "regression"]
HEADS = Head.__args__
SHORT = ("none", "mild", "moderate", "severe", "proliferative")


def evaluate(grades_true, grades_pred, probabilities) -> dict[str, float]:
    """Score grades, and their probabilities (N, K).

    "qwk" in [-1, 1]; "auc_2", of grade 2 and more against the others, which shows small
    differences at fewer labels; "accuracy"; "auc", one against the rest, averaged over
    the classes that occur; nan where the labels leave a value undefined.
    """
    pair, K = (grades_true, grades_pred), probabilities.shape[1]
    worse = np.greater_equal(grades_true, 2)
    return {
        "qwk": metrics.quadratic_weighted_kappa(*pair, num_classes=K),
        "auc_2": metrics.roc_auc(worse, probabilities[:, 2:].sum(1)),
        "accuracy": metrics.accuracy(*pair),
        "auc": mean_of(metrics.roc_auc(grades_true, probabilities, average=None)),
    }


class Grading(Target):
    """Grade images 0..K-1 with an encoder and one of four heads.

    Parameters
    ----------
    num_grades : int
    head : {"continuation", "cumulative", "softmax", "regression"}
    augment : bool, draw one of eight views, brightness and contrast for each image

    Notes
    -----
    A lesion a few pixels wide disappears in a mean over the whole retina: features are
    pooled by mean and by maximum, and no view is interpolated.
    """

    name = "grading"
    title = "Did pretraining help?"
    measure = (
        "Quadratic weighted kappa (QWK) counts a mistake by the square of its distance:"
        " 1 is perfect, 0 what guessing reaches. Seen with eight views an image."
    )
    columns = ("image", "grade")
    metrics = {  # noqa: RUF012
        "qwk": Metric("QWK", chance=0.0),
        "auc_2": Metric("AUC of grade ≥ 2", chance=0.5),
        "accuracy": Metric("accuracy"),
        "auc": Metric("macro AUC", chance=0.5),
    }
    defaults = {  # noqa: RUF012
        "encoder": "small",
        "fractions": (0.05, 0.1, 0.25, 0.5, 1.0),
        "epochs": 30,
        "batch_size": 32,
        "curve": 6,
    }
    keeper = "tinyssl.grade.keep:keep_grader"
    probe_head = "continuation"  # whose grade, the median, a probe answers too
    evaluate = staticmethod(evaluate)

    def __init__(self, encoder, *, num_grades=5, head="continuation", augment=True):
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"head must be one of {', '.join(HEADS)}, found {head!r}")
        self.encoder, self.num_grades = encoder, num_grades
        self.head, self.augment = head, augment
        outputs = {"softmax": num_grades, "continuation": num_grades - 1}.get(head, 1)
        self.linear = nn.Linear(2 * encoder.num_features, outputs)
        if head == "cumulative":  # thresholds: a first one, then positive gaps
            self.first = nn.Parameter(torch.tensor(-0.5 * (num_grades - 2)))
            self.gaps = nn.Parameter(torch.full((num_grades - 2,), 0.5413))

    @classmethod
    def read(
        cls, table: Table, reading: Reading, *, order: Sequence[str] | None = None
    ) -> Cases:
        """Read whole images and their grades; -1 is unlabelled.

        Parameters
        ----------
        order : sequence of str, names of the classes, least first, if not known
        """
        images, table = reading.images(table)
        known = table.grade
        grades = strata = np.full(len(table), -1) if known is None else known
        found = np.unique(grades[grades >= 0]).tolist()
        if reading.labelled and len(found) < 2:
            rule = "needs images of two grades or more"
            raise ValueError(f"{table.root}: {rule}, found {found or 'none'}")
        if order:
            table = reorder(table, order)  # folds are those without an order
            grades = table.grade
        names = list(table.class_names or ())
        names += map(str, range(len(names), max(2, int(grades.max()) + 1)))
        columns = {"image": images, "grade": grades}
        known = {"labelled": grades >= 0, "strata": strata, "classes": "grade"}
        known |= {"num_grades": len(names), "class_names": names}
        known |= {"ordered": table.ordered, "size": reading.size}
        return gather(table, reading, columns, **known)

    @classmethod
    def suited(cls, cases: Cases) -> type[Target]:
        """Return this task for three grades or more, else that of plain classes."""
        from tinyssl.targets.classification import Classification

        graded = cases.facts["ordered"] and cases.facts["num_grades"] > 2
        return cls if graded else Classification

    @classmethod
    def build(cls, encoder: nn.Module, cases: Cases, *, head: Head = "continuation"):
        """Put a head for as many grades as there are on an encoder.

        Parameters
        ----------
        head : str, how grades are answered; see `tinyssl.targets.grading`
        """
        return cls(encoder, num_grades=cases.facts["num_grades"], head=head)

    def make_batch(self, images, grades, rng):
        """Show each labelled image in a fresh view."""
        if not self.augment:
            return images, grades
        N, shape = len(images), images.shape
        images = images.reshape(N, -1, *shape[-2:])  # slices of a volume in a column
        images = transforms.flip(images, transforms.sample_flips(N, rng=rng))
        if len(shape) == 4:
            images = transforms.rotate(images, transforms.sample_turns(N, rng=rng))
        images = transforms.adjust(images, *transforms.sample_adjustments(N, rng=rng))
        return images.reshape(shape), grades

    def forward(self, inputs, targets):
        """Loss of the chosen head; logs the training accuracy."""
        outputs = self.outputs(inputs)
        if self.head == "regression":
            loss = F.mse_loss(outputs[:, 0], targets.float())
        else:
            loss = F.nll_loss(self.log_probabilities(outputs), targets)
        return loss, {"accuracy": (self.decode(outputs) == targets).float().mean()}

    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        """Raw outputs of the head: (N, K) for softmax, else (N, 1)."""
        return self.linear(self.pool(self.encoder.features(inputs)))

    @staticmethod
    def pool(features: torch.Tensor) -> torch.Tensor:
        """Pool maps (N, C, h, w), or of volumes, by mean and maximum: (N, 2 C)."""
        flat = features.flatten(2)
        return torch.cat([flat.mean(2), flat.amax(2)], 1)

    @staticmethod
    def describe(features: torch.Tensor) -> torch.Tensor:
        """Pool maps as `tinyssl.dictionary.PatchDictionary.features` does: (N, 3 C).

        Mean, root mean square, and mean of the five highest: what a linear model needs
        to tell of small things.
        """
        flat = features.flatten(2)
        top = flat.topk(min(TOP, flat.shape[2]), 2).values
        return torch.cat([flat.mean(2), flat.square().mean(2).sqrt(), top.mean(2)], 1)

    def log_probabilities(self, outputs: torch.Tensor) -> torch.Tensor:
        """Logarithm of the probability of each grade: (N, K)."""
        if self.head == "softmax":
            return F.log_softmax(outputs, 1)
        if self.head == "regression":  # a unit normal around the answer
            grades = torch.arange(self.num_grades, device=outputs.device)
            return F.log_softmax(-0.5 * (outputs - grades).square(), 1)
        if self.head == "continuation":
            # P(grade > k | grade >= k) = sigmoid(output_k); a grade is a product
            passed = F.pad(F.logsigmoid(outputs).cumsum(1), (1, 0))
            return passed + F.pad(F.logsigmoid(-outputs), (0, 1))
        # P(grade <= k) = sigmoid(threshold_k - score); a grade is a difference of two
        gaps = F.softplus(self.gaps)
        thresholds = torch.cat([self.first[None], self.first + gaps.cumsum(0)])
        below = torch.sigmoid(thresholds - outputs)  # (N, K - 1)
        edges = F.pad(F.pad(below, (1, 0), value=0.0), (0, 1), value=1.0)
        return edges.diff(dim=1).clamp_min(1e-7).log()

    def decode(self, outputs: torch.Tensor) -> torch.Tensor:
        """One grade an image, always in 0..K-1: argmax, median, or rounding."""
        if self.head == "regression":
            return outputs[:, 0].round().clamp(0, self.num_grades - 1).long()
        return decode(self.log_probabilities(outputs).exp(), self.head)

    @torch.no_grad()
    def predict(self, images, *, views=8, batch_size=64):
        """Return int64 grades (N,) of images and float64 probabilities (N, K).

        Outputs are averaged over the first of the eight views; see `view`. Of volumes
        there are two: straight and mirrored.
        """
        if not 1 <= views <= 8:
            raise ValueError(f"views must lie in 1..8, found {views}")
        views = min(views, 2) if images.ndim == 5 else views
        grades, probabilities = [], []
        for x in self.batches(images, batch_size):
            outputs = sum(self.outputs(view(x, v)) for v in range(views)) / views
            grades.append(self.decode(outputs).cpu().numpy())
            probability = self.log_probabilities(outputs).exp().cpu().double()
            probabilities.append(probability / probability.sum(1, keepdim=True))
        return np.concatenate(grades), torch.cat(probabilities).numpy()

    @classmethod
    def score(cls, cases: Cases, index: np.ndarray, answers: Any) -> dict[str, float]:
        """Score answers to some of the cases; see `evaluate`."""
        return cls.evaluate(cases.columns["grade"][index], *answers)

    @classmethod
    def notes(cls, cases: Cases) -> dict[str, Any]:
        """Name the classes, and warn where the labels are too few to tell."""
        grades, names = cases.columns["grade"], cases.facts["class_names"]
        counts = np.bincount(grades[cases.labelled], minlength=len(names))
        notes = {"classes": classes_in_words(names, counts)}
        fewest, folds = counts[counts > 0].min(), max(1, cases.num_folds)
        if fewest < 2 * folds:
            rare = names[counts.tolist().index(fewest)]
            notes["WARNING"] = (
                f"too few to tell: {counts.sum()} labels, {fewest} of {rare}, fewer "
                f"than two in each of {folds} folds"
            )
        return notes

    @classmethod
    def baselines(cls, cases: Cases, chosen: np.ndarray, held: np.ndarray):
        """Answer the majority grade, and by nine numbers that see no lesion."""
        grades, K = cases.columns["grade"][chosen], cases.facts["num_grades"]
        parts = map(cases.images, (chosen, held))
        some, others = map(baselines.global_intensities, parts)
        fitted = baselines.logistic_regression(some, grades, others, num_grades=K)
        blind = baselines.majority(grades, len(held), K)
        kind = "grade" if cases.facts["ordered"] else "class"
        most = {f"majority {kind}": (blind.argmax(1), blind)}
        return most | {"global intensities": (decode(fitted, cls.probe_head), fitted)}

    @classmethod
    def probe(cls, cases: Cases, chosen: np.ndarray, *features: np.ndarray):
        """Answer from frozen features of chosen and held-out images."""
        grades, K = cases.columns["grade"][chosen], cases.facts["num_grades"]
        found = baselines.probes(*features, grades, num_grades=K)
        return {name: (decode(p, cls.probe_head), p) for name, p in found.items()}

    @classmethod
    def figures(cls, cases: Cases, results: dict[str, Any], load: Any) -> Figures:
        """Show how far the probabilities of the kept grader can be read."""
        from tinyssl import plots

        if not (kept := results.get("kept")):
            return []
        found = kept["calibration"]
        caption = (
            f"Calibration of the models kept for grading ({kept['init']}): each of the "
            f"{found['n']} labelled images was answered by the one model that had not "
            "seen it, in groups of equal size, with the 95 % interval of their share. "
            "“tinyssl grade” averages all models, which makes it a little less sure "
            "than each."
        )
        return [(plots.calibration(found), caption)]


def decode(probability, head: str):
    """Turn (N, K) probabilities, array or tensor, into the head's grades."""
    if head == "softmax":
        return probability.argmax(1)
    return (probability.cumsum(1)[:, :-1] < 0.5).sum(1)  # the median grade


def in_words(grade: int, names: Sequence[str], *, short: bool = False) -> str:
    """Say a grade by the name that the data set gives it."""
    if short and tuple(names) == RETINOPATHY:
        return f"{grade}: {SHORT[grade]}"
    if names[grade] == str(grade):
        return f"grade {grade} of 0..{len(names) - 1}"
    return names[grade]


def view(x: torch.Tensor, number: int) -> torch.Tensor:
    """Return view 0..7 of a batch: mirrored when odd, turned number // 2 times."""
    x = x.flip(-1) if number % 2 else x
    return torch.rot90(x, number // 2, (2, 3))
