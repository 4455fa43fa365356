"""``gis synthesize``."""

from __future__ import annotations

from pipelines.cli.commands.options import print_note, shows_progress
from pipelines.cli.console import count_of, say_result
from pipelines.export.with_set import SetAndExportsConfig, make_exports

__all__ = ["synthesize"]


def synthesize(config: SetAndExportsConfig) -> None:
    """Make a labelled thermal data set: images, masks, zones, depth, COCO, KITTI and YOLO labels."""
    from pipelines.synthesis.dataset_run import synthesize_dataset

    synthesize_dataset(config, progress=shows_progress(), report=print_note)
    exports = make_exports(config, progress=shows_progress(), report=print_note)
    part = ": a part, for gis merge" if config.is_part else ""
    frames = len(config.frame_range)
    lines = [f"{count_of(frames, 'frame')} in {config.out}{part}"]
    lines += [f"{count_of(images, 'image')} in {folder}" for folder, images in exports.items()]
    more = {"exports": {str(folder): images for folder, images in exports.items()}} if exports else {}
    say_result(", ".join(lines), frames=frames, out=config.out, **more)
