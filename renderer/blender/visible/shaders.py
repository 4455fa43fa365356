"""Materials of visible twins: one for each kind of surface, made once in an opened file.

What differs between objects (colours that are drawn, lamps that are lit, snow) the shaders read from properties of the
object; what differs between frames from the node group :data:`WEATHER`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ...visible.looks import LAYS_ON, Look, look_of_zone
from ...zones.catalogue import Zone

__all__ = ["AHEAD", "COLOUR", "LIT", "SNOW", "show_snow", "surface_material", "weather_group"]

COLOUR, LIT, SNOW, AHEAD = "gis_colour_", "gis_lit", "gis_snow", "gis_ahead"
"""Properties of objects: colour of a zone, by its number; whether lamps burn; share of snow; first row of the matrix
from mesh to model, by which front and rear lamps are told apart."""
WEATHER: Final = "gis weather"
_SEEN: Final = "gis visible snow"
"""Image of where snow lies in the picture."""
_VALUES: Final = ("wet", "dark", "snow road", "snow ground", "snow trees", "snow seen")
_REAR_LAMP: Final = (0.28, 0.008, 0.008, 1.0)
_SNOW_COLOUR: Final = (0.83, 0.85, 0.88, 1.0)
_HEAD_KCD, _TAIL_KCD, _LUMINAIRE_KCD, _WINDOW_KCD = 4.0, 0.12, 6.0, 0.05
"""Luminance of lit surfaces, kcd/m2: headlamps seen from beside their beam, rear lamps, street lamps, windows."""

Socket = Any


def weather_group(values: Mapping[str, float]) -> bpy.types.NodeTree:
    """The group that tells shaders of the weather, with these values of :data:`_VALUES`; 0 for the others."""
    group = bpy.data.node_groups.get(WEATHER)
    if group is None:
        group = bpy.data.node_groups.new(WEATHER, "ShaderNodeTree")
        out = group.nodes.new("NodeGroupOutput")
        for name in _VALUES:
            group.interface.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketFloat")
            value = group.nodes.new("ShaderNodeValue")
            value.name = name
            group.links.new(value.outputs[0], out.inputs[name])
    for name in _VALUES:
        group.nodes[name].outputs[0].default_value = values.get(name, 0.0)
    return group


def show_snow(seen: NDArray[np.bool_] | None) -> None:
    """Tell shaders where in the picture snow lies, (H, W), row 0 at the top; None: nowhere."""
    picture = np.zeros((1, 1), np.bool_) if seen is None else seen
    rows, columns = picture.shape
    image = bpy.data.images.get(_SEEN)
    if image is None:
        image = bpy.data.images.new(_SEEN, columns, rows, is_data=True)
    elif tuple(image.size) != (columns, rows):
        image.scale(columns, rows)
    flat = np.ones((rows, columns, 4), np.float32)
    flat[..., :3] = picture[::-1, :, None]
    image.pixels.foreach_set(flat.reshape(-1))
    image.update()


def surface_material(zone: int, look: Look | None, *, drawn: bool) -> bpy.types.Material:
    """The material of surfaces of a zone.

    Args:
        zone: of the surface.
        look: as its own material says; None: as surfaces of the zone are.
        drawn: whether objects bring the colour of the zone as a property.
    """
    look = look or look_of_zone(zone).look
    numbers = " ".join(f"{value:.4g}" for value in (*look.colour, look.roughness, look.metallic))
    name = f"gis visible {zone} {int(drawn)} {numbers}"
    known = bpy.data.materials.get(name)
    if known is not None:
        return known
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.cycles.emission_sampling = "NONE"  # what they light is lit by lamps: less noise
    _Shader(material.node_tree, zone, look, drawn).build()
    return material


class _Shader:
    """Builds the nodes of one material."""

    def __init__(self, tree: bpy.types.NodeTree, zone: int, look: Look, drawn: bool) -> None:
        self.tree, self.zone, self.look, self.drawn = tree, zone, look, drawn
        tree.nodes.clear()
        self.weather = tree.nodes.new("ShaderNodeGroup")
        self.weather.node_tree = bpy.data.node_groups[WEATHER]

    def build(self) -> None:
        out = self.tree.nodes.new("ShaderNodeOutputMaterial")
        closure = self._under_snow(self._glass() if self.zone == Zone.GLASS else self._opaque())
        emission = self._emission()
        if emission is not None:
            both = self.tree.nodes.new("ShaderNodeAddShader")
            self._link(closure, both.inputs[0])
            self._link(emission, both.inputs[1])
            closure = both.outputs[0]
        self._link(closure, out.inputs["Surface"])

    def _opaque(self) -> Socket:
        common = look_of_zone(self.zone)
        colour, roughness = self._colour(), self.look.roughness
        rough: Socket | float = roughness
        if common.wet_albedo != 1.0 or common.wet_roughness != 1.0:
            wet = self.weather.outputs["wet"]
            colour = self._scaled(colour, self._range(wet, 1.0, common.wet_albedo))
            rough = self._range(wet, roughness, roughness * common.wet_roughness)
        return self._principled(colour, rough, self.look.metallic)

    def _under_snow(self, shader: Socket) -> Socket:
        """A surface with the snow that lies on it."""
        snow = self._snow()
        if snow is None:
            return shader
        white = self.tree.nodes.new("ShaderNodeBsdfPrincipled")
        white.inputs["Base Color"].default_value, white.inputs["Roughness"].default_value = _SNOW_COLOUR, 0.7
        mix = self.tree.nodes.new("ShaderNodeMixShader")
        for socket, source in zip(mix.inputs, (snow, shader, white.outputs["BSDF"]), strict=True):
            self._link(source, socket)
        return mix.outputs[0]

    def _principled(self, colour: Socket | tuple[float, ...], roughness: Socket | float, metallic: float) -> Socket:
        node = self.tree.nodes.new("ShaderNodeBsdfPrincipled")
        self._feed(colour, node.inputs["Base Color"])
        self._feed(roughness, node.inputs["Roughness"])
        node.inputs["Metallic"].default_value = metallic
        if self.zone in (Zone.BODY, Zone.ROOF, Zone.BONNET):
            node.inputs["Coat Weight"].default_value = 1.0  # clear coat
            node.inputs["Coat Roughness"].default_value = 0.03
        return node.outputs["BSDF"]

    def _glass(self) -> Socket:
        """A pane without thickness: it lets three quarters of the light through (UN R43) and mirrors the rest."""
        tint, mirror = self.tree.nodes.new("ShaderNodeBsdfTransparent"), self.tree.nodes.new("ShaderNodeBsdfGlossy")
        tint.inputs["Color"].default_value = (0.55, 0.6, 0.58, 1.0)
        mirror.inputs["Roughness"].default_value = 0.01
        fresnel, mix = self.tree.nodes.new("ShaderNodeFresnel"), self.tree.nodes.new("ShaderNodeMixShader")
        fresnel.inputs["IOR"].default_value = 1.6  # both faces of the pane
        for socket, source in zip(mix.inputs, (fresnel.outputs[0], tint.outputs[0], mirror.outputs[0]), strict=True):
            self._link(source, socket)
        return mix.outputs[0]

    def _colour(self) -> Socket:
        """The albedo, mottled where the zone is so."""
        if self.zone == Zone.LAMP:
            return self._front_or_rear((*self.look.colour, 1.0), _REAR_LAMP)
        if self.drawn:
            node = self._attribute(f"{COLOUR}{self.zone}")
            colour = node.outputs["Color"]
        else:
            node = self.tree.nodes.new("ShaderNodeRGB")
            node.outputs[0].default_value = (*self.look.colour, 1.0)
            colour = node.outputs[0]
        common = look_of_zone(self.zone)
        if not common.mottled:
            return colour
        noise = self._noise(1.0 / common.mottle_m, 4.0)
        return self._scaled(colour, self._range(noise, 1.0 - common.mottled, 1.0 + common.mottled, 0.25, 0.75))

    def _snow(self) -> Socket | None:
        """Share of snow at a point: what the camera sees as the infrared picture has it, else as much of it."""
        unseen, seen = self._unseen_snow(), self._seen_snow()
        is_seen = self._math("MULTIPLY", self._camera_sees(), self.weather.outputs["snow seen"])
        if unseen is None:
            return self._math("MULTIPLY", seen, is_seen)
        mix = self.tree.nodes.new("ShaderNodeMix")
        for socket, source in zip(mix.inputs[:4], (is_seen, None, unseen, seen), strict=True):
            if source is not None:
                self._link(source, socket)
        return mix.outputs[0]

    def _camera_sees(self) -> Socket:
        return self.tree.nodes.new("ShaderNodeLightPath").outputs["Is Camera Ray"]

    def _seen_snow(self) -> Socket:
        """1 where the infrared picture shows snow in a point's pixel."""
        place, picture = self.tree.nodes.new("ShaderNodeTexCoord"), self.tree.nodes.new("ShaderNodeTexImage")
        picture.image, picture.interpolation, picture.extension = bpy.data.images[_SEEN], "Closest", "EXTEND"
        self._link(place.outputs["Window"], picture.inputs["Vector"])
        return picture.outputs["Color"]

    def _unseen_snow(self) -> Socket | None:
        """Share where the surface looks up, in patches that cover the share that lies there."""
        where = LAYS_ON.get(self.zone)
        if where is None:
            return None
        cover = self._attribute(SNOW).outputs["Fac"] if where == "object" else self.weather.outputs[f"snow {where}"]
        geometry, axes = self.tree.nodes.new("ShaderNodeNewGeometry"), self.tree.nodes.new("ShaderNodeSeparateXYZ")
        self._link(geometry.outputs["Normal"], axes.inputs[0])
        least = 0.15 if where == "trees" else 0.45
        up = self._range(axes.outputs["Z"], 0.0, 1.0, least, least + 0.3)
        patches = self._range(self._noise(0.6, 3.0), 0.0, 1.0, 0.3, 0.7)
        margin = self._math("SUBTRACT", self._math("MULTIPLY", cover, 1.12), patches)
        return self._math("MULTIPLY", up, self._range(margin, 0.0, 1.0, 0.0, 0.12))

    def _emission(self) -> Socket | None:
        dark = self.weather.outputs["dark"]
        if self.zone == Zone.LUMINAIRE:
            return self._emitting((1.0, 0.82, 0.6, 1.0), self._math("MULTIPLY", dark, _LUMINAIRE_KCD))
        if self.zone == Zone.WINDOW:
            lit = self._math("GREATER_THAN", self._random_by_place(2.4), 0.78)
            return self._emitting(
                (1.0, 0.72, 0.42, 1.0), self._math("MULTIPLY", self._math("MULTIPLY", lit, dark), _WINDOW_KCD)
            )
        if self.zone == Zone.LAMP:
            return self._car_lamp()
        return None

    def _car_lamp(self) -> Socket:
        level = self._range(self._is_front(), _TAIL_KCD, _HEAD_KCD)
        strength = self._math("MULTIPLY", level, self._attribute(LIT).outputs["Fac"])
        return self._emitting(self._front_or_rear((1.0, 0.95, 0.85, 1.0), (1.0, 0.02, 0.01, 1.0)), strength)

    def _front_or_rear(self, front: tuple[float, ...], rear: tuple[float, ...]) -> Socket:
        """A colour of lamps by where on the car they are."""
        mix = self.tree.nodes.new("ShaderNodeMix")
        mix.data_type = "RGBA"
        first, second = (socket for socket in mix.inputs if socket.type == "RGBA")
        first.default_value, second.default_value = rear, front
        self._link(self._is_front(), mix.inputs[0])
        return next(socket for socket in mix.outputs if socket.type == "RGBA")

    def _is_front(self) -> Socket:
        """1 before the middle of a car, 0 behind it."""
        place, dot = self.tree.nodes.new("ShaderNodeTexCoord"), self.tree.nodes.new("ShaderNodeVectorMath")
        dot.operation = "DOT_PRODUCT"
        self._link(place.outputs["Object"], dot.inputs[0])
        self._link(self._attribute(AHEAD).outputs["Vector"], dot.inputs[1])
        along = self._math("ADD", dot.outputs["Value"], self._attribute(f"{AHEAD}_m").outputs["Fac"])
        return self._math("GREATER_THAN", along, 0.0)

    def _emitting(self, colour: Socket | tuple[float, ...], strength: Socket) -> Socket:
        node = self.tree.nodes.new("ShaderNodeEmission")
        self._feed(colour, node.inputs["Color"])
        self._link(strength, node.inputs["Strength"])
        return node.outputs[0]

    def _random_by_place(self, cell_m: float) -> Socket:
        """One number for each cell of space, 0-1."""
        geometry, cells = self.tree.nodes.new("ShaderNodeNewGeometry"), self.tree.nodes.new("ShaderNodeVectorMath")
        cells.operation = "SNAP"
        cells.inputs[1].default_value = (cell_m, cell_m, 2.9)
        white = self.tree.nodes.new("ShaderNodeTexWhiteNoise")
        self._link(geometry.outputs["Position"], cells.inputs[0])
        self._link(cells.outputs[0], white.inputs["Vector"])
        return white.outputs["Value"]

    def _noise(self, scale: float, detail: float) -> Socket:
        """Fractal noise over the object's own axes, so that it goes with the object."""
        node, place = self.tree.nodes.new("ShaderNodeTexNoise"), self.tree.nodes.new("ShaderNodeTexCoord")
        node.inputs["Scale"].default_value, node.inputs["Detail"].default_value = scale, detail
        self._link(place.outputs["Object"], node.inputs["Vector"])
        return node.outputs["Fac"]

    def _attribute(self, name: str) -> Any:
        node = self.tree.nodes.new("ShaderNodeAttribute")
        node.attribute_type, node.attribute_name = "OBJECT", name
        return node

    def _scaled(self, colour: Socket, factor: Socket) -> Socket:
        node = self.tree.nodes.new("ShaderNodeVectorMath")
        node.operation = "SCALE"
        self._link(colour, node.inputs[0])
        self._link(factor, node.inputs["Scale"])
        return node.outputs[0]

    def _range(self, value: Socket, low: float, high: float, start: float = 0.0, end: float = 1.0) -> Socket:
        """``value`` from ``start``..``end`` to ``low``..``high``, and no further."""
        node = self.tree.nodes.new("ShaderNodeMapRange")
        self._link(value, node.inputs[0])
        for socket, number in zip(node.inputs[1:5], (start, end, low, high), strict=True):
            socket.default_value = number
        return node.outputs[0]

    def _math(self, operation: str, first: Socket, second: Socket | float) -> Socket:
        node = self.tree.nodes.new("ShaderNodeMath")
        node.operation = operation
        self._feed(first, node.inputs[0])
        self._feed(second, node.inputs[1])
        return node.outputs[0]

    def _feed(self, value: Socket | float | tuple[float, ...], socket: Socket) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self._link(value, socket)
        else:
            socket.default_value = value

    def _link(self, source: Socket, target: Socket) -> None:
        self.tree.links.new(source, target)
