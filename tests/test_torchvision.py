"""torch and torchvision of different builds, as pip brings them where only torch's is for the processor."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import gis_torchvision
from gis_torchvision import lacks_operators

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("torch", "torchvision", "lacks"),
    [
        ("2.13.0+cpu", "0.28.0+cu130", True),
        ("2.13.0+cpu", "0.28.0+cpu", False),
        ("2.13.0+cu130", "0.28.0+cu130", False),
        ("2.13.0+cu126", "0.28.0+cu130", False),  # it brings its operators itself, or fails as it would without us
        ("2.13.0", "0.28.0", False),
        ("2.13.0+cpu", "", False),
    ],
)
def test_builds(torch: str, torchvision: str, lacks: bool) -> None:
    assert lacks_operators(torch, torchvision) == lacks


def test_torch_finds_what_it_calls() -> None:
    """By the entry point that the package declares; its module is no part of a package with an ordinary name."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ((name, value),) = about["project"]["entry-points"]["torch.backends"].items()
    assert EntryPoint(name, value, "torch.backends").load() is gis_torchvision.declare_operators
    assert value.partition(":")[0] in about["tool"]["setuptools"]["py-modules"]


@pytest.mark.slow
@pytest.mark.parametrize("installed", [True, False])
def test_lpips_is_imported_by_itself(installed: bool, tmp_path: Path) -> None:
    """With a folder called gan beside the program; where the installed pair does not fit, only by the entry point."""
    (tmp_path / "gan").mkdir()
    (tmp_path / "gan" / "__init__.py").write_text("raise RuntimeError('the user has a folder of this name')")
    about = tmp_path / "gis_thermal-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: gis-thermal\nVersion: 0\n")
    (about / "entry_points.txt").write_text("[torch.backends]\nx = gis_torchvision:declare_operators\n")
    (tmp_path / "gis_torchvision.py").write_text((ROOT / "gis_torchvision.py").read_text(encoding="utf-8"))
    told = "from torchvision.extension import _has_ops; print('operators' if _has_ops() else 'none')"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "TORCH_DEVICE_BACKEND_AUTOLOAD": str(int(installed))}
    done = subprocess.run(
        [sys.executable, "-c", f"import lpips; {told}"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if installed or done.returncode == 0:
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.strip() in ("operators", "none")
    else:
        assert "torchvision::nms does not exist" in done.stderr  # what a pair that does not fit does without us
