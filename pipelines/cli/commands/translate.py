"""``gis translate``."""

from __future__ import annotations

from pipelines.cli.commands.options import print_note, shows_progress
from pipelines.cli.console import say
from pipelines.translation.config import TranslateConfig

__all__ = ["translate"]


def translate(config: TranslateConfig) -> None:
    """Translate a folder of source tensors or images into infrared images with a trained model."""
    from pipelines.translation.translate import translate_folder

    done = translate_folder(config, progress=shows_progress(), report=print_note)
    say(f"{done.images} images in {config.out} ({done.engine} {done.precision})")
