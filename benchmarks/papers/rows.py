"""Markdown tables of a comparison, and of more folders of images measured on its test set like its own rows.

    python -m benchmarks.papers.rows REPORT [NAME=FOLDER ...] [--boxes FILE] [--sequences FILE] [--sheet PICTURE]

`REPORT` is what `gis compare` wrote. A folder holds translations of ``REPORT/sets/test/source`` under the same names:
what `gis translate --input REPORT/sets/test/source` makes. Printed are the measures of each test set with their 95 %
intervals, RMS errors of classes, and cost; `PICTURE` shows a few test images beside each other. GIS_WEIGHTS names the
folder of LPIPS's weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from gan.metrics.classes import ClassErrors
from pipelines.comparison.plan import MAIN_SET, ComparedModel
from pipelines.comparison.report import chosen_names
from pipelines.comparison.samples import class_regions, read_grey, read_objects
from pipelines.evaluation.config import EvaluateConfig
from pipelines.evaluation.evaluate import evaluate_folders
from pipelines.io.files import read_object, write_bytes

__all__ = ["class_errors", "further_row", "sheet", "table"]

_MEASURES: Final = (
    ("lpips_alex", "LPIPS ↓", 3),
    ("mse", "MSE ↓", 4),
    ("rmse", "RMSE ↓", 3),
    ("psnr_dB", "PSNR dB ↑", 2),
    ("uqi", "UQI ↑", 3),
    ("ssim", "SSIM ↑", 3),
)
_CLASSES: Final = ("car", "person", "background")
_SHOWN: Final = 4
_TITLE_PX: Final = 18
_QUALITY: Final = 88


def further_row(
    report: Path, name: str, folder: Path, boxes: Path | None = None, sequences: Path | None = None
) -> dict[str, Any]:
    """A row as ``compare.json`` has them, of a folder of translated test images."""
    real = report / "sets" / MAIN_SET / "real"
    means = evaluate_folders(EvaluateConfig(real, folder, features=(), sequences=sequences)).means
    spans = {key: {"mean": value.mean, "low": value.low, "high": value.high} for key, value in means.items()}
    classes = {} if boxes is None else class_errors(real, folder, boxes)
    return {"name": name, "means": {MAIN_SET: spans}, "classes": classes, "cost": {}, "error": ""}


def class_errors(real: Path, folder: Path, boxes: Path) -> dict[str, float]:
    """RMS error of each class of boxes, fractions of full range."""
    errors, objects = ClassErrors(), None
    for path in sorted(real.glob("*.png")):
        a, b = read_grey(path), read_grey(folder / path.name)
        objects = read_objects(boxes, a.shape[0]) if objects is None else objects
        errors.add(a, b, class_regions(objects, path.stem, a.shape))
    return errors.rms()


def table(rows: Sequence[Mapping[str, Any]], test: str) -> list[str]:
    """Lines of a Markdown table: the measures of one test set with their intervals."""
    titles = ["model", *(title for _, title, _ in _MEASURES)]
    return [
        *_head(titles),
        *(
            _line([_name(row), *(_interval(row["means"][test].get(key), digits) for key, _, digits in _MEASURES)])
            for row in rows
            if test in row["means"]
        ),
    ]


def sheet(report: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str], picture: Path) -> None:
    """A picture of evenly spaced test images: source, real, and what each model of the comparison made of it."""
    place = report / "sets" / MAIN_SET
    columns = {"visible": place / "source", "infrared": place / "real"}
    for row in rows:
        if row["cost"]:
            folder = report / "runs" / ComparedModel(row["name"], "").folder / "images" / MAIN_SET
            columns[row["name"].replace(":pairing=", " ").replace(":lpips_weight=10", " + LPIPS")] = folder
    tiles = []
    for title, folder in columns.items():
        images = [np.asarray(cv2.imread(str(folder / f"{name}.png"))) for name in chosen_names(names, _SHOWN)]
        head = np.full((_TITLE_PX, images[0].shape[1], 3), 255, dtype=np.uint8)
        cv2.putText(head, title, (2, _TITLE_PX - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(np.vstack([head, *images]))
    encoded = cv2.imencode(".jpg", np.hstack(tiles), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    write_bytes(picture, encoded.tobytes())


def _classes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = _head(["RMS of full range (grey levels of 255)", *_CLASSES])
    for row in rows:
        if row["classes"]:
            values = [row["classes"].get(name) for name in _CLASSES]
            cells = ["-" if value is None else f"{value:.3f} ({255 * value:.1f})" for value in values]
            lines.append(_line([_name(row), *cells]))
    return lines


def _costs(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    titles = [
        "model",
        "epochs (steps)",
        "ms of a core a step",
        "parameters",
        "GFLOP an image",
        "images/s",
        "peak memory",
    ]
    lines = _head(titles)
    for row in rows:
        cost = row["cost"]
        if cost:
            cells = [
                f"{cost['epochs']} ({cost['steps']})",
                f"{1000 * cost['trained_s'] / cost['steps']:.0f}",
                f"{cost['parameters'] / 1e6:.2f} M",
                f"{cost['flops'] / 1e9:.2f}",
                f"{cost['images_per_s']:.0f}",
                f"{cost['peak_MiB']:.0f} MiB",
            ]
            lines.append(_line([_name(row), *cells]))
    return lines


def _name(row: Mapping[str, Any]) -> str:
    return f"`{row['name']}`" if row["cost"] else str(row["name"])


def _head(titles: Sequence[str]) -> list[str]:
    return [_line(titles), "|" + "---|" * len(titles)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _interval(value: Mapping[str, float] | None, digits: int) -> str:
    if value is None:
        return "-"
    mean, low, high = (f"{value[key]:.{digits}f}" for key in ("mean", "low", "high"))
    return f"{mean} ({low}, {high})"


def main() -> None:
    """Reads, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path)
    parser.add_argument("folders", nargs="*", metavar="NAME=FOLDER")
    parser.add_argument("--boxes", type=Path)
    parser.add_argument("--sequences", type=Path)
    parser.add_argument("--sheet", type=Path, metavar="PICTURE")
    told = parser.parse_args()
    compared = read_object(told.report / "compare.json")
    rows = list(compared["rows"])
    for text in told.folders:
        name, _, folder = text.partition("=")
        rows.append(further_row(told.report, name, Path(folder), told.boxes, told.sequences))
    for test, names in compared["sets"].items():
        print(f"\n{test}, {len(names)} images\n", *table(rows, test), sep="\n")
    if told.sheet is not None:
        sheet(told.report, rows, compared["sets"][MAIN_SET], told.sheet)
    print("", *_classes(rows), "", *_costs(rows), sep="\n")


if __name__ == "__main__":
    main()
