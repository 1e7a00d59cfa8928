"""The words of the command line: every command and option, and what each must be."""

import argparse
from pathlib import Path

from tinyssl import __version__
from tinyssl.argument_types import count, folds, natural, percentage, positive, rate

EPILOG = """\
DATA is a folder or file: an APTOS layout, IDRiD, CHASE_DB1, HRF, DRIVE, a MedMNIST
.npz, class-named folders, a folder of images, a manifest.csv, or for synthetic eyes
toy[:N[:SIZE[:SEED]]]. Every command writes a run folder (--out) with report.html in it, and
the same command again goes on where it was stopped.
"""


def build_parser() -> argparse.ArgumentParser:
    """Describe every command and option."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="tinyssl",
        description="Learn from unlabelled medical images, fine-tune with few labels, "
        "and find out whether it helped.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    parser.add_argument("--version", action="version", version=f"tinyssl {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--json", action="store_true", help="results as JSON")
    everywhere.add_argument(
        "--debug", action="store_true", help="show the traceback of an error"
    )

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=text,
            parents=[everywhere],
            epilog=EPILOG,
            formatter_class=raw,
        )

    demo = add("demo", "the main job on synthetic eyes, with a report")
    add_running(demo, out="runs/demo")
    pretrain = add("pretrain", "learn from images without labels")
    add_data(pretrain, size=96)
    add_running(pretrain, out="runs/pretrain", device=True)
    add_encoder(pretrain, "small", "densenet121", "sononet", "unet")
    pretrain.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="densenet121: torchvision's weights to start from",
    )
    pretrain.add_argument(
        "--unlabelled",
        nargs="+",
        default=(),
        metavar="DATA",
        help="unet: more images to learn from",
    )
    add_field_width(pretrain, "unet: ")
    pretrain.add_argument(
        "--task",
        required=True,
        choices=("rotation", "restoration", "shuffling"),
        help="pretext task",
    )
    pretrain.add_argument(
        "--folds",
        type=natural,
        default=0,
        metavar="K",
        help="one encoder a fold, each blind to the images held out; "
        "0: one encoder on all but the official test images",
    )
    pretrain.add_argument(
        "--transductive",
        action="store_true",
        help="let one encoder see the official test images too",
    )
    pretrain.add_argument(
        "--patch-size",
        type=positive,
        metavar="PX",
        help="restoration, shuffling: side of the changed patches",
    )
    pretrain.add_argument(
        "--num-swaps",
        type=positive,
        metavar="T",
        help="restoration, shuffling: pairs changed",
    )
    add_training(pretrain, steps=600)
    finetune = add("finetune", "compare starts by share of labels on the same folds")
    add_data(finetune, size=96)
    add_running(finetune, out="runs/finetune", device=True)
    add_encoder(finetune, "small", "densenet121", "sononet")
    add_inits(finetune, "folders of pretrain; scratch is beside")
    finetune.add_argument(
        "--fractions",
        type=percentage,
        nargs="+",
        metavar="%",
        default=[5, 10, 25, 50, 100],
        help="shares of the labels",
    )
    finetune.add_argument("--folds", type=folds, default=5, metavar="K")
    finetune.add_argument(
        "--head",
        default="continuation",
        choices=("continuation", "cumulative", "softmax", "regression"),
    )
    finetune.add_argument(
        "--epochs",
        type=positive,
        default=30,
        metavar="N",
        help="times each labelled image is seen, 60 steps at least",
    )
    finetune.add_argument(
        "--no-same-compute",
        dest="same_compute",
        action="store_false",
        help="leave out scratch with the compute of pretraining",
    )
    finetune.add_argument(
        "--transductive",
        action="store_true",
        help="accept encoders that saw the held-out images",
    )
    add_training(finetune)
    add_segment(add("segment", "find vessels or lesions: scratch beside pretrained"))
    add_few(add("localize", "find disc and fovea: scratch beside pretrained"), True)
    add_few(add("laterality", "tell right from left: scratch beside pretrained"), False)
    grade = add("grade", "grade photographs with the models of a finetune run")
    grade.add_argument("run", type=Path, metavar="RUN", help="folder of finetune")
    grade.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    grade.add_argument("--device", choices=DEVICES, default="auto")
    grade.add_argument(
        "--out",
        type=Path,
        default=Path("runs/grades"),
        metavar="FOLDER",
        help="one picture an image, and grades.jsonl [runs/grades]",
    )
    add_compare(add("compare", "two sets of images: SSIM of pairs, Frechet distance"))
    text = "what a restoring network gives back, beside copying its input"
    restoration = add_restored(add("restoration", text), out="runs/restoration")
    restoration.add_argument(
        "--features",
        nargs="+",
        default=["random", "encoder"],
        metavar="random|encoder|RUN|FILE.pt",
        help="of compare, or of the run's own encoder [random encoder]",
    )
    restoration.add_argument("--dim", type=positive, help="as in compare")
    text = "write disordered and restored images as a data set"
    export = add_restored(add("export-restored", text), out="")
    export.add_argument("--per-image", type=positive, default=1, metavar="K")
    return parser


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
    add_field_width(parser)
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


def add_restored(
    parser: argparse.ArgumentParser, *, out: str
) -> argparse.ArgumentParser:
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
    return parser


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


def add_inits(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the pretrained starts."""
    options = {"dest": "inits", "type": Path, "nargs": "+", "default": ()}
    parser.add_argument("--init", **options, metavar="RUN", help=text)


def add_field_width(parser: argparse.ArgumentParser, of: str = "") -> None:
    """Add the size at which photographs are looked at."""
    text = f"{of}shrink the field of view to that width; 0: do not [540]"
    parser.add_argument("--field-width", type=natural, metavar="PX", help=text)


def add_transfer(parser: argparse.ArgumentParser) -> None:
    """Add the choice of what is carried over."""
    parser.add_argument(
        "--transfer",
        choices=("encoder", "network"),
        nargs="+",
        default=["encoder"],
        help="what is carried over: encoder, or network with the decoder; or both",
    )
