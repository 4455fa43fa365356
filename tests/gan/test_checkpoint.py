"""Model files and checkpoints: round trip, damage, full disks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from gan.backends import pix2pix
from gan.data.layout import SourceLayout
from gan.errors import CheckpointError, LayoutError, TrainingError
from gan.storage.checkpoint import checkpoint_paths, prune_checkpoints, read_checkpoint, write_checkpoint
from gan.storage.model_file import read_model_file, write_model_file

CONFIG = pix2pix.Config(ngf=2, ndf=2, levels=2, discriminator_layers=3)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "model.safetensors"
    write_model_file(path, "pix2pix", CONFIG, pix2pix.build_translator(CONFIG).state_dict(), {"metrics": {"l1": 0.5}})
    return path


def test_model_file_rebuilds_the_translator(model: Path) -> None:
    torch.manual_seed(0)
    original = pix2pix.build_translator(CONFIG).eval()
    loaded = read_model_file(model)
    assert loaded.config == CONFIG
    assert loaded.layout.to_json() == {"layout": "flat", "version": 2, "channels": 7}
    assert loaded.meta == {"metrics": {"l1": 0.5}}
    source = torch.rand(1, 7, 8, 8)
    # float16 has 11 bits
    torch.testing.assert_close(loaded.build()(source), original(source), atol=2e-3, rtol=0)
    assert all(value.dtype == torch.float32 for value in loaded.state.values())


def test_model_file_can_be_shared(model: Path) -> None:
    plain = model.with_name("plain")
    plain.touch()
    assert model.stat().st_mode == plain.stat().st_mode


def test_model_file_is_half_size_and_reproducible(model: Path, tmp_path: Path) -> None:
    values = sum(value.numel() for value in read_model_file(model).state.values())
    assert model.stat().st_size < 2 * values + 6000
    torch.manual_seed(0)
    again = tmp_path / "again.safetensors"
    write_model_file(again, "pix2pix", CONFIG, pix2pix.build_translator(CONFIG).state_dict(), {"metrics": {"l1": 0.5}})
    assert again.read_bytes() == model.read_bytes()


@pytest.mark.parametrize("keep", [0, 7, 500, 0.5, -1])
def test_truncated_file(model: Path, keep: float) -> None:
    data = model.read_bytes()
    model.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(CheckpointError, match=r"model\.safetensors: (truncated|not written)"):
        read_model_file(model)


def test_altered_weight_and_altered_text(model: Path) -> None:
    data = bytearray(model.read_bytes())
    data[-3] ^= 1
    model.write_bytes(data)
    with pytest.raises(CheckpointError, match="does not match its hash"):
        read_model_file(model)
    data[-3] ^= 1
    model.write_bytes(bytes(data).replace(b'\\\\\\"l1\\\\\\": 0.5', b'\\\\\\"l1\\\\\\": 0.1'))
    assert model.read_bytes() != bytes(data)
    with pytest.raises(CheckpointError, match="does not match its hash"):
        read_model_file(model)


def test_files_of_others(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        read_model_file(tmp_path / "none.safetensors")
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(2)}, foreign)
    with pytest.raises(CheckpointError, match="not written by gis"):
        read_model_file(foreign)
    torch.save({"a": torch.zeros(2)}, foreign)
    with pytest.raises(CheckpointError, match="truncated, or no safetensors"):
        read_model_file(foreign)
    write_checkpoint(foreign, {"a": torch.zeros(2)}, {})
    with pytest.raises(CheckpointError, match="is gis-checkpoint format 1, expected gis-model"):
        read_model_file(foreign)


def test_other_layout_version(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan.data.layout.LAYOUT_VERSION", 3)
    with pytest.raises(LayoutError, match=r"version 2, expected .flat. or .physics. version 3"):
        read_model_file(model)


def test_images_need_no_layout() -> None:
    assert SourceLayout.of(3).to_json() == {"layout": "image", "version": 1, "channels": 3}


def test_diverged_weights_are_not_shared(tmp_path: Path) -> None:
    for bad in (float("nan"), 1e6):
        with pytest.raises(CheckpointError, match="diverged"):
            write_model_file(tmp_path / "m.safetensors", "pix2pix", CONFIG, {"w": torch.tensor([bad])}, {})
    assert list(tmp_path.iterdir()) == []


def test_checkpoint_keeps_trees_bits_and_types(tmp_path: Path) -> None:
    shared = torch.randn(3)
    state = {
        "nested": {0: {"step": torch.tensor(3.0), "m": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)}},
        "list": [1, 2.5, True, None, "x", torch.arange(3)],
        "a": shared,
        "b": shared,
        "half": torch.randn(4).bfloat16(),
        "empty": torch.zeros(0),
    }
    path = tmp_path / "step-000000001.safetensors"
    write_checkpoint(path, state, {"seed": 1})
    loaded = read_checkpoint(path)
    assert loaded.meta == {"seed": 1}
    for key in ("nested", "a", "b", "half", "empty"):
        torch.testing.assert_close(loaded.state[key], state[key], rtol=0, atol=0)
    assert loaded.state["list"][:5] == [1, 2.5, True, None, "x"]
    assert list(loaded.state["nested"]) == [0]


def test_checkpoint_refuses_what_needs_pickle(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="state at /odd is object"):
        write_checkpoint(tmp_path / "c.safetensors", {"odd": object()}, {})


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 10, 30):
        write_checkpoint(tmp_path / f"step-{step:09d}.safetensors", {"step": step}, {})
    (tmp_path / ".step-000000031.safetensors.99.partial").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    prune_checkpoints(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "notes.txt",
        "step-000000010.safetensors",
        "step-000000030.safetensors",
    ]
    assert [read_checkpoint(path).state["step"] for path in checkpoint_paths(tmp_path)] == [10, 30]


FULL_DISK = """
import resource, sys, torch
from pathlib import Path
from gan.storage.checkpoint import write_checkpoint
from gan.errors import TrainingError
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_checkpoint(Path(sys.argv[1]), {"w": torch.zeros(100_000)}, {})
except TrainingError as error:
    print(error)
"""


def test_disk_that_fills_up_while_saving_leaves_the_old_file(tmp_path: Path) -> None:
    """The kernel itself refuses the bytes beyond 20 kB, as it does on a full disk."""
    path = tmp_path / "step-000000001.safetensors"
    write_checkpoint(path, {"w": torch.ones(4)}, {})
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert "cannot be written" in done.stdout
    assert "earlier files are intact" in done.stdout
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_folder_without_permission_or_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        write_checkpoint(tmp_path / "file" / "c.safetensors", {}, {})


def test_unknown_backend_and_option_in_a_model_file(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    description = json.dumps(vars(CONFIG))
    assert "ngf" in description
    monkeypatch.setattr("gan.backends.registry.backend_names", lambda: ("other",))
    with pytest.raises(Exception, match="unknown backend 'pix2pix'"):
        read_model_file(model)
