"""Each kind of damage to a data set is found, and named by its file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.dataset.validation import validate
from pipelines.errors import DatasetError
from pipelines.io.exr import read_exr, write_exr
from pipelines.io.files import file_sha256
from pipelines.io.images import encode_png, read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.passes import render


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "out"
    return synthesize_dataset(
        SynthesizeConfig(out=out, count=4, seed=3, workers=1, tensors=True, model="physics"),
        session_factory=FakeScene(),
    )


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def edit_line(folder: Path, index: int, change: Callable[[dict], None]) -> None:
    log = folder / "frames.jsonl"
    lines = log.read_text().splitlines()
    record = json.loads(lines[index])
    change(record)
    lines[index] = json.dumps(record)
    log.write_text("\n".join(lines) + "\n")


def first_labelled(record: dict) -> dict:
    return next(entry for entry in record["instances"] if entry["labelled"])


def flip_byte(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)


def replace_with_hash(folder: Path, index: int, name: str) -> None:
    """The file was exchanged, and its hash with it: only its content can tell."""
    edit_line(folder, index, lambda record: record["files"].__setitem__(name, file_sha256(folder / name)))


def erase_object(folder: Path) -> None:
    path = folder / "masks" / "000001.png"
    mask = read_png(path)
    mask[mask == mask.max()] = 0
    path.write_bytes(encode_png(mask))
    replace_with_hash(folder, 1, "masks/000001.png")


def add_object(folder: Path) -> None:
    path = folder / "masks" / "000001.png"
    mask = read_png(path)
    mask[:3, :9] = 77
    path.write_bytes(encode_png(mask))
    replace_with_hash(folder, 1, "masks/000001.png")


def shrink_image(folder: Path) -> None:
    path = folder / "images" / "000002.png"
    path.write_bytes(encode_png(read_png(path)[:-1]))
    replace_with_hash(folder, 2, "images/000002.png")


def spoil_depth(folder: Path) -> None:
    path = folder / "depth" / "000002.exr"
    depth = read_exr(path)["Z"]
    depth[5, 5] = np.nan
    write_exr(path, {"Z": depth})
    replace_with_hash(folder, 2, "depth/000002.exr")


def edit_row(folder: Path, name: str) -> None:
    path = folder / name
    path.write_text(path.read_text().replace(" 0.", " 0.9", 1))
    replace_with_hash(folder, int(path.stem), name)


def edit_coco(folder: Path, change: Callable[[dict], None]) -> None:
    path = folder / "annotations" / "coco.json"
    coco = json.loads(path.read_text())
    change(coco)
    path.write_text(json.dumps(coco))


def grow_box(record: dict) -> None:
    first_labelled(record)["box_visible_px"][2] += 1


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda f: flip_byte(f, "images/000001.png"), "images/000001.png: is not the file that was written"),
    (lambda f: flip_byte(f, "depth/000003.exr"), "depth/000003.exr: is not the file that was written"),
    (lambda f: flip_byte(f, "tensors/shard-000000.tar"), "tensors/shard-000000.tar: is not the file"),
    (lambda f: (f / "zones" / "000000.png").unlink(), "zones/000000.png: is missing"),
    (lambda f: (f / "annotations" / "coco.json").unlink(), "annotations/coco.json: is missing"),
    (lambda f: (f / "images" / "extra.png").write_bytes(b""), "images/extra.png: does not belong"),
    (erase_object, "masks/000001.png: id"),
    (add_object, "masks/000001.png: holds id 77, which has no label"),
    (shrink_image, "images/000002.png: is uint8 (63, 96): expected uint8 (64, 96)"),
    (spoil_depth, "depth/000002.exr: holds NaN"),
    (lambda f: edit_row(f, "annotations/kitti/000001.txt"), "annotations/kitti/000001.txt: row 1"),
    (lambda f: edit_row(f, "annotations/yolo/000001.txt"), "annotations/yolo/000001.txt: row 1"),
    (lambda f: edit_line(f, 1, grow_box), "its visible box is"),
    (lambda f: edit_line(f, 1, lambda r: first_labelled(r).update(visible_px=1)), "visible_px is 1"),
    (lambda f: edit_line(f, 1, lambda r: first_labelled(r).update(rle="1")), "run-length code"),
    (lambda f: edit_line(f, 1, lambda r: first_labelled(r).update(amodal_px=1)), "amodal_px is 1"),
    (lambda f: edit_line(f, 1, lambda r: first_labelled(r).pop("box_3d")), "line 2: instances[0].box_3d is missing"),
    (lambda f: edit_line(f, 2, lambda r: r.update(index=5)), "line 3: expected the record of frame 2"),
    (lambda f: edit_line(f, 2, lambda r: r["files"].pop("masks/000002.png")), "does not name masks/000002.png"),
    (lambda f: (f / "frames.jsonl").write_bytes((f / "frames.jsonl").read_bytes()[:-9]), "last line is cut off"),
    (lambda f: edit_coco(f, lambda c: c["annotations"].pop()), "annotations, "),
    (lambda f: edit_coco(f, lambda c: c["annotations"][0].update(bbox=[0, 0, 1, 1])), "annotation 1: bbox"),
    (lambda f: edit_coco(f, lambda c: c["images"].pop()), "has 3 images, expected 4"),
    (lambda f: (f / "annotations" / "yolo" / "classes.txt").write_text("van\n"), "classes.txt: names"),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGES, ids=[said[:40] for _, said in DAMAGES])
def test_damage_is_found_and_named(copy: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(copy)
    problems = validate(copy).problems
    assert any(said in problem for problem in problems), problems
    assert all("\n" not in problem for problem in problems)


def test_an_unfinished_run_is_no_data_set(copy: Path) -> None:
    about = json.loads((copy / "dataset.json").read_text())
    (copy / "dataset.json").write_text(json.dumps({**about, "complete": False}))
    assert any("not complete" in problem for problem in validate(copy).problems)


def test_passes_are_checked_too(tmp_path: Path) -> None:
    folder = render(RenderConfig(out=tmp_path / "out", count=3, workers=1), session_factory=FakeScene())
    assert validate(folder).problems == []
    write_exr(folder / "passes" / "000001.exr", {"Z": np.ones((4, 4))})
    replace_with_hash(folder, 1, "passes/000001.exr")
    problems = validate(folder).problems
    assert any("has channels ['Z']" in problem for problem in problems)
    assert any("is not 96x64" in problem for problem in problems)


@pytest.mark.parametrize("content", [None, "{}", "nothing"])
def test_other_folders_are_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(DatasetError, match=str(tmp_path)):
        validate(tmp_path)
