"""Two processes of one training, which talk by gloo, against one process that takes two batches a step."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
NOISELESS = {
    "thermalnet": ("dropout=0", "imagenet=false", "features=4"),
    "layered": ("dropout=0", "ngf=4", "ndf=4"),
    "disentangled": ("pairing=paired", "ngf=4", "ndf=4", "code=8"),
    "pix2pix": ("dropout=0", "ngf=4", "ndf=4"),
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for number in range(20):
        coarse = rng.integers(0, 255, (4, 4), dtype=np.uint8)
        image = cv2.resize(coarse, (32, 32), interpolation=cv2.INTER_CUBIC)
        for place, picture in (("visible", np.dstack([image] * 3)), ("infrared", 255 - image)):
            (folder / place).mkdir(exist_ok=True)
            cv2.imwrite(str(folder / place / f"{number:03d}.png"), picture)
    return folder


def losses(
    pairs: Path, out: Path, model: str, *words: str, starters: Sequence[Sequence[str]] = ((),)
) -> list[dict[str, float]]:
    """Those of each of 50 steps, as the log has them.

    Args:
        pairs: training data.
        out: folder of the run.
        model: name of the backend.
        words: options.
        starters: for each command that is given at the same time what it is started by; nothing for Python alone.
    """
    settings = [word for value in NOISELESS[model] for word in ("--set", value)]
    fixed = [
        "--size",
        "32",
        "--precision",
        "fp32",
        "--threads",
        "1",
        "--epochs",
        "5",
        "--seed",
        "1",
        "--log-every",
        "1",
    ]
    command = ["-m", "pipelines.cli", "train", "--data", str(pairs), "--out", str(out), *fixed]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    full = [*command, "--validation", "0", "--model", model, *settings, *words]
    started = [
        subprocess.Popen(
            [sys.executable, *starter, *full], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for starter in starters
    ]
    told = [one.communicate(timeout=600)[1] for one in started]
    assert [one.returncode for one in started] == [0] * len(started), told
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["kind"] == "train"]
    return [{name: value for name, value in line.items() if name not in ("kind", "images_per_s")} for line in steps]


@pytest.mark.parametrize("model", sorted(NOISELESS))
def test_two_processes_are_one_with_two_batches_a_step(model: str, pairs: Path, tmp_path: Path) -> None:
    one = losses(pairs, tmp_path / "one", model, "--accumulate", "2")
    two = losses(pairs, tmp_path / "two", model, "--devices", "2")
    assert len(one) == len(two) == 50
    for first, second in zip(one, two, strict=True):
        assert second == pytest.approx(first, abs=1e-4)
    assert one[-1] != one[0]


def test_two_nodes_are_two_processes(pairs: Path, tmp_path: Path) -> None:
    """Two nodes of one process each, both on this machine: torchrun is given on each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = ("-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1", "--master-addr", "127.0.0.1")
    nodes = [(*common, "--master-port", str(port), "--node-rank", str(rank)) for rank in range(2)]
    one = losses(pairs, tmp_path / "one", "pix2pix", "--accumulate", "2")
    two = losses(pairs, tmp_path / "two", "pix2pix", starters=nodes)
    assert len(one) == len(two) == 50
    for first, second in zip(one, two, strict=True):
        assert second == pytest.approx(first, abs=1e-4)
