"""Label error: pictures whose masks are right, moved, of a car that is gone, or not of everything that is hot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.dataset.label_consistency.loops import chosen_points
from pipelines.dataset.label_consistency.measure import measure_label_error
from pipelines.dataset.record import LabelError
from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError, PipelineError
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig


def street(seed: int = 0) -> np.ndarray:
    """(160, 200) uint8: a sky, a road with patches, noise."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(70, 110, 160)[:, None] + np.zeros((160, 200))
    patches = cv2.resize(rng.normal(0, 8, (10, 12)), (200, 160), interpolation=cv2.INTER_CUBIC)
    return np.clip(rows + patches + rng.normal(0, 1.5, rows.shape), 0, 255).astype(np.uint8)


def car(top: int = 60, left: int = 70) -> tuple[np.ndarray, np.ndarray]:
    """Mask and zones of a car of 40 x 64 px: body, glass, wheels."""
    mask, zone = np.zeros((160, 200), np.uint16), np.zeros((160, 200), np.uint8)
    mask[top + 14 : top + 36, left : left + 64] = 1
    mask[top : top + 14, left + 14 : left + 50] = 1
    zone[mask > 0] = 1
    zone[top + 3 : top + 13, left + 18 : left + 46] = 3
    for x in (left + 14, left + 50):
        wheel = cv2.circle(np.zeros(mask.shape, np.uint8), (x, top + 35), 6, 1, -1) > 0
        mask[wheel], zone[wheel] = 1, 5
    return mask, zone


def picture(mask: np.ndarray, zone: np.ndarray) -> np.ndarray:
    image = street()
    for number, level in ((1, 135), (3, 85), (5, 175)):
        image[(mask > 0) & (zone == number)] = level
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.7))


def moved(distance: int) -> LabelError:
    mask, zone = car()
    there, zones = car(60 + round(distance * 0.6), 70 + round(distance * 0.8))
    return measure_label_error(picture(mask, zone), there, zones)


def test_score_rises_with_the_distance_that_a_mask_is_moved() -> None:
    scores = [round(moved(distance).score, 3) for distance in (0, 2, 4, 8, 16)]  # 8 px and more saturate
    assert scores == sorted(scores)
    assert scores[0] < 0.05
    assert scores[3] > 0.6
    assert scores[4] > 0.9


def test_offset_is_the_distance_in_pixels() -> None:
    assert moved(0).objects[0].offset_px <= 2
    assert moved(8).objects[0].offset_px == pytest.approx(8, abs=2)


def test_removed_car_is_lost_with_and_without_its_background() -> None:
    mask, zone = car()
    behind = street()
    gone = measure_label_error(behind, mask, zone, behind)
    assert gone.score == pytest.approx(1, abs=0.01)
    assert gone.objects[0].lost == 1
    assert measure_label_error(behind, mask, zone).score > 0.6
    there = measure_label_error(picture(mask, zone), mask, zone, cv2.GaussianBlur(behind, (0, 0), 0.7))
    assert there.score < 0.05
    assert there.objects[0].lost == 0


def test_hot_blob_away_from_the_masks_is_invented() -> None:
    mask, zone = car()
    behind, image = street(), street()
    image[mask > 0] = picture(mask, zone)[mask > 0]
    assert measure_label_error(image, mask, zone, behind).invented_px == 0
    beside = image.copy()
    beside[98:101, 80:110] = 200  # heat on the road below the car is its own
    assert measure_label_error(beside, mask, zone, behind).invented_px == 0
    beside = image.copy()
    beside[112:116, 80:110] = 200  # and it is some 20 px away still, half of the car's 42 px
    assert measure_label_error(beside, mask, zone, behind).invented_px == 0
    beside[130:134, 80:110] = 200
    assert measure_label_error(beside, mask, zone, behind).invented_px == 120
    image[10:30, 10:40] = 220
    found = measure_label_error(image, mask, zone, behind)
    assert found.invented_px == 600
    assert found.score == pytest.approx(0.75, abs=0.05)
    assert measure_label_error(image, mask, zone).invented_px is None


def test_16_bits_of_a_wide_span_score_as_8() -> None:
    mask, zone = car()
    image = picture(mask, zone)
    narrow = 20000 + image.astype(np.uint16) * 40
    narrow[0, 0] = 65535  # one hot pixel takes most of the range
    behind = 20000 + street().astype(np.uint16) * 40
    assert measure_label_error(narrow, mask, zone).score < 0.1
    assert measure_label_error(behind, mask, zone, behind).score > 0.9


@pytest.mark.parametrize("place", [(0, 0), (60, -20), (140, 180)])
def test_objects_cut_by_the_border_can_be_measured(place: tuple[int, int]) -> None:
    mask, zone = (np.roll(plane, (place[0] - 60, place[1] - 70), (0, 1)) for plane in car())
    keep = np.zeros(mask.shape, bool)
    keep[max(place[0], 0) : place[0] + 45, max(place[1], 0) : place[1] + 64] = True
    mask, zone = np.where(keep, mask, 0).astype(np.uint16), np.where(keep, zone, 0).astype(np.uint8)
    error = measure_label_error(picture(mask, zone), mask, zone)
    assert all(0 <= item.score < 0.3 for item in error.objects)


def test_nothing_and_too_small_objects_have_no_score() -> None:
    empty = np.zeros((160, 200), np.uint16)
    assert measure_label_error(street(), empty, empty.astype(np.uint8)).score is None
    small = empty.copy()
    small[50:60, 50:70] = 7
    error = measure_label_error(street(), small, (small > 0).astype(np.uint8))
    assert (error.score, error.objects) == (None, ())
    assert measure_label_error(street(), empty, empty.astype(np.uint8), street()).score == 0


def test_planes_that_do_not_fit_are_refused() -> None:
    mask, zone = car()
    with pytest.raises(PipelineError, match="label error: image is float32"):
        measure_label_error(street().astype(np.float32), mask, zone)
    with pytest.raises(PipelineError, match="label error: zones is uint8"):
        measure_label_error(street(), mask, zone[1:])
    with pytest.raises(PipelineError, match="label error: background is"):
        measure_label_error(street(), mask, zone, street()[:, 1:])


# --- in data sets -----------------------------------------------------------------------------------------------------


EXACT = {
    "score": 0.0, "pixels": 500, "offset_px": 0.0, "edge_contrast": 0.3, "edge_peak": 1.0, "edge_share": 1.0,
    "zone_contrast": 0.2, "lost": None,
}  # fmt: skip


def config(out: Path, **options: object) -> SynthesizeConfig:
    return SynthesizeConfig(
        **{"out": out, "count": 6, "seed": 3, "workers": 1, "size": "128", "model": "physics", **options}
    )


def records(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "frames.jsonl").read_text().splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_frames_above_the_limit_are_drawn_again_the_same_by_any_number_of_workers(tmp_path: Path) -> None:
    plain = records(synthesize_dataset(config(tmp_path / "plain"), session_factory=FakeScene()))
    scores = [record["label_error"]["score"] for record in plain]
    assert any(score is not None for score in scores)
    most = sorted(score for score in scores if score is not None)[0] + 1e-4
    one = synthesize_dataset(config(tmp_path / "one", max_label_error=most), session_factory=FakeScene())
    two = synthesize_dataset(config(tmp_path / "two", max_label_error=most, workers=2), session_factory=FakeScene())
    assert contents(one) == contents(two)
    assert validate(one).problems == []
    strict = records(one)
    assert len(strict) == len(plain)
    for before, after in zip(plain, strict, strict=True):
        error = after["label_error"]
        assert error["rejected"] == (error["score"] is not None and error["score"] > most)
        if before["label_error"]["score"] is None or before["label_error"]["score"] <= most:
            assert after == before
        elif error["score"] is not None:
            assert error["score"] <= before["label_error"]["score"]
            assert error["attempt"] > 0 or error["rejected"]
    assert any(record["label_error"]["attempt"] for record in strict)
    assert "Frames with the largest label error" in (one / "label_errors.html").read_text()


def test_validate_names_label_errors_that_cannot_be(tmp_path: Path) -> None:
    folder = synthesize_dataset(config(tmp_path / "out", count=2), session_factory=FakeScene())
    rows = records(folder)
    rows[0]["label_error"].update(score=1.5, attempt=9)
    rows[1]["label_error"]["objects"] = [{**EXACT, "id": 999}]
    (folder / "frames.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = "\n".join(validate(folder).problems)
    for part in ("expected 0 to 1", "attempt is 9", "object 999, which has no label"):
        assert part in found


@pytest.mark.parametrize("most", [0.0, -0.1, 1.1, float("nan")])
def test_limits_that_cannot_be_are_refused(tmp_path: Path, most: float) -> None:
    with pytest.raises(ConfigError, match="max-label-error is"):
        config(tmp_path / "out", max_label_error=most)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 159, 160, 161, 500, 1234])
def test_points_are_evenly_spread(count: int) -> None:
    rng = np.random.default_rng(count)
    label = np.full((70, 40), 255, np.uint8)
    label.flat[rng.choice(label.size, count, replace=False)] = 3
    region = (5, 2, 68, 39)
    rows, columns = np.nonzero(label[5:68, 2:39] == 3)
    wanted = np.linspace(0, len(rows) - 1, min(len(rows), 160)).astype(np.int64)
    found = chosen_points(label, 255, region, 160)
    assert np.array_equal(found, np.stack([rows[wanted] + 5, columns[wanted] + 2], axis=1))


def test_kept_loops_are_loaded_without_scipys_linear_algebra() -> None:
    """Numba imports it, 0.15 s, with a kept kernel that has a reduction of numpy's."""
    code = (
        "import sys; import numpy as np; from pipelines.dataset.label_consistency.loops import chosen_points\n"
        "chosen_points(np.zeros((4, 4), np.uint8), 255, (0, 0, 4, 4), 9)\n"
        "print(*sum(([*k.stats.cache_hits.values()] for k in [chosen_points]), []), 'scipy.linalg' in sys.modules)"
    )
    for _ in range(2):  # the first keeps it, where it was not kept
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]
