"""`benchmarks.realism`: crops, intervals, and pictures that know nothing of the cars they replace."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from assets import CAMERAS
from benchmarks.realism import __main__ as realism
from benchmarks.realism.cars import (
    BASELINES,
    Case,
    Fits,
    PhysicsBaseline,
    box_hole,
    draw_samples,
    make_gallery,
    open_case,
    read_fits,
    seen_elsewhere,
)
from benchmarks.realism.measure import SIDE_PX, FrameBootstrap, Scores, crop, mean_scores
from benchmarks.realism.product import PLAIN, Inserted, distances, match_heights, standing_cars
from gan.metrics.features import FeatureExtractor
from pipelines.errors import ConfigError
from pipelines.fitting.candidates import Cut, solve
from pipelines.fitting.inputs import scan_frames
from pipelines.fitting.shapes import Shape, make_shape, save_shapes
from pipelines.synthesis.source_tensor import dilate_objects
from renderer.geometry.camera import Camera
from renderer.thermal.sensor import read_sensors
from renderer.zones.catalogue import Zone

CAMERA = Camera("test", 320, 256, 386.0, 386.0, 160.0, 120.0, height_m=1.42)
BOX = (120, 100, 200, 150)
QUADS = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
NAMES = ("a", "b", "c")


def _block(low: tuple[float, ...], high: tuple[float, ...]) -> tuple[Any, Any]:
    points = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    triangles = [(a, b, c) for a, b, c, _ in QUADS] + [(a, c, d) for a, _, c, d in QUADS]
    return points.astype(np.float32), np.array(triangles, np.int32)


def _shape() -> Shape:
    body, faces = _block((-2.2, -0.9, 0.2), (2.2, 0.9, 0.85))
    cabin, _ = _block((-1.9, -0.75, 0.85), (0.6, 0.75, 1.5))
    zones = np.r_[np.full(12, Zone.BODY), np.full(12, Zone.GLASS)].astype(np.uint8)
    return make_shape("block", "car", np.concatenate([body, cabin]), np.concatenate([faces, faces + 8]), zones)


def _write_frame(folder: Path, name: str, seed: int) -> Path:
    rng = np.random.default_rng([seed, 0, 0])
    path = folder / f"{name}.png"
    cv2.imwrite(str(path), cv2.GaussianBlur(rng.integers(40, 220, (256, 320)).astype(np.uint8), (0, 0), 2))
    return path


@pytest.fixture
def material(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Frames, boxes and a fit: one car of the same pose in each of three frames, the first of which is measured."""
    frames, fits = tmp_path / "frames", tmp_path / "fits"
    frames.mkdir()
    fits.mkdir()
    shape = _shape()
    pose = solve(shape, math.radians(30), 1.0, BOX, Cut(), CAMERA)
    boxes, lines = {}, []
    for number, name in enumerate(NAMES):
        _write_frame(frames, name, number)
        split = "train" if number else "val"
        one = {"cls": "car", "xyxy": list(BOX)}
        boxes[name] = {"boxes": [one], "split": split, "group": str(number), "time": "day"}
        car = {
            "key": f"{name}#0", "box": list(BOX), "time": "day", "hidden": 0.0, "model": "block", "angle_deg": 30.0,
            "box_iou": 1.0, "score": 1.0, "confidence": 1.0, "flipped": None, "pose": asdict(pose),
        }  # fmt: skip
        car["pose"]["y_m"] = 1.4  # accepted, whatever the small camera makes of it
        lines.append(json.dumps({"index": number, "name": name, "cars": [car]}))
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    (fits / "fit.json").write_text(json.dumps({"passes": 1, "camera": CAMERA.to_json()}))
    (fits / "fits-0.jsonl").write_text("\n".join(lines) + "\n")
    save_shapes(fits / "models.safetensors", [shape])
    return frames, tmp_path / "boxes.json", fits


@pytest.fixture
def fits(material: tuple[Path, Path, Path]) -> Fits:
    return read_fits(*material, "test")


# --- crops ------------------------------------------------------------------------------------------------------------


def test_a_crop_is_the_square_of_1_2_longer_sides() -> None:
    image = np.random.default_rng(0).integers(0, 255, (512, 640)).astype(np.uint8)
    # Longer side 128 / 1.2: the square is 128 px, so nothing is resized.
    side = 128 / 1.2
    made = crop(image, (300 - side / 2, 200 - 20, 300 + side / 2, 200 + 20))
    assert np.array_equal(made, image[136:264, 236:364])


def test_a_crop_is_clipped_to_the_image() -> None:
    image = np.tile(np.arange(200, dtype=np.uint8), (200, 1))
    made = crop(image, (0, 50, 100, 150))
    assert made.shape == (SIDE_PX, SIDE_PX)
    # Columns 0 to 110 of -10 to 110 are left, and fill the crop.
    assert made[0, 0] <= 1
    assert abs(int(made[0, -1]) - 109) <= 1


# --- intervals --------------------------------------------------------------------------------------------------------


def test_the_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(3, 2, 200)
    found = FrameBootstrap([str(i) for i in range(200)]).mean(values)
    half = 1.96 * values.std() / math.sqrt(200)
    assert found.mean == pytest.approx(values.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_cars_of_one_frame_count_once() -> None:
    values = np.random.default_rng(1).normal(3, 2, 40)
    alone = FrameBootstrap([str(i) for i in range(40)]).mean(values)
    copied = FrameBootstrap([str(i // 4) for i in range(160)]).mean(np.repeat(values, 4))
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=1e-6)


def test_differences_are_paired() -> None:
    values = np.random.default_rng(2).normal(3, 2, 30)
    cars = FrameBootstrap([str(i // 2) for i in range(30)])
    found = cars.difference(values - 0.5, values)
    assert (found.low, found.high) == (pytest.approx(-0.5), pytest.approx(-0.5))
    share = cars.change(values * 0.8, values)
    assert (share.mean, share.high) == (pytest.approx(-0.2), pytest.approx(-0.2))


def test_draws_are_averaged_car_by_car() -> None:
    first, second = Scores([0.1, 0.3], [0.2, 0.2], [0.0, 0.1], [0.5]), Scores([0.3, 0.5], [0.4, 0.2], [0.2, 0.1], [0.7])
    found = mean_scores([first, second])
    assert found.crop_lpips == pytest.approx([0.2, 0.4])
    assert found.composited == pytest.approx([0.3, 0.2])
    assert found.frame_lpips == pytest.approx([0.6])


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_only_the_split_is_measured(fits: Fits) -> None:
    assert fits.chosen("val") == ["a"]
    assert fits.chosen("all") == list(NAMES)
    with pytest.raises(ConfigError, match="expected one of train, val, or all"):
        fits.chosen("test")


def test_no_picture_knows_the_car_that_it_replaces(fits: Fits, material: tuple[Path, Path, Path]) -> None:
    gallery = make_gallery(fits, ["a"])
    physics = PhysicsBaseline(read_sensors(CAMERAS)["tau2"])
    ways = {**{way: make for way, make in BASELINES.items() if "blur" not in way}, "physics": physics}

    def pictures() -> tuple[Case, dict[str, Any]]:
        case = open_case(fits, "a", 0)
        made = {way: make(case, gallery) for way, make in ways.items()}
        made |= {f"source {name}": draw_samples(fits, ["a"], name)[0].source() for name in ("flat", "physics")}
        return case, made

    case, before = pictures()
    assert len(case.cars) == 1
    outside = ~case.hole
    for way in ways:
        assert np.array_equal(before[way][outside], case.real[outside]), way
        assert not np.array_equal(before[way], case.real), way
    spoiled = case.real.copy()
    spoiled[case.hole] = 255 - spoiled[case.hole]
    cv2.imwrite(str(material[0] / "a.png"), spoiled)
    _, after = pictures()
    # It stands over the real surroundings on purpose, and says so.
    # Two drawings of the same physics differ by a grey level here and there.
    step = {way: 2.1 / 255 if way.startswith("source") else 1.0 for way in before}
    known = {way for way in before if np.abs(before[way].astype(float) - after[way].astype(float)).max() > step[way]}
    assert known == {"flat paste, real surroundings"}


def test_levels_are_of_other_frames(fits: Fits, material: tuple[Path, Path, Path]) -> None:
    for name, level in zip(NAMES, (250, 80, 120), strict=True):
        cv2.imwrite(str(material[0] / f"{name}.png"), np.full((256, 320), level, np.uint8))
    measured = open_case(fits, "a", 0)
    made = BASELINES["flat paste"](measured, make_gallery(fits, ["a"]))
    assert set(np.unique(made[measured.frame.instance_id > 0])) == {100}
    # Without a split all frames are measured, and each takes its levels from the others.
    gallery = make_gallery(replace(fits, splits={}), NAMES)
    made = BASELINES["flat paste"](open_case(fits, "b", 1), gallery)
    assert set(np.unique(made[measured.frame.instance_id > 0])) == {185}


def test_the_nearest_car_may_be_mirrored(fits: Fits) -> None:
    gallery = make_gallery(fits, ["a"])
    case = open_case(fits, "a", 0)
    car = replace(case.cars[0], angle_deg=330.0)
    donor, mirror = gallery.nearest(case, car)
    assert mirror
    assert donor.frame in ("b", "c")
    assert not gallery.nearest(case, case.cars[0])[1]


def test_a_box_hole_holds_the_usual_one(fits: Fits) -> None:
    frame = open_case(fits, "a", 0).frame
    usual, box = dilate_objects(frame) > 0, box_hole(frame) > 0
    rows, columns = np.nonzero(usual)
    assert box.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert (box | ~usual).all()
    flat, boxed = (draw_samples(fits, ["a"], "flat", grow)[0].label_image for grow in (dilate_objects, box_hole))
    colour = (0, 0, 255)
    assert ((boxed == colour).all(axis=-1) == box).all()
    assert ((flat == colour).all(axis=-1) == usual).all()


def test_a_fit_that_was_cut_short_says_so(material: tuple[Path, Path, Path]) -> None:
    (material[2] / "fits-0.jsonl").unlink()
    with pytest.raises(ConfigError, match="cut short"):
        read_fits(*material, "test")


def test_a_scene_that_another_split_shows_is_found(fits: Fits, material: tuple[Path, Path, Path]) -> None:
    assert seen_elsewhere(fits, ["a"]) == {}
    image = cv2.imread(str(material[0] / "a.png"), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    shifted = np.roll(image, (6, -9), axis=(0, 1)).astype(np.float32)
    cv2.imwrite(str(material[0] / "c.png"), np.clip(shifted * 0.7 + 30, 0, 255).astype(np.uint8))
    assert seen_elsewhere(fits, ["a"]) == {"a": "c"}
    assert seen_elsewhere(fits, list(NAMES)) == {}


def test_scanning_finds_the_frames(material: tuple[Path, Path, Path]) -> None:
    assert [one.name for one in scan_frames(material[0], material[1], CAMERA)] == list(NAMES)


# --- inserted cars ----------------------------------------------------------------------------------------------------


def _set(rng: np.random.Generator, count: int, mean: float, way: str) -> Inserted:
    found = Inserted()
    for number in range(count):
        image = np.clip(rng.normal(mean, 30, (96, 96)), 0, 255).astype(np.uint8)
        found.add(str(number // 2), float(rng.uniform(30, 120)), {way: image})
    return found


def test_inserted_cars_are_of_like_heights() -> None:
    rng = np.random.default_rng(3)
    real, inserted = _set(rng, 10, 128, "real"), _set(rng, 200, 128, PLAIN)
    found = match_heights(real, inserted)
    assert 20 <= len(found.frames) <= 30
    assert len(found.crops[PLAIN]) == len(found.frames) == len(set(found.heights_px))
    for height in found.heights_px:
        assert min(abs(math.log(height / other)) for other in real.heights_px) < 0.2
    assert abs(np.median(found.heights_px) / np.median(real.heights_px) - 1) < 0.25


def test_real_cars_that_stand_free_are_the_fitted_ones(fits: Fits) -> None:
    found = standing_cars(fits, ["a", "b"])
    assert found.frames == ["a", "b"]
    assert found.heights_px == [BOX[3] - BOX[1]] * 2
    assert [len(crops) for crops in found.crops.values()] == [2]
    fits.cars["a"][0]["hidden"] = 0.3
    assert standing_cars(fits, ["a", "b"]).frames == ["b"], "behind nearer boxes"
    fits.cars["b"][0]["box"] = [0.0, *BOX[1:]]
    assert standing_cars(fits, ["a", "b"]).frames == [], "cut by the border"


def test_distances_tell_near_from_far() -> None:
    extractor = FeatureExtractor("blocks", lambda images: images[:, 0, ::12, ::12].flatten(1))
    rng = np.random.default_rng(4)
    real, inserted = _set(rng, 40, 120, "real"), _set(rng, 60, 200, PLAIN)
    inserted.crops["like"] = _set(rng, 60, 120, "like").crops["like"]
    found = distances(real, inserted, extractor)
    assert found is not None
    assert abs(found.kernel["real halves"].mean) < 0.05 * found.kernel[PLAIN].mean
    assert found.to_plain["like"].high < 0.1
    assert (found.to_plain[PLAIN].low, found.to_plain[PLAIN].high) == (1.0, 1.0)
    assert found.frechet["like"] < found.frechet[PLAIN]
    few = _set(rng, 3, 120, PLAIN)
    assert distances(real, few, extractor) is None
    assert match_heights(real, Inserted()).frames == []


# --- the whole --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shipped", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_last_line_is_json(
    material: tuple[Path, Path, Path], shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], shipped: bool,
) -> None:  # fmt: skip
    frames, boxes, fits = (str(path) for path in material)
    weights, out = str(shared_data / "weights"), tmp_path / "out"
    more = ["--split", "val", "--count", "0", "--leak-test", "--weights-dir", weights, "--out", str(out)]
    more += [] if shipped else ["--weights"]
    monkeypatch.setattr(sys, "argv", ["realism", frames, boxes, "--fits", fits, *more])
    realism.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["model"], found["crop_lpips"] is None) == (("cars", False) if shipped else (None, True))
    assert found["cars"] == 1
    pictures = found["pictures"]
    assert 0 < pictures["blur sigma 0.7"]["crop_lpips"][0] < found["crop_lpips_flat"]
    assert pictures["no car"]["crop_lpips"][1] <= pictures["no car"]["crop_lpips"][2]
    assert ("cars" in pictures) == shipped
    assert set(found["leak"]) == {f"{way}{hole}" for way in ["no car", *["cars"] * shipped] for hole in ("", ", whole")}
    assert "| flat paste |" in (out / "report.md").read_text()
    picture = cv2.imread(str(out / "grid.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape[0] == SIDE_PX + realism.HEADER_PX
