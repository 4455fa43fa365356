"""`gis render` in a Blender of one's own, without a window and without any package beside Blender's numpy.

::

    blender -b scene.blend -P headless.py -- --count 10 --out DIR

The script lies in the add-on's folder and needs nothing outside of it; the add-on need not be enabled. Frames, names
and options are those of `gis render`. Only the frames' files may be packed differently: their pixels are the same.

Our packages are importable only after :func:`_find_packages`, so each function imports what it uses.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from pipelines.dataset.record import FrameLine
    from pipelines.synthesis.options.render import RenderConfig
    from renderer.blender.engine import Engine

__all__ = ["ERROR", "main"]

HERE = Path(__file__).resolve().parent
BUNDLED = ("assets", "renderer", "gan", "pipelines")
"""Our packages, and the folders of the zip that hold them."""
ERROR = "gis render: "
"""Begins the line that says why there is no result; the same as that of the command."""
ENGINES: dict[str, Engine] = {"raster": "raster", "fast": "raster", "cycles": "cycles"}
"""Names of the engines on this command line, and those in ``config.json``."""
DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses, as those of `gis`."""


class NumpyMissing(Exception):
    """The packages that say everything else in one line need numpy themselves."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{ERROR}{message}; --help lists the options\n")


def _options(words: Sequence[str]) -> argparse.Namespace:
    """The options after ``--``."""
    parser = _Parser(prog="blender -b scene.blend -P headless.py --", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of the output; a run that was cut short goes on in it")
    add("--count", type=int, default=16, help="how many frames (default: 16)")
    add("--scene", type=Path, help="a .blend file in place of the one that Blender opened")
    engines = "auto takes the fast engine where numba is there, else Cycles; raster is another name of fast"
    add("--engine", choices=("auto", *ENGINES), default="auto", help=engines)
    add(
        "--camera",
        help="a camera preset such as kitti-360, or a .json/.toml file of intrinsics; default: the scene's own",
    )
    add("--size", help="512, or WIDTHxHEIGHT: the largest centred window, resized")
    add("--cars", type=Path, help="file or folder of car models to use instead of the scene's")
    add("--seed", type=int, default=0, help="seed of everything random (default: 0)")
    return parser.parse_args(words)


def _check_numpy() -> None:
    """The one package that Blender's Python must have.

    Raises:
        NumpyMissing: it has not.
    """
    try:
        importlib.import_module("numpy.typing")  # a folder of that name that was left behind can be imported too
    except ImportError:
        raise NumpyMissing(
            f"this Blender's Python ({sys.executable}) has no numpy: install the package python3-numpy "
            "(Debian, Ubuntu: apt-get install python3-numpy)"
        ) from None


def _find_packages() -> None:
    """Make our packages importable under their own names: from the zip's folders, or from the checkout's root."""
    if not (HERE / "pipelines").is_dir():
        sys.path.insert(0, str(HERE.parent))
        return
    for name in BUNDLED:
        # Not by the path: other files of the add-on would then hide modules of the same name.
        start = HERE / name / "__init__.py"
        spec = importlib.util.spec_from_file_location(name, start, submodule_search_locations=[str(start.parent)])
        if spec is None or spec.loader is None:
            raise ImportError(f"{start} cannot be loaded: unpack the add-on's zip again")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


def _engine(choice: str) -> Engine:
    """The engine's name as configurations have it.

    Raises:
        ConfigError: the fast one, and numba is not there.
    """
    from pipelines.errors import ConfigError

    has_numba = importlib.util.find_spec("numba") is not None
    if choice == "auto":
        return "raster" if has_numba else "cycles"
    if ENGINES[choice] == "raster" and not has_numba:
        raise ConfigError(
            f"engine {choice} needs numba, which this Blender's Python has not: take --engine cycles or auto, "
            "or install numba into Blender's Python"
        )
    return ENGINES[choice]


def _scene(path: Path | None) -> Path:
    """The scene's file.

    Raises:
        ConfigError: none was named, and Blender has none open.
    """
    import bpy
    from pipelines.errors import ConfigError

    if path is None and not bpy.data.filepath:
        raise ConfigError(
            "no scene is open: expected blender -b SCENE.blend -P headless.py -- ..., or --scene SCENE.blend"
        )
    return path or Path(bpy.data.filepath)


def _generator() -> str:
    """Name and version of the program as files state it; the zip's manifest knows it."""
    from renderer.optional import read_toml

    manifest = HERE / "blender_manifest.toml"
    return f"gis {read_toml(manifest.read_text(encoding='utf-8'))['version']}"


def _render(config: RenderConfig) -> None:
    """`gis render` in this process: Blender's own Python cannot be relied on to start others."""
    from pipelines.synthesis.passes import PassesJob, passes_store
    from pipelines.synthesis.session import open_session
    from renderer.kernel_cache import forget_stale_kernels

    store = passes_store(config)
    frames = config.frame_range
    store.check_frames(frames)
    todo = store.missing(frames)
    if not todo and store.is_finished(len(frames)):
        return
    forget_stale_kernels()
    with PassesJob(config, open_session).open() as make, store.open_run() as complete:
        made = _told_notes((index, make(index)) for index in todo)
        store.append_frames(made, complete, lambda index: print(f"gis render: frame {index} written", flush=True))
    store.finish(len(frames), _generator())


def _told_notes(frames: Iterable[tuple[int, FrameLine]]) -> Iterator[tuple[int, FrameLine]]:
    """The frames as they come; tells what had to be guessed or was left out, each line once."""
    told: set[str] = set()
    for index, record in frames:
        yield index, record
        for note in record.notes:
            if note not in told:
                print(f"gis render: note: {note}", flush=True)
                told.add(note)


def _run(words: Sequence[str]) -> str:
    """Do what the options say; returns what to tell in the end."""
    options = _options(words)
    _check_numpy()
    _find_packages()
    from pipelines.synthesis.options.render import RenderConfig

    config = RenderConfig(
        out=options.out,
        count=options.count,
        scene=_scene(options.scene),
        engine=_engine(options.engine),
        camera=options.camera,
        size=options.size,
        cars=options.cars,
        seed=options.seed,
        workers=1,
    )
    _render(config)
    return f"{len(config.frame_range)} frames in {config.out}"


def _error_line(error: Exception) -> str:
    """One line for an error; of one that nobody foresaw it also says where it was."""
    text = " ".join(str(error).split())
    if isinstance(error, NumpyMissing) or (type(error).__module__.endswith(".errors") and text):
        return text
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {text} ({Path(place.filename).name}:{place.lineno})"


def main(words: Sequence[str]) -> int:
    """Run with the words after ``--``; returns the exit status."""
    try:
        print(_run(words))
    except KeyboardInterrupt:
        print(f"{ERROR}stopped; the same command goes on where it stopped", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as end:  # of the options
        return int(end.code or DONE)
    except Exception as error:  # whatever it is: one line and a status, where Blender would give 0
        print(f"{ERROR}{_error_line(error)}", file=sys.stderr)
        return FAILED
    return DONE


if __name__ == "__main__":
    status = main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Blender hangs at exit now and then, and gives no status of its own
