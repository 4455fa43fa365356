"""What is in the way of a measurement: bad images, odd names, another run, results that are none."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from export_sets import over_frames

from gan.errors import ItemError
from pipelines.detection import measure as module
from pipelines.detection.config import MeasureConfig
from pipelines.detection.inputs import Inputs
from pipelines.detection.labelled_images import open_labelled
from pipelines.detection.plan import Training, parse_rows
from pipelines.errors import BackgroundError, ConfigError, DatasetError
from pipelines.io.files import locked_folder

FINDS = [[10.0, 10.0, 50.0, 40.0, 0.9, 0.0]]
LOG = Callable[[str], None]


def labelled(root: Path, count: int = 8) -> Path:
    (root / "images").mkdir(parents=True)
    (root / "labels").mkdir()
    (root / "labels" / "classes.txt").write_text("car", encoding="ascii")
    for number in range(count):
        picture = np.random.default_rng(number).integers(0, 255, (64, 96)).astype(np.uint8)
        assert cv2.imwrite(str(root / "images" / f"{number}.png"), picture)
        (root / "labels" / f"{number}.txt").write_text("0 0.5 0.5 0.5 0.5", encoding="ascii")
    return root


def _spoil(images: Path) -> None:
    whole = (images / "0.png").read_bytes()
    (images / "0.png").write_bytes(whole[: len(whole) // 2])
    (images / "1.png").unlink()
    np.save(images / "1.npy", np.full((64, 96), np.inf, np.float32))
    (images / "2.png").unlink()
    os.mkfifo(images / "2.png")
    assert cv2.imwrite(str(images / "3.png"), np.zeros((2, 300), np.uint8))


def test_what_gis_itself_marks_as_not_to_count_is_no_news(tmp_path: Path) -> None:
    folder = over_frames(tmp_path, count=2)
    assert '"iscrowd": 1' in (folder / "annotations/coco.json").read_text(encoding="utf-8")
    said: list[str] = []
    open_labelled(str(folder), ("car", "person"), report=said.append)
    assert said == []


def test_images_that_cannot_be_used_are_left_out_and_told(tmp_path: Path) -> None:
    root = labelled(tmp_path / "set")
    _spoil(root / "images")
    lines: list[str] = []
    opened = open_labelled(str(root), ("car",), report=lines.append)
    assert [image.name for image in opened.images] == ["4", "5", "6", "7"]  # a pipe is no image of the folder
    told = "\n".join(lines)
    assert "3 of 7 images of set are left out:" in told
    for name, why in (("0.png", "cannot be read"), ("1.npy", "infinite"), ("3.png", "300x2 pixels")):
        assert any(name in line and why in line for line in lines), (name, told)
    (root / "images" / "4.png").write_bytes(b"no picture")
    with pytest.raises(ItemError, match="4 of 7 cannot be used"):
        open_labelled(str(root), ("car",))


def test_a_folder_with_an_equals_sign_in_its_name(tmp_path: Path) -> None:
    root = labelled(tmp_path / "lens=25mm")
    assert len(open_labelled(str(root), ("car",)).images) == 8
    assert open_labelled(str(root), ("car",)).name == "lens=25mm"


@pytest.mark.parametrize("labels", ["pipe", "none", "x" * 300, "/dev/zero", "pipe.yaml", "loop", "pictures"])
def test_labels_that_are_none_are_one_line(tmp_path: Path, labels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled(tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    for name in ("pipe", "pipe.yaml"):
        os.mkfifo(name)
    Path("loop").symlink_to("loop")
    Path("pictures").symlink_to("set/images")
    with pytest.raises((DatasetError, BackgroundError)) as caught:
        open_labelled(f"set/images={labels}", ("car",))
    assert "\n" not in str(caught.value)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the trainings that were run; each finds the same in every image."""
    names: list[str] = []

    def train(config: MeasureConfig, inputs: Inputs, waiting: list[Training], _log: LOG, _progress: bool) -> None:
        for one in waiting:
            names.append(one.name)
            found = {image.name: FINDS for image in inputs.tested_by(one)}
            module.write_json(config.out / "runs" / f"{one.name}.json", {"images": 1, "found": found})

    monkeypatch.setattr(module, "_make_views", lambda *_: None)
    monkeypatch.setattr(module, "_train", train)
    return names


def options(tmp_path: Path, name: str = "set", **more: object) -> MeasureConfig:
    root = tmp_path / name
    if not root.is_dir():
        labelled(root)
    test = tmp_path / "test"
    if not test.is_dir():
        labelled(test)
    values = {"classes": ("car",), "seeds": 1, **more}
    return MeasureConfig(train=(str(root),), test=str(test), out=tmp_path / "out", **values)  # type: ignore[arg-type]


def test_one_run_at_a_time(tmp_path: Path, trained: list[str]) -> None:
    config = options(tmp_path)
    config.out.mkdir()
    with locked_folder(config.out), pytest.raises(DatasetError, match="another run is writing"):
        module.measure_usefulness(config)
    assert not trained
    assert list(config.out.iterdir()) == []
    module.measure_usefulness(config)
    assert trained == ["set-seed0"]


RESULTS = (
    b"", b"[]", b"{}", b"[" * 5000, b'{"images": 1, "found": []}', b'{"images": 1, "found": {"0": [[1, 2]]}}',
    b'{"images": "x", "found": {}}', b'{"images": 1, "found": {"0": "abc"}}', b'{"images": 1}', b"\xff\xfe\x00",
)  # fmt: skip


def test_results_that_are_none_are_made_anew(tmp_path: Path, trained: list[str]) -> None:
    config = options(tmp_path)
    first = module.measure_usefulness(config)
    path = config.out / "runs" / "set-seed0.json"
    whole = path.read_bytes()
    module.measure_usefulness(config)
    assert len(trained) == 1
    for number, text in enumerate(RESULTS, 2):
        path.write_bytes(text)
        assert repr(module.measure_usefulness(config)) == repr(first)  # NaN where a size has no object
        assert len(trained) == number
        assert path.read_bytes() == whole


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": []}', "[" * 5000])
def test_a_plan_that_is_none_is_one_line(tmp_path: Path, trained: list[str], text: str) -> None:
    config = options(tmp_path)
    module.measure_usefulness(config)
    (config.out / "plan.json").write_text(text, encoding="ascii")
    with pytest.raises((ConfigError, DatasetError), match=r"plan\.json") as caught:
        module.measure_usefulness(config)
    assert "\n" not in str(caught.value)


def test_a_folder_holds_one_width_and_one_way_to_train(tmp_path: Path, trained: list[str]) -> None:
    """Plans of earlier versions name neither: then 400 px and frozen low layers are meant."""
    module.measure_usefulness(options(tmp_path))
    path = tmp_path / "out" / "plan.json"
    plan = json.loads(path.read_text(encoding="ascii"))
    del plan["input_width"], plan["all_layers"]
    path.write_text(json.dumps(plan), encoding="ascii")
    for other in ({"input_width": 640}, {"all_layers": True}):
        with pytest.raises(ConfigError, match=f"another {next(iter(other))}"):
            module.measure_usefulness(options(tmp_path, **other))
    module.measure_usefulness(options(tmp_path))
    assert trained == ["set-seed0"]
    with pytest.raises(ConfigError, match="give one of them"):
        options(tmp_path, all_layers=True, views=1200)


ODD = ("a|b", "<img src=x>", "a b", "*x*", "![y](http:)", "n" * 240)


@pytest.mark.parametrize("name", ODD)
def test_names_that_are_markup_or_long(tmp_path: Path, trained: list[str], name: str) -> None:
    config = options(tmp_path, name, classes=("car", "<b>|x"))
    module.measure_usefulness(config)
    report = (config.out / "report.md").read_text(encoding="utf-8")
    assert not re.search(r"(?<!\\)[<>*!]", report)
    table = [re.sub(r"\\.", "", line) for line in report.splitlines() if line.startswith("|")]
    assert len(table) == 3
    assert len({line.count("|") for line in table}) == 1
    assert len(list(config.out.glob("finds-*.png"))) == 1


def test_rows_that_a_file_cannot_be_named_after_have_files_of_their_own() -> None:
    names = ["a b", "a_b", "a?b", "x" * 300, "x" * 301]
    files = [row.file_name for row in parse_rows(names, names)]
    assert len(set(files)) == len(names)
    assert files[1] == "a_b"
    assert max(map(len, files)) <= 160


def test_every_image_of_a_row_is_on_one_sheet(tmp_path: Path, trained: list[str]) -> None:
    """Rows whose names begin alike do not mix their finds."""
    config = options(tmp_path)
    module.measure_usefulness(config)
    found = module._first_finds(config, [Training(parse_rows((), ("set",))[0], -1, 0)])
    assert {name: len(one) for name, one in found.items()} == {"set": 8}
    assert json.loads((config.out / "runs" / "set-seed0.json").read_text(encoding="ascii"))["found"] == found["set"]


def test_no_training_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training says nothing until it is done; 600 s of silence, which end other workers, are 10 000 steps."""
    root, other = labelled(tmp_path / "set"), labelled(tmp_path / "other")
    config = MeasureConfig(train=(str(root),), test=str(other), out=tmp_path / "out", workers=1)
    inputs = Inputs.open(config, lambda line: None)
    waiting = [Training(inputs.rows[0], seed=0, fold=-1)]
    seen: list[float] = []

    def spy(job: object, count: int, *, timeout_s: float = 600.0) -> None:
        seen.append(timeout_s)
        raise InterruptedError

    monkeypatch.setattr(module, "FrameWorkers", spy)
    with pytest.raises(InterruptedError):
        module._make_views(config, inputs, progress=False)
    with pytest.raises(InterruptedError):
        module._train(config, inputs, waiting, log=lambda line: None, progress=False)
    assert seen == [0.0, 0.0]
