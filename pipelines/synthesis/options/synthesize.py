"""What `gis synthesize` is told: its options, checked and completed, and what follows from them."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets import CITY

from pipelines.dataset.labels import CATEGORIES, ORDINARY
from pipelines.dataset.terms import licence_beside
from pipelines.io.files import named_file
from pipelines.io.stores import local_path
from pipelines.synthesis.distances import described_distances, described_set
from pipelines.synthesis.likeness.option_texts import parse_levels
from pipelines.synthesis.options.checks import check_frames, check_model, check_rig, check_surroundings
from pipelines.synthesis.options.choices import OTHERS, WHERE_NAMED, parse_hours, parse_objects, parse_vehicles
from pipelines.synthesis.options.declared import SynthesizeOptions
from pipelines.synthesis.options.left_open import model_and_weights, options_after_set, variety_of_sensors
from pipelines.synthesis.sequences import moment_of, parse_passes, sequence_frames
from pipelines.synthesis.worlds import DEFAULT_WORLDS, WORLDS, WorldMixture

if TYPE_CHECKING:
    from renderer.geometry.camera import Camera
    from renderer.random_streams import Moment

    from pipelines.dataset.rig import Rig
    from pipelines.synthesis.likeness.appearance import Appearance

__all__ = ["SynthesizeConfig"]


@dataclass(frozen=True)
class SynthesizeConfig(SynthesizeOptions):
    """A labelled thermal data set.

    Raises:
        ConfigError: an option that cannot work.
    """

    def __post_init__(self) -> None:
        """Check what can be checked without opening the scene, and choose what is left open."""
        super().__post_init__()
        self._set(sensor_variety=variety_of_sensors(self))
        if self.like is not None:
            self._set(**options_after_set(self, self.like))
        self._set(out=local_path(self.out))
        check_frames(self)
        check_rig(self, self.cameras)
        check_surroundings(self)
        model, weights, note = model_and_weights(self)
        self._set(model=model, weights=weights)
        check_model(self)
        if note:
            warnings.warn(note, stacklevel=3)  # the line that makes the configuration

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def needs_lanes(self) -> bool:
        """Whether the cars named have nowhere to stand but the lanes of the scene."""
        asked = super().needs_lanes or self.density != 1.0 or self.distances is not None or self.vehicles is not None
        return asked and self.backgrounds is None

    @property
    def hour_weights(self) -> dict[int, float]:
        """What `hours` says; empty where it is not given."""
        return parse_hours(self.hours)

    @property
    def vehicle_shares(self) -> tuple[tuple[str, float], ...]:
        """What `vehicles` says; empty where it is not given."""
        return tuple(parse_vehicles(self.vehicles).items())

    @property
    def appearance(self) -> Appearance | None:
        """What `noise` and `contrast` ask of the pictures; None where they ask for nothing."""
        from pipelines.synthesis.likeness.appearance import Appearance

        noise, contrast = parse_levels(self.noise, "noise"), parse_levels(self.contrast, "contrast")
        return Appearance(noise, contrast, self.min_visible_share) if noise or contrast else None

    @property
    def most_cars(self) -> int | None:
        """Most cars in a frame; None: as the traffic has them."""
        return parse_objects(self.objects).get("cars")

    @property
    def most_people(self) -> int | None:
        """Most people in a frame; None: as many as real frames have."""
        return parse_objects(self.objects).get("people")

    @property
    def most_others(self) -> dict[str, int | None]:
        """Most two-wheelers, animals and prams in a frame, by their kind; None: as many as real frames have."""
        counts = parse_objects(self.objects)
        unnamed = 0 if counts.get("people") == 0 else None
        named = {kind: counts[kind] for kind in WHERE_NAMED if kind in counts}
        return {kind: counts.get(kind, unnamed) for kind in OTHERS} | named

    @property
    def categories(self) -> tuple[str, ...]:
        """What the frames may show: all there is where a user's own scene or cars may be marked with anything."""
        own = self.cars is not None or (self.backgrounds is None and self.scene not in (CITY, WORLDS))
        counts = parse_objects(self.objects)
        asked = any(counts.get(kind) for kind in (*WHERE_NAMED, "boar"))
        return CATEGORIES if own or asked or self.label_furniture else ORDINARY

    @functools.cached_property
    def cameras(self) -> Rig | None:
        """The cameras of the rig."""
        if self.rig is None:
            return None
        from pipelines.synthesis.rigs.rig_files import named_rig

        return named_rig(self.rig, self.camera, self.size, self.lens)

    @property
    def camera_number(self) -> int | None:
        """Which camera of the rig the set is of; None: of none."""
        if self.cameras is None or self.rig_camera is None:
            return None
        return [one.name for one in self.cameras.cameras].index(self.rig_camera)

    def named_camera(self) -> Camera | None:
        """The camera that is driven: of a rig the first one."""
        return super().named_camera() if self.cameras is None else self.cameras.cameras[0].camera

    def picture_camera(self) -> Camera | None:
        """The camera whose pictures are made."""
        if self.cameras is None or self.rig_camera is None:
            return self.named_camera()
        return self.cameras.camera(self.rig_camera).camera

    @property
    def stereo_baseline_m(self) -> float | None:
        """How far the other camera of the pair is, where its disparity is asked for; None: there is none."""
        if "stereo" not in self.more_passes or self.cameras is None or self.rig_camera is None:
            return None
        pair = self.cameras.partner(self.rig_camera)
        return None if pair is None else pair[1]

    @property
    def draws_worlds(self) -> bool:
        """See :class:`RenderConfig`."""
        return self.scene == WORLDS

    @property
    def mixture(self) -> WorldMixture:
        """Which street each frame is made in, where worlds are drawn."""
        return WorldMixture(self.seed, self.worlds or DEFAULT_WORLDS)

    def scene_name(self, index: int) -> str:
        """Of the scene that a frame is made in."""
        moment = self.moment(index)
        return self.mixture.name(moment.sequence if moment else index) if self.draws_worlds else self.scene.name

    @property
    def frame_count(self) -> int:
        """See :class:`RenderConfig`; of sequences the frames of all of them."""
        return self.count if self.sequence is None else self.count * sequence_frames(self.sequence, self.fps)

    @property
    def more_passes(self) -> tuple[str, ...]:
        """What `--passes` names."""
        return parse_passes(self.passes)

    def moment(self, index: int) -> Moment | None:
        """Where a frame lies in its sequence; None where there are none."""
        return None if self.sequence is None else moment_of(index, self.sequence, self.fps)

    def to_json(self) -> dict[str, Any]:
        """See :meth:`RenderConfig.to_json`."""
        like = {} if self.like is None else {"like": described_set(self.like)}
        worlds = {"worlds": self.mixture.text} if self.draws_worlds else {}
        moving = {} if self.sequence is None else {"fps": self.fps}
        rig = {} if self.rig is None else {"rig": self._described_rig(self.rig)}
        told = super().to_json() | {"distances": described_distances(self.distances)} | like | worlds | moving | rig
        return told | self._terms(told)

    def _described_rig(self, name: str) -> Any:
        """Name of a shipped rig; of a file name and hash."""
        return named_file(Path(name)) if Path(name).suffix else name

    def _terms(self, told: dict[str, Any]) -> dict[str, Any]:
        """What is made use of, with the licence that lies beside it, where one does."""
        used = {name: getattr(self, name) for name in ("backgrounds", "boxes", "cars", "weights", "scene")}
        paths = {name: path for name, path in used.items() if path is not None and path not in (WORLDS, CITY)}
        found = {name: licence_beside(path) for name, path in paths.items()}
        return {name: {**told[name], "terms": terms} for name, terms in found.items() if terms}
