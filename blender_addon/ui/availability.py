"""Why a button cannot be pressed now: one line each, for tooltips and for the panel; empty where it can."""

import bpy

from ..jobs.dataset_job import RUNNER

__all__ = ["parts_of", "why_no_dataset", "why_no_room", "why_no_view", "why_not_editable", "why_not_one_mesh"]


def parts_of(item: bpy.types.Object) -> list[bpy.types.Object]:
    """The mesh objects that an object shows: itself, or what is in the collection that it is a copy of."""
    collection = item.instance_collection if item.instance_type == "COLLECTION" else None
    return [part for part in (collection.all_objects if collection else (item,)) if part.type == "MESH"]


def why_not_editable(item: bpy.types.Object | None) -> str:
    """Why zones cannot be written to what an object shows: a mesh, or the meshes of a model that it is a copy of."""
    if item is None:
        return "Select a mesh object"
    reasons = [why_not_one_mesh(part) for part in parts_of(item)]
    return min(
        reasons, key=len, default="The active object is not a mesh: select a mesh"
    )  # one part will do: its reason is ""


def why_not_one_mesh(item: bpy.types.Object | None) -> str:
    """Why zones cannot be written to faces of an object itself."""
    if item is None:
        return "Select a mesh object"
    if item.type != "MESH":
        is_copy = item.instance_type == "COLLECTION" and item.instance_collection
        return "A copy of a model: press Edit Faces" if is_copy else "The active object is not a mesh: select a mesh"
    if item.library or item.data.library or item.override_library:
        return "The object is linked from another file: make it local first (Object > Relations > Make Local)"
    if not len(item.data.polygons) and item.mode != "EDIT":
        return "The object has no faces"
    return ""


def why_no_room(context: bpy.types.Context) -> str:
    """Why nothing can be added at the 3-D cursor."""
    if context.mode != "OBJECT":
        return "Leave edit mode first"
    if context.collection.library or context.collection.override_library:
        return "The active collection is linked from another file: choose another one in the outliner"
    return ""


def why_no_view(scene: bpy.types.Scene) -> str:
    """Why a scene cannot be rendered."""
    if scene.camera is None:
        return "The scene has no active camera: add a camera rig"
    if scene.camera.type != "CAMERA" or scene.camera.data.type != "PERSP":
        return "The active camera is not a perspective camera: choose perspective"
    return ""


def why_no_dataset(scene: bpy.types.Scene) -> str:
    """Why no data set can be made."""
    if RUNNER.is_running:
        return "A command runs already: wait for its end, or cancel it"
    if reason := why_no_view(scene):
        return reason
    if not scene.gis_dataset.out:
        return "Choose an output folder"
    if scene.gis_dataset.out.startswith("//") and not bpy.data.filepath:
        return "Save the file first, or choose an output folder that does not start with //"
    return ""
