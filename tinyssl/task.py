"""The contract of what trains: a task, a pretext task, a target task.

A method is one class in one file, and a table names it: `tinyssl.pretext.PRETEXTS` and
`tinyssl.targets.TARGETS`. Whatever differs from method to method stands in its class;
command line, experiment, report and tests read the tables and never name a method.
"""

import inspect
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import nn

from tinyssl import models
from tinyssl.summary import Metric
from tinyssl.training import to_tensor

if TYPE_CHECKING:
    from tinyssl.cases import Cases
    from tinyssl.data import Table

Figures = list[tuple[Any, str]]  # a matplotlib figure and its caption


class Task(nn.Module):
    """What `tinyssl.training.train` trains; see there for its two methods.

    ``columns`` names what ``make_batch`` is given: "image", "grade", "mask", ... The
    encoder has ``features``, which maps (N, C, H, W) to (N, num_features, h, w), and
    ``num_features``; one of your own needs nothing else.
    """

    name: ClassVar[str]
    columns: ClassVar[tuple[str, ...]] = ("image",)
    encoder: nn.Module

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def batches(self, images: np.ndarray, batch_size: int = 64) -> Iterator:
        """Yield images (N, S, S, C) as tensors, some at a time, to be answered."""
        self.eval()
        for first in range(0, len(images), batch_size):
            yield to_tensor(images[first : first + batch_size], self.device)

    @torch.no_grad()
    def answers(self, answer: Any, images: np.ndarray, batch_size: int = 64):
        """Return what a function of some images says of all: (N, ...) float64."""
        rows = [answer(x).cpu().double() for x in self.batches(images, batch_size)]
        return torch.cat(rows).numpy()


class OnNetwork:
    """For a task whose ``network`` answers images with maps of their size."""

    network: nn.Module
    channels: ClassVar[int]  # of the maps

    @classmethod
    def build(cls, encoder, *cases, **options):
        """Put the task around a U-Net, or around any other encoder with a decoder."""
        grey = getattr(encoder, "dims", 2) == 3  # of a volume
        network = models.mapping(encoder, channels=1 if grey else cls.channels)
        return super().build(network, *cases, **options)

    @property
    def encoder(self) -> nn.Module:
        """What is carried from task to task: a U-Net whole, else the encoder."""
        restorer = isinstance(self.network, models.Restorer)
        return self.network.encoder if restorer else self.network


class Pretext(Task):
    """A task whose labels come from the pixels.

    ``evaluate(*columns, rng)`` scores it on images that it has not seen: under its
    ``main`` name, under "bar" what one who knows nothing scores there, and more;
    ``figures(*columns, scores, rng=rng)`` shows what a person would want to see of it.
    A target task can take over what it carries: "network" where a decoder learned too.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
    standardise : bool
        Show each image at zero mean and unit deviation, not in [0, 1]. An encoder to be
        carried over must see what its target task will show: [0, 1] in grading,
        localisation and laterality.
    """

    finding: ClassVar[str]  # what scores mean: a text with their names in braces
    chance: ClassVar[dict[str, float]] = {}  # what guessing logs
    bar: ClassVar[str] = "bar"  # the logged number of one who knows nothing
    main: ClassVar[str] = "loss"  # the logged number whose curve is shown
    higher: ClassVar[bool] = False  # whether more of it is better
    carries: ClassVar[tuple[str, ...]] = ("encoder",)
    defaults: ClassVar[dict[str, Any]] = {}  # of pretraining: "encoder", "lr", ...
    betas: ClassVar[tuple[float, float]] = (0.9, 0.999)  # of AdamW
    sized: ClassVar[dict[str, Any]] = {}  # options that follow from the images' side
    channels: ClassVar[int] = 3  # of a network's maps, if it answers with maps
    trains: ClassVar[bool] = True  # step by step, in the loop; else `fit` does it all
    volumes: ClassVar[bool] = False  # takes them, too

    @classmethod
    def build(cls, encoder, *, image_size, region=None, standardise=False, **options):
        """Put the task around an encoder; ``options`` are those of the class.

        It will see images of this side, lit in an (H, W) region in nearly all of them;
        standardised to zero mean and unit deviation if the target task will do so.
        """
        known = {"region": region, "standardise": standardise}
        known = {k: v for k, v in known.items() if k in cls.keywords()}
        sized = {k: of_side(image_size) for k, of_side in cls.sized.items()}
        return cls(encoder, **sized | known | options)

    @classmethod
    def encoder_config(cls, config: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Return what encoder the task will have where this one was asked for."""
        return config

    def fit(self, *columns: Any, rng: np.random.Generator) -> None:
        """Learn, before the first step, what batches need, into buffers."""

    @torch.no_grad()
    def evaluate(self, images: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
        """Make one batch of all images; return what training logs, and the bar."""
        _, logs = self.eval()(*to_tensor(self.make_batch(images, rng), self.device))
        return {k: float(logs[k]) for k in logs} | {"bar": float(logs[self.bar])}

    def means(self, scores: list[dict[str, Any]]) -> dict[str, float]:
        """Return the mean over the folds of each score that is a number."""
        numbers = [k for k, value in scores[0].items() if isinstance(value, float)]
        return {k: float(np.mean([fold[k] for fold in scores])) for k in numbers}

    def describe(self, scores: list[dict[str, Any]], where: str) -> str:
        """Tell in a sentence or two what the scores of all folds mean."""
        return self.finding.format(where=where, task=self, **self.means(scores))

    def strip(self, rows: dict[str, Any], title: str, caption: str) -> Figures:
        """Show rows of images by their names; see `tinyssl.plots.strip`."""
        from tinyssl import plots

        return [(plots.strip([*rows.values()], names=[*rows], title=title), caption)]

    @classmethod
    def own_options(cls) -> dict[str, inspect.Parameter]:
        """Return the options of the class itself: those that `build` does not set."""
        known = _keywords(Pretext.build)
        return {k: p for k, p in cls.keywords().items() if k not in known}

    @classmethod
    def keywords(cls) -> dict[str, inspect.Parameter]:
        """Return what the class and those that it extends are built with."""
        inits = (_keywords(kind.__init__).items() for kind in cls.__mro__)
        return {k: p for init in inits for k, p in init}


class Target(Task):
    """A task with labels, for which an encoder was pretrained."""

    title: ClassVar[str]  # of the page
    measure: ClassVar[str] = ""  # what its main metric means
    metrics: ClassVar[dict[str, Metric]]  # what `score` returns; the main one first
    channels: ClassVar[int] = 1  # maps that a network must return, if maps they are
    defaults: ClassVar[dict[str, Any]] = {}  # of a comparison's settings
    decodes: ClassVar[bool] = False  # has a decoder that a pretext task may train
    asks: ClassVar[bool] = False  # `ask` may answer for a run of pretraining
    probes: ClassVar[bool] = True  # `probe` judges a frozen encoder; else the head does
    keeps: ClassVar[bool] = True  # answers are small enough to be kept
    keeper: ClassVar[str | None] = None  # path of what keeps the best models for use
    trains: ClassVar[bool] = True  # step by step, in the loop; else `fit` does it all

    @classmethod
    def read(cls, table: "Table", **options: Any) -> "Cases":
        """Take from a data set what this target needs, and refuse it if that lacks."""
        raise TypeError(f"{cls.__name__} cannot read {table.root}")

    @classmethod
    def suited(cls, cases: "Cases") -> type["Target"]:
        """Return the task that these cases need: itself, or a sibling."""
        return cls

    @classmethod
    def build(cls, encoder: nn.Module, cases: "Cases", **options: Any) -> "Target":
        """Put the head for these cases on an encoder."""
        return cls(encoder, **options)

    def fit(self, *columns: Any) -> None:
        """Learn from labelled cases where nothing is trained."""

    def predict(self, images: Any, *, batch_size: int = 64, **options: Any) -> Any:
        """Return what ``answer`` says of images (N, S, S, C): (N, ...) float64."""
        return self.answers(partial(self.answer, **options), images, batch_size)

    def describe(self, features: torch.Tensor) -> torch.Tensor:
        """Pool maps (N, C, h, w) for `probe`: (N, D)."""
        return self.pool(features)

    @classmethod
    def baselines(cls, cases: "Cases", chosen, held) -> dict[str, Any]:
        """Return the answers to held-out cases that need no network, by name."""
        return {}

    @classmethod
    def ask(cls, cases: "Cases", learned: Pretext, held: Any) -> dict[str, Any]:
        """Return what a pretext task answers without any label, by name."""
        return {}

    @classmethod
    def notes(cls, cases: "Cases") -> dict[str, Any]:
        """Return what a reader must know beside the scores."""
        return {}

    @classmethod
    def figures(cls, cases: "Cases", results: dict[str, Any], load: Any) -> Figures:
        """Show answers; ``load(init)`` is the task trained from an initialisation."""
        return []

    def freeze(self) -> None:
        """Leave the encoder as it is: no gradients, and no new batch statistics."""
        decoder = ("decoder.", "head.")  # of a U-Net, which is trained
        for name, parameter in self.encoder.named_parameters():
            parameter.requires_grad_(name.startswith(decoder))
        norms = (nn.BatchNorm2d, nn.BatchNorm3d)
        for name, module in self.encoder.named_modules():
            if isinstance(module, norms) and not name.startswith(decoder):
                module.eval()
                module.train = lambda mode=True, module=module: module

    @classmethod
    def own_options(cls) -> dict[str, inspect.Parameter]:
        """Return the options of the class itself, of `read` and of `build`."""
        return _keywords(cls.read) | _keywords(cls.build)


def _keywords(function: Any) -> dict[str, inspect.Parameter]:
    """Return the keyword-only parameters of a function."""
    parameters = inspect.signature(function).parameters
    return {k: p for k, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
