"""``gis synthesize``."""

from __future__ import annotations

from pipelines.cli.commands.options import print_note, shows_progress
from pipelines.cli.console import count_of, say_result
from pipelines.synthesis.config import SynthesizeConfig

__all__ = ["synthesize"]


def synthesize(config: SynthesizeConfig) -> None:
    """Make a labelled thermal data set: images, masks, zones, depth, COCO, KITTI and YOLO labels."""
    from pipelines.synthesis.dataset_run import synthesize_dataset

    synthesize_dataset(config, progress=shows_progress(), report=print_note)
    part = ": a part, for gis merge" if config.is_part else ""
    frames = len(config.frame_range)
    say_result(f"{count_of(frames, 'frame')} in {config.out}{part}", frames=frames, out=config.out)
