"""Changes of training batches: mirrors and zooms, tone curves, and levels of objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from gan.data.batch import Batch

__all__ = ["Augmentation", "augment", "change_tone", "match_levels"]

_HEAT: Final = (3, 4, 5)
_LEAST_PX: Final = 20
"""Smallest part whose level is read."""
_CONTRAST: Final = (0.5, 2.0)
_LEAST_STD: Final = 0.02


@dataclass(frozen=True)
class Augmentation:
    """One geometric change, applied to source and target alike."""

    flip: bool = False
    """Mirrored left to right."""
    zoom: float = 1.0
    """Magnification, at least 1."""
    shift_x: float = 0.0
    """Where the crop lies in the space that the zoom leaves, -1 left to 1 right."""
    shift_y: float = 0.0
    """The same, -1 top to 1 bottom."""


def augment(batch: Batch, changes: Sequence[Augmentation]) -> Batch:
    """Applies one geometric change per sample to source and target."""
    if not any(change.flip or change.zoom != 1 for change in changes):
        return batch
    if all(change.zoom == 1 for change in changes):
        mask = torch.tensor([change.flip for change in changes], device=batch.source.device)[:, None, None, None]
        source, target, objects = (
            None if image is None else torch.where(mask, image.flip(-1), image)
            for image in (batch.source, batch.target, batch.objects)
        )
        assert source is not None
        assert target is not None
        return Batch(source, target, objects=objects)
    theta = torch.tensor([_affine(change) for change in changes], device=batch.source.device)
    both = torch.cat((batch.source, batch.target), dim=1)
    grid = functional.affine_grid(theta, list(both.shape), align_corners=False)
    warped = functional.grid_sample(both, grid, mode="bilinear", padding_mode="border", align_corners=False)
    channels = batch.source.shape[1]
    objects = None
    if batch.objects is not None:  # numbers that have no mean; float32 holds 16 bits exactly
        numbers = batch.objects.float()
        objects = functional.grid_sample(
            numbers, grid, mode="nearest", padding_mode="border", align_corners=False
        ).int()
    return Batch(warped[:, :channels], warped[:, channels:], objects=objects)


def change_tone(batch: Batch, curves: npt.NDArray[np.float64], layout: str) -> Batch:
    """Puts target and background under another tone curve, as another gain control would.

    Args:
        batch: Source tensors of ``layout``, or images.
        curves: (N, 3) for each sample the logarithms of gamma and contrast, and half the shift of the middle.
        layout: Of the source; objects and what hides the background around them stay as they are.
    """
    gamma, contrast, shift = (
        torch.tensor(column, dtype=torch.float32, device=batch.source.device)[:, None, None, None]
        for column in curves.T
    )

    def curve(image: Tensor) -> Tensor:
        share = ((image + 1) / 2).clamp(0, 1) ** gamma.exp()
        return ((2 * share - 1) * contrast.exp() + shift).clamp(-1, 1)

    source = batch.source
    if layout == "image":
        return Batch(curve(source), curve(batch.target), objects=batch.objects)
    label = source[:, :3]
    if layout == "physics":
        changed = torch.cat((curve(label[:, :1]), label[:, 1:]), dim=1)
        background = label[:, 1:2] == -1
    else:
        changed = curve(label)
        background = (label[:, :1] == label[:, 1:2]) & (label[:, :1] == label[:, 2:3])
    label = torch.where(background, changed, label)
    return Batch(torch.cat((label, source[:, 3:]), dim=1), curve(batch.target), objects=batch.objects)


def match_levels(batch: Batch, chosen: Sequence[bool]) -> Batch:
    """Gives the physical picture in some sources the levels of the target: one contrast, one level per class of heat.

    What the levels of a real car were is chance to a network that sees the picture of other weather, and the mean of
    all chances is a car without contrast. With matched levels it learns to trust the picture's levels, and to add what
    else real cars have. Sources that are translated later have levels of their own; nothing of a target is in them.

    Args:
        batch: Source tensors of the layout ``physics``.
        chosen: Which of them are changed, N values.
    """
    source = batch.source.clone()
    for row in np.flatnonzero(np.asarray(chosen)):
        picture, target = source[row, 0], batch.target[row, 0]
        inside = source[row, 1] == 1
        if int(inside.sum()) < _LEAST_PX:
            continue
        contrast = (target[inside].std() / picture[inside].std().clamp(min=_LEAST_STD)).clamp(*_CONTRAST)
        changed = picture.clone()
        for channel in _HEAT:
            part = inside & (source[row, channel] > 0)
            if int(part.sum()) >= _LEAST_PX:
                changed[part] = target[part].mean() + (picture[part] - picture[part].mean()) * contrast
        source[row, 0] = changed.clamp(-1, 1)
    return Batch(source, batch.target, objects=batch.objects)


def _affine(change: Augmentation) -> list[list[float]]:
    # Output coordinates in [-1, 1] to input coordinates: the crop is 1/zoom wide and shifts within what is left.
    scale = 1 / change.zoom
    mirror = -scale if change.flip else scale
    return [[mirror, 0.0, change.shift_x * (1 - scale)], [0.0, scale, change.shift_y * (1 - scale)]]
