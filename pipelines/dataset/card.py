"""What a person looks at: the contact sheet ``preview.png`` and the data set card ``README.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from renderer.zones.catalogue import zone_palette

from pipelines.dataset.store import FRAMES_FILE, Record, frame_name, read_record
from pipelines.io.exr import read_exr
from pipelines.io.files import read_lines, write_bytes, write_text
from pipelines.io.images import encode_png, read_png

__all__ = ["contact_sheet", "depth_colours", "instance_colours", "write_card", "write_preview"]

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
    "car": (86, 180, 233), "van": (240, 160, 50), "truck": (60, 190, 140), "bus": (235, 110, 60),
}  # fmt: skip
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


# --- contact sheet ----------------------------------------------------------------------------------------------------


def write_preview(folder: Path, about: Mapping[str, Any]) -> None:
    """Writes ``preview.png``: a grid of infrared images, then some frames with everything that belongs to them."""
    write_bytes(folder / "preview.png", encode_png(contact_sheet(folder, about)))


def contact_sheet(folder: Path, about: Mapping[str, Any]) -> UInt8:
    """The contact sheet of a data set, (H, W, 3) RGB."""
    count = int(about["frames"])
    shown = _spread(count, GRID_FRAMES)
    records = _records(folder, shown)
    detail = _richest([records[index] for index in shown], DETAIL_ROWS)
    tile_h = _tile_height(records[shown[0]])
    grid_rows = -(-len(shown) // GRID_COLUMNS)
    inner = len(DETAIL_TITLES) * TILE_PX + (len(DETAIL_TITLES) - 1) * GAP_PX
    grid_px = (inner - (GRID_COLUMNS - 1) * GAP_PX) // GRID_COLUMNS
    grid_h = round(grid_px * tile_h / TILE_PX)
    head, section = 118, 62
    height = head + grid_rows * (grid_h + GAP_PX) + section + len(detail) * (tile_h + 34) + MARGIN_PX
    sheet = _Sheet.blank(inner + 2 * MARGIN_PX, height)
    _title(sheet, about)
    for place, index in enumerate(shown):
        x = MARGIN_PX + place % GRID_COLUMNS * (grid_px + GAP_PX)
        y = head + place // GRID_COLUMNS * (grid_h + GAP_PX)
        sheet.paste(_fit(_grey(folder, index), grid_px, grid_h), x, y)
        _caption(sheet, records[index], x, y + grid_h)
    top = head + grid_rows * (grid_h + GAP_PX) + 14
    for place, title in enumerate(DETAIL_TITLES):
        sheet.text(MARGIN_PX + place * (TILE_PX + GAP_PX), top, title, 20)
    for row, record in enumerate(detail):
        _detail_row(sheet, folder, record, top + 40 + row * (tile_h + 34), tile_h)
    return np.array(sheet.picture)


def _title(sheet: _Sheet, about: Mapping[str, Any]) -> None:
    configuration, counts = about["configuration"], about["counts"]
    place = configuration["backgrounds"] or configuration["scene"]
    sheet.text(MARGIN_PX, 28, f"{place['name']}, {configuration['backend']}", 34)
    tally = ", ".join(f"{number} {_plural(name, number)}" for name, number in counts["category"].items())
    line = f"{counts['images']} images   {tally or 'no objects'}   seed {configuration['seed']}"
    sheet.text(MARGIN_PX, 74, line, 20, PALE)


def _plural(name: str, number: int) -> str:
    if number == 1:
        return name
    return f"{name}es" if name.endswith("s") else f"{name}s"


def _caption(sheet: _Sheet, record: Record, x: int, bottom: int) -> None:
    """Number and weather on the lower edge of a tile."""
    text = _weather(record)
    left, top, right, low = sheet.draw.textbbox((x + 8, bottom - 26), text, font=_font(15))
    sheet.draw.rectangle((left - 5, top - 4, right + 5, low + 4), fill=(0, 0, 0))
    sheet.text(x + 8, bottom - 26, text, 15)


def _weather(record: Record) -> str:
    name = frame_name(record["index"])
    if record["background"]["kind"] != "scene":
        return f"{name}  {record['background']['name']}"
    conditions = record["conditions"]
    hour, minute = divmod(round(conditions["hour"] * 60) % (24 * 60), 60)
    celsius = conditions["air_temperature_K"] - 273.15
    return f"{name}  {conditions['weather']}, {hour:02d}:{minute:02d}, {celsius:.0f} °C"


def _detail_row(sheet: _Sheet, folder: Path, record: Record, y: int, height: int) -> None:
    index = record["index"]
    name = frame_name(index)
    grey = _grey(folder, index)
    mask = read_png(folder / "masks" / f"{name}.png")
    zones = zone_palette()[read_png(folder / "zones" / f"{name}.png")]
    depth = depth_colours(read_exr(folder / "depth" / f"{name}.exr")["Z"])
    tiles = (grey, grey, instance_colours(mask), zones, depth)
    for place, tile in enumerate(tiles):
        smooth = place < 2
        sheet.paste(_fit(tile, TILE_PX, height, smooth=smooth), MARGIN_PX + place * (TILE_PX + GAP_PX), y)
    left = MARGIN_PX + TILE_PX + GAP_PX
    _boxes(sheet, record, left, y, TILE_PX / mask.shape[1], height / mask.shape[0])
    span = record["span_K"]
    scale = "" if span is None else f"   16 bits span {span[0] - 273.15:.1f} to {span[1] - 273.15:.1f} °C"
    sheet.text(MARGIN_PX, y + height + 6, _weather(record) + scale, 15, PALE)


def _boxes(sheet: _Sheet, record: Record, x: int, y: int, scale_x: float, scale_y: float) -> None:
    """Visible boxes of the labelled objects, named, the largest first so that small ones stay readable."""
    objects = [entry for entry in record["instances"] if entry["labelled"]]
    for entry in sorted(objects, key=lambda item: -item["visible_px"]):
        left, top, right, bottom = entry["box_visible_px"]
        colour = CATEGORY_COLOURS[entry["category"]]
        x0, y0 = x + left * scale_x, y + top * scale_y
        corners = (x0, y0, max(x0 + 2, x + right * scale_x - 1), max(y0 + 2, y + bottom * scale_y - 1))
        sheet.draw.rectangle(corners, outline=colour, width=2)
        if (right - left) * scale_x > 26:
            sheet.text(int(corners[0]) + 3, max(y, int(corners[1]) - 17), entry["category"], 14, colour)


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


def _grey(folder: Path, index: int) -> UInt8:
    return np.repeat(read_png(folder / "images" / f"{frame_name(index)}.png")[..., None], 3, axis=2)


def _fit(picture: UInt8, width: int, height: int, *, smooth: bool = True) -> UInt8:
    """The picture at another size; ids are not mixed."""
    if not smooth:
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))
    shrinks = picture.shape[1] > width
    return np.asarray(
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    )


def _tile_height(record: Record) -> int:
    width, height = int(record["camera"]["width"]), int(record["camera"]["height"])
    return max(40, round(TILE_PX * height / width))


def _spread(count: int, most: int) -> list[int]:
    """At most ``most`` frames, evenly over the data set."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))})


def _richest(records: Sequence[Record], most: int) -> list[Record]:
    """The frames with the most to see in them: objects that are large enough, of many kinds."""

    def worth(record: Record) -> tuple[int, int]:
        least = record["camera"]["width"] * record["camera"]["height"] * LARGE_SHARE
        seen = [entry for entry in record["instances"] if entry["labelled"] and entry["visible_px"] > least]
        return len({entry["model"] for entry in seen}), -int(record["index"])

    return sorted(sorted(records, key=worth, reverse=True)[:most], key=lambda record: int(record["index"]))


def _records(folder: Path, wanted: Sequence[int]) -> dict[int, Record]:
    log, chosen = folder / FRAMES_FILE, set(wanted)
    return {number: read_record(line, number, log) for number, line in enumerate(read_lines(log)) if number in chosen}


# --- data set card ----------------------------------------------------------------------------------------------------


def write_card(folder: Path, about: Mapping[str, Any]) -> None:
    """Writes ``README.md``: what the data set is, how it was made, what is in which file, and what it is not."""
    write_text(folder / "README.md", "\n".join(_card(about)) + "\n")


def _card(about: Mapping[str, Any]) -> Iterator[str]:
    configuration, counts = about["configuration"], about["counts"]
    real = configuration["backgrounds"] is not None
    place = configuration["backgrounds"] or configuration["scene"]
    yield f"# Thermal street images: {place['name']}"
    yield ""
    yield (
        f"{counts['images']} synthetic long-wave infrared images with {counts['objects']} labelled vehicles, "
        "made by gis: "
        + ("cars rendered into real thermal images." if real else "a rendered street with seeded traffic.")
    )
    yield ""
    yield "![contact sheet](preview.png)"
    yield from _tables(counts)
    yield from _how(configuration, about)
    yield from _contents(configuration, real)
    yield from _limits(configuration, real)


def _tables(counts: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Counts", "")
    for title, key in (("category", "category"), ("model", "model"), ("thermal profile", "profile")):
        yield from _table((title, "objects"), counts[key].items())
    levels = {"0": "0, fully visible", "1": "1, partly occluded", "2": "2, largely occluded", "3": "3, unknown"}
    yield from _table(("occlusion", "objects"), ((levels[key], value) for key, value in counts["occlusion"].items()))
    yield from _table(("weather", "images"), counts["weather"].items())


def _table(head: tuple[str, str], rows: Any) -> Iterator[str]:
    yield f"| {head[0]} | {head[1]} |"
    yield "|---|---:|"
    for name, number in rows:
        yield f"| {name} | {number} |"
    yield ""


def _how(configuration: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## How it was made", "", "| option | value |", "|---|---|")
    for key, value in configuration.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            value = f"{value['name']} ({value['sha256'][:12]})" if "sha256" in value else value.get("name", "")
        yield f"| {key} | {value} |"
    yield from (
        "",
        f"Random numbers come from the seed and the frame's number alone. Schema {about['schema']} {about['version']}, "
        f"source layout {about['layout']['name']} {about['layout']['version']}.",
        "",
    )


def _contents(configuration: Mapping[str, Any], real: bool) -> Iterator[str]:
    rows = [
        ("`images/`", "8-bit infrared images, white hot"),
        ("`masks/`", "16-bit instance ids; 0 is everything without a label"),
        ("`zones/`", "thermal zones, 8-bit palette images; names in `dataset.json`"),
        ("`depth/`", "OpenEXR, channel `Z`: float32 metres along the optical axis, inf where there is nothing"),
        ("`annotations/coco.json`", "boxes and masks of what is visible; amodal and 3-D boxes, occlusion, truncation"),
        ("`annotations/kitti/`", "KITTI object rows: amodal 2-D boxes, 3-D boxes in camera axes"),
        ("`annotations/yolo/`", "visible boxes as shares of the image; `classes.txt` names the classes"),
        ("`frames.jsonl`", "per frame: camera, weather, objects, SHA-256 of every file"),
        ("`dataset.json`", "configuration, zones, counts"),
        ("`drift.html`", "how well the images show their labels; the worst frames with the outlines of their masks"),
    ]
    what = "16-bit apparent temperature: kelvin = low + value / 65535 * (high - low), `span_K` in `frames.jsonl`"
    rows.insert(1, ("`images16/`", what + ("; only where the background is radiometric" if real else "")))
    if configuration["tensors"]:
        rows.append(("`tensors/`", "WebDataset shards of source tensors (safetensors)"))
    yield from ("## Files", "", "| file | content |", "|---|---|")
    yield from (f"| {name} | {what} |" for name, what in rows)
    yield from (
        "",
        "`gis validate` checks every hash, mask, box and label.",
        "",
    )


def _limits(configuration: Mapping[str, Any], real: bool) -> Iterator[str]:
    yield from ("## Limits", "")
    if real:
        yield "- Where `span_K` is null the background is display-only: no pixel has a temperature."
        yield "- Vehicles that were in the backgrounds before have no labels."
        yield "- Where the camera or the horizon of a background was assumed, `frames.jsonl` says so."
    else:
        yield "- Temperatures are modelled, not measured; their sources stand in the thermal profiles of gis."
    if configuration["backend"] != "physics":
        yield f"- The images were translated by a `{configuration['backend']}` model; labels are those of its source."
    yield "- People and cyclists are not labelled."
    yield from (
        "",
        "## Licence",
        "",
        "The images belong to who made them." + (" The backgrounds keep the terms they came with." if real else "")
        + " Car models that were brought along keep theirs.",
    )  # fmt: skip
