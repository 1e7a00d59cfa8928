"""Arguments of the commands that look at images: grade, compare, restored ones."""

import argparse
from pathlib import Path

from tinyssl.arguments.kinds import natural, positive
from tinyssl.arguments.shared import DEVICES


def add_grade(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of grade."""
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of finetune")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/grades"),
        metavar="FOLDER",
        help="one picture an image, and grades.jsonl [runs/grades]",
    )


def add_restored(parser: argparse.ArgumentParser, *, out: str) -> None:
    """Add the arguments of restoration and export-restored."""
    parser.add_argument("run", type=Path, metavar="RUN", help="of pretrain")
    parser.add_argument("data", metavar="DATA", help="see below")
    parser.add_argument("--skip-bad", action="store_true")
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    folder = {"required": True, "metavar": "FOLDER", "help": "new or empty"}
    if out:
        folder = {"default": Path(out), "metavar": "RUN"}
    parser.add_argument("--out", type=Path, **folder)


def add_audit(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of audit."""
    parser.description += (
        ": copies, conflicting grades, patients in two splits, unreadable files, how "
        "far grades can be told without looking. Findings leave the exit status at 0."
    )
    parser.add_argument("data", metavar="DATA", help="of IDRiD's root, all three parts")
    parser.add_argument(
        "others", metavar="OTHER", nargs="*", help="more data, to find copies between"
    )
    parser.add_argument(
        "--out", type=Path, metavar="RUN", help="run folder [runs/audit-DATA]"
    )
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="decoders at work [the cores]"
    )


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of compare."""
    for name in ("real", "generated"):
        parser.add_argument(name, metavar=name.upper(), help="folder or file of images")
    parser.add_argument("--size", type=positive, metavar="PX", help="resize all to it")
    parser.add_argument(
        "--features",
        default="random",
        metavar="random|RUN|FILE.pt",
        help="of a random network, of a pretrained encoder, or of a TorchScript file "
        "that takes (N, 3, H, W) floats in [0, 1] [random]",
    )
    parser.add_argument("--dim", type=positive, help="project the features: few images")
    parser.add_argument("--data-range", type=float, help="of .npy files [by dtype]")
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--out", type=Path, default=Path("runs/compare"), metavar="RUN")


def add_restoration(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of restoration."""
    add_restored(parser, out="runs/restoration")
    parser.add_argument(
        "--features",
        nargs="+",
        default=["random", "encoder"],
        metavar="random|encoder|RUN|FILE.pt",
        help="of compare, or of the run's own encoder [random encoder]",
    )
    parser.add_argument("--dim", type=positive, help="as in compare")


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of export-restored."""
    add_restored(parser, out="")
    parser.add_argument("--per-image", type=positive, default=1, metavar="K")
