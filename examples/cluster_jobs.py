"""The jobs of a comparison, on processes, on Dask's workers or on MPI's.

    python examples/cluster_jobs.py toy:60:32
    python examples/cluster_jobs.py toy:60:32 --on dask --address tcp://scheduler:8786
    mpiexec -n 3 python -m mpi4py.futures examples/cluster_jobs.py toy:60:32 --on mpi

Each initialisation, trained once, is a job; all three print the same table, to the last
digit. Workers read the images from a file in the run folder, so that must lie where all
of them reach it under the same name. Finished jobs are files there, too: a worker that
is lost costs one job, and the same command goes on where it was stopped. Without an
address Dask begins two workers here. Its packages: ``pip install tinyssl[scale]``.
"""

import argparse
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.experiment import compare_starts
from tinyssl.models import densenet_small
from tinyssl.targets import Grading


@contextmanager
def dask(address):
    """Give the executor of a Dask cluster, or of two processes of this machine."""
    from dask.distributed import Client, LocalCluster

    here = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    where = nullcontext(address) if address else LocalCluster(**here)
    with where as cluster, Client(cluster) as client:
        yield client.get_executor()


def mpi(address):
    """Return the executor of the processes that mpiexec has started."""
    from mpi4py.futures import MPIPoolExecutor

    return MPIPoolExecutor()


def main():
    """Compare two numbers of labels, and print what each job scored."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--on", choices=["processes", "dask", "mpi"])
    parser.add_argument("--address", help="of a Dask scheduler")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/cluster"))
    args = parser.parse_args()
    engines = {"dask": dask, "mpi": mpi}
    engine = engines.get(args.on, nullcontext)
    reading = Reading(args.size, folds=2)
    cases = Grading.read(open_dataset(args.data), reading)
    how = {"encoder": densenet_small().config, "steps": args.steps, "workers": 2}
    how |= {"labels": [0.5, 1.0], "out": args.out}
    with engine(args.address) as executor:
        rows = compare_starts(Grading, cases, {}, executor=executor, **how)
    for row in rows:
        line = f"{row['init']}, {row['n']} labels, fold {row['fold']}"
        print(f"{line}: QWK {row['scores']['qwk']!r}, AUC {row['scores']['auc']!r}")


if __name__ == "__main__":
    main()
