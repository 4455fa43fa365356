"""Meshes of the city: vertices and faces gathered in numpy, each face with a material that names its thermal zone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray
from renderer.zones.catalogue import ZONE_ATTRIBUTE, Zone

__all__ = ["MATERIALS", "MeshBuilder", "Point", "link", "pose", "turn"]

Array = NDArray[np.float64]
Point = tuple[float, float, float]

# Material: zone, base colour (linear RGB), roughness, metallic.
MATERIALS: dict[str, tuple[Zone, tuple[float, float, float], float, float]] = {
    "asphalt": (Zone.ROAD, (0.055, 0.055, 0.058), 0.9, 0.0),
    "asphalt_patch": (Zone.ROAD, (0.035, 0.035, 0.038), 0.85, 0.0),
    "paint_white": (Zone.ROAD_MARKING, (0.75, 0.75, 0.72), 0.6, 0.0),
    "paving": (Zone.PAVEMENT, (0.3, 0.29, 0.27), 0.85, 0.0),
    "kerb": (Zone.PAVEMENT, (0.42, 0.41, 0.39), 0.8, 0.0),
    "driveway": (Zone.PAVEMENT, (0.45, 0.43, 0.4), 0.85, 0.0),
    "gravel_bed": (Zone.SOIL, (0.33, 0.31, 0.28), 1.0, 0.0),
    "dry_grass": (Zone.SOIL, (0.3, 0.24, 0.1), 1.0, 0.0),
    "mulch": (Zone.SOIL, (0.12, 0.07, 0.04), 1.0, 0.0),
    "grass": (Zone.SOIL, (0.09, 0.14, 0.04), 1.0, 0.0),
    "earth": (Zone.SOIL, (0.13, 0.1, 0.06), 1.0, 0.0),
    "plaster_cream": (Zone.BUILDING, (0.72, 0.62, 0.44), 0.9, 0.0),
    "plaster_grey": (Zone.BUILDING, (0.5, 0.5, 0.48), 0.9, 0.0),
    "plaster_ochre": (Zone.BUILDING, (0.66, 0.42, 0.2), 0.9, 0.0),
    "plaster_white": (Zone.BUILDING, (0.8, 0.79, 0.75), 0.9, 0.0),
    "plaster_blue": (Zone.BUILDING, (0.36, 0.45, 0.52), 0.9, 0.0),
    "brick_red": (Zone.BUILDING, (0.36, 0.12, 0.07), 0.9, 0.0),
    "brick_brown": (Zone.BUILDING, (0.24, 0.13, 0.08), 0.9, 0.0),
    "concrete": (Zone.BUILDING, (0.38, 0.37, 0.35), 0.85, 0.0),
    "stone": (Zone.BUILDING, (0.52, 0.47, 0.38), 0.85, 0.0),
    "stucco_sand": (Zone.BUILDING, (0.62, 0.5, 0.36), 0.95, 0.0),
    "stucco_rose": (Zone.BUILDING, (0.6, 0.4, 0.32), 0.95, 0.0),
    "siding_blue": (Zone.BUILDING, (0.25, 0.33, 0.4), 0.8, 0.0),
    "siding_white": (Zone.BUILDING, (0.78, 0.77, 0.74), 0.8, 0.0),
    "block_wall": (Zone.BUILDING, (0.45, 0.4, 0.35), 0.95, 0.0),
    "shingle_grey": (Zone.BUILDING, (0.16, 0.16, 0.16), 0.95, 0.0),
    "shingle_brown": (Zone.BUILDING, (0.17, 0.11, 0.07), 0.95, 0.0),
    "rock": (Zone.BUILDING, (0.35, 0.33, 0.3), 0.95, 0.0),
    "plastic_blue": (Zone.METAL, (0.03, 0.09, 0.3), 0.6, 0.0),
    "plastic_grey": (Zone.METAL, (0.13, 0.14, 0.15), 0.6, 0.0),
    "trim": (Zone.BUILDING, (0.7, 0.68, 0.62), 0.7, 0.0),
    "frame": (Zone.BUILDING, (0.75, 0.74, 0.7), 0.5, 0.0),
    "tiles_red": (Zone.BUILDING, (0.33, 0.1, 0.05), 0.8, 0.0),
    "tiles_dark": (Zone.BUILDING, (0.09, 0.08, 0.08), 0.7, 0.0),
    "gravel": (Zone.BUILDING, (0.3, 0.29, 0.27), 1.0, 0.0),
    "door": (Zone.BUILDING, (0.13, 0.07, 0.04), 0.5, 0.0),
    "door_green": (Zone.BUILDING, (0.04, 0.12, 0.07), 0.5, 0.0),
    "sign": (Zone.BUILDING, (0.1, 0.2, 0.38), 0.5, 0.0),
    "sign_red": (Zone.BUILDING, (0.5, 0.06, 0.05), 0.5, 0.0),
    "awning": (Zone.BUILDING, (0.55, 0.16, 0.1), 0.8, 0.0),
    "awning_green": (Zone.BUILDING, (0.1, 0.28, 0.14), 0.8, 0.0),
    "wood": (Zone.BUILDING, (0.28, 0.16, 0.07), 0.7, 0.0),
    "glass": (Zone.WINDOW, (0.05, 0.08, 0.1), 0.05, 0.0),
    "glass_shop": (Zone.WINDOW, (0.12, 0.14, 0.14), 0.05, 0.0),
    "leaves": (Zone.VEGETATION, (0.07, 0.17, 0.03), 0.8, 0.0),
    "leaves_dark": (Zone.VEGETATION, (0.035, 0.09, 0.02), 0.9, 0.0),
    "leaves_light": (Zone.VEGETATION, (0.14, 0.24, 0.05), 0.8, 0.0),
    "straw": (Zone.VEGETATION, (0.36, 0.28, 0.12), 0.9, 0.0),
    "bark": (Zone.TRUNK, (0.11, 0.07, 0.045), 0.95, 0.0),
    "steel": (Zone.METAL, (0.4, 0.41, 0.42), 0.4, 0.9),
    "steel_dark": (Zone.METAL, (0.06, 0.065, 0.07), 0.5, 0.6),
    "steel_yellow": (Zone.METAL, (0.75, 0.5, 0.03), 0.5, 0.0),
    "steel_green": (Zone.METAL, (0.03, 0.12, 0.06), 0.5, 0.2),
    "sign_face": (Zone.METAL, (0.7, 0.7, 0.72), 0.4, 0.0),
    "sign_blue": (Zone.METAL, (0.02, 0.1, 0.45), 0.4, 0.0),
    "sign_stop": (Zone.METAL, (0.55, 0.02, 0.02), 0.4, 0.0),
    "canopy": (Zone.METAL, (0.06, 0.07, 0.08), 0.8, 0.0),
    "canopy_red": (Zone.METAL, (0.4, 0.09, 0.05), 0.8, 0.0),
    "canopy_light": (Zone.METAL, (0.6, 0.56, 0.48), 0.8, 0.0),
    "water": (Zone.SOIL, (0.05, 0.09, 0.1), 0.05, 0.0),  # wet, and nobody walks on it
    "lamp": (Zone.LUMINAIRE, (0.95, 0.9, 0.75), 0.3, 0.0),
    "skin": (Zone.PERSON, (0.6, 0.36, 0.26), 0.7, 0.0),
    "coat": (Zone.PERSON, (0.1, 0.13, 0.22), 0.9, 0.0),
    "coat_red": (Zone.PERSON, (0.4, 0.05, 0.05), 0.9, 0.0),
    "coat_light": (Zone.PERSON, (0.5, 0.47, 0.4), 0.9, 0.0),
    "trousers": (Zone.PERSON, (0.07, 0.08, 0.11), 0.9, 0.0),
    "hair": (Zone.PERSON, (0.06, 0.035, 0.02), 0.8, 0.0),
}


def pose(x_m: float, y_m: float, z_m: float = 0.0, yaw_rad: float = 0.0, scale: float = 1.0) -> Array:
    """(4, 4) matrix: scale, turn about z, move."""
    matrix = np.eye(4)
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    matrix[:2, :2] = [[c, -s], [s, c]]
    matrix[:3, :3] *= scale
    matrix[:3, 3] = x_m, y_m, z_m
    return matrix


def turn(axis: str, angle_rad: float) -> Array:
    """(3, 3) rotation about a coordinate axis."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


@dataclass
class MeshBuilder:
    """Gathers faces; every ``add`` goes through ``matrix``, so that parts can be built in their own axes."""

    matrix: Array = field(default_factory=lambda: np.eye(4))
    points: list[Array] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    materials: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def triangles(self) -> int:
        """Triangles after triangulation."""
        return sum(len(face) - 2 for face in self.faces)

    def add(self, points: Array | Sequence[Point], faces: Sequence[Sequence[int]], material: str) -> None:
        """Append points (N, 3) and faces that index them."""
        local = np.asarray(points, dtype=np.float64)
        self.points.append(local @ self.matrix[:3, :3].T + self.matrix[:3, 3])
        self.faces.extend(tuple(int(i) + self.count for i in face) for face in faces)
        self.materials.extend([material] * len(faces))
        self.count += len(local)

    def polygon(self, material: str, *corners: Point) -> None:
        """One flat face, corners counter-clockwise seen from its front."""
        self.add(list(corners), [range(len(corners))], material)

    def box(self, low: Point, high: Point, material: str, skip: str = "") -> None:
        """Axis-aligned box; ``skip`` names sides to leave out, of ``-x +x -y +y -z +z`` without the signs' blanks."""
        (x0, y0, z0), (x1, y1, z1) = low, high
        points = [(x, y, z) for x in (x0, x1) for y in (y0, y1) for z in (z0, z1)]
        sides = {
            "-x": (0, 1, 3, 2), "+x": (4, 6, 7, 5), "-y": (0, 4, 5, 1), "+y": (2, 3, 7, 6), "-z": (0, 2, 6, 4),
            "+z": (1, 5, 7, 3),
        }  # fmt: skip
        self.add(points, [face for name, face in sides.items() if name not in skip], material)

    def tube(
        self,
        path: Sequence[Point | Array] | Array,
        radii: Sequence[float],
        sides: int,
        material: str,
        caps: bool = True,
    ) -> None:
        """Round bar along a path of points, with one radius for each."""
        line = np.asarray(path, dtype=np.float64)
        rings = []
        for k, centre in enumerate(line):
            along = line[min(k + 1, len(line) - 1)] - line[max(k - 1, 0)]
            along = along / np.linalg.norm(along)
            other = np.array([1.0, 0.0, 0.0]) if abs(along[2]) > 0.7 else np.array([0.0, 0.0, 1.0])
            u = np.cross(along, other)
            u /= np.linalg.norm(u)
            v = np.cross(along, u)
            angle = np.arange(sides) * 2 * math.pi / sides
            rings.append(centre + radii[k] * (np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v))
        self.loft(rings, material, caps)

    def loft(self, rings: Sequence[Array], material: str, caps: bool = True) -> None:
        """Skin over closed rings of equal size (N, 3), turning left about the direction of the loft."""
        n = len(rings[0])
        faces: list[Sequence[int]] = []
        for k in range(len(rings) - 1):
            a, b = k * n, (k + 1) * n
            faces += [(a + i, a + (i + 1) % n, b + (i + 1) % n, b + i) for i in range(n)]
        if caps:
            faces += [tuple(range(n - 1, -1, -1)), tuple(range((len(rings) - 1) * n, len(rings) * n))]
        self.add(np.concatenate(rings), faces, material)

    def blob(self, centre: Point | Array, radii: Point | Array, material: str, rings: int = 5, sides: int = 8,
             bumps: Array | None = None) -> None:  # fmt: skip
        """Ellipsoid of ``rings`` x ``sides``; ``bumps`` (rings, sides) scales the radius at its vertices."""
        elevation = (np.arange(rings) + 0.5) / rings * math.pi - math.pi / 2
        angle = np.arange(sides) * 2 * math.pi / sides
        unit = np.stack(
            [
                np.cos(elevation)[:, None] * np.cos(angle),
                np.cos(elevation)[:, None] * np.sin(angle),
                np.repeat(np.sin(elevation)[:, None], sides, axis=1),
            ],
            axis=-1,
        )
        if bumps is not None:
            unit = unit * bumps[..., None]
        self.loft([np.asarray(centre) + ring * np.asarray(radii) for ring in unit], material)

    def build(self, name: str) -> bpy.types.Mesh:
        """Blender mesh with flat faces, materials and the zone of every face."""
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(np.concatenate(self.points).tolist(), [], self.faces)
        used = sorted(set(self.materials))
        for material in used:
            mesh.materials.append(_material(material))
        slot = {material: k for k, material in enumerate(used)}
        mesh.polygons.foreach_set("material_index", np.array([slot[m] for m in self.materials], dtype=np.int32))
        zones = mesh.attributes.new(ZONE_ATTRIBUTE, "INT", "FACE")
        zones.data.foreach_set("value", np.array([MATERIALS[m][0] for m in self.materials], dtype=np.int32))
        mesh.update()
        return mesh


def _material(name: str) -> bpy.types.Material:
    """Blender material of a row of :data:`MATERIALS`, made once per file."""
    label = f"gis_{MATERIALS[name][0].name.lower()}.{name}"
    if (known := bpy.data.materials.get(label)) is not None:
        return known
    zone, rgb, roughness, metallic = MATERIALS[name]
    material = bpy.data.materials.new(label)
    material.diffuse_color = (*rgb, 1.0)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*rgb, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    if zone is Zone.LUMINAIRE:
        shader.inputs["Emission Color"].default_value = (*rgb, 1.0)
        shader.inputs["Emission Strength"].default_value = 2.0
    return material


def link(
    collection: bpy.types.Collection, mesh: bpy.types.Mesh, name: str, matrix: Array | None = None
) -> bpy.types.Object:
    """Put an object with that mesh into a collection; several objects may share one mesh."""
    item = bpy.data.objects.new(name, mesh)
    if matrix is not None:
        item.matrix_world = Matrix(matrix.tolist())
    collection.objects.link(item)
    return item
