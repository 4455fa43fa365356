"""The renderer for a user of Python: open a scene, render frames, give them temperatures, expose them.

Everything that is exported here is found in `renderer` itself::

    import assets, renderer

    with renderer.open_scene(assets.CITY, camera=assets.camera("kitti-object", 512), seed=0) as scene:
        frame = scene.render(0)
        kelvin = renderer.thermal_image(frame, weather="clear", hour=22)
        grey = renderer.expose(kelvin, assets.sensor("tau2"), frame)
"""

from __future__ import annotations

import functools
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .errors import SceneError
from .geometry.camera import Camera
from .geometry.frame import Frame
from .geometry.lens_picture import distorted_picture
from .random_streams import Draw
from .thermal import sensor as detectors
from .thermal.conditions import Conditions
from .thermal.people import profile_of
from .thermal.physics import render_thermal
from .thermal.profiles import Profiles, read_profiles
from .thermal.sensor import Sensor
from .thermal.weather.draws import draw_conditions

if TYPE_CHECKING:
    from typing import Self  # Python 3.11

    from .blender.engine import Engine, RenderSession

__all__ = ["Scene", "conditions", "expose", "gain_control", "measure", "open_scene", "thermal_image"]

DEFAULT_PROFILE = "driving"
"""Thermal profile of an object that says nothing of itself."""


class Scene:
    """A scene that is open in Blender; :func:`open_scene` makes it. One per process: Blender has one file open."""

    def __init__(self, session: RenderSession) -> None:
        self._session = session

    @property
    def camera(self) -> Camera:
        """Camera of the frames."""
        return self._session.camera

    def render(self, index: int, *, normals: bool = True, parts: bool = True) -> Frame:
        """The passes of one frame.

        Args:
            index: number of the frame, 0 or more; the same number gives the same frame, whatever was rendered before.
            normals: also give ``Frame.normal``, (H, W, 3) float32 in world axes.
            parts: also give ``Frame.part``, (H, W) uint16, and ``Frame.parts``: wheels and the like; with both also
                ``Frame.edges``, by which pictures of near vehicles are better.

        Returns:
            depth in metres, instance ids, thermal zones, and the objects in view with poses and boxes.

        Raises:
            SceneError: the number is none, or the scene cannot be rendered.
        """
        if index < 0:
            raise SceneError(f"frame {index}: expected 0 or more")
        return self._session.frame(index, normals=normals, parts=parts, edges=True)

    def close(self) -> None:
        """Close the scene; nothing can be rendered any more."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_scene(
    scene: Path | str,
    *,
    camera: Camera | None = None,
    engine: Engine = "raster",
    cars: Path | str | None = None,
    seed: int = 0,
) -> Scene:
    """Opens a .blend file for rendering; needs Blender as a module (``bpy``, the extra ``render``).

    Args:
        scene: a .blend file. One with a street (the shipped city) gets seeded traffic; any other is rendered as it is,
            frame ``index`` being its own animation frame ``frame_start + index``.
        camera: intrinsics; None takes the scene's active camera at the scene's resolution.
        engine: ``raster``, a z-buffer that is exact and fast, or ``cycles``, Blender's own at one sample.
        cars: file or folder of car models that replace the scene's own in the traffic.
        seed: of traffic, camera pose and weather.

    Raises:
        SceneError: the scene cannot be read, or has no camera or nothing that is labelled.
    """
    try:
        from .blender.engine import RenderSession
    except ModuleNotFoundError as error:
        if error.name != "bpy":
            raise
        raise SceneError("Blender's module bpy is not installed: pip install 'gis-thermal[render]'") from None
    return Scene(
        RenderSession(Path(scene), camera=camera, engine=engine, cars=None if cars is None else Path(cars), seed=seed)
    )


def conditions(
    *,
    weather: str | None = None,
    hour: float | None = None,
    season: str | None = None,
    seed: int = 0,
    index: int = 0,
) -> Conditions:
    """Weather, sun and air of a frame; what is not given is drawn.

    Args:
        weather: ``clear``, ``cloudy``, ``overcast``, ``rain``, ``fog``, ``snow`` or ``snowfall``; ``any`` or a mixture
            (``snow=2,rain=1``) draws one of several.
        hour: solar time, 0 to 24.
        season: ``winter``, ``spring``, ``summer`` or ``autumn``.
        seed: of the draw.
        index: number of the frame.

    Raises:
        ThermalError: an unknown weather or season, or an hour outside 0 to 24.
    """
    return draw_conditions(Draw(seed, index), weather=weather, hour=hour, season=season)


@functools.cache
def _shipped_profiles() -> Profiles:
    """The thermal profiles that lie among the files of gis: a resource by name, for the renderer imports no assets."""
    with resources.as_file(resources.files("assets") / "thermal_profiles.toml") as path:
        return read_profiles(path)


def thermal_image(
    frame: Frame,
    weather: str | Conditions | None = None,
    *,
    hour: float | None = None,
    season: str | None = None,
    profile: str | None = None,
    profiles: Profiles | None = None,
    seed: int = 0,
) -> NDArray[np.float32]:
    """What a long-wave infrared camera would see without any noise: apparent temperature at its aperture.

    Args:
        frame: passes; with normals and parts the picture is better.
        weather: a word, or whole conditions (:func:`conditions`); None draws them for ``seed`` and ``frame.index``.
        hour: solar time, 0 to 24; None draws it.
        season: None draws it.
        profile: thermal profile of all objects; None takes each object's own, else ``driving``.
        profiles: materials and thermal profiles; None takes the shipped ones.
        seed: of what varies between objects.

    Returns:
        (H, W) float32, kelvin, blackbody equivalent over 8 to 14 micrometres.

    Raises:
        ThermalError: an unknown weather, season or profile.
    """
    if not isinstance(weather, Conditions):
        weather = conditions(weather=weather, hour=hour, season=season, seed=seed, index=frame.index)
    seen = frame if frame.undistorted is None else frame.undistorted
    names = [profile_of(one.category, one.model, one.profile, profile, DEFAULT_PROFILE) for one in seen.instances]
    named = (replace(item, profile=name) for item, name in zip(seen.instances, names, strict=True))
    seen, draw = replace(seen, instances=tuple(named)), Draw(seed, frame.index)
    kelvin = render_thermal(seen, weather, profiles or _shipped_profiles(), draw).apparent_temperature_K
    return kelvin if frame.undistorted is None else distorted_picture(kelvin, frame.camera)


def measure(kelvin: NDArray[np.float32], sensor: Sensor, frame: Frame, *, seed: int = 0) -> NDArray[np.float32]:
    """Temperatures as a detector reads them: blurred by its optics, sampled by its pixels, with its noise.

    Args:
        kelvin: (H, W) float32 apparent temperature.
        sensor: the detector (``assets.sensor``).
        frame: whose camera and number they are: the pitch of the pixels, and the noise that changes.
        seed: of the pattern that stays.

    Returns:
        (H, W) float32, kelvin.
    """
    return detectors.expose(kelvin, sensor, Draw(seed, frame.index), frame.camera)


def gain_control(measured: NDArray[np.float32], sensor: Sensor) -> NDArray[np.uint8]:
    """The sensor's own 8-bit image, white hot, of temperatures (H, W) in kelvin."""
    return detectors.agc(measured, sensor)


def expose(kelvin: NDArray[np.float32], sensor: Sensor, frame: Frame, *, seed: int = 0) -> NDArray[np.uint8]:
    """The 8-bit image that a camera gives: :func:`measure`, then :func:`gain_control`; (H, W) uint8, white hot."""
    return gain_control(measure(kelvin, sensor, frame, seed=seed), sensor)
