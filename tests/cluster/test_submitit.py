"""The script of the docs that hands parts to a batch system, with submitit's executor for this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("submitit", reason="submitit is not installed: make test-cluster")
pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "docs/examples/cluster/submit.py"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_jobs_make_what_one_command_makes(tmp_path: Path) -> None:
    options = ["--model", "physics", "--size", "64", "--seed", "3"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    script = [sys.executable, str(SCRIPT), "--frames", "5", "--jobs", "2", "--cpus", "1", "--cluster", "local"]
    command = [*script, "--out", "whole", "--", *options]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=500)
    alone = [sys.executable, "-m", "pipelines.cli", "synthesize", "--count", "5", "--out", "alone", "--workers", "1"]
    subprocess.run([*alone, *options], cwd=tmp_path, env=environment, check=True, timeout=500)
    assert contents(tmp_path / "whole") == contents(tmp_path / "alone")
