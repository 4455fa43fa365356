"""`gis translate --temperature`: what it asks for, what it writes, what it refuses."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from gan.backends import pix2pix, thermalgan
from gan.errors import ConfigError as ModelConfigError
from gan.errors import ServingError
from gan.storage.model_file import write_model_file
from pipelines.errors import ConfigError
from pipelines.translation.temperatures import read_temperatures
from pipelines.translation.told import TemperatureWarning, contact_sheet
from pipelines.translation.translate import translate

ENTRIES = "background=270.000:280.000:290.000,car=275.000:290.000:310.000"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = thermalgan.Config(
        in_channels=3, ngf=4, levels=3, entries=ENTRIES, lowest_K=250.0, highest_K=330.0, contrast_K=20.0
    )
    path = tmp_path / "model.safetensors"
    write_model_file(path, "thermalgan", config, thermalgan.build_translator(config).state_dict(), {})
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a", "b"):
        picture = np.random.default_rng(ord(name)).integers(0, 255, (16, 24, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    return folder


def test_vectors_and_ranges() -> None:
    assert read_temperatures(("car=290, person=301.5",)) == ({"car": 290.0, "person": 301.5},)
    sweep = read_temperatures(("car=280:300:10,background=270:271:1", "car=250"))
    assert sweep == (
        *({"car": car, "background": ground} for car in (280.0, 290.0, 300.0) for ground in (270.0, 271.0)),
        {"car": 250.0},
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("car", "expected NAME=KELVIN once a name"),
        ("car=1,car=2", "once a name"),
        ("car=warm", "expected NAME=KELVIN or NAME=FIRST:LAST:STEP"),
        ("car=1:2", "FIRST:LAST:STEP"),
        ("car=nan", "FIRST:LAST:STEP"),
        ("car=300:280:10", "rising kelvin"),
        ("car=280:300:0", "rising kelvin"),
        ("car=1:300:1", "at most 64 steps"),
        ("car=280:289:1,background=280:289:1", "100 images of each input: expected at most 64"),
    ],
)
def test_what_is_no_temperature(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_temperatures((text,))


def test_one_vector_is_one_image_in_kelvin(model: Path, pictures: Path, tmp_path: Path) -> None:
    """16 bits over the span that translate.json names: what the network gives, to half a step."""
    told = {"background": 275.0, "car": 300.0}
    done = translate(
        model, pictures, tmp_path / "out", temperature=("background=275,car=300",), device="cpu", threads=1
    )
    about = json.loads((tmp_path / "out" / "translate.json").read_text())
    assert (done.images, about["bits"], about["span_K"], about["temperatures"]) == (2, 16, [250.0, 330.0], [told])
    image = cv2.imread(str(tmp_path / "out" / "a.png"), cv2.IMREAD_UNCHANGED)
    assert image.dtype == np.uint16
    assert image.shape == (16, 24)
    picture = cv2.imread(str(pictures / "a.png"))[..., ::-1].transpose(2, 0, 1) / 255 * 2 - 1
    vector = torch.tensor([[(275 - 250) / 40 - 1, (300 - 250) / 40 - 1]])
    from gan.storage.model_file import read_model_file

    with torch.no_grad():
        made = read_model_file(model).build()(torch.from_numpy(picture.astype(np.float32))[None], vector)[0, 0].numpy()
    np.testing.assert_allclose(image / 65535 * 80, (made + 1) * 40, atol=80 / 65535)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "translate.json"]


def test_a_range_is_an_image_at_each_step_and_a_sheet(model: Path, pictures: Path, tmp_path: Path) -> None:
    done = translate(model, pictures, tmp_path / "out", temperature=("car=280:300:10",), device="cpu", threads=1)
    assert done.images == 6
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == sorted([f"{name}_{end}.png" for name in "ab" for end in (1, 2, 3, "sheet")] + ["translate.json"])
    assert [one["car"] for one in done.temperatures] == [280.0, 290.0, 300.0]


def test_a_sheet_shows_the_warmer_image_brighter() -> None:
    cold, warm = np.full((20, 30), 280.0, np.float32), np.full((20, 30), 300.0, np.float32)
    sheet = contact_sheet([cold, warm], [{"car": 280.0, "background": 270.0}, {"car": 300.0, "background": 270.0}])
    below = sheet[18:38]
    cell = sheet.shape[1] // 2
    assert np.unique(below[:, :30]).tolist() == [0]
    assert np.unique(below[:, cell : cell + 30]).tolist() == [255]
    assert sheet[:16].max() > 200  # headings


def test_unknown_entries_and_temperatures_that_were_not_trained(model: Path, pictures: Path, tmp_path: Path) -> None:
    options = {"device": "cpu", "threads": 1}
    with pytest.raises(ModelConfigError, match=r"temperature of 'cow': expected one of background, car"):
        translate(model, pictures, tmp_path / "out", temperature=("cow=290",), **options)
    with pytest.warns(TemperatureWarning, match=r"car=320 K is outside .* 275.0 to 310.0 K"):
        translate(model, pictures, tmp_path / "out", temperature=("car=300:320:20",), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TemperatureWarning)
        translate(model, pictures, tmp_path / "more", temperature=("car=310",), **options)
    for name, value in (("engine", "openvino"), ("precision", "int8"), ("batch", 2), ("noise_seed", 1)):
        with pytest.raises(ConfigError, match=f"temperature and {name}"):
            translate(model, pictures, tmp_path / "x", temperature=("car=300",), **{name: value})


def test_a_model_that_is_told_nothing(pictures: Path, tmp_path: Path) -> None:
    config = pix2pix.Config(in_channels=3, ngf=4, levels=3)
    write_model_file(tmp_path / "p.safetensors", "pix2pix", config, pix2pix.build_translator(config).state_dict(), {})
    with pytest.raises(ServingError, match="is a model of pix2pix that is told none"):
        translate(tmp_path / "p.safetensors", pictures, tmp_path / "out", temperature=("car=300",), device="cpu")
