"""The add-on as one zip file: an extension for Blender 4.2 and later, a legacy add-on before.

Everything lies in one folder, ``gis_thermal``, which both kinds of installation accept: the add-on's modules, the
renderer as a package inside of it, the files of ``assets`` that they read, and for ``headless.py`` the part of the
pipelines that `gis render` is made of. The same sources give the same bytes.

In the checkout the add-on imports the renderer by its name, ``from renderer.zones.catalogue import Zone``. Installed,
the renderer lies inside of the add-on, and Blender's rules forbid to put it where it could be imported by that name. So
those lines, and no others, are made relative here: see :func:`relative_imports`.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from pipelines.errors import PipelineError
from pipelines.io.files import write_bytes

__all__ = ["ASSET_FILES", "addon_version", "build_addon", "relative_imports", "zip_addon"]

FOLDER = "gis_thermal"
MANIFEST = "blender_manifest.toml"
ASSET_FILES = (
    "cars.blend", "cars.npz", "people.npz", "two_wheelers.npz", "animals.npz", "trailers.npz", "trams.npz",
    "cameras.toml", "thermal_profiles.toml",
)  # fmt: skip
"""Files of ``assets`` that the panel needs (the .blend for ``gis`` alone); the city comes with ``gis``."""
GAN_FILES = ("__init__.py", "errors.py", "locked_folder.py", "options.py", "processes.py", "text_files.py")
"""Files of ``gan`` that `gis render` needs: options, processes and texts; they need Python alone."""
HEADLESS = "headless.py"
"""The script that runs in a process of its own, where our packages have their own names."""
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


def relative_imports(source: str, name: str) -> str:
    """A module of the add-on as it stands in the zip: the renderer lies in the add-on's own folder there.

    Args:
        source: code in which ``from renderer.X import ...`` is the one way to import the renderer.
        name: of the file in the add-on's folder, e.g. ``data/mesh_zones.py``.

    Raises:
        PipelineError: the renderer is imported in another way.
    """
    lines, dots = source.splitlines(keepends=True), "." * len(PurePosixPath(name).parts)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "renderer" for alias in node.names):
            raise PipelineError(f"{name}:{node.lineno}: found 'import renderer': expected 'from renderer... import'")
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "renderer":
            row = node.lineno - 1
            lines[row] = lines[row].replace("from renderer", f"from {dots}renderer", 1)
    return "".join(lines)


def _pipeline_files(source: str) -> list[str]:
    """Files, relative to ``pipelines``, of the modules that a script imports, and of what they import at once."""
    root, waiting, files = _package("pipelines"), [*_imported(ast.walk(ast.parse(source)))], set[str]()
    while waiting:
        module = PurePosixPath(waiting.pop())
        for name in (f"{module}.py", *(f"{folder}/__init__.py" for folder in (module, *module.parents))):
            path = root / name
            if path.is_file() and name not in files:
                files.add(name)
                waiting += _imported(ast.parse(path.read_text(encoding="utf-8")).body)
    return sorted(name.removeprefix("./") for name in files)


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Modules of ``pipelines``, as ``dataset/store``, that some of a module's statements import."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pipelines":
            module = "/".join(str(node.module).split(".")[1:])
            yield from (module, *(f"{module}/{alias.name}".lstrip("/") for alias in node.names))


def _contents() -> Iterator[tuple[str, bytes]]:
    """Names in the zip, and what stands there."""
    packages = ("blender_addon", "renderer", "assets", "gan", "pipelines")
    addon, renderer, assets, gan, pipelines = map(_package, packages)
    yield MANIFEST, (addon / MANIFEST).read_bytes()
    for path in addon.rglob("*.py"):
        name, source = path.relative_to(addon).as_posix(), path.read_text(encoding="utf-8")
        yield name, (source if name == HEADLESS else relative_imports(source, name)).encode("utf-8")
    for path in renderer.rglob("*.py"):
        yield f"renderer/{path.relative_to(renderer).as_posix()}", path.read_bytes()
    for name in _pipeline_files((addon / HEADLESS).read_text(encoding="utf-8")):
        yield f"pipelines/{name}", (pipelines / name).read_bytes()
    for name in GAN_FILES:
        yield f"gan/{name}", (gan / name).read_bytes()
    for name in ("__init__.py", *ASSET_FILES):
        yield f"assets/{name}", (assets / name).read_bytes()
    licence = addon.parent / "LICENSE"
    if licence.is_file():  # an installed wheel keeps it elsewhere; the manifest names it in any case
        yield "LICENSE", licence.read_bytes()


def zip_addon() -> bytes:
    """The add-on as a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(_contents()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content, compresslevel=9)
    return buffer.getvalue()


def build_addon(out: Path) -> Path:
    """Write ``gis_thermal-X.Y.Z.zip`` into a folder, which is made; returns the file.

    Raises:
        PipelineError: a package is missing, or the folder cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise PipelineError(f"{out} is a file: expected a folder for the zip")
    content = zip_addon()
    path = out / f"{FOLDER}-{addon_version()}.zip"
    write_bytes(path, content)
    return path
