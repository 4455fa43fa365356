"""The data set card ``README.md``: what a data set is, how it was made, and what it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipelines.dataset.about import About, about_set
from pipelines.dataset.description import DatasetDescription
from pipelines.io.escape import for_console, for_markdown

__all__ = ["card_text"]

_OPENED_LOOSE: Final[Mapping[str, str]] = {
    "pycocotools, torchvision `CocoDetection`, supervision": "`annotations/coco.json` and `images/` as they are",
    "Hugging Face datasets": "`load_dataset(FOLDER)` gives the images; `--format hf` objects too",
    "mlcroissant": '`Dataset("croissant.json").records("images")`, `.records("objects")`',
    "pandas, any table": "`objects.csv`",
}
_OPENED_PACKED: Final[Mapping[str, str]] = {
    "WebDataset": "`shards/*.tar`",
    "pandas, pyarrow": "`objects/*.parquet`, `frames/*.parquet`",
}
_EXPORTED: Final[Mapping[str, str]] = {
    "Ultralytics YOLO, supervision (YOLO)": "`gis export FOLDER --format yolo --out OUT`",
    "FiftyOne": "`--format fiftyone`, or any of coco, yolo, kitti, voc, cvat",
    "torchvision `Kitti`, `VOCDetection`": "`--format kitti`, `--format voc`",
    "CVAT": "`--format cvat`",
    "Label Studio": "`--format label-studio`",
    "Datumaro": "`--format coco`, `--format yolo`, `--format voc`",
    "BOP toolkit": "`--format bop`",
    "TrackEval, of sequences": "`--format mot`, `--format kitti-tracking`",
    "ImageJ, QGIS": "`--format kelvin-tiff`",
}
"""What opens a data set; docs/how-to/export.md says in which versions."""


def card_text(description: DatasetDescription) -> str:
    """``README.md``: what the data set is, how it was made, what is in which file, and what it is not."""
    return "\n".join(_card(description)) + "\n"


def _card(description: DatasetDescription) -> Iterator[str]:
    configuration, counts = description.configuration, description.counts
    real = configuration["backgrounds"] is not None
    about = about_set(configuration, description.version, counts.images)
    yield from _front_matter(about, packed=configuration.get("pack") == "shards")
    yield f"# {for_markdown(about.title)}"
    yield ""
    yield (
        f"{counts.images} synthetic long-wave infrared images with {counts.objects} labelled objects, "
        "made by gis: "
        + ("cars rendered into real thermal images." if real else "a rendered street with seeded traffic.")
    )
    yield ""
    yield "![contact sheet](preview.png)"
    yield from _tables(description)
    yield from _how(description)
    yield from _contents(configuration, real)
    yield from _limits(configuration, real, known=counts.real is not None)
    yield from _tools(packed=configuration.get("pack") == "shards")
    yield from _licence(about)


def _front_matter(about: About, *, packed: bool) -> Iterator[str]:
    """What the Hugging Face hub and its library read: that the images alone are what is shown."""
    data = "shards/*.tar" if packed else "images/*"
    yield from ("---", *about.front_matter())
    yield from ("configs:", "- config_name: default", f"  data_files: {data}", "---", "")


def _tables(description: DatasetDescription) -> Iterator[str]:
    counts = description.counts
    yield from ("", "## Counts", "")
    tables = (("category", counts.category), ("model", counts.model), ("thermal profile", counts.profile))
    for title, table in tables:
        yield from _table((title, "objects"), table)
    levels = {"0": "0, fully visible", "1": "1, partly occluded", "2": "2, largely occluded", "3": "3, unknown"}
    yield from _table(("occlusion", "objects"), {levels[key]: value for key, value in counts.occlusion.items()})
    yield from _table(("weather", "images"), counts.weather)
    if counts.real is not None:
        yield from _table(("real, shown by the backgrounds", "objects"), counts.real)
    if counts.ignored is not None:
        share = float(description.configuration["min_visible_share"])
        yield (
            f"{counts.ignored} more objects show less than {share:.0%} of their pixels. Masks and records have them; a "
            "detector is to leave them out of account: crowds (`iscrowd`) in COCO, `DontCare` in KITTI, no row in YOLO."
        )
        yield ""
    if counts.images_without_objects is not None:
        yield f"Nothing was put into {counts.images_without_objects} of the {counts.images} images."
        yield ""


def _table(head: tuple[str, str], rows: Mapping[str, int]) -> Iterator[str]:
    yield f"| {head[0]} | {head[1]} |"
    yield "|---|---:|"
    for name, number in rows.items():
        yield f"| {for_markdown(name)} | {number} |"
    yield ""


def _how(description: DatasetDescription) -> Iterator[str]:
    yield from ("## How it was made", "", "| option | value |", "|---|---|")
    for key, value in description.configuration.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            digest = f" ({for_markdown(str(value['sha256'])[:12])})" if "sha256" in value else ""
            yield f"| {for_markdown(key)} | {for_markdown(value.get('name', ''))}{digest} |"
        else:
            yield f"| {for_markdown(key)} | {for_markdown(value)} |"
    yield from (
        "",
        f"Random numbers come from the seed and the frame's number alone. Schema {description.schema} "
        f"{description.version}, source layout {description.layout.name} {description.layout.version}.",
        "",
    )


def _code(text: object) -> str:
    """What may stand between two backticks."""
    return for_console(text).replace("`", "'")


def _packed_contents() -> Iterator[str]:
    rows = (
        ("`shards/`", "WebDataset tars; each frame has the files of the table below, and `json`, its record"),
        ("`frames/`", "Parquet: a row for each frame, with its record and the place of its files in the shard"),
        ("`objects/`", "Parquet: a row for each labelled object"),
    )
    yield from ("## Shards", "", "| file | content |", "|---|---|")
    yield from (f"| {name} | {what} |" for name, what in rows)
    yield from (
        "",
        "`images/000012.png` is `000012.images.png` in its shard, and so on; `frames.jsonl` is `frames/`.",
        "",
    )


_PASSES = {
    "normals": ("`normals/`", "surface normals in the camera's axes: PNG `(n + 1) / 2 * 65535`, OpenEXR X, Y, Z"),
    "parts": ("`parts/`", "numbers of the objects' parts, and a table: object, mesh, thermal zone"),
    "stereo": ("`disparity/`", "disparity to the other camera of the rig: KITTI's PNG, OpenEXR"),
    "flow": ("`flow/`", "optical flow to the next frame: KITTI's PNG, OpenEXR u, v, valid"),
}
"""What files `--passes` adds."""


def _passes(configuration: Mapping[str, Any]) -> list[tuple[str, str]]:
    asked = (configuration.get("passes") or "").replace(" ", "").split(",")
    return [row for name, row in _PASSES.items() if name in asked]


def _contents(configuration: Mapping[str, Any], real: bool) -> Iterator[str]:
    if configuration.get("pack") == "shards":
        yield from _packed_contents()
    rows = [
        ("`images/`", "8-bit infrared images, white hot" + _but_for(configuration)),
        ("`masks/`", "16-bit instance ids; 0 is everything without a label"),
        ("`zones/`", "thermal zones, 8-bit palette images; names in `dataset.json`"),
        ("`depth/`", "OpenEXR, channel `Z`: float32 metres along the optical axis, inf where there is nothing"),
        ("`annotations/coco.json`", "boxes and masks of what is visible; amodal and 3-D boxes, occlusion, truncation"),
        ("`annotations/kitti/`", "KITTI object rows: amodal 2-D boxes, 3-D boxes in camera axes"),
        ("`annotations/yolo/`", "visible boxes as shares of the image; `classes.txt` names the classes"),
        ("`frames.jsonl`", "per frame: camera, weather, objects, SHA-256 of every file"),
        ("`dataset.json`", "configuration, zones, counts"),
        (
            "`croissant.json`, `CITATION.cff`",
            "the set for searches and loaders (Croissant 1.0); how to cite it",
        ),
        (
            "`label_errors.html`",
            "how well the images show their labels; the worst frames with the outlines of their masks",
        ),
    ]
    what = "16-bit apparent temperature: kelvin = low + value / 65535 * (high - low), `span_K` in `frames.jsonl`"
    if configuration.get("visible"):
        rows.insert(1, ("`visible/`", "the same moments in colour: 8-bit sRGB, pixel by pixel, rendered by Cycles"))
    rows.insert(1, ("`images16/`", what + ("; only where the background is radiometric" if real else "")))
    if configuration.get("pack") != "shards":
        rows.append(("`objects.csv`", "all objects in one table: image, class, box, distance ..."))
    rows += _passes(configuration)
    if configuration["tensors"]:
        rows.append(("`tensors/`", "WebDataset shards of source tensors (safetensors)"))
    yield from ("## Files", "", "| file | content |", "|---|---|")
    yield from (f"| {name} | {what} |" for name, what in rows)
    yield from (
        "",
        "`gis validate` checks every hash, mask, box and label.",
        "",
    )


def _but_for(configuration: Mapping[str, Any]) -> str:
    if not configuration.get("sensor_variety"):
        return ""
    return "; where `sensor_variety` in `frames.jsonl` says black_hot, warm things are dark"


def _limits_of_real(known: bool) -> Iterator[str]:
    if known:
        yield "- Vehicles that the backgrounds show have the boxes that were given: no masks, no third dimension."
    else:
        yield (
            "- Vehicles that the backgrounds show by themselves have **no labels**, because no boxes were given "
            "(`--boxes`): a detector trained on these images learns to overlook them."
        )


def _limits(configuration: Mapping[str, Any], real: bool, known: bool) -> Iterator[str]:
    yield from ("## Limits", "")
    if real:
        yield "- Where `span_K` is null the background is display-only: no pixel has a temperature."
        yield from _limits_of_real(known)
        yield "- Where the camera or the horizon of a background was assumed, `frames.jsonl` says so."
    else:
        yield "- Temperatures are modelled, not measured; their sources stand in the thermal profiles of gis."
    if configuration["model"] != "physics":
        model = _code(configuration["model"])
        yield f"- The images were translated by a `{model}` model; labels are those of its source."
    if "objects" not in configuration:
        yield "- Cars alone are labelled, and what a background shows by itself where boxes tell of it."
    else:
        yield "- Cars, people, two-wheelers, animals and prams are labelled, nothing else."
    yield ""


def _tools(*, packed: bool) -> Iterator[str]:
    """Which tool opens the folder as it is, and which an export of it."""
    yield from ("## Opening it", "", "| with | how |", "|---|---|")
    for tool, how in (_OPENED_PACKED if packed else _OPENED_LOOSE).items():
        yield f"| {tool} | {how} |"
    for tool, how in _EXPORTED.items():
        yield f"| {tool} | {how} |"
    yield ""


def _licence(about: About) -> Iterator[str]:
    yield from ("## Licence", "")
    if about.license is not None:
        yield from (f"{for_markdown(about.license)} ({about.license_page}), and the terms of what it was made of:", "")
    else:
        yield from ("The images belong to who made them, on the terms of what they were made of.", "")
    yield from about.terms_table()
