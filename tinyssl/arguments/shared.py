"""Arguments that several commands have."""

import argparse
from pathlib import Path

from tinyssl.arguments.kinds import natural, positive, rate

DEVICES = ("auto", "cpu", "cuda", "mps")


def add_data(parser: argparse.ArgumentParser, *, size: int) -> None:
    """Add what says which images are read."""
    parser.add_argument("data", metavar="DATA", help="see below")
    parser.add_argument(
        "--size",
        type=positive,
        default=size,
        metavar="PX",
        help=f"side of the images [{size}]",
    )
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="go on without files that cannot be read",
    )


def add_running(
    parser: argparse.ArgumentParser, *, out: str, device: bool = False
) -> None:
    """Add where and how a job runs."""
    parser.add_argument(
        "--out", type=Path, default=Path(out), metavar="RUN", help=f"run folder [{out}]"
    )
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="of torch, in each process [measured]",
    )
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes [the cores, where there are folds]",
    )
    if device:
        parser.add_argument("--device", choices=DEVICES, default="auto")


def add_encoder(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add the choice of network."""
    parser.add_argument("--encoder", choices=names, default=names[0])


def add_training(parser: argparse.ArgumentParser, *, steps: int | None = None) -> None:
    """Add the settings of the loop."""
    if steps:
        parser.add_argument("--steps", type=positive, default=steps, metavar="N")
    parser.add_argument("--batch-size", type=positive, default=32, metavar="N")
    parser.add_argument("--lr", type=rate, default=3e-3)


def add_inits(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the pretrained starts."""
    options = {"dest": "inits", "type": Path, "nargs": "+", "default": ()}
    parser.add_argument("--init", **options, metavar="RUN", help=text)


def add_unet(parser: argparse.ArgumentParser, of: str = "") -> None:
    """Add the size at which photographs are looked at, and the network's."""
    text = f"{of}shrink the field of view to that width; 0: do not [540]"
    parser.add_argument("--field-width", type=natural, metavar="PX", help=text)
    text = f"{of}channels at each size, fine to coarse [16 32 64, or of --init]"
    options = {"type": positive, "nargs": "+", "metavar": "N", "help": text}
    parser.add_argument("--widths", **options)


def add_transfer(parser: argparse.ArgumentParser) -> None:
    """Add the choice of what is carried over."""
    parser.add_argument(
        "--transfer",
        choices=("encoder", "network"),
        nargs="+",
        default=["encoder"],
        help="what is carried over: encoder, or network with the decoder; or both",
    )
