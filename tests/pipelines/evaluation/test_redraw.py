"""`gis translate --redraw`: one class is drawn anew, every other pixel keeps its bits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from typer.testing import CliRunner

from gan.backends import layered, thermalgan
from gan.storage.model_file import write_model_file
from pipelines.cli.main import app

ENTRIES = "background=270.000:280.000:290.000,car=275.000:290.000:310.000,person=290.000:300.000:310.000"
SPAN = {"entries": ENTRIES, "lowest_K": 250.0, "highest_K": 330.0, "contrast_K": 20.0}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = layered.Config(in_channels=3, ngf=4, levels=3, segmenter_width=4, **SPAN)
    path = tmp_path / "model.safetensors"
    write_model_file(path, "layered", config, layered.build_translator(config).state_dict(), {})
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two frames of a set, without kelvin: a car and a person, and only a car."""
    root = tmp_path / "set"
    rng = np.random.default_rng(0)
    lines = []
    for kind in ("visible", "masks"):
        (root / kind).mkdir(parents=True)
    for index in range(2):
        ids = np.zeros((20, 28), np.uint16)
        ids[4:12, 4:12] = 1
        if index == 0:
            ids[8:18, 18:22] = 2
        cv2.imwrite(str(root / "visible" / f"{index:06d}.png"), rng.integers(0, 255, (20, 28, 3), dtype=np.uint8))
        cv2.imwrite(str(root / "masks" / f"{index:06d}.png"), ids)
        instances = [{"id": number, "category": name} for number, name in ((1, "car"), (2, "person"))]
        lines.append(json.dumps({"index": index, "span_K": None, "instances": instances}))
    (root / "frames.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def translate(model: Path, source: Path, out: Path, *options: str) -> dict[str, npt.NDArray[np.uint16]]:
    fixed = ["--weights", str(model), "--input", str(source), "--out", str(out), "--device", "cpu", "--threads", "1"]
    done = CliRunner().invoke(app, ["translate", *fixed, *options])
    assert done.exit_code == 0, done.output
    return {path.name: cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(out.glob("0*.png"))}


def refused(model: Path, source: Path, out: Path, *options: str) -> str:
    fixed = ["--weights", str(model), "--input", str(source), "--out", str(out), "--device", "cpu"]
    done = CliRunner().invoke(app, ["translate", *fixed, *options], env={"COLUMNS": "1000"})
    assert done.exit_code != 0
    return str(done.output) if done.exception is None or isinstance(done.exception, SystemExit) else str(done.exception)


@pytest.mark.parametrize(
    "options",
    [
        ("--noise-seed", "3"),
        ("--temperature", "car=305"),
        ("--temperature", "car=305,background=280,person=300", "--noise-seed", "3"),
    ],
)
def test_every_other_pixel_keeps_its_bits(model: Path, folder: Path, tmp_path: Path, options: Sequence[str]) -> None:
    first = translate(model, folder / "visible", tmp_path / "first", "--temperature", "background=280,person=300")
    drawn = translate(model, folder / "visible", tmp_path / "drawn", "--redraw", "car", *options)
    assert sorted(first) == sorted(drawn) == ["000000.png", "000001.png"]
    for name, image in first.items():
        car = cv2.imread(str(folder / "masks" / name), cv2.IMREAD_UNCHANGED) == 1
        assert image.dtype == np.uint16
        assert np.array_equal(image[~car], drawn[name][~car])
        assert (image[car] != drawn[name][car]).mean() > 0.9


def test_another_seed_is_another_car_and_the_same_seed_the_same(model: Path, folder: Path, tmp_path: Path) -> None:
    images = [
        translate(model, folder / "visible", tmp_path / str(number), "--redraw", "car", "--noise-seed", seed)
        for number, seed in enumerate(("1", "2", "1"))
    ]
    assert all(np.array_equal(images[0][name], images[2][name]) for name in images[0])
    assert not np.array_equal(images[0]["000000.png"], images[1]["000000.png"])


def test_temperatures_reach_their_class_alone(model: Path, folder: Path, tmp_path: Path) -> None:
    """10 K more for cars are 10 K more in each of their pixels that the span does not cut, and 0 elsewhere."""
    kelvin = [
        translate(model, folder / "visible", tmp_path / text, "--temperature", f"car={text}")["000000.png"] / 65535 * 80
        for text in ("285", "295")
    ]
    mask = cv2.imread(str(folder / "masks" / "000000.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose((kelvin[1] - kelvin[0])[mask == 1], 10, atol=2e-3)
    assert not (kelvin[1] - kelvin[0])[mask != 1].any()


def test_onto_other_images(model: Path, folder: Path, tmp_path: Path) -> None:
    """Pixels of other classes are those of the files, whatever the model makes of the input."""
    base = tmp_path / "base"
    translate(model, folder / "visible", base, "--temperature", "background=280")
    about = json.loads((base / "translate.json").read_text())
    rng = np.random.default_rng(7)
    for path in base.glob("0*.png"):
        cv2.imwrite(str(path), rng.integers(0, 65535, (20, 28), dtype=np.uint16))
    words = ("--redraw", "car", "--temperature", "car=300", "--onto", str(base))
    drawn = translate(model, folder / "visible", tmp_path / "drawn", *words)
    alone = translate(model, folder / "visible", tmp_path / "alone", "--temperature", "car=300")
    for name, image in drawn.items():
        car = cv2.imread(str(folder / "masks" / name), cv2.IMREAD_UNCHANGED) == 1
        assert np.array_equal(image[~car], cv2.imread(str(base / name), cv2.IMREAD_UNCHANGED)[~car])
        assert np.array_equal(image[car], alone[name][car])
    assert json.loads((tmp_path / "drawn" / "translate.json").read_text())["redrawn"] == ["car"]
    (base / "translate.json").write_text(json.dumps({**about, "weights_sha256": "0", "span_K": [1.0, 2.0]}))
    assert "images of another model or span" in refused(model, folder / "visible", tmp_path / "x", *words)


def test_without_a_set_the_model_says_what_pixels_show(model: Path, folder: Path, tmp_path: Path) -> None:
    """A folder of pictures alone: the pixels that change are those that its own network calls cars."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    picture = (folder / "visible" / "000000.png").read_bytes()
    (pictures / "000000.png").write_bytes(picture)
    cold, warm = (
        translate(model, pictures, tmp_path / text, "--redraw", "car", "--temperature", f"car={text}")["000000.png"]
        for text in ("285", "295")
    )
    from gan.serving.temperatures import load_temperature_model

    source = cv2.imread(str(pictures / "000000.png"))[..., ::-1].transpose(2, 0, 1) / 255 * 2 - 1
    classes = load_temperature_model(model, device="cpu", threads=1).classes(source.astype(np.float32))
    assert np.array_equal(cold != warm, classes == 1)


def test_what_cannot_be_redrawn(model: Path, folder: Path, tmp_path: Path) -> None:
    source, out = folder / "visible", tmp_path / "out"
    seed = ("--noise-seed", "1")
    for options, message in (
        (("--redraw", "cow", *seed), "redraw names 'cow': expected one of background, car, person"),
        (("--redraw", "car"), "the classes would come out as they are"),
        (("--redraw", "car,car", *seed), "expected classes, each once"),
        (("--redraw", "car", "--engine", "openvino", *seed), "redraw and engine"),
        (("--onto", str(source)), "give --redraw too"),
        (("--redraw", "car", "--onto", str(source), *seed), "translate.json"),
    ):
        assert message in refused(model, source, out, *options)
    torch.manual_seed(0)
    for name, module, more, message in (
        ("thermalgan", thermalgan, SPAN, "is a model of thermalgan, without layers"),
        ("layered", layered, {}, "is a model of layered that has images without temperatures"),
    ):
        config = module.Config(in_channels=3, ngf=4, levels=3, **more)
        path = tmp_path / f"{name}.safetensors"
        write_model_file(path, name, config, module.build_translator(config).state_dict(), {})
        assert message in refused(path, source, out, "--redraw", "car", *seed)


def test_a_set_with_other_classes_or_without_masks(model: Path, folder: Path, tmp_path: Path) -> None:
    lines = (folder / "frames.jsonl").read_text(encoding="utf-8")
    (folder / "frames.jsonl").write_text(lines.replace("person", "tram"), encoding="utf-8")
    options = ("--redraw", "car", "--noise-seed", "1")
    drawn = translate(model, folder / "visible", tmp_path / "out", *options)
    assert list(drawn) == ["000001.png"]  # which lists a tram and shows none
    skipped = json.loads((tmp_path / "out" / "translate.json").read_text())["skipped"]
    assert "shows a tram, of which the model has no layer; it has background, car, person" in skipped[0][1]
    for path in (folder / "masks").iterdir():
        path.unlink()
    assert "no mask of input 000000" in refused(model, folder / "visible", tmp_path / "none", *options)
