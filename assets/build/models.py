"""The models that ``cars.blend`` holds, by name. A new one is a new row: a ``Family`` in one of the tables."""

from __future__ import annotations

from dataclasses import replace

from .car import CarSpec
from .commercial import BUS, DELIVERY_VAN, LORRY, VAN
from .details import AMERICAN_PLATE_M
from .family import Family, family_spec
from .passenger import CITY_CAR, COUPE, ESTATE, HATCHBACK, PICKUP, RACK_PICKUP, SALOON, SUV, TAXI
from .relatives import RELATIVES

__all__ = ["MODELS"]

_FAMILIES = (
    HATCHBACK, SALOON, ESTATE, SUV, PICKUP, RACK_PICKUP, CITY_CAR, COUPE, TAXI, VAN, DELIVERY_VAN, LORRY, BUS,
    *RELATIVES,
)  # fmt: skip

# How often a model is drawn against the others of its category. By kind as vehicles of US households are (National
# Household Travel Survey 2017, in round figures: cars 50 %, sport utilities 24, pickups 18, vans 6); within a kind
# assumed. Saloons and coupes have 5.3 here, hatchbacks and estates 2.7, sport utilities 3.8, pickups 2.7, minivans 1.
_SHARES = {
    "midsize_saloon": 1.6, "compact_saloon": 1.4, "saloon": 1.1, "large_saloon": 0.5, "coupe": 0.45, "taxi": 0.25,
    "liftback": 0.8, "hatchback": 0.8, "estate": 0.45, "supermini": 0.35, "city_car": 0.15, "loaded_estate": 0.15,
    "crossover": 1.4, "suv": 1.2, "large_suv": 0.9, "off_roader": 0.3,
    "fullsize_pickup": 1.4, "pickup": 0.8, "rack_pickup": 0.5, "minivan": 1.0,
}  # fmt: skip
_AMERICAN = {
    "midsize_saloon", "compact_saloon", "large_saloon", "liftback", "crossover", "large_suv", "fullsize_pickup",
    "pickup", "rack_pickup", "minivan", "box_truck",
}  # fmt: skip
_POLISHED = {"saloon", "coupe", "suv", "large_suv", "large_saloon", "fullsize_pickup"}
"""With spokes of bare alloy or chrome."""


def _as_driven(car: Family) -> Family:
    """A model with its share, its country's plates, and its kind of wheels."""
    details = replace(car.details, plate_m=AMERICAN_PLATE_M) if car.name in _AMERICAN else car.details
    tyre = replace(car.tyre, bright=car.name in _POLISHED)
    return replace(car, share=_SHARES.get(car.name, 1.0), details=details, tyre=tyre)


MODELS: dict[str, CarSpec] = {car.name: family_spec(_as_driven(car)) for car in _FAMILIES}
