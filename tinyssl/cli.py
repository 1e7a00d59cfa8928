"""The ``tinyssl`` command: arguments in, numbers on stdout, progress on stderr.

Exit status: 0 fine, 1 the job failed, 2 bad usage or bad input.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyssl import __version__

EPILOG = """\
DATA is a folder or file: an APTOS layout, IDRiD, CHASE_DB1, HRF, DRIVE, a MedMNIST
.npz, class-named folders, a folder of images, a manifest.csv, or toy[:N[:SIZE]] for
synthetic eyes. Every command writes a run folder (--out) with report.html in it, and
the same command again goes on where it was stopped.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = build_parser().parse_args(arguments)
    try:
        settings = {k: v for k, v in vars(options).items() if k not in OWN}
        results = COMMANDS[options.command](**settings)
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
        return 1
    except (ValueError, TypeError, FileNotFoundError, NotADirectoryError) as error:
        if options.debug:
            raise
        say(f"tinyssl {options.command}: {error}")
        return 2
    except Exception as error:
        if options.debug:
            raise
        say(f"tinyssl {options.command}: {type(error).__name__}: {error}")
        return 1
    if options.json:
        from tinyssl.runs import plain

        print(json.dumps(plain(results), allow_nan=False))
    else:
        show(options, results)
    return 0


OWN = ("command", "json", "debug")


def say(text: str) -> None:
    """Write a line for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def show(options: argparse.Namespace, results: Any) -> None:
    """Print results for a person."""
    if options.command == "grade":
        for answer in results:
            shown = " ".join(f"{p:.2f}" for p in answer["probabilities"])
            print(
                f"{answer['image']}: {answer['grade']}, {answer['severity']} [{shown}]"
            )
        return
    print_results(results)
    print(f"report: {options.out / 'report.html'}")


def print_results(results: dict[str, Any]) -> None:
    """Print the tables of a run."""
    from tinyssl.summary import format_table

    for task, scores in results.get("pretraining", {}).items():
        for fold, numbers in enumerate(scores):
            print(f"{task}, fold {fold}: {numbers_line(numbers)}")
    if results["command"] == "pretrain":
        for entry in results["scores"]:
            place = "" if entry["fold"] is None else f", fold {entry['fold']}"
            numbers = numbers_line(entry["scores"])
            print(f"{results['task']}{place}, {entry['scored_on']}: {numbers}")
    for name in ("summary", "baselines"):
        if name in results:
            print(format_table(results[name], by=results.get("by", "fraction")), "\n")
    for metric, table in results.get("test", {}).items():
        print(f"official test images, {metric}\n{format_table(table)}\n")
    for line in results.get("ensembles", []):
        print(
            f"test, mean of {line['models']} folds, {line['fraction']:.0%}, "
            f"{line['init']}: {numbers_line(line, ('qwk', 'accuracy', 'auc'))}"
        )
    for name, value in results.get("notes", {}).items():
        print(f"{name}: {value}")


def numbers_line(numbers: dict[str, Any], keys: Sequence[str] | None = None) -> str:
    """Write named numbers in one line."""
    keys = keys or [k for k, v in numbers.items() if isinstance(v, float)]
    return ", ".join(f"{key} {numbers[key]:.3f}" for key in keys)


# Commands: imported when used, for torch takes seconds


def run_demo(**settings: Any) -> dict[str, Any]:
    """Run the demonstration."""
    from tinyssl.commands.demo import demo

    return demo(say=say, **with_workers(settings))


def run_pretrain(**settings: Any) -> dict[str, Any]:
    """Pretrain."""
    from tinyssl.commands.pretrain import pretrain

    settings["task_options"] = {
        key: value
        for key in ("patch_size", "num_swaps")
        if (value := settings.pop(key)) is not None
    }
    if settings["task_options"] and settings["task"] != "restoration":
        raise ValueError("--patch-size and --num-swaps belong to --task restoration")
    return pretrain(say=say, **with_workers(settings))


def run_finetune(**settings: Any) -> dict[str, Any]:
    """Fine-tune."""
    from tinyssl.commands.finetune import finetune

    settings["fractions"] = [percent / 100 for percent in settings["fractions"]]
    return finetune(say=say, **with_workers(settings))


def run_segment(**settings: Any) -> dict[str, Any]:
    """Segment vessels."""
    from tinyssl.commands.segment import segment

    return segment(say=say, **with_workers(settings))


def run_grade(**settings: Any) -> list[dict[str, Any]]:
    """Grade photographs."""
    from tinyssl.commands.grade import grade

    return grade(settings["run"], settings["images"], device=settings["device"])


COMMANDS = {
    "demo": run_demo,
    "pretrain": run_pretrain,
    "finetune": run_finetune,
    "segment": run_segment,
    "grade": run_grade,
}


def with_workers(settings: dict[str, Any]) -> dict[str, Any]:
    """Take as many processes as there are cores, unless told otherwise."""
    from tinyssl.commands.prepare import cores

    if settings.get("workers") is None:
        single = settings.get("threads") not in (None, 1) or not settings.get(
            "folds", 1
        )
        settings["workers"] = 1 if single else cores()
    return settings


# Arguments


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
    add_encoder(pretrain)
    pretrain.add_argument(
        "--task",
        required=True,
        choices=("rotation", "restoration"),
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
        help="restoration: side of the swapped patches",
    )
    pretrain.add_argument(
        "--num-swaps", type=positive, metavar="T", help="restoration: pairs swapped"
    )
    add_training(pretrain, steps=600)
    finetune = add("finetune", "compare starts by share of labels on the same folds")
    add_data(finetune, size=96)
    add_running(finetune, out="runs/finetune", device=True)
    add_encoder(finetune)
    finetune.add_argument(
        "--init",
        dest="inits",
        type=Path,
        nargs="+",
        default=(),
        metavar="RUN",
        help="folders of pretrain; scratch is beside",
    )
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
    add_segment(add("segment", "find vessels: scratch beside pretrained"))
    grade = add("grade", "grade photographs with the models of a finetune run")
    grade.add_argument("run", type=Path, metavar="RUN", help="folder of finetune")
    grade.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    grade.add_argument("--device", choices=DEVICES, default="auto")
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


def add_encoder(parser: argparse.ArgumentParser) -> None:
    """Add the choice of network."""
    parser.add_argument("--encoder", choices=("small", "densenet121"), default="small")


def add_training(parser: argparse.ArgumentParser, *, steps: int | None = None) -> None:
    """Add the settings of the loop."""
    if steps:
        parser.add_argument("--steps", type=positive, default=steps, metavar="N")
    parser.add_argument("--batch-size", type=positive, default=32, metavar="N")
    parser.add_argument("--lr", type=rate, default=3e-3)


def add_segment(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of segment."""
    add_running(parser, out="runs/segment", device=True)


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    return whole(text, least=1)


def natural(text: str) -> int:
    """Read a whole number of at least 0."""
    return whole(text, least=0)


def folds(text: str) -> int:
    """Read a number of folds, at least 2."""
    return whole(text, least=2)


def whole(text: str, *, least: int) -> int:
    """Read a whole number, or say in one line what was wrong."""
    if not text.isdigit() or int(text) < least:
        raise argparse.ArgumentTypeError(
            f"must be a whole number >= {least}, found {text}"
        )
    return int(text)


def percentage(text: str) -> float:
    """Read a share of the labels in percent."""
    return number(text, most=100)


def rate(text: str) -> float:
    """Read a learning rate."""
    return number(text, most=10)


def number(text: str, *, most: float) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value <= most:
        raise argparse.ArgumentTypeError(f"must lie in (0, {most}], found {text}")
    return value
