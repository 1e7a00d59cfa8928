"""Commands of a study: pretraining, and comparisons with scratch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from tinyssl.kinds import (
    Count,
    Device,
    Log,
    Minutes,
    Natural,
    Network,
    Percent,
    Positive,
    Precision,
    Rate,
    silent,
)
from tinyssl.tables import call


def demo(
    *,
    out: Path = Path("runs/demo"),
    seed: Natural = 0,
    threads: Positive = 1,
    workers: Positive | None = None,
    log: Log = silent,
) -> dict[str, Any]:
    """Show the main job on synthetic eyes, with a report.

    Parameters
    ----------
    out : path
        Run folder.
    seed : int
        Of everything that is drawn.
    threads : int
        Of torch, in each process.
    workers : int, optional
        Processes; the cores where there are several jobs and threads is 1.
    """
    where = {"device": "cpu", "precision": "float32", "compile": False}
    return call("tinyssl.demo:demo", locals() | where)


def pretrain(
    data: str,
    *,
    task: str,
    encoder: Network | None = None,
    size: Positive | None = None,
    widths: Sequence[Positive] | None = None,
    field_width: Natural | None = None,
    weights: Path | None = None,
    init: Path | None = None,
    unlabelled: Sequence[str] = (),
    encoders: Positive = 1,
    folds: Natural = 0,
    target: str = "grade",
    transductive: bool = False,
    steps: Positive | None = None,
    batch_size: Positive | None = None,
    lr: Rate | None = None,
    seed: Natural = 0,
    threads: Positive = 1,
    workers: Positive | None = None,
    device: Device = "auto",
    precision: Precision | None = None,
    compile: bool = False,
    checkpoint_minutes: Minutes | None = None,
    max_minutes: Minutes | None = None,
    skip_bad: bool = False,
    out: Path = Path("runs/pretrain"),
    log: Log = silent,
    **options: Any,
) -> dict[str, Any]:
    """Learn from images without labels; leave encoder.pt in the run folder.

    Parameters
    ----------
    data : path
        Of images; see below.
    task : name
        Pretext task: `tinyssl.pretext.PRETEXTS`.
    encoder : name
        Network, small if neither this nor the task says one; unet learns from patches,
        for masks; unet-fine as well, from twice the detail, for --field-width 0.
    size : int
        Side of whole images in pixels; 96 if not given.
    widths : sequence of int
        unet: channels at each size, fine to coarse; 16 32 64, and 64 once more of
        unet-fine, if not given.
    field_width : int
        unet: shrink the field of view to that width; 0 keeps it, 540 if not given.
    weights : file
        densenet121: torchvision's weights to begin with.
    init : run
        Go on from the encoder of another run.
    unlabelled : sequence of paths
        More data sets to learn from.
    encoders : int
        How many to train, each with the next seed: one is but one draw, and the
        repeats of finetune take turns with them.
    folds : int
        One encoder a fold, each blind to the images held out; 0: one encoder on all
        but what is held out for testing.
    target : name
        For whose folds, where there are any.
    transductive : bool
        Let one encoder see the official test images too.
    steps : int
        Length of training; 600 but for tasks that need longer.
    batch_size : int
        Images a step; 32 but for tasks that compare images.
    lr : float
        Highest learning rate; .003 if the task says none.
    seed, threads, workers, out
        As `demo`.
    device : name
        Where torch computes; auto takes the fastest.
    precision : name
        Of products in training; bfloat16 on a GPU that has it if not given.
    compile : bool
        Let torch compile the network, which takes minutes at first.
    checkpoint_minutes : float
        Save a checkpoint every so many minutes, in place of every 200 steps.
    max_minutes : float
        Stop after so many minutes with a checkpoint, exit status 0 and the command to
        go on with.
    skip_bad : bool
        Go on without files that cannot be read.
    """
    return call("tinyssl.studies:pretrain", locals())


def finetune(
    data: str,
    *,
    target: str = "grade",
    init: Sequence[Path] = (),
    beside: Sequence[Path] = (),
    transfer: Sequence[Literal["frozen", "encoder", "network"]] = ("encoder", "frozen"),
    encoder: Network | None = None,
    size: Positive | None = None,
    widths: Sequence[Positive] | None = None,
    test: str | None = None,
    fractions: Sequence[Percent] | None = None,
    images: Sequence[Count] | None = None,
    folds: Natural | None = None,
    repeats: Positive | None = None,
    epochs: Positive | None = None,
    steps: Positive | None = None,
    all_steps: Positive | None = None,
    batch_size: Positive | None = None,
    lr: Rate | None = None,
    tune: bool = False,
    same_compute: bool = True,
    transductive: bool = False,
    seed: Natural = 0,
    threads: Positive = 1,
    workers: Positive | None = None,
    device: Device = "auto",
    precision: Precision | None = None,
    compile: bool = False,
    max_minutes: Minutes | None = None,
    skip_bad: bool = False,
    out: Path | None = None,
    log: Log = silent,
    **options: Any,
) -> dict[str, Any]:
    """Compare initialisations on the same labelled images; leave a report.

    Parameters
    ----------
    data : path
        Of images with labels; see below.
    target : name
        What is to be learnt: `tinyssl.targets.TARGETS`, or any mask of the data set.
    init : sequence of runs
        Folders of pretrain; scratch stands beside them in any case, or random weights
        where the target trains nothing.
    beside : sequence of runs
        More folders of pretrain, with encoders of any kind and images of any size, for
        the table of frozen encoders.
    transfer : sequence of names
        What is carried over: encoder; network, the decoder too; frozen, an encoder
        that stays as it is.
    encoder : name
        Network, without --init; else that of the runs.
    size : int
        Side of whole images; that of --init, else 96.
    widths : sequence of int
        unet: channels at each size; those of --init, else 16 32 64.
    test : path
        Score all of this data set, train on all of the first.
    fractions : sequence of percentages
        Shares of the labels; for grades 5 10 25 50 100 if neither these nor --images.
    images : sequence of int or all
        Numbers of labelled images; 1 2 5 all for masks, 10 all, of normal images, for
        anomaly, 1 2 5 10 all for the others.
    folds : int
        Of cross-validation, 5 if not given. For masks 0 if not given: the official
        test images, or a fifth of the patients, are held out.
    repeats : int
        Times that all is done with other draws, weights and batches; 5 for masks, at
        most 2 with all images, else 1 if not given.
    epochs : int
        Times that each labelled image is seen, at 60 steps at least; 30 for grades.
    steps : int
        Length of training in place of epochs; 150 but for grades.
    all_steps : int
        The same with all images; 1500 for masks, else as steps.
    batch_size : int
        Images a step; 32 for grades, else 16.
    tune : bool
        Choose steps, rate or a frozen encoder for each initialisation, number of labels
        and fold by thirds of the labelled images, in place of one budget for all.
    same_compute : bool
        Add the row of scratch that also gets the compute of pretraining.
    transductive : bool
        Accept encoders that saw the held-out images.
    lr, seed, threads, workers, device, precision, compile, skip_bad
        As `pretrain`.
    max_minutes : float
        Stop after so many minutes, with exit status 0 and the command to go on with;
        what was not trained to its end by then begins anew.
    out : path
        Run folder, runs/ and the target's name if not given. Of a finished run only
        what more of init, beside, fractions or images asks for is trained.
    """
    return call("tinyssl.studies:finetune", locals())
