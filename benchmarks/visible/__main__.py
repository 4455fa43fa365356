"""RGB to infrared from visible twins alone: made pairs train, made pairs test, and real pairs where there are any.

    python -m benchmarks.visible OUT [--pairs 200] [--tests 40] [--edge 128] [--epochs 30] [--lpips 10]
        [--real VISIBLE INFRARED]

Makes OUT/set (`gis synthesize --visible`), trains a small pix2pix on its first pairs, translates the others, and
measures them against their infrared images; beside it grey copies of the colour pictures, the least that a model has to
beat. Real pairs, two folders with the same names, are measured alike. The weights of LPIPS are found by GIS_WEIGHTS.
What was made is kept, so that a run that was cut short goes on. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

import gan
import pipelines
from pipelines.dataset.names import frame_name

__all__ = ["main"]

MEASURES = ("lpips_alex", "lpips_vgg", "psnr_dB", "mae", "ssim")
"""LPIPS through AlexNet is among the losses of the training where `--lpips` is above 0; through VGG16 it never is."""


def made_set(out: Path, count: int, edge: int, seed: int) -> Path:
    """A data set of the shipped street with its visible twins."""
    size = f"{edge}x{edge}"
    pipelines.write_dataset(out, count=count, size=size, seed=seed, visible=True, visible_samples=4, model="physics")
    return out


def copied(files: Iterable[Path], folder: Path) -> Path:
    """Copies of files in a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)
    return folder


def squares(files: Iterable[Path], folder: Path, edge: int) -> Path:
    """The largest centred squares of pictures, scaled, as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        picture = cv2.imread(str(file))
        height, width = picture.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = picture[top : top + side, left : left + side]
        cv2.imwrite(str(folder / f"{file.stem}.png"), cv2.resize(square, (edge, edge), interpolation=cv2.INTER_AREA))
    return folder


def grey_copies(visible: Path, folder: Path) -> Path:
    """The luma of colour pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(visible.iterdir()):
        cv2.imwrite(str(folder / file.name), cv2.imread(str(file), cv2.IMREAD_GRAYSCALE))
    return folder


def measured(infrared: Path, generated: Path) -> dict[str, float]:
    """Means of the measures over pairs of pictures of the same names."""
    result = pipelines.evaluate(infrared, generated, lpips=("alex", "vgg"), features=())
    return {name: round(float(result.means[name].mean), 4) for name in MEASURES}


def against_grey(model: Path, visible: Path, infrared: Path, out: Path) -> dict[str, dict[str, float]]:
    """What a model makes of colour pictures, and their grey copies, by the measures."""
    shutil.rmtree(out / "translated", ignore_errors=True)
    pipelines.translate(model, visible, out / "translated")
    grey = grey_copies(visible, out / "grey")
    return {"model": measured(infrared, out / "translated"), "grey copy": measured(infrared, grey)}


def sheet(out: Path, visible: Path, infrared: Path, count: int = 8) -> None:
    """Colour, what the model makes of it, and the infrared image, side by side."""
    rows = []
    for file in sorted(visible.iterdir())[:count]:
        folders = (visible, out / "translated", infrared)
        rows.append(np.hstack([cv2.imread(str(folder / f"{file.stem}.png")) for folder in folders]))
    cv2.imwrite(str(out / "sheet.png"), np.vstack(rows))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.visible", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    for name, default in (("pairs", 200), ("tests", 40), ("edge", 128), ("epochs", 30), ("seed", 21)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--lpips", type=float, default=10.0, help="weight of LPIPS among the losses")
    parser.add_argument("--real", type=Path, nargs=2, metavar=("VISIBLE", "INFRARED"))
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make, train, measure."""
    told = parse(arguments)
    out, edge = told.out, told.edge
    made = made_set(out / "set", told.pairs + told.tests, edge, told.seed)
    names = [f"{frame_name(k)}.png" for k in range(told.pairs + told.tests)]
    train, test = names[: told.pairs], names[told.pairs :]
    for place in ("visible", "images"):
        copied((made / place / name for name in train), out / "train" / place)
        copied((made / place / name for name in test), out / "test" / place)
    model = gan.train(
        out / "train",
        out / "run",
        model="pix2pix",
        epochs=told.epochs,
        batch=4,
        ngf=32,
        ndf=32,
        validation=0.05,
        ema=0.99,
        lpips_weight=told.lpips,
    )
    found = {"made": against_grey(model, out / "test/visible", out / "test/images", out / "made")}
    sheet(out / "made", out / "test/visible", out / "test/images")
    if told.real is not None:
        visible, infrared = told.real
        both = sorted({file.stem for file in visible.iterdir()} & {file.stem for file in infrared.iterdir()})
        of = {folder: {file.stem: file for file in folder.iterdir()} for folder in (visible, infrared)}
        colour = squares((of[visible][name] for name in both), out / "real/visible", edge)
        heat = squares((of[infrared][name] for name in both), out / "real/images", edge)
        found["real"] = against_grey(model, colour, heat, out / "real")
        sheet(out / "real", colour, heat)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
