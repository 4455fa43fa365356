"""``gis render``."""

from __future__ import annotations

from pipelines.cli.commands.options import print_note, shows_progress
from pipelines.cli.console import count_of, say_result
from pipelines.synthesis.options.render import RenderConfig

__all__ = ["render"]


def render(config: RenderConfig) -> None:
    """Render depth, instance and zone passes of a scene: one EXR a frame, and frames.jsonl."""
    from pipelines.synthesis import passes

    passes.render(config, progress=shows_progress(), report=print_note)
    part = ": a part, for gis merge" if config.is_part else ""
    frames = len(config.frame_range)
    say_result(f"{count_of(frames, 'frame')} in {config.out}{part}", frames=frames, out=config.out)
