"""Several models measured alike: who fails leaves the others, who was done is not trained again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors.numpy import load_file

from gan.data.options import DataOptions
from gan.errors import ConfigError as BackendConfigError
from pipelines.comparison.plan import CompareConfig, parse_also, parse_backends
from pipelines.comparison.report import chosen_names
from pipelines.comparison.run import compare
from pipelines.comparison.samples import grey_copy, read_objects, resized_box
from pipelines.errors import ConfigError

SMALL = ("ngf=4", "ndf=4")


def _data(folder: Path, count: int) -> Path:
    for kind in ("visible", "infrared"):
        (folder / kind).mkdir(parents=True)
    for index in range(count):
        image = np.random.default_rng([3, index]).integers(0, 256, (8, 8, 3)).astype(np.uint8)
        visible = cv2.resize(image, (64, 64), interpolation=cv2.INTER_CUBIC)
        assert cv2.imwrite(str(folder / "visible" / f"s{index}.png"), visible)
        assert cv2.imwrite(str(folder / "infrared" / f"s{index}.png"), 255 - visible[..., 1])
    return folder


def test_specs_keep_their_options_together() -> None:
    found = parse_backends("pix2pix, cyclegan:pairing=paired,emsn=joint,thermalnet", SMALL)
    assert [one.backend for one in found] == ["pix2pix", "cyclegan", "thermalnet"]
    assert found[1].settings == {"ngf": 4, "ndf": 4, "pairing": "paired", "emsn": "joint"}
    assert found[2].settings == {}
    assert found[1].folder == "cyclegan-pairing-paired-emsn-joint"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected names"),
        ("nope", "unknown backend"),
        ("pix2pix:a=1", "unknown option"),
        ("pix2pix,pix2pix", "twice"),
    ],
)
def test_bad_specs_say_so(text: str, message: str) -> None:
    with pytest.raises((ConfigError, BackendConfigError), match=message):
        parse_backends(text)


def test_also_needs_a_name_and_a_folder(tmp_path: Path) -> None:
    assert parse_also([f"night={tmp_path}"]) == {"night": tmp_path}
    for text in (str(tmp_path), f"test={tmp_path}", "night=missing"):
        with pytest.raises(ConfigError, match="--also"):
            parse_also([text])


def test_boxes_follow_the_centred_crop(tmp_path: Path) -> None:
    # 400x200 to 100: the middle 200x200, halved.
    assert resized_box((100, 0, 300, 200), 400, 200, 100) == (0, 0, 100, 100)
    path = tmp_path / "boxes.json"
    path.write_text("[]")
    with pytest.raises(ConfigError, match="COCO"):
        read_objects(path, None)


def test_grey_copy_is_luma() -> None:
    source = np.array([1.0, 0.0, -1.0], dtype=np.float32).reshape(3, 1, 1)
    assert grey_copy(source)[0, 0] == pytest.approx(0.299 - 0.114)


def test_shown_images_are_spread() -> None:
    assert chosen_names(list("abcde"), 3) == ["a", "c", "e"]


def test_a_failure_leaves_the_others_and_the_rest_is_resumed(tmp_path: Path) -> None:
    data, other = _data(tmp_path / "data", 5), _data(tmp_path / "other", 2)
    (tmp_path / "test.txt").write_text("s1\ns3\n")
    options = DataOptions(validation_list=str(tmp_path / "test.txt"))
    # 9 levels do not fit into 64 px: the worker fails, the comparison does not.
    contestants = parse_backends("pix2pix:levels=9,thermalnet:features=4")
    config = CompareConfig(
        data=data, out=tmp_path / "out", contestants=contestants, epochs=1, data_options=options, also={"other": other}
    )
    failed, done = compare(config).rows[1:]
    assert failed.error
    assert not failed.means
    assert not done.error
    assert set(done.means) == {"test", "other"}
    assert done.cost["parameters"] > 0
    assert done.cost["flops"] > 0
    content = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert [row["name"] for row in content["rows"]] == ["grey copy", "pix2pix:levels=9", "thermalnet:features=4"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("data:image/jpeg") == 2 * 4 + 2 * 4  # source, real, grey copy and one model, for two pairs each
    model = tmp_path / "out" / "runs" / contestants[1].folder / "train" / "model.safetensors"
    before = model.stat().st_mtime_ns
    said: list[str] = []
    again = CompareConfig(**{**config.__dict__, "contestants": contestants[1:]})
    assert compare(again, say=said.append).rows[1].means == done.means
    assert model.stat().st_mtime_ns == before
    assert "done before" in said[0]
    with pytest.raises(ConfigError, match="batch"):
        compare(CompareConfig(**{**config.__dict__, "batch": 2}))


def test_the_grey_copy_is_measured_by_hand(tmp_path: Path) -> None:
    data = _data(tmp_path / "data", 5)
    options = DataOptions(validation=0.4)
    config = CompareConfig(data=data, out=tmp_path / "out", contestants=(), data_options=options)
    result = compare(config)
    errors = []
    for name in result.sets["test"]:
        grey = cv2.imread(str(data / "visible" / f"{name}.png"), cv2.IMREAD_GRAYSCALE) / 255.0
        real = cv2.imread(str(data / "infrared" / f"{name}.png"), cv2.IMREAD_GRAYSCALE) / 255.0
        errors.append(np.mean((grey - real) ** 2))
    assert result.rows[0].means["test"]["mse"]["mean"] == pytest.approx(np.mean(errors), rel=0.01)


@pytest.mark.slow
def test_a_killed_comparison_goes_on_to_the_same_model(tmp_path: Path) -> None:
    data = _data(tmp_path / "data", 6)
    script = tmp_path / "go.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from gan.data.options import DataOptions\n"
        "from pipelines.comparison.plan import CompareConfig, parse_backends\n"
        "from pipelines.comparison.run import compare\n"
        "compare(CompareConfig(data=Path(sys.argv[1]), out=Path(sys.argv[2]), epochs=int(sys.argv[3]),\n"
        "    contestants=parse_backends('pix2pix', ('ngf=4', 'ndf=4')), checkpoint_minutes=0.0,\n"
        "    data_options=DataOptions(validation=0.3)))\n"
    )

    def command(out: Path) -> list[str]:
        return [sys.executable, str(script), str(data), str(out), "60"]

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    subprocess.run(command(whole), check=True)
    process = subprocess.Popen(command(cut))
    checkpoints = cut / "runs" / "pix2pix" / "train" / "checkpoints"
    until = time.monotonic() + 120
    while not (checkpoints.is_dir() and any(checkpoints.glob("step-*.safetensors"))):
        assert time.monotonic() < until
        time.sleep(0.01)
    process.kill()
    process.wait()
    time.sleep(2)  # the worker notices within half a second
    unfinished = cut / "runs" / "pix2pix" / "train" / "model.safetensors"
    assert not unfinished.exists()
    subprocess.run(command(cut), check=True)
    models = [load_file(out / "runs" / "pix2pix" / "train" / "model.safetensors") for out in (whole, cut)]
    assert models[0].keys() == models[1].keys()
    for name, weight in models[0].items():
        np.testing.assert_array_equal(weight, models[1][name])
