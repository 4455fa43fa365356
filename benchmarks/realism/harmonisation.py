"""How far cars put into real frames are from the frames' own cars, and what that costs.

    python -m benchmarks.realism.harmonisation FRAMES BOXES.json [--count 120] [--split val] [--seed 41 42]
        [--sheet FILE.png]

FRAMES holds display-only street frames, BOXES.json their cars: ``{name: {"boxes_full": [{"cls", "xyxy"}], "split"}}``.
Crops of real cars are compared with crops of ours in the same frames by kernel and Frechet distance on AlexNet's
features (``GIS_WEIGHTS`` or ``--weights-dir``), beside plain blending (``renderer.insertion.foreground``) and two
halves of the real crops, between which no frame is shared. Ours are compared once as they come, and once with the real
ones' shares of sizes (``matched``): a small car is a blurred one, whoever made it; the heights of both are given as
quantiles. The cars of several seeds are pooled. Edge spread and noise are read from both by the same code. ``--sheet``
writes 40 crops, half of them real, in random order, and beside it the key as FILE.json. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.realism.plain_blending import blend_plainly, plain_layer
from gan.metrics.distribution import frechet_distance, kernel_distance, kernel_distance_interval
from gan.metrics.features import feature_extractor
from pipelines.backgrounds.images import scan_backgrounds
from pipelines.synthesis.frame_maker import FrameInputs, FrameMaker, PlacedFrame
from pipelines.synthesis.infrared import Physics
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import open_session
from renderer.insertion.background_sensor import edge_spread_px, measure_sensor, noise_bands
from renderer.insertion.foreground import render_foreground
from renderer.insertion.harmonise import harmonise_grey
from renderer.random_streams import Draw

__all__ = ["main"]

SIDE_PX = 96
MIN_PX, MAX_PX = 32, 200
"""Heights of cars that are compared."""
SIZES_PX = (32, 48, 80, 201)
"""Ranges of heights of which both sides have the same share."""
MARGIN = 0.15
SUBSETS = 200
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Shares of cars at which the heights of both sides are compared."""
SHEET, SHEET_COLUMNS, SHEET_PX = 40, 8, 150

UInt8 = NDArray[np.uint8]


@dataclass
class Crops:
    """Crops of cars, and what was read from the frames."""

    real: list[UInt8] = field(default_factory=list)
    real_frames: list[str] = field(default_factory=list)
    real_px: list[float] = field(default_factory=list)
    """Heights of the real cars."""
    ours: list[UInt8] = field(default_factory=list)
    plain: list[UInt8] = field(default_factory=list)
    ours_px: list[float] = field(default_factory=list)
    """Heights of our cars."""
    edges: list[tuple[float, float]] = field(default_factory=list)
    """Edge spread of our cars and of the frame, pixels."""
    noise: list[tuple[float, float]] = field(default_factory=list)
    """Noise in our cars and in the frame, grey levels."""
    seconds: list[float] = field(default_factory=list)
    """Measuring a frame and harmonising its cars."""


def main() -> None:
    """Runs the benchmark."""
    options = arguments()
    cv2.setNumThreads(0)
    boxes = json.loads(options.boxes.read_text(encoding="utf-8"))
    chosen = {name: entry for name, entry in boxes.items() if options.split in ("all", entry["split"])}
    crops = Crops()
    for path in sorted(options.frames.iterdir()):
        if path.stem in chosen:
            take_real(path, chosen[path.stem], crops)
    for seed in options.seed:
        take_ours(options, seed, set(chosen), crops)
    report = distances(crops, options.weights_dir)
    if options.sheet:
        write_sheet(crops, options.sheet, options.seed[0])
    print(json.dumps(report))


def arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--split", default="val", help="val, train or all")
    parser.add_argument("--seed", type=int, nargs="+", default=[11])
    parser.add_argument("--weights-dir", type=Path)
    parser.add_argument("--sheet", type=Path)
    return parser.parse_args()


def take_real(path: Path, entry: dict[str, Any], crops: Crops) -> None:
    """Crops of the cars of a real frame."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    for box in entry["boxes_full"]:
        left, top, right, bottom = box["xyxy"]
        if box["cls"] == "car" and MIN_PX <= bottom - top <= MAX_PX and left > 1 and right < image.shape[1] - 2:
            crops.real.append(crop(np.asarray(image, dtype=np.uint8), box["xyxy"]))
            crops.real_frames.append(path.stem)
            crops.real_px.append(bottom - top)


def take_ours(options: argparse.Namespace, seed: int, names: set[str], crops: Crops) -> None:
    """Our cars in the same frames, blended plainly and harmonised."""
    with tempfile.TemporaryDirectory(prefix="gis-benchmark-") as temporary:
        folder = Path(temporary) / "frames"
        folder.mkdir()
        for path in options.frames.iterdir():
            if path.stem in names:
                (folder / path.name).symlink_to(path.resolve())
        config = SynthesizeConfig(
            out=Path(temporary) / "out", backgrounds=folder, count=options.count, seed=seed, model="physics"
        )
        physics = Physics()
        session = open_session(config)
        try:
            maker = FrameMaker(config, FrameInputs(scan_backgrounds(folder)), session, physics)
            for index in range(options.count):
                one_frame(maker.place(Draw(seed, index)), physics, crops)
        finally:
            session.close()


def one_frame(placed: PlacedFrame, physics: Physics, crops: Crops) -> None:
    """Crops and readings of one frame."""
    frame, conditions, draw, background = placed.frame, placed.conditions, placed.draw, placed.background
    assert background is not None
    sensor, behind = physics.sensor(frame), background.image
    foreground = render_foreground(frame, conditions, physics.profiles, draw)
    begin = time.perf_counter()
    measured = measure_sensor(behind.astype(np.float32))
    ours = harmonise_grey(behind, frame, foreground, conditions, measured, draw)
    crops.seconds.append(time.perf_counter() - begin)
    plain, _ = blend_plainly(behind, plain_layer(frame, conditions, physics.profiles, draw, sensor))
    for item in frame.instances:
        box = item.box_visible_px
        if box is None or item.occlusion > 0 or item.truncation > 0 or item.category not in ("car", "van"):
            continue
        if MIN_PX <= box[3] - box[1] <= MAX_PX:
            crops.ours.append(crop(ours, box))
            crops.plain.append(crop(plain, box))
            crops.ours_px.append(box[3] - box[1])
    mask = (frame.instance_id > 0).astype(np.uint8)
    if mask.sum() < 2500:
        return
    around = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) > 0
    crops.edges.append((edge_spread_px(ours.astype(np.float32), around), measured.edge_px))
    crops.noise.append((noise_bands(ours.astype(np.float32), mask > 0)[0], measured.fine))


def crop(image: UInt8, box: Any) -> UInt8:
    """A car and a little around it, at one size."""
    left, top, right, bottom = (float(value) for value in box)
    side = int(max(right - left, bottom - top) * (1 + 2 * MARGIN))
    centre = ((left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5)
    patch = cv2.getRectSubPix(image, (side, side), centre)
    how = cv2.INTER_AREA if side > SIDE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(patch, (SIDE_PX, SIDE_PX), interpolation=how), dtype=np.uint8)


def distances(crops: Crops, weights: Path | None) -> dict[str, Any]:
    """The figures of the last line."""
    extractor = feature_extractor("alex", weights)

    def features(images: list[UInt8]) -> NDArray[np.float32]:
        batch = np.stack(images).astype(np.float32)[:, None] / 255.0
        return np.concatenate([extractor(batch[at : at + 64]) for at in range(0, len(batch), 64)])

    real, ours, plain = features(crops.real), features(crops.ours), features(crops.plain)
    names = sorted(set(crops.real_frames))
    first = np.isin(crops.real_frames, names[::2])
    report: dict[str, Any] = {"features": extractor.name, "crops": [len(real), len(ours)]}
    like_real = matched(np.array(crops.real_px), np.array(crops.ours_px))
    report["crops_matched"] = len(like_real)
    report["heights_px_real"] = [round(float(px)) for px in np.quantile(crops.real_px, QUANTILES)]
    report["heights_px_ours"] = [round(float(px)) for px in np.quantile(crops.ours_px, QUANTILES)]
    for label, a, b in (
        ("ours", real, ours), ("plain", real, plain),
        ("ours_matched", real, ours[like_real]), ("plain_matched", real, plain[like_real]),
        ("real_halves", real[first], real[~first]),
    ):  # fmt: skip
        interval = kernel_distance_interval(a, b)
        report[f"kernel_{label}"] = round(interval.mean, 4)
        report[f"kernel_{label}_95"] = [round(interval.low, 4), round(interval.high, 4)]
        report[f"frechet_{label}"] = round(frechet_distance(a, b), 2)
    for label, which in (("", np.arange(len(ours))), ("_matched", like_real)):
        low, high = paired_difference(real, ours[which], plain[which])
        report[f"kernel_gain{label}_95"] = [round(low, 4), round(high, 4)]
    edges, noise = np.array(crops.edges), np.array(crops.noise)
    report["edge_ratio"] = round(float(np.median(edges[:, 0] / edges[:, 1])), 3)
    seen = (noise[:, 0] > 0) & (noise[:, 1] > 0)
    report["noise_ratio"] = round(float(np.median(noise[seen, 0] / noise[seen, 1])), 3)
    report["ms_per_frame"] = round(1e3 * float(np.median(crops.seconds)), 1)
    report["ms_per_frame_min"] = round(1e3 * float(np.min(crops.seconds)), 1)
    return report


def paired_difference(
    real: NDArray[np.float32], ours: NDArray[np.float32], plain: NDArray[np.float32]
) -> tuple[float, float]:
    """95 % range of how much nearer ``ours`` is than ``plain``, which shows the same cars, to the same real crops.

    Kernel distance of plain less that of ours, over random halves of the real crops and of the cars: what a half is
    easy or hard for is so for both.
    """
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(SUBSETS):
        real_half = real[rng.choice(len(real), len(real) // 2, replace=False)]
        cars = rng.choice(len(ours), len(ours) // 2, replace=False)
        gains.append(kernel_distance(real_half, plain[cars]) - kernel_distance(real_half, ours[cars]))
    low, high = np.quantile(gains, [0.025, 0.975])
    return float(low), float(high)


def matched(real_px: NDArray[np.float64], ours_px: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of the most of our cars that have the real ones' share in every range of :data:`SIZES_PX`."""
    wanted = np.histogram(real_px, SIZES_PX)[0] / len(real_px)
    which = np.digitize(ours_px, SIZES_PX[1:-1])
    have = np.bincount(which, minlength=len(wanted))
    most = float(np.min(have[wanted > 0] / wanted[wanted > 0]))
    rng = np.random.default_rng(0)
    parts = [rng.choice(np.flatnonzero(which == k), int(most * share), replace=False) for k, share in enumerate(wanted)]
    return np.sort(np.concatenate(parts)).astype(np.intp)


def write_sheet(crops: Crops, file: Path, seed: int) -> None:
    """A sheet of 40 crops, half real, in random order, and its key."""
    rng = np.random.default_rng([seed, SHEET])
    half = SHEET // 2
    picked = [(crops.real[i], True) for i in rng.choice(len(crops.real), half, replace=False)]
    picked += [(crops.ours[i], False) for i in rng.choice(len(crops.ours), half, replace=False)]
    order = rng.permutation(SHEET)
    tiles = [cv2.resize(picked[i][0], (SHEET_PX, SHEET_PX), interpolation=cv2.INTER_CUBIC) for i in order]
    for number, tile in enumerate(tiles):
        cv2.putText(tile, str(number), (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255, 1)
        tile[-2:], tile[:, -2:] = 0, 0
    rows = [np.hstack(tiles[at : at + SHEET_COLUMNS]) for at in range(0, SHEET, SHEET_COLUMNS)]
    cv2.imwrite(str(file), np.vstack(rows))
    file.with_suffix(".json").write_text(json.dumps([bool(picked[i][1]) for i in order]), encoding="utf-8")


if __name__ == "__main__":
    main()
