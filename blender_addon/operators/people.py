"""Add people, two-wheelers with their riders, animals, prams, trailers and trams."""

import functools
from typing import TYPE_CHECKING

import bpy

from ..data import shipped_models
from ..data.shipped_models import OTHERS, PEOPLE, TWO_WHEELERS
from ..translations import say
from ..ui.availability import why_no_room
from .cars import place
from .common import refuses, reports_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["register", "unregister"]

Rows = list[tuple[str, str, str]]
STAND = "stand"
"""The pose that everybody has."""


# Blender keeps no strings of an enumeration that is made at run time: each call must give the same ones.


@functools.cache
def _poses() -> dict[str, tuple[str, ...]]:
    """Poses of each person, standing first."""
    found: dict[str, list[str]] = {}
    for name in shipped_models.model_names(PEOPLE):
        person, _, pose = name.partition(".")
        found.setdefault(person, []).append(pose)
    return {person: tuple(sorted(poses, key=lambda pose: (pose != STAND, pose))) for person, poses in found.items()}


@functools.cache
def _person_rows() -> Rows:
    heights = {person: shipped_models.height_m(PEOPLE, f"{person}.{STAND}") for person in _poses()}
    return [(person, f"{_title(person)}, {height:.2f} m", "") for person, height in heights.items()]


@functools.cache
def _pose_rows(person: str) -> Rows:
    return [(pose, _title(pose), "") for pose in _poses().get(person, (STAND,))]


@functools.cache
def _two_wheeler_rows() -> Rows:
    titles = {name: _title(shipped_models.rides(name) or name) for name in shipped_models.model_names(TWO_WHEELERS)}
    return [
        (name, say("{vehicle} with {rider}", vehicle=title, rider=name.partition(".")[2].replace("_", " "))
         if shipped_models.rides(name) else title, "")
        for name, title in titles.items()
    ]  # fmt: skip


@functools.cache
def _other_files() -> dict[str, str]:
    """Files of animals, prams, trailers and trams by the names of the models; of a walk one step is enough."""
    names = {name: file for file in OTHERS for name in shipped_models.model_names(file)}
    return {name: file for name, file in names.items() if ".walk" not in name or name.endswith(".walk_01")}


@functools.cache
def _other_rows() -> Rows:
    return [(name, _title(name.replace(".", ", ").replace("walk_01", "walk")), "") for name in _other_files()]


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _collections(names: "Sequence[str]", file: str) -> list[bpy.types.Collection]:
    """Models as collections of this file, made where they are missing."""
    from renderer.blender.traffic import model_collections

    there = model_collections()
    there |= shipped_models.add_models(set(names) - set(there), file)
    return [there[name] for name in names]


class GIS_OT_add_person(bpy.types.Operator):
    """Add one of the shipped people at the 3-D cursor"""

    bl_idname = "gis.add_person"
    bl_label = "Add Person"
    bl_options = {"REGISTER", "UNDO"}

    person: bpy.props.EnumProperty(
        name="Person", description="Shipped person", items=lambda _self, _context: _person_rows()
    )
    pose: bpy.props.EnumProperty(
        name="Pose", description="What the person does", items=lambda self, _context: _pose_rows(self.person)
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """People are added in object mode, into a collection of this file."""
        return not refuses(cls, why_no_room(context))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make, place, report."""
        from renderer.thermal.people import activity_of

        name = f"{self.person}.{self.pose or STAND}"
        item = place(context, _collections([name], PEOPLE)[0], activity_of(name))
        self.report({"INFO"}, say("Added {name}", name=item.name))
        return {"FINISHED"}


class GIS_OT_add_two_wheeler(bpy.types.Operator):
    """Add one of the shipped bicycles, motorcycles or scooters at the 3-D cursor, parked or with its rider"""

    bl_idname = "gis.add_two_wheeler"
    bl_label = "Add Two-Wheeler"
    bl_options = {"REGISTER", "UNDO"}

    model: bpy.props.EnumProperty(
        name="Two-Wheeler",
        description="Shipped two-wheeler, with a rider or without",
        items=lambda _self, _context: _two_wheeler_rows(),
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """They are added in object mode, into a collection of this file."""
        return not refuses(cls, why_no_room(context))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make, place, report."""
        vehicle = shipped_models.rides(self.model)
        if not vehicle:
            item = place(context, _collections([self.model], TWO_WHEELERS)[0], "cold_soaked")
        else:
            below, rider = _collections([vehicle, self.model], TWO_WHEELERS)
            item = place(context, below, "driving")
            seated = place(context, rider, "cycling" if below["gis_category"] == "bicycle" else "riding")
            seated.parent, seated.location = item, (0.0, 0.0, 0.0)
            seated["gis_rides"] = item.name
        self.report({"INFO"}, say("Added {name}", name=item.name))
        return {"FINISHED"}


class GIS_OT_add_other(bpy.types.Operator):
    """Add one of the shipped animals, prams, trailers or trams at the 3-D cursor"""

    bl_idname = "gis.add_other"
    bl_label = "Add Animal, Trailer or Tram"
    bl_options = {"REGISTER", "UNDO"}

    model: bpy.props.EnumProperty(
        name="Model", description="Shipped animal, pram, trailer or tram", items=lambda _self, _context: _other_rows()
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """They are added in object mode, into a collection of this file."""
        return not refuses(cls, why_no_room(context))

    @reports_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make, place, report."""
        from renderer.thermal.people import profile_of

        model = _collections([self.model], _other_files()[self.model])[0]
        item = place(context, model, profile_of(str(model["gis_category"]), self.model, "", None, "driving"))
        self.report({"INFO"}, say("Added {name}", name=item.name))
        return {"FINISHED"}


CLASSES = (GIS_OT_add_person, GIS_OT_add_two_wheeler, GIS_OT_add_other)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Unregister them."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    for rows in (_poses, _person_rows, _pose_rows, _two_wheeler_rows, _other_files, _other_rows):
        rows.cache_clear()
