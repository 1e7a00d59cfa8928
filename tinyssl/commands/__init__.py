"""What the command line can do: a function a command, whose signature is its usage.

Parameters before the star are arguments, those behind it options. `tinyssl.cli` makes
``tinyssl COMMAND --help`` from names, annotations, defaults and docstrings, so nothing
heavy is imported here but inside the functions. Every command returns what
``results.json`` holds, with "lines" for a person; ``log`` takes a line while it works.
"""

from tinyssl.commands.course import check, lesson, lessons
from tinyssl.commands.learning import demo, finetune, pretrain
from tinyssl.commands.tools import audit, compare, export_restored, grade, restoration

COMMANDS = {  # function, and what a short form settles
    "demo": (demo, {}),
    "pretrain": (pretrain, {}),
    "finetune": (finetune, {}),
    "segment": (finetune, {"target": "mask"}),
    "localize": (finetune, {"target": "points"}),
    "laterality": (finetune, {"target": "eye"}),
    "grade": (grade, {}),
    "audit": (audit, {}),
    "compare": (compare, {}),
    "restoration": (restoration, {}),
    "export-restored": (export_restored, {}),
    "lessons": (lessons, {}),
    "lesson": (lesson, {}),
    "check": (check, {}),
}
OWN_OPTIONS = {"task": "tinyssl.pretext", "target": "tinyssl.targets"}
EPILOG = """\
DATA is a folder or file: an APTOS layout, IDRiD, CHASE_DB1, HRF, DRIVE, a
MedMNIST .npz, class-named folders, a folder of images, a manifest.csv, or for
synthetic eyes toy[:N[:SIZE[:SEED]]]. Every command writes a run folder (--out)
with report.html in it, and the same command again goes on where it was stopped.
"""
