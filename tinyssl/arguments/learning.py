"""Arguments of pretrain and finetune."""

import argparse
from pathlib import Path

from tinyssl.arguments.kinds import folds, natural, percentage, positive
from tinyssl.arguments.shared import (
    add_data,
    add_encoder,
    add_inits,
    add_running,
    add_training,
    add_unet,
)


def add_pretrain(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of pretrain."""
    add_data(parser, size=96)
    add_running(parser, out="runs/pretrain", device=True)
    add_encoder(parser, "small", "densenet121", "sononet", "unet")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="densenet121: torchvision's weights to start from",
    )
    parser.add_argument(
        "--unlabelled",
        nargs="+",
        default=(),
        metavar="DATA",
        help="unet: more images to learn from",
    )
    add_unet(parser, "unet: ")
    parser.add_argument(
        "--task",
        required=True,
        choices=("rotation", "restoration", "shuffling"),
        help="pretext task",
    )
    parser.add_argument(
        "--folds",
        type=natural,
        default=0,
        metavar="K",
        help="one encoder a fold, each blind to the images held out; "
        "0: one encoder on all but the official test images",
    )
    parser.add_argument(
        "--transductive",
        action="store_true",
        help="let one encoder see the official test images too",
    )
    parser.add_argument(
        "--patch-size",
        type=positive,
        metavar="PX",
        help="restoration, shuffling: side of the changed patches",
    )
    parser.add_argument(
        "--num-swaps",
        type=positive,
        metavar="T",
        help="restoration, shuffling: pairs changed",
    )
    add_training(parser, steps=600)


def add_finetune(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of finetune."""
    add_data(parser, size=96)
    add_running(parser, out="runs/finetune", device=True)
    add_encoder(parser, "small", "densenet121", "sononet")
    add_inits(parser, "folders of pretrain; scratch is beside")
    parser.add_argument(
        "--fractions",
        type=percentage,
        nargs="+",
        metavar="%",
        default=[5, 10, 25, 50, 100],
        help="shares of the labels",
    )
    parser.add_argument("--folds", type=folds, default=5, metavar="K")
    parser.add_argument(
        "--head",
        default="continuation",
        choices=("continuation", "cumulative", "softmax", "regression"),
    )
    parser.add_argument(
        "--epochs",
        type=positive,
        default=30,
        metavar="N",
        help="times each labelled image is seen, 60 steps at least",
    )
    parser.add_argument(
        "--no-same-compute",
        dest="same_compute",
        action="store_false",
        help="leave out scratch with the compute of pretraining",
    )
    parser.add_argument(
        "--transductive",
        action="store_true",
        help="accept encoders that saw the held-out images",
    )
    add_training(parser)
