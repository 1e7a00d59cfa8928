"""What the command line can do: a function a command, whose signature is its usage.

Parameters before the star are arguments, those behind it options. `tinyssl.cli` makes
``tinyssl COMMAND --help`` from names, annotations, defaults and docstrings, so nothing
heavy is imported here but inside the functions. Every command returns what
``results.json`` holds, with "lines" for a person; ``log`` takes a line while it works.
"""

from tinyssl.commands.course import check, lesson, lessons
from tinyssl.commands.learning import demo, finetune, pretrain, profile
from tinyssl.commands.tools import audit, compare, export_restored, grade, restoration

SHORT = {"segment": "mask", "localize": "points", "laterality": "eye"}  # of finetune


def _named(*functions):
    """Name commands after their functions, with nothing settled."""
    return {f.__name__.replace("_", "-"): (f, {}) for f in functions}


COMMANDS = _named(demo, pretrain, finetune)
COMMANDS |= {name: (finetune, {"target": settled}) for name, settled in SHORT.items()}
COMMANDS |= _named(profile, grade, audit, compare, restoration, export_restored)
COMMANDS |= _named(lessons, lesson, check)
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
