"""Where all randomness of a frame comes from: one generator for each thing that is drawn.

Frame ``index`` of a dataset is the same whoever makes it, in which order and on how many workers, because nothing is
drawn from a shared generator: each stream starts anew from ``(seed, index, stream)``. A stream of its own for each
thing keeps the others as they are when one of them draws more or less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

__all__ = ["Draw", "Moment", "Stream", "dataset_rng"]

_FIRST_FRAMES = 1_000_000
"""The attempts at one of the first million frames are drawn as frames that lie so far apart: so it was before a data
set could have more. Frames from there on have keys of one number more, and meet neither those nor one another."""
_MARK = 1 << 31
"""Above every number of a stream or of a part of one: it tells the longer keys from the shorter ones."""


class Stream(IntEnum):
    """What is drawn. The numbers make the pictures: never change one, and give a new thing a new number."""

    TRAFFIC = 0
    """Which cars stand where."""
    CONDITIONS = 1
    """Weather, hour and season."""
    SURFACE = 2
    """What differs between surfaces of one kind: warmth of each zone and car, patterns."""
    SENSOR = 3
    """Noise of a simulated sensor."""
    BACKGROUND = 4
    """Which real background a frame gets."""
    CAMERA = 5
    """Pose of the camera in a scene."""
    HARMONISATION = 6
    """Levels and details of cars that are matched to a real frame."""
    BACKGROUND_NOISE = 7
    """Noise, as measured in a real frame, that inserted cars get."""
    SENSOR_VARIETY = 10
    """Sensor and gain control that differ from frame to frame."""
    FIT_WEATHER = 9
    """Weather of the physical picture of fitted cars. (8 is free.)"""
    DAYLIGHT = 60
    """Whether a frame is by day, and its hour, where a share of such frames is asked for."""
    APPEARANCE = 61
    """How noisy a frame's picture is, and how its objects stand out in it, where that is asked for."""
    FINISH = 15
    """Paint and dirt of each car, trees that a street has."""
    PEOPLE = 20
    """Which people stand where."""
    PEOPLE_HEAT = 21
    """How people are dressed, and how warm they are."""
    TWO_WHEELERS = 30
    """Which two-wheelers stand where, and who rides them; a part for each kind."""
    TWO_WHEELER_HEAT = 31
    """How warm two-wheelers are."""
    COMPANIONS = 32
    """Which animals and prams are there; a part for each kind."""
    TRAMS = 35
    """Which trams stand where."""
    TRAILERS = 37
    """Which cars tow a trailer."""
    SEATED = 33
    """Who sits on benches."""
    RIDERS = 36
    """Who rides the two-wheelers, by the weather."""
    OTHER_HEAT = 34
    """How warm trams are, and what stands still and is labelled."""
    TRIPS = 16
    """How long ago each car that is driven started."""
    WORLD = 40
    """Which of several places a frame is made in."""
    WEATHER = 70
    """Which weather of a mixture a frame has, parts 1 and 2 what of it; parts from 8 on: of each object."""
    MOTION = 50
    """Where camera, cars and people of a sequence begin, and how fast they are; a part for each kind."""
    TRACK = 51
    """What differs between the objects of a sequence: warmth, paint; a part for each object."""
    VISIBLE = 90
    """Colours of the visible twin, a part for each object; of the sky with none."""


_TEMPORAL = frozenset({Stream.SENSOR})
"""What is drawn anew for each frame of a sequence; all else is drawn once for the whole of it."""


_OF_CAMERA = frozenset({Stream.SENSOR, Stream.SENSOR_VARIETY})
"""What is drawn anew for each camera of a rig; all else is the same for all of them."""
_WORD = 1 << 32
"""Numbers below it are one word of a seed each, larger ones several."""
_LAST = _WORD - 1
"""Keys of cameras count down from it, far above those of frames."""


@dataclass(frozen=True)
class Moment:
    """Where a frame lies in a sequence.

    Raises:
        ValueError: a number that no frame of a sequence has.
    """

    sequence: int
    """Number of the sequence, from 0."""
    frame: int
    """Number of the frame in it, from 0."""
    frames: int
    """Of the whole sequence."""
    fps: float
    """Frames in a second."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if min(self.sequence, self.frame) < 0 or self.frame >= self.frames or not self.fps > 0:
            raise ValueError(f"{self}: expected numbers of 0 or more, a frame below frames, and fps above 0")

    @property
    def time_s(self) -> float:
        """Since the first frame of the sequence."""
        return self.frame / self.fps

    @property
    def next(self) -> Moment | None:
        """Of the frame after this one; None after the last."""
        return None if self.frame + 1 == self.frames else replace(self, frame=self.frame + 1)

    @property
    def duration_s(self) -> float:
        """Of the whole sequence."""
        return self.frames / self.fps


@dataclass(frozen=True)
class Draw:
    """One draw of a frame: the key of all its random streams.

    Raises:
        ValueError: a negative number, which no generator can be seeded with.
    """

    seed: int
    """Of the dataset."""
    index: int
    """Of the frame, from 0."""
    attempt: int = 0
    """Number of earlier draws of this frame that were rejected."""
    moment: Moment | None = None
    """Of a frame of a sequence: then all but temporal noise is drawn by the number of the sequence."""
    camera: int | None = None
    """Number of a camera of a rig, from 0: then what differs between objects does not depend on which are in view."""

    @property
    def by_object(self) -> bool:
        """Whether each object has random streams of its own: it is the same in other frames, or for other cameras."""
        return self.moment is not None or self.camera is not None

    def __post_init__(self) -> None:
        """Check that a generator can be seeded with the numbers."""
        if min(self.seed, self.index, self.attempt) < 0:
            raise ValueError(f"{self}: expected seed, index and attempt of 0 or more")

    def rng(self, stream: Stream, part: int | None = None) -> np.random.Generator:
        """A new generator, at the beginning of a stream.

        Args:
            stream: what is drawn.
            part: separates two things that are drawn from one stream; None is the stream itself.
        """
        key = [self.seed, *self._numbers(), int(stream)]
        if self.moment is not None and stream in _TEMPORAL:
            key += [_MARK + self.moment.frame]
        if self.camera and stream in _OF_CAMERA:
            key += [_LAST - self.camera]
        return _generator(key if part is None else [*key, part])

    def _numbers(self) -> tuple[int, ...]:
        if self.moment is not None:
            return self.moment.sequence, _MARK + self.attempt
        if self.index < _FIRST_FRAMES:
            return (self.index + self.attempt * _FIRST_FRAMES,)
        return self.index, _MARK + self.attempt


def _generator(key: list[int]) -> np.random.Generator:
    """``np.random.default_rng(key)``; numpy takes apart each number of a list for itself, of an array all at once."""
    words = np.array(key, dtype=np.uint32) if max(key) < _WORD else key
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def dataset_rng(seed: int, stream: Stream, camera: int | None = None) -> np.random.Generator:
    """A new generator for what is the same in all frames of a dataset, by one camera of a rig."""
    return np.random.default_rng([seed, int(stream), *([_LAST - camera] if camera else [])])
