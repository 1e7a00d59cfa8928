"""The audit: what in a data set would spoil a study, found before the study is made."""

import re
from collections import Counter
from pathlib import Path

from tinyssl import runs
from tinyssl.audit import page
from tinyssl.audit.copies import find_copies
from tinyssl.audit.files import find_files
from tinyssl.audit.findings import SEVERITIES
from tinyssl.audit.leaks import find_leaks, fold_groups
from tinyssl.audit.look import look
from tinyssl.audit.shortcuts import find_shortcuts
from tinyssl.data import open_dataset
from tinyssl.files import as_csv
from tinyssl.summary import counted

IDRID_PARTS = ("A. Segmentation", "B. Disease Grading", "C. Localization")
COLUMNS = ("grade", "patient", "eye", "split")
SHOWN = 3  # groups of files in the text; all are in the JSON


def audit(s, key):
    """Do what `tinyssl.commands.audit` does, whose arguments are ``s``.

    Of results.json, returned, "findings" are the most severe first and "copies" say how
    they were told from others. Images of one group in groups.csv belong in one fold.
    The ``key`` says what stands for a name.
    """
    places = [str(place) for place in (s.data, *s.others)]
    parts, places = open_parts(places, key), [key("data", p) for p in places]
    words = [re.sub(r"\W+", "-", Path(place).name or "data") for place in places]
    out = Path(s.out or Path("runs") / "-".join(["audit", *words])[:80])
    settings = {"command": "audit", **key.settings, "data": sorted(places)}
    key.rows(out)  # refuses those of others before the work
    with runs.claimed(out, settings):
        images = counted(sum(map(len, parts.values())), "image")
        s.log(f"looking at {images} of {', '.join(parts)}")
        looks = look(parts, folder=out, threads=s.threads, progress=True)
    named = zip(looks.name, looks.part, strict=True)
    looks.shown = [key("image", name, part) for name, part in named]
    results = {"command": "audit", "data": sorted(places), "out": str(out)}
    results["parts"] = [
        {
            "name": name,
            "root": key("data", str(table.root)),
            "layout": table.layout,
            "images": int((looks.part == name).sum()),
            "unused": [key("file", words) for words in table.unused],
            "known": [c for c in COLUMNS if getattr(table, c) is not None]
            + [*table.masks, *table.points],
        }
        for name, table in parts.items()
    ]
    s.log("looking for copies")
    copies = find_copies(looks)
    findings = [*find_leaks(looks, copies["pairs"]), *find_files(looks)]
    for finding in findings:
        if not finding["rows"]:  # words, which may hold a name anywhere
            words = finding["files"]
            finding["files"] = [[key("file", w) for w in group] for group in words]
    groups = fold_groups(looks, copies["pairs"], findings)
    s.log("scoring baselines that know nothing")
    shortcuts, baselines, associations = find_shortcuts(looks, groups)
    findings += shortcuts
    findings.sort(key=lambda finding: SEVERITIES.index(finding["severity"]))
    results |= {"findings": findings, "grades": count_grades(looks)}
    results |= {"sizes": count_sizes(looks), "baselines": baselines}
    results |= {"associations": associations, "copies": copies}
    key.write(out)
    runs.write_json(out / "results.json", results)
    names = [f"g{group:05d}" for group in groups]
    rows = zip(looks.part, looks.shown, names, strict=True)
    runs.write_text(out / "groups.csv", as_csv([("part", "image", "group"), *rows]))
    page.write(out / "report.html", looks, results)
    return results | {"lines": as_text(results).splitlines()}


def as_text(results):
    """Write the results for a person: short, the most severe first."""
    lines = [
        f"{part['name']}: {part['layout']}, {counted(part['images'], 'image')}"
        + (f"; not used: {', '.join(part['unused'])}" if part["unused"] else "")
        for part in results["parts"]
    ]
    lines += [""] + (["nothing found"] if not results["findings"] else [])
    for finding in results["findings"]:
        lines.append(f"{finding['severity'].upper():8}{finding['title']}")
        lines += [f"        {finding['why']}", f"        {finding['advice']}"]
        lines += [f"          {' | '.join(f)}" for f in finding["files"][:SHOWN]]
        if finding["count"] > SHOWN:
            lines.append(f"          and {finding['count'] - SHOWN} more")
    for row in results["grades"]:
        if row["grades"]:
            counts = " ".join(f"{grade}:{n}" for grade, n in row["grades"].items())
            where = f"{row['part']} {row['split']}".rstrip()
            lines.append(f"grades  {where}: {counts}")
    lines += [
        "knows nothing  {part}, {baseline}, {scored_on}: accuracy {accuracy:.3f}, QWK "
        "{qwk:.3f}, AUC {auc:.3f}, balanced accuracy {balanced_accuracy:.3f} (chance "
        "{chance:.2f})".format(**row)
        for row in results["baselines"]
    ]
    return "\n".join(lines)


def open_parts(paths, key):
    """Return tables by the last word of their path, or by the path if two share it."""
    places = []
    for path in paths:
        inside = [Path(path) / part for part in IDRID_PARTS]
        places += [str(part) for part in inside if part.is_dir()] or [str(path)]
    places = list(dict.fromkeys(places))
    names = [Path(place).name or place for place in places]
    if key.anonymous:
        names = [key("data", place) for place in places]
    return {
        name if names.count(name) == 1 else place: open_dataset(place, skip_bad=True)
        for name, place in zip(names, places, strict=True)
    }


def count_grades(looks):
    """Return how many images of each grade every part and split has."""
    lines = []
    for part in looks.parts:
        for split in sorted(set(looks.split[looks.part == part].tolist())):
            grades = looks.grade[(looks.part == part) & (looks.split == split)]
            counts = Counter(sorted(grades.tolist()))
            line = {"part": part, "split": split, "images": len(grades)}
            line["ungraded"] = counts.pop(-1, 0)
            lines.append(line | {"grades": {str(g): n for g, n in counts.items()}})
    return lines


def count_sizes(looks):
    """Return how many images of each size every part has, most frequent first."""
    columns = [looks.part.tolist(), looks.height.tolist(), looks.width.tolist()]
    sizes = Counter(zip(*columns, strict=True)).most_common()
    return [{"part": p, "height": h, "width": w, "images": n} for (p, h, w), n in sizes]
