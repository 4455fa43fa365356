"""Each command over a folder that holds every kind of bad file: it goes on to the end and names each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from bad_pictures import HUGE, by_pillow, by_tifffile, huge_png
from fake_renderer import FakeScene
from flir_files import flir_jpeg, street_counts

from gan.backends import pix2pix
from gan.data.options import DataOptions
from gan.data.training_data import open_data
from gan.errors import ItemError
from gan.storage.model_file import write_model_file
from pipelines.backgrounds.ingest.run import IngestConfig, ingest
from pipelines.comparison.samples import open_test_set
from pipelines.dataset.validation import validate
from pipelines.errors import DatasetError
from pipelines.evaluation.config import EvaluateConfig
from pipelines.evaluation.evaluate import evaluate_folders
from pipelines.export.tiff import export_tiff
from pipelines.fitting.inputs import scan_frames
from pipelines.io.exr import encode_exr, read_exr
from pipelines.registration.align import AlignConfig, align
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.frame_maker import read_inputs
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.translation.config import TranslateConfig
from pipelines.translation.translate import translate_folder
from renderer.geometry.camera import Camera

GOOD = 18
_HOLE = np.dstack([np.zeros((64, 64, 3), np.uint8), np.arange(4096).reshape(64, 64).astype(np.uint8)])
BAD = {
    **{f"huge {suffix}.{suffix}": make() for suffix, make in HUGE.items()},
    "empty.png": b"",
    "text.jpg": b"not a picture",
    "half.png": by_pillow(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8), "PNG")[:-999],
    "cut.jpg": by_pillow(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8), "JPEG")[:-999],
    "deflate.tif": by_tifffile(np.zeros((64, 64), np.uint8), compression="zlib")[:-4],
    "gif.bmp": by_pillow(np.zeros((64, 64), np.uint8), "GIF"),
}
PASSED_OVER = ("._good 00.png", ".DS_Store", "Thumbs.db", "desktop.ini")


def picture(number: int, colour: bool) -> bytes:
    shape = (64, 64, 3) if colour else (64, 64)
    image = cv2.GaussianBlur(np.random.default_rng(number).integers(0, 255, shape, dtype=np.uint8), (0, 0), 3)
    return by_pillow(cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX), "PNG")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bad")
    for side, colour in (("visible", True), ("infrared", False)):
        place = root / side
        place.mkdir()
        for number in range(GOOD):
            (place / f"good {number:02d}.png").write_bytes(picture(number, colour))
        for name, data in BAD.items():
            (place / name).write_bytes(data)
        for name in PASSED_OVER:
            (place / name).write_bytes(b"\x00\x05\x16\x07" + bytes(60))
        (place / "folder.png").mkdir()
        (place / "dead.png").symlink_to(root / "nowhere")
        os.mkfifo(place / "pipe.png")
    return root


def all_named(told: list[str], but: str = "") -> None:
    """Every bad file once, none of the others, each in one line."""
    text = "\n".join(told)
    for name in BAD:
        if but and name.endswith(but):
            continue
        assert sum(name.rpartition(".")[0] in line for line in told) >= 1, (name, text)
    assert "good" not in text
    for name in (*PASSED_OVER, "folder.png", "dead.png", "pipe.png"):
        assert name not in text


def test_train_and_compare(folder: Path, tmp_path: Path) -> None:
    data = open_data(folder, DataOptions(), tmp_path)
    assert len(data.samples.names) == GOOD
    all_named([f"{name}: {reason}" for name, reason in data.skipped])
    held_back, _ = open_test_set(folder, DataOptions(), tmp_path)
    assert held_back.names


def test_translate(folder: Path, tmp_path: Path) -> None:
    config = pix2pix.Config(in_channels=3, ngf=4, levels=3)
    model = tmp_path / "model.safetensors"
    write_model_file(model, "pix2pix", config, pix2pix.build_translator(config).state_dict(), {})
    mixed = tmp_path / "in"
    shutil.copytree(folder / "visible", mixed, symlinks=True, ignore=shutil.ignore_patterns("pipe.png"))
    (mixed / "hole.png").write_bytes(by_pillow(_HOLE, "PNG"))
    (mixed / "opaque.png").write_bytes(by_pillow(np.dstack([_HOLE[..., :3], np.full((64, 64), 255, np.uint8)]), "PNG"))
    lines: list[str] = []
    done = translate_folder(
        TranslateConfig(model, mixed, tmp_path / "out", engine="torch", device="cpu"), report=lines.append
    )
    assert done.images == GOOD + 1 == len(list((tmp_path / "out").glob("*.png")))
    all_named(lines)
    assert any("hole.png" in line and "is in part transparent" in line for line in lines)


def test_evaluate(folder: Path, tmp_path: Path) -> None:
    config = EvaluateConfig(folder / "infrared", folder / "infrared", tmp_path / "out", lpips=(), features=())
    result = evaluate_folders(config)
    assert len(result.rows) == GOOD
    all_named(list(result.skipped.values()))
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["skipped"] == result.skipped


@pytest.mark.parametrize("per_frame", [False, True])
def test_align(folder: Path, tmp_path: Path, per_frame: bool) -> None:
    lines: list[str] = []
    done = align(
        AlignConfig(folder / "visible", folder / "infrared", tmp_path / "out", "similarity", per_frame), lines.append
    )
    assert done.frames == GOOD
    all_named(lines)
    assert len(list((tmp_path / "out" / "visible").iterdir())) == GOOD


def test_fit(folder: Path, tmp_path: Path) -> None:
    rows = {path.name: {"boxes": [{"cls": "car", "xyxy": [2, 2, 60, 60]}]} for path in (folder / "infrared").iterdir()}
    (tmp_path / "boxes.json").write_text(json.dumps(rows))
    lines: list[str] = []
    camera = Camera("a", 64, 64, 80.0, 80.0, 32.0, 32.0)
    assert len(scan_frames(folder / "infrared", tmp_path / "boxes.json", camera, lines.append)) == GOOD
    all_named(lines, ".npy")


def test_backgrounds_and_synthesize(folder: Path, tmp_path: Path) -> None:
    index = ingest(IngestConfig(folder / "infrared", tmp_path / "out", workers=1))
    assert index["counts"]["display-only"] == GOOD
    all_named([f"{entry['source']}: {entry['reason']}" for entry in index["files"] if entry["reason"]])
    lines: list[str] = []
    config = SynthesizeConfig(out=tmp_path / "set", backgrounds=folder / "infrared", model="physics", count=1)
    assert len(read_inputs(config, lines.append).backgrounds.files) == GOOD
    all_named([line for line in lines if "give their boxes" not in line], ".npy")


def test_half_of_a_folder_is_no_accident(folder: Path, tmp_path: Path) -> None:
    for side in ("visible", "infrared"):
        (tmp_path / side).mkdir()
        for name in [*BAD, *(f"good {number:02d}.png" for number in range(len(BAD)))]:
            shutil.copy(folder / side / name, tmp_path / side / name)
    said = f"{len(BAD)} of {2 * len(BAD)} cannot be used, the first: "
    with pytest.raises(ItemError, match=said):
        open_data(tmp_path, DataOptions(), tmp_path / "cache")
    with pytest.raises(ItemError, match=said):
        evaluate_folders(EvaluateConfig(tmp_path / "infrared", tmp_path / "infrared", None, lpips=(), features=()))
    with pytest.raises(ItemError, match=said):
        align(AlignConfig(tmp_path / "visible", tmp_path / "infrared", tmp_path / "out", frames=99))


def huge_exr() -> bytes:
    data = bytearray(encode_exr({"Z": np.zeros((32, 32), np.float32)}))
    at = data.index(b"dataWindow\0box2i\0") + len(b"dataWindow\0box2i\0") + 4
    data[at : at + 16] = np.array([0, 0, 31999, 31999], "<i4").tobytes()
    return bytes(data)


def test_validate(tmp_path: Path) -> None:
    config = SynthesizeConfig(out=tmp_path / "out", count=2, seed=3, workers=1, model="physics")
    out = synthesize_dataset(config, session_factory=FakeScene())
    assert not validate(out).problems
    (out / "masks" / "000000.png").write_bytes(huge_png())
    (out / "depth" / "000000.exr").write_bytes(huge_exr())
    (out / "zones" / "000001.png").unlink()
    os.mkfifo(out / "zones" / "000001.png")
    problems = "\n".join(validate(out).problems)
    for said in ("masks/000000.png: PNG cannot be decoded: is 32000x32000", "exr: cannot be read: is 32000x32000",
                 "zones/000001.png: is missing"):  # fmt: skip
        assert said in problems
    with pytest.raises(DatasetError, match="megapixels"):
        read_exr(out / "depth" / "000000.exr")


def test_export(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"{number}.jpg").write_bytes(flir_jpeg(street_counts() + 9 * number))
    ingest(IngestConfig(tmp_path / "in", tmp_path / "set", workers=1))
    first, *_ = sorted((tmp_path / "set" / "frames").glob("*.png"))
    first.write_bytes(huge_png())
    about = export_tiff(tmp_path / "set", tmp_path / "out")
    assert len(about["frames"]) == 2
    assert "megapixels" in about["skipped"][first.stem]


@pytest.mark.slow
def test_memory_of_each_command_stays_small(folder: Path, tmp_path: Path) -> None:
    """As a process of its own, by the system's measure: less than a gigabyte, libraries included."""
    code = (
        "import atexit, re, sys; from pathlib import Path\n"
        "def tell():\n"
        "    peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())\n"
        "    print('PEAK', int(peak[1]) >> 10)\n"
        "atexit.register(tell); from pipelines.cli.main import main; main()\n"
    )
    visible, infrared, out = str(folder / "visible"), str(folder / "infrared"), str(tmp_path)
    small = ["--set", "ngf=4", "--set", "ndf=4", "--epochs", "1", "--validation", "0"]
    commands = {
        "align": ["--visible", visible, "--infrared", infrared, "--out", f"{out}/align"],
        "evaluate": ["--real", infrared, "--generated", infrared, "--lpips", "none", "--features", "none"],
        "backgrounds": [infrared, "--workers", "1", "--out", f"{out}/backgrounds"],
        "train": ["--data", str(folder), *small, "--out", f"{out}/train"],
        "translate": ["--weights", f"{out}/train/model.safetensors", "--input", visible, "--engine", "torch",
                      "--out", f"{out}/translate"],
    }  # fmt: skip
    commands["evaluate"] += ["--out", f"{out}/evaluate"]
    for name, options in commands.items():
        done = subprocess.run(
            [sys.executable, "-c", code, name, *options], capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert int(done.stdout.rpartition("PEAK")[2]) < 1000, (name, done.stdout)
