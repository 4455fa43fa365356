"""What is minimised: a focal loss on the heat map (Zhou et al., 2019), GIoU of the edges (Rezatofighi et al., 2019)."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["detection_loss"]

_EDGES_WEIGHT: Final = 3.0
_HARDNESS, _LENIENCE = 2, 4  # exponents alpha and beta of "Objects as Points"
_LEAST_EDGE_PX: Final = 0.01


def detection_loss(
    predicted: tuple[Tensor, Tensor], centres: Tensor, counted: Tensor, edges: Tensor, edge_weight: Tensor
) -> Tensor:
    """The loss of a batch, a scalar; see `pipelines.detection.targets.Targets` for the arrays, here with (N, ...)."""
    logits, distances = predicted
    return _centre_loss(logits, centres, counted) + _EDGES_WEIGHT * _edge_loss(distances, edges, edge_weight)


def _centre_loss(logits: Tensor, centres: Tensor, counted: Tensor) -> Tensor:
    chance = torch.sigmoid(logits)
    is_centre = (centres >= 1.0) & (counted > 0)
    found = functional.logsigmoid(logits) * (1 - chance) ** _HARDNESS
    empty = functional.logsigmoid(-logits) * chance**_HARDNESS * (1 - centres) ** _LENIENCE * counted
    total = torch.where(is_centre, found, empty).sum()
    return -total / is_centre.sum().clamp(min=1)


def _edge_loss(distances: Tensor, edges: Tensor, weight: Tensor) -> Tensor:
    """Mean of 1 - GIoU; all boxes contain their cell, so that overlap and hull follow from distances alone."""
    counts = weight > 0
    a, b = (one.permute(0, 2, 3, 1)[counts] for one in (distances, edges))
    b = b.clamp(min=_LEAST_EDGE_PX)
    inner, outer = torch.minimum(a, b), torch.maximum(a, b)
    overlap, hull = _area(inner), _area(outer)
    union = _area(a) + _area(b) - overlap
    giou = overlap / union - (hull - union) / hull
    share = weight[counts]
    return (share * (1 - giou)).sum() / share.sum().clamp(min=1e-3)


def _area(distances: Tensor) -> Tensor:
    return (distances[:, 0] + distances[:, 2]) * (distances[:, 1] + distances[:, 3])
