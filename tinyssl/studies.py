"""A study from data set to page: pretraining, and the comparison of initialisations.

Each function does what the command of its name says (`tinyssl.commands`), whose
arguments it takes as one namespace.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tinyssl import experiment, models, outcomes, pretext, ranks, runs, targets
from tinyssl._threads import cores
from tinyssl.cases import Cases, Reading
from tinyssl.data import open_dataset
from tinyssl.devices import choose_device, choose_precision
from tinyssl.pretraining import refuse_volumes
from tinyssl.report import experiment as pages
from tinyssl.starts import agree, images_processed, name_starts, notes_of, refuse_leaks
from tinyssl.task import Pretext

TRAINING = ("steps", "batch_size", "lr", "precision", "compile")  # options of it
NETWORKS = {  # for images of a size
    "small": lambda size: models.densenet_small(),
    "densenet121": lambda size: models.densenet121(num_classes=5),
    "sononet": lambda size: models.sononet_small(extra_pool=True),
    "unet": lambda size, **widths: models.UNet(**widths),
    "unet-fine": lambda size, widths=(16, 32, 64, 64): models.UNet(
        widths=widths, fold=2
    ),
    "vit": lambda size: models.ViT(patch_size=max(4, size // 8)),
}


def new_config(encoder: str, widths: Sequence[int] | None, size: int) -> dict[str, Any]:
    """Return the configuration of a network by its name on the command line."""
    if widths and not encoder.startswith("unet"):
        raise ValueError("--widths belongs to --encoder unet")
    options = {"widths": tuple(widths)} if widths else {}
    return NETWORKS[encoder](size, **options).config


def fitted(config: dict[str, Any], cases: Cases) -> dict[str, Any]:
    """Return the configuration of a network for images or, if they are, volumes."""
    if "volumes" not in cases.facts or "dims" in config:
        return config
    if config["name"] != "DenseNet":
        raise ValueError(f"{cases.facts['root']}: volumes need --encoder small")
    return config | {"dims": 3, "in_channels": 1}


def patched(cases: Cases, config: dict[str, Any]) -> Cases:
    """Return cases whose patches, if patches are shown, fit the network."""
    if not (size := cases.facts.get("patch_size")):
        return cases
    facts = cases.facts | {"patch_size": size * config.get("fold", 1)}
    return replace(cases, facts=facts)


def reading_of(s: SimpleNamespace, size: int, folds: int, out: Path, **how) -> Reading:
    """Return how a command reads its data."""
    how |= {"skip_bad": s.skip_bad, "cache": out.parent / ".tinyssl-cache"}
    return Reading(size, folds, s.seed, log=s.log, **how)


def read(target: str, data: str, reading: Reading, **options: Any) -> Cases:
    """Open a data set as a target task needs it; any other name is that of a mask."""
    if target not in targets.TARGETS:
        options = {"mask": target} | options
    table = open_dataset(data, skip_bad=reading.skip_bad)
    return targets.find(target).read(table, reading, **options)


def running(s: SimpleNamespace, jobs: int) -> dict[str, Any]:
    """Return where jobs run: a process a core where there are several, if not told."""
    workers = s.workers or (1 if s.threads > 1 else min(cores(), max(1, jobs)))
    where = {"threads": s.threads, "compile": s.compile}
    where["device"] = choose_device(s.device)
    where["precision"] = choose_precision(where["device"], s.precision)
    if ranks.size() > 1:
        refuse_given(s, ["workers"], "one process: the ranks share each job")
        workers = 1
    return where | {"workers": workers, "progress": ranks.rank() == 0}


def limits(s: SimpleNamespace) -> dict[str, Any]:
    """Join other ranks, if there are, and return when training stops."""
    ranks.join()
    return {"until": s.max_minutes and time.time() + 60 * s.max_minutes}


def pretrain(s: SimpleNamespace) -> dict[str, Any]:
    """Learn from images without labels."""
    limited = limits(s) | {"checkpoint_minutes": s.checkpoint_minutes}
    out = Path(s.out)
    runs.refuse_foreign(out)
    method = pretext.find(s.task)
    s = with_defaults(s, method)
    if s.folds and s.transductive:
        raise ValueError("--transductive goes without --folds, which hold images out")
    start = {} if s.init is None else name_starts([s.init], ["encoder"], folds=s.folds)
    config = agree(start) or new_config(s.encoder, s.widths, s.size)
    if s.weights is not None:
        report = models.load_torchvision(models.from_config(config), s.weights)
        s.log(f"{s.weights}: {report}")
    # The images, as the target task will see them
    patches = config["name"] == "UNet"
    if s.field_width is not None and not patches:
        raise ValueError("--field-width belongs to --encoder unet")
    target = "mask" if patches and s.target == "grade" else s.target
    own = {"field_width": s.field_width} if patches else {}
    how = {"transductive": s.transductive, "labelled": s.folds > 0}
    reading = reading_of(s, s.size, s.folds, out, **how)
    with ranks.one_first():
        cases = read(target, s.data, reading, **own)
        for more in s.unlabelled:
            bare = replace(reading, folds=0, labelled=False)
            cases = cases.with_more(read(target, more, bare, **own))
    cases = patched(cases, config)
    refuse_volumes(s.task, cases)
    config = method.encoder_config(fitted(config, cases), **s.options)
    # The run
    training = {k: vars(s)[k] for k in ("steps", "batch_size", "lr", "seed")}
    named = ("task", "init", "weights", "transductive", "encoders")
    settings = {"command": "pretrain", "task_options": s.options, "encoder": config}
    settings |= {k: vars(s)[k] for k in named} | cases.settings() | training
    where = running(s, cases.num_folds)
    settings["precision"] = where["precision"]
    given = {"weights": s.weights, "encoder": config, "out": out, "options": s.options}
    names = [f"encoder{k}" for k in range(s.encoders)] if s.encoders > 1 else [""]
    logs = []
    with runs.claimed(out, settings, where | ranks.described(where["device"])):
        for number, folder in enumerate(names):
            how = given | training | where | limited | {"seed": s.seed + number}
            how["init"] = next((one.of_repeat(number) for one in start.values()), None)
            logs += experiment.pretrain(s.task, cases, folder=folder, **how)
    if not ranks.leave():
        return []
    keys = ("folder", "fold", "scored_on", "scores")
    results = {"command": "pretrain", "task": s.task, "last": outcomes.last(logs)}
    results["scores"] = [{key: entry[key] for key in keys} for entry in logs]
    runs.write_json(out / "results.json", results)
    s.log("writing the page")
    pages.pretraining(out, cases, {s.task: logs})
    lines = [*outcomes.score_lines(s.task, logs), f"report: {out}/report.html"]
    return results | {"lines": lines}


def refuse_given(s: SimpleNamespace, names: Sequence[str], rule: str) -> None:
    """Refuse options that were given and belong elsewhere."""
    for name in names:
        if getattr(s, name) not in (None, False):
            raise ValueError(f"--{name.replace('_', '-')} belongs to {rule}")


def with_defaults(s: SimpleNamespace, method: type[Pretext]) -> SimpleNamespace:
    """Return the settings, where none was given those of the task or of all tasks."""
    known = {"encoder": "small", "size": 96, "steps": 600, "batch_size": 32, "lr": 3e-3}
    if not method.trains:
        names = ("encoder", "widths", "weights", "init", *TRAINING)
        rule = f"tasks that train a network, --task {s.task} trains none"
        refuse_given(s, names, rule)
        known["steps"] = 0
    known |= method.defaults
    given = {k: v for k, v in vars(s).items() if v is not None or k not in known}
    return SimpleNamespace(**known | given)


def finetune(s: SimpleNamespace) -> dict[str, Any]:
    """Compare initialisations on the same labelled images."""
    limited = limits(s)
    kind = targets.find(s.target)
    out = Path(s.out or Path("runs") / s.target)
    runs.refuse_foreign(out)
    defaults = {"folds": 5, "repeats": 1, "curve": 0, "lr": 3e-3} | kind.defaults
    if not kind.trains:
        names = ("epochs", "all_steps", *TRAINING)
        rule = f"targets that are trained, --target {s.target} trains nothing"
        refuse_given(s, names, rule)
    if s.tune:
        names, rule = ("epochs", "steps", "all_steps", "lr"), "one budget for all"
        refuse_given(s, names, f"{rule}, --tune chooses it")
    budget = budget_of(s, defaults)
    labels = [*(s.fractions or ()), *(s.images or ())]
    labels = labels or list(defaults.get("fractions") or defaults["images"])
    folds = defaults["folds"] if s.folds is None else s.folds
    folds = 0 if s.test else folds
    own, reads = dict(s.options), set(kind.read.__kwdefaults__ or ())
    how_read = {key: own.pop(key) for key in s.options if key in reads}
    # What stands beside scratch
    shared = name_starts(s.init, ["encoder"], folds=max(folds, 1))
    every = name_starts([*s.init, *s.beside], ["frozen"], folds=max(folds, 1))
    if s.beside and not (kind.probes and kind.trains and "frozen" in s.transfer):
        raise ValueError("--beside belongs to targets that probe frozen encoders")
    config = agree(shared)
    if config and (s.encoder or s.widths):
        raise ValueError("--encoder and --widths are those of --init: leave them out")
    known = next(iter(shared.values())).config if shared else {}
    if known.get("field_width") is not None:
        how_read = {"field_width": known["field_width"]} | how_read
    size = s.size or known.get("size") or 96
    config = config or new_config(s.encoder or defaults["encoder"], s.widths, size)
    members = max((len(start.members()) for start in every.values()), default=1)
    if (s.repeats or members) < members:
        rule = f"must reach {members}, as many encoders as a run holds"
        raise ValueError(f"--repeats {rule}; found {s.repeats}")
    budget["repeats"] = max(budget["repeats"], members)

    # The images and their labels
    def at(size):
        how = reading_of(s, size, folds, out)
        found = read(s.target, s.data, how, **how_read)
        if not s.test:
            return found
        return found.scored_on(read(s.target, s.test, how, **how_read))

    with ranks.one_first():
        cases = patched(at(size), config)
    config = fitted(config, cases)
    if foreign := set(own) - set((kind := kind.suited(cases)).own_options()):
        raise ValueError(
            f"--{min(foreign)} is for grades, of which {cases.facts['root']} has none: "
            "its classes are two or have no order (--order gives them one)"
        )
    if "network" in s.transfer and not kind.decodes:
        raise ValueError(f"--transfer network: {s.target} has no decoder to receive it")
    carried = [part for part in s.transfer if part != "frozen" or not kind.probes]
    carried = carried if kind.trains else ["encoder"]  # as it is: all are frozen
    starts = name_starts(s.init, carried, folds=cases.num_folds)
    for line in notes_of(cases, starts):
        s.log(line)
    if not s.transductive:
        refuse_leaks(cases, every)
    # The comparison
    again = s.same_compute and kind.trains
    extra = max(map(images_processed, s.init), default=0) * again
    named = ("target", "init", "transfer", "beside", "seed", "transductive", "tune")
    settings = {"command": "finetune", "data_path": s.data, "encoder": config}
    settings |= {k: vars(s)[k] for k in named} | cases.settings() | own | budget
    settings |= {"labels": labels, "pretrain_images": extra}
    where = running(s, 2 * len(labels))
    settings["precision"] = where["precision"]
    how = {"encoder": config, "out": out, "seed": s.seed, **where, **limited, **own}
    how |= {"pretrain_images": extra, "curve": defaults["curve"]}
    how |= {"schedules": experiment.SCHEDULES if s.tune and kind.trains else ()}
    layout = where | ranks.described(where["device"])
    with runs.claimed(out, settings, layout, growing=("init", "beside", "labels")):
        rows = compare(kind, cases, starts, labels, budget, how)
    if not ranks.leave():
        return []
    beside = {"labels": labels, "repeats": budget["repeats"], "seed": s.seed}
    blind, frozen = experiment.baseline_rows(kind, cases, **beside), []
    if "frozen" in s.transfer and kind.probes:
        s.log("fitting probes to the frozen encoders")
        runs_beside = {*map(Path, s.beside)}
        others = {k: one.config for k, one in every.items() if one.run in runs_beside}
        others = {k: (sized(c, cases, at), c["encoder"]) for k, c in others.items()}
        beside |= {"encoder": config, "device": where["device"], "beside": others}
        frozen = experiment.frozen_rows(kind, cases, every, **beside)
    results = {"command": "finetune", "target": s.target}
    results |= outcomes.conclude(kind, cases, rows, blind, frozen)
    results["seconds"] = {"CPU minutes": outcomes.cpu_minutes(rows, starts, out)}
    s.log("writing the results and the page")
    trained = {"encoder": config, "out": out, "labels": labels, **own}
    outcomes.finish(out, kind, cases, results, trained)
    pages.comparison(out, kind, cases, results, trained)
    lines = [*outcomes.result_lines(results), f"report: {out}/report.html"]
    return results | {"lines": lines}


def sized(config: dict[str, Any], cases: Cases, at: Callable[[int], Cases]) -> Cases:
    """Return the same cases with images as large as those that a run has seen."""
    if config["size"] == cases.facts["size"]:
        return cases
    columns = cases.columns | {"image": at(config["size"]).columns["image"]}
    return replace(cases, columns=columns, facts=cases.facts | {"size": config["size"]})


def budget_of(s: SimpleNamespace, defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the training budget: what was given, else the target's defaults."""
    names = ("repeats", "epochs", "steps", "all_steps", "batch_size", "lr")
    given = {k: v for k in names if (v := getattr(s, k)) is not None}
    if {"epochs", "steps"} <= set(given):
        raise ValueError("--epochs and --steps: give one of them")
    budget = {name: defaults.get(name) for name in names} | given
    if "steps" in given:
        budget["epochs"] = None
    elif "epochs" in given:
        budget["steps"] = budget["all_steps"] = None
    return budget


def compare(kind, cases, starts, labels, budget, how) -> list[dict[str, Any]]:
    """Compare with some labelled images, and with all where that has its own budget."""
    plain = {name: value for name, value in budget.items() if name != "all_steps"}
    parts = [(labels, plain)]
    if (steps := budget["all_steps"]) and "all" in labels:
        longer = plain | {"steps": steps, "repeats": min(2, plain["repeats"])}
        some = [count for count in labels if count != "all"]
        parts = [(some, plain), (["all"], longer)]
    run = experiment.compare_starts
    parts = [dict(labels=some, **length, **how) for some, length in parts if some]
    return [row for options in parts for row in run(kind, cases, starts, **options)]
