"""What a bridge does to the temperatures below it: no cold sky, no sun, by night a warm road and by day a cool one.

The loops of :mod:`.kernels` know of open streets. Where a deck is near, the frame is computed again without sun, and
without sun and sky, and each pixel is mixed by what the deck hides from it (:class:`..geometry.cover.Cover`); the
balance is linear in both. What the deck itself has of warmth is that of houses' walls.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Frame
from ..zones.catalogue import Zone
from .balance import Balance
from .ground import GroundEffects
from .kernels import Passes, Scene
from .pixels.frame import render

__all__ = ["hidden_by_covers", "shelter"]

_LEAST = 0.02
"""Share of sky or sun that is worth another pass."""


def hidden_by_covers(frame: Frame, balance: Balance) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shares, 0-1, of the sky and of the sun's warmth that covers keep from each pixel's place, (H, W) both."""
    depth = np.where(np.isfinite(frame.depth_m), frame.depth_m, 0.0).astype(np.float64)
    pose = frame.cam_to_world
    points = (frame.camera.rays() * depth[..., None]) @ pose[:3, :3].T + pose[:3, 3]
    gains = balance.sun_K[Zone.ROAD] * np.maximum(balance.sun_world[:, 2], 0.0)
    sky, sun = np.zeros((2, *depth.shape))
    for cover in frame.covers:
        sky += cover.hidden_sky(points)
        for towards, gain in zip(balance.sun_world, gains, strict=True):
            sun += gain / max(float(gains.sum()), 1e-9) * cover.hides(points, towards)
    seen = depth > 0.0
    return tuple(np.where(seen, np.minimum(share, 1.0), 0.0).astype(np.float32) for share in (sky, sun))  # type: ignore[return-value]


def shelter(
    frame: Frame, passes: Passes, ground: GroundEffects, scene: Scene, out: NDArray[np.float32], *, cars_only: bool
) -> None:
    """Changes temperatures ``out``, (H, W) kelvin, where the frame's covers hide sky or sun."""
    sky, sun = hidden_by_covers(frame, scene.balance)
    if max(float(sky.max()), float(sun.max())) < _LEAST:
        return
    shaded, sheltered = np.empty_like(out), np.empty_like(out)
    render(passes, ground, _without_sun(scene), cars_only, shaded)
    render(passes, ground, _without_sky(_without_sun(scene)), cars_only, sheltered)
    # Below the deck the sun is hidden with the sky, but for what shines in from the side.
    out += sun * (shaded - out) + sky * (sheltered - shaded)


def _without_sun(scene: Scene) -> Scene:
    balance = scene.balance
    none = balance._replace(sun_world=np.zeros((0, 3)), sun_K=np.zeros((balance.sun_K.shape[0], 0)))
    return scene._replace(balance=none, surroundings=scene.surroundings._replace(foliage_K=0.0))


def _without_sky(scene: Scene) -> Scene:
    """Houses' walls all around."""
    balance, around = scene.balance, scene.surroundings
    none = np.zeros_like(balance.diffuse_K)
    walls = np.full_like(around.sky_mean, around.walls)
    return scene._replace(
        balance=balance._replace(diffuse_K=none, sky_loss_K=none, ground_K=none),
        surroundings=around._replace(
            sky_mean=walls, sky_clear=walls, sky_cloud=none[: len(walls)] * 0.0, hemisphere=around.walls
        ),
    )
