"""Training without pairs: how targets are drawn, how the sides are split, and what a validation measures then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from gan.data.batch import Pairing
from gan.data.loader import Loader
from gan.data.options import DataOptions
from gan.data.training_data import TrainingData, open_data, validation_targets
from gan.errors import DataError
from gan.metrics.distribution import kernel_distance
from gan.storage.model_file import read_model_file
from gan.training.options import TrainOptions
from gan.training.train import train
from gan.training.validation import BetweenSets, ByPairs, Unmeasured, choose_set_measure

CPU = torch.device("cpu")
TINY = {"ngf": 4, "ndf": 4, "blocks": 1}


def write(folder: Path, kind: str, names: list[str], first: int = 0, size: int = 32) -> None:
    """Images whose mean grey level is their own: image n has 10 * (first + n)."""
    (folder / kind).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        rng = np.random.default_rng([number, first])
        noise = rng.integers(-2, 3, (size, size, 3 if kind == "visible" else 1))
        image = np.clip(10 * (first + number) + noise, 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / kind / f"{name}.png"), np.squeeze(image))


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    names = [f"{sequence}_{frame}" for sequence in "abcde" for frame in range(4)]
    write(tmp_path / "pairs", "visible", names)
    write(tmp_path / "pairs", "infrared", names)
    return tmp_path / "pairs"


@pytest.fixture
def apart(tmp_path: Path) -> Path:
    write(tmp_path / "apart", "visible", [f"{sequence}_{frame}" for sequence in "abc" for frame in range(4)])
    write(tmp_path / "apart", "infrared", [f"{sequence}_{frame}" for sequence in "vwxyz" for frame in range(4)])
    return tmp_path / "apart"


def opened(folder: Path, cache: Path, *, pairing: Pairing = "unpaired", **options: Any) -> TrainingData:
    return open_data(folder, DataOptions(flip=False, **options), cache, pairing=pairing)


def drawn(data: TrainingData, epoch: int = 0, *, validate: bool = False) -> list[tuple[int, int]]:
    """Numbers of the source and the target of each sample, read from their grey levels."""
    loader = Loader(data, 1, 0, DataOptions(flip=False), CPU, validate=validate)

    def number(image: torch.Tensor) -> int:
        return round(float((image.mean() + 1) * 12.75))

    return [(number(batch.source), number(batch.target)) for batch in loader.epoch(epoch)]


def test_pairs_are_known_but_not_shown(pairs: Path, tmp_path: Path) -> None:
    unpaired, paired = opened(pairs, tmp_path / "c"), opened(pairs, tmp_path / "c", pairing="paired")
    assert all(source == target for source, target in drawn(paired))
    rows = [row for epoch in range(4) for row in drawn(unpaired, epoch)]
    assert sum(source == target for source, target in rows) < 0.25 * len(rows)
    # The same split as paired training has, and targets from its training half alone.
    assert unpaired.split == paired.split
    assert {target for _, target in rows} <= set(unpaired.split.train)
    assert len({target for _, target in rows}) > 0.8 * len(unpaired.split.train)
    assert all(source == target for source, target in drawn(unpaired, validate=True))
    assert unpaired.describe()["pairing"] == "unpaired"
    assert "pairing" not in paired.describe()


def test_draws_follow_from_seed_and_epoch(pairs: Path, tmp_path: Path) -> None:
    data = opened(pairs, tmp_path / "c")
    assert drawn(data, 1) == drawn(data, 1)
    assert drawn(data, 1) != drawn(data, 2)


def test_names_that_match_by_chance(pairs: Path, tmp_path: Path) -> None:
    data = opened(pairs, tmp_path / "c", pair_by_name=False)
    assert data.kind == "unpaired"
    assert data.targets is not None
    write(pairs, "infrared", ["b_2"], size=40)
    with pytest.raises(DataError, match=r"b_2\.png: size differs .*unpaired ones: --no-pair-by-name"):
        opened(pairs, tmp_path / "c", size=16)
    assert opened(pairs, tmp_path / "c", size=16, pair_by_name=False).samples.size == (16, 16)


def test_lists_split_both_sides(apart: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a_0\na_1\na_2\na_3\nw_0\nw_1\nw_2\nw_3\n")
    data = opened(apart, tmp_path / "c", validation_list=str(tmp_path / "list.txt"))
    assert data.targets is not None
    assert data.target_split is not None
    assert {data.samples.names[row] for row in data.split.validation} == {f"a_{n}" for n in range(4)}
    assert {data.targets.names[row] for row in data.target_split.validation} == {f"w_{n}" for n in range(4)}
    assert {target for _, target in drawn(data)} <= set(data.target_split.train)
    assert len(list(validation_targets(data))) == 4
    (tmp_path / "list.txt").write_text("a_0\nnobody\n")
    with pytest.raises(DataError, match="'nobody', which is not in the data"):
        opened(apart, tmp_path / "c", validation_list=str(tmp_path / "list.txt"))


def test_source_tensors_train_unpaired(tmp_path: Path) -> None:
    from gan.data.layout import Sample, encode_sample

    rng = np.random.default_rng(0)
    for index in range(6):
        sample = Sample(
            index=index,
            label_image=rng.integers(0, 256, (32, 32, 3), dtype=np.uint8),
            segmentation=rng.integers(0, 4, (32, 32), dtype=np.uint8),
            inverse_depth=rng.integers(0, 65536, (32, 32), dtype=np.uint16),
            target=rng.integers(0, 65536, (32, 32), dtype=np.uint16),
        )
        (tmp_path / f"{index:06d}.safetensors").write_bytes(encode_sample(sample))
    options = TrainOptions(epochs=1, threads=1)
    l1 = ("l1", lambda fake, real: (fake - real).abs().mean(dim=(1, 2, 3)))
    out = tmp_path / "run"
    model = read_model_file(train(tmp_path, out, "cyclegan", TINY, options, DataOptions(validation=0.2), metric=l1))
    assert model.config.in_channels == 7
    assert model.meta["data"]["pairing"] == "unpaired"
    assert read_model_file(out / "model_reverse.safetensors").config.out_channels == 7


# --- validation ------------------------------------------------------------------------------------------------------


def test_means_over_pairs() -> None:
    measure = ByPairs("squares", lambda fake, real: (fake - real).square().mean(dim=(1, 2, 3)))
    for value in (1.0, 0.5):
        measure.add(torch.full((1, 1, 2, 2), value), torch.zeros(1, 1, 2, 2))
    assert measure.values() == {"squares": pytest.approx(0.625), "l1": pytest.approx(0.75)}
    measure.add(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    assert measure.values() == {"squares": 0.0, "l1": 0.0}


def test_distance_between_sets_takes_all_images_of_both() -> None:
    def extract(images: torch.Tensor) -> np.ndarray:
        return images.flatten(1).numpy()

    real, fake = torch.rand(7, 1, 2, 2), torch.rand(5, 1, 2, 2)
    measure = BetweenSets("pixels", extract, torch.split(real, 1))
    for _ in range(2):  # the second time the first is forgotten
        for image in torch.split(fake, 1):
            measure.add(image, torch.zeros(1, 1, 2, 2))
        expected = kernel_distance(extract(real), extract(fake))
        assert measure.values() == {"kernel_distance_pixels": pytest.approx(expected)}


def test_features_are_named_and_see_a_difference(shared_data: Path) -> None:
    weights = str(shared_data / "weights")
    grey = torch.from_numpy(np.random.default_rng(0).normal(0, 0.3, (6, 1, 48, 48)).astype(np.float32)).clamp(-1, 1)
    measure, reason = choose_set_measure(weights, CPU, (48, 48), torch.split(grey, 1), (6, 6))
    assert (measure.name, reason) == ("kernel_distance_alexnet-relu11-mean-256", "")
    values = []
    for images in (grey.flip(-1), torch.nn.functional.avg_pool2d(grey, 5, 1, 2)):
        measure.add(images, grey)
        values.append(next(iter(measure.values().values())))
    assert values[0] < 0.2 * values[1]


@pytest.mark.parametrize(
    ("size", "counts", "reason"), [((16, 64), (5, 5), "below 32 px"), ((64, 64), (1, 5), "1 sources and 5 targets")]
)
def test_where_nothing_can_be_measured(size: tuple[int, int], counts: tuple[int, int], reason: str) -> None:
    measure, why = choose_set_measure("", CPU, size, (), counts)
    assert isinstance(measure, Unmeasured)
    assert reason in why


def test_missing_weights_are_said_and_the_last_weights_are_the_model(apart: Path, tmp_path: Path) -> None:
    said: list[str] = []
    options = TrainOptions(epochs=2, threads=1, ema=0.0, weights_dir=str(tmp_path))
    out = tmp_path / "run"
    path = train(apart, out, "cyclegan", TINY, options, DataOptions(validation=0.3), report=said.append)
    assert any("the last weights become the model" in line and "alexnet" in line for line in said)
    assert not (out / "best.safetensors").exists()
    model = read_model_file(path)
    assert (model.meta["epoch"], model.meta["metrics"]) == (2, {})
    assert (out / "samples" / "epoch-0002.png").is_file()


def test_unpaired_run_from_folders(apart: Path, tmp_path: Path, shared_data: Path) -> None:
    options = TrainOptions(epochs=2, threads=1, weights_dir=str(shared_data / "weights"))
    out = tmp_path / "run"
    path = train(apart, out, "cyclegan", {**TINY, "emsn": "joint"}, options, DataOptions(validation=0.3))
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    name = "kernel_distance_alexnet-relu11-mean-256"
    best = min(line[name] for line in log if line["kind"] == "validation")
    forward, reverse = read_model_file(path), read_model_file(out / "model_reverse.safetensors")
    assert forward.meta["metrics"]["validation"] == {name: best}
    assert reverse.meta["metrics"] == {}  # it was measured forward
    assert (reverse.config.in_channels, reverse.config.out_channels, reverse.config.emsn) == (1, 3, "joint")
    assert forward.calibration is not None
    assert reverse.calibration is not None
    assert (forward.calibration.shape[1], reverse.calibration.shape[1]) == (3, 1)
    assert reverse.build()(torch.zeros(1, 1, 32, 32)).shape == (1, 3, 32, 32)
