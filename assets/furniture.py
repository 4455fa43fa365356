"""What of the shipped streets' own things is labelled: parked bicycles, and on request lights, signs, hydrants, lamps.

Names are those of the builders in ``assets/build``; boxes are in the axes of each mesh, metres.
"""

from __future__ import annotations

from typing import Final

from renderer.scene.furniture import Furniture, FurniturePart

__all__ = ["FURNITURE", "PARKED"]


def _light(low: tuple[float, float, float], high: tuple[float, float, float]) -> FurniturePart:
    return FurniturePart("traffic_light", low, high)


def _sign(low: tuple[float, float, float], high: tuple[float, float, float]) -> FurniturePart:
    return FurniturePart("traffic_sign", low, high)


def _lamp(low: tuple[float, float, float], high: tuple[float, float, float]) -> FurniturePart:
    return FurniturePart("street_lamp", low, high)


_PLATE: Final = _sign((-0.1, -0.65, 1.65), (-0.001, 0.65, 3.0))
"""Any plate before a post, which reaches below it and is no part of it therefore."""

FURNITURE: Final[Furniture] = {
    "signal": (
        _light((-0.55, -0.2, 2.35), (-0.05, 0.2, 3.4)),
        _light((-0.11, 0.05, 2.05), (0.15, 0.3, 2.65)),  # for people on foot
    ),
    "mast_signal": (
        _light((-0.35, -4.85, 5.15), (-0.01, -4.35, 6.35)),
        _light((-0.35, -8.45, 5.15), (-0.01, -7.95, 6.35)),
        _light((-0.45, -0.25, 2.5), (-0.1, 0.25, 3.7)),
        _sign((-0.1, -3.3, 5.6), (-0.01, -1.3, 6.05)),
    ),
    "sign_limit": (_PLATE,),
    "sign_parking": (_PLATE,),
    "sign_yield": (_PLATE,),
    "stop": (_PLATE,),
    "warning": (_PLATE,),
    "speed": (_PLATE,),
    "street_name": (_sign((-0.5, -0.5, 2.7), (0.5, 0.5, 3.2)),),
    "sign_on_posts": (_sign((-0.1, -1.3, 1.4), (-0.001, 1.3, 2.9)),),
    "shelter": (_sign((2.8, -0.3, 2.15), (2.95, 0.3, 2.75)),),  # of the bus stop
    "hydrant": (FurniturePart("hydrant", (-1.0, -1.0, -1.0), (1.0, 1.0, 2.0)),),
    "lamp": (_lamp((-0.2, -2.4, 6.4), (0.2, -1.55, 6.7)),),
    "cobra_lamp": (_lamp((-0.2, -3.1, 9.0), (0.2, -2.3, 9.3)),),
    "globe_lamp": (_lamp((-0.35, -0.35, 3.75), (0.35, 0.35, 4.6)),),
    "banner_lamp": (
        _lamp((-0.3, -1.05, 4.33), (0.3, -0.45, 4.95)),
        _lamp((-0.3, 0.45, 4.33), (0.3, 1.05, 4.95)),
    ),
}
"""Parts by the kind of thing."""

PARKED: Final[Furniture] = {
    "bicycle": (
        # The hoop that it leans on stands at y 0.25; the bar reaches beyond it, above.
        FurniturePart("bicycle", (-1.0, -0.4, -0.1), (1.0, 0.2, 1.2), more_m=(((0.2, -0.4, 0.9), (0.5, 0.4, 1.2)),)),
    ),
}
"""Things that are no furniture, but what detectors are asked for: always labelled."""
