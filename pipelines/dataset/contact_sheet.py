"""``preview.png``: a data set at one look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from renderer.geometry.frame import Box2D
from renderer.zones.catalogue import zone_palette

from pipelines.dataset.description import DatasetDescription
from pipelines.dataset.frame_files import FrameFiles
from pipelines.dataset.record import FrameRecord
from pipelines.io.exr import decode_exr
from pipelines.io.images import decode_png

__all__ = ["contact_sheet", "depth_colours", "instance_colours", "shown_frames"]

UInt8 = NDArray[np.uint8]
Colour = tuple[int, int, int]

GRID_FRAMES, GRID_COLUMNS = 16, 4
DETAIL_ROWS = 3
TILE_PX, GAP_PX, MARGIN_PX = 300, 10, 36
PAPER: Colour = (17, 19, 24)
INK: Colour = (236, 238, 242)
PALE: Colour = (150, 156, 168)
# Colours that stay apart for every kind of colour vision: Okabe and Ito, "Color Universal Design", 2008 (sky blue,
# orange, green, vermilion), a little lighter for a dark ground.
CATEGORY_COLOURS: dict[str, Colour] = {
    "car": (86, 180, 233),
    "van": (240, 160, 50),
    "truck": (60, 190, 140),
    "bus": (235, 110, 60),
    "person": (240, 228, 66),
    "bicycle": (204, 121, 167),
    "motorcycle": (150, 130, 230),
    "dog": (230, 190, 150),
    "deer": (170, 110, 70),
    "scooter": (120, 200, 220),
    "stroller": (250, 200, 220),
    "cat": (200, 170, 90),
    "boar": (120, 80, 60),
    "tram": (255, 150, 190),
    "trailer": (190, 150, 110),
    "traffic_light": (255, 90, 90),
    "traffic_sign": (150, 220, 90),
    "hydrant": (255, 200, 60),
    "street_lamp": (200, 220, 255),
}
DETAIL_TITLES = ("infrared", "labels", "instances", "thermal zones", "depth")
LARGE_SHARE = 0.006
"""Share of the image that an object fills when it can be made out on the sheet."""
NEAR_M, FAR_M = 3.0, 120.0
"""Depths of the colour map's ends."""


@dataclass(frozen=True)
class _Sheet:
    """A picture that is drawn on."""

    picture: Image.Image
    draw: ImageDraw.ImageDraw

    @classmethod
    def blank(cls, width: int, height: int) -> _Sheet:
        picture = Image.new("RGB", (width, height), PAPER)
        return cls(picture, ImageDraw.Draw(picture))

    def text(self, x: int, y: int, text: str, size: int, colour: Colour = INK) -> None:
        self.draw.text((x, y), text, font=_font(size), fill=colour)

    def paste(self, tile: UInt8, x: int, y: int) -> None:
        self.picture.paste(Image.fromarray(tile), (x, y))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # Pillow brings a typeface of its own, the same on every machine


def shown_frames(count: int) -> frozenset[int]:
    """Numbers of the frames that the contact sheet of so many shows."""
    return frozenset(_spread(count, GRID_FRAMES))


def contact_sheet(files: FrameFiles, records: Sequence[FrameRecord], description: DatasetDescription) -> UInt8:
    """A grid of infrared images, then some frames with everything that belongs to them: (H, W, 3) RGB.

    Args:
        files: of the data set.
        records: those of :func:`shown_frames`.
        description: of the data set.
    """
    detail = _richest(records, DETAIL_ROWS)
    tile_h = _tile_height(records[0])
    grid_rows = -(-len(records) // GRID_COLUMNS)
    inner = len(DETAIL_TITLES) * TILE_PX + (len(DETAIL_TITLES) - 1) * GAP_PX
    grid_px = (inner - (GRID_COLUMNS - 1) * GAP_PX) // GRID_COLUMNS
    grid_h = round(grid_px * tile_h / TILE_PX)
    head, section = 118, 62
    height = head + grid_rows * (grid_h + GAP_PX) + section + len(detail) * (tile_h + 34) + MARGIN_PX
    sheet = _Sheet.blank(inner + 2 * MARGIN_PX, height)
    _title(sheet, description)
    for place, record in enumerate(records):
        x = MARGIN_PX + place % GRID_COLUMNS * (grid_px + GAP_PX)
        y = head + place // GRID_COLUMNS * (grid_h + GAP_PX)
        sheet.paste(_fit(_grey(files, record), grid_px, grid_h), x, y)
        _caption(sheet, record, x, y + grid_h)
    top = head + grid_rows * (grid_h + GAP_PX) + 14
    for place, title in enumerate(DETAIL_TITLES):
        sheet.text(MARGIN_PX + place * (TILE_PX + GAP_PX), top, title, 20)
    for row, record in enumerate(detail):
        _detail_row(sheet, files, record, top + 40 + row * (tile_h + 34), tile_h)
    return np.array(sheet.picture)


def _title(sheet: _Sheet, description: DatasetDescription) -> None:
    configuration, counts = description.configuration, description.counts
    sheet.text(MARGIN_PX, 28, f"{description.place['name']}, {configuration['model']}", 34)
    tally = ", ".join(f"{number} {_plural(name, number)}" for name, number in counts.category.items())
    line = f"{counts.images} images   {tally or 'no objects'}   seed {configuration['seed']}"
    sheet.text(MARGIN_PX, 74, line, 20, PALE)


def _plural(name: str, number: int) -> str:
    if number == 1:
        return name
    return f"{name}es" if name.endswith("s") else f"{name}s"


def _caption(sheet: _Sheet, record: FrameRecord, x: int, bottom: int) -> None:
    """Number and weather on the lower edge of a tile."""
    text = _weather(record)
    left, top, right, low = sheet.draw.textbbox((x + 8, bottom - 26), text, font=_font(15))
    sheet.draw.rectangle((left - 5, top - 4, right + 5, low + 4), fill=(0, 0, 0))
    sheet.text(x + 8, bottom - 26, text, 15)


def _weather(record: FrameRecord) -> str:
    if record.background.kind != "scene":
        return f"{record.stem}  {record.background.name}"
    conditions = record.conditions
    hour, minute = divmod(round(conditions.hour * 60) % (24 * 60), 60)
    celsius = round(conditions.air_temperature_K - 273.15)  # a whole number has no -0
    return f"{record.stem}  {conditions.weather}, {hour:02d}:{minute:02d}, {celsius} °C"


def _detail_row(sheet: _Sheet, files: FrameFiles, record: FrameRecord, y: int, height: int) -> None:
    name, grey = record.stem, _grey(files, record)
    mask = _png(files, f"masks/{name}.png")
    zones = zone_palette()[_png(files, f"zones/{name}.png")]
    depth = depth_colours(decode_exr(files.read(f"depth/{name}.exr"), f"depth/{name}.exr")["Z"])
    tiles = (grey, grey, instance_colours(mask), zones, depth)
    for place, tile in enumerate(tiles):
        smooth = place < 2
        sheet.paste(_fit(tile, TILE_PX, height, smooth=smooth), MARGIN_PX + place * (TILE_PX + GAP_PX), y)
    left = MARGIN_PX + TILE_PX + GAP_PX
    _boxes(sheet, record, left, y, TILE_PX / mask.shape[1], height / mask.shape[0])
    span = record.span_K
    scale = "" if span is None else f"   16 bits span {span[0] - 273.15:.1f} to {span[1] - 273.15:.1f} °C"
    sheet.text(MARGIN_PX, y + height + 6, _weather(record) + scale, 15, PALE)


def _boxes(sheet: _Sheet, record: FrameRecord, x: int, y: int, scale_x: float, scale_y: float) -> None:
    """Visible boxes of objects that count, named, the largest first so that small ones stay readable; others pale."""
    objects = sorted(record.counted, key=lambda item: -item.visible_px)
    boxes = [(item.category, item.box_visible_px or item.box_amodal_px, CATEGORY_COLOURS) for item in objects]
    for category, (left, top, right, bottom), colours in [*_pale_boxes(record), *boxes]:
        colour = colours.get(category, PALE)
        x0, y0 = x + left * scale_x, y + top * scale_y
        corners = (x0, y0, max(x0 + 2, x + right * scale_x - 1), max(y0 + 2, y + bottom * scale_y - 1))
        sheet.draw.rectangle(corners, outline=colour, width=2)
        if (right - left) * scale_x > 26:
            sheet.text(int(corners[0]) + 3, max(y, int(corners[1]) - 17), category, 14, colour)


def _pale_boxes(record: FrameRecord) -> list[tuple[str, Box2D, dict[str, Colour]]]:
    """Boxes of what the background shows by itself, and of objects that do not count."""
    real: list[tuple[str, Box2D]] = [(one.category, one.box_px) for one in record.real_objects or () if one.labelled]
    ignored = [("ignored", item.box_visible_px or item.box_amodal_px) for item in record.ignored]
    return [(name, box, {}) for name, box in [*real, *ignored]]


def instance_colours(instance_id: NDArray[np.uint16]) -> UInt8:
    """Ids in colours that differ from neighbour to neighbour, 0 dark: (H, W, 3) RGB."""
    hue = (np.arange(1, 65536, dtype=np.int64) * 111) % 180  # steps of the golden angle on OpenCV's half degrees
    hsv = np.stack([hue, np.full_like(hue, 150), np.full_like(hue, 240)], axis=1).astype(np.uint8)
    table = np.zeros((65536, 3), dtype=np.uint8)
    table[1:] = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    table[0] = (30, 33, 40)
    return np.asarray(table[instance_id])


def depth_colours(depth_m: NDArray[np.float32]) -> UInt8:
    """Depth in colours, near bright, on a logarithmic scale; background dark: (H, W, 3) RGB."""
    near, far = np.log(NEAR_M), np.log(FAR_M)
    share = (np.log(np.clip(depth_m, NEAR_M, FAR_M)) - near) / (far - near)
    index = np.rint((1.0 - share) * 255.0).astype(np.uint8)
    picture = np.asarray(cv2.applyColorMap(index, cv2.COLORMAP_INFERNO)[..., ::-1], dtype=np.uint8).copy()
    picture[~np.isfinite(depth_m)] = (30, 33, 40)
    return picture


def _grey(files: FrameFiles, record: FrameRecord) -> UInt8:
    return np.repeat(_png(files, f"images/{record.stem}.png")[..., None], 3, axis=2)


def _png(files: FrameFiles, name: str) -> NDArray[Any]:
    return decode_png(files.read(name), name)


def _fit(picture: UInt8, width: int, height: int, *, smooth: bool = True) -> UInt8:
    """The picture at another size; ids are not mixed."""
    if not smooth:
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))
    shrinks = picture.shape[1] > width
    return np.asarray(
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    )


def _tile_height(record: FrameRecord) -> int:
    return max(40, round(TILE_PX * record.camera.height / record.camera.width))


def _spread(count: int, most: int) -> list[int]:
    """At most ``most`` frames, evenly over the data set."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))})


def _richest(records: Sequence[FrameRecord], most: int) -> list[FrameRecord]:
    """The frames with the most to see in them: objects that are large enough, of many kinds."""

    def worth(record: FrameRecord) -> tuple[int, int]:
        least = record.camera.width * record.camera.height * LARGE_SHARE
        return len({item.model for item in record.labelled if item.visible_px > least}), -record.index

    return sorted(sorted(records, key=worth, reverse=True)[:most], key=lambda record: record.index)
