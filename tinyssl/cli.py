"""The ``tinyssl`` command: arguments in, numbers on stdout, progress on stderr.

Exit status: 0 fine, 1 the job failed, 2 bad usage or bad input.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from tinyssl.arguments import build_parser
from tinyssl.commands.tidy import REFUSALS, taken_back_if_refused


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = build_parser().parse_args(arguments)
    try:
        settings = {k: v for k, v in vars(options).items() if k not in OWN}
        with taken_back_if_refused(settings.get("out")):
            results = COMMANDS[options.command](**settings)
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
        return 1
    except REFUSALS as error:
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

        for line in results if isinstance(results, list) else [results]:
            print(json.dumps(plain(line), allow_nan=False))
    else:
        show(options, results)
    return 1 if options.command == "check" and results["failed"] else 0


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
            print(
                f"  {answer['right']:.0%} of {answer['of']} held-out images answered "
                f"about as surely were right; picture: {answer['picture']}"
            )
            if "warning" in answer:
                print(f"  WARNING: {answer['warning']}")
        return
    if options.command == "audit":
        from tinyssl.commands.audit import as_text

        print(as_text(results))
        print(f"report: {results['out']}/report.html")
        return
    if options.command in ("lessons", "lesson", "check"):
        print_course(options.command, results)
        return
    print_results(results)
    if (options.out / "report.html").exists():
        print(f"report: {options.out / 'report.html'}")


def print_course(command: str, results: Any) -> None:
    """Print the list of lessons, what a lesson found, or what a check said."""
    if command == "lessons":
        for header in results:
            print(f"{header['number']:02d}  {header['title'].partition('. ')[2]}")
            print(f"    {header['learn']} ({header['runtime']})")
    elif command == "lesson":
        for name, value in results["results"].items():
            print(f"{name}: {value}")
        print(f"{results['seconds']} s; {', '.join(results['files'])}")
        print(f"in {results['out']}")
    else:
        print("\n\n".join(results["reports"].values()))


def print_results(results: dict[str, Any]) -> None:
    """Print the tables of a run."""
    from tinyssl.summary import format_table, name_group

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
            print(format_table(results[name]), "\n")
    for table in results.get("more", {}).values():
        print(format_table(table), "\n")
    for metric, table in results.get("test", {}).items():
        print(f"official test images, {metric}\n{format_table(table)}\n")
    for line in results.get("ensembles", []):
        print(
            f"test, {line['models']} models averaged, {line['fraction']:.0%}, "
            f"{line['init']}: {numbers_line(line, ('qwk', 'accuracy', 'auc'))}"
        )
    for line in results.get("measures", []):
        group = name_group("labels", line["labels"])
        print(f"{group}, {line['init']}: {numbers_line(line)}")
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


def run_lessons() -> list[dict[str, Any]]:
    """List the lessons."""
    from tinyssl.commands.lessons import lessons

    return lessons()


def run_lesson(**settings: Any) -> dict[str, Any]:
    """Run a lesson."""
    from tinyssl.commands.lessons import lesson

    return lesson(say=say, **settings)


def run_check(**settings: Any) -> dict[str, Any]:
    """Check the answers to a lesson's exercises."""
    from tinyssl.commands.check import check

    return check(say=say, **settings)


def run_pretrain(**settings: Any) -> dict[str, Any]:
    """Pretrain."""
    from tinyssl.commands.pretrain import pretrain

    settings["task_options"] = {
        key: value
        for key in ("patch_size", "num_swaps")
        if (value := settings.pop(key)) is not None
    }
    if settings["task_options"] and settings["task"] == "rotation":
        raise ValueError(
            "--patch-size and --num-swaps belong to --task restoration or shuffling"
        )
    names = ("unlabelled", "field_width", "widths")
    found = {name: settings.pop(name) for name in names}
    own = {name: value for name, value in found.items() if value not in (None, ())}
    if settings["encoder"] == "unet":
        return pretrain_unet(settings, own)
    if own:
        text = "--unlabelled, --field-width and --widths belong to --encoder unet"
        raise ValueError(text)
    return pretrain(say=say, **with_workers(settings))


def pretrain_unet(settings: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Pretrain on patches, for segment."""
    from tinyssl.commands.pretrain_patches import pretrain_patches

    if settings["weights"]:
        raise ValueError("--weights belongs to --encoder densenet121")
    if settings["folds"]:
        raise ValueError("--encoder unet goes without --folds")
    names = (
        "task",
        "data",
        "out",
        "steps",
        "batch_size",
        "lr",
        "task_options",
        "seed",
        "device",
    )
    options = {name: settings[name] for name in (*names, "skip_bad")}
    return pretrain_patches(say=say, **options, **own)


def run_finetune(**settings: Any) -> dict[str, Any]:
    """Fine-tune."""
    from tinyssl.commands.finetune import finetune

    settings["fractions"] = [percent / 100 for percent in settings["fractions"]]
    return finetune(say=say, **with_workers(settings))


def run_segment(**settings: Any) -> dict[str, Any]:
    """Segment vessels or lesions."""
    from tinyssl.commands.segment import segment

    return segment(say=say, **with_workers(settings))


def run_localize(**settings: Any) -> dict[str, Any]:
    """Find disc and fovea."""
    from tinyssl.commands.few_labels import compare_few

    settings.pop("threads")
    return compare_few("localization", say=say, **with_workers(settings))


def run_laterality(**settings: Any) -> dict[str, Any]:
    """Tell right eyes from left ones."""
    from tinyssl.commands.few_labels import compare_few

    settings.pop("threads")
    return compare_few("laterality", say=say, **with_workers(settings))


def run_grade(**settings: Any) -> list[dict[str, Any]]:
    """Grade photographs."""
    from tinyssl.commands.grade import grade

    return grade(**settings)


def run_audit(**settings: Any) -> dict[str, Any]:
    """Audit data sets."""
    from tinyssl.commands.audit import audit

    return audit(say=say, **settings)


def run_compare(**settings: Any) -> dict[str, Any]:
    """Compare two sets of images."""
    from tinyssl.compare import compare

    return compare(log=say, **settings)


def run_restoration(**settings: Any) -> dict[str, Any]:
    """Score what a network restores."""
    from tinyssl.compare import restoration

    return restoration(log=say, **settings)


def run_export(**settings: Any) -> dict[str, Any]:
    """Write disordered and restored images."""
    from tinyssl.compare import export_restored

    return export_restored(log=say, **settings)


COMMANDS = {
    "demo": run_demo,
    "lessons": run_lessons,
    "lesson": run_lesson,
    "check": run_check,
    "pretrain": run_pretrain,
    "finetune": run_finetune,
    "segment": run_segment,
    "localize": run_localize,
    "laterality": run_laterality,
    "grade": run_grade,
    "audit": run_audit,
    "compare": run_compare,
    "restoration": run_restoration,
    "export-restored": run_export,
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
