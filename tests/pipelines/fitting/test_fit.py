"""`gis fit`: solved poses, the search, review, and what a run refuses."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from assets import CAMERAS
from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError, PipelineError
from pipelines.fitting.candidates import Cut, free_edges, solve
from pipelines.fitting.fitter import Fitter
from pipelines.fitting.inputs import scan_frames
from pipelines.fitting.review import read_decisions
from pipelines.fitting.run import FitConfig, FitResult, accepted, fit, fit_cars
from pipelines.fitting.shapes import BINS, PART_OF_BIN, PARTS, Shape, load_shapes, make_shape, save_shapes
from pipelines.fitting.texture import car_levels, learn, no_texture
from pipelines.io.images import decode_png, encode_png
from renderer.geometry.camera import Camera, read_cameras
from renderer.raster.rasterizer import Rasteriser
from renderer.zones.catalogue import Zone

CAMERA = Camera("test", 640, 512, 772.0, 772.0, 320.0, 240.0, height_m=1.42)
QUADS = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def _block(low: tuple[float, ...], high: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    points = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    triangles = [(a, b, c) for a, b, c, _ in QUADS] + [(a, c, d) for a, _, c, d in QUADS]
    return points.astype(np.float32), np.array(triangles, np.int32)


def _car() -> Shape:
    """A body and a cabin that sits behind the middle."""
    body, faces = _block((-2.2, -0.9, 0.2), (2.2, 0.9, 0.85))
    cabin, _ = _block((-1.9, -0.75, 0.85), (0.6, 0.75, 1.5))
    zones = np.r_[np.full(12, Zone.BODY), np.full(12, Zone.GLASS)].astype(np.uint8)
    return make_shape("block", "car", np.concatenate([body, cabin]), np.concatenate([faces, faces + 8]), zones)


@pytest.fixture(scope="module")
def car() -> Shape:
    return _car()


@pytest.mark.parametrize("angle", [0, 35, 90, 200, 300])
def test_the_solved_pose_fills_the_box(car: Shape, angle: int) -> None:
    pose_wanted = solve(car, math.radians(angle), 1.05, (200, 220, 330, 300), Cut(), CAMERA)
    box = pose_wanted.box_px
    pose = solve(car, math.radians(angle), 1.05, box, Cut(), CAMERA)
    # Oracle: all vertices through the pinhole by numpy.
    points = np.c_[car.positions, np.ones(len(car.positions))] @ pose.matrix().T
    pixels = CAMERA.project(points[:, :3])
    assert np.abs(np.r_[pixels.min(0), pixels.max(0)] - box).max() < 0.5


def test_a_cut_edge_stays_free(car: Shape) -> None:
    assert free_edges((0, 200, 90, 300), [], CAMERA) == Cut(left=True)
    assert free_edges((100, 200, 200, 300), [(180, 190, 300, 340)], CAMERA).right
    pose = solve(car, 0.0, 1.0, (0, 220, 60, 310), Cut(left=True), CAMERA)
    assert pose.box_px[0] < -5
    assert pose.box_px[2] == pytest.approx(60, abs=0.5)


def test_bins_have_parts_and_lie_where_they_should(car: Shape) -> None:
    assert car.bins.min() >= 1
    assert car.bins.max() < BINS
    centre = car.positions[car.triangles].mean(axis=1)
    front = PART_OF_BIN[car.bins] == PARTS.index("front")
    assert front.any()
    assert (centre[front, 0] > 2.1).all()


def test_the_search_finds_what_was_drawn(car: Shape) -> None:
    level = np.zeros(BINS)
    level[1:] = np.array([0, 1.0, 2.0, -1.0, 0.0, 1.5, -2.0, 2.0, 1.0])[PART_OF_BIN[1:BINS]]
    fitter = Fitter([car], {"": level})
    pose = solve(car, math.radians(150), 1.0, (220, 210, 380, 310), Cut(), CAMERA)
    bins = fitter.draw(Rasteriser(CAMERA), "block", pose)
    image = np.where(bins > 0, 120 + 25 * level[bins], 90).astype(np.uint8)
    image = cv2.GaussianBlur(image, (0, 0), 1.0)
    found = fitter.fit(image, pose.box_px, [], CAMERA)
    assert found is not None
    assert found.box_iou > 0.95
    assert abs((found.angle_deg - 150 + 180) % 360 - 180) <= 10
    assert found.confidence > 0


def test_texture_forgets_gain_and_offset() -> None:
    rng = np.random.default_rng([1, 0, 0])
    truth = rng.normal(size=BINS)
    count = np.full(BINS, 10.0)
    cars = [("day", car_levels((a * truth + b) * count, count)) for a, b in ((1, 0), (3, 5), (0.5, -2))]
    learned = learn(cars)
    assert np.corrcoef(learned["day"], truth)[0, 1] > 0.999
    assert set(no_texture()) == {""}


def test_decisions(tmp_path: Path) -> None:
    path = tmp_path / "review.txt"
    path.write_text("# seen\na#0 flip\n\na#1 reject\n")
    decided = read_decisions(path)
    assert decided == {"a#0": "flip", "a#1": "reject"}
    bad = {"key": "a#0", "box_iou": 0.5, "hidden": 0.0, "pose": {"y_m": 1.4}, "model": "x", "flipped": {"model": "y"}}
    assert accepted(bad, {}) is None
    assert accepted(bad, {"a#0": "reject"}) is None
    assert (accepted(bad, decided) or {})["model"] == "y"
    path.write_text("a#0 maybe\n")
    with pytest.raises(ConfigError, match="line 1"):
        read_decisions(path)


def _frames(folder: Path, boxes: object, size: tuple[int, int] = (512, 640)) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    noise = np.random.default_rng([0, 0, 0]).integers(90, 140, size).astype(np.uint8)
    for name in ("a", "b"):
        cv2.imwrite(str(folder / f"{name}.png"), cv2.GaussianBlur(noise, (0, 0), 3))
    file = folder.parent / "boxes.json"
    file.write_text(json.dumps(boxes))
    return folder, file


def _boxes(*box: float) -> dict[str, object]:
    return {name: {"boxes": [{"cls": "car", "xyxy": list(box)}]} for name in ("a", "b")}


def test_inputs_that_cannot_be_used_say_so(tmp_path: Path) -> None:
    frames, boxes = _frames(tmp_path / "f", {"c": {"boxes": [{"cls": "car", "xyxy": [1, 1, 60, 60]}]}})
    with pytest.raises(ConfigError, match="no boxes of cars for any picture"):
        scan_frames(frames, boxes, CAMERA)
    _frames(tmp_path / "f", _boxes(600, 200, 700, 300))
    with pytest.raises(ConfigError, match="reaches outside the 640x512"):
        scan_frames(frames, boxes, CAMERA)
    _frames(tmp_path / "f", _boxes(200, 200, 300, 300), (480, 640))
    with pytest.raises(ConfigError, match="give the --camera"):
        scan_frames(frames, boxes, CAMERA)
    with pytest.raises(ConfigError, match="holds no pictures"):
        scan_frames(tmp_path / "none", boxes, CAMERA)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory, car: Shape) -> Path:
    """A set of two pairs, as `gis fit` writes it."""
    folder = tmp_path_factory.mktemp("pairs")
    frames, boxes = _frames(folder / "f", _boxes(200, 215, 310, 305))
    (folder / "cars.blend").write_bytes(b"stands in")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "pipelines.fitting.run._read_models",
            lambda config, report: save_shapes(config.out / "models.safetensors", [car]),
        )
        fit_cars(frames, boxes, str(folder / "out"), camera=CAMERA, cars=folder / "cars.blend", passes=1, workers=1)
    return folder / "out"


def _add(*keys: str | int, by: float = 0.0, value: object = None) -> Callable[[Any], None]:
    """Changes one value of a record, that of these keys."""

    def change(record: Any) -> None:
        for key in keys[:-1]:
            record = record[key]
        record[keys[-1]] = value if value is not None else record[keys[-1]] + by

    return change


CAR = ("instances", 0)
WRONG = {
    "position": _add(*CAR, "object_to_world", 0, 3, by=0.5),
    "height": _add(*CAR, "object_to_world", 2, 3, by=0.2),
    "turn": _add(*CAR, "object_to_world", 0, value=[0.0, -1.0, 0.0, 15.0]),
    "fitted position": _add(*CAR, "fit", "pose", "z_m", by=0.3),
    "fitted turn": _add(*CAR, "fit", "pose", "yaw_rad", by=0.1),
    "fitted box": _add(*CAR, "fit", "pose", "box_px", 0, by=-3.0),
    "confidence": _add(*CAR, "fit", "confidence", value=1.5),
    "no fit": lambda record: record["instances"][0].pop("fit"),
    "category": _add(*CAR, "category", value="truck"),
    "model": _add(*CAR, "model", value="taxi"),
    "length": _add(*CAR, "box_3d", "length_m", by=-3.0),
    "centre": _add(*CAR, "box_3d", "centre_m", 2, by=9.0),
    "yaw": _add(*CAR, "box_3d", "yaw_rad", by=0.2),
    "amodal box": _add(*CAR, "box_amodal_px", 2, by=5.0),
    "visible box": _add(*CAR, "box_visible_px", 3, by=1.0),
    "visible pixels": _add(*CAR, "visible_px", by=1),
    "amodal pixels": _add(*CAR, "amodal_px", value=1),
    "truncation": _add(*CAR, "truncation", by=0.1),
    "occlusion": _add(*CAR, "occlusion", value=2),
    "id": _add(*CAR, "id", value=2),
    "focal length": _add("camera", "fx", by=5.0),
    "intrinsics": _add("camera", "K", 0, 0, by=5.0),
    "camera": _add("camera", "cam_to_world", 2, 3, by=0.5),
    "dropped car": lambda record: record["instances"].pop(),
    "dropped file": lambda record: record["files"].pop("zones/000000.png"),
    "hash": _add("files", "images/000000.png", value="0" * 64),
    "tensor": _add("tensor_sha256", value="0" * 64),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_of_a_pair_is_found(pairs: Path, tmp_path: Path, name: str) -> None:
    """Also where the line has the hash of what it says now."""
    folder = Path(shutil.copytree(pairs, tmp_path / "copy"))
    assert validate(folder).problems == []
    log = folder / "frames.jsonl"
    first, *others = log.read_text(encoding="utf-8").splitlines(keepends=True)
    record = json.loads(first)
    WRONG[name](record)
    rest = {key: value for key, value in record.items() if key != "record_sha256"}
    record["record_sha256"] = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    log.write_text("".join([json.dumps(record) + "\n", *others]), encoding="utf-8")
    assert validate(folder).problems != []


def test_a_model_s_name_may_hold_a_stroke(tmp_path: Path, car: Shape) -> None:
    save_shapes(tmp_path / "models", [replace(car, name="a/b")])
    (read,) = load_shapes(tmp_path / "models")
    assert (read.name, read.category) == ("a/b", "car")


def test_a_run_goes_on_and_respects_the_review(tmp_path: Path, car: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, boxes = _frames(tmp_path / "f", _boxes(200, 215, 310, 305))
    monkeypatch.setattr(
        "pipelines.fitting.run._read_models",
        lambda config, report: save_shapes(config.out / "models.safetensors", [car]),
    )
    cars = tmp_path / "cars.blend"
    cars.write_bytes(b"stands in")

    def run(name: str, workers: int) -> FitResult:
        return fit_cars(frames, boxes, str(tmp_path / name), camera=CAMERA, cars=cars, passes=2, workers=workers)

    whole = run("one", 1)
    assert whole == FitResult(tmp_path / "one", frames=2, cars=2, fitted=2)
    assert whole.review_sheet.is_file()
    report = validate(tmp_path / "one")
    assert (report.problems, report.objects) == ([], 2)
    run("two", 2)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
    log = tmp_path / "two" / "fits-1.jsonl"
    log.write_bytes(log.read_bytes()[:-40])
    run("two", 1)
    assert log.read_bytes() == (tmp_path / "one" / "fits-1.jsonl").read_bytes()
    (tmp_path / "one" / "review.txt").write_text("a#0 reject\n")
    assert run("one", 1) == FitResult(tmp_path / "one", frames=1, cars=1, fitted=2)
    assert validate(tmp_path / "one").problems == []
    (mask,) = sorted((tmp_path / "one" / "masks").iterdir())
    mask.write_bytes(encode_png(np.where(decode_png(mask.read_bytes(), "") > 0, 1, 7).astype(np.uint16)))
    problems = validate(tmp_path / "one").problems
    assert any("masks/000000.png: is not the file that was written" in one for one in problems)
    assert any("masks/000000.png: holds id 7" in one for one in problems)
    with pytest.raises(PipelineError, match="another fit"):
        fit(FitConfig(frames, boxes, CAMERA, tmp_path / "one", cars, passes=3, workers=1))


def test_a_camera_is_named_or_given(tmp_path: Path) -> None:
    preset = read_cameras(CAMERAS)["flir-adas"]
    file = tmp_path / "own.json"
    file.write_text(json.dumps(preset.to_json()))
    for camera in ("flir-adas", preset, file, str(file)):
        seen = FitConfig(tmp_path, tmp_path, camera, tmp_path).intrinsics
        assert replace(seen, name=preset.name) == preset


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"passes": 0}, "passes is 0: expected 1 or more"),
        ({"min_px": 7.5}, "min-px is 7.5: expected 8 or more pixels"),
        ({"workers": 0}, "workers is 0: expected 1 to 1024"),
        ({"layout": "round"}, "unknown layout 'round': expected one of flat, physics"),
        ({"variants": 2}, "variants is 2: expected 1, for sources of layout flat have no variants"),
        ({"review": "nowhere.txt"}, "nowhere.txt: no such file"),
        ({"camera": "none"}, "unknown camera 'none': expected one of .*flir-adas"),
        ({"camera": 3}, "camera is 3: expected text or a path or Camera"),
        ({"pases": 3}, "unknown option 'pases'"),
    ],
)
def test_options_that_cannot_work(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        fit_cars(tmp_path, tmp_path, tmp_path / "out", **{"camera": "flir-adas", **options})
    assert not (tmp_path / "out").exists()


def test_shapes_survive_their_file(tmp_path: Path, car: Shape) -> None:
    save_shapes(tmp_path / "m.safetensors", [car])
    (read,) = load_shapes(tmp_path / "m.safetensors")
    assert read.name == "block"
    assert np.array_equal(read.bins, car.bins)
    assert read.length_m == pytest.approx(4.4)
