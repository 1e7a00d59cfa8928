"""What the command line can do: a function a command, whose signature is its usage.

Parameters before the star are arguments, those behind it options. `tinyssl.cli` makes
``tinyssl COMMAND --help`` from names, annotations, defaults and docstrings, so nothing
heavy is imported here until a command is called. Every command returns what
``results.json`` holds, with "lines" for a person; ``log`` takes a line while it works.
"""

from tinyssl.check.classroom import class_export, class_grade
from tinyssl.check.course import check, lesson, lessons
from tinyssl.commands.studies import demo, finetune, pretrain
from tinyssl.commands.tools import (
    audit,
    compare,
    export_restored,
    grade,
    profile,
    restoration,
)

SHORT = {"segment": "mask", "localize": "points", "laterality": "eye"}  # of finetune


def _named(*functions):
    """Name commands after their functions, with nothing settled."""
    return {f.__name__.replace("_", "-"): (f, {}) for f in functions}


RANKED = (pretrain, finetune)  # whose work torchrun's processes may share
COMMANDS = _named(demo, pretrain, finetune)
COMMANDS |= {name: (finetune, {"target": settled}) for name, settled in SHORT.items()}
COMMANDS |= _named(profile, grade, audit, compare, restoration, export_restored)
COMMANDS |= _named(lessons, lesson, check)
COMMANDS |= {"class export": (class_export, {}), "class grade": (class_grade, {})}
OWN_OPTIONS = {"task": "tinyssl.pretext", "target": "tinyssl.targets"}
EPILOG = """\
DATA is a folder or file: an APTOS layout, IDRiD, CHASE_DB1, HRF, DRIVE, a
MedMNIST .npz, class-named folders, a folder of images, a manifest.csv, or for
synthetic eyes toy[:N[:SIZE[:SEED]]]. Every command writes a run folder (--out)
with report.html in it, and the same command again goes on where it was stopped.
Names of files stand in what grade, audit, compare, restoration, segment and
export-restored write, those of folders in config.json and report.html of every
run: look before you hand them out, or give --anonymous where it is offered.
"""
