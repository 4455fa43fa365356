"""Parts of images: the values of the whole image, without the time of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch

from gan.backends import pix2pix
from gan.errors import ServingError
from gan.serving import openvino_engine, openvino_part
from gan.serving.inference import TranslationModel, load_model
from gan.serving.openvino_convert import convert_network
from gan.storage.model_file import read_model_file, write_model_file

SIZE = 96, 160
PARTS = [(0, 0, 96, 160), (0, 0, 1, 1), (40, 50, 41, 51), (95, 159, 96, 160), (13, 30, 70, 47), (50, 8, 96, 160)]


Served = tuple[TranslationModel, torch.nn.Module]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parts")


def _served(folder: Path, **options: Any) -> Served:
    """A small U-Net as this machine serves it to windows of any size, and in torch."""
    torch.manual_seed(3)
    config = pix2pix.Config(ngf=4, **{"levels": 4, "norm": "batch", **options})
    network = pix2pix.build_translator(config).eval()
    with torch.no_grad():  # as after training: first weights give nearly the same everywhere
        for weight in network.parameters():
            weight.mul_(4 if weight.ndim == 4 else 1)
    path = folder / f"{'-'.join(str(value) for value in options.values())}.safetensors"
    write_model_file(path, "pix2pix", config, network.state_dict(), {})
    model = load_model(
        path, precision="fp32", engine="openvino", device="cpu", threads=1, any_size=True, cache_dir=folder / "cache"
    )
    return model, read_model_file(path).build()  # as it lies in the file: weights are rounded there


@pytest.fixture(scope="module")
def residual(folder: Path) -> Served:
    """The kind that is shipped."""
    return _served(folder, residual=True, upsample="resize")


@pytest.fixture(scope="module")
def deconvolutions(folder: Path) -> Served:
    return _served(folder, levels=2)


def _source() -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, (7, *SIZE)).astype(np.float32)


def _has_parts(model: TranslationModel) -> bool:
    return model._network.run_part is not None


def _whole(network: torch.nn.Module) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(network(torch.from_numpy(_source()[None]))[0, 0].numpy())


@pytest.mark.parametrize("kind", ["residual", "deconvolutions"])
def test_a_part_is_that_of_the_whole_image(kind: str, request: pytest.FixtureRequest) -> None:
    model, network = request.getfixturevalue(kind)
    assert _has_parts(model)
    whole = _whole(network)
    assert whole.std() > 0.05
    np.testing.assert_allclose(model.translate(_source()), whole, atol=1e-5)
    for top, left, bottom, right in PARTS:
        part = model.translate_part(_source(), (top, left, bottom, right))
        np.testing.assert_allclose(part, whole[top:bottom, left:right], atol=1e-5)


def test_a_size_that_the_network_cannot_halve(residual: Served) -> None:
    source = np.ascontiguousarray(_source()[:, :75, :131])
    whole = residual[0].translate(source)
    np.testing.assert_allclose(residual[0].translate_part(source, (60, 100, 75, 131)), whole[60:, 100:], atol=1e-5)


def test_networks_of_other_kinds_make_parts_of_whole_images(folder: Path, residual: Served) -> None:
    model, _ = _served(folder, norm="instance")
    assert not _has_parts(model), "an image's own statistics need all of it"
    source = _source()
    np.testing.assert_array_equal(model.translate_part(source, (3, 4, 50, 60)), model.translate(source)[3:50, 4:60])
    few = pix2pix.build_translator(pix2pix.Config(ngf=4, levels=4, norm="batch"), skips=(1,)).eval()
    example = np.zeros((1, 7, 32, 32), np.float32)
    assert openvino_part.cut(convert_network(few, example), 16) is None, "joins do not tell the levels"
    assert openvino_part.cut(convert_network(residual[1], example), 16) is not None


def test_parts_that_differ_are_not_served(folder: Path, residual: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a network that is no U-Net after all."""
    wrong = openvino_part.needed

    def narrow(part: Any, size: Any, joins: int) -> Any:
        top, left, bottom, right = wrong(part, size, joins)[0]
        whole = part == (0, 0, *size)
        return wrong(part, size, joins) if whole else [(top + 2, left, bottom, right), *wrong(part, size, joins)[1:]]

    monkeypatch.setattr(openvino_part, "needed", narrow)
    model, network = _served(folder, residual=True, upsample="resize")
    assert not _has_parts(model)
    whole = _whole(network)
    np.testing.assert_allclose(model.translate_part(_source(), (5, 6, 70, 80)), whole[5:70, 6:80], atol=1e-5)


def test_what_is_needed_is_what_transposed_convolutions_read() -> None:
    """Each level by torch: which pixels of the map below reach the part through a kernel of 4 with stride 2."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        size = tuple(8 * int(rng.integers(2, 7)) for _ in range(2))
        top, left = (int(rng.integers(0, length)) for length in size)
        bottom, right = int(rng.integers(top + 1, size[0] + 1)), int(rng.integers(left + 1, size[1] + 1))
        reached = torch.zeros(1, 1, *size)
        reached[..., top:bottom, left:right] = 1
        for found in openvino_part.needed((top, left, bottom, right), (size[0], size[1]), 3):
            reached = (torch.nn.functional.conv2d(reached, torch.ones(1, 1, 4, 4), stride=2, padding=1) > 0).float()
            rows, columns = np.nonzero(reached[0, 0].numpy())
            box = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
            assert found[0] <= box[0]
            assert found[1] <= box[1]
            assert found[2] >= box[2]
            assert found[3] >= box[3]
            assert all(abs(one - other) <= 1 for one, other in zip(found, box, strict=True)), "no more than that"
            reached[..., found[0] : found[2], found[1] : found[3]] = 1


def test_parts_of_one_size_need_maps_of_one_size() -> None:
    """Wherever they lie, also at the border; the network prepares itself for each size."""
    size, joins = (192, 320), 4
    places = [(top, left) for top in range(0, 161, 16) for left in range(0, 257, 16)]
    found = {
        tuple((low - high, right - left) for high, left, low, right in spans)
        for spans in (openvino_part.needed((y, x, y + 32, x + 64), size, joins) for y, x in places)
    }
    assert found == {((18, 34), (10, 18), (6, 10), (4, 6))}


def test_parts_are_grown_to_few_sizes() -> None:
    rng = np.random.default_rng(2)
    lengths = {64, 160, 512}
    seen: dict[int, set[int]] = {length: set() for length in lengths}
    for _ in range(4000):
        height = int(rng.choice(sorted(lengths)))
        top, left = int(rng.integers(0, height)), int(rng.integers(0, 640))
        bottom, right = int(rng.integers(top + 1, height + 1)), int(rng.integers(left + 1, 641))
        larger = openvino_engine._on_grid((top, left, bottom, right), (height, 640))
        assert 0 <= larger[0] <= top
        assert 0 <= larger[1] <= left
        assert bottom <= larger[2] <= height
        assert right <= larger[3] <= 640
        assert larger[0] % 16 == larger[1] % 16 == 0
        seen[height].add(larger[2] - larger[0])
        assert larger[3] - larger[1] < 1.34 * (right - left) + 32, "little more than asked for"
    assert seen[64] == {16, 32, 48, 64}
    assert seen[160] == {16, 32, 48, 64, 80, 96, 128, 160}
    assert seen[512] == {16, 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512}


def test_less_is_computed(residual: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the network hands out is hardly larger than the part."""
    shapes = []
    infer = openvino.InferRequest.infer

    def watched(self: Any, *arguments: Any, **options: Any) -> Any:
        made = infer(self, *arguments, **options)
        shapes.append(made[0].shape)
        return made

    monkeypatch.setattr(openvino.InferRequest, "infer", watched)
    residual[0].translate_part(_source(), (40, 50, 60, 80))
    assert shapes == [(1, 1, 36, 36)], "the part on a grid of 16, and one pixel of the map below on each side"


@pytest.mark.parametrize("part", [(0, 0, 97, 10), (-1, 0, 5, 5), (5, 5, 5, 9), (9, 5, 8, 9)])
def test_parts_that_are_not_there(residual: Served, part: tuple[int, int, int, int]) -> None:
    with pytest.raises(ServingError, match="expected top, left, bottom, right within the image"):
        residual[0].translate_part(_source(), part)


def test_a_source_that_is_none(residual: Served) -> None:
    source = _source()
    source[6, 3, 3] = np.nan
    with pytest.raises(ServingError, match="NaN"):
        residual[0].translate_part(source, (40, 50, 60, 80))
