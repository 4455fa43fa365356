"""What `gis render` is told: a scene, a camera and how many frames; `gis synthesize` is told the same and more.

Each option is declared once, on its field (:mod:`gan.options`). A configuration checks itself when it is made and
resolves what it leaves open, so every mistake of a user shows before a file is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from assets import CITY
from gan.options import Option, check_options, declarations

from pipelines.cluster.options import CpusPerWorker, RayAddress, check_cluster
from pipelines.errors import ConfigError
from pipelines.io.files import named_file
from pipelines.synthesis.options.choices import camera_names, parse_frames, resolve_scene
from pipelines.synthesis.options.panels import CAMERA, OUTPUT, RUN, SCENE
from pipelines.synthesis.worlds import WORLDS
from pipelines.workers import WORKER_TIMEOUT_S, WorkerCount, WorkerTimeout, default_workers

if TYPE_CHECKING:
    from renderer.geometry.camera import Camera
    from renderer.geometry.lens import Lens

__all__ = ["Engine", "RenderConfig"]

MODEL_SUFFIXES = (".blend", ".glb", ".gltf", ".obj", ".fbx", ".usd", ".usda", ".usdc", ".usdz")
Engine = Literal["raster", "cycles"]


@dataclass(frozen=True)
class RenderConfig:
    """A scene, a camera and how many frames.

    Raises:
        ConfigError: an option that cannot work.
    """

    out: Annotated[
        Path,
        Option("Folder of the output; a run that was cut short goes on in it.", OUTPUT, decides_content=False),
    ]
    count: Annotated[int, Option("How many frames.", OUTPUT, at_least=1, decides_content=False)] = 16
    frames: Annotated[
        str | None,
        Option(
            "FIRST:END, frames FIRST to END - 1 in place of --count: a part of a data set, for gis merge.",
            OUTPUT,
            default_text="all of --count",
            decides_content=False,
        ),
    ] = None
    scene: Annotated[
        Path,
        Option(
            "A .blend file; city.blend is the shipped street, worlds (gis synthesize) many: see --worlds.",
            SCENE,
            default_text="city.blend",
        ),
    ] = CITY
    engine: Annotated[Engine, Option("What draws the passes.", SCENE)] = "raster"
    camera: Annotated[
        str | None,
        Option(
            "A preset of assets/cameras.toml, or a .json or .toml file of intrinsics.",
            CAMERA,
            suggestions=camera_names,
            default_text="the scene's own",
        ),
    ] = None
    size: Annotated[
        str | None,
        Option("512 (square), or WIDTHxHEIGHT: the largest centred window of that shape, resized.", CAMERA),
    ] = None
    distortion: Annotated[
        str | None,
        Option(
            "Distortion of the camera's lens as OpenCV has it, k1,k2,p1,p2 or k1,k2,p1,p2,k3: pictures and labels are "
            "distorted.",
            CAMERA,
            implied=(None,),
            default_text="the camera's own, or none",
        ),
    ] = None
    fisheye: Annotated[
        str | None,
        Option(
            "The same for a fisheye as OpenCV has it: k1,k2,k3,k4.",
            CAMERA,
            implied=(None,),
            default_text="the camera's own, or none",
        ),
    ] = None
    cars: Annotated[
        Path | None,
        Option(
            "File or folder of car models (.blend .glb .obj .fbx .usd) to use instead.",
            SCENE,
            default_text="the scene's own",
        ),
    ] = None
    seed: Annotated[int, Option("Seed of everything random.", RUN, at_least=0)] = 0
    workers: WorkerCount = None
    worker_timeout: WorkerTimeout = WORKER_TIMEOUT_S
    ray: RayAddress = None
    cpus_per_worker: CpusPerWorker = 1.0

    def __post_init__(self) -> None:
        """Check what can be checked without opening the scene."""
        check_options(self)
        check_cluster(self)
        object.__setattr__(self, "scene", resolve_scene(self.scene))
        _ = self.frame_range
        if self.size is not None:
            from pipelines.cameras import parse_size

            parse_size(self.size)
        self._check_lens()
        if self.out.exists() and not self.out.is_dir():
            raise ConfigError(f"{self.out} is a file: expected a folder for the output")
        self._check_inputs()

    @property
    def lens(self) -> Lens | None:
        """How the lens distorts, where an option says it."""
        if self.distortion is None and self.fisheye is None:
            return None
        from pipelines.cameras import named_lens

        return named_lens(self.distortion, self.fisheye)

    def named_camera(self) -> Camera | None:
        """The camera of the options; None: that of the scene."""
        from pipelines.cameras import named_camera

        return named_camera(self.camera, self.size, lens=self.lens)

    def picture_camera(self) -> Camera | None:
        """The camera whose pictures are made: that of the options."""
        return self.named_camera()

    def _check_lens(self) -> None:
        """Whether the lens, of the options or of the camera's file, can be drawn."""
        lens = self.lens
        if lens is None and (self.camera is None or Path(self.camera).suffix.lower() not in (".json", ".toml")):
            return  # presets have none, and reading them takes time
        camera = self.named_camera()
        lens = lens if camera is None else camera.lens
        if lens is not None and self.engine == "cycles":
            raise ConfigError("engine cycles draws no lens that distorts: take --engine raster")
        if camera is not None:
            _ = camera.covering

    @property
    def draws_worlds(self) -> bool:
        """Whether frames are made in a mixture of streets and not in one scene."""
        return False

    def _check_inputs(self) -> None:
        if not self.draws_worlds and not self.scene.is_file():
            raise ConfigError(f"{self.scene}: no such file: expected a .blend scene (city.blend is the shipped one)")
        if self.cars is None:
            return
        if not self.cars.exists():
            raise ConfigError(f"{self.cars}: no such file or folder: expected car models ({' '.join(MODEL_SUFFIXES)})")
        if self.cars.is_file() and self.cars.suffix.lower() not in MODEL_SUFFIXES:
            raise ConfigError(f"{self.cars}: unknown kind of model: expected one of {' '.join(MODEL_SUFFIXES)}")

    @property
    def needs_lanes(self) -> bool:
        """Whether the cars named have nowhere to stand but the lanes of the scene."""
        return self.cars is not None

    @property
    def frame_range(self) -> range:
        """Numbers of the frames to make."""
        return range(self.frame_count) if self.frames is None else parse_frames(self.frames)

    @property
    def frame_count(self) -> int:
        """Frames of the whole data set."""
        return self.count

    @property
    def is_part(self) -> bool:
        """Whether the output is a part of a data set."""
        return self.frames is not None

    @property
    def processes(self) -> int:
        """Workers to start: no more than frames."""
        return min(self.workers or default_workers(), len(self.frame_range))

    def to_json(self) -> dict[str, Any]:
        """Everything that decides the content of the files, and nothing else: names and hashes, no paths."""
        camera = self.picture_camera()
        deciding = [one for one in declarations(type(self)) if one.option.decides_content]
        told = [one.field for one in deciding if getattr(self, one.field) not in one.option.implied]
        return {name: _described(getattr(self, name)) for name in told} | {
            "camera": "of the scene" if camera is None else camera.to_json()
        }


def _described(value: Any) -> Any:
    if value == WORLDS:
        return {"name": value.name, "sha256": ""}
    return named_file(value) if isinstance(value, Path) else value
