"""Labelled thermal frames from Python: as arrays, or as a data set on disk.

::

    import pipelines

    for frame in pipelines.synthesize(count=4, hour=22):
        print(frame.image.shape, [item.box_visible_px for item in frame.instances])
    pipelines.write_dataset("out/night", count=500, hour=22, workers=4)

Both take the options of `gis synthesize` by the names of
:class:`pipelines.synthesis.options.synthesize.SynthesizeConfig`: scene, camera, size, cars, seed, backgrounds, boxes,
model, weights, profile, weather, hour, season, tensors ...
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from gan.options import keyword_options

from pipelines.dataset.frame import SynthesizedFrame
from pipelines.errors import ConfigError
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.frame_maker import FrameInputs, open_frame_maker, read_inputs
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import SessionFactory, open_session

__all__ = ["synthesize", "write_dataset"]

_OF_FILES = ("out", "workers")
"""Options that only a data set on disk has."""


def synthesize(
    count: int = 16, *, session_factory: SessionFactory = open_session, **options: Any
) -> Iterator[SynthesizedFrame]:
    """Makes frames in this process, one after another; nothing is written.

    Frame N is the same as in a data set of the same options, and does not depend on ``count``. The scene stays open
    until the iterator ends or is closed; Blender holds one scene at a time in a process.

    Args:
        count: frames 0 to count - 1.
        session_factory: opens the scene.
        options: see the module; what is left out is as in `gis synthesize`.

    Returns:
        an iterator over frames: ``image``, ``image16``, ``kelvin`` (None without temperatures), ``depth_m``,
        ``instance_id``, ``zone``, ``instances``, ``conditions`` and more.

    Raises:
        ConfigError: an option that cannot work, at once.
        BackgroundError: the backgrounds cannot be used, at once.
        RendererError: the scene, with the first frame.
        GanError: the model, with the first frame.
    """
    for name in _OF_FILES:
        if name in options:
            raise ConfigError(f"{name} is of files: nothing is written here; call write_dataset, or leave it out")
    config = keyword_options(SynthesizeConfig, _values(Path(), count, options))
    if config.rig is not None and config.rig_camera is None:
        raise ConfigError("rig: one camera's frames are given here: name it (rig_camera='left'), or call write_dataset")
    return _frames(config, read_inputs(config), session_factory)


def write_dataset(
    out: str | PathLike[str],
    count: int = 16,
    *,
    workers: int | None = None,
    progress: bool = False,
    session_factory: SessionFactory = open_session,
    **options: Any,
) -> Path:
    """Writes a labelled data set, or goes on with one, as `gis synthesize` does.

    Args:
        out: folder of the data set.
        count: frames 0 to count - 1.
        workers: processes; None takes one per core. Changes no file.
        progress: show a bar on stderr.
        session_factory: opens the scene, in each worker.
        options: see :func:`synthesize`.

    Returns:
        the folder.

    Raises:
        PipelineError: an option, the backgrounds, the folder or the disk.
        RendererError: the scene.
        GanError: the model.
    """
    config = keyword_options(SynthesizeConfig, _values(Path(out), count, {**options, "workers": workers}))
    return synthesize_dataset(config, progress=progress, session_factory=session_factory)


def _values(out: Path, count: int, options: dict[str, Any]) -> dict[str, Any]:
    """The options by name; a size may be a number here."""
    size = options.get("size")
    return {**options, "out": out, "count": count, "size": str(size) if isinstance(size, int) else size}


def _frames(
    config: SynthesizeConfig, inputs: FrameInputs, session_factory: SessionFactory
) -> Iterator[SynthesizedFrame]:
    with open_frame_maker(config, inputs, session_factory) as maker:
        for index in config.frame_range:
            yield maker.make(index)
