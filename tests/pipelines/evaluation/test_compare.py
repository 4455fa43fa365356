"""Several models measured alike: who fails leaves the others, who was done is not trained again."""

from __future__ import annotations

import dataclasses
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
from pipelines.comparison.plan import CompareConfig, split_models
from pipelines.comparison.report import chosen_names
from pipelines.comparison.run import compare, run_comparison
from pipelines.comparison.samples import grey_copy, read_objects, resized_box
from pipelines.errors import ConfigError

SMALL = {"ngf": 4, "ndf": 4}


def _data(folder: Path, count: int) -> Path:
    for kind in ("visible", "infrared"):
        (folder / kind).mkdir(parents=True)
    for index in range(count):
        image = np.random.default_rng([3, index]).integers(0, 256, (8, 8, 3)).astype(np.uint8)
        visible = cv2.resize(image, (64, 64), interpolation=cv2.INTER_CUBIC)
        assert cv2.imwrite(str(folder / "visible" / f"s{index}.png"), visible)
        assert cv2.imwrite(str(folder / "infrared" / f"s{index}.png"), 255 - visible[..., 1])
    return folder


def test_models_keep_their_options_together(tmp_path: Path) -> None:
    models = split_models("pix2pix, cyclegan:pairing=paired,emsn=joint,thermalnet")
    found = CompareConfig(tmp_path, tmp_path / "out", models, SMALL).compared
    assert [one.model for one in found] == ["pix2pix", "cyclegan", "thermalnet"]
    assert found[1].settings == {"ngf": 4, "ndf": 4, "pairing": "paired", "emsn": "joint"}
    assert found[2].settings == {}
    assert found[1].folder == "cyclegan-pairing-paired-emsn-joint"


def test_a_model_s_own_option_goes_first_and_old_names_are_read(tmp_path: Path) -> None:
    settings = {"ngf": 4, "sampling": "paired"}
    (model,) = CompareConfig(tmp_path, tmp_path / "out", ("cyclegan:ngf=8",), settings).compared
    assert model.settings == {"ngf": 8, "pairing": "paired"}


@pytest.mark.parametrize(
    ("models", "settings", "message"),
    [
        ("", {}, "models is '': expected names"),
        ("nope", {}, "unknown backend"),
        ("pix2pix:a=1", {}, "unknown option"),
        ("pix2pix,pix2pix", {}, "twice"),
        ("pix2pix,thermalnet", {"emsn": "joint"}, "set emsn: no model of this comparison"),
    ],
)
def test_bad_models_say_so(models: str, settings: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        compare(tmp_path, models, tmp_path / "out", set=settings)
    assert not (tmp_path / "out").exists()


def test_a_test_set_needs_a_name_and_a_folder(tmp_path: Path) -> None:
    config = CompareConfig(tmp_path, tmp_path / "out", (), test_sets=(f"night={tmp_path}",))
    assert config.test_folders == {"night": tmp_path}
    for texts in ((str(tmp_path),), (f"test={tmp_path}",), ("night=missing",), (f"a={tmp_path}", f"a={tmp_path}")):
        with pytest.raises(ConfigError, match="test-sets"):
            dataclasses.replace(config, test_sets=texts)


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
    models = ["pix2pix:levels=9", "thermalnet:features=4"]
    config = CompareConfig(data, tmp_path / "out", tuple(models), epochs=1, test_sets=(f"other={other}",),
                           data_options=options)  # fmt: skip
    listed = {"epochs": 1, "validation_list": str(tmp_path / "test.txt")}
    failed, done = compare(str(data), models, str(tmp_path / "out"), test_sets={"other": other}, **listed).rows[1:]
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
    model = tmp_path / "out" / "runs" / "thermalnet-features-4" / "train" / "model.safetensors"
    before = model.stat().st_mtime_ns
    said: list[str] = []
    _use_old_names(tmp_path / "out" / "plan.json")
    assert run_comparison(dataclasses.replace(config, models=models[1:]), log=said.append).rows[1].means == done.means
    assert model.stat().st_mtime_ns == before
    assert "done before" in said[0]
    with pytest.raises(ConfigError, match="batch"):
        run_comparison(dataclasses.replace(config, batch=2))


def _use_old_names(plan: Path) -> None:
    """A plan as earlier versions wrote it."""
    text = plan.read_text()
    for old, new in (("matched", "pair_by_name"), ("inserted", "unpaired_objects")):
        assert f'"{new}"' in text
        text = text.replace(f'"{new}"', f'"{old}"')
    plan.write_text(text)


def test_the_grey_copy_is_measured_by_hand(tmp_path: Path) -> None:
    data = _data(tmp_path / "data", 5)
    options = DataOptions(validation=0.4)
    result = run_comparison(CompareConfig(data, tmp_path / "out", (), data_options=options))
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
        "import pipelines\n"
        "pipelines.compare(sys.argv[1], 'pix2pix', sys.argv[2], epochs=int(sys.argv[3]),\n"
        "    set={'ngf': 4, 'ndf': 4}, checkpoint_minutes=0.0, validation=0.3)\n"
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
