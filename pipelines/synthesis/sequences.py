"""What `--sequence` asks for: which frame lies where in which sequence, and what cannot be asked for beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from renderer.random_streams import Moment

    from pipelines.synthesis.config import SynthesizeConfig

__all__ = ["PASSES", "check_sequence", "moment_of", "parse_passes", "sequence_frames"]

PASSES = ("flow",)
"""What `--passes` can name."""


def parse_passes(text: str | None) -> tuple[str, ...]:
    """Passes by name: ``flow``.

    Raises:
        ConfigError: another name.
    """
    names = tuple(filter(None, (text or "").replace(" ", "").split(",")))
    for name in names:
        if name not in PASSES:
            raise ConfigError(f"passes: {name!r}: expected {', '.join(PASSES)}")
    return names


def sequence_frames(seconds: float, fps: float) -> int:
    """Frames of one sequence."""
    return round(seconds * fps)


def moment_of(index: int, seconds: float, fps: float) -> Moment:
    """Where a frame of a data set lies: its sequences follow each other."""
    from renderer.random_streams import Moment  # it needs numpy, and the help of the commands does not

    sequence, frame = divmod(index, frames := sequence_frames(seconds, fps))
    return Moment(sequence, frame, frames, fps)


def check_sequence(config: SynthesizeConfig) -> None:
    """Checks the options of sequences, and those that single frames alone can have.

    Raises:
        ConfigError: an option that cannot work.
    """
    from pipelines.synthesis.config import DEFAULT_FPS

    if parse_passes(config.passes) and config.sequence is None:
        raise ConfigError("passes flow is of sequences: give --sequence SECONDS too, or leave it out")
    if config.sequence is None:
        if config.fps != DEFAULT_FPS:
            raise ConfigError("fps is of sequences: give --sequence SECONDS too, or leave it out")
        return
    if sequence_frames(config.sequence, config.fps) < 2:
        raise ConfigError(
            f"sequence {config.sequence:g} at --fps {config.fps:g} has fewer than two frames: expected a longer one"
        )
    if config.most_cars is not None:
        raise ConfigError("objects: cars=N is of single frames: leave it out (--density thins traffic), or --sequence")
    for name in ("backgrounds", "max_label_error", "distances"):
        if getattr(config, name) is not None:
            flag = name.replace("_", "-")
            raise ConfigError(f"{flag} is of single frames: leave it out, or leave --sequence out")
