"""Commands of a practitioner: grades, audits, comparisons of images, profiles."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyssl.kinds import Device, Log, Natural, Positive, Rate, silent
from tinyssl.tables import call


def profile(
    runs: Sequence[Path],
    *,
    eyes: Positive = 800,
    seed: Natural = 0,
    device: Device = "auto",
    out: Path = Path("runs/profile"),
    log: Log = silent,
) -> dict[str, Any]:
    """Ask encoders what they know of synthetic eyes: the lesson of each pretext task.

    Parameters
    ----------
    runs : sequence of paths
        Folders of pretrain; those of one task are averaged.
    eyes : int
        Synthetic eyes to fit on, and as many of other patients to score.
    seed, device, out
        As `pretrain`.
    """
    return call("tinyssl.factors:profile", locals())


def grade(
    run: Path,
    images: Sequence[Path],
    *,
    anonymous: bool = False,
    anyway: bool = False,
    device: Device = "auto",
    out: Path = Path("runs/grades"),
) -> list[dict[str, Any]]:
    """Grade images with the models of a finetune run.

    Parameters
    ----------
    run : path
        Folder of finetune.
    images : sequence of paths
        Images to grade, or folders of them.
    anonymous : bool
        Write numbers for names of files, folders and patients; key.csv tells them.
    anyway : bool
        Answer images that look unlike the training images too, behind the warning.
    device
        As `pretrain`.
    out : path
        Folder for a picture an image, calibration.png and grades.jsonl.
    """
    return call_with_key("tinyssl.grade:grade", locals())


def audit(
    data: str,
    others: Sequence[str] = (),
    *,
    anonymous: bool = False,
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
    anonymous
        As `grade`.
    threads : int
        Decoders at work; the cores if not given.
    out : path
        Run folder, runs/audit-DATA if not given.
    """
    return call_with_key("tinyssl.audit:audit", locals())


def compare(
    real: str,
    generated: str,
    *,
    anonymous: bool = False,
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
    anonymous
        As `grade`.
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
    return call_with_key("tinyssl.compare.side_by_side:compare", locals())


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
    return call("tinyssl.compare.side_by_side:restoration", locals())


def export_restored(
    run: Path,
    data: str,
    *,
    anonymous: bool = False,
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
    anonymous
        As `grade`.
    out : path
        A new or empty folder.
    per_image : int
        Disordered versions of each image.
    skip_bad, seed, device
        As `pretrain`.
    """
    return call_with_key("tinyssl.compare.export:export_restored", locals())


def call_with_key(path: str, given: dict[str, Any]) -> Any:
    """As `tinyssl.tables.call`, with a key to the names; its place is the last line."""
    from tinyssl.anonymous import key_of

    with key_of(anonymous=given["anonymous"]) as key:
        results = call(path, given, key)
    last = results[-1] if isinstance(results, list) else results
    last["lines"] += key.lines
    return results
