"""Which colours the things of a frame have: by lot, from a stream of its own, so that nothing infrared changes.

Sources:
    Axalta, Global Automotive Color Popularity Report 2020, as in :mod:`renderer.thermal.finish`: white 38 %, black 19,
    grey 15, silver 9, blue 7, red 5, the rest 7. A car's colour agrees with the absorptance that warms it in the sun.
    Skin: six tones after Fitzpatrick, from measured reflectances (Xiao et al., Skin Research and Technology 23, 2017)
    by eye; clothes are mostly dark or muted (assumed).
"""

from __future__ import annotations

import numpy as np

from ..random_streams import Draw, Stream
from ..zones.catalogue import Zone
from ..zones.categories import VEHICLES

__all__ = ["Colours", "colours_of"]

Rgb = tuple[float, float, float]
Colours = dict[Zone, Rgb]

_PAINT: dict[str, tuple[tuple[float, Rgb], ...]] = {
    "light": ((1.0, (0.78, 0.78, 0.76)),),
    "dark": (
        (0.56, (0.012, 0.012, 0.014)),
        (0.24, (0.05, 0.053, 0.058)),
        (0.12, (0.01, 0.02, 0.07)),
        (0.08, (0.09, 0.01, 0.012)),
    ),
    "middle": (
        (0.30, (0.42, 0.43, 0.45)),
        (0.22, (0.16, 0.165, 0.17)),
        (0.17, (0.03, 0.09, 0.30)),
        (0.16, (0.42, 0.02, 0.02)),
        (0.06, (0.05, 0.14, 0.07)),
        (0.05, (0.30, 0.22, 0.13)),
        (0.04, (0.60, 0.22, 0.03)),
    ),
}
_PAINTED = (Zone.BODY, Zone.ROOF, Zone.BONNET)
_SKIN: tuple[Rgb, ...] = (
    (0.60, 0.40, 0.31), (0.53, 0.33, 0.24), (0.43, 0.25, 0.17), (0.30, 0.16, 0.10), (0.16, 0.08, 0.05),
    (0.08, 0.04, 0.03),
)  # fmt: skip
_SKIN_SHARE = (0.3, 0.28, 0.18, 0.12, 0.08, 0.04)
_HAIR: tuple[Rgb, ...] = (
    (0.012, 0.009, 0.008), (0.04, 0.022, 0.012), (0.10, 0.055, 0.026), (0.33, 0.21, 0.09), (0.45, 0.44, 0.42),
    (0.20, 0.06, 0.02),
)  # fmt: skip
_HAIR_SHARE = (0.28, 0.34, 0.17, 0.09, 0.09, 0.03)
_UPPER: tuple[Rgb, ...] = (
    (0.015, 0.015, 0.017), (0.03, 0.04, 0.08), (0.12, 0.12, 0.125), (0.30, 0.30, 0.30), (0.68, 0.67, 0.64),
    (0.30, 0.22, 0.14), (0.06, 0.09, 0.05), (0.35, 0.03, 0.03), (0.05, 0.15, 0.32), (0.55, 0.38, 0.06),
    (0.30, 0.12, 0.20), (0.62, 0.20, 0.03),
)  # fmt: skip
_UPPER_SHARE = (0.22, 0.15, 0.12, 0.09, 0.12, 0.07, 0.05, 0.05, 0.06, 0.03, 0.03, 0.01)
_LOWER: tuple[Rgb, ...] = (
    (0.015, 0.015, 0.017), (0.025, 0.035, 0.07), (0.06, 0.10, 0.19), (0.12, 0.12, 0.12), (0.26, 0.20, 0.13),
    (0.45, 0.43, 0.38), (0.06, 0.06, 0.045),
)  # fmt: skip
_LOWER_SHARE = (0.30, 0.24, 0.18, 0.10, 0.09, 0.04, 0.05)
_SHOES: tuple[Rgb, ...] = ((0.015, 0.013, 0.012), (0.06, 0.035, 0.02), (0.6, 0.6, 0.58), (0.2, 0.2, 0.2))
_FUR: dict[str, tuple[Rgb, ...]] = {
    "deer": ((0.20, 0.11, 0.05), (0.15, 0.09, 0.05)),
    "dog": ((0.02, 0.017, 0.015), (0.28, 0.18, 0.09), (0.45, 0.36, 0.25), (0.12, 0.07, 0.04), (0.6, 0.57, 0.52)),
    "boar": ((0.03, 0.025, 0.02), (0.09, 0.07, 0.05)),
    "cat": ((0.02, 0.018, 0.017), (0.18, 0.15, 0.12), (0.40, 0.20, 0.07), (0.6, 0.58, 0.55)),
}
_FRAMES: tuple[Rgb, ...] = (
    (0.02, 0.02, 0.022), (0.35, 0.35, 0.36), (0.30, 0.02, 0.02), (0.03, 0.08, 0.25), (0.6, 0.6, 0.58),
    (0.04, 0.2, 0.09), (0.45, 0.2, 0.02),
)  # fmt: skip


def colours_of(draw: Draw, number: int, category: str, absorptance: float | None) -> Colours:
    """Colours of an object's zones; what is not among them is as its material says.

    Args:
        draw: of the frame.
        number: id of the object, which keeps its colours over a sequence.
        category: of :data:`renderer.zones.names.CATEGORIES`.
        absorptance: of a car's paint for sunlight, 0-1; None where it is not known.
    """
    rng = draw.rng(Stream.VISIBLE, number)
    if category in VEHICLES:
        return dict.fromkeys(_PAINTED, _paint(rng, absorptance))
    if category == "person":
        return _person(rng)
    if category in _FUR:
        return {Zone.FUR: _tinted(rng, _one(rng, _FUR[category]))}
    frame = _tinted(rng, _one(rng, _FRAMES))
    return {Zone.FRAME: frame, Zone.CARRIED: _tinted(rng, _one(rng, _UPPER, _UPPER_SHARE)), **_person(rng)}


def _paint(rng: np.random.Generator, absorptance: float | None) -> Rgb:
    kinds = ("light", "dark", "middle")
    if absorptance is None:
        kind = kinds[int(rng.choice(3, p=(0.38, 0.34, 0.28)))]
    else:
        rng.random()  # as many draws in either case
        kind = "light" if absorptance < 0.44 else "dark" if absorptance > 0.77 else "middle"
    weights, paints = zip(*_PAINT[kind], strict=True)
    return _tinted(rng, _one(rng, paints, weights), 0.06)


def _person(rng: np.random.Generator) -> Colours:
    skin = _tinted(rng, _one(rng, _SKIN, _SKIN_SHARE))
    upper = _tinted(rng, _one(rng, _UPPER, _UPPER_SHARE))
    return {
        Zone.SKIN: skin,
        Zone.HANDS: skin,
        Zone.PERSON: upper,
        Zone.HAIR: _tinted(rng, _one(rng, _HAIR, _HAIR_SHARE)),
        Zone.UPPER_CLOTHES: upper,
        Zone.LOWER_CLOTHES: _tinted(rng, _one(rng, _LOWER, _LOWER_SHARE)),
        Zone.SHOES: _tinted(rng, _one(rng, _SHOES)),
        Zone.HEADWEAR: _tinted(rng, _one(rng, _UPPER, _UPPER_SHARE)),
        Zone.CARRIED: _tinted(rng, _one(rng, _UPPER, _UPPER_SHARE)),
    }


def _one(rng: np.random.Generator, colours: tuple[Rgb, ...], shares: tuple[float, ...] | None = None) -> Rgb:
    if shares is None:
        return colours[int(rng.integers(len(colours)))]
    edges = np.cumsum(shares)
    return colours[min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), len(colours) - 1)]


def _tinted(rng: np.random.Generator, colour: Rgb, spread: float = 0.15) -> Rgb:
    """The colour a little lighter or darker, and a little off its hue."""
    factors = (1.0 + spread * rng.uniform(-1, 1)) * (1.0 + 0.3 * spread * rng.uniform(-1, 1, 3))
    red, green, blue = (float(min(1.0, c * f)) for c, f in zip(colour, factors, strict=True))
    return red, green, blue
