"""What a study found: its scores summarised, kept, and written for a person."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyssl import runs, summary
from tinyssl.tables import load


def last(logs: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Average the last tenth of each fold's log."""
    tails = [entry["rows"][-max(1, len(entry["rows"]) // 10) :] for entry in logs]
    if not all(tails):  # nothing was trained
        return []
    names = [name for name in tails[0][-1] if name not in ("step", "lr", "seconds")]
    return [{k: float(np.mean([r[k] for r in tail])) for k in names} for tail in tails]


def score_lines(task: str, logs: Sequence[dict[str, Any]]) -> list[str]:
    """Write the scores of a pretext task, a line a fold."""
    lines = []
    for entry in logs:
        several = entry["folder"].startswith("encoder")
        place = f", {entry['folder'].partition('/')[0]}" if several else ""
        folds = len({other["fold"] for other in logs}) > 1
        place += f", fold {entry['fold']}" if folds else ""
        numbers = {k: v for k, v in entry["scores"].items() if isinstance(v, float)}
        text = ", ".join(f"{key} {value:.3f}" for key, value in numbers.items())
        lines.append(f"{task}{place}, {entry['scored_on']}: {text}")
    return lines


def conclude(target, cases, rows, baselines, frozen) -> dict[str, Any]:
    """Summarise the rows by every metric; the first is the main one."""
    names = [name for name in target.metrics if name in rows[0]["scores"]]

    def tables(some, where="scores"):
        scored = [row | {"scores": row[where]} for row in some]
        of, how = target.metrics, {"test_share": cases.test_share}
        found = {k: summary.summarise(scored, k, of[k], **how) for k in names}
        return {k: summary.holm(lines) for k, lines in found.items()}

    found, main = tables(rows), names[0]
    results = {"rows": rows, "summary": found.pop(main), "more": found}
    results["asked"] = [*baselines, *frozen]  # with all their scores
    if baselines:
        results["baselines"] = tables(baselines)[main]
    if frozen:  # beside the same networks from scratch
        base = summary.reference(rows)
        beside = tables([*(row for row in rows if row["init"] == base), *frozen])[main]
        results["frozen"] = [line for line in beside if line["init"] != base]
    if "test" in rows[0]:
        results["test"] = tables(rows, "test")
    results["notes"] = target.notes(cases) | chosen_schedules(rows)
    _, lines = summary.by_labels(results["summary"]).popitem()  # with the most labels
    best = [x["init"] for x in lines if x["avg"] == summary.best_average(lines)]
    results["shown"] = list(dict.fromkeys([summary.reference(rows), *best[:1]]))
    return results


def chosen_schedules(rows) -> dict[str, str]:
    """Say which schedules were chosen for each initialisation, and how often."""
    said = {}
    for row in rows:
        if plan := row.get("schedule"):
            words = [f"{plan['steps']} steps"]
            words += [f"rate {plan['lr']:g}"] if "lr" in plan else []
            if "encoder_rate" in plan:
                words += [f"encoder at {plan['encoder_rate']:g} of the rate"]
            words += ["frozen"] if plan.get("frozen") else []
            said.setdefault(row["init"], Counter())[" ".join(words)] += 1
    each = ((init, found.most_common()) for init, found in said.items())
    texts = [f"{i} {', '.join(f'{n} × {w}' for w, n in found)}" for i, found in each]
    return {"schedules": "; ".join(texts)} if texts else {}


def cpu_minutes(rows, starts, out) -> str:
    """Say how long processors worked on each initialisation, and on pretraining it."""
    files = sorted((out / "jobs").glob("choice-*.json"))  # of schedules
    choices = [runs.read_json(path, "key", "result") for path in files]
    spent = [(row["init"], row["seconds"]) for row in rows]
    spent += [(x["key"]["job"]["init"], x["result"]["seconds"]) for x in choices]
    said = []
    for init in dict.fromkeys(row["init"] for row in rows):
        own = sum(seconds for name, seconds in spent if name == init)
        said.append(f"{init} {own / 60:.1f}")
        if init in starts:
            done = starts[init].run.rglob("done.json")
            before = [runs.read_json(x, "result")["result"]["seconds"] for x in done]
            said[-1] += f" after {sum(before) / 60:.1f} of pretraining"
    return ", ".join(said)


def finish(out, kind, cases, results, trained) -> None:
    """Keep the best models where the target says how, and write the results."""
    if kind.keeper and "volumes" not in cases.facts:
        results["kept"] = load(kind.keeper)(out, kind, cases, results, trained)
    for row in results["rows"]:  # the job files keep them
        for name in ("answers", "test_answers", "held"):
            row.pop(name, None)
    runs.write_json(out / "results.json", results)


def result_lines(results: dict[str, Any]) -> list[str]:
    """Write the tables of a comparison for a person."""
    tables = [results["summary"]]
    tables += [results[name] for name in ("frozen", "baselines") if name in results]
    notes = dict(results["notes"])
    lines = [f"WARNING: {notes.pop('WARNING')}\n"] if "WARNING" in notes else []
    lines += [summary.format_table(table) + "\n" for table in tables]
    compared = sum("holm" in line for line in results["summary"])
    if compared > 1:
        lines.append(f"verdicts: after Holm's correction for {compared} comparisons\n")
    every = [results["summary"], *results["more"].values()]
    lines.append(summary.format_scores(every) + "\n")
    for table in results.get("test", {}).values():
        lines.append(f"official test images: {summary.format_table(table)}\n")
    for line in results.get("ensembles", ()):
        each = line["scores"].items()
        scores = ", ".join(f"{k} {summary.number(v)}" for k, v in each)
        labels = summary.name_group(line["labels"])
        models = f"{line['models']} models averaged, {labels}"
        lines.append(f"test, {models}, {line['init']}: {scores}")
    notes |= results.get("seconds", {})
    return lines + [f"{name}: {value}" for name, value in notes.items()]
