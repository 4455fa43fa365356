"""Does a model keep to the temperatures that it is told? On frames of gis alone.

    python -m benchmarks.papers.told_temperatures OUT [--model thermalgan|layered|layered_style] [--epochs 6] ...

Makes small frames of the physics with their kelvin, trains a model on four fifths of them, and measures on the rest,
object by object (instances with a label and at least MIN_PX pixels; the background counts as one):

- *told*: mean temperature of the object in the image less the one that was wanted, where the vector is the frame's own
  and where it is drawn within the range of the training;
- *moved*: by how much that mean changes when the object's entry is raised by 10 K, and by how much the means of all
  other objects change then;
- *pixel*: mean absolute difference of a pixel to the frame's own image, with the frame's own vector, over all pixels
  and over those of each entry.

A model that takes classes is given those of the set's masks; with ``--masks model`` it says them itself. What lies in
OUT is taken as it is: frames, or a trained model. Needs Blender's wheel for the frames; no GPU.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import gan
from gan.backends.registry import load_backend
from gan.data.kelvin.sets import find_temperature_set
from gan.data.planes import planes_to_batch
from gan.data.sources import Span
from gan.serving.temperatures import Drawing, TemperatureModel, load_temperature_model

Float32 = npt.NDArray[np.float32]

MIN_PX: Final = 20
"""Pixels of the smallest object with a label."""
LARGE_PX: Final = 100
STEP_K: Final = 10.0
HELD_OUT: Final = 5
"""Every fifth frame, the last ones of the set."""


@dataclass(frozen=True)
class Frame:
    """A frame that was held out."""

    source: Float32
    """(C, H, W) in [-1, 1]."""
    kelvin: Float32
    entry: npt.NDArray[np.uint8]
    ids: npt.NDArray[np.uint16]

    def objects(self) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
        """Entry and pixels of each object, the background first."""
        for number in map(int, np.unique(self.ids)):
            pixels = self.ids == number
            if pixels.sum() >= MIN_PX:
                yield int(self.entry[pixels][0]), pixels


def make_frames(out: Path, count: int, seed: int) -> Path:
    """Frames of 128x128 pixels with cars and people, with source tensors and kelvin."""
    folder = out / "frames"
    if not (folder / "dataset.json").is_file() or not (folder / "README.md").is_file():
        command = [
            *(sys.executable, "-m", "pipelines.cli", "synthesize", "--out", str(folder), "--count", str(count)),
            *("--scene", "worlds", "--worlds", "residential=1,city=1", "--camera", "kitti-360", "--size", "128"),
            *("--model", "physics", "--tensors", "--vehicles", "car=1", "--distances", "5,25", "--objects"),
            "cars=4,people=6,bicycles=0,motorcycles=0,scooters=0,strollers=0,dogs=0,cats=0",
            *("--seed", str(seed), "--workers", "1"),
        ]
        subprocess.run(command, check=True)
    return folder


def train(frames: Path, out: Path, arguments: argparse.Namespace) -> Path:
    """A small model, trained on all but the last frames."""
    run = out / ("run" if arguments.model == "thermalgan" else arguments.model)
    model = run / "model.safetensors"
    if not model.is_file():
        names = _names(frames)
        held_out = out / "held_out.txt"
        held_out.write_text("\n".join(names[-(len(names) // HELD_OUT) :]) + "\n", encoding="utf-8")
        gan.train(
            frames / "tensors",
            run,
            arguments.model,
            arguments.epochs,
            resume=True,
            progress=True,
            batch=4,
            **_settings(arguments),
            validation_list=str(held_out),
            validate_every=max(arguments.epochs, 1),
            ema=0.99,
            precision="fp32",
            threads=1,
        )
    return model


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options of the model, of those that it has."""
    width = arguments.width
    values = {
        "ngf": width,
        "ndf": max(width // 2, 4),
        "nef": width,
        "segmenter_width": width,
        "levels": arguments.levels,
        "discriminator_layers": 4,
        "head": arguments.head,
        "learning_rate": arguments.rate,
    }
    known = {field.name for field in dataclasses.fields(load_backend(arguments.model).Config)}
    return {name: value for name, value in values.items() if name in known}


def _names(frames: Path) -> list[str]:
    found = find_temperature_set(frames / "tensors")
    assert found is not None
    return [item.name for item in found.items]


def held_out(frames: Path) -> tuple[Span, list[Frame]]:
    """The frames that did not train."""
    import torch

    found = find_temperature_set(frames / "tensors")
    assert found is not None
    assert found.span is not None
    span, result = found.span, []
    for item in found.items[-(len(found.items) // HELD_OUT) :]:
        planes = {name: torch.from_numpy(np.ascontiguousarray(plane))[None] for name, plane in item.read()[0].items()}
        ids = planes["instance_id"].numpy()[0, 0].astype(np.uint16)
        planes["target"], planes["instance_id"], planes["inverse_depth"] = (
            torch.from_numpy(planes[name].numpy().view(np.int16)) for name in ("target", "instance_id", "inverse_depth")
        )
        batch = planes_to_batch(planes)
        kelvin = span.lowest_K + (batch.target[0, 0].numpy() + 1) / 2 * (span.highest_K - span.lowest_K)
        result.append(Frame(batch.source[0].numpy(), kelvin, planes["entry"].numpy()[0, 0], ids))
    return span, result


def measure(
    model: TemperatureModel, span: Span, frames: Sequence[Frame], seed: int, *, masks: bool = True
) -> dict[str, Any]:
    """The figures of all frames; ``masks``: a model that takes classes is given them."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    misses: dict[str, list[float]] = {}
    masks = masks and model.say_classes is not None
    for frame in frames:
        drawing = Drawing(frame.entry) if masks else Drawing()
        own = {span.names[k]: float(frame.kelvin[frame.entry == k].mean()) for k in map(int, np.unique(frame.entry))}
        drawn = {
            entry.name: float(rng.uniform(entry.lowest_K, entry.highest_K))
            for entry in model.temperatures.entries
            if entry.name in own
        }
        objects = list(frame.objects())
        _add_misses(misses, np.abs(model.translate(frame.source, own, drawing) - frame.kelvin), frame, span)
        for kind, wanted in (("own", own), ("drawn", drawn)):
            means = _means(model.translate(frame.source, wanted, drawing), objects)
            moved = {
                name: _means(model.translate(frame.source, {**wanted, name: wanted[name] + STEP_K}, drawing), objects)
                for name in own
            }
            for place, (entry, pixels) in enumerate(objects):
                name = span.names[entry]
                others = [abs(moved[other][place] - means[place]) for other in own if other != name]
                rows.append(
                    {
                        "vector": kind,
                        "entry": name,
                        "pixels": int(pixels.sum()),
                        "told": means[place] - wanted[name],
                        "moved": moved[name][place] - means[place],
                        "others": max(others, default=0.0),
                    }
                )
    pixel_K = {name: round(float(np.mean(values)), 2) for name, values in misses.items()}
    return {"objects": len(rows) // 2, "pixel_K": pixel_K, "rows": rows, "table": _table(rows)}


def _add_misses(misses: dict[str, list[float]], miss_K: Float32, frame: Frame, span: Span) -> None:
    """Adds the mean difference of a frame's pixels, of all and of each entry that it shows."""
    misses.setdefault("all", []).append(float(miss_K.mean()))
    for place in map(int, np.unique(frame.entry)):
        misses.setdefault(span.names[place], []).append(float(miss_K[frame.entry == place].mean()))


def _means(kelvin: Float32, objects: Sequence[tuple[int, npt.NDArray[np.bool_]]]) -> list[float]:
    return [float(kelvin[pixels].mean(dtype=np.float64)) for _, pixels in objects]


def _table(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    table = []
    for kind in ("own", "drawn"):
        for name in ["all", *dict.fromkeys(row["entry"] for row in rows)]:
            for least in (MIN_PX, LARGE_PX):
                some = [
                    row
                    for row in rows
                    if row["vector"] == kind and name in ("all", row["entry"]) and row["pixels"] >= least
                ]
                if not some:
                    continue
                told = np.abs([row["told"] for row in some])
                moved, others = (np.array([row[what] for row in some]) for what in ("moved", "others"))
                table.append(
                    {
                        "vector": kind,
                        "entry": name,
                        "from_px": least,
                        "objects": len(some),
                        "told_K": round(float(np.median(told)), 2),
                        "told_90_K": round(float(np.quantile(told, 0.9)), 2),
                        "moved_K": round(float(np.median(moved)), 2),
                        "moved_10_90_K": [round(float(v), 2) for v in np.quantile(moved, (0.1, 0.9))],
                        "others_K": round(float(np.median(others)), 2),
                        "others_90_K": round(float(np.quantile(others, 0.9)), 2),
                    }
                )
    return table


def main() -> None:
    """Makes, trains, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", choices=("thermalgan", "layered", "layered_style"), default="thermalgan")
    parser.add_argument("--masks", choices=("set", "model"), default="set", help="who says the class of a pixel")
    parser.add_argument("--count", type=int, default=200, help="frames; a fifth of them is held out")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--width", type=int, default=8, help="of the first layers of all networks")
    parser.add_argument("--levels", type=int, default=4)
    parser.add_argument("--head", choices=("mixture", "direct"), default="mixture")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    frames = make_frames(arguments.out, arguments.count, arguments.seed)
    model = load_temperature_model(train(frames, arguments.out, arguments), device="cpu", threads=1)
    span, some = held_out(frames)
    figures = measure(model, span, some, arguments.seed, masks=arguments.masks == "set")
    (arguments.out / f"figures_{arguments.model}_{arguments.masks}.json").write_text(
        json.dumps(figures, indent=1), encoding="utf-8"
    )
    print(
        f"{len(some)} frames held out, {figures['objects']} objects; |image - wanted|, change by +{STEP_K:g} K, others"
    )
    print(f"mean difference of a pixel, K: {json.dumps(figures['pixel_K'])}")
    for row in figures["table"]:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
