"""What `gis doctor` advises: of the project's folder only where there is one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pipelines.setup import doctor

ROOT = Path(__file__).resolve().parents[3]


def advice(monkeypatch: pytest.MonkeyPatch, hidden: str) -> str:
    """What is advised where a package is not installed."""
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None if name == hidden else find_spec(name))
    checks = {"bpy": doctor._blender, "openvino": doctor._optional}
    (found,) = (finding for finding in checks[hidden](Path()) if finding.name == hidden)
    return found.advice


@pytest.mark.parametrize(("hidden", "extra"), [("bpy", "render"), ("openvino", "serve")])
def test_an_installed_wheel_knows_no_project(hidden: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert advice(monkeypatch, hidden).endswith(f"-e '{ROOT}[{extra}]'")
    monkeypatch.setattr(doctor, "_project", lambda: None)
    text = advice(monkeypatch, hidden)
    assert text.endswith(f"'gis-thermal[{extra}]'")
    assert "project" not in text
    assert "-e " not in text


def test_the_constraints_that_are_advised_are_there() -> None:
    lines = doctor.CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("numpy==1.") for line in lines)
    assert any(line.startswith("bpy==4.5.") for line in lines)


@pytest.mark.parametrize(
    ("torch", "torchvision", "fits"),
    [("2.13.0+cpu", "0.28.0", False), ("2.13.0+cpu", "0.28.0+cpu", True), ("2.13.0", "0.28.0", True)],
)
def test_a_torchvision_that_does_not_fit_is_told(
    torch: str, torchvision: str, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions: dict[str, Any] = {"torch": torch, "torchvision": torchvision}
    monkeypatch.setattr(doctor, "_version", versions.__getitem__)
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: object())
    found = list(doctor._torchvision())
    assert (not found) == fits
    assert all("torchvision==0.28.0 --index-url https://download.pytorch.org/whl/cpu" in one.advice for one in found)
