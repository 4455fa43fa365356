"""`gis synthesize`: a scene, or real backgrounds, to a labelled thermal data set on disk.

A worker makes one frame from its number to its files. The parent appends the frame's line and, when all are there,
writes what describes the whole: COCO labels, card, contact sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan.data.layout import LAYOUT_VERSION

from pipelines.dataset import shards
from pipelines.dataset.description import dataset_header
from pipelines.dataset.made_frame import MadeFrame
from pipelines.dataset.record import FrameLine, FrameRecord
from pipelines.dataset.rig import write_rig
from pipelines.dataset.store import DATASET_FILE, FrameStore
from pipelines.dataset.writer import encode_frame
from pipelines.io.stores import open_store
from pipelines.synthesis.frame_maker import FrameInputs, open_frame_maker, read_inputs
from pipelines.synthesis.infrared import DISPLAY_NOTE, WindowTranslator
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.run import make_frames
from pipelines.synthesis.session import SessionFactory, open_session

if TYPE_CHECKING:  # they are imported where they are made: every process comes here, few need them
    from pipelines.cluster.shared_model import Ask
    from pipelines.dataset.packed.writer import PackedStore

__all__ = ["SynthesizeJob", "synthesize_dataset"]


def synthesize_dataset(
    config: SynthesizeConfig,
    *,
    progress: bool = False,
    session_factory: SessionFactory = open_session,
    report: Callable[[str], None] = lambda line: None,
) -> Path:
    """Makes all frames that the folder does not hold yet, then what describes them; returns the folder.

    Args:
        config: what to make.
        progress: show a bar on stderr.
        session_factory: opens the scene.
        report: takes lines for the user.

    Raises:
        PipelineError: an option, the backgrounds, the folder or the disk.
        RendererError: the scene.
        GanError: the model.
    """
    if config.cameras is not None and config.rig_camera is None:
        return _synthesize_rig(config, progress, session_factory, report)
    inputs = read_inputs(config, report)
    store = _open(config)
    frames = config.frame_range
    if config.is_part:
        store = store.part(frames.start)
    store.check_frames(frames)
    todo = store.missing(frames)
    waits = False  # whether samples wait for a shard of their own
    if isinstance(store, FrameStore) and config.tensors:
        waits = True
        if lost := set(shards.missing_samples(config.out, store.newest)).difference(todo):
            todo = sorted({*todo, *lost})
    if todo:
        job = SynthesizeJob(config, inputs, session_factory)
        packs = waits and not config.is_part  # samples of a part are packed when it is merged
        after = (lambda index: shards.pack_if_full(config.out, index)) if packs else None
        # The first worker to load a model converts it for this machine; the others find that done.
        one_first = config.weights is not None
        make_frames(
            store,
            job,
            todo,
            progress=progress,
            after=after,
            one_first=one_first,
            expected=(DISPLAY_NOTE,),
            report=report,
            meanwhile=_import_summary,
        )
    from pipelines.dataset.summary import is_finished, write_summary  # no worker needs it

    if config.is_part:
        if todo or not store.is_finished(len(frames)):
            store.finish(len(frames))
    elif todo or not is_finished(config.out, config.frame_count):
        write_summary(store, config.frame_count, tensors=config.tensors)
        _report_empty(config, report)
    return config.out


def _import_summary() -> None:
    """Imports what the end of a run needs, as long as there is nothing else to do."""
    for name in ("jinja2", "OpenEXR", *(f"pipelines.dataset.{one}" for one in ("card", "contact_sheet", "summary"))):
        import_module(name)


def _synthesize_rig(
    config: SynthesizeConfig, progress: bool, session_factory: SessionFactory, report: Callable[[str], None]
) -> Path:
    """A data set for each camera of a rig, one after the other, below a folder that tells how they stand."""
    assert config.cameras is not None
    write_rig(config.out, config.cameras)
    for one in config.cameras.cameras:
        of_one = replace(config, out=config.out / one.name, rig_camera=one.name)
        synthesize_dataset(of_one, progress=progress, session_factory=session_factory, report=report)
    return config.out


def _open(config: SynthesizeConfig) -> FrameStore[FrameRecord] | PackedStore:
    """The output, as a folder of files or as shards."""
    place = open_store(config.out)
    stored = place.read_object(DATASET_FILE) if place.has(DATASET_FILE) else None
    header = dataset_header(config.to_json(), config.layout, LAYOUT_VERSION, stored, config.categories)
    if config.pack == "files":
        return FrameStore(config.out, DATASET_FILE, header, FrameRecord)
    from pipelines.dataset.packed.writer import PackedStore

    return PackedStore(config.out, DATASET_FILE, header, shard_frames=config.shard_frames, tensors=config.tensors)


def _report_empty(config: SynthesizeConfig, report: Callable[[str], None]) -> None:
    """Says in how many images over real backgrounds no object found a place."""
    counts = open_store(config.out).read_object(DATASET_FILE).get("counts")
    if isinstance(counts, dict) and (empty := counts.get("images_without_objects")):
        report(
            f"{config.out}: no object found a place in {empty} of {counts.get('images')} images (notes in frames.jsonl)"
        )


@dataclass(frozen=True)
class SynthesizeJob:
    """What a worker of `gis synthesize` does."""

    config: SynthesizeConfig
    inputs: FrameInputs
    session_factory: SessionFactory

    @contextmanager
    def open(self) -> Iterator[Callable[[int], FrameLine]]:
        """Opens the scene and the model; frames are written to the output."""
        with self.open_in_memory() as make:
            yield lambda index: make(index).write(self.config.out).frame_line

    def described(self) -> dict[str, Any]:
        """See :class:`pipelines.cluster.node_worker.ClusterJob`."""
        return self.config.to_json()

    def open_in_memory(self) -> AbstractContextManager[Callable[[int], MadeFrame[FrameRecord]]]:
        """Opens the scene and the model."""
        return self._opened(None)

    def open_with_model(self, ask: Ask) -> AbstractContextManager[Callable[[int], MadeFrame[FrameRecord]]]:
        """Opens the scene; translations are asked for."""
        from pipelines.cluster.shared_model import AskedModel

        return self._opened(AskedModel(ask))

    @contextmanager
    def _opened(self, model: WindowTranslator | None) -> Iterator[Callable[[int], MadeFrame[FrameRecord]]]:
        with open_frame_maker(self.config, self.inputs, self.session_factory, model) as maker:
            yield lambda index: encode_frame(maker.make(index))
