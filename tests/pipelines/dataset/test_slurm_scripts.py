"""The batch scripts of the docs, run by bash with the variables that SLURM sets and a ``gis`` that notes its words."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "docs/examples/cluster"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


def calls(script: str, place: Path, variables: dict[str, str], *words: str) -> list[list[str]]:
    stub = place / "bin" / "gis"
    stub.parent.mkdir(exist_ok=True)
    stub.write_text('#!/bin/bash\nprintf "%s\\t" "$@" >> "$NOTED"; echo >> "$NOTED"\n')
    stub.chmod(0o755)
    noted = place / "noted"
    environment = {
        **os.environ, "PATH": f"{stub.parent}:{os.environ['PATH']}", "NOTED": str(noted), **variables
    }  # fmt: skip
    command = ["bash", str(SCRIPTS / script), *words]
    subprocess.run(command, env=environment, cwd=place, check=True, timeout=60)
    return [line.split("\t")[:-1] for line in noted.read_text().splitlines()]


@pytest.mark.parametrize(("frames", "first", "tasks"), [(1000, 0, 7), (10, 1, 10), (5000, 3, 1)])
def test_the_array_shares_out_every_frame_once(frames: int, first: int, tasks: int, tmp_path: Path) -> None:
    made: list[int] = []
    for task in range(tasks):
        variables = {
            "FRAMES": str(frames),
            "SLURM_ARRAY_TASK_ID": str(first + task),
            "SLURM_ARRAY_TASK_MIN": str(first),
            "SLURM_ARRAY_TASK_COUNT": str(tasks),
            "SLURM_CPUS_PER_TASK": "3",
        }
        words = calls("frames.sbatch", tmp_path, variables, "--seed", "7")[-1]
        assert words[0] == "synthesize"
        assert words[-2:] == ["--seed", "7"]
        assert words[words.index("--workers") + 1] == "3"
        begin, end = map(int, words[words.index("--frames") + 1].split(":"))
        made += range(begin, end)
    assert made == list(range(frames))


def test_the_merge_takes_all_parts(tmp_path: Path) -> None:
    for name in ("0-10", "10-25 b"):
        (tmp_path / "parts" / name).mkdir(parents=True)
    (words,) = calls("merge.sbatch", tmp_path, {"OUT": "whole"})
    assert words == ["merge", "parts/0-10/", "parts/10-25 b/", "--how", "move", "--out", "whole"]
