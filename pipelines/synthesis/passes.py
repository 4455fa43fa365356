"""`gis render`: the passes of a scene, one EXR a frame.

``passes/000000.exr`` has the float32 channels ``Z`` (metres along the optical axis, inf where nothing was hit),
``instance`` and ``zone``; ``frames.jsonl`` has the camera, the objects and the file's hash of each frame;
``config.json`` the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.dataset.made_frame import MadeFrame
from pipelines.dataset.record import FrameLine, InstanceRecord, PassesRecord, frame_name
from pipelines.dataset.store import FrameStore
from pipelines.io.exr import encode_exr
from pipelines.io.files import sha256
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.run import make_frames
from pipelines.synthesis.session import Session, SessionFactory, open_session

__all__ = ["CONFIG_FILE", "PassesJob", "passes_store", "render"]

SCHEMA, VERSION = "gis-passes", 1
CONFIG_FILE = "config.json"


def passes_store(config: RenderConfig) -> FrameStore[PassesRecord]:
    """The folder of a configuration; its header is what another run may not differ in."""
    header = {"schema": SCHEMA, "version": VERSION, "configuration": config.to_json()}
    store = FrameStore(config.out, CONFIG_FILE, header, PassesRecord)
    return store.part(config.frame_range.start) if config.is_part else store


def render(
    config: RenderConfig,
    *,
    progress: bool = False,
    session_factory: SessionFactory = open_session,
    report: Callable[[str], None] = lambda line: None,
) -> Path:
    """Renders the passes of all frames that the folder does not hold yet; returns the folder.

    Args:
        config: what to render.
        progress: show a bar on stderr.
        session_factory: opens the scene.
        report: takes lines for the user.

    Raises:
        PipelineError: an option, the folder or the disk.
        RendererError: the scene.
    """
    store = passes_store(config)
    frames = config.frame_range
    store.check_frames(frames)
    if todo := store.missing(frames):
        job = PassesJob(config, session_factory)
        make_frames(store, job, todo, progress=progress, report=report)
    if todo or not store.is_finished(len(frames)):
        store.finish(len(frames))
    return config.out


@dataclass(frozen=True)
class PassesJob:
    """What a worker of `gis render` does."""

    config: RenderConfig
    session_factory: SessionFactory

    @contextmanager
    def open(self) -> Iterator[Callable[[int], FrameLine]]:
        """Opens the scene; frames are written to the output."""
        with self.open_in_memory() as make:
            yield lambda index: make(index).write(self.config.out).frame_line

    def described(self) -> dict[str, Any]:
        """See :class:`pipelines.cluster.node_worker.ClusterJob`."""
        return self.config.to_json()

    @contextmanager
    def open_in_memory(self) -> Iterator[Callable[[int], MadeFrame[PassesRecord]]]:
        """Opens the scene."""
        session = self.session_factory(self.config)
        try:
            yield lambda index: self._make(session, index)
        finally:
            session.close()

    def _make(self, session: Session, index: int) -> MadeFrame[PassesRecord]:
        frame = session.frame(index)
        name = f"passes/{frame_name(index)}.exr"
        data = encode_exr({"Z": frame.depth_m, "instance": frame.instance_id, "zone": frame.zone})
        record = PassesRecord(
            index=index,
            seed=self.config.seed,
            camera=frame.camera,
            cam_to_world=frame.cam_to_world,
            instances=tuple(InstanceRecord.of(item) for item in frame.instances),
            notes=frame.notes,
            files={name: sha256(data)},
        )
        return MadeFrame(record, {name: data})
