"""Target tasks: what the pretrained networks are for. One short file a task.

`TARGETS` names them for the command line, the experiment and the tests. Any mask that
a data set has is a target too: ``MA`` is the target "mask" with ``mask="MA"``.
"""

from typing import Any

from tinyssl import tables

TARGETS = {
    "grade": "grading:Grading",
    "class": "classification:Classification",
    "eye": "laterality:Laterality",
    "points": "localization:Localization",
    "zero_shot": "zero_shot:ZeroShot",
    "anomaly": "anomaly:Anomaly",
    "mask": "segmentation:Segmentation",
}


def find(name: str) -> Any:
    """Return the class of a target task; any other name is that of a mask."""
    return tables.find(__name__, TARGETS, name if name in TARGETS else "mask")


def options_of(name: str) -> dict[str, tuple[Any, Any, str]]:
    """Return the options of a target task; see `tinyssl.tables.options_of`."""
    return tables.options_of(find(name))


def __getattr__(name: str) -> Any:
    return tables.find_class(__name__, TARGETS, name)
