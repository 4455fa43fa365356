"""`gis doctor`: what this machine has, what it lacks, and how to get it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gan.processes import isolated_environment

__all__ = ["CHECKS", "LIBRARIES", "PACKAGES", "Finding", "examine", "missing_libraries"]

LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXext.so.6": "libxext6",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
}
"""System libraries that Blender's wheel loads, and the Debian packages that bring them."""
PACKAGES = {
    "OpenEXR": "OpenEXR",
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "filelock": "filelock",
    "flyr": "flyr",
    "imageio": "imageio",
    "isal": "isal",
    "jinja2": "jinja2",
    "numba": "numba",
    "numpy": "numpy",
    "platformdirs": "platformdirs",
    "yaml": "PyYAML",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "tifffile": "tifffile",
    "tqdm": "tqdm",
}
"""Modules that no command can do without, and the packages that bring them."""
PYTHON_OF_BLENDER = (3, 11)
"""Blender 4.5's wheel is built for CPython 3.11 alone."""
FREE_BYTES = 2 << 30
"""A thousand frames take about 1 GB, with source tensors 3.5 GB."""
IMPORT_S = 60
CONSTRAINTS = Path(__file__).with_name("constraints.txt")
"""Versions that the tests ran with."""


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    name: str
    level: str
    """``ok``, ``missing`` (a command cannot work), or ``optional`` (works without)."""
    detail: str
    advice: str = ""
    """What to do about it."""


def examine(folder: Path) -> list[Finding]:
    """Runs all checks; ``folder`` is where the output would go."""
    return [finding for check in CHECKS for finding in check(folder)]


def _python(_: Path) -> Iterator[Finding]:
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == PYTHON_OF_BLENDER:
        yield Finding("Python", "ok", here)
    else:
        advice = "make PYTHON=/path/to/python3.11 demo" if _project() else "install gis with CPython 3.11"
        yield Finding("Python", "missing", f"{here}; Blender's wheel needs 3.11", advice)


def _project() -> Path | None:
    """The project's folder, where gis runs from its source; None where it was installed from a wheel."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / "Makefile").is_file() else None


def _install(extra: str) -> str:
    """The command that brings an extra."""
    root = _project()
    what = f"'gis-thermal[{extra}]'" if root is None else f"-e '{root}[{extra}]'"
    return f"{sys.executable} -m pip install -c {CONSTRAINTS} {what}"


def _packages(_: Path) -> Iterator[Finding]:
    for module, name in PACKAGES.items():
        if importlib.util.find_spec(module) is None:
            yield Finding(name, "missing", "not installed", f"{sys.executable} -m pip install {name}")
        else:
            yield Finding(name, "ok", _version(name))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "installed"


def _blender(_: Path) -> Iterator[Finding]:
    if importlib.util.find_spec("bpy") is None:
        yield Finding("bpy", "missing", "not installed: scenes cannot be rendered", _install("render"))
        return
    lacking = missing_libraries()
    if lacking:
        packages = " ".join(LIBRARIES[name] for name in lacking)
        advice = f"apt-get install --no-install-recommends {packages}"
        yield Finding("bpy", "missing", f"system libraries are missing: {', '.join(lacking)}", advice)
        return
    # In a process of its own: a library that crashes must not take this one along.
    code = "import os, bpy; print(bpy.app.version_string, flush=True); os._exit(0)"
    tried = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=IMPORT_S,
        check=False,
        env=isolated_environment(os.environ, sys.path),
    )
    if tried.returncode == 0:
        yield Finding("bpy", "ok", f"Blender {tried.stdout.strip().splitlines()[-1]}")
    else:
        reason = (tried.stderr.strip().splitlines() or [f"exit code {tried.returncode}"])[-1]
        yield Finding("bpy", "missing", f"cannot be imported: {reason}", "install the library that it names")


def missing_libraries(load: Callable[[str], object] = ctypes.CDLL) -> list[str]:
    """System libraries of :data:`LIBRARIES` that cannot be loaded."""
    lacking = []
    for name in LIBRARIES if sys.platform == "linux" else ():
        try:
            load(name)
        except OSError:
            lacking.append(name)
    return lacking


def _optional(_: Path) -> Iterator[Finding]:
    for name, use in (("torch", "training and translation"), ("openvino", "fast translation on a CPU")):
        if importlib.util.find_spec(name) is None:
            extra = "gan" if name == "torch" else "serve"
            yield Finding(name, "optional", f"not installed: needed for {use} only", _install(extra))
        else:
            yield Finding(name, "ok", _version(name))
    yield from _torchvision()


def _torchvision() -> Iterator[Finding]:
    """A build of torch for the processor alone and the registry's torchvision, whose compiled operators it lacks."""
    if any(importlib.util.find_spec(name) is None for name in ("torch", "torchvision")):
        return
    torch, torchvision = _version("torch"), _version("torchvision")
    if torch.partition("+")[2] == torchvision.partition("+")[2]:
        return
    build, plain = torch.partition("+")[2] or "cpu", torchvision.partition("+")[0]
    package = f"torchvision=={plain} --index-url https://download.pytorch.org/whl/{build}"
    yield Finding(
        "torchvision",
        "optional",
        f"{torchvision} was not built for torch {torch}: it works, and lpips with it, without compiled operators (nms)",
        f"{sys.executable} -m pip install --force-reinstall --no-deps {package}",
    )


def _kernels(_: Path) -> Iterator[Finding]:
    from renderer.kernel_cache import are_kernels_kept

    if are_kernels_kept():
        yield Finding("compiled code", "ok", "kept from an earlier run")
    else:
        advice = "gis doctor --warm compiles it now"
        yield Finding(
            "compiled code", "optional", "not there yet: the first frames take a minute or two longer", advice
        )


def _room(folder: Path) -> Iterator[Finding]:
    place = next(item for item in (folder.absolute(), *folder.absolute().parents) if item.exists())
    if not os.access(place, os.W_OK):
        yield Finding("disk", "missing", f"{place} cannot be written to", "choose another folder")
        return
    free = shutil.disk_usage(place).free
    text = f"{free / (1 << 30):.1f} GB free in {place}"
    if free < FREE_BYTES:
        yield Finding("disk", "optional", f"{text}: little room", "a thousand frames take about 1 GB")
    else:
        yield Finding("disk", "ok", text)


def _assets(_: Path) -> Iterator[Finding]:
    from assets import CAMERAS, CARS, CITY, THERMAL_PROFILES

    for path in (CITY, CARS, CAMERAS, THERMAL_PROFILES):
        if not path.is_file():
            yield Finding(
                path.name,
                "missing",
                "is not where it was shipped",
                "run `make assets`" if _project() else "install gis again",
            )
    if all(path.is_file() for path in (CITY, CARS, CAMERAS, THERMAL_PROFILES)):
        yield Finding("assets", "ok", f"{CITY.name}, {CARS.name}, cameras, thermal profiles")


CHECKS: tuple[Callable[[Path], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _blender,
    _assets,
    _optional,
    _kernels,
    _room,
)
"""Each gives one or more findings."""
