"""The models that ``cars.blend`` holds, by name. A new one is a new row: a ``Family`` in one of the tables."""

from __future__ import annotations

from .car import CarSpec
from .commercial import BUS, DELIVERY_VAN, LORRY, VAN
from .family import family_spec
from .passenger import CITY_CAR, COUPE, ESTATE, HATCHBACK, PICKUP, SALOON, SUV, TAXI
from .relatives import RELATIVES

__all__ = ["MODELS"]

_FAMILIES = (HATCHBACK, SALOON, ESTATE, SUV, PICKUP, VAN, LORRY, BUS, CITY_CAR, COUPE, TAXI, DELIVERY_VAN, *RELATIVES)

MODELS: dict[str, CarSpec] = {car.name: family_spec(car) for car in _FAMILIES}
