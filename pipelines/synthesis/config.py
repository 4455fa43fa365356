"""What the commands that make frames are told: frozen, checked, and written beside their output.

Each option is declared once, on its field (:mod:`gan.options`). A configuration checks itself when it is made and
resolves what it leaves open, so every mistake of a user shows before a file is written.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from assets import CAMERAS, CITY, RIGS, THERMAL_PROFILES
from gan.options import Option, check_options, declarations

from pipelines.cluster.options import (
    CpusPerWorker,
    RayAddress,
    TranslatorBatch,
    TranslatorDevice,
    Translators,
    check_cluster,
)
from pipelines.dataset.labels import CATEGORIES, ORDINARY
from pipelines.dataset.terms import licence_beside
from pipelines.errors import ConfigError
from pipelines.io.files import named_file
from pipelines.io.stores import is_remote, local_path
from pipelines.synthesis.distances import check_distances, described_distances, described_set
from pipelines.synthesis.likeness.option_texts import parse_levels, parse_weights
from pipelines.synthesis.model_choice import AUTO, PHYSICS, choose_model
from pipelines.synthesis.sequences import DEFAULT_FPS, PASSES, check_sequence, moment_of, parse_passes, sequence_frames
from pipelines.synthesis.weather import check_weather
from pipelines.synthesis.worlds import DEFAULT_WORLDS, WORLDS, WorldMixture, parse_worlds
from pipelines.workers import WORKER_TIMEOUT_S, WorkerCount, WorkerTimeout, default_workers

if TYPE_CHECKING:
    from renderer.geometry.camera import Camera
    from renderer.geometry.lens import Lens
    from renderer.random_streams import Moment

    from pipelines.dataset.rig import Rig
    from pipelines.synthesis.likeness.appearance import Appearance

__all__ = [
    "PHYSICS",
    "Engine",
    "RenderConfig",
    "SynthesizeConfig",
    "camera_names",
    "parse_frames",
    "resolve_scene",
]

MODEL_SUFFIXES = (".blend", ".glb", ".gltf", ".obj", ".fbx", ".usd", ".usda", ".usdc", ".usdz")

MOST_DENSITY = 8.0
"""Where no street has room for more."""
OTHERS = ("bicycles", "motorcycles", "scooters", "dogs", "cats", "deer", "strollers", "boar")
TRAMS, TRAILERS = "trams", "trailers"
WHERE_NAMED = (TRAMS, TRAILERS)
"""Kinds of which there is none where they are not named."""
KINDS = ("cars", "people", *OTHERS, *WHERE_NAMED)
"""What `--objects` counts."""
VEHICLE_KINDS = ("car", "van", "truck", "bus")
"""What `--vehicles` weighs."""
_HOURS = tuple(map(str, range(24)))
MOST_SEQUENCE_S = 60.0
"""What a street has room for."""
MOST_OBJECTS = 100
"""Of a kind in a frame."""
VARIETY_OF_WORLDS = 0.5
"""Of the sensor, where nothing says which camera the frames are for: as good as a preset on cameras that are not known
(docs/explanation/usefulness.md)."""
Engine = Literal["raster", "cycles"]
_SCENE, _CAMERA, _BACKGROUNDS, _CONDITIONS = "Scene", "Camera", "Backgrounds", "Conditions"
_MODEL, _VISIBLE, _OUTPUT, _RUN = "Model", "Visible twins", "Output", "Run"
DEFAULT_SAMPLES = 16
"""Light paths per pixel of a visible twin."""


def parse_frames(text: str) -> range:
    """The frames that ``FIRST:END`` names.

    Raises:
        ConfigError: another text, or no frame.
    """
    found = re.fullmatch(r"([0-9]{1,12}):([0-9]{1,12})", text)
    frames = range(int(found[1]), int(found[2])) if found else range(0)
    if not frames:
        raise ConfigError(f"frames {text!r}: expected FIRST:END with FIRST below END, such as 200:400")
    return frames


def camera_names() -> tuple[str, ...]:
    """Names of the camera presets."""
    import tomllib  # Blender's Python may be older than it, and does not ask

    return tuple(tomllib.loads(CAMERAS.read_text(encoding="utf-8"))["camera"])


def _profiles() -> Iterable[str]:
    import tomllib

    return tuple(tomllib.loads(THERMAL_PROFILES.read_text(encoding="utf-8"))["profile"])


def _models() -> Iterable[str]:
    from gan.backends.registry import backend_names

    return (AUTO, PHYSICS, *backend_names())


def _layouts() -> Iterable[str]:
    from gan.data.layout import LAYOUTS

    return LAYOUTS


def _weathers() -> Iterable[str]:
    from renderer.thermal.condition_names import ANY, WEATHERS

    return (*WEATHERS, ANY)


def _seasons() -> Iterable[str]:
    from renderer.thermal.condition_names import SEASONS

    return SEASONS


def _rigs() -> Iterable[str]:
    import tomllib

    return tuple(tomllib.loads(RIGS.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class RenderConfig:
    """A scene, a camera and how many frames.

    Raises:
        ConfigError: an option that cannot work.
    """

    out: Annotated[
        Path,
        Option("Folder of the output; a run that was cut short goes on in it.", _OUTPUT, decides_content=False),
    ]
    count: Annotated[int, Option("How many frames.", _OUTPUT, at_least=1, decides_content=False)] = 16
    frames: Annotated[
        str | None,
        Option(
            "FIRST:END, frames FIRST to END - 1 in place of --count: a part of a data set, for gis merge.",
            _OUTPUT,
            default_text="all of --count",
            decides_content=False,
        ),
    ] = None
    scene: Annotated[
        Path,
        Option(
            "A .blend file; city.blend is the shipped street, worlds (gis synthesize) many: see --worlds.",
            _SCENE,
            default_text="city.blend",
        ),
    ] = CITY
    engine: Annotated[Engine, Option("What draws the passes.", _SCENE)] = "raster"
    camera: Annotated[
        str | None,
        Option(
            "A preset of assets/cameras.toml, or a .json or .toml file of intrinsics.",
            _CAMERA,
            suggestions=camera_names,
            default_text="the scene's own",
        ),
    ] = None
    size: Annotated[
        str | None,
        Option("512 (square), or WIDTHxHEIGHT: the largest centred window of that shape, resized.", _CAMERA),
    ] = None
    distortion: Annotated[
        str | None,
        Option(
            "Distortion of the camera's lens as OpenCV has it, k1,k2,p1,p2 or k1,k2,p1,p2,k3: pictures and labels are "
            "distorted.",
            _CAMERA,
            implied=(None,),
            default_text="the camera's own, or none",
        ),
    ] = None
    fisheye: Annotated[
        str | None,
        Option(
            "The same for a fisheye as OpenCV has it: k1,k2,k3,k4.",
            _CAMERA,
            implied=(None,),
            default_text="the camera's own, or none",
        ),
    ] = None
    cars: Annotated[
        Path | None,
        Option(
            "File or folder of car models (.blend .glb .obj .fbx .usd) to use instead.",
            _SCENE,
            default_text="the scene's own",
        ),
    ] = None
    seed: Annotated[int, Option("Seed of everything random.", _RUN, at_least=0)] = 0
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


@dataclass(frozen=True)
class SynthesizeConfig(RenderConfig):
    """A labelled thermal data set.

    Raises:
        ConfigError: an option that cannot work.
    """

    worlds: Annotated[
        str | None,
        Option(
            "Kinds of streets of --scene worlds with their weights: residential=2,city=1.",
            _SCENE,
            implied=(None,),
            default_text=DEFAULT_WORLDS.replace(",", ", "),
        ),
    ] = None
    sequence: Annotated[
        float | None,
        Option(
            "Seconds of a sequence: --count sequences in which camera and traffic move, in place of single frames.",
            _SCENE,
            above=0.0,
            at_most=MOST_SEQUENCE_S,
            unit="seconds",
            implied=(None,),
            default_text="single frames",
        ),
    ] = None
    fps: Annotated[
        float,
        Option(
            "Frames in a second of a --sequence.",
            _SCENE,
            at_least=1.0,
            at_most=240.0,
            implied=(DEFAULT_FPS,),
        ),
    ] = DEFAULT_FPS
    passes: Annotated[
        str | None,
        Option(
            "More files for each frame, several with commas between: normals; parts, the parts of objects; amodal, "
            "whole objects though hidden; flow, the optical flow to the next frame of a --sequence; stereo, the "
            "disparity to the other camera of a --rig.",
            _OUTPUT,
            implied=(None,),
            suggestions=lambda: PASSES,
            default_text="none",
        ),
    ] = None
    visible: Annotated[
        bool,
        Option(
            "Also render each frame in colour, pixel by pixel the same, by Cycles: visible/000000.png.",
            _VISIBLE,
            implied=(False,),
        ),
    ] = False
    visible_samples: Annotated[
        int,
        Option(
            "Light paths per pixel of --visible: more of them are slower and less noisy.",
            _VISIBLE,
            at_least=1,
            at_most=4096,
            implied=(DEFAULT_SAMPLES,),
        ),
    ] = DEFAULT_SAMPLES
    visible_denoise: Annotated[
        bool, Option("Clean the pictures of --visible by Open Image Denoise.", _VISIBLE, implied=(True,))
    ] = True
    visible_device: Annotated[
        Literal["auto", "cpu"],
        Option(
            "What renders --visible; auto: a GPU where Cycles finds one. Pixels differ a little between devices.",
            _VISIBLE,
            decides_content=False,
        ),
    ] = "auto"
    density: Annotated[
        float,
        Option(
            "How many cars: 1 is ordinary town traffic, 2 twice as dense (rows and queues), 0 none.",
            _SCENE,
            at_least=0.0,
            at_most=MOST_DENSITY,
        ),
    ] = 1.0
    like: Annotated[
        str | None,
        Option(
            "A set, FRAMES=LABELS, or a stats.json of gis stats, whose figures the frames get: stands for --distances, "
            "--density, --vehicles, --objects, --hours or --day-share, --weather, --noise and --contrast, where these "
            "are not given.",
            _SCENE,
            implied=(None,),
            default_text="as the options say",
        ),
    ] = None
    distances: Annotated[
        str | None,
        Option(
            "How far away cars stand: NEAR,FAR in metres; or boxes whose sizes they get: a file or folder as for "
            "--boxes, the word boxes for those of --boxes, or a set as for --like.",
            _SCENE,
            default_text="as the street or the free road has them",
        ),
    ] = None
    vehicles: Annotated[
        str | None,
        Option(
            "Kinds of cars with their weights: car=8,van=1,truck=1; what is not named does not occur.",
            _SCENE,
            implied=(None,),
            default_text="as in KITTI's labels, lorries and buses doubled",
        ),
    ] = None
    backgrounds: Annotated[
        Path | None,
        Option(
            "Folder of real thermal images that cars are put into.",
            _BACKGROUNDS,
            default_text="the scene around the cars is rendered",
        ),
    ] = None
    horizon: Annotated[
        float | None,
        Option(
            "Row of the horizon in the backgrounds as they are on disk, pixels.",
            _BACKGROUNDS,
            default_text="estimated for each",
        ),
    ] = None
    boxes: Annotated[
        Path | None,
        Option(
            "Cars and people that the backgrounds show already: a COCO or JSON file, or a folder of KITTI or YOLO "
            "labels.",
            _BACKGROUNDS,
        ),
    ] = None
    road_mask: Annotated[
        Path | None,
        Option("Mask of the road, or a folder of one per background.", _BACKGROUNDS, default_text="estimated for each"),
    ] = None
    camera_height: Annotated[
        float | None,
        Option(
            "Height of the backgrounds' camera above the road, metres.",
            _BACKGROUNDS,
            at_least=0.3,
            at_most=20.0,
            unit="metres",
            default_text="estimated for each",
        ),
    ] = None
    road_heading: Annotated[
        float | None,
        Option(
            "Where the road goes, degrees to the left of the camera's axis.",
            _BACKGROUNDS,
            at_least=-180.0,
            at_most=180.0,
            unit="degrees, to the left",
            default_text="estimated for each",
        ),
    ] = None
    objects: Annotated[
        str | None,
        Option(
            "Most objects of a kind in a frame: cars=6, people=8, bicycles=1, dogs=1, deer=1 ... with commas between; "
            "cars: the nearest; trams, trailers: none where not named; people=0: none, nor anything but cars that is "
            "not named, as in earlier versions.",
            _SCENE,
            implied=("people=0",),
            default_text="as many as real street frames have",
        ),
    ] = None
    label_furniture: Annotated[
        bool,
        Option(
            "Label what stands in the street: traffic lights, traffic signs, hydrants, street lamps; of backgrounds, "
            "those of --boxes.",
            _SCENE,
            implied=(False,),
        ),
    ] = False
    model: Annotated[
        str,
        Option(
            "A translation model, or physics alone; auto: physics, and the shipped model over backgrounds.",
            _MODEL,
            choices=_models,
            old_names=("backend",),
        ),
    ] = AUTO
    weights: Annotated[Path | None, Option("Model file of a translation model, as gis train writes it.", _MODEL)] = None
    translators: Translators = None
    translator_device: TranslatorDevice = "auto"
    translator_batch: TranslatorBatch = None
    profile: Annotated[
        str | None,
        Option("Thermal profile of all cars.", _CONDITIONS, choices=_profiles, default_text="drawn for each car"),
    ] = None
    weather: Annotated[
        str | None,
        Option(
            "Weather of all frames; several with weights, each frame drawing one: snow=2,rain=1; any: all of them by "
            "season and hour.",
            _CONDITIONS,
            suggestions=_weathers,
            default_text="drawn for each frame, without snow",
        ),
    ] = None
    hour: Annotated[
        float | None,
        Option(
            "Hour of the day of all frames, 0 to 24.",
            _CONDITIONS,
            at_least=0.0,
            below=24.0,
            default_text="drawn for each frame",
        ),
    ] = None
    day_share: Annotated[
        float | None,
        Option(
            "Share of the frames that are by day, 0 to 1: the sun is up.",
            _CONDITIONS,
            at_least=0.0,
            at_most=1.0,
            implied=(None,),
            default_text="half of a year's hours are",
        ),
    ] = None
    hours: Annotated[
        str | None,
        Option(
            "Hours of the day with their weights: 8=2,9=3,20=1; each frame is within one of them.",
            _CONDITIONS,
            implied=(None,),
            default_text="drawn for each frame",
        ),
    ] = None
    season: Annotated[
        str | None,
        Option("Season of all frames.", _CONDITIONS, choices=_seasons, default_text="drawn for each frame"),
    ] = None
    rig: Annotated[
        str | None,
        Option(
            "Several cameras that see the same, each with a folder of its own: kitti-stereo, or a .toml or .json file "
            "with a table for each; the first is driven.",
            _CAMERA,
            implied=(None,),
            suggestions=_rigs,
            default_text="one camera",
        ),
    ] = None
    rig_camera: Annotated[
        str | None,
        Option(
            "Make the set of this camera of the --rig alone, into --out itself.",
            _CAMERA,
            implied=(None,),
            default_text="all of them",
        ),
    ] = None
    band: Annotated[
        Literal["lwir", "mwir"] | None,
        Option(
            "Wavelengths that the detector sees: lwir 8-14 um, mwir 3-5 um with the sunlight that surfaces reflect "
            "there (by --model physics). Two sets that differ in it alone are pairs.",
            _CAMERA,
            implied=(None,),
            default_text="the sensor's own",
        ),
    ] = None
    sensor_variety: Annotated[
        float | None,
        Option(
            "How far noise, blur, resolution, flaws, gain control, polarity and mounting of the camera differ from "
            "frame to frame, 0 to 1; 0: all frames by the camera's own sensor.",
            _CAMERA,
            at_least=0.0,
            at_most=1.0,
            implied=(0.0,),
            default_text=f"0; {VARIETY_OF_WORLDS} for --scene worlds where no camera, look or pairs are asked for",
        ),
    ] = None
    noise: Annotated[
        str | None,
        Option(
            "Noise of the pictures as gis stats measures it, grey levels: one number, or rising ones with commas "
            "between, the evenly spaced quantiles of what frames get. Not over backgrounds, which have their own.",
            _CAMERA,
            implied=(None,),
            default_text="the sensor's own",
        ),
    ] = None
    contrast: Annotated[
        str | None,
        Option(
            "How far objects stand out from what surrounds them, as gis stats measures it, in the same form: 8-bit "
            "pictures are stretched about their mean.",
            _CAMERA,
            implied=(None,),
            default_text="as the sensor's gain control shows them",
        ),
    ] = None
    pack: Annotated[
        Literal["files", "shards"],
        Option(
            "Files, or shards: WebDataset tars of about 256 MB with a Parquet index, not some small files a frame; "
            "needed where --out is in an object store (s3://bucket/set).",
            _OUTPUT,
            implied=("files",),
        ),
    ] = "files"
    shard_frames: Annotated[
        int | None,
        Option(
            "Frames in a shard of --pack shards.",
            _OUTPUT,
            at_least=1,
            at_most=1_000_000,
            implied=(None,),
            default_text="about 256 MB of them",
        ),
    ] = None
    tensors: Annotated[bool, Option("Also store the source tensors, as WebDataset shards.", _OUTPUT)] = False
    layout: Annotated[
        str,
        Option("What the source tensors show; physics: the picture of the model physics.", _OUTPUT, choices=_layouts),
    ] = "flat"
    max_label_error: Annotated[
        float | None,
        Option(
            "Draw a frame anew whose picture disagrees with its labels by more, above 0 to 1.",
            _OUTPUT,
            above=0.0,
            at_most=1.0,
            old_names=("max_drift",),
            default_text="every frame is taken",
        ),
    ] = None
    license: Annotated[
        str | None,
        Option(
            "Licence that you give the data set, as SPDX names it (CC-BY-4.0).",
            _OUTPUT,
            implied=(None,),
            default_text="none is stated",
        ),
    ] = None
    min_visible_share: Annotated[
        float,
        Option(
            "Objects that show a smaller share, 0 to 1, are marked as ignored: neither wanted nor wrong; 0: all count, "
            "as in earlier versions.",
            _OUTPUT,
            at_least=0.0,
            at_most=1.0,
            implied=(0.0,),
        ),
    ] = 0.3

    @property
    def needs_lanes(self) -> bool:
        """Whether the cars named have nowhere to stand but the lanes of the scene."""
        asked = super().needs_lanes or self.density != 1.0 or self.distances is not None or self.vehicles is not None
        return asked and self.backgrounds is None

    @property
    def hour_weights(self) -> dict[int, float]:
        """What `hours` says; empty where it is not given."""
        return {int(hour): weight for hour, weight in _weights(self.hours, "hours", _HOURS, "8=2,20=1").items()}

    @property
    def vehicle_shares(self) -> tuple[tuple[str, float], ...]:
        """What `vehicles` says; empty where it is not given."""
        return tuple(_weights(self.vehicles, "vehicles", VEHICLE_KINDS, "car=8,van=1,truck=1").items())

    @property
    def appearance(self) -> Appearance | None:
        """What `noise` and `contrast` ask of the pictures; None where they ask for nothing."""
        from pipelines.synthesis.likeness.appearance import Appearance

        noise, contrast = parse_levels(self.noise, "noise"), parse_levels(self.contrast, "contrast")
        return Appearance(noise, contrast, self.min_visible_share) if noise or contrast else None

    @property
    def most_cars(self) -> int | None:
        """Most cars in a frame; None: as the traffic has them."""
        return parse_objects(self.objects).get("cars")

    @property
    def most_people(self) -> int | None:
        """Most people in a frame; None: as many as real frames have."""
        return parse_objects(self.objects).get("people")

    @property
    def most_others(self) -> dict[str, int | None]:
        """Most two-wheelers, animals and prams in a frame, by their kind; None: as many as real frames have."""
        counts = parse_objects(self.objects)
        unnamed = 0 if counts.get("people") == 0 else None
        named = {kind: counts[kind] for kind in WHERE_NAMED if kind in counts}
        return {kind: counts.get(kind, unnamed) for kind in OTHERS} | named

    @property
    def categories(self) -> tuple[str, ...]:
        """What the frames may show: all there is where a user's own scene or cars may be marked with anything."""
        own = self.cars is not None or (self.backgrounds is None and self.scene not in (CITY, WORLDS))
        counts = parse_objects(self.objects)
        asked = any(counts.get(kind) for kind in (*WHERE_NAMED, "boar"))
        return CATEGORIES if own or asked or self.label_furniture else ORDINARY

    def __post_init__(self) -> None:
        """Check what can be checked without opening the scene, and choose the model."""
        super().__post_init__()
        self._choose_variety()
        if self.like is not None:
            self._take_after(self.like)
        self._check_hours()
        self._check_appearance()
        _ = self.vehicle_shares
        self._check_place()
        check_weather(self.weather, self.season, over_backgrounds=self.backgrounds is not None)
        self._check_worlds()
        self._check_visible()
        names = ("backgrounds", "max_label_error", "distances", "noise", "contrast")
        single = {name: getattr(self, name) for name in names}
        single["objects: cars=N"] = self.most_cars
        check_sequence(self.sequence, self.fps, self.passes, single)
        self._check_rig()
        self._check_trams()
        self._check_ground()
        self._check_distorted_backgrounds()
        check_distances(self.distances, self.boxes)
        if self.backgrounds is not None and not self.backgrounds.is_dir():
            raise ConfigError(f"{self.backgrounds}: no such folder: expected a folder of thermal images")
        self._choose_model()

    def to_json(self) -> dict[str, Any]:
        """See :meth:`RenderConfig.to_json`."""
        like = {} if self.like is None else {"like": described_set(self.like)}
        worlds = {"worlds": self.mixture.text} if self.draws_worlds else {}
        moving = {} if self.sequence is None else {"fps": self.fps}
        rig = {} if self.rig is None else {"rig": self._described_rig(self.rig)}
        told = super().to_json() | {"distances": described_distances(self.distances)} | like | worlds | moving | rig
        return told | self._terms(told)

    def _described_rig(self, name: str) -> Any:
        """Name of a shipped rig; of a file name and hash."""
        return named_file(Path(name)) if Path(name).suffix else name

    def _terms(self, told: dict[str, Any]) -> dict[str, Any]:
        """What is made use of, with the licence that lies beside it, where one does."""
        used = {name: getattr(self, name) for name in ("backgrounds", "boxes", "cars", "weights", "scene")}
        paths = {name: path for name, path in used.items() if path is not None and path not in (WORLDS, CITY)}
        found = {name: licence_beside(path) for name, path in paths.items()}
        return {name: {**told[name], "terms": terms} for name, terms in found.items() if terms}

    def _take_after(self, place: str) -> None:
        """Gives the options that are at their defaults the values that a set's figures suggest, and says so."""
        from pipelines.synthesis.likeness.like import options_like

        left_to_figures = not self.sensor_variety and self.sequence is None
        options = options_like(
            place,
            street=self.backgrounds is None,
            fixed_hour=any(value is not None for value in (self.hour, self.hours, self.day_share)),
            own_look=left_to_figures and self.backgrounds is None,
        )
        left = {one.field: one.default for one in declarations(type(self)) if one.field in options}
        taken = {name: value for name, value in options.items() if getattr(self, name) == left[name]}
        for name, value in taken.items():
            object.__setattr__(self, name, value)
        said = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in taken.items())
        warnings.warn(f"like {place} stands for: {said or 'nothing, it tells none of the options'}", stacklevel=4)

    @functools.cached_property
    def cameras(self) -> Rig | None:
        """The cameras of the rig."""
        if self.rig is None:
            return None
        from pipelines.synthesis.rigs.rig_files import named_rig

        return named_rig(self.rig, self.camera, self.size, self.lens)

    @property
    def camera_number(self) -> int | None:
        """Which camera of the rig the set is of; None: of none."""
        if self.cameras is None or self.rig_camera is None:
            return None
        return [one.name for one in self.cameras.cameras].index(self.rig_camera)

    def named_camera(self) -> Camera | None:
        """The camera that is driven: of a rig the first one."""
        return super().named_camera() if self.cameras is None else self.cameras.cameras[0].camera

    def picture_camera(self) -> Camera | None:
        """The camera whose pictures are made."""
        if self.cameras is None or self.rig_camera is None:
            return self.named_camera()
        return self.cameras.camera(self.rig_camera).camera

    def _check_rig(self) -> None:
        """What a rig needs, and cannot have."""
        if self.rig is None:
            if self.rig_camera is not None:
                raise ConfigError("rig-camera is one of a --rig: give that too, or leave it out")
            if "stereo" in self.more_passes:
                raise ConfigError("passes stereo needs a second camera: give --rig kitti-stereo, or a rig of your own")
            return
        rig = self.cameras
        assert rig is not None
        names = [one.name for one in rig.cameras]
        if self.rig_camera is not None and self.rig_camera not in names:
            raise ConfigError(f"rig-camera {self.rig_camera!r}: expected one of {', '.join(names)}")
        for name in ("backgrounds", "max_label_error"):
            if getattr(self, name) is not None:
                why = "an image is one camera's" if name == "backgrounds" else "it draws frames anew for one camera"
                raise ConfigError(f"rig: cannot be with {name.replace('_', '-')}, since {why}: leave one of them out")
        if any(one.camera.lens is not None for one in rig.cameras) and self.engine == "cycles":
            raise ConfigError("engine cycles draws no lens that distorts: take --engine raster")
        for one in rig.cameras:
            _ = one.camera.covering
        if "stereo" in self.more_passes and not any(rig.partner(name) for name in names):
            raise ConfigError(
                f"passes stereo: no two cameras of rig {self.rig} are rectified: expected the same intrinsics, no lens "
                "that distorts, the same direction, one beside the other"
            )

    @property
    def stereo_baseline_m(self) -> float | None:
        """How far the other camera of the pair is, where its disparity is asked for; None: there is none."""
        if "stereo" not in self.more_passes or self.cameras is None or self.rig_camera is None:
            return None
        pair = self.cameras.partner(self.rig_camera)
        return None if pair is None else pair[1]

    @property
    def draws_worlds(self) -> bool:
        """See :class:`RenderConfig`."""
        return self.scene == WORLDS

    @property
    def mixture(self) -> WorldMixture:
        """Which street each frame is made in, where worlds are drawn."""
        return WorldMixture(self.seed, self.worlds or DEFAULT_WORLDS)

    def scene_name(self, index: int) -> str:
        """Of the scene that a frame is made in."""
        moment = self.moment(index)
        return self.mixture.name(moment.sequence if moment else index) if self.draws_worlds else self.scene.name

    @property
    def frame_count(self) -> int:
        """See :class:`RenderConfig`; of sequences the frames of all of them."""
        return self.count if self.sequence is None else self.count * sequence_frames(self.sequence, self.fps)

    @property
    def more_passes(self) -> tuple[str, ...]:
        """What `--passes` names."""
        return parse_passes(self.passes)

    def moment(self, index: int) -> Moment | None:
        """Where a frame lies in its sequence; None where there are none."""
        return None if self.sequence is None else moment_of(index, self.sequence, self.fps)

    def _check_place(self) -> None:
        """Where the frames go, and in which form."""
        object.__setattr__(self, "out", local_path(self.out))
        if is_remote(self.out) and self.pack != "shards":
            raise ConfigError(f"{self.out}: an object store takes packed data sets alone: give --pack shards too")
        if self.shard_frames is not None and self.pack != "shards":
            raise ConfigError("shard-frames is that of --pack shards: give that too, or leave it out")

    def _check_visible(self) -> None:
        if self.visible and self.backgrounds is not None:
            raise ConfigError("visible: a real infrared background has no geometry to render: leave one of them out")
        changed = self.visible_samples != DEFAULT_SAMPLES or not self.visible_denoise or self.visible_device != "auto"
        if changed and not self.visible:
            raise ConfigError("visible-samples, -denoise and -device are those of --visible: give that too")

    def _check_trams(self) -> None:
        counts = parse_objects(self.objects)
        asked = [kind for kind in WHERE_NAMED if counts.get(kind)]
        if asked and (self.backgrounds is not None or self.sequence is not None):
            other = "backgrounds" if self.backgrounds is not None else "sequence"
            kind = asked[0]
            raise ConfigError(f"objects: {kind} are put into single frames of streets: leave --{other} or {kind} out")

    def _check_hours(self) -> None:
        _ = self.hour_weights
        given = [name for name in ("hour", "hours", "day_share") if getattr(self, name) is not None]
        if len(given) > 1:
            both = " and ".join(name.replace("_", "-") for name in given)
            raise ConfigError(f"{both} all say when the frames are: give one of them")

    def _check_appearance(self) -> None:
        for name in ("noise", "contrast"):
            asked = parse_levels(getattr(self, name), name) is not None
            if asked and self.backgrounds is not None:
                raise ConfigError(f"{name}: objects take that of the backgrounds: leave it out, or --backgrounds")
            if asked and self.sensor_variety:
                raise ConfigError(f"{name}: --sensor-variety draws that of its own: give one of them")

    def _check_worlds(self) -> None:
        if self.label_furniture and self.engine != "raster":
            raise ConfigError("label-furniture is drawn by --engine raster alone: leave one of them out")
        if self.worlds is not None:
            parse_worlds(self.worlds)
            if not self.draws_worlds:
                raise ConfigError("worlds names the streets of --scene worlds: give that too, or leave it out")
        if self.draws_worlds and self.backgrounds is not None:
            raise ConfigError("scene worlds: objects over --backgrounds need no street: leave one of them out")
        if self.draws_worlds and self.engine != "raster":
            raise ConfigError("scene worlds is drawn by --engine raster alone: write scenes by gis scene for cycles")

    def _choose_variety(self) -> None:
        """Sensors vary where frames are for a detector, and nothing says for which camera."""
        if self.sensor_variety is not None:
            return
        look = (self.camera, self.rig, self.like, self.noise, self.contrast)
        told = any(value is not None for value in (*look, self.sequence, self.band))
        known = told or self.visible or self.tensors or not self.draws_worlds
        object.__setattr__(self, "sensor_variety", 0.0 if known else VARIETY_OF_WORLDS)

    def _choose_model(self) -> None:
        from gan.data.layout import LAYOUT_NAME

        asked = PHYSICS if self.band == "mwir" and self.model == AUTO and self.weights is None else self.model
        model, weights, why = choose_model(asked, self.weights, rendered=self.backgrounds is None)
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "weights", weights)
        if model == PHYSICS and weights is not None:
            raise ConfigError("model physics has no weights: name the file's model, or leave --weights out")
        if model != PHYSICS and weights is None:
            raise ConfigError(f"model {model} needs --weights: expected a model file of `gis train`")
        if model == PHYSICS and self.translators:
            raise ConfigError("translators: physics translates nothing: give a --model, or leave it out")
        if weights is not None and not weights.is_file():
            raise ConfigError(f"{weights}: no such file: expected a model file of `gis train`")
        if self.band == "mwir" and (model != PHYSICS or self.backgrounds is not None):
            raise ConfigError(
                "band mwir is rendered by --model physics alone, in scenes: leave model or backgrounds out"
            )
        if self.layout != LAYOUT_NAME and (model != PHYSICS or not self.tensors):
            raise ConfigError(f"layout {self.layout} shows the picture of physics: give --tensors --model physics")
        if why:
            warnings.warn(why, stacklevel=4)

    def _check_distorted_backgrounds(self) -> None:
        if self.backgrounds is None or (self.camera is None and self.lens is None):
            return
        camera = self.named_camera()
        if self.lens is not None or (camera is not None and camera.lens is not None):
            raise ConfigError(
                "backgrounds: a lens that distorts is drawn in scenes alone: undistort the images first "
                "(cv2.undistort), and leave the distortion of the camera out"
            )

    def _check_ground(self) -> None:
        for name in ("horizon", "boxes", "road_mask", "camera_height", "road_heading"):
            if getattr(self, name) is not None and self.backgrounds is None:
                flag = name.replace("_", "-")
                raise ConfigError(f"{flag} is that of the backgrounds: give --backgrounds too, or leave it out")
        for path, what in ((self.boxes, "boxes"), (self.road_mask, "road masks")):
            if path is not None and not path.exists():
                raise ConfigError(f"{path}: no such file or folder: expected {what} of the backgrounds")


def _weights(text: str | None, option: str, names: Sequence[str], example: str) -> dict[str, float]:
    return {} if text is None else parse_weights(text, option, names, example)


def parse_objects(text: str | None) -> dict[str, int]:
    """Most objects in a frame by their kind: ``people=8,bicycles=1``.

    Raises:
        ConfigError: another kind, or no number.
    """
    counts = {}
    for entry in (text or "").replace(" ", "").split(","):
        kind, _, number = entry.partition("=")
        if entry and (kind not in KINDS or not number.isascii() or not number.isdigit() or int(number) > MOST_OBJECTS):
            raise ConfigError(
                f"objects: {entry!r}: expected KIND=NUMBER with a kind of {', '.join(KINDS)} and at most "
                f"{MOST_OBJECTS}, e.g. people=8"
            )
        if entry:
            counts[kind] = int(number)
    return counts


def _described(value: Any) -> Any:
    if value == WORLDS:
        return {"name": value.name, "sha256": ""}
    return named_file(value) if isinstance(value, Path) else value


def resolve_scene(scene: Path) -> Path:
    """The scene's file: ``city.blend`` without a folder is the shipped one, unless there is one in this folder."""
    return CITY if scene == Path(CITY.name) and not scene.exists() else scene
