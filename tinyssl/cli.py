"""The ``tinyssl`` command: arguments in, numbers on stdout, progress on stderr.

Arguments, options and help are read from the functions of ``tinyssl.commands``; a
method's own options only if it is named or about to run, for that may import torch.
Exit status: 0 fine, 1 the job failed, 2 bad usage or bad input, 130 and 143 stopped by
Ctrl-C and SIGTERM.
"""

import argparse
import importlib
import inspect
import io
import json
import math
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NoReturn, Union, get_args, get_origin

from tinyssl import __version__, interrupts
from tinyssl.tables import described

DESCRIPTION = """\
Learn from unlabelled medical images, fine-tune with few labels, and find out
whether it helped."""
REFUSALS = (ValueError, TypeError, FileNotFoundError, NotADirectoryError)
LETTERS = {int: "N", float: "X", str: "NAME", Path: "PATH"}  # in help, for a value
DATA = ("data", "others", "unlabelled", "test", "real", "generated")
REQUIRED = inspect.Parameter.empty  # where a default would stand


def main(arguments: Sequence[str] | None = None, commands: Any = None) -> int:
    """Run one command, of ``tinyssl.commands``; return its exit status."""
    commands = commands or importlib.import_module("tinyssl.commands")
    words = [*map(str, sys.argv[1:] if arguments is None else arguments)]
    if " ".join(words[:2]) in commands.COMMANDS:  # class export
        words[:2] = [" ".join(words[:2])]
    name = overview(commands).parse_args(words[:1]).command
    typed = shlex.join(["tinyssl", name, *words[1:]])
    with interrupts.raised() as came:
        try:
            settings = read_settings(name, words[1:], commands)
            as_json, _ = settings.pop("json", False), settings.pop("debug", False)
            refuse_place(settings)
            refuse_ranks(name, commands)
            results = commands.COMMANDS[name][0](**settings)
            return show(results, as_json)
        except interrupts.OutOfTimeError as error:
            log(f"{error}; to go on, type: {typed}")
            return show({"stopped": str(error)}, as_json and first())
        except (KeyboardInterrupt, Exception) as error:
            came.heard.set()
            if came or isinstance(error, KeyboardInterrupt):
                complain("stopped; the same command goes on from here\n")
                return 128 + (came or [signal.SIGINT])[0]
            if "--debug" in words:
                raise
            refused = isinstance(error, REFUSALS)
            kind = "" if refused else f"{type(error).__name__}: "
            complain(f"tinyssl {name}: {kind}{error}\n")
            return 2 if refused else 1


def show(results: Any, as_json: bool) -> int:
    """Print what a command found; return its exit status."""
    results = results if isinstance(results, list) else [results]
    if as_json:
        from tinyssl.runs import plain  # imports torch
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for a name not in UTF-8
    for result in results:
        lines = result.pop("lines", ())
        for line in [json.dumps(plain(result), allow_nan=False)] if as_json else lines:
            print(line)
    return 1 if any(result.get("failed") for result in results) else 0


def refuse_place(settings: dict[str, Any]) -> None:
    """Refuse to write where a file lies, or into the data that a command reads."""
    if not isinstance(out := settings.get("out"), Path):
        return
    there = next((place for place in (out, *out.parents) if place.exists()), out)
    if there.is_file():
        raise ValueError(f"--out {out} must be a folder, {there} is a file")
    for some in (settings.get(name) or () for name in DATA):
        for place in map(Path, [some] if isinstance(some, str | Path) else some):
            if place.is_dir() and out.resolve().is_relative_to(place.resolve()):
                raise ValueError(
                    f"--out {out} must lie outside the data, found inside {place}"
                )


def refuse_ranks(name: str, commands: Any) -> None:
    """Refuse to do as often as torchrun has processes what they cannot share."""
    if interrupts.launched() and commands.COMMANDS[name][0] not in commands.RANKED:
        able = ", ".join(function.__name__ for function in commands.RANKED)
        raise ValueError(f"torchrun is for {able}: start {name} without it")


def log(text: str) -> None:
    """Write a line for the person who waits; of several ranks the first does."""
    if first():
        print(text, file=sys.stderr, flush=True)


def first() -> bool:
    """Say whether this process is alone, or the first of several ranks."""
    return not interrupts.launched() or os.environ["RANK"] == "0"


def complain(text: str) -> None:
    """Write what went wrong; of several ranks the one that is first to know does."""
    if interrupts.launched():
        from tinyssl import ranks  # imports torch

        text = text if ranks.is_first_to_speak() else ""
    print(text, end="", file=sys.stderr, flush=True)


class Parser(argparse.ArgumentParser):
    """Refuses in one line, as every refusal here is, and says where the words are."""

    def __init__(self, prog: str, **settings: Any) -> None:
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, formatter_class=raw, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        complain(f"{self.prog}: {message} (see {self.prog} --help)\n")
        self.exit(2)


def overview(commands: Any) -> Parser:
    """Describe what there is."""
    parser = Parser("tinyssl", description=DESCRIPTION, epilog=commands.EPILOG)
    parser.add_argument("--version", action="version", version=f"tinyssl {__version__}")
    listed = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (function, settled) in commands.COMMANDS.items():
        text = function.__doc__.partition("\n")[0].rstrip(".")
        options = " ".join(f"{flag(key)} {value}" for key, value in settled.items())
        short = f"Short for {function.__name__} {options}"
        listed.add_parser(name, help=short if settled else text)
    return parser


def read_settings(name: str, words: list[str], commands: Any) -> dict[str, Any]:
    """Return what to call a command's function with, and json and debug if given."""
    function, settled = commands.COMMANDS[name]
    parameters = inspect.signature(function, eval_str=True).parameters
    parser = Parser(f"tinyssl {name}", epilog=commands.EPILOG)
    parser.description, usage = function.__doc__.partition("\n")[0], [parser.prog]
    for key, p in parameters.items():
        if p.kind is not p.VAR_KEYWORD and key not in {"log", *settled}:
            called = flag(key, p.default) if p.kind is p.KEYWORD_ONLY else key
            text = explain(function, key, commands)
            usage += add(parser, called, p.annotation, p.default, text)
    add(parser, "--json", bool, False, "Results as JSON")
    add(parser, "--debug", bool, False, "Show the traceback of an error")
    label, own = own_options(name, words, commands)
    hint = f"tinyssl {function.__name__} {label} --help" if own is None else None
    group = parser.add_argument_group(f"options of {label}", hint)
    own = {flag(key, entry[1]): entry for key, entry in (own or {}).items()}
    for called, entry in own.items():
        usage += add(group, called, *entry)
    parser.usage = " ".join([*usage, "[option ...]"]).replace("%", "%%")
    given, rest = parser.parse_known_args(words)
    unknown = [word.partition("=")[0] for word in rest if word.startswith("--")]
    if unknown and label:
        are = "is no option" if len(unknown) == 1 else "are no options"
        known = ", ".join(own) or "none"
        parser.error(f"{', '.join(unknown)} {are} of {label}; its own are: {known}")
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    defaults = {k: p.default for k, p in parameters.items() if p.default is not p.empty}
    ours = {"log": log} if "log" in parameters else {}
    return {**defaults, **vars(given), **settled, **ours}


def own_options(name: str, words: list[str], commands: Any) -> tuple[str, dict | None]:
    """Return "--task NAME", and its own options if it is named or about to run."""
    function, settled = commands.COMMANDS[name]
    parameters = inspect.signature(function).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return "", {}
    key = next(key for key in commands.OWN_OPTIONS if key in parameters)
    ahead = Parser(f"tinyssl {name}", add_help=False)
    ahead.add_argument(flag(key), default=argparse.SUPPRESS)
    named = vars(ahead.parse_known_args([] if key in settled else words)[0])
    method = {key: parameters[key].default, **settled, **named}[key]
    if method in (None, REQUIRED) or (not named and {"-h", "--help"} & {*words}):
        return f"{flag(key)} {settled.get(key, 'NAME')}", None
    own = importlib.import_module(commands.OWN_OPTIONS[key]).options_of(method)
    return f"{flag(key)} {method}", {k: v for k, v in own.items() if k not in settled}


def flag(name: str, default: Any = None) -> str:
    """Write a parameter as an option."""
    return ("--no-" if default is True else "--") + name.replace("_", "-")


def add(parser: Any, called: str, kind: Any, default: Any, text: str) -> list[str]:
    """Add an option, or an argument if without dashes; return it if it is required."""
    required = default is REQUIRED
    text = ". ".join(text.replace("`", "").split(". ")[:2]).rstrip(".")
    if kind is bool and default is True:
        how = {"action": "store_false", "dest": called[5:].replace("-", "_")}
        text = f"Do not: {text}"
    elif kind is bool:
        how = {"action": "store_true"}
    else:
        how = reading(kind)
        values = default if isinstance(default, list | tuple) else [default]
        scale = 100 if how["metavar"] == "%" else 1
        shown = [f"{scale * v:g}" if isinstance(v, float) else str(v) for v in values]
        if shown and default is not None and not required:
            text += f" [{' '.join(shown)}]"
    if called.startswith("--"):
        how["required"], needed = required, [called, how.get("metavar")]
    else:
        how["nargs"], needed = how.get("nargs") if required else "*", [called.upper()]
        how["metavar"] = called.upper()
    how |= {"default": argparse.SUPPRESS, "help": text.replace("%", "%%")}
    parser.add_argument(called, **how)
    return needed if required else []


def reading(annotation: Any) -> dict[str, Any]:
    """Return how argparse reads a value; raise TypeError where no option can be so."""
    kind, parts = get_origin(annotation) or annotation, get_args(annotation)
    if kind in LETTERS:
        return {"type": kind, "metavar": LETTERS[kind]}
    if kind is Annotated:
        letter = "%" if "%" in parts else LETTERS[parts[0]]
        return {"type": partial(number, *parts[:2], letter), "metavar": letter}
    if kind is Literal:
        return {"choices": parts, "metavar": "|".join(parts)}
    if kind is Sequence:
        return reading(parts[0]) | {"nargs": "+"}
    if NoneType in parts:
        return reading(Union[*(part for part in parts if part is not NoneType)])
    if kind in (Union, UnionType) and get_origin(parts[-1]) is Literal:
        how, words = reading(parts[0]), get_args(parts[-1])
        read, letters = how["type"], "|".join([how["metavar"], *words])
        how["type"] = lambda text: text if text in words else read(text)
        return how | {"metavar": letters}
    raise TypeError(f"no option can be of the kind {annotation}")


def number(kind: type, ends: Sequence[float | None], letter: str, text: str) -> float:
    """Read a number between two ends, or say in one line what it must be."""
    least, most = ends[0], math.inf if ends[1] is None else ends[1]
    rule, value = f"lie in ({least}, {most}]", math.nan
    if kind is int:
        rule = f"be a whole number >= {least}"
        rule += "" if ends[1] is None else f" and <= {most}"
    with suppress(ValueError):
        hexadecimal = kind is int and text.lower().startswith("0x")  # a colour
        value = int(text, 16) if hexadecimal else kind(text)
    above = least <= value if kind is int else least < value
    if not (above and value <= most):
        raise argparse.ArgumentTypeError(f"must {rule}, found {text}")
    return value / 100 if letter == "%" else value


def explain(function: Callable, name: str, commands: Any) -> str:
    """Return what a docstring says of a parameter, and where it points at."""
    kind, text = described(function, name)
    names = ", ".join(re.findall(r'"(.+?)"', kind))
    text = f"{names}: {text}" if names else text
    for pointer, other in re.findall(r"(\b[Aa]s `(\w+)`)", text):
        said = explain(getattr(commands, other), name, commands)
        text = text.replace(pointer, said.rstrip("."))
    for module, table in re.findall(r"`([\w.]+)\.([A-Z_]+)`", text):
        names = getattr(importlib.import_module(module), table)
        text = text.replace(f"`{module}.{table}`", ", ".join(names))
    return text
