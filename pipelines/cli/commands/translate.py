"""``gis translate``."""

from __future__ import annotations

from pipelines.cli.commands.options import print_note, shows_progress
from pipelines.cli.console import count_of, say_result
from pipelines.translation.config import TranslateConfig

__all__ = ["translate"]


def translate(config: TranslateConfig) -> None:
    """Translate a folder of source tensors or images into infrared images with a trained model."""
    from pipelines.translation.translate import translate_folder

    done = translate_folder(config, progress=shows_progress(), report=print_note)
    say_result(
        f"{count_of(done.images, 'image')} in {config.out} ({done.engine} {done.precision})",
        images=done.images,
        out=config.out,
        engine=done.engine,
        precision=done.precision,
    )
