"""`gis evaluate` on folders whose figures are known, its report, and every kind of bad input."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gan.errors import DataError, MetricError
from pipelines.errors import ConfigError
from pipelines.evaluation.config import EvaluateConfig
from pipelines.evaluation.evaluate import evaluate, evaluate_folders
from pipelines.evaluation.images import read_image


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.fixture
def config(tmp_path: Path) -> EvaluateConfig:
    """Four pairs whose difference is exactly 0, 10, 20 and 30 grey levels; no networks."""
    rng = np.random.default_rng(0)
    for index in range(4):
        image = rng.integers(40, 200, (40, 48), dtype=np.uint8)
        _write(tmp_path / "real" / f"{index:06d}.png", image)
        _write(tmp_path / "fake" / f"{index:06d}.png", image + np.uint8(10 * index))
    return EvaluateConfig(tmp_path / "real", tmp_path / "fake", lpips=(), features=())


def test_figures_are_those_of_the_offsets(config: EvaluateConfig, tmp_path: Path) -> None:
    evaluate_folders(replace(config, out=tmp_path / "report"))
    written = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert [row["name"] for row in written["images"]] == ["000000", "000001", "000002", "000003"]
    assert [row["mae"] for row in written["images"]] == pytest.approx([0, 10 / 255, 20 / 255, 30 / 255], abs=1e-7)
    assert [row["gradient_error"] for row in written["images"]] == pytest.approx([0] * 4, abs=1e-7)
    assert written["means"]["rmse"]["mean"] == pytest.approx(15 / 255, abs=1e-7)
    assert written["means"]["rmse"]["low"] < 15 / 255 < written["means"]["rmse"]["high"]
    assert written["images"][0]["psnr_dB"] is None  # equal images: infinite
    assert written["images"][1]["psnr_dB"] == pytest.approx(20 * np.log10(25.5), abs=1e-4)
    assert "infinite" in " ".join(written["notes"])


def test_intervals_over_sequences(config: EvaluateConfig, tmp_path: Path) -> None:
    """Two sequences of two pairs: a draw is one of three means, of which the ends are those of the sequences."""
    path = tmp_path / "sequences.json"
    path.write_text(json.dumps({"000000": "a", "000001": "a", "000002": "b", "000003": "b"}))
    result = evaluate_folders(replace(config, sequences=path))
    mae = result.means["mae"]
    assert [255 * value for value in (mae.low, mae.mean, mae.high)] == pytest.approx([5, 15, 25], abs=1e-4)
    assert "over 2 sequences, and are rough" in " ".join(result.notes)
    path.write_text(json.dumps(dict.fromkeys(["000000", "000001", "000002", "000003"], "a")))
    alone = evaluate_folders(replace(config, sequences=path))
    assert alone.means == evaluate_folders(config).means
    assert "All pairs are of one sequence" in " ".join(alone.notes)
    path.write_text("{}")
    with pytest.raises(DataError, match="no sequence for image '000000'"):
        evaluate_folders(replace(config, sequences=path))


def test_a_second_run_writes_the_same_bytes(config: EvaluateConfig, tmp_path: Path) -> None:
    for name in ("one", "two"):
        evaluate_folders(replace(config, out=tmp_path / name))
    for file in ("metrics.json", "report.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert str(tmp_path) not in (tmp_path / "one" / "report.html").read_text()
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["metrics.json", "report.html"]


def test_the_report_needs_no_other_file(config: EvaluateConfig, tmp_path: Path) -> None:
    evaluate_folders(replace(config, out=tmp_path / "report"))
    html = (tmp_path / "report" / "report.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', html)
    assert len(sources) == 12  # four pairs: real, generated, difference
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in html
    worst, best = html.index('<p class="name">000003'), html.index('<p class="name">000000')
    assert html.index("<h3>Worst</h3>") < worst < best


@pytest.mark.parametrize("kind", ["masks", "coco", "plain"])
def test_a_region_limits_what_counts(config: EvaluateConfig, tmp_path: Path, kind: str) -> None:
    path = config.generated / "000002.png"
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    image[:12] = 255  # outside the region: x 8..28, y 12..32
    cv2.imwrite(str(path), image)
    names = [f"{index:06d}" for index in range(4)]
    mask = np.zeros((40, 48), dtype=np.uint16)
    mask[12:32, 8:28] = 1000
    for name in names:
        _write(tmp_path / "masks" / f"{name}.png", mask)
    boxes: Any = {name: [[8, 12, 28, 32]] for name in names}
    if kind == "coco":
        boxes = {
            "images": [{"id": i, "file_name": f"images/{name}.png"} for i, name in enumerate(names)],
            "annotations": [{"image_id": i, "bbox": [8, 12, 20, 20]} for i in range(4)],
        }
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    region = {"masks": tmp_path / "masks"} if kind == "masks" else {"boxes": tmp_path / "boxes.json"}
    result = evaluate_folders(replace(config, **region))
    assert [row["mae"] for row in result.rows] == pytest.approx([0, 10 / 255, 20 / 255, 30 / 255], abs=1e-7)
    assert {row["region_px"] for row in result.rows} == {400}


def test_images_without_an_object_count_in_no_mean(config: EvaluateConfig, tmp_path: Path) -> None:
    boxes = {f"{index:06d}": [[8, 12, 28, 32]] if index in (1, 3) else [] for index in range(4)}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    result = evaluate_folders(replace(config, boxes=tmp_path / "boxes.json"))
    assert result.rows[0]["mae"] is None
    assert result.means["mae"].count == 2
    assert result.means["mae"].mean == pytest.approx(20 / 255, abs=1e-7)
    assert any("empty region" in note for note in result.notes)


def test_bits_and_colour_do_not_change_the_figures(config: EvaluateConfig, tmp_path: Path) -> None:
    wanted = evaluate_folders(config).rows
    for path in sorted(config.generated.iterdir()):
        grey = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        _write(tmp_path / "wide" / path.name, grey.astype(np.uint16) * 257)
        _write(tmp_path / "rgb" / path.name, np.repeat(grey[..., None], 3, axis=2))
    for folder in ("wide", "rgb"):
        for row, same in zip(evaluate_folders(replace(config, generated=tmp_path / folder)).rows, wanted, strict=True):
            assert row["mse"] == pytest.approx(same["mse"], abs=1e-9)
            assert row["ssim"] == pytest.approx(same["ssim"], abs=1e-6)


def test_networks(config: EvaluateConfig, shared_data: Path) -> None:
    weights = shared_data / "weights"
    result = evaluate_folders(replace(config, lpips=("alex",), features=("alex",), weights_dir=weights))
    values = [row["lpips_alex"] for row in result.rows]
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert values[3] > values[1]
    assert [row["name"] for row in result.distributions] == ["frechet_distance", "kernel_distance"]
    assert all("alexnet" in row["features"] for row in result.distributions)
    assert any("biased" in note for note in result.notes)
    same = evaluate_folders(
        replace(config, generated=config.real, unpaired=True, features=("alex",), weights_dir=weights)
    )
    assert same.rows == []
    assert same.distributions[0]["value"] == pytest.approx(0, abs=1e-6)


def _truncate(config: EvaluateConfig) -> EvaluateConfig:
    path = config.generated / "000001.png"
    path.write_bytes(path.read_bytes()[:60])
    return config


def _resize(config: EvaluateConfig) -> EvaluateConfig:
    _write(config.generated / "000001.png", np.zeros((40, 50), np.uint8))
    return config


def _drop(config: EvaluateConfig) -> EvaluateConfig:
    (config.generated / "000001.png").unlink()
    return config


def _nan(config: EvaluateConfig) -> EvaluateConfig:
    image = np.zeros((40, 48), np.float32)
    image[3, 4] = np.nan
    (config.generated / "000001.png").unlink()
    np.save(config.generated / "000001.npy", image)
    return config


def _kelvin(config: EvaluateConfig) -> EvaluateConfig:
    (config.generated / "000001.png").unlink()
    np.save(config.generated / "000001.npy", np.full((40, 48), 290.0))
    return config


def _double(config: EvaluateConfig) -> EvaluateConfig:
    shutil.copy(config.generated / "000001.png", config.generated / "000001.bmp")
    return config


def _colour(config: EvaluateConfig) -> EvaluateConfig:
    _write(config.generated / "000001.png", np.random.default_rng(0).integers(0, 255, (40, 48, 3), dtype=np.uint8))
    return config


def _empty(config: EvaluateConfig) -> EvaluateConfig:
    for path in config.generated.iterdir():
        path.unlink()
    return config


def _boxes(config: EvaluateConfig) -> EvaluateConfig:
    path = config.real.parent / "boxes.json"
    path.write_text("{]")
    return replace(config, boxes=path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_truncate, r"000001\.png: cannot be read"),
        (_resize, r"000001: real image of 48x40, generated one of 50x40"),
        (_nan, r"000001\.npy: 1 NaN"),
        (_kelvin, r"000001\.npy: values 290 to 290"),
        (_colour, r"000001: real image is grey, generated one colour"),
    ],
)
def test_one_bad_image_is_left_out_and_told(
    config: EvaluateConfig, spoil: Callable[[EvaluateConfig], EvaluateConfig], message: str
) -> None:
    whole = {row["name"]: row for row in evaluate_folders(config).rows}
    result = evaluate_folders(spoil(config))
    assert [row["name"] for row in result.rows] == ["000000", "000002", "000003"]
    assert all(row == whole[row["name"]] for row in result.rows)
    assert list(result.skipped) == ["000001"]
    assert re.search(message, result.skipped["000001"])
    assert any("1 of 4 images are left out" in note for note in result.notes)
    for path in sorted(config.generated.iterdir())[2:]:
        path.write_bytes(b"")
    with pytest.raises(DataError, match="cannot be used, the first: "):
        evaluate_folders(config)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_drop, r"1 of 4 images in .*real have no partner in .*fake, first '000001'"),
        (_double, r"000001\.bmp and 000001\.png"),
        (_empty, r"fake: no images"),
        (_boxes, r"boxes\.json: cannot be read as JSON"),
        (lambda config: replace(config, real=config.real / "none"), r"none is no folder"),
    ],
)
def test_bad_input_is_one_clear_line(
    config: EvaluateConfig, spoil: Callable[[EvaluateConfig], EvaluateConfig], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        evaluate_folders(spoil(config))
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"masks": "a", "boxes": "b"}, "both masks and boxes were given: expected one region"),
        ({"unpaired": True, "features": "none"}, "unpaired folders need features"),
        ({"unpaired": True, "boxes": "b"}, "a region needs pairs"),
        ({"lpips": "alex,resnet"}, "lpips is 'alex,resnet': expected alex, vgg, both or none"),
        ({"lpips": ["resnet"]}, "lpips is ['resnet']: expected one of alex, vgg"),
        ({"seed": -1}, "seed is -1: expected 0 or more"),
        ({"lpisp": "alex"}, "unknown option 'lpisp'"),
    ],
)
def test_bad_options_are_one_clear_line(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        evaluate("real", "generated", tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_keywords_are_the_options_of_the_command(config: EvaluateConfig, tmp_path: Path) -> None:
    result = evaluate(str(config.real), config.generated, tmp_path / "a", lpips="none", features=[])
    assert result == evaluate_folders(replace(config, out=tmp_path / "b"))
    assert (tmp_path / "a" / "metrics.json").read_bytes() == (tmp_path / "b" / "metrics.json").read_bytes()
    settings = json.loads((tmp_path / "a" / "metrics.json").read_text())["settings"]
    assert settings == {
        "real": "real", "fake": "fake", "lpips": [], "features": [], "inception": None, "weights_dir": None,
        "masks": None, "boxes": None, "unpaired": False, "sequences": None, "seed": 0,
            "device": "cpu",
    }  # fmt: skip


def test_missing_backbones_are_named(config: EvaluateConfig, tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="alexnet_features"):
        evaluate_folders(replace(config, lpips=("alex",), weights_dir=tmp_path))


def test_read_image_depths(tmp_path: Path) -> None:
    _write(tmp_path / "a.png", np.array([[0, 255]], np.uint8))
    _write(tmp_path / "b.png", np.array([[0, 65535]], np.uint16))
    _write(tmp_path / "c.tiff", np.array([[0.0, 1.0]], np.float32))
    for name in ("a.png", "b.png", "c.tiff"):
        np.testing.assert_array_equal(read_image(tmp_path / name), np.array([[0, 1]], np.float32))
    _write(tmp_path / "d.png", np.dstack([np.full((1, 2), value, np.uint8) for value in (0, 0, 255)]))
    np.testing.assert_array_equal(read_image(tmp_path / "d.png")[0, 0], [1, 0, 0])  # red comes first
