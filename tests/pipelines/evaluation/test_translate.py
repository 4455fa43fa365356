"""`gis translate`: tensors and images in, the network's own images out."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from gan.backends import pix2pix, pix2pix_mrff
from gan.data.layout import Sample, depth_to_inverse, encode_sample
from gan.errors import DataError, MetricError, ServingError
from gan.storage.model_file import read_model_file, write_model_file
from pipelines.errors import ConfigError, OutputError
from pipelines.translation.config import TranslateConfig
from pipelines.translation.translate import encode_image, find_inputs, translate, translate_folder


def _sample(index: int, size: int = 32) -> Sample:
    rng = np.random.default_rng(index)
    label = cv2.resize(rng.integers(0, 255, (4, 4, 3), dtype=np.uint8), (size, size))
    depth = np.linspace(60, 3, size, dtype=np.float32)[:, None].repeat(size, 1)
    return Sample(index, label, (label[..., 0] // 70).astype(np.uint8), depth_to_inverse(depth))


def _model(path: Path, channels: int) -> Path:
    torch.manual_seed(0)
    config = pix2pix.Config(in_channels=channels, ngf=4, levels=3)
    write_model_file(path, "pix2pix", config, pix2pix.build_translator(config).state_dict(), {})
    return path


@pytest.fixture
def tensors(tmp_path: Path) -> Path:
    """Three loose samples and two in a shard."""
    folder = tmp_path / "data" / "tensors"
    folder.mkdir(parents=True)
    for index in range(3):
        (folder / f"{index:06d}.safetensors").write_bytes(encode_sample(_sample(index)))
    with tarfile.open(folder / "shard-000.tar", "w") as archive:
        for index in (3, 4):
            data = encode_sample(_sample(index))
            entry = tarfile.TarInfo(f"{index:06d}.safetensors")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return tmp_path / "data"


def _plain(model: Path, source: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return read_model_file(model).build()(torch.from_numpy(source[None])).numpy()[0, 0]


def test_tensors_become_the_network_s_images(tensors: Path, tmp_path: Path) -> None:
    model = _model(tmp_path / "model.safetensors", 7)
    options = {"bits": 16, "engine": "torch", "device": "cpu", "threads": 1}
    done = translate(str(model), tensors, str(tmp_path / "out"), **options)
    assert (done.images, done.bits, done.engine, done.precision) == (5, 16, "torch", "fp32")
    written = json.loads((tmp_path / "out" / "translate.json").read_text())
    assert written == {"schema": "gis-translate", "version": 1, "images": 5, "bits": 16, "engine": "torch",
                       "precision": "fp32", "weights": "model.safetensors", "weights_sha256": done.weights_sha256,
                       "mean_error_to_fp32": 0.0, "noise_seed": None, "postprocess": "none"}  # fmt: skip
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [*(f"{index:06d}.png" for index in range(5)), "translate.json"]
    for index in range(5):
        image = cv2.imread(str(tmp_path / "out" / f"{index:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert image.dtype == np.uint16
        wanted = _plain(model, _sample(index).source())
        np.testing.assert_allclose(image / 65535 * 2 - 1, wanted, atol=1e-4)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    translate(model, tensors, tmp_path / "out", **options)
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_int8_is_calibrated_on_the_inputs(tensors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIS_CACHE", str(tmp_path / "cache"))
    model = _model(tmp_path / "model.safetensors", 7)
    config = TranslateConfig(model, tensors, tmp_path / "out", precision="int8", device="cpu", threads=1)
    about = translate_folder(config)
    assert about.precision == "int8"
    assert 0 < about.mean_error_to_fp32 <= 1 / 255
    image = cv2.imread(str(tmp_path / "out" / "000002.png"), cv2.IMREAD_UNCHANGED)
    assert np.abs(image / 255 * 2 - 1 - _plain(model, _sample(2).source())).mean() / 2 < 2 / 255


def test_images_for_a_model_of_colour(tmp_path: Path) -> None:
    model = _model(tmp_path / "model.safetensors", 3)
    (tmp_path / "in").mkdir()
    colour = _sample(0).label_image
    cv2.imwrite(str(tmp_path / "in" / "a.png"), colour[..., ::-1])
    cv2.imwrite(str(tmp_path / "in" / "b.png"), colour[..., 0])  # grey is repeated
    translate_folder(TranslateConfig(model, tmp_path / "in", tmp_path / "out", engine="torch", device="cpu"))
    for name, pixels in (("a", colour), ("b", colour[..., :1].repeat(3, axis=2))):
        image = cv2.imread(str(tmp_path / "out" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        wanted = _plain(model, (pixels.transpose(2, 0, 1) / 127.5 - 1).astype(np.float32))
        np.testing.assert_allclose(image / 255 * 2 - 1, wanted, atol=1.01 / 255)


def test_png_keeps_every_level() -> None:
    levels = np.linspace(-1, 1, 65536, dtype=np.float32).reshape(256, 256)
    decoded = cv2.imdecode(np.frombuffer(encode_image(levels, 16), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded.ravel(), np.arange(65536))
    eight = cv2.imdecode(np.frombuffer(encode_image(np.array([[-2, -1, 0, 1, 2]], np.float32)), np.uint8), 0)
    np.testing.assert_array_equal(eight, [[0, 0, 128, 255, 255]])


def test_bad_inputs(tensors: Path, tmp_path: Path) -> None:
    model = _model(tmp_path / "model.safetensors", 7)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="neither tensors"):
        find_inputs(tmp_path / "empty")
    with pytest.raises(DataError, match="no folder"):
        find_inputs(tmp_path / "none")
    (tensors / "tensors" / "000003.safetensors").write_bytes(encode_sample(_sample(3)))
    with pytest.raises(DataError, match="two samples are named '000003'"):
        find_inputs(tensors)
    (tensors / "tensors" / "000003.safetensors").unlink()
    (tensors / "tensors" / "000001.safetensors").write_bytes(b"short")
    lines: list[str] = []
    config = TranslateConfig(model, tensors, tmp_path / "out", engine="torch", device="cpu")
    done = translate_folder(config, report=lines.append)
    assert [name for name, _ in done.skipped] == ["000001"]
    assert "000001.safetensors" in lines[1]
    assert json.loads((tmp_path / "out" / "translate.json").read_text())["skipped"][0][0] == "000001"
    assert len(list((tmp_path / "out").glob("*.png"))) == done.images > 0
    assert not (tmp_path / "out" / "000001.png").exists()
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), np.zeros((32, 32), np.uint8))
    with pytest.raises(DataError, match="a has 1 channels, the model takes 7"):
        translate_folder(TranslateConfig(model, tmp_path / "in", tmp_path / "out", engine="torch", device="cpu"))


def test_a_place_that_cannot_be_written(tensors: Path, tmp_path: Path) -> None:
    model = _model(tmp_path / "model.safetensors", 7)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        translate_folder(TranslateConfig(model, tensors, tmp_path / "file" / "out", engine="torch", device="cpu"))


# --- post-processing and attention maps ------------------------------------------------------------------------------


def _quick(model: Path, tensors: Path, out: Path, **more: object) -> TranslateConfig:
    return TranslateConfig(model, tensors, out, engine="torch", device="cpu", threads=1, **more)  # type: ignore[arg-type]


def test_gaussian_smooths_what_the_network_gives(tensors: Path, tmp_path: Path) -> None:
    model = _model(tmp_path / "model.safetensors", 7)
    about = translate_folder(_quick(model, tensors, tmp_path / "out", bits=16, postprocess="gaussian"))
    assert about.postprocess == "gaussian"
    image = cv2.imread(str(tmp_path / "out" / "000001.png"), cv2.IMREAD_UNCHANGED)
    padded = np.pad(_plain(model, _sample(1).source()), 1, mode="symmetric")
    wanted = sum(
        weight * padded[1 + dy : 33 + dy, 1 + dx : 33 + dx]
        for dy, row in zip((-1, 0, 1), ((1, 2, 1), (2, 4, 2), (1, 2, 1)), strict=True)
        for dx, weight in zip((-1, 0, 1), row, strict=True)
    )
    np.testing.assert_allclose(image / 65535 * 2 - 1, wanted / 16, atol=1e-4)


def test_style_of_a_reference(tensors: Path, tmp_path: Path, shared_data: Path) -> None:
    model = _model(tmp_path / "model.safetensors", 7)
    for path in (tensors / "tensors").glob("*.tar"):
        path.unlink()
    reference = tmp_path / "reference.png"
    cv2.imwrite(str(reference), np.random.default_rng(0).integers(0, 256, (40, 48), dtype=np.uint8))
    options = {"reference": reference, "style_steps": 3, "weights_dir": shared_data / "weights"}
    about = translate_folder(_quick(model, tensors, tmp_path / "a", postprocess="style", **options))
    translate_folder(_quick(model, tensors, tmp_path / "b", postprocess="style", **options))
    assert about.style is not None
    assert (about.style.reference["name"], about.style.steps) == ("reference.png", 3)
    images = [cv2.imread(str(tmp_path / run / "000001.png"), cv2.IMREAD_UNCHANGED) for run in "ab"]
    np.testing.assert_array_equal(*images)
    assert np.abs(images[0] / 255 * 2 - 1 - _plain(model, _sample(1).source())).max() > 2 / 255


@pytest.mark.parametrize("options", [{"postprocess": "style"}, {"reference": Path("a.png")}])
def test_style_and_reference_go_together(options: dict[str, object], tensors: Path, tmp_path: Path) -> None:
    model = _model(tmp_path / "model.safetensors", 7)
    with pytest.raises(ConfigError, match="--reference"):
        translate_folder(_quick(model, tensors, tmp_path / "out", **options))
    assert not (tmp_path / "out").exists()


def test_style_says_where_weights_are_missing(tensors: Path, tmp_path: Path) -> None:
    model = _model(tmp_path / "model.safetensors", 7)
    cv2.imwrite(str(tmp_path / "reference.png"), np.zeros((40, 40), np.uint8))
    options = {"postprocess": "style", "reference": tmp_path / "reference.png", "weights_dir": tmp_path}
    with pytest.raises(MetricError, match="vgg16_features"):
        translate_folder(_quick(model, tensors, tmp_path / "out", **options))


def test_attention_maps_are_written(tensors: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = pix2pix_mrff.Config(ngf=4, levels=3)
    network = pix2pix_mrff.build_translator(config).eval()
    model = tmp_path / "model.safetensors"
    write_model_file(model, "pix2pix_mrff", config, network.state_dict(), {})
    translate_folder(_quick(model, tensors, tmp_path / "out", attention=tmp_path / "maps"))
    names = sorted(path.name for path in (tmp_path / "maps").iterdir())
    assert names == [f"{index:06d}_{field}.png" for index in range(5) for field in (1, 2, 3)]
    with torch.no_grad():
        wanted = read_model_file(model).build().attention_maps(torch.from_numpy(_sample(2).source()[None]))[0].numpy()
    maps = [cv2.imread(str(tmp_path / "maps" / f"000002_{field}.png"), cv2.IMREAD_UNCHANGED) for field in (1, 2, 3)]
    np.testing.assert_allclose(np.stack(maps) / 255, wanted, atol=0.51 / 255)
    np.testing.assert_allclose(np.sum(maps, axis=0, dtype=np.int64), 255, atol=1.6)


def test_a_model_without_attention_maps(tensors: Path, tmp_path: Path) -> None:
    model = _model(tmp_path / "model.safetensors", 7)
    with pytest.raises(ServingError, match="no attention maps"):
        translate_folder(_quick(model, tensors, tmp_path / "out", attention=tmp_path / "maps"))
