"""The words of the command line: every command and option, and what each must be."""

import argparse
from typing import NoReturn

from tinyssl import __version__
from tinyssl.arguments.course import add_check, add_lesson
from tinyssl.arguments.learning import add_finetune, add_pretrain
from tinyssl.arguments.looking import (
    add_audit,
    add_compare,
    add_export,
    add_grade,
    add_restoration,
)
from tinyssl.arguments.shared import add_running
from tinyssl.arguments.targets import add_few, add_segment

EPILOG = """\
DATA is a folder or file: an APTOS layout, IDRiD, CHASE_DB1, HRF, DRIVE, a MedMNIST
.npz, class-named folders, a folder of images, a manifest.csv, or for synthetic eyes
toy[:N[:SIZE[:SEED]]]. Every command writes a run folder (--out) with report.html in
it, and the same command again goes on where it was stopped.
"""


class Parser(argparse.ArgumentParser):
    """Refuses in one line, as every refusal here is, and says where the words are."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """Describe every command and option."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="tinyssl",
        description="Learn from unlabelled medical images, fine-tune with few labels, "
        "and find out whether it helped.",
        epilog=EPILOG,
        formatter_class=raw,
    )
    parser.add_argument("--version", action="version", version=f"tinyssl {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--json", action="store_true", help="results as JSON")
    everywhere.add_argument(
        "--debug", action="store_true", help="show the traceback of an error"
    )

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=text,
            parents=[everywhere],
            epilog=EPILOG,
            formatter_class=raw,
        )

    demo = add("demo", "the main job on synthetic eyes, with a report")
    add_running(demo, out="runs/demo")
    add("lessons", "list the lessons of the course")
    add_lesson(add("lesson", "run a lesson: its figures and results"))
    add_check(add("check", "check your answers to a lesson's exercises"))
    add_pretrain(add("pretrain", "learn from images without labels"))
    text = "compare starts by share of labels on the same folds"
    add_finetune(add("finetune", text))
    add_segment(add("segment", "find vessels or lesions: scratch beside pretrained"))
    add_few(add("localize", "find disc and fovea: scratch beside pretrained"), True)
    add_few(add("laterality", "tell right from left: scratch beside pretrained"), False)
    add_grade(add("grade", "grade photographs with the models of a finetune run"))
    add_audit(add("audit", "what in a data set would spoil a study"))
    add_compare(add("compare", "two sets of images: SSIM of pairs, Frechet distance"))
    text = "what a restoring network gives back, beside copying its input"
    add_restoration(add("restoration", text))
    text = "write disordered and restored images as a data set"
    add_export(add("export-restored", text))
    return parser
