"""`gis render`: the passes of a scene, one EXR a frame.

``passes/000000.exr`` has the float32 channels ``Z`` (metres along the optical axis, inf where nothing was hit),
``instance`` and ``zone``; ``frames.jsonl`` has the camera, the objects and the file's hash of each frame;
``config.json`` the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.kernel_cache import forget_stale_kernels
from renderer.scene.traffic import FrameSetup, ModelSize
from renderer.thermal.conditions import Conditions

from pipelines.cameras import fit_camera, named_camera, parse_size
from pipelines.dataset.store import FrameStore, Record, camera_to_json, frame_name, generator, instance_to_json
from pipelines.errors import ConfigError
from pipelines.io.exr import encode_exr
from pipelines.io.files import remove_temporaries, sha256, write_bytes
from pipelines.synthesis.config import RenderConfig
from pipelines.workers import FrameJob, FrameWorkers

__all__ = [
    "CONFIG_FILE", "PassesJob", "Session", "SessionFactory", "description", "make_frames", "open_session", "render",
    "take_in",
]  # fmt: skip

SCHEMA, VERSION = "gis-passes", 1
CONFIG_FILE = "config.json"

T = TypeVar("T")


class Session(Protocol):
    """An opened scene; :class:`renderer.blender.engine.RenderSession` is the real one."""

    @property
    def camera(self) -> Camera:
        """Camera of the frames."""

    @property
    def model_sizes(self) -> tuple[ModelSize, ...]:
        """Cars that can be placed."""

    def frame(
        self,
        index: int,
        *,
        normals: bool = False,
        parts: bool = False,
        profile: str | None = None,
        conditions: Conditions | None = None,
    ) -> tuple[Frame, FrameSetup]:
        """One frame of the scene, and what was drawn by lot for it."""

    def frame_on_plane(
        self, setup: FrameSetup, *, camera: Camera | None = None, normals: bool = False, parts: bool = False
    ) -> Frame:
        """The cars of a setup and nothing else."""

    def close(self) -> None:
        """Close the scene."""


SessionFactory = Callable[[RenderConfig], Session]


def open_session(config: RenderConfig) -> Session:
    """Opens the scene of a configuration in Blender.

    Raises:
        RendererError: scene, cars or camera cannot be used.
        ConfigError: cars are named that have nowhere to stand.
    """
    from renderer.blender.engine import RenderSession

    camera = named_camera(config.camera, config.size)
    session = RenderSession(config.scene, camera=camera, engine=config.engine, cars=config.cars, seed=config.seed)
    if config.needs_lanes and session.street is None:
        raise ConfigError(
            f"{config.scene} has no lanes where cars of {config.cars} could stand: expected a scene with a street "
            "(the shipped one has), or --backgrounds"
        )
    if camera is None and config.size is not None:
        session.use_camera(fit_camera(session.camera, *parse_size(config.size)))
    return session


def description(config: RenderConfig) -> dict[str, Any]:
    """First entries of ``config.json``: what another run in the same folder may not differ in."""
    return {"schema": SCHEMA, "version": VERSION, "configuration": config.to_json()}


def render(config: RenderConfig, *, progress: bool = False, session_factory: SessionFactory = open_session) -> Path:
    """Renders the passes of all frames that the folder does not hold yet; returns the folder.

    Raises:
        PipelineError: an option, the folder or the disk.
        RendererError: the scene.
    """
    store = FrameStore(config.out, CONFIG_FILE, description(config))
    store.check(config.count)
    if todo := store.missing(config.count):
        make_frames(store, PassesJob(config, session_factory), todo, config.processes, progress=progress)
        store.describe({"frames": config.count, "complete": True, "generator": generator()})
    return config.out


def make_frames(
    store: FrameStore,
    job: FrameJob[Record],
    todo: list[int],
    workers: int,
    *,
    progress: bool,
    after: Callable[[int], None] | None = None,
    one_first: bool = False,
) -> None:
    """Makes the frames ``todo`` in worker processes and appends their lines in order.

    Nothing is written before the first worker has opened its scene. Whatever ends it early, the folder can be gone on
    with.

    Args:
        store: the folder.
        job: what a worker does.
        todo: frame numbers.
        workers: processes.
        progress: show a bar on stderr.
        after: called with each number once the frame's line stands.
        one_first: see :class:`FrameWorkers`.
    """
    forget_stale_kernels()
    with FrameWorkers(job, min(workers, len(todo)), one_first=one_first) as pool:
        pool.wait_ready()
        with store.locked():
            try:
                take_in(store, _with_progress(pool.run(todo), len(todo), progress), after)
            except BaseException:
                pool.stop()
                remove_temporaries(store.folder)
                raise


def take_in(store: FrameStore, frames: Iterable[tuple[int, Record]], after: Callable[[int], None] | None) -> None:
    """Appends the lines of new frames, and compares those of frames that had one."""
    there = store.claim()
    for index, record in frames:
        if index < there:
            store.confirm(record)
        else:
            store.append(record)
        if after:
            after(index)


def _with_progress(frames: Iterable[T], total: int, progress: bool) -> Iterator[T]:
    from tqdm import tqdm

    yield from tqdm(frames, total=total, unit="frame", desc="frames", disable=not progress, smoothing=0.1)


@dataclass(frozen=True)
class PassesJob:
    """What a worker of `gis render` does."""

    config: RenderConfig
    session_factory: SessionFactory

    @contextmanager
    def open(self) -> Iterator[Callable[[int], Record]]:
        """Opens the scene."""
        session = self.session_factory(self.config)
        try:
            yield lambda index: self._make(session, index)
        finally:
            session.close()

    def _make(self, session: Session, index: int) -> Record:
        frame, _ = session.frame(index)
        name = f"passes/{frame_name(index)}.exr"
        data = encode_exr({"Z": frame.depth_m, "instance": frame.instance_id, "zone": frame.zone})
        write_bytes(self.config.out / name, data)
        return {"index": index, "seed": self.config.seed, **frame_record(frame), "files": {name: sha256(data)}}


def frame_record(frame: Frame) -> dict[str, Any]:
    """What a frame's line says of its geometry."""
    return {
        "camera": camera_to_json(frame),
        "instances": [instance_to_json(instance) for instance in frame.instances],
        "notes": list(frame.notes),
    }
