"""``gis export``."""

from __future__ import annotations

from pipelines.cli.commands.options import print_note, shows_progress
from pipelines.cli.console import count_of, say_result
from pipelines.export.config import ExportConfig
from pipelines.export.formats import KELVIN_TIFF

__all__ = ["export"]


def export(config: ExportConfig) -> None:
    """Write a data set in the form of another tool: YOLO, COCO, KITTI, VOC, or temperatures as TIFF."""
    if config.format == KELVIN_TIFF:
        _export_tiff(config)
        return
    from pipelines.export.run import run_export

    done = run_export(config, progress=shows_progress(), report=print_note)
    images = ", ".join(f"{count} {split}" for split, count in done.images.items())
    text = f"{count_of(sum(done.images.values()), 'image')} in {config.out} as {config.format}: {images}"
    say_result(text, images=done.images, out=config.out, format=config.format)


def _export_tiff(config: ExportConfig) -> None:
    from gan.data.skipped import skipped_lines

    from pipelines.export.tiff import export_tiff

    about = export_tiff(config.folder, config.out, progress=shows_progress())
    skipped = list(about.get("skipped", {}).items())
    for line in skipped_lines(skipped, len(about["frames"]) + len(skipped), "frames"):
        print_note(line)
    left = f", {about['left_out']} display-only ones left out" if about["left_out"] else ""
    count = len(about["frames"])
    text = f"{count_of(count, 'frame')} in {config.out}{left}: {about['convention']}"
    say_result(text, frames=count, left_out=about["left_out"], out=config.out, format=config.format)
