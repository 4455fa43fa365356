"""ThermalGAN: the published size of its second stage, segmentation and contrast, told temperatures."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from gan.backends import thermalgan
from gan.data.batch import Batch
from gan.data.kelvin.vector import Entry, Temperatures
from gan.data.options import DataOptions
from gan.errors import CheckpointError, ConfigError, DataError, ServingError
from gan.networks.layers import count_parameters
from gan.networks.thermal_segmentation import entry_means, entry_weights, object_means, paint
from gan.serving.temperatures import load_temperature_model
from gan.storage.container import read_container, write_container
from gan.storage.model_file import read_model_file, write_model_file
from gan.training.options import TrainOptions
from gan.training.train import train

ENTRIES = "background=270.000:280.000:290.000,car=275.000:290.000:310.000"
TOLD = {"entries": ENTRIES, "lowest_K": 250.0, "highest_K": 330.0, "contrast_K": 20.0}


def test_second_stage_has_the_published_number_of_weights() -> None:
    """66 995 841 at 4 -> 1 channels and 9 levels: the segmentation beside a colour image."""
    with torch.device("meta"):
        network = thermalgan.build_translator(thermalgan.Config(in_channels=3))
    assert count_parameters(network.contrast) == 66_995_841


def test_split_of_an_image_comes_together_exactly() -> None:
    """Against means by numpy in double precision, object by object; an image is its segmentation and what is left."""
    rng = np.random.default_rng(0)
    image, ids = rng.uniform(-1, 1, (2, 1, 16, 16)).astype(np.float32), rng.integers(0, 4, (2, 1, 16, 16))
    means = object_means(torch.from_numpy(image), torch.from_numpy(ids)).numpy()
    for picture, numbers, made in zip(image, ids, means, strict=True):
        for number in range(4):
            inside = numbers == number
            np.testing.assert_allclose(made[inside], picture[inside].astype(np.float64).mean(), rtol=0, atol=1e-7)
    config = dataclasses.replace(thermalgan.Config(), **TOLD)
    relative = (image - means) / np.float32(config.contrast_scale)
    np.testing.assert_allclose(means + np.float32(config.contrast_scale) * relative, image, rtol=0, atol=2.5e-7)


def test_one_constant_scales_the_contrast_both_ways() -> None:
    """R of 1 is ``contrast_K`` in kelvin, on an image whose numbers span 80 K."""
    config = dataclasses.replace(thermalgan.Config(), **TOLD)
    assert config.to_kelvin(config.to_unit(280.0) + config.contrast_scale) == pytest.approx(300.0)
    assert config.to_kelvin(-1.0) == pytest.approx(250.0)
    assert config.to_unit(330.0) == pytest.approx(1.0)


def test_vectors_are_painted_and_read() -> None:
    vectors = torch.tensor([[0.1, -0.5, 0.7]])
    entries = torch.tensor([[0, 0, 2], [2, 2, 0]], dtype=torch.int32)[None, None]
    painted = paint(vectors, entries)
    np.testing.assert_array_equal(painted[0, 0], np.float32([[0.1, 0.1, 0.7], [0.7, 0.7, 0.1]]))
    means, shown = entry_means(painted, entries, 3)
    np.testing.assert_allclose(means, [[0.1, 0, 0.7]], atol=1e-7)
    assert shown.tolist() == [[True, False, True]]


def test_each_entry_weighs_alike() -> None:
    entries = torch.tensor([[[[0, 0, 0, 2]]], [[[1, 1, 1, 1]]]], dtype=torch.int32)
    expected = [[[[1 / 6, 1 / 6, 1 / 6, 1 / 2]]], [[[1 / 4] * 4]]]
    np.testing.assert_allclose(entry_weights(entries, 3), expected, rtol=1e-6)


def _small(**more: Any) -> thermalgan.Config:
    values = {"in_channels": 3, "ngf": 4, "ndf": 4, "nef": 4, "levels": 3, "discriminator_layers": 3, **TOLD, **more}
    return thermalgan.Config(**values)


def _model(path: Path, **more: Any) -> Path:
    torch.manual_seed(0)
    config = _small(**more)
    write_model_file(path, "thermalgan", config, thermalgan.build_translator(config).state_dict(), {})
    return path


def test_the_first_stage_makes_what_the_vector_says_where_the_entries_are_known() -> None:
    """The head that mixes gives, of certain pixels, the entries themselves; whatever the network is."""
    network = thermalgan.build_translator(_small()).eval()
    certain = torch.tensor([[-50.0, 50.0], [50.0, -50.0]])  # background left, car right in each row
    scores = torch.stack((-certain, certain))[None]
    network.segmentation.unet = _Fixed(scores)
    vector = torch.tensor([[-0.2, 0.6]])
    segmentation = network.segmentation(torch.zeros(1, 3, 8, 8), vector)
    np.testing.assert_allclose(segmentation[0, 0].detach(), [[-0.2, 0.6], [0.6, -0.2]], atol=1e-6)


class _Fixed(torch.nn.Module):
    def __init__(self, scores: torch.Tensor) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, source: torch.Tensor) -> torch.Tensor:
        return self.scores


def test_kelvin_in_kelvin_out(tmp_path: Path) -> None:
    """What the loaded model gives is what its network makes of the vector in its own numbers, on the span."""
    path = _model(tmp_path / "model.safetensors")
    model = load_temperature_model(path, device="cpu", threads=1)
    source = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16)).astype(np.float32)
    kelvin = model.translate(source, {"car": 300.0})
    vector = torch.tensor([[(280 - 250) / 40 - 1, (300 - 250) / 40 - 1]])  # the mean of the training, and what is told
    with torch.no_grad():
        image = read_model_file(path).build()(torch.from_numpy(source)[None], vector)[0, 0].numpy()
    np.testing.assert_allclose(kelvin, 250 + (image + 1) * 40, atol=1e-3)
    assert not np.array_equal(kelvin, model.translate(source, {"car": 305.0}))
    assert model.span_K == (250.0, 330.0)


def test_bad_vectors_and_models(tmp_path: Path) -> None:
    model = load_temperature_model(_model(tmp_path / "model.safetensors"), device="cpu", threads=1)
    source = np.zeros((3, 16, 16), np.float32)
    with pytest.raises(ConfigError, match=r"temperature of 'cow': expected one of background, car"):
        model.translate(source, {"cow": 300.0})
    with pytest.raises(ConfigError, match=r"temperature of car is -5: expected kelvin"):
        model.translate(source, {"car": -5.0})
    assert model.temperatures.beyond({"car": 320.0, "background": 280.0}) == [
        "car=320 K is outside of what the model was trained on, 275.0 to 310.0 K: what it makes of it is a guess"
    ]
    with pytest.raises(ServingError, match="lacks the first stage"):
        load_temperature_model(_model(tmp_path / "second.safetensors", stage="contrast"), device="cpu")
    with pytest.raises(ServingError, match="images without temperatures"):
        load_temperature_model(_model(tmp_path / "grey.safetensors", entries="", lowest_K=0.0), device="cpu")
    tensors, about, _ = read_container(tmp_path / "model.safetensors", "gis-model")
    half = {name: tensor for name, tensor in tensors.items() if not name.startswith("contrast.")}
    write_container(tmp_path / "half.safetensors", half, about)
    with pytest.raises(CheckpointError, match=r"contrast\..* is missing, expected"):
        load_temperature_model(tmp_path / "half.safetensors", device="cpu")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("car=1:2:3", "expected background first"),
        ("background=1:2:3,background=1:2:3", "no name twice"),
        ("background=3:2:1", "three rising temperatures"),
        ("background=1:2", "NAME=LOWEST:MEAN:HIGHEST"),
        ("background=1:2:3,Car!=1:2:3", "expected a name"),
        (",".join(["background=1:2:3", *(f"a{n}=1:2:3" for n in range(70))]), "at most 64"),
    ],
)
def test_entries_of_a_file_are_checked(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Temperatures.from_text(text)


def test_entries_as_text_come_back() -> None:
    known = Temperatures((Entry("background", 260.5, 280.25, 300.125), Entry("car", 261.0, 270.0, 271.0)))
    assert Temperatures.from_text(known.to_text()) == known


# --- on a set ---------------------------------------------------------------------------------------------------------

SPANS_K = ((260.0, 300.0), (270.0, 320.0), (265.0, 310.0), (262.0, 305.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four frames as `gis synthesize --visible` writes them: a car, a second one and a person without a label."""
    root = tmp_path / "set"
    rng = np.random.default_rng(0)
    lines = []
    for kind in ("visible", "images16", "masks"):
        (root / kind).mkdir(parents=True)
    for index, span in enumerate(SPANS_K):
        ids = np.zeros((32, 32), np.uint16)
        ids[4:12, 4:12], ids[20:30, 4:9], ids[16:20, 20:30] = 1, 2, 3
        kelvin = 280.0 + 10 * (ids == 1) + 5 * (ids == 2) + index + rng.normal(0, 0.5, ids.shape)
        share = (kelvin - span[0]) / (span[1] - span[0])
        cv2.imwrite(str(root / "visible" / f"{index:06d}.png"), rng.integers(0, 255, (32, 32, 3), dtype=np.uint8))
        cv2.imwrite(str(root / "images16" / f"{index:06d}.png"), np.rint(share * 65535).astype(np.uint16))
        cv2.imwrite(str(root / "masks" / f"{index:06d}.png"), np.where(ids == 3, 0, ids).astype(np.uint16))
        kinds = ((1, "car", True), (2, "car", True), (3, "person", False))
        instances = [{"id": number, "category": kind, "labelled": known} for number, kind, known in kinds]
        lines.append(json.dumps({"index": index, "span_K": span, "instances": instances}))
    (root / "frames.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def _train(folder: Path, out: Path, **more: Any) -> Path:
    config = {"ngf": 4, "ndf": 4, "nef": 4, "levels": 3, "discriminator_layers": 3, **more}
    options = TrainOptions(epochs=1, threads=1, precision="fp32", ema=0.0)
    metric = ("l1", lambda fake, real: (fake - real).abs().mean(dim=(1, 2, 3)))
    return train(folder, out, "thermalgan", config, options, DataOptions(validation=0.25), metric=metric)


def test_temperatures_of_a_set_are_in_the_model(folder: Path, tmp_path: Path) -> None:
    """Span over all frames; the entries are what the frames were made with: 280 K and more, cars 10 K or 5 K above."""
    config = read_model_file(_train(folder, tmp_path / "run")).config
    assert (config.lowest_K, config.highest_K) == (260.0, 320.0)
    background, car = config.temperatures.entries
    assert (background.name, car.name) == ("background", "car")
    mixed = (64 * 10 + 50 * 5) / 114
    for entry, above in ((background, 0.0), (car, mixed)):
        assert 280 + above - 0.2 < entry.lowest_K < entry.mean_K < entry.highest_K < 283 + above + 0.2
    assert 1 <= config.contrast_K <= 3  # noise of 0.5 K


def test_categories_that_no_frame_shows_keep_their_places(folder: Path, tmp_path: Path) -> None:
    """The lines list a bus and a tram of which no pixel is to be seen; the plane of entries counts them."""
    lines = (folder / "frames.jsonl").read_text(encoding="utf-8")
    hidden = '[{"id": 8, "category": "bus"}, {"id": 9, "category": "tram"}, '
    (folder / "frames.jsonl").write_text(lines.replace('"instances": [', f'"instances": {hidden}'), encoding="utf-8")
    entries = read_model_file(_train(folder, tmp_path / "run")).config.temperatures.entries
    assert [entry.name for entry in entries] == ["background", "bus", "car", "tram"]
    assert entries[2].mean_K > 285


@pytest.mark.parametrize("stage", ["segmentation", "contrast"])
def test_a_stage_alone(folder: Path, tmp_path: Path, stage: str) -> None:
    model = read_model_file(_train(folder, tmp_path / stage, stage=stage))
    assert {name.partition(".")[0] for name in model.state} == {stage}
    source, told = torch.zeros(1, 3, 16, 16), torch.tensor([[0.0, 0.5]])
    if stage == "segmentation":
        assert model.build()(source, told).shape == (1, 1, 16, 16)
        return
    segmentation = torch.full((1, 1, 16, 16), 0.25)
    assert (model.build()(source, segmentation) - segmentation).abs().max() <= model.config.contrast_scale
    with pytest.raises(ConfigError, match="lacks the first stage"):
        model.build()(source)


def test_damaged_sets_are_one_line(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "frames.jsonl").read_text(encoding="utf-8")
    for old, new, message in (
        ('"span_K": [260.0, 300.0]', '"span_K": null', "display intensities and no temperatures"),
        ('"span_K": [260.0, 300.0]', '"span_K": [300.0, 260.0]', "no frame of gis synthesize"),
        ('"instances"', '"instanzen"', "no frame of gis synthesize"),
        ('"index": 3', '"index": 9', "000009.png: no such file"),
    ):
        (folder / "frames.jsonl").write_text(lines.replace(old, new), encoding="utf-8")
        with pytest.raises(DataError, match=message) as caught:
            _train(folder, tmp_path / "run")
        assert "\n" not in str(caught.value)


def test_conditions_are_the_frame_s_own_temperatures(make: Any) -> None:
    """What a validation image is made with: the means of its target by entry, and the usual one where none is shown."""
    backend = make("thermalgan", 3, **TOLD)
    target = torch.zeros(1, 1, 64, 64)
    target[..., :8, :8] = 0.5
    objects = torch.zeros(1, 2, 64, 64, dtype=torch.int32)
    shown = objects.clone()
    shown[..., :8, :8] = 1
    source = torch.zeros(1, 3, 64, 64)
    np.testing.assert_allclose(backend.conditions(Batch(source, target, objects=shown))[0], [[0.0, 0.5]], atol=1e-7)
    alone = backend.conditions(Batch(source, target, objects=objects))[0]
    np.testing.assert_allclose(alone, [[0.5 * 64 / 4096, (290 - 250) / 40 - 1]], atol=1e-6)


@pytest.mark.slow
def test_it_learns_to_keep_to_what_it_is_told(tmp_path: Path) -> None:
    """Coloured squares and discs on grey: after some 30 epochs an object has the temperature that is wanted within 1 K.

    And where one entry rises by 10 K its object does, within 1 K, and the other within 0.5 K; in frames held out.
    """
    folder = tmp_path / "set"
    _coloured_scenes(folder, 40)
    config = {"ngf": 8, "ndf": 4, "nef": 4, "levels": 3, "discriminator_layers": 3, "learning_rate": 2e-3}
    options = TrainOptions(epochs=30, batch=4, threads=1, precision="fp32", ema=0.9, validate_every=30)
    metric = ("l1", lambda fake, real: (fake - real).abs().mean(dim=(1, 2, 3)))
    data = DataOptions(validation=0.2)
    path = train(folder, tmp_path / "run", "thermalgan", config, options, data, metric=metric)
    model = load_temperature_model(path, device="cpu", threads=1)
    told, moved, others = [], [], []
    for index in range(32, 40):
        source = cv2.imread(str(folder / "visible" / f"{index:06d}.png"))[..., ::-1].transpose(2, 0, 1) / 127.5 - 1
        ids = cv2.imread(str(folder / "masks" / f"{index:06d}.png"), cv2.IMREAD_UNCHANGED)
        wanted = {"background": 281.0, "car": 290.0, "person": 301.0}
        first = model.translate(source.astype(np.float32), wanted)
        told += [abs(first[ids == 1].mean() - 290.0), abs(first[ids == 2].mean() - 301.0)]
        raised = model.translate(source.astype(np.float32), {**wanted, "car": 300.0})
        moved.append((raised - first)[ids == 1].mean())
        others.append(abs((raised - first)[ids == 2].mean()))
    assert np.median(told) < 1.0
    assert abs(np.median(moved) - 10.0) < 1.0
    assert np.median(others) < 0.5


def _coloured_scenes(root: Path, count: int) -> None:
    """Red squares are cars and blue discs people, each as warm as chance wants, with some contrast inside."""
    rng = np.random.default_rng(1)
    lines, span = [], (250.0, 330.0)
    for kind in ("visible", "images16", "masks"):
        (root / kind).mkdir(parents=True)
    for index in range(count):
        picture = np.full((32, 32, 3), rng.integers(90, 160), np.uint8) + rng.integers(0, 20, (32, 32, 1), np.uint8)
        ids = np.zeros((32, 32), np.uint16)
        left, top = rng.integers(1, 6, 2).tolist()
        ids[top : top + 10, left : left + 10] = 1
        cv2.circle(ids, rng.integers(22, 26, 2).tolist(), 4, 2, -1)
        picture[ids == 1], picture[ids == 2] = (30, 30, 220), (220, 60, 30)
        levels = rng.uniform([270, 275, 285], [295, 310, 310])
        kelvin = levels[ids] + np.where(np.arange(32)[:, None] % 4 < 2, 1.0, -1.0) + rng.normal(0, 0.1, ids.shape)
        share = (kelvin - span[0]) / (span[1] - span[0])
        cv2.imwrite(str(root / "visible" / f"{index:06d}.png"), picture)
        cv2.imwrite(str(root / "images16" / f"{index:06d}.png"), np.rint(share * 65535).astype(np.uint16))
        cv2.imwrite(str(root / "masks" / f"{index:06d}.png"), ids)
        instances = [{"id": 1, "category": "car"}, {"id": 2, "category": "person"}]
        lines.append(json.dumps({"index": index, "span_K": span, "instances": instances}))
    (root / "frames.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
