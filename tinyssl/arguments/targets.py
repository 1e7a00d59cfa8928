"""Arguments of segment, localize and laterality."""

import argparse
from pathlib import Path

from tinyssl.arguments.kinds import count, folds, positive, rate
from tinyssl.arguments.shared import (
    DEVICES,
    add_encoder,
    add_inits,
    add_running,
    add_transfer,
    add_unet,
)


def add_segment(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of segment."""
    parser.add_argument("data", metavar="DATA", help="a data set with masks")
    parser.add_argument("--skip-bad", action="store_true")
    parser.add_argument(
        "--mask",
        choices=("vessel", "MA", "HE", "EX", "SE", "OD"),
        default="vessel",
        help="what to find [vessel]",
    )
    parser.add_argument(
        "--test", metavar="DATA", help="score all of it, train on all of the first"
    )
    add_unet(parser)
    parser.add_argument(
        "--views", type=positive, default=1, metavar="N", help="of each patch, 1 to 8"
    )
    add_inits(parser, "folders of pretrain --encoder unet; scratch is beside")
    parser.add_argument(
        "--images",
        dest="counts",
        type=count,
        nargs="+",
        default=[1, 2, 5, "all"],
        metavar="N",
        help="numbers of labelled images, or all [1 2 5 all]",
    )
    parser.add_argument("--seeds", type=positive, default=5, metavar="N")
    parser.add_argument("--steps", type=positive, default=150, metavar="N")
    parser.add_argument("--all-steps", type=positive, default=1500, metavar="N")
    add_transfer(parser)
    parser.add_argument("--batch-size", type=positive, default=16, metavar="N")
    parser.add_argument("--lr", type=rate, default=3e-3)
    parser.add_argument("--no-same-compute", dest="same_compute", action="store_false")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--out", type=Path, default=Path("runs/segment"), metavar="RUN")
    parser.add_argument("--workers", type=positive, metavar="N")


def add_few(parser: argparse.ArgumentParser, has_decoder: bool) -> None:
    """Add the arguments of localize and laterality."""
    parser.add_argument("data", metavar="DATA", help="see below")
    parser.add_argument("--skip-bad", action="store_true")
    add_inits(parser, "folders of pretrain without --folds; scratch is beside")
    if has_decoder:
        add_transfer(parser)
    add_encoder(parser, "sononet", "small", "densenet121")
    parser.add_argument(
        "--size", type=positive, metavar="PX", help="[96, or of --init]"
    )
    parser.add_argument(
        "--images",
        dest="counts",
        type=count,
        nargs="+",
        default=[1, 2, 5, 10, "all"],
        metavar="N",
        help="numbers of labelled images, or all [1 2 5 10 all]",
    )
    parser.add_argument("--folds", type=folds, default=5, metavar="K")
    parser.add_argument("--repeats", type=positive, default=1, metavar="N")
    parser.add_argument("--steps", type=positive, default=150, metavar="N")
    parser.add_argument("--batch-size", type=positive, default=16, metavar="N")
    parser.add_argument("--lr", type=rate, default=3e-3)
    parser.add_argument("--no-same-compute", dest="same_compute", action="store_false")
    add_running(parser, out="runs/few", device=True)
