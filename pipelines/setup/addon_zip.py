"""The add-on as one zip file: an extension for Blender 4.2 and later, a legacy add-on before.

Everything lies in one folder, ``gis_thermal``, which both kinds of installation accept: the add-on's modules, the
renderer as a package inside of it, the data that they read, and for ``headless.py`` the part of the pipelines that
`gis render` is made of. The same sources give the same bytes.
"""

from __future__ import annotations

import importlib.util
import io
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import PipelineError
from pipelines.io.files import write_bytes

__all__ = ["DATA_FILES", "addon_version", "build_addon", "zip_addon"]

FOLDER = "gis_thermal"
MANIFEST = "blender_manifest.toml"
DATA_FILES = ("cars.blend", "cars.npz", "cameras.toml", "thermal_profiles.toml")
"""Files of ``assets`` that the panel needs (the .blend for ``gis`` alone); the city comes with ``gis``."""
RENDER_MODULES = (
    "__init__", "cameras", "errors", "workers", "io/__init__", "io/exr", "io/files", "io/typed_json",
    "dataset/__init__", "dataset/record", "dataset/store", "synthesis/__init__", "synthesis/config", "synthesis/passes",
)  # fmt: skip
"""Modules of ``pipelines`` that ``headless.py`` imports; all run with numpy alone."""
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold: the time of the build would change the bytes."""


def _package(name: str) -> Path:
    """Folder of one of our packages, not imported: the add-on's needs Blender."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise PipelineError(f"package {name!r} is not installed: expected it beside pipelines; install gis again")
    return Path(next(iter(spec.submodule_search_locations)))


def addon_version() -> str:
    """Version that stands in the manifest."""
    manifest = tomllib.loads((_package("blender_addon") / MANIFEST).read_text(encoding="utf-8"))
    return str(manifest["version"])


def _contents() -> Iterator[tuple[str, Path]]:
    """Names in the zip and the files that they come from."""
    addon, renderer, assets = _package("blender_addon"), _package("renderer"), _package("assets")
    yield MANIFEST, addon / MANIFEST
    for root, below in ((addon, ""), (renderer, "renderer/")):
        for path in root.rglob("*.py"):
            yield below + path.relative_to(root).as_posix(), path
    for name in RENDER_MODULES:
        yield f"pipelines/{name}.py", _package("pipelines") / f"{name}.py"
    yield "data/__init__.py", assets / "__init__.py"  # so that the folder stands in for the package ``assets``
    for name in DATA_FILES:
        yield f"data/{name}", assets / name
    licence = addon.parent / "LICENSE"
    if licence.is_file():  # an installed wheel keeps it elsewhere; the manifest names it in any case
        yield "LICENSE", licence


def zip_addon() -> bytes:
    """The add-on as a zip file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, path in sorted(_contents()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
    return made.getvalue()


def build_addon(out: Path) -> Path:
    """Write ``gis_thermal-X.Y.Z.zip`` into a folder, which is made; returns the file.

    Raises:
        PipelineError: a package is missing, or the folder cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise PipelineError(f"{out} is a file: expected a folder for the zip")
    content = zip_addon()
    path = out / f"{FOLDER}-{addon_version()}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)
    return path
