"""What five thousand and a hundred thousand images take: seconds and memory, by stage.

    python examples/many_images.py 5000 20000 100000 --out /tmp/eyes

Makes small JPEG photographs of synthetic eyes in folders named by grade, then reads,
audits, pretrains and fine-tunes in processes of their own: for each stage the seconds
of all processors, the most memory that its process held, and what of it was its own:
without mapped files, such as the cache of images, which the system takes back where it
needs to (Linux). Images that are there already are not made again; nothing else is kept
from run to run.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from tinyssl.data import toy

BLOCK = 500
READ = "from tinyssl.data import open_dataset; t = open_dataset({data!r})"
LOAD = "; from tinyssl.data import load_images; load_images(t, 96, cache={cache!r})"
RUN = "-m tinyssl {} {{data}} --out {{out}}/{}"
SHORT = "--encoder small --steps 50 --workers 1 --threads 1"
STAGES = {
    "open_dataset": ["-c", READ],
    "load_images, first time": ["-c", READ + LOAD],
    "load_images, from the cache": ["-c", READ + LOAD],
    "audit": RUN.format("audit", "audit").split(),
    "pretrain, 50 steps": [
        *RUN.format("pretrain", "pretrained").split(),
        *f"--task rotation {SHORT}".split(),
    ],
    "finetune, 5 % of the labels": [
        *RUN.format("finetune", "tuned").split(),
        *f"--fractions 5 --folds 2 --transfer encoder {SHORT}".split(),
    ],
}


def make(folder, count):
    """Write JPEG files of eyes, a folder a grade, those that are not there yet."""
    for first in range(0, count, BLOCK):
        names = [f"{i:06d}.jpg" for i in range(first, first + BLOCK)]
        if [*folder.glob(f"*/{names[-1]}")]:
            continue
        eyes = toy.fundus(BLOCK, size=96, rng=first)
        for image, grade, name in zip(eyes.images, eyes.grades, names, strict=True):
            (folder / str(grade)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / str(grade) / name, quality=90)


def measured(words):
    """Run Python; return seconds, of processors too, peak MB, and those of its own."""
    begun, ended, most = time.perf_counter(), 0, 0
    with tempfile.TemporaryFile() as errors:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": errors}
        child = subprocess.Popen([sys.executable, *words], **quiet)
        while not ended:
            most = max(most, own_memory(child.pid))
            time.sleep(0.05)
            ended, status, used = os.wait4(child.pid, os.WNOHANG)
        child.returncode = status
        errors.seek(0)
        if status:
            raise SystemExit(f"{' '.join(words)}: {errors.read().decode()}")
    cpu = used.ru_utime + used.ru_stime
    return time.perf_counter() - begun, cpu, used.ru_maxrss / 1024, most / 1024


def own_memory(process):
    """Return the KiB that a process holds now, without pages of files; 0 if unknown."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def main():
    """Print a row for each stage and number of images."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("counts", type=int, nargs="+", help=f"multiples of {BLOCK}")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="regular expression on the stages")
    args = parser.parse_args()
    titles = ["stage", "images", "seconds", "CPU seconds", "peak MB", "its own MB"]
    print("|", " | ".join(titles), "|\n" + "|---" * len(titles) + "|", flush=True)
    for count in args.counts:
        data, out = args.out / f"eyes-{count}", args.out / f"runs-{count}"
        make(data, count)
        shutil.rmtree(out, ignore_errors=True)
        places = {"data": str(data), "out": out, "cache": str(out / "cache")}
        for stage, words in STAGES.items():
            if not re.search(args.only, stage):
                continue
            found = measured([word.format(**places) for word in words])
            row = (stage, f"{count:,}", *(f"{x:,.1f}" for x in found))
            print("|", " | ".join(row), "|", flush=True)


if __name__ == "__main__":
    main()
