"""Cameras by name or file, and cropped to the size of an image."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from assets import CAMERAS
from renderer.geometry.camera import Camera, read_camera_file, read_cameras
from renderer.geometry.lens import BROWN_CONRADY, FISHEYE, Lens, parse_lens

from pipelines.errors import ConfigError

__all__ = ["DEFAULT_SIZE_PX", "named_camera", "named_lens", "parse_size"]

DEFAULT_SIZE_PX = 512
"""Side of the square that a camera preset is cropped to unless a size is given: what the networks take."""
MIN_SIZE_PX, MAX_SIZE_PX = 16, 8192


def parse_size(text: str) -> tuple[int, int]:
    """Width and height of ``"512"`` or ``"1242x375"``.

    Raises:
        ConfigError: no size.
    """
    found = re.fullmatch(r"(\d{1,6})(?:[xX](\d{1,6}))?", text.strip())
    if not found:
        raise ConfigError(f"size is {text!r}: expected one number such as 512, or WIDTHxHEIGHT such as 1242x375")
    width = int(found[1])
    height = int(found[2] or found[1])
    for side in (width, height):
        if not MIN_SIZE_PX <= side <= MAX_SIZE_PX:
            raise ConfigError(f"size is {text!r}: expected sides from {MIN_SIZE_PX} to {MAX_SIZE_PX} pixels")
    return width, height


def named_lens(distortion: str | None, fisheye: str | None) -> Lens | None:
    """The lens of ``--distortion k1,k2,p1,p2[,k3]`` or ``--fisheye k1,k2,k3,k4``; None where neither is given.

    Raises:
        ConfigError: both are given.
        CameraError: no coefficients.
    """
    if distortion is not None and fisheye is not None:
        raise ConfigError("distortion and fisheye both say how the lens distorts: give one of them")
    if distortion is not None:
        return parse_lens(BROWN_CONRADY, distortion)
    return None if fisheye is None else parse_lens(FISHEYE, fisheye)


def named_camera(name: str | None, size: str | None, *, crop: bool = True, lens: Lens | None = None) -> Camera | None:
    """The camera of that name or file, cropped to ``size``; None where none is named.

    Args:
        name: a preset of ``assets/cameras.toml``, or a .json or .toml file of intrinsics.
        size: see :func:`parse_size`; without it presets become squares of 512, own cameras keep theirs.
        crop: False gives the whole picture of the camera.
        lens: takes the place of the camera's own.

    Raises:
        ConfigError: no preset has this name and no such file is there.
        CameraError: the file describes no camera.
    """
    if name is None:
        return None
    presets = read_cameras(CAMERAS)
    if name in presets:
        camera, shape = presets[name], parse_size(size or str(DEFAULT_SIZE_PX))
    elif Path(name).suffix.lower() in (".json", ".toml"):
        camera = read_camera_file(Path(name))
        shape = parse_size(size) if size else (camera.width, camera.height)
    else:
        raise ConfigError(
            f"unknown camera {name!r}: expected one of {', '.join(presets)}, or a .json or .toml file of intrinsics"
        )
    camera = camera if lens is None else replace(camera, lens=lens)
    return camera.fitted(*shape) if crop else camera
