"""Kill what trains at random moments, go on, and compare with an unbroken run.

By hand, on Linux; 100 rounds take 25 to 90 minutes where nothing else runs:

    python tests/campaign.py --rounds 100 --seed 0

A round breaks a command once, by SIGKILL, SIGTERM or Ctrl-C, by the SIGKILL of one
worker, or by a limit on the size of a file, as on a full disk. No process may be left,
and the same command again must end with the same tensors and rows, bit for bit. Status
1 if a round differs or hangs.
"""

import argparse
import collections
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import tinyssl

WAIT = 300  # seconds, after which a command hangs
TRAIN = ["--threads", 1, "--batch-size", 4]
PRETRAIN = ["pretrain", "toy:12:32:1", "--size", 32, "--folds", 2, *TRAIN]
UNET = ["--encoder", "unet", "--widths", 4, 8, "--field-width", 0]
COMMANDS = {  # with more than 200 steps, after which there is a checkpoint
    "rotation": [*PRETRAIN, "--task", "rotation", "--steps", 260],
    "restoration": [*PRETRAIN, "--task", "restoration", "--steps", 260],
    "unet": ["pretrain", "toy:8:64:1", *UNET, *TRAIN],
    "finetune": ["finetune", "toy:20:32:1", "--size", 32, "--folds", 2, *TRAIN],
    "segment": ["segment", "toy:8:64:1", *UNET, *TRAIN, "--images", 1, "all"],
}
COMMANDS["unet"] += ["--task", "restoration", "--steps", 260]
COMMANDS["finetune"] += ["--images", 2, 4, 8, "--steps", 30]
COMMANDS["segment"] += ["--repeats", 3, "--steps", 8, "--all-steps", 12]
WAYS = ("kill", "term", "interrupt", "worker", "full")
SIGNALS = {"term": signal.SIGTERM, "interrupt": signal.SIGINT}
BEGUN = 0.3  # seconds that Python itself takes to begin
SECONDS = 5  # in which an interrupt must have ended a run


class FaultError(Exception):
    """What a round must not show."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--slack", type=float, default=0, help="seconds: a busy machine"
    )
    options = parser.parse_args()
    # a shell starts what it puts in the background deaf to Ctrl-C, children included
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng, seen = random.Random(options.seed), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="campaign-") as place:
        whole = {}
        for number in range(options.rounds):
            kind = [*COMMANDS][number % len(COMMANDS)]
            workers = 1 + number // len(COMMANDS) % 2
            if (kind, workers) not in whole:
                whole[kind, workers] = unbroken(Path(place), kind, workers)
            way = rng.choice(
                WAYS if workers > 1 else [w for w in WAYS if w != "worker"]
            )
            out = Path(place) / f"round{number}"
            text = f"{number:3d} {kind:11s} workers {workers} {way:9s}"
            try:
                found = one_round(out, kind, workers, way, whole, rng, options.slack)
            except FaultError as fault:
                found, seen["faults"] = f"FAULT: {fault}", seen["faults"] + 1
            seen[f"{way}, {found.split(',')[0]}"] += 1
            print(text, found, flush=True)
    print(", ".join(f"{count} x {what}" for what, count in sorted(seen.items())))
    print(f"{options.rounds} rounds, {seen['faults']} faults")
    return 1 if seen["faults"] else 0


def unbroken(place, kind, workers):
    """Run a command as it is: what it leaves, how long it takes, its largest file."""
    out, start = place / f"{kind}{workers}", time.monotonic()
    status, words = ended(begin(out, kind, workers))
    if status:
        raise SystemExit(f"{kind} does not run at all: {words}")
    sizes = [path.stat().st_size for path in out.rglob("*.*") if path.is_file()]
    return contents(out), time.monotonic() - start, max(sizes)


def one_round(out, kind, workers, way, whole, rng, slack):
    """Break a command once, go on to its end, and compare; say how it was broken."""
    expected, seconds, largest = whole[kind, workers]
    limit = int(largest * rng.random()) if way == "full" else None
    process = begin(out, kind, workers, limit)
    how = f"{limit} bytes a file"
    if way != "full":
        moment = max(BEGUN, rng.random() * seconds)
        how = f"after {moment:.1f} s"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        broken(process, way, out, slack)
    status, words = ended(process)
    refuse_orphans(out)
    if "Traceback" in words and way != "kill":  # a worker that starts misses its parent
        raise FaultError(f"a traceback: {words[-300:]}")
    if way == "full" and status and "could not be written" not in words:
        raise FaultError(f"status {status} on a full disk: {words[-300:]}")
    if way in SIGNALS and status not in (0, 128 + SIGNALS[way], -SIGNALS[way]):
        raise FaultError(f"status {status} when stopped: {words[-300:]}")
    saved = len([*out.rglob("checkpoint.pt")])
    status_after, words = ended(begin(out, kind, workers))
    if status_after:
        raise FaultError(f"does not go on, status {status_after}: {words[-300:]}")
    if left := [*out.rglob("*.partial")]:
        raise FaultError(f"left behind: {left}")
    found = contents(out)
    if other := sorted(k for k in expected | found if found.get(k) != expected.get(k)):
        raise FaultError(f"differs from the unbroken run in {', '.join(other[:3])}")
    state = "was over" if status == 0 else "equal"
    return f"{state}, status {status}, {how}, {saved} checkpoints"


def begin(out, kind, workers, limit=None):
    """Start a command; its processes know themselves by their environment."""
    words = [*COMMANDS[kind], "--workers", workers, "--out", out]
    path = str(Path(tinyssl.__file__).parents[1])
    known = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CAMPAIGN": str(out)}

    def limited():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    log = (out.parent / f"{out.name}.log").open("w+b")
    return subprocess.Popen(
        [sys.executable, "-m", "tinyssl", *map(str, words)],
        env=os.environ | known,
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=limited,
    )


def broken(process, way, out, slack):
    """Send what breaks a run; what is over already stays so."""
    if process.poll() is not None:
        return
    if way == "worker":
        workers = [p for p in processes(out) if b"spawn_main" in command(p)]
        for worker in workers[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
    elif way == "interrupt":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    else:
        process.send_signal(SIGNALS.get(way, signal.SIGKILL))
    if way in SIGNALS:
        try:
            process.wait(SECONDS + slack)
        except subprocess.TimeoutExpired:
            stop_all(out)
            raise FaultError(f"still there {SECONDS + slack:g} s after it") from None


def ended(process):
    """Wait for a command; return its status and what it wrote."""
    out = process.args[process.args.index("--out") + 1]
    try:
        status = process.wait(WAIT)
    except subprocess.TimeoutExpired:
        stop_all(Path(out))
        raise FaultError(f"hung for {WAIT} s") from None
    return status, Path(f"{out}.log").read_text(encoding="utf-8", errors="replace")


def refuse_orphans(out):
    """A worker looks for its parent when it has started, which takes seconds."""
    deadline = time.monotonic() + 60
    while alive := processes(out):
        if time.monotonic() > deadline:
            stop_all(out)
            raise FaultError(f"{len(alive)} processes without their parent")
        time.sleep(0.2)


def processes(out):
    """Return the processes of a round that are alive."""
    mark, found = f"CAMPAIGN={out}".encode(), []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def command(process):
    """Return the command line of a process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def stop_all(out):
    """Leave nothing running."""
    for process in processes(out):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def contents(out):
    """Return what a run found, but for seconds and places, by a name for each part."""
    parts = {}
    for path in [*out.rglob("*.pt"), *out.rglob("results.json"), *out.rglob("*.jsonl")]:
        text = "" if path.suffix == ".pt" else path.read_text(encoding="utf-8")
        found = [
            json.loads(line) for line in text.splitlines() if path.suffix == ".jsonl"
        ]
        if path.suffix == ".pt":
            found = torch.load(path, weights_only=True)
        elif path.suffix == ".json":
            found = json.loads(text)
        for key, value in flat(found):
            tensor = isinstance(value, torch.Tensor)
            parts[f"{path.relative_to(out)} {key}"] = (
                value.tolist() if tensor else value
            )
    return {k: v for k, v in parts.items() if "seconds" not in k}


def flat(value, name=""):
    """Yield everything in nested dicts and lists, with where it lies."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from flat(item, f"{name}.{key}")
    else:
        yield name, value


if __name__ == "__main__":
    sys.exit(main())
