"""What `--sequence` asks for: which frame lies where in which sequence, and what cannot be asked for beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from renderer.random_streams import Moment

__all__ = ["DEFAULT_FPS", "PASSES", "check_sequence", "moment_of", "parse_passes", "sequence_frames"]

DEFAULT_FPS: Final = 10.0
PASSES: Final = ("normals", "parts", "amodal", "flow", "stereo")
"""What `--passes` can name."""


def parse_passes(text: str | None) -> tuple[str, ...]:
    """Passes by name: ``normals,flow``.

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


def check_sequence(
    seconds: float | None, fps: float, passes: str | None, of_single_frames: Mapping[str, object]
) -> None:
    """Checks the options of sequences, and those that single frames alone can have.

    Args:
        seconds: of a sequence; None: frames are single ones.
        fps: frames in a second.
        passes: more files of each frame.
        of_single_frames: values of the options that sequences cannot have, by name.

    Raises:
        ConfigError: an option that cannot work.
    """
    if seconds is None:
        if "flow" in parse_passes(passes):
            raise ConfigError("passes flow is of sequences: give --sequence SECONDS too, or leave it out")
        if fps != DEFAULT_FPS:
            raise ConfigError("fps is of sequences: give --sequence SECONDS too, or leave it out")
        return
    parse_passes(passes)
    if sequence_frames(seconds, fps) < 2:
        raise ConfigError(f"sequence {seconds:g} at --fps {fps:g} has fewer than two frames: expected a longer one")
    for name, value in of_single_frames.items():
        if value is not None:
            flag = name.replace("_", "-")
            raise ConfigError(f"{flag} is of single frames: leave it out, or leave --sequence out")
