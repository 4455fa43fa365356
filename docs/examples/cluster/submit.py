"""One data set from a batch system, by submitit (pip install submitit): `frames.sbatch` and `merge.sbatch` in Python.

python submit.py --frames 100000 --jobs 50 --cluster slurm --partition cpu --out dataset -- --camera flir-adas --seed 7
python submit.py --frames 200 --jobs 4 --cluster local --out dataset            # processes of this machine, to try it
"""

import argparse
import sys
from pathlib import Path

import submitit


def options() -> argparse.Namespace:
    """What is made, and where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, required=True, help="of the whole data set")
    parser.add_argument("--jobs", type=int, default=10, help="parts that it is made in")
    parser.add_argument("--cluster", default="slurm", help="slurm, or local: processes of this machine")
    parser.add_argument("--partition", help="of SLURM")
    parser.add_argument("--cpus", type=int, default=4, help="of each job")
    parser.add_argument("--minutes", type=int, default=120, help="that a job may take")
    parser.add_argument("--parts", default="parts", help="folder, or address in an object store, of the parts")
    parser.add_argument("--out", required=True)
    parser.add_argument("words", nargs="*", help="options of gis synthesize, after --")
    return parser.parse_args()


def main() -> None:
    """Submits a job for each part, waits for all, and merges the parts."""
    given = options()
    executor = submitit.AutoExecutor(folder="submitit-logs", cluster=given.cluster)
    executor.update_parameters(name="gis", cpus_per_task=given.cpus, mem_gb=6, timeout_min=given.minutes)
    if given.partition:
        executor.update_parameters(slurm_partition=given.partition)
    gis = [sys.executable, "-m", "pipelines.cli"]
    parts, jobs = [], []
    for number in range(given.jobs):
        first, end = (given.frames * one // given.jobs for one in (number, number + 1))
        parts.append(f"{given.parts}/{first}-{end}")
        make = [*gis, "synthesize", "--frames", f"{first}:{end}", "--workers", str(given.cpus), "--out", parts[-1]]
        jobs.append(executor.submit(submitit.helpers.CommandFunction([*make, *given.words])))
    for job in jobs:
        job.result()  # raises what the job's command said, if it failed: give the same command again, it goes on
    submitit.helpers.CommandFunction([*gis, "merge", *parts, "--out", given.out])()
    print(f"{given.frames} frames in {Path(given.out)}")


if __name__ == "__main__":
    main()
