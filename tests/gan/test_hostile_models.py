"""Model files and checkpoints that carry the right hash and the wrong content: one line each, and no memory."""

from __future__ import annotations

import json
import os
import resource
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from gan.backends import pix2pix
from gan.errors import CheckpointError, ConfigError, GanError
from gan.storage.checkpoint import read_checkpoint, write_checkpoint
from gan.storage.container import write_container
from gan.storage.model_file import read_model_file
from gan.training.stored_state import check_position

CONFIG = pix2pix.Config(ngf=2, ndf=2, levels=2, discriminator_layers=3)
Tensors = dict[str, torch.Tensor]
About = dict[str, Any]


def content() -> tuple[Tensors, About]:
    torch.manual_seed(0)
    tensors = {name: value.half() for name, value in pix2pix.build_translator(CONFIG).state_dict().items()}
    tensors["calibration.source"] = torch.zeros(2, 7, 8, 8, dtype=torch.int8)
    layout = {"layout": "flat", "version": 2, "channels": 7}
    about = {"kind": "gis-model", "backend": "pix2pix", "config": dict(vars(CONFIG)), "layout": layout, "meta": {}}
    return tensors, about


def first(tensors: Tensors) -> str:
    return next(name for name in sorted(tensors) if name.endswith("weight"))


def like_first(dtype: torch.dtype) -> torch.Tensor:
    tensors, _ = content()
    return torch.zeros_like(tensors[first(tensors)], dtype=dtype)


def fill(value: float) -> Callable[[Tensors, About], None]:
    def change(tensors: Tensors, about: About) -> None:
        tensors[first(tensors)].view(-1)[-1] = value

    return change


def put(name: str, tensor: Callable[[], torch.Tensor]) -> Callable[[Tensors, About], None]:
    def change(tensors: Tensors, about: About) -> None:
        tensors[first(tensors) if name == "first" else name] = tensor()

    return change


def say(*path: str, value: Any) -> Callable[[Tensors, About], None]:
    def change(tensors: Tensors, about: About) -> None:
        inner = about
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value

    return change


def leave_out(*path: str) -> Callable[[Tensors, About], None]:
    def change(tensors: Tensors, about: About) -> None:
        inner = about
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]

    return change


def drop(tensors: Tensors, about: About) -> None:
    del tensors[first(tensors)]


WRONG = {
    "NaN": fill(float("nan")),
    "infinite": fill(float("inf")),
    "-infinite": fill(float("-inf")),
    "a weight less": drop,
    "a weight more": put("more", lambda: torch.zeros(3)),
    "another shape": put("first", lambda: torch.zeros(1)),
    "no dimension": put("first", lambda: torch.tensor(1.0)),
    "whole numbers": put("first", lambda: like_first(torch.int8)),
    "booleans": put("first", lambda: like_first(torch.bool)),
    "calibration of 2 dimensions": put("calibration.source", lambda: torch.zeros(7, 8, dtype=torch.int8)),
    "calibration of other channels": put("calibration.source", lambda: torch.zeros(1, 3, 8, 8, dtype=torch.int8)),
    "calibration empty": put("calibration.source", lambda: torch.zeros(0, 7, 8, 8, dtype=torch.int8)),
    "calibration NaN": put("calibration.source", lambda: torch.full((1, 7, 8, 8), float("nan"))),
    "backend unknown": say("backend", value="../../evil"),
    "backend no text": say("backend", value=["pix2pix"]),
    "backend of ours that is none": say("backend", value="registry"),
    "config a list": say("config", value=[1]),
    "config a text": say("config", value="x"),
    "ngf a text": say("config", "ngf", value="2"),
    "ngf huge": say("config", "ngf", value=10**9),
    "ngf of 19 digits": say("config", "ngf", value=10**18),
    "ngf negative": say("config", "ngf", value=-2),
    "ngf zero": say("config", "ngf", value=0),
    "levels huge": say("config", "levels", value=10**9),
    "levels many": say("config", "levels", value=4000),
    "levels one": say("config", "levels", value=1),
    "dropout NaN": say("config", "dropout", value=float("nan")),
    "channels huge": say("config", "in_channels", value=2**31),
    "channels zero": say("config", "in_channels", value=0),
    "option unknown": say("config", "evil", value=1),
    "layout a number": say("layout", value=3),
    "layout of other channels": say("layout", "channels", value=3),
    "layout infinite": say("layout", "channels", value=float("inf")),
    "layout a list": say("layout", "layout", value=["flat"]),
    "meta a list": say("meta", value=[1, 2]),
    "no config": leave_out("config"),
    "no layout version": leave_out("layout", "version"),
}  # fmt: skip


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_wrong_content_is_refused_by_one_line_with_the_files_name(
    tmp_path: Path, change: Callable[[Tensors, About], None]
) -> None:
    tensors, about = content()
    change(tensors, about)
    path = tmp_path / "model.safetensors"
    write_container(path, tensors, about)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((GanError, ConfigError)) as error:
        read_model_file(path)
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 700
    assert "model.safetensors" in message or "unknown backend" in message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def test_the_same_content_without_a_fault_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_container(path, *content())
    assert read_model_file(path).calibration is not None


def raw(head: bytes, length: int | None = None, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(head) if length is None else length) + head + body


def gis(text: str) -> str:
    return json.dumps({"__metadata__": {"gis": text}, "a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}})


DAMAGED = {
    "head of 8 GB": raw(b"{}", 8 << 30),
    "head of 2^64": raw(b"{}", (1 << 64) - 1),
    "head cut": raw(b'{"a": ', 60),
    "head no JSON": raw(b"\x00" * 40),
    "head deep": raw(b"[" * 100_000),
    "metadata deep": raw(gis("[" * 100_000).encode(), body=b"\0\0"),
    "metadata a number": raw(gis("3").encode(), body=b"\0\0"),
    "metadata no text": raw(b'{"__metadata__": {"gis": 3}}'),
    "content deep": raw(gis(json.dumps({"content": "[" * 100_000, "sha256": ""})).encode(), body=b"\0\0"),
    "content no text": raw(gis(json.dumps({"content": 3, "sha256": ""})).encode(), body=b"\0\0"),
    "content of long numbers": raw(gis(json.dumps({"content": '{"kind": ' + "9" * 5000 + "}", "sha256": ""})).encode(),
                                   body=b"\0\0"),
    "two equal keys": raw(gis('{"content": "{}", "content": "{}"}').encode(), body=b"\0\0"),
    "a petabyte of shape": raw(b'{"a": {"dtype": "F32", "shape": [1000000, 1000000000], "data_offsets": [0, 4]}}',
                               body=b"\0\0\0\0"),
    "negative offsets": raw(b'{"a": {"dtype": "F16", "shape": [1], "data_offsets": [-2, 0]}}', body=b"\0\0"),
    "unknown type": raw(b'{"a": {"dtype": "X9", "shape": [1], "data_offsets": [0, 2]}}', body=b"\0\0"),
}  # fmt: skip


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_files_are_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "step-000000001.safetensors"
    path.write_bytes(data)
    for read in (read_model_file, read_checkpoint):
        with pytest.raises(CheckpointError, match=r"step-000000001\.safetensors") as error:
            read(path)
        assert "\n" not in str(error.value)


def test_sparse_files_and_pipes_take_no_memory_and_no_time(tmp_path: Path) -> None:
    path = tmp_path / "sparse.safetensors"
    with path.open("wb") as stream:
        stream.truncate(1 << 43)
    with pytest.raises(CheckpointError, match="GB"):
        read_model_file(path)
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(CheckpointError, match="no such file"):
        read_model_file(tmp_path / "pipe.safetensors")


STATES = {
    "a list": [1],
    "a number": 3,
    "a tensor that is not there": {"$tensor": "none"},
    "a tensor of another name": {"$tensor": 3},
    "no pairs": {"$dict": [1]},
    "pairs of three": {"$dict": [[1, 2, 3]]},
    "a list as key": {"$dict": [[["a"], 2]]},
    "no dict": {"x": 1},
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
def test_a_state_of_another_form_is_one_line(tmp_path: Path, state: Any) -> None:
    path = tmp_path / "c.safetensors"
    write_container(path, {"a": torch.zeros(1)}, {"kind": "gis-checkpoint", "state": state, "meta": {}})
    with pytest.raises(CheckpointError, match=r"c\.safetensors: incomplete state"):
        read_checkpoint(path)


def test_a_deep_state_is_one_line(tmp_path: Path) -> None:
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    path = tmp_path / "c.safetensors"
    write_checkpoint(path, {"a": deep}, {})
    read_checkpoint(path)
    text = json.dumps({"kind": "gis-checkpoint", "format": 1, "meta": {}, "state": "DEEP"})
    text = text.replace('"DEEP"', "[" * 3000 + "]" * 3000)
    save_file({"a": torch.zeros(1)}, path, metadata={"gis": json.dumps({"content": text, "sha256": "0"})})
    with pytest.raises(CheckpointError, match=r"c\.safetensors"):
        read_checkpoint(path)


@pytest.mark.parametrize("wrong", [
    {"epoch": "1"}, {"step": -5}, {"step": True}, {"step": 1 << 60}, {"best": float("nan")}, {"best": "x"},
    {"best_epoch": [1]}, {"step_in_epoch": 1.5},
])  # fmt: skip
def test_a_position_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    good = {"epoch": 1, "step_in_epoch": 0, "step": 3, "best": float("inf"), "best_epoch": -1}
    check_position(good)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        check_position(good | wrong)
