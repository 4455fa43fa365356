"""Sizes that things on a road have, so that a scene in a wrong unit is noticed."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["is_plausible", "size_note"]

_LONGEST_SIDE_M = {
    "car": (1.2, 10.0), "van": (1.5, 12.0), "truck": (2.0, 60.0), "bus": (2.0, 35.0), "person": (0.5, 2.8),
    "bicycle": (0.7, 3.2), "motorcycle": (1.0, 3.5), "dog": (0.2, 2.2), "deer": (0.5, 3.3),
    "scooter": (0.5, 2.8), "stroller": (0.4, 1.8), "cat": (0.15, 1.2), "boar": (0.4, 2.3), "tram": (5.0, 80.0),
    "trailer": (1.2, 14.0),
    "traffic_light": (0.2, 12.0), "traffic_sign": (0.2, 25.0), "hydrant": (0.3, 2.0), "street_lamp": (0.1, 20.0),
}  # fmt: skip
"""Wide limits, to tell a wrong unit and not a rare car. The smallest car built was 1.37 m long (Peel P50), road trains
reach 53.5 m (Australia's NVR), double articulated buses 31 m, trams 56 m (CAF Urbos 3 of
Budapest). Signs and lamps may be marked with their posts, or with the gantry that carries them."""

Sized = tuple[str, str, tuple[float, float, float]]
"""Name, category, and length, width and height in metres."""


def is_plausible(category: str, size_m: tuple[float, float, float]) -> bool:
    """Whether there is a thing of that category with sides like these; of other categories nothing is known."""
    low, high = _LONGEST_SIDE_M.get(category, (0.0, float("inf")))
    return low <= max(size_m) <= high


def size_note(objects: Iterable[Sized]) -> tuple[str, ...]:
    """A line that names the first of the objects whose sizes no such thing has."""
    everything = list(objects)
    odd = [one for one in everything if not is_plausible(one[1], one[2])]
    if not odd:
        return ()
    name, category, size_m = odd[0]
    sides = " x ".join(f"{side:.3g}" for side in size_m)
    return (
        f"{len(odd)} of {len(everything)} labelled objects have sizes that no such thing has: {name!r} is "
        f"a {category} of {sides} m; check the unit of the scene (Scene properties > Units > Unit Scale)",
    )
