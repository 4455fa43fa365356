"""Windows around objects: where they lie, what they show, and that training on them can be resumed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.data.augmentation import change_tone
from gan.data.batch import Batch
from gan.data.decoded_images import DecodedImages
from gan.data.layout import Sample, encode_sample
from gan.data.loader import Loader
from gan.data.options import DataOptions
from gan.data.training_data import open_data
from gan.data.windows import WindowCutter, WindowPlacement
from gan.errors import ConfigError, DataError
from gan.storage.model_file import read_model_file
from gan.training.options import TrainOptions
from gan.training.train import train

SIZE = 96


def sample(index: int, box: tuple[int, int, int, int], layout: str = "flat") -> Sample:
    """Columns count up in the target; one object."""
    left, top, right, bottom = box
    ids = np.zeros((SIZE, SIZE), np.uint16)
    ids[top:bottom, left:right] = 3
    target = np.broadcast_to(np.arange(SIZE, dtype=np.uint16) * 257, (SIZE, SIZE)).copy()
    label = np.repeat((target >> 8).astype(np.uint8)[..., None], 3, axis=2)
    label[ids > 0] = (0, 0, 255)
    return Sample(
        index, label, (ids > 0).astype(np.uint8), (ids > 0).astype(np.uint16) * 1000, target, ids,
        group=str(index), layout=layout,
    )  # fmt: skip


def decoded(box: tuple[int, int, int, int]) -> DecodedImages:
    one = sample(0, box)
    planes = {
        "label_image": one.label_image.transpose(2, 0, 1)[None], "segmentation": one.segmentation[None, None],
        "inverse_depth": one.inverse_depth[None, None], "target": one.target[None, None],
        "instance_id": one.instance_id[None, None],
    }  # fmt: skip
    return DecodedImages(planes, ("a",), ("",), ("",))


def columns(planes: dict[str, torch.Tensor]) -> np.ndarray:
    return planes["target"][0, 0, 0].numpy().view(np.uint16) / 257


def test_a_window_at_its_own_scale_is_a_copy() -> None:
    cutter = WindowCutter(decoded((30, 40, 54, 64)), [0], 32)
    planes = cutter.cut([0])
    assert columns(planes).tolist() == list(range(26, 58)), "centred on column 42"
    assert planes["inverse_depth"].max() == 1000


def test_a_window_stays_in_the_picture() -> None:
    planes = WindowCutter(decoded((0, 0, 26, 26)), [0], 32).cut([0])
    assert columns(planes).tolist() == list(range(32))


def test_a_large_object_is_reduced_until_it_fits() -> None:
    planes = WindowCutter(decoded((8, 8, 88, 88)), [0], 32).cut([0])
    ids = planes["instance_id"][0, 0].numpy() > 0
    assert ids.any(axis=0).sum() == pytest.approx(32 / 1.2, abs=1)
    assert planes["inverse_depth"].max() == round(1000 * 32 / 96), "a third of the size: three times as far"


def test_magnified_is_nearer() -> None:
    planes = WindowCutter(decoded((30, 40, 54, 64)), [0], 64).cut([0], [WindowPlacement(zoom=2.0)])
    assert planes["inverse_depth"].max() == 2000
    assert np.diff(columns(planes)[2:-2]) == pytest.approx(0.5, abs=0.1)


def test_windows_between_the_pixels_keep_fine_detail() -> None:
    """Of stripes two pixels wide linear interpolation takes a quarter of the contrast at half a pixel."""
    pictures = decoded((30, 40, 54, 64))
    stripes = np.where(np.arange(SIZE) // 2 % 2, 40000, 20000).astype(np.uint16)  # two pixels wide
    pictures.planes["target"] = np.broadcast_to(stripes, (1, 1, SIZE, SIZE)).copy()
    cutter = WindowCutter(pictures, [0], 32)
    spread = [columns(cutter.cut([0], [WindowPlacement(shift_x=shift)])).std() for shift in np.linspace(-0.5, 0.5, 40)]
    assert min(spread) > 0.9 * max(spread)


def test_shifts_keep_the_object_inside() -> None:
    cutter = WindowCutter(decoded((40, 40, 64, 64)), [0], 48)
    for shift in (-1, 1):
        ids = cutter.cut([0], [WindowPlacement(shift_x=shift, shift_y=shift)])["instance_id"][0, 0].numpy() > 0
        assert ids.sum() == 24 * 24


def test_no_objects_and_too_large_windows_are_refused() -> None:
    with pytest.raises(DataError, match="no sample shows an object"):
        WindowCutter(decoded((0, 0, 8, 8)), [0], 32)
    with pytest.raises(DataError, match="crop of 128"):
        WindowCutter(decoded((0, 0, 30, 30)), [0], 128)


def write(folder: Path, count: int = 4, layout: str = "flat", right: int = 60) -> Path:
    folder.mkdir()
    for index in range(count):
        (folder / f"{index}.safetensors").write_bytes(encode_sample(sample(index, (20, 20, right + index, 50), layout)))
    return folder


def test_an_epoch_shows_every_object_once_and_the_same_again(tmp_path: Path) -> None:
    write(tmp_path / "data")
    options = DataOptions(crop=64, crop_zoom=1.3, tone=0.3, validation=0.25)
    data = open_data(tmp_path / "data", options, tmp_path / "cache")
    assert data.size == (64, 64)
    loaders = [Loader(data, 1, 0, options, torch.device("cpu")) for _ in range(2)]
    first, second = ([batch.source for batch in loader.epoch(5)] for loader in loaders)
    assert len(first) == 3
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    later = [batch.source for batch in loaders[0].epoch(6)]
    assert not all(torch.equal(a, b) for a, b in zip(first, later, strict=True))


def test_samples_of_more_folders_train_and_never_validate(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b", 3, right=70)
    held = tmp_path / "held.txt"
    held.write_text("2\n")
    for options in (DataOptions(validation=0.5), DataOptions(validation_list=str(held))):
        alone = open_data(first, options, tmp_path / "cache")
        both = open_data(first, replace(options, extra_data=(str(second),)), tmp_path / "cache")
        assert both.split.validation == alone.split.validation
        assert both.split.train == (*alone.split.train, 4, 5, 6)
        assert both.samples.names == ("0", "1", "2", "3", "1/0", "1/1", "1/2")
        assert both.describe()["sha256"] != alone.describe()["sha256"]


def test_more_folders_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    first = write(tmp_path / "a")
    for name, layout, message in (
        ("flat", "physics", "holds layout physics, display intensities; expected layout flat, display"),
        ("copy", "flat", "which validates: leave one of them out"),
    ):
        more = str(write(tmp_path / name, 4, layout))
        options = DataOptions(validation=0.25, extra_data=(more,))
        with pytest.raises(DataError, match=message):
            open_data(first, options, tmp_path / "cache")
    for side in ("visible", "infrared"):
        (tmp_path / "images" / side).mkdir(parents=True)
        np.save(tmp_path / "images" / side / "a.npy", np.zeros((SIZE, SIZE), np.uint8))
    with pytest.raises(DataError, match="only source tensors can be trained on beside source tensors"):
        open_data(first, DataOptions(extra_data=(str(tmp_path / "images"),)), tmp_path / "cache")


def test_tone_changes_background_and_target_alike_and_leaves_objects() -> None:
    source = torch.zeros(1, 7, 2, 2)
    source[0, :3, 0] = torch.tensor([-1.0, -1.0, 1.0])[:, None]  # a label colour
    target = torch.zeros(1, 1, 2, 2)
    out = change_tone(Batch(source, target), np.array([[0.2, 0.1, 0.05]]), "flat")
    assert torch.equal(out.source[0, :3, 0], source[0, :3, 0])
    assert out.source[0, 0, 1, 0] == out.target[0, 0, 1, 0] != 0
    assert torch.equal(out.source[:, 3:], source[:, 3:])


def test_a_model_says_its_layout_and_kind_of_target(tmp_path: Path) -> None:
    write(tmp_path / "data", layout="physics")
    options = DataOptions(crop=64, validation=0.25)
    config = {"ngf": 2, "ndf": 2, "levels": 3, "discriminator_layers": 3}
    path = train(tmp_path / "data", tmp_path / "run", "pix2pix", config, TrainOptions(epochs=1, threads=1), options)
    model = read_model_file(path)
    assert model.layout.name == "physics"
    assert model.layout.display is True
    assert model.calibration is not None
    assert model.calibration.shape[2:] == (64, 64)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["data_options"]["crop"] == 64


def test_layouts_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path / "data")
    other = encode_sample(sample(9, (20, 20, 60, 50), "physics"))
    (tmp_path / "data" / "9.safetensors").write_bytes(other)
    with pytest.raises(DataError, match="one layout"):
        open_data(tmp_path / "data", DataOptions(), tmp_path / "cache")


def test_windows_need_source_tensors(tmp_path: Path) -> None:
    import cv2

    for name in ("visible", "infrared"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), np.zeros((64, 64), np.uint8))
    with pytest.raises(ConfigError, match="source tensors"):
        open_data(tmp_path, DataOptions(crop=32), tmp_path / "cache")
