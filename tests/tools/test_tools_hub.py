"""Hugging Face's library and Croissant's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from export_sets import OF_FRAMES, counted, records

pytestmark = [pytest.mark.tools, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return pytest.importorskip("datasets", reason="datasets is not installed")


@pytest.mark.parametrize("how", ["by its card", "as a folder of images"])
def test_load_dataset(exported: Callable[..., Path], real_set: Path, datasets, how: str, tmp_path: Path) -> None:
    folder = str(exported("hf"))
    cache = str(tmp_path / "cache")
    if how == "by its card":
        found = datasets.load_dataset(folder, cache_dir=cache)
        about = yaml.safe_load((Path(folder) / "README.md").read_text().split("---")[1])["dataset_info"]
        assert datasets.Features._from_yaml_list(about["features"]) == found["train"].features
    else:
        found = datasets.load_dataset("imagefolder", data_dir=folder, cache_dir=cache)
    assert set(found) == {"train", "validation", "test"}
    rows = [row for split in found.values() for row in split]
    assert sorted(row["image_id"] for row in rows) == [record.index for record in records(real_set)]
    assert all(row["image"].size == (row["width"], row["height"]) == (96, 64) for row in rows)
    assert sum(not ignored for row in rows for ignored in row["objects"]["ignored"]) == counted(real_set)


def test_a_data_set_as_it_lies_shows_its_images_alone(real_set: Path, datasets, tmp_path: Path) -> None:
    """Masks and zones, which are PNG files too, are not mixed in among them."""
    found = datasets.load_dataset(str(real_set), cache_dir=str(tmp_path / "cache"))["train"]
    assert len(found) == len(records(real_set))
    assert {row["image"].mode for row in found} == {"L"}


def test_the_card_is_one_of_the_hub(exported: Callable[..., Path]) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    for name in ("hf", "yolo"):
        data = hub.DatasetCard.load(exported(name, license="CC-BY-4.0") / "README.md").data
        assert data.license == "cc-by-4.0"
        assert data.task_categories == ["object-detection"]
        assert data.size_categories == ["n<1K"]


def test_the_citation_is_one(exported: Callable[..., Path]) -> None:
    cff = pytest.importorskip("cffconvert", reason="cffconvert is not installed")
    citation = cff.Citation((exported("coco", license="CC-BY-4.0") / "CITATION.cff").read_text())
    citation.validate()
    assert citation.cffobj["license"] == "CC-BY-4.0"


@pytest.mark.parametrize("kind", ["scene_set", "real_set"])
def test_croissant_of_a_data_set_as_it_lies(kind: str, request: pytest.FixtureRequest) -> None:
    croissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    folder: Path = request.getfixturevalue(kind)
    found = croissant.Dataset(jsonld=folder / "croissant.json")
    assert not found.metadata.issues.errors
    images = {one["images/image"]: one["images/content"].size for one in found.records("images")}
    assert {_text(name): size for name, size in images.items()} == {
        f"{one.stem}.png": (one.camera.width, one.camera.height) for one in records(folder)
    }
    objects = list(found.records("objects"))
    assert sum(not one["objects/ignored"] for one in objects) == counted(folder)
    assert len(objects) == sum(len(one.labelled) + len(one.real_objects or ()) for one in records(folder))
    for one in objects:
        real = _text(one["objects/source"]) == "real"
        assert real == (one["objects/gis_id"] is None)


def test_the_citation_and_the_card_of_a_data_set(real_set: Path) -> None:
    cff = pytest.importorskip("cffconvert", reason="cffconvert is not installed")
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    cff.Citation((real_set / "CITATION.cff").read_text()).validate()
    data = hub.DatasetCard.load(real_set / "README.md").data
    assert (data.license, data.size_categories) == ("unknown", ["n<1K"])


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("name", OF_FRAMES)
def test_croissant(name: str, exported: Callable[..., Path], real_set: Path) -> None:
    croissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    options = {"license": "CC-BY-4.0"} | ({} if name == "bop" else {"ignored": "background"})
    found = croissant.Dataset(jsonld=exported(name, **options) / "croissant.json")
    assert not found.metadata.issues.errors
    assert [one for one in found.metadata.issues.warnings if "datePublished" not in one] == []  # no date is known
    images = list(found.records("images"))
    assert len(images) == len(records(real_set))
    assert all(one["images/content"].size == (96, 64) for one in images)
    objects = list(found.records("objects"))
    assert sum(not one["objects/ignored"] for one in objects) == counted(real_set)
    assert {one["objects/image"] for one in objects} <= {one["images/image"] for one in images}
