"""``tinyssl restoration`` and ``export-restored``: what a restoring network gives back.

Both rebuild the network from a run folder of ``pretrain --task restoration`` and know
by content which images it has seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tinyssl.commands.prepare import choose_device
from tinyssl.commands.say import Say, silent
from tinyssl.study import Study

from tinyssl import data as datasets
from tinyssl import experiments, runs
from tinyssl.commands import restored_pages
from tinyssl.data.copies import content_groups
from tinyssl.data.images import round_mask
from tinyssl.downstream import restoration as quality
from tinyssl.downstream.features import extract, load_features
from tinyssl.pretext import ContextRestoration

OWN = "encoder"  # features of the run's own encoder


@dataclass(frozen=True, eq=False)
class Restorers:
    """A run's networks, and the images that they can be asked to restore.

    Parameters
    ----------
    tasks : dict of str to ContextRestoration
        By folder: "" or "fold0", "fold1", ...
    seen : dict of str to set of str
        Content hashes of the images that each network learned from.
    table : Table
    images : (N, S, S, 3) uint8 array
    groups : (N,) int64 array
        Patients and copies.
    hashes : list of str
    """

    tasks: dict[str, ContextRestoration]
    seen: dict[str, set[str]]
    table: datasets.Table
    images: np.ndarray
    groups: np.ndarray
    hashes: list[str]

    def blind(self) -> list[str | None]:
        """Return for each image a network that has not seen it; None if all have."""
        return [
            next((name for name in self.tasks if h not in self.seen[name]), None)
            for h in self.hashes
        ]

    @property
    def field(self) -> np.ndarray | None:
        """Where images are not black by construction."""
        return round_mask(self.images.shape[1]) if self.table.is_fundus else None


def open_restorers(
    run: Path, data: str | Path, *, skip_bad: bool = False, device: str = "auto"
) -> Restorers:
    """Rebuild the networks of a run, and read the images as it read its own.

    Raises
    ------
    ValueError
        If the run is no pretraining by restoration of whole images, or unfinished.
    """
    run = Path(run)
    config = runs.read_config(run)
    found = f"{config.get('command')} {config.get('task', '')}".strip()
    if found != "pretrain restoration":
        raise ValueError(f"{run} must be a run of pretrain --task restoration: {found}")
    if "size" not in config:
        raise ValueError(
            f"{run} learned from patches (--encoder unet): whole images need "
            "--encoder small, sononet or densenet121"
        )
    folders = [run] if not config["folds"] else sorted(run.glob("fold*"))
    folders = [folder for folder in folders if (folder / "task.pt").is_file()]
    if not folders:
        raise ValueError(f"{run} has no task.pt: its pretraining was not finished")
    table = datasets.open_dataset(data, skip_bad=skip_bad)
    table = replace(table, is_fundus=config["is_fundus"])
    images, table = datasets.load_images(table, config["size"], skip_bad=skip_bad)
    groups = content_groups(images, table.patient)
    hashes = runs.content_hashes(table.images)
    study = Study(
        images=images,
        grades=np.full(len(table), -1),
        groups=groups,
        fold=np.full(len(table), -1),
        encoder=config["encoder"],
        num_grades=2,
        is_fundus=table.is_fundus,
        hashes=hashes,
        out=run,
    )
    tasks, seen = {}, {}
    for folder in folders:
        name = "" if folder == run else folder.name
        options = config["task_options"]
        task = experiments.build_pretext("restoration", study, **options)
        task.load_state_dict(runs.load_plain(folder / "task.pt"))
        tasks[name] = task.to(choose_device(device)).eval()
        seen[name] = set(runs.load_plain(folder / "encoder.pt")["seen"])
    return Restorers(tasks, seen, table, images, groups, hashes)


def restore_all(
    restorers: Restorers,
    models: Sequence[str],
    index: np.ndarray,
    *,
    draw: int,
    seed: int,
) -> quality.Restored:
    """Disorder and restore some images, each by the network named for it."""
    parts, order = [], []
    for name in dict.fromkeys(models):
        some = np.array([m == name for m in models])
        order.append(np.flatnonzero(some))
        parts.append(
            quality.disorder_and_restore(
                restorers.tasks[name],
                restorers.images[index[some]],
                numbers=index[some],
                draw=draw,
                seed=seed,
                field=restorers.field,
            )
        )
    back = np.argsort(np.concatenate(order))
    names = ("images", "disordered", "restored", "swaps")
    return quality.Restored(
        *(np.concatenate([getattr(p, name) for p in parts])[back] for name in names)
    )


def restoration(
    run: Path,
    data: str | Path,
    *,
    out: Path,
    features: Sequence[str] = ("random", OWN),
    dim: int | None = None,
    skip_bad: bool = False,
    seed: int = 0,
    device: str = "auto",
    say: Say = silent,
) -> dict[str, Any]:
    """Score what a run restores on images that it has not seen, beside copying.

    Parameters
    ----------
    run : path
        Folder of ``pretrain --task restoration``.
    data : path
        See ``tinyssl.data.open_dataset``. With folds each image is restored by a
        network that was blind to it; images that all have seen are left out.
    out : path
        Run folder.
    features : sequence of str
        "random", "encoder" (the run's own), a run folder or a file; see
        ``tinyssl.downstream.features.load_features``.
    dim : int, optional
        Project the features to that many: for few images.
    skip_bad : bool
    seed : int
        Of the swaps and of every draw.
    device : str
    say : callable

    Returns
    -------
    dict
        What ``results.json`` holds: "images" (scores of each), "scores" (averages
        with intervals), "distances" (one a kind of features), "notes".

    Raises
    ------
    ValueError
        If every image was seen in pretraining, or the run does not restore.
    """
    run, out = Path(run), Path(out)
    restorers = open_restorers(run, data, skip_bad=skip_bad, device=device)
    blind = restorers.blind()
    index = np.flatnonzero([name is not None for name in blind])
    N = len(blind)
    if len(index) == 0:
        raise ValueError(
            f"{run} was pretrained on all {N} images of {data}: only images it has not "
            "seen say how well it restores"
        )
    settings = {"command": "restoration", "run": run, "data": data, "seed": seed}
    runs.claim(out, settings | {"features": features, "dim": dim})
    say(f"{data}: {len(index)} images to restore, {N - len(index)} seen and left out")
    models = [blind[i] for i in index]
    found = restore_all(restorers, models, index, draw=0, seed=seed)
    rows, groups = quality.score_images(found), restorers.groups[index]
    names = [restorers.table.names[i] for i in index]
    results = {
        "command": "restoration",
        "images": [{"image": n} | row for n, row in zip(names, rows, strict=True)],
        "scores": quality.summarise(rows, groups=groups, rng=seed),
        "distances": [],
    }
    for source in features if len(index) > 1 else ():
        first = next(iter(restorers.tasks))
        source = run / first / "encoder.pt" if source == OWN else source
        network, name = load_features(source, seed=seed)
        some = [
            extract(images, network, dim=dim, device=choose_device(device))
            for images in (found.images, found.restored, found.disordered)
        ]
        line = quality.set_distances(*some, groups=groups, rng=seed)
        results["distances"].append({"features": name} | line)
    results["notes"] = restored_pages.notes(results, N)
    runs.write_json(out / "results.json", results)
    task = next(iter(restorers.tasks.values()))
    restored_pages.report(out, found, results, task, run=run, data=data)
    return results
