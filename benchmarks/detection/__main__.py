"""Does a detector get better? Makes all sets, trains the detector of `gis measure` on each, tests on real frames.

    python -m benchmarks.detection FRAMES BOXES --out DIR [--camera flir-adas] [--visible DIR] [--seeds 3]

FRAMES is a folder of real thermal frames, BOXES their labels: ``{image: {"boxes": [{"cls": "car", "xyxy": [...]}],
"group": sequence, "time": "day"}}``, for RoadScene with the boxes of the visible crops. The network needs SqueezeNet's
weights (``GIS_WEIGHTS`` or ``--weights-dir``), the model sets what the shipped model needs.

Rows: shares of the real labels; plain pasting; made frames of generated streets, of the city and over real frames, by
physics alone and by the shipped model; real frames with each, all of them and a quarter; real frames with grey visible
pictures; real labels shifted by 4 px, to show that the measure can fail. Writes the sets below ``DIR/sets``, and what
`gis measure` writes: ``report.md``, ``detection.json``, sheets of finds; and ``curve-CLASS.png``. Half of the sequences
are reported on, the others are there to choose by. What is done is kept: the same command goes on, and a larger
``--seeds`` adds to it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.detection.curve import curves, draw_curves
from benchmarks.detection.sets import MADE, Material, link_set, make_sets
from pipelines.detection.config import MeasureConfig
from pipelines.detection.measure import measure_usefulness
from pipelines.detection.results import Measurement

__all__ = ["main", "plan_rows"]

SHARES = ("real", "real@50", "real@25", "real@10")
BASELINES = ("pasted", "shifted")
CURVE = "worlds_physics"
"""The made set that is joined to every share."""
REPORT_SHARE = 0.5


def plan_rows(made: list[str], *, visible: bool) -> list[str]:
    """All rows, the ones that tell most first."""
    joined = [f"{share}+{name}" for name in made for share in ("real", "real@25")]
    more = [f"{share}+{CURVE}" for share in ("real@50", "real@10") if CURVE in made]
    return [*SHARES, *made, *joined, *more, *BASELINES, *(["real+visible"] if visible else [])]


def main() -> None:
    """Runs the benchmark."""
    options = _options()
    material = Material(
        options.frames, options.boxes, options.out / "sets", options.camera, options.count, options.visible,
        options.workers,
    )  # fmt: skip
    used = dict(one.split("=", 1) for one in options.use)
    for name, folder in used.items():
        link_set(Path(folder), material, name)
    rows = options.rows or plan_rows([*MADE, *(set(used) - set(MADE))], visible=options.visible is not None)
    names = list(dict.fromkeys(part.partition("@")[0] for row in rows for part in row.split("+")))
    needed = ["real", *(["over_physics"] if "pasted" in names else []), *names]
    places = make_sets(material, list(dict.fromkeys(needed)))
    config = MeasureConfig(
        train=tuple(str(places[name]) for name in dict.fromkeys(["real", *names])), test=str(places["real"]),
        out=options.out, rows=tuple(rows), classes=tuple(options.classes), seeds=options.seeds,
        steps=options.steps, folds=options.folds,
        report_share=REPORT_SHARE, workers=options.workers, weights_dir=options.weights_dir,
    )  # fmt: skip
    result = measure_usefulness(config, log=print, progress=True)
    _draw(result, options.out)
    print((options.out / "report.md").read_text(encoding="utf-8"))


def _draw(result: Measurement, out: Path) -> None:
    for kind in result.classes:
        series = curves(result.rows, kind)
        if series:
            draw_curves(series, f"AP50, {kind}", out / f"curve-{kind}.png")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--camera", default="flir-adas", help="that took the frames")
    parser.add_argument("--visible", type=Path, help="pictures of a visible camera by the frames' names")
    parser.add_argument("--count", type=int, default=600, help="frames of each made set")
    parser.add_argument("--use", nargs="*", default=[], metavar="NAME=FOLDER", help="sets that were made before")
    parser.add_argument("--rows", nargs="*", help="some rows instead of all")
    parser.add_argument("--classes", nargs="*", default=["car", "person", "bicycle"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600, help="of each training")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--weights-dir", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
