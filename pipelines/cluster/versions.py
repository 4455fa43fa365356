"""What decides the bytes of a frame beside its options: this program and the packages that it draws with."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["installed_versions"]

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("assets", "gan", "pipelines", "renderer")
_KINDS = (".py", ".toml", ".npz", ".j2")
"""Of the files that a frame may depend on. Scenes and models stand in the configuration by their hashes."""
_LIBRARIES = ("bpy", "imageio", "isal", "numba", "numpy", "opencv-python-headless", "openvino", "scipy", "torch")


def installed_versions() -> dict[str, str]:
    """Versions by name, and a hash of our own sources, which tells two checkouts of one version apart."""
    names = {name: _version(name) for name in ("gis-thermal", *_LIBRARIES)}
    return {"gis": names.pop("gis-thermal"), "sources of gis": _sources(), "Python": platform.python_version(), **names}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _sources() -> str:
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*")):
            if path.suffix in _KINDS and path.is_file():
                digest.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
