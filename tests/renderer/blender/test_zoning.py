"""Zones: from attributes, from names, from the shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from renderer.zones.bodies import guess_body_zones, zone_of_body_from_name
from renderer.zones.catalogue import Zone
from renderer.zones.guess import guess_car_zones
from renderer.zones.names import category_from_name, furniture_from_name, zone_from_name

ON_CAR = {
    "gis_glass": Zone.GLASS,
    "gis_road_marking.003": Zone.ROAD_MARKING,
    "Windshield.002": Zone.GLASS,
    "FrontLeftTire": Zone.TYRE,
    "wheels": Zone.TYRE,
    "Headlights": Zone.LAMP,
    "brake_disc": Zone.BRAKE,
    "CarPaint": Zone.BODY,
    "engine hood": Zone.BONNET,
    "Muffler": Zone.EXHAUST,
    "Material.001": None,
    "colormap": None,
    "classic": None,
}
ELSEWHERE = {
    "Asphalt_Wet": Zone.ROAD,
    "lane_line": Zone.ROAD_MARKING,
    "brick wall": Zone.BUILDING,
    "tree_bark": Zone.TRUNK,
    "Leaves.001": Zone.VEGETATION,
    "sidewalk": Zone.PAVEMENT,
    "Material": None,
}
CATEGORIES = {
    "Taxi": "car",
    "SchoolBus": "bus",
    "school_bus.003": "bus",
    "CopCar": "car",
    "police": "car",
    "sedan-sports": "car",
    "hatchback_red": "car",
    "garbage-truck": "truck",
    "fire_truck": "truck",
    "ambulance": "van",
    "delivery": "van",
    "carpet": None,
    "scar": None,
    "bush": None,
    "Business": None,
    "house": None,
    "Car_01": "car",
    "red car": "car",
    "Car_Red_01": "car",
    "Bus.003": "bus",
    "city bus": "bus",
    "SUV": "car",
    "police car": "car",
    "Car Rig": "car",
    "SK_Vehicle_Sedan_LOD0": "car",
    "Car with trailer": "car",
    "bus_stop": None,
    "Bus Stop Sign": None,
    "police station": None,
    "CarPark sign": None,
    "car wash": None,
    "estate house": None,
    "housing estate": None,
    "truck_stop": None,
    "van door": None,
    "Wheel_Car": None,
    "Bus_Driver": None,
    "taxi rank": None,
    "sign for a bus": None,
    "Tram_01": "tram",
    "red tram car": "tram",
    "tram stop": None,
    "tram driver": None,
    "railway car": None,
    "cable car": None,
    "vanity": None,
    "Carla": None,
    "scooter": None,
    "cars": None,
}


@pytest.mark.parametrize("name", ON_CAR)
def test_materials_of_cars(name: str) -> None:
    assert zone_from_name(name, on_car=True) == ON_CAR[name]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_materials_of_streets(name: str) -> None:
    assert zone_from_name(name, on_car=False) == ELSEWHERE[name]


FURNITURE = {
    "Traffic Light.003": "traffic_light",
    "SM_TrafficLight_01": "traffic_light",
    "old traffic signal": "traffic_light",
    "stop sign": "traffic_sign",
    "RoadSign": "traffic_sign",
    "Fire Hydrant red": "hydrant",
    "street_lamp": "street_lamp",
    "StreetLight.001": "street_lamp",
    "desk lamp": None,
    "headlight": None,
    "sign": None,
    "traffic": None,
    "Car_01": None,
}


@pytest.mark.parametrize("name", FURNITURE)
def test_street_furniture(name: str) -> None:
    assert furniture_from_name(name) == FURNITURE[name]


@pytest.mark.parametrize("name", CATEGORIES)
def test_categories(name: str) -> None:
    assert category_from_name(name) == CATEGORIES[name]


CORNERS = np.array([[x, y, z] for x in (-2.2, 2.2) for y in (-0.9, 0.9) for z in (0.0, 1.5)], np.float32)


@pytest.mark.parametrize(
    ("centre", "normal", "zone"),
    [
        ((1.6, 0.0, 0.9), (0.2, 0, 0.98), Zone.BONNET),
        ((0.8, 0.0, 1.2), (0.8, 0, 0.6), Zone.GLASS),
        ((-0.3, 0.88, 1.2), (0, 1, 0.1), Zone.GLASS),
        ((-0.3, 0.0, 1.48), (0, 0, 1), Zone.ROOF),
        ((-0.3, 0.9, 0.7), (0, 1, 0), Zone.BODY),
        ((1.35, 0.85, 0.3), (0, 1, 0), Zone.TYRE),
        ((2.2, 0.0, 0.5), (1, 0, 0), Zone.GRILLE),
        ((2.15, 0.75, 0.7), (1, 0, 0), Zone.LAMP),
        ((-2.2, -0.75, 0.7), (-1, 0, 0), Zone.LAMP),
        ((0.0, 0.0, 0.2), (0, 0, -1), Zone.UNDERBODY),
    ],
)
def test_where_things_are_on_a_car(
    centre: tuple[float, float, float], normal: tuple[float, float, float], zone: Zone
) -> None:
    found = guess_car_zones(np.array([centre], np.float32), np.array([normal], np.float32), CORNERS)
    assert Zone(found[0]) is zone


def test_no_faces() -> None:
    assert guess_car_zones(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), CORNERS).shape == (0,)


def test_attribute_before_material_before_shape(empty_scene: Any, add_box: Callable[..., Any]) -> None:
    import bpy

    from renderer.blender.zoning import assign_zones, zones_of_faces

    box = add_box("thing", size=(4.4, 1.8, 1.5))
    shape = zones_of_faces(box.data, "thing", [], "car")
    assert shape.how == "geometry"
    glass = bpy.data.materials.new("Window")
    box.data.materials.append(glass)
    named = zones_of_faces(box.data, "thing", [glass], "car")
    assert (named.how, set(named.zones.tolist())) == ("materials", {Zone.GLASS})
    assert set(zones_of_faces(box.data, "thing", [glass], None).zones.tolist()) == {Zone.WINDOW}
    assert set(zones_of_faces(box.data, "wall", [None], None).zones.tolist()) == {Zone.BUILDING}
    how = assign_zones([(box, None)], lambda _item, _instancer: "car")
    assert how == {"thing": "materials"}
    values = np.zeros(6, np.int32)
    values[:] = [1, 2, 3, 4, 5, 6]
    box.data.attributes["thermal_zone"].data.foreach_set("value", values)
    given = zones_of_faces(box.data, "thing", [glass], "car")
    assert (given.how, given.zones.tolist()) == ("attribute", [1, 2, 3, 4, 5, 6])
    assert assign_zones([(box, None)], lambda _item, _instancer: "car") == {}


def test_a_sign_on_the_roof_is_not_taken_for_the_roof() -> None:
    """The window of a car 1.5 m high keeps its zone when a sign makes the model 1.9 m high."""
    high = CORNERS.copy()
    high[:, 2] *= 1.9 / high[:, 2].max()
    centres = np.array([[0, 0, 1.9], [0, 0, 1.5], [0.3, 0.7, 1.1]], np.float32)
    normals = np.array([[0, 0, 1], [0, 0, 1], [0, 1, 0]], np.float32)
    zones = guess_car_zones(centres, normals, high, np.array([0.2, 2.0, 0.5], np.float32))
    assert zones.tolist()[1:] == [Zone.ROOF, Zone.GLASS]


@pytest.mark.parametrize(
    ("material", "category", "zone"),
    [
        ("Hair_Long", "person", Zone.HAIR), ("leather jacket", "person", Zone.UPPER_CLOTHES),
        ("Jeans", "person", Zone.LOWER_CLOTHES), ("Skin.001", "person", Zone.SKIN), ("bag", "person", Zone.CARRIED),
        ("handlebar", "person", None), ("tail", "deer", None), ("BackWheel", "bicycle", Zone.TYRE),
        ("seat", "motorcycle", Zone.SEAT), ("gis_fur", "dog", Zone.FUR), ("paint", "bicycle", None),
    ],
)  # fmt: skip
def test_materials_of_bodies(material: str, category: str, zone: Zone | None) -> None:
    assert zone_of_body_from_name(material, category) is zone


def test_a_person_s_heights() -> None:
    """A face in the middle of each part of a body 1.8 m high."""
    zones = guess_body_zones(np.array([0.0, 0.03, 0.5, 1.2, 1.6, 1.8], np.float32), "person").tolist()
    assert zones == [Zone.SHOES, Zone.SHOES, Zone.LOWER_CLOTHES, Zone.UPPER_CLOTHES, Zone.SKIN, Zone.HAIR]
    assert guess_body_zones(np.zeros(0, np.float32), "person").tolist() == []
