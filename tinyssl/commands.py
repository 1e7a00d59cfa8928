"""What the command line can do: a function a command, whose signature is its usage.

Parameters before the star are arguments, those behind it options. `tinyssl.cli` makes
``tinyssl COMMAND --help`` from names, annotations, defaults and docstrings, so nothing
heavy is imported here but inside the functions. Every command returns what
``results.json`` holds, with "lines" for a person; ``log`` takes a line while it works.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal

Log = Callable[[str], None]
Device = Literal["auto", "cpu", "cuda", "mps"]
Natural = Annotated[int, (0, None)]  # whole numbers: both ends belong
Positive = Annotated[int, (1, None)]
Rate = Annotated[float, (0, 10)]  # other numbers: the lower end does not belong
Percent = Annotated[float, (0, 100), "%"]  # given in percent, handed over as a share
Count = Positive | Literal["all"]
Network = Literal["small", "densenet121", "sononet", "unet"]


def silent(line: str) -> None:
    """Take a line for the person who waits, and drop it."""


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
    given = SimpleNamespace(**locals(), device="cpu")
    from tinyssl.demo import demo

    return demo(given)


def pretrain(
    data: str,
    *,
    task: str,
    encoder: Network = "small",
    size: Positive = 96,
    widths: Sequence[Positive] | None = None,
    field_width: Natural | None = None,
    weights: Path | None = None,
    init: Path | None = None,
    unlabelled: Sequence[str] = (),
    folds: Natural = 0,
    target: str = "grade",
    transductive: bool = False,
    steps: Positive = 600,
    batch_size: Positive = 32,
    lr: Rate = 3e-3,
    seed: Natural = 0,
    threads: Positive = 1,
    workers: Positive | None = None,
    device: Device = "auto",
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
        Network; unet learns from patches, for masks.
    size : int
        Side of whole images in pixels.
    widths : sequence of int
        unet: channels at each size, fine to coarse; 16 32 64 if not given.
    field_width : int
        unet: shrink the field of view to that width; 0 keeps it, 540 if not given.
    weights : file
        densenet121: torchvision's weights to begin with.
    init : run
        Go on from the encoder of another run.
    unlabelled : sequence of paths
        More data sets to learn from.
    folds : int
        One encoder a fold, each blind to the images held out; 0: one encoder on all
        but what is held out for testing.
    target : name
        For whose folds, where there are any.
    transductive : bool
        Let one encoder see the official test images too.
    steps : int
        Length of training.
    batch_size : int
        Images a step.
    lr : float
        Highest learning rate.
    seed, threads, workers, out
        As `demo`.
    device : name
        Where torch computes; auto takes the fastest.
    skip_bad : bool
        Go on without files that cannot be read.
    """
    given = SimpleNamespace(**locals())
    from tinyssl.studies import pretrain

    return pretrain(given)


def finetune(
    data: str,
    *,
    target: str = "grade",
    init: Sequence[Path] = (),
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
    lr: Rate = 3e-3,
    same_compute: bool = True,
    transductive: bool = False,
    seed: Natural = 0,
    threads: Positive = 1,
    workers: Positive | None = None,
    device: Device = "auto",
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
        Folders of pretrain; scratch stands beside them in any case.
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
        Numbers of labelled images; 1 2 5 all for masks, 1 2 5 10 all for the others.
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
    same_compute : bool
        Add the row of scratch that also gets the compute of pretraining.
    transductive : bool
        Accept encoders that saw the held-out images.
    lr, seed, threads, workers, device, skip_bad
        As `pretrain`.
    out : path
        Run folder, runs/ and the target's name if not given.
    """
    given = SimpleNamespace(**locals())
    from tinyssl.studies import finetune

    return finetune(given)


def grade(
    run: Path,
    images: Sequence[Path],
    *,
    device: Device = "auto",
    out: Path = Path("runs/grades"),
) -> list[dict[str, Any]]:
    """Grade images with the models of a finetune run.

    Parameters
    ----------
    run : path
        Folder of finetune.
    images : sequence of paths
        Images to grade.
    device
        As `pretrain`.
    out : path
        Folder for a picture an image, calibration.png and grades.jsonl.
    """
    from tinyssl.grade import grade

    return grade(run, images, device=device, out=out)


def audit(
    data: str,
    others: Sequence[str] = (),
    *,
    threads: Positive | None = None,
    out: Path | None = None,
    log: Log = silent,
) -> dict[str, Any]:
    """Find what in a data set would spoil a study: copies, leaks, wrong files.

    Findings leave the exit status at 0.

    Parameters
    ----------
    data : path
        Of images; of IDRiD's root, all three parts.
    others : sequence of paths
        More data, to find copies between.
    threads : int
        Decoders at work; the cores if not given.
    out : path
        Run folder, runs/audit-DATA if not given.
    """
    from tinyssl.audit import audit

    return audit(data, others, threads=threads, out=out, log=log)


def compare(
    real: str,
    generated: str,
    *,
    size: Positive | None = None,
    features: str = "random",
    dim: Positive | None = None,
    data_range: Rate | None = None,
    seed: Natural = 0,
    device: Device = "auto",
    out: Path = Path("runs/compare"),
    log: Log = silent,
) -> dict[str, Any]:
    """Compare two sets of images: SSIM of pairs, Frechet distance of the sets.

    Parameters
    ----------
    real, generated : paths
        Folders or files of images.
    size : int
        Resize all images to that side in pixels.
    features : name, run or file
        Of a random network, of a pretrained encoder, or of a TorchScript file that
        takes (N, 3, H, W) floats in [0, 1].
    dim : int
        Project the features to so many numbers: for few images.
    data_range : float
        Of .npy files; by their kind of number if not given.
    seed, device, out
        As `pretrain`.
    """
    given = SimpleNamespace(**locals())
    from tinyssl.compare import compare

    return compare(given)


def restoration(
    run: Path,
    data: str,
    *,
    features: Sequence[str] = ("random", "encoder"),
    dim: Positive | None = None,
    skip_bad: bool = False,
    seed: Natural = 0,
    device: Device = "auto",
    out: Path = Path("runs/restoration"),
    log: Log = silent,
) -> dict[str, Any]:
    """Score what a restoring network gives back, beside copying its input.

    Parameters
    ----------
    run : path
        Folder of pretrain.
    data : path
        Of images that it has not seen; see below.
    features : sequence of names
        As `compare`; encoder is the run's own.
    dim
        As `compare`.
    skip_bad, seed, device, out
        As `pretrain`.
    """
    given = SimpleNamespace(**locals())
    from tinyssl.compare import restoration

    return restoration(given)


def export_restored(
    run: Path,
    data: str,
    *,
    out: Path,
    per_image: Positive = 1,
    skip_bad: bool = False,
    seed: Natural = 0,
    device: Device = "auto",
    log: Log = silent,
) -> dict[str, Any]:
    """Write disordered and restored images as a data set.

    Parameters
    ----------
    run, data
        As `restoration`.
    out : path
        A new or empty folder.
    per_image : int
        Disordered versions of each image.
    skip_bad, seed, device
        As `pretrain`.
    """
    given = SimpleNamespace(**locals())
    from tinyssl.compare import export_restored

    return export_restored(given)


def lessons() -> list[dict[str, Any]]:
    """List the lessons of the course."""
    from tinyssl.check import course

    listed = course.lessons()
    for header in listed:
        title = header["title"].partition(". ")[2]
        text = f"    {header['learn']} ({header['runtime']})"
        header["lines"] = [f"{header['number']:02d}  {title}", text]
    return listed


def lesson(
    number: Natural,
    *,
    fast: bool = False,
    seed: Natural = 0,
    out: Path | None = None,
    log: Log = silent,
) -> dict[str, Any]:
    """Run a lesson: its figures and results.

    Parameters
    ----------
    number : int
        Of the lesson.
    fast : bool
        Do less, for a first look: at most 20 seconds.
    seed : int
        Moves every random number; the text speaks of seeds 0 to 9.
    out : path
        Where figures and results go, output/NN beside the lesson if not given.
    """
    from tinyssl.check import course

    found = course.lesson(number, fast=fast, seed=seed, out=out, log=log)
    lines = [f"{name}: {value}" for name, value in found["results"].items()]
    lines.append(f"{found['seconds']} s; {', '.join(found['files'])}")
    return found | {"lines": [*lines, f"in {found['out']}"]}


def check(number: Natural, file: Path, *, log: Log = silent) -> dict[str, Any]:
    """Check your answers to the exercises of a lesson.

    Parameters
    ----------
    number : int
        Of the lesson.
    file : path
        Python file with your functions, named as in the lesson.
    """
    from tinyssl.check import course

    found = course.check(number, file, log=log)
    return found | {"lines": "\n\n".join(found["reports"].values()).split("\n")}


def _plain(*functions: Callable[..., Any]) -> dict[str, tuple[Callable, dict]]:
    """Name commands after their functions, with nothing settled."""
    return {f.__name__.replace("_", "-"): (f, {}) for f in functions}


COMMANDS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    **_plain(demo, pretrain, finetune),
    # what a short form settles
    "segment": (finetune, {"target": "mask"}),
    "localize": (finetune, {"target": "points"}),
    "laterality": (finetune, {"target": "eye"}),
    **_plain(grade, audit, compare, restoration, export_restored),
    **_plain(lessons, lesson, check),
}
OWN_OPTIONS = {"task": "tinyssl.pretext", "target": "tinyssl.targets"}
EPILOG = """\
DATA is a folder or file: an APTOS layout, IDRiD, CHASE_DB1, HRF, DRIVE, a
MedMNIST .npz, class-named folders, a folder of images, a manifest.csv, or for
synthetic eyes toy[:N[:SIZE[:SEED]]]. Every command writes a run folder (--out)
with report.html in it, and the same command again goes on where it was stopped.
"""
