"""The synthetic eyes as a Table: toy, toy:N, toy:N:SIZE and toy:N:SIZE:SEED."""

import re
from pathlib import Path

from tinyssl.data.table import DataError, Table

DEFAULTS = (500, 96, 0)  # how many, pixels, seed


def read_toy(spec: str) -> Table:
    """Return synthetic eyes, the same for the same words."""
    from tinyssl.data import toy  # compiles its painter: not for every reader

    pattern = r"toy(?::(\d{1,7})(?::(\d{1,4})(?::(\d{1,9}))?)?)?"
    match = re.fullmatch(pattern, spec)
    given = match.groups() if match else ("0", "0", "0")
    n, size, seed = (int(g or d) for g, d in zip(given, DEFAULTS, strict=True))
    if n < 1 or size < 16:
        raise DataError(
            f"{spec}: must be toy, toy:N, toy:N:SIZE or toy:N:SIZE:SEED "
            "with N >= 1 and SIZE >= 16"
        )
    eyes = toy.fundus(n, size=size, rng=seed)
    return Table(
        layout="toy",
        root=Path(spec),
        names=tuple(f"toy{i:05d}" for i in range(n)),
        images=eyes.images,
        grade=eyes.grades,
        patient=eyes.patient,
        eye=eyes.eye,
        masks={"vessel": eyes.vessels, **eyes.lesions},
        region=eyes.field_of_view,
        points={"disc": eyes.disc, "fovea": eyes.fovea},
    )
