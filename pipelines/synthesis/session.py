"""The opened scene that frames are rendered in: what the renderer has to offer, and how a configuration opens it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from assets import ANIMAL_ARRAYS, CITY, PEOPLE_ARRAYS, TRAILER_ARRAYS, TRAM_ARRAYS, TWO_WHEELER_ARRAYS
from numpy.typing import NDArray
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.geometry.rig import Mount
from renderer.random_streams import Draw, Moment
from renderer.scene.cars import FrameSetup, ModelSize
from renderer.scene.distances import ORDINARY
from renderer.scene.furniture import Furniture
from renderer.scene.road_users.two_wheelers import NO_OTHERS
from renderer.thermal.conditions import Conditions
from renderer.visible.settings import VisibleSettings
from renderer.zones.categories import STREET_FURNITURE

from pipelines.cameras import parse_size
from pipelines.errors import ConfigError
from pipelines.synthesis.options.choices import TRAILERS, TRAMS, WHERE_NAMED
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.worlds import WORLDS

__all__ = ["Session", "SessionFactory", "open_session"]


class Session(Protocol):
    """An opened scene; :class:`renderer.blender.engine.RenderSession` is the real one."""

    @property
    def camera(self) -> Camera:
        """Camera of the frames."""

    @property
    def model_sizes(self) -> tuple[ModelSize, ...]:
        """Cars that can be placed."""

    @property
    def people_sizes(self) -> tuple[ModelSize, ...]:
        """People that can be placed."""

    @property
    def other_sizes(self) -> tuple[ModelSize, ...]:
        """Two-wheelers and their riders that can be placed."""

    @property
    def has_traffic(self) -> bool:
        """Whether cars are drawn for each frame; else the scene moves by its own animation."""

    def frame(
        self,
        index: int,
        *,
        attempt: int = 0,
        normals: bool = False,
        parts: bool = False,
        profile: str | None = None,
        conditions: Conditions | None = None,
        people: int | None = 0,
        others: Mapping[str, int | None] = NO_OTHERS,
        moment: Moment | None = None,
        flow: bool = False,
        amodal: bool = False,
        shrink: int = 1,
        edges: bool = False,
    ) -> Frame:
        """One frame of the scene, or of a sequence in it."""

    def visible(
        self,
        frame: Frame,
        draw: Draw,
        conditions: Conditions,
        settings: VisibleSettings,
        *,
        profile: str | None = None,
        people: int | None = 0,
        others: Mapping[str, int | None] = NO_OTHERS,
        absorptances: Mapping[int, float] | None = None,
        snow: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.uint8]:
        """The visible twin of a frame of the scene."""

    def frame_on_plane(
        self,
        setup: FrameSetup,
        *,
        camera: Camera | None = None,
        normals: bool = False,
        parts: bool = False,
        amodal: bool = False,
    ) -> Frame:
        """The cars of a setup and nothing else."""

    def close(self) -> None:
        """Close the scene."""


def _people_of(config: RenderConfig) -> Path | None:
    """File of the people, where any are wanted."""
    wanted = isinstance(config, SynthesizeConfig) and config.most_people != 0
    return PEOPLE_ARRAYS if wanted and PEOPLE_ARRAYS.is_file() else None


def _others_of(config: RenderConfig) -> tuple[Path, ...]:
    """Files of two-wheelers, animals and prams, where any are wanted."""
    wanted = isinstance(config, SynthesizeConfig) and any(
        most != 0 for kind, most in config.most_others.items() if kind not in WHERE_NAMED
    )
    files = [path for path in (TWO_WHEELER_ARRAYS, ANIMAL_ARRAYS) if wanted and path.is_file()]
    if isinstance(config, SynthesizeConfig):
        named = {TRAMS: TRAM_ARRAYS, TRAILERS: TRAILER_ARRAYS}
        files += [path for kind, path in named.items() if config.most_others.get(kind)]
    return tuple(files)


def _furniture_of(config: RenderConfig) -> Furniture | None:
    """What of the street's own things is told apart from it."""
    if not isinstance(config, SynthesizeConfig) or config.engine != "raster" or config.backgrounds is not None:
        return None
    from assets.furniture import FURNITURE, PARKED  # no part of the add-on, whose `gis render` opens sessions too

    return {**FURNITURE, **PARKED} if config.scene in (CITY, WORLDS) else FURNITURE


def _unlabelled(config: RenderConfig) -> frozenset[str]:
    """Categories of that which get no label: exports name them to what has classes for them."""
    if not isinstance(config, SynthesizeConfig):
        return frozenset()
    bicycles = config.most_others.get("bicycles") == 0
    return frozenset((*(() if config.label_furniture else STREET_FURNITURE), *(("bicycle",) if bicycles else ())))


def _mount(config: RenderConfig) -> Mount | None:
    """The camera of a rig that frames are seen through, where that is not the first one."""
    if not isinstance(config, SynthesizeConfig) or not config.camera_number or config.cameras is None:
        return None
    return config.cameras.cameras[config.camera_number].mount


SessionFactory = Callable[[RenderConfig], Session]


def open_session(config: RenderConfig) -> Session:
    """Opens the scene of a configuration in Blender.

    Raises:
        RendererError: scene, cars or camera cannot be used.
        ConfigError: cars are named that have nowhere to stand.
    """
    from renderer.blender.engine import RenderSession

    camera = config.named_camera()
    size = parse_size(config.size) if camera is None and config.size is not None else None
    traffic, variety, places = ORDINARY, 0.0, None
    if isinstance(config, SynthesizeConfig) and config.backgrounds is None:
        from pipelines.synthesis.traffic import read_traffic  # it reads boxes, which gis render in Blender cannot

        traffic, variety = read_traffic(config, None), config.sensor_variety or 0.0
    if isinstance(config, SynthesizeConfig) and config.draws_worlds:
        places = config.mixture
    session = RenderSession(
        config.scene if places is None else CITY,
        camera=camera,
        size=size,
        engine=config.engine,
        cars=config.cars,
        people=_people_of(config),
        others=_others_of(config),
        seed=config.seed,
        traffic=traffic,
        mount_variety=variety,
        places=places,
        furniture=_furniture_of(config),
        unlabelled=_unlabelled(config),
        lens=config.lens,
        mount=_mount(config),
    )
    if config.needs_lanes and not session.has_traffic:
        cars = "cars" if config.cars is None else f"cars of {config.cars}"
        raise ConfigError(
            f"{config.scene} has no lanes where {cars} could stand: expected a scene with a street "
            "(the shipped one has), or --backgrounds"
        )
    return session
