"""What a model file states of the objects that it was trained on, and what serving makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from gan.backends import pix2pix
from gan.errors import CheckpointError
from gan.serving.converted_files import belongs_to, read_converted
from gan.serving.inference import load_model
from gan.serving.ship import restate, ship
from gan.storage.known_objects import KnownObjects
from gan.storage.model_file import read_model_file, write_model_file


def write(path: Path, meta: dict[str, Any]) -> Path:
    torch.manual_seed(0)
    config = pix2pix.Config(in_channels=7, ngf=4, levels=3, norm="batch")
    write_model_file(path, "pix2pix", config, pix2pix.build_translator(config).state_dict(), meta)
    return path


@pytest.mark.parametrize("engine", ["torch", pytest.param("openvino", marks=pytest.mark.slow)])
def test_every_engine_hands_on_what_the_file_states(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    monkeypatch.setenv("GIS_CACHE", str(tmp_path / "cache"))
    stated = write(tmp_path / "stated.safetensors", {"objects": {"smallest_px": 24, "largest_px": 160}})
    assert load_model(stated, engine=engine, precision="fp32").about.known_objects == KnownObjects(24, 160)
    silent = write(tmp_path / "silent.safetensors", {})
    assert load_model(silent, engine=engine, precision="fp32").about.known_objects is None


def test_a_shipped_model_states_what_is_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    model = write(tmp_path / "model.safetensors", {"epoch": 3})
    known = KnownObjects(24, 160, 115, 4.0, True, (24, 4096))
    ship(model, tmp_path / "shipped.safetensors", known)
    ship(tmp_path / "shipped.safetensors", tmp_path / "again.safetensors")
    for name in ("shipped", "again"):
        shipped = read_model_file(tmp_path / f"{name}.safetensors")
        assert shipped.known_objects == known
        assert shipped.meta["epoch"] == 3
        assert load_model(tmp_path / f"{name}.safetensors", engine="openvino").about.known_objects == known


def test_what_is_stated_anew_leaves_the_networks_as_they_are(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    shipped = tmp_path / "shipped.safetensors"
    ship(write(tmp_path / "model.safetensors", {"epoch": 3}), shipped, KnownObjects(24, 160, 115, 4.0))
    folder, before = tmp_path / "shipped.openvino", read_model_file(shipped)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    known = KnownObjects(24, 160, 60, 0.7, True, (115, 4096))
    assert restate(shipped, known) == [folder]
    after = read_model_file(shipped)
    assert after.known_objects == known
    assert after.meta["epoch"] == 3
    assert all(torch.equal(before.state[name], weight) for name, weight in after.state.items())
    assert {path.name for path in folder.iterdir() if path.read_bytes() != files[path.name]} == {"about.json"}
    found = read_converted(folder)
    assert belongs_to(shipped, folder)
    assert (found.known_objects, found.about["weights_sha256"]) == (known, after.sha256)


@pytest.mark.parametrize(
    "objects",
    [
        [24, 160], {}, {"smallest_px": 24}, {"smallest_px": 160, "largest_px": 24}, {"smallest_px": 0, "largest_px": 9},
        {"smallest_px": 1.5, "largest_px": 9}, {"smallest_px": True, "largest_px": 9},
        {"smallest_px": 1, "largest_px": 1e9}, {"smallest_px": 1, "largest_px": 9, "scene_detail_px": 0},
        {"smallest_px": 1, "largest_px": 9, "scene_detail_px": "4"}, {"smallest_px": 1, "largest_px": 9, "more": 1},
        {"smallest_px": 9, "largest_px": 20, "scene_largest_px": 9},
        {"smallest_px": 1, "largest_px": 9, "scene_detail_of_all": True},
        {"smallest_px": 1, "largest_px": 9, "scene_detail_px": 1.0, "scene_detail_of_all": 1},
        {"smallest_px": 1, "largest_px": 9, "scene_given_px": 64},
        {"smallest_px": 1, "largest_px": 9, "scene_given_px": [64, 64]},
        {"smallest_px": 1, "largest_px": 9, "scene_given_px": [64, 65, 66]},
        {"smallest_px": 1, "largest_px": 9, "scene_given_px": [64, 65.5]},
    ],
)  # fmt: skip
def test_a_statement_that_means_nothing_is_refused(objects: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="incomplete description"):
        read_model_file(write(tmp_path / "model.safetensors", {"objects": objects}))


def test_a_statement_from_before_means_what_it_meant() -> None:
    said = {"smallest_px": 24, "largest_px": 160, "scene_largest_px": 115, "scene_detail_px": 3.0}
    known = KnownObjects.from_json({"objects": said})
    assert known is not None
    assert known.to_json() == {"objects": said}
    assert known.detail_in(1, rendered=True) is None
    assert known.detail_in(2, rendered=True) == 3.0
    assert known.detail_in(2, rendered=False) is None
    assert not any(known.leaves(size, rendered=True) for size in (1, 64, 4096))


def test_sizes_that_are_given_are_from_the_first_up_to_below_the_second() -> None:
    known = KnownObjects(24, 160, scene_given_px=(64, 115))
    assert [known.leaves(size, rendered=True) for size in (63.9, 64, 114.9, 115)] == [True, False, False, True]
    assert not known.leaves(1, rendered=False)
