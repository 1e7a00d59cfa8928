"""The report of ``localize`` and ``laterality``."""

from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import plots
from tinyssl.commands.pages import findings, more_compute
from tinyssl.downstream.few_labels import BASELINE, FewLabels
from tinyssl.report import Section, efficiency_table, write_report
from tinyssl.summary import SCRATCH, best_average

TITLES = {
    "localization": "Disc and fovea from a few labelled images",
    "laterality": "Right eye or left from a few labelled images",
}
MEASURES = {
    "localization": "Distances are in disc diameters; a point within half of one is "
    "found. ",
    "laterality": "Accuracy on whole images, each asked straight and mirrored. ",
}
METHOD = (
    "Every start was trained with the same budget on the same labelled images of the "
    "same folds, patients whole{}. Pretraining saw none of these images. Each point is "
    "a fold; intervals are paired, with the correction of Nadeau and Bengio for "
    "training parts that overlap."
)


def comparison(out: Path, shared: FewLabels, results: dict[str, Any]) -> Path:
    """Write the report of one comparison."""
    name = BASELINE[shared.target]
    starts, *others = (
        [line for line in table if line["init"] != name]
        for table in (results["summary"], *results["more"].values())
    )
    found = findings(starts, dict(zip(results["more"], others, strict=True)))
    known = [line for line in results["summary"] if line["init"] == name]
    main = starts[0]["metric"]
    rows = results["rows"]
    figures = [
        (
            plots.label_efficiency(starts, baselines=known, metric=main),
            "Each point is a fold.",
        )
    ]
    if any("difference" in line for line in starts):
        caption = "Mean over the folds with its 95 % interval."
        figures.append((plots.differences(starts), caption))
    tables = [efficiency_table(starts, baselines=known, rows=rows, caption="")]
    tables += [
        efficiency_table(table, rows=rows, caption="")
        for table in results["more"].values()
    ]
    text = [found, MEASURES[shared.target] + METHOD.format(more_compute(starts))]
    sections = [Section("Scores by number of labelled images", text, figures, tables)]
    if shared.target == "localization":
        sections.append(points_section(shared, rows, starts))
    page = out / "report.html"
    facts = {name: str(value) for name, value in results["notes"].items()}
    write_report(page, TITLES[shared.target], sections, subtitle=found, facts=facts)
    return page


def points_section(
    shared: FewLabels, rows: list[dict[str, Any]], starts: list[dict[str, Any]]
) -> Section:
    """Show what scratch and the best start found with the most labels."""
    most = max(line["labels"] for line in starts)
    lines = [line for line in starts if line["labels"] == most]
    best = next(x["init"] for x in lines if x["avg"] == best_average(lines))
    radius = shared.disc_diameter / 2 * shared.images.shape[1]
    figures = []
    for init in dict.fromkeys((SCRATCH, best)):
        row = next(r for r in rows if r["init"] == init and r["labels"] == most)
        held, answers = np.array(row["held"])[:8], np.array(row["answers"])[:8]
        layers = shared.images[held], shared.truth[held], answers
        figure = plots.localizations(*layers, radius=radius)
        caption = f"{init}, {most} labelled images, held-out images of the first fold."
        figures.append((figure, caption))
    text = "Circles have the radius of half a disc diameter around the true place."
    return Section("Points found", [text], figures)
