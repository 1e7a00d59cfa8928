"""A study from data set to page: pretraining, and the comparison of initialisations."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import experiment, models, pretext, runs, targets
from tinyssl.cases import Cases, Reading
from tinyssl.data import open_dataset
from tinyssl.jobs import cores
from tinyssl.report import experiment as pages
from tinyssl.starts import (
    agree,
    images_processed,
    name_starts,
    notes_of,
    refuse_leaks,
)
from tinyssl.summary import SCRATCH, best_average, format_table, summarise
from tinyssl.tables import load
from tinyssl.task import Target
from tinyssl.training import choose_device

Log = Callable[[str], None]
WIDTHS = (16, 32, 64)  # channels of the U-Net


def new_config(encoder: str, widths: Sequence[int] | None = None) -> dict[str, Any]:
    """Return the configuration of a network by its name on the command line."""
    if widths and encoder != "unet":
        raise ValueError("--widths belongs to --encoder unet")
    networks = {
        "small": models.densenet_small,
        "densenet121": lambda: models.densenet121(num_classes=5),
        "sononet": lambda: models.sononet_small(extra_pool=True),
        "unet": lambda: models.UNet(widths=tuple(widths or WIDTHS)),
    }
    return networks[encoder]().config


def read(
    target: str, data: str, reading: Reading, test: str | None = None, **options: Any
) -> tuple[type[Target], Cases]:
    """Open a data set as a target task needs it; any other name is that of a mask."""
    kind = targets.find(target)
    if target not in targets.TARGETS:
        options = {"mask": target} | options
    table = open_dataset(data, skip_bad=reading.skip_bad)
    if test is None:
        return kind, kind.read(table, reading, **options)
    reading = replace(reading, folds=0)
    other = open_dataset(test, skip_bad=reading.skip_bad)
    both = (kind.read(part, reading, **options) for part in (table, other))
    return kind, next(both).scored_on(next(both))


def processes(workers: int | None, threads: int, jobs: int) -> int:
    """Take a process a core where there are several jobs, unless told otherwise."""
    return workers or (1 if threads > 1 else min(cores(), jobs))


def pretrain(
    data: str,
    *,
    task: str,
    encoder: str,
    size: int,
    widths: Sequence[int] | None,
    field_width: int | None,
    weights: Path | None,
    init: Path | None,
    unlabelled: Sequence[str],
    folds: int,
    target: str,
    transductive: bool,
    skip_bad: bool,
    seed: int,
    threads: int,
    workers: int | None,
    device: str,
    out: Path,
    log: Log,
    steps: int,
    batch_size: int,
    lr: float,
    **options: Any,
) -> dict[str, Any]:
    """Do what `tinyssl.commands.pretrain` says."""
    if folds and transductive:
        raise ValueError("--transductive goes without --folds, which hold images out")
    if field_width is not None and encoder != "unet":
        raise ValueError("--field-width belongs to --encoder unet")
    pretext.find(task)
    start = None if init is None else name_starts([init], ["encoder"], folds=folds)
    config = agree(start) if start else new_config(encoder, widths)
    if weights is not None:
        log(
            f"{weights}: {models.load_torchvision(models.from_config(config), weights)}"
        )
    reading = Reading(size, folds, seed, transductive, skip_bad, labelled=folds > 0)
    reading = replace(reading, cache=Path(out).parent / ".tinyssl-cache", log=log)
    patches = config["name"] == "UNet"
    own = {"field_width": field_width} if patches else {}
    kind = "mask" if patches and target == "grade" else target
    reading = replace(reading, labelled=folds > 0 and not patches)
    _, cases = read(kind, data, reading, **own)
    for more in unlabelled:
        quiet = replace(reading, folds=0, labelled=False)
        cases = cases.with_more(read(kind, more, quiet, **own)[1])
    settings = {"command": "pretrain", "task": task, "encoder": config, "init": init}
    settings |= cases.settings() | {"steps": steps, "batch_size": batch_size, "lr": lr}
    settings |= {"seed": seed, "weights": weights, "task_options": options}
    settings |= {"transductive": transductive}
    running = {"threads": threads, "device": choose_device(device)}
    runs.claim(Path(out), settings, running)
    logs = experiment.pretrain(
        task,
        cases,
        encoder=config,
        out=Path(out),
        init=next(iter(start.values())) if start else None,
        weights=weights,
        options=options,
        workers=processes(workers, threads, cases.num_folds),
        progress=True,
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        seed=seed,
        **running,
    )
    results = {"command": "pretrain", "task": task, "last": last(logs)}
    keys = ("fold", "scored_on", "scores")
    results["scores"] = [{key: entry[key] for key in keys} for entry in logs]
    runs.write_json(Path(out) / "results.json", results)
    pages.pretraining(Path(out), cases, {task: logs}, runs.read_config(out))
    return results | {"lines": [*score_lines(task, logs), f"report: {out}/report.html"]}


def last(logs: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Average the last tenth of each fold's log."""
    tails = [entry["rows"][-max(1, len(entry["rows"]) // 10) :] for entry in logs]
    left_out = ("step", "lr", "seconds")
    return [
        {k: float(np.mean([r[k] for r in tail])) for k in tail[-1] if k not in left_out}
        for tail in tails
    ]


def score_lines(task: str, logs: Sequence[dict[str, Any]]) -> list[str]:
    """Write the scores of a pretext task, a line a fold."""
    lines = []
    for entry in logs:
        place = (
            "" if entry["fold"] is None or len(logs) < 2 else f", fold {entry['fold']}"
        )
        numbers = {k: v for k, v in entry["scores"].items() if isinstance(v, float)}
        text = ", ".join(f"{key} {value:.3f}" for key, value in numbers.items())
        lines.append(f"{task}{place}, {entry['scored_on']}: {text}")
    return lines


def finetune(
    data: str,
    *,
    target: str,
    init: Sequence[Path],
    transfer: Sequence[str],
    encoder: str | None,
    size: int | None,
    widths: Sequence[int] | None,
    test: str | None,
    fractions: Sequence[float] | None,
    images: Sequence[int | str] | None,
    folds: int | None,
    transductive: bool,
    skip_bad: bool,
    same_compute: bool,
    seed: int,
    threads: int,
    workers: int | None,
    device: str,
    out: Path | None,
    log: Log,
    **settings: Any,
) -> dict[str, Any]:
    """Do what `tinyssl.commands.finetune` says."""
    out = Path(out) if out else Path("runs") / target
    kind = targets.find(target)
    defaults = {"folds": 5, "repeats": 1, "curve": 0} | kind.defaults
    budget = _budget(settings, defaults)
    labels = [*(fractions or ()), *(images or ())]
    labels = labels or defaults.get("fractions") or defaults["images"]
    folds = defaults["folds"] if folds is None else folds
    own = {name: settings.pop(name) for name in list(settings)}
    chosen = {k: own.pop(k) for k in list(own) if k in _reads(kind)}
    # What stands beside scratch
    shared = name_starts(init, ["encoder"], folds=1 if test else max(folds, 1))
    config = agree(shared)
    if config and (encoder or widths):
        raise ValueError("--encoder and --widths are those of --init: leave them out")
    config = config or new_config(encoder or defaults["encoder"], widths)
    first = next(iter(shared.values())).config if shared else {}
    side = size or first.get("size") or 96
    if first.get("field_width") is not None and chosen.get("field_width") is None:
        chosen["field_width"] = first["field_width"]
    reading = Reading(side, folds, seed, False, skip_bad)
    reading = replace(reading, cache=out.parent / ".tinyssl-cache", log=log)
    kind, cases = read(target, data, reading, test, **chosen)
    carried = [part for part in transfer if part != "frozen" or not kind.probes]
    starts = name_starts(init, carried, folds=cases.num_folds)
    for line in notes_of(cases, starts):
        log(line)
    if not transductive:
        refuse_leaks(cases, shared)
    # The comparison
    extra = max(map(images_processed, init), default=0) if same_compute else 0
    record = {"command": "finetune", "target": target, "init": list(init)}
    record |= {"transfer": list(transfer), "encoder": config, "labels": list(labels)}
    record |= cases.settings() | budget | own | {"pretrain_images": extra}
    record |= {"seed": seed, "transductive": transductive, "data_path": data}
    running = {"threads": threads, "device": choose_device(device)}
    runs.claim(out, record, running)
    jobs = processes(workers, threads, 2 * len(labels))
    running |= {"workers": jobs, "progress": True}
    how = {"encoder": config, "out": out, "seed": seed, **running, **own}
    how |= {"pretrain_images": extra, "curve": defaults["curve"]}
    rows = _rows(kind, cases, starts, labels, budget, how)
    plans = {"labels": labels, "repeats": budget["repeats"], "seed": seed}
    baselines = experiment.baseline_rows(kind, cases, **plans)
    frozen = []
    if "frozen" in transfer:
        still = name_starts(init, ["frozen"], folds=cases.num_folds)
        options = {"encoder": config, "device": running["device"], **plans}
        frozen = experiment.frozen_rows(kind, cases, still, **options)
    results = {"command": "finetune", "target": target}
    results |= conclude(kind, cases, rows, baselines, frozen)
    options = {"encoder": config, "out": out, "labels": labels, **own}
    trained = experiment.loader(kind, cases, **options)
    if kind.keeper:
        keep = load(kind.keeper)
        results["kept"] = keep(out, cases, results, trained, config)
    for row in rows:  # the job files keep them
        for name in ("answers", "test_answers", "held"):
            row.pop(name, None)
    runs.write_json(out / "results.json", results)
    pages.comparison(out, kind, cases, results, trained, runs.read_config(out))
    return results | {"lines": [*result_lines(results), f"report: {out}/report.html"]}


def _budget(settings: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Take the training budget out of the settings, with the target's defaults."""
    names = ("repeats", "epochs", "steps", "all_steps", "batch_size", "lr")
    given = {name: settings.pop(name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    if {"epochs", "steps"} <= set(given):
        raise ValueError("--epochs and --steps: give one of them")
    known = {name: defaults.get(name) for name in names} | given
    if "steps" in given:
        known["epochs"] = None
    if "epochs" in given:
        known["steps"] = known["all_steps"] = None
    return known


def _reads(kind: type[Target]) -> set[str]:
    """Return the options of a target that its reading takes."""
    return set(kind.own_options()) & set(kind.read.__kwdefaults__ or {})


def _rows(kind, cases, starts, labels, budget, how) -> list[dict[str, Any]]:
    """Compare with some labelled images, and with all where that has its own budget."""
    budget = dict(budget)
    all_steps = budget.pop("all_steps")
    if all_steps is None or "all" not in labels:
        return experiment.compare_starts(
            kind, cases, starts, labels=labels, **budget, **how
        )
    few = [count for count in labels if count != "all"]
    rows = []
    if few:
        rows += experiment.compare_starts(
            kind, cases, starts, labels=few, **budget, **how
        )
    budget |= {"steps": all_steps, "repeats": min(2, budget["repeats"])}
    return rows + experiment.compare_starts(
        kind, cases, starts, labels=["all"], **budget, **how
    )


def conclude(
    target: type[Target],
    cases: Cases,
    rows: list[dict[str, Any]],
    baselines: list[dict[str, Any]],
    frozen: list[dict[str, Any]],
) -> dict[str, Any]:
    """Summarise the rows by every metric; the first is the main one."""
    names = [name for name in target.metrics if name in rows[0]["scores"]]

    def tables_of(some, where="scores"):
        scored = [row | {"scores": row[where]} for row in some]
        share = cases.test_share
        return {
            name: summarise(scored, name, target.metrics[name], test_share=share)
            for name in names
        }

    found, main = tables_of(rows), names[0]
    results = {"rows": rows, "summary": found.pop(main), "more": found}
    if baselines:
        results["baselines"] = tables_of(baselines)[main]
    if frozen:
        results["frozen"] = tables_of(frozen)[main]
    if "test" in rows[0]:
        results["test"] = tables_of(rows, "test")
    results["notes"] = target.notes(cases)
    most = max(line["labels"] for line in results["summary"])
    lines = [line for line in results["summary"] if line["labels"] == most]
    best = [x["init"] for x in lines if x["avg"] == best_average(lines)]
    results["shown"] = list(dict.fromkeys([SCRATCH, *best[:1]]))
    return results


def result_lines(results: dict[str, Any]) -> list[str]:
    """Write the tables of a comparison for a person."""
    tables = [results["summary"]]
    tables += [results[name] for name in ("frozen", "baselines") if name in results]
    tables += results["more"].values()
    lines = [format_table(table) + "\n" for table in tables]
    for metric, table in results.get("test", {}).items():
        lines.append(f"official test images, {metric}\n{format_table(table)}\n")
    lines += [f"{name}: {value}" for name, value in results["notes"].items()]
    return lines
