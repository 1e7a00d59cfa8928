"""The command line, on commands that only tell what they were given."""

import builtins
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
import stub_commands
from stub_commands import Positive, asked, calls

from tinyssl import __version__, commands, interrupts, ranks
from tinyssl.cli import main, reading

MODULES = [stub_commands, commands]  # whose help is read
COMMANDS = [(module, name) for module in MODULES for name in module.COMMANDS]
HELP = """\
--help -> demo Show the main job on synthetic eyes, with a report pretrain Learn from
--help -> segment Short for finetune --target mask --views 4 localize Short for finetune
kinds -h -> usage: tinyssl kinds NUMBER [option ...] Take one of every kind. positional
kinds -h -> NUMBER Text of many OTHERS More text, of 100 % options: -h, --help show this
kinds -h -> --size N Text of many --views N Text of many [1] --any-number N Text of many
kinds -h -> [7] --lr X Text of many [0.003] --data-range X Text of many --fractions
kinds -h -> --fractions % [% ...] Text of many [5 7 100] --images
kinds -h -> --images N|all [N|all ...] Text of many [1 2 all] --widths N [N ...] Text
kinds -h -> --device auto|cpu Text of many [auto] --transfer frozen|encoder|network [
kinds -h -> [frozen|encoder|network ...] More text, of 100 % [encoder] --init PATH [
kinds -h -> [PATH ...] More text, of 100 % --features NAME [NAME ...] More text, of
kinds -h -> [random encoder] --no-same-compute Do not: Add the row --fast At most 20
kinds -h -> --json Results as JSON --debug Show the traceback of an error DATA is a
pretrain -h -> usage: tinyssl pretrain DATA --task NAME [option ...] Learn from images
pretrain -h -> --task NAME A pretext task: rotation, restoration --encoder
pretrain -h -> --encoder NAME small, unet: The network. It is small [small] --target
pretrain -h -> to open, and encoder.pt is in it [runs/pretrain] --json
pretrain -h -> options of --task NAME: tinyssl pretrain --task NAME --help DATA is
segment -h -> options of --target mask: tinyssl finetune --target mask --help DATA is
pretrain -h --task=restoration -> options of --task restoration: --num-swaps N Pairs,
pretrain --task restoration --help -> 5 % of the image [10] --patch-size N Side of a
pretrain --task rotation -h -> --no-hide-border Do not: Mask the border. It tells DATA
pretrain --task strict -h -> usage: tinyssl pretrain DATA --task NAME --ratio X [option
"""
REFUSED = """\
-> the following arguments are required: COMMAND
nonsense -> argument COMMAND: invalid choice: 'nonsense' (choose from
demo toy -> unrecognized arguments: toy
demo --log x -> unrecognized arguments: --log x
demo --work 2 -> unrecognized arguments: --work 2
demo --seed -> argument --seed: expected one argument
demo --seed 1.5 -> argument --seed: must be a whole number >= 0, found 1.5
demo --seed -1 -> argument --seed: must be a whole number >= 0, found -1
kinds x -> argument NUMBER: must be a whole number >= 0, found x
kinds 3 --size 0 -> argument --size: must be a whole number >= 1, found 0
kinds 3 --views 9 -> argument --views: must be a whole number >= 1 and <= 8, found 9
kinds 3 --any-number x -> argument --any-number: invalid int value: 'x'
kinds 3 --lr 0 -> argument --lr: must lie in (0, 10], found 0
kinds 3 --lr 10.1 -> argument --lr: must lie in (0, 10], found 10.1
kinds 3 --lr nan -> argument --lr: must lie in (0, 10], found nan
kinds 3 --lr x -> argument --lr: must lie in (0, 10], found x
kinds 3 --data-range x -> argument --data-range: invalid float value: 'x'
kinds 3 --fractions 5 0 -> argument --fractions: must lie in (0, 100], found 0
kinds 3 --fractions 101 -> argument --fractions: must lie in (0, 100], found 101
kinds 3 --fractions -> argument --fractions: expected at least one argument
kinds 3 --images 1 some -> argument --images: must be a whole number >= 1, found some
kinds 3 --device tpu -> argument --device: invalid choice: 'tpu'
kinds 3 --same-compute -> unrecognized arguments: --same-compute
kinds 3 --fast=1 -> argument --fast: ignored explicit argument '1'
grade run -> the following arguments are required: IMAGES
pretrain toy -> the following arguments are required: --task
pretrain toy --task -> argument --task: expected one argument
pretrain toy --task x -> must be one of rotation, restoration, grade
pretrain toy --task= -> must be one of rotation, restoration, grade
pretrain toy --task strict -> the following arguments are required: --ratio
pretrain x --task restoration --num-swaps 0 -> must be a whole number >= 1, found 0
pretrain x --task rotation --num-swaps 3 -> --num-swaps is no option of --task rotation
pretrain --num-swaps 3 --views=2 x --task rotation -> --num-swaps, --views are no opt
pretrain toy --task restoration --num 3 -> its own are: --num-swaps, --patch-size
pretrain toy --task rotation --hide-border -> its own are: --no-hide-border
localize toy --views 2 -> --views is no option of --target points; its own are: none
segment toy --views 2 -> --views is no option of --target mask; its own are: --mask
segment toy --target MA -> --target is no option of --target mask; its own are: --mask
"""


@pytest.fixture(autouse=True)
def in_an_empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    asked.clear()
    calls.clear()


@pytest.fixture
def run(capsys):
    def run(line, commands=stub_commands):
        """Run a line; return its status, and what stood on stdout and stderr."""
        try:
            status = main(line.split(), commands)
        except SystemExit as left:
            status = left.code
        return status, *capsys.readouterr()

    return run


def test_every_kind_is_read_and_has_its_default(run):
    expected = {"number": 3, "others": (), "size": None, "views": 1, "any_number": 7}
    expected |= {"lr": 0.003, "data_range": None, "fractions": (0.05, 0.07, 1.0)}
    expected |= {"images": (1, 2, "all"), "widths": None, "device": "auto"}
    expected |= {"transfer": ("encoder",), "init": ()}
    expected |= {"features": ("random", "encoder"), "same_compute": True, "fast": False}
    run("kinds 3")
    assert calls.pop() == expected
    line = "kinds 0 a b --size=1 --views 8 --any-number -5 --lr 10 --data-range -1.5 "
    line += "--fractions 0.5 7 100 --images all 12 --widths 4 8 --device cpu --fast "
    line += "--transfer network frozen --init a b/c --features x --no-same-compute"
    expected = {"number": 0, "others": ["a", "b"], "size": 1, "views": 8}
    expected |= {"any_number": -5, "lr": 10.0, "data_range": -1.5}
    expected |= {"fractions": [0.005, 0.07, 1.0], "images": ["all", 12]}
    expected |= {"widths": [4, 8], "device": "cpu", "transfer": ["network", "frozen"]}
    expected |= {"init": [Path("a"), Path("b/c")], "features": ["x"]}
    run(line)
    assert repr(calls) == repr([expected | {"same_compute": False, "fast": True}])


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("pretrain toy --task rotation --target mask", {}),
        ("pretrain --task=rotation toy --no-hide-border", {"hide_border": False}),
        ("pretrain --num-swaps 3 toy --task restoration", {"num_swaps": 3}),
        ("finetune toy --head cumulative", {"head": "cumulative"}),
        ("finetune toy --target mask --views 8", {"views": 8}),
        ("segment toy --mask MA", {"mask": "MA", "views": 4}),
        ("localize toy", {}),
    ],
)
def test_own_options_are_handed_over_where_given(run, line, options):
    assert run(line)[0] == 0
    assert calls[0]["options"] == options
    assert calls[0]["data"] == "toy"
    assert asked == [calls[0].get("task", calls[0]["target"])]


@pytest.mark.parametrize("pair", REFUSED.splitlines())
def test_bad_usage_is_one_line_and_status_2(run, pair):
    line, words = pair.split("->")
    status, stdout, stderr = run(line)
    assert (status, stdout, calls) == (2, "", [])
    assert words.strip() in stderr
    assert re.fullmatch(r"tinyssl.*: .*\n", stderr)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("kind", [bytes, bool | None, Positive | Path, Literal[1]])
def test_a_kind_that_cannot_be_read_is_refused(kind):
    with pytest.raises(TypeError):
        reading(kind)


@pytest.mark.parametrize(("commands", "name"), COMMANDS)
def test_help_of_a_command_is_whole(run, commands, name):
    _, stdout, _ = run(f"{name} --help", commands)
    assert max(map(len, stdout.splitlines())) <= 80
    entries = re.findall(r"^  -?-?(\w\S*)(.*\n(?: {6}.*\n)*)", stdout, re.MULTILINE)
    found = {called: re.split(r"\s{2,}", rest, maxsplit=1) for called, rest in entries}
    function, settled = commands.COMMANDS[name]
    for key, p in inspect.signature(function).parameters.items():
        if key not in {"log", "options", *settled}:
            option = "no-" * (p.default is True) + key.replace("_", "-")
            _, text = found[option if p.kind is p.KEYWORD_ONLY else key.upper()]
            assert not text.startswith("[")  # the default alone
            if isinstance(p.default, str | int | Path) and p.annotation is not bool:
                assert f"[{p.default}]" in text


@pytest.mark.parametrize("pair", HELP.splitlines())
def test_help_says(run, pair):
    line, words = pair.split(" -> ")
    status, stdout, stderr = run(line)
    assert words in " ".join(stdout.split())
    assert max(map(len, stdout.splitlines())) <= 80
    assert (status, stderr) == (0, "")
    assert asked == re.findall(r"--task.(\w+)", line)  # who names none imports none


@pytest.mark.parametrize("line", ["--help", "pretrain --help", "segment --help"])
def test_help_is_light_and_quick(line):
    script = """if True:
        import atexit, stub_commands, sys, time, tinyssl.cli
        say = lambda: print(time.process_time(), *sys.modules, file=sys.stderr)
        atexit.register(say)
        tinyssl.cli.main(commands=stub_commands)"""
    command = [sys.executable, "-c", script, *line.split()]
    settings = {"cwd": Path(__file__).parent, "capture_output": True, "text": True}
    done = [subprocess.run(command, **settings).stderr.split() for _ in range(3)]
    assert min(float(seconds) for seconds, *_ in done) < 0.3
    assert not {"numpy", "torch", "matplotlib", "numba", "scipy"} & {*done[0]}


def test_a_person_reads_lines_and_a_machine_the_rest(run):
    assert run("--version") == (0, f"tinyssl {__version__}\n", "")
    assert run("demo") == (0, "one\ntwo\n", "half way\n")
    assert run("demo --seed 1") == (1, "one\ntwo\n", "half way\n")
    status, stdout, _ = run("demo --seed 1 --json")
    assert (status, stdout.count("\n")) == (1, 1)
    assert json.loads(stdout) == {"failed": 1, "nan": None, "out": "runs/demo"}
    assert run("grade run a b") == (0, "a: 2\nb: 2\n", "")
    assert run("grade run a b --json") == (0, '{"image": "a"}\n{"image": "b"}\n', "")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("ValueError", 2, "tinyssl stop-early: no\n"),
        ("FileNotFoundError", 2, "tinyssl stop-early: no\n"),
        ("KeyError", 1, "tinyssl stop-early: KeyError: 'no'\n"),
        ("KeyboardInterrupt", 130, "stopped; the same command goes on from here\n"),
    ],
)
def test_an_error_is_a_line(run, error, status, words):
    assert run(f"stop-early {error}") == (status, "", words)
    if error != "KeyboardInterrupt":
        with pytest.raises(getattr(builtins, error), match="no"):
            run(f"stop-early {error} --debug")


def test_where_the_clock_has_stopped_a_command_it_says_what_to_type(run, monkeypatch):
    def wait(data: str):
        """Wait."""
        raise interrupts.OutOfTimeError("time is up at step 3 of 9")

    monkeypatch.setitem(stub_commands.COMMANDS, "wait", (wait, {}))
    status, stdout, stderr = run("wait my*eyes")
    assert (status, stdout) == (0, "")
    assert stderr == (
        "time is up at step 3 of 9; to go on, type: tinyssl wait 'my*eyes'\n"
    )
    status, stdout, _ = run("wait eyes --json")
    assert (status, json.loads(stdout)) == (0, {"stopped": "time is up at step 3 of 9"})


def test_of_several_ranks_one_speaks_and_only_some_commands_are_shared(
    run, monkeypatch
):
    several = {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "2", "RANK": "1"}
    for name, value in several.items():
        monkeypatch.setenv(name, value)
    shared = (stub_commands.demo,)
    monkeypatch.setattr(stub_commands, "RANKED", shared, raising=False)
    for first, said in ((True, 1), (False, 0)):
        monkeypatch.setattr(ranks, "is_first_to_speak", lambda first=first: first)
        status, _, stderr = run("finetune toy")
        assert status == 2
        assert stderr == said * (
            "tinyssl finetune: torchrun is for demo: start finetune without it\n"
        )
        assert run("demo --seed x")[2].count("must be a whole number") == said
    assert "half way" not in run("demo")[2]  # the first rank says it
    monkeypatch.setenv("RANK", "0")
    assert "half way" in run("demo")[2]
