"""Data sets in shards, in a folder and in an object store on this machine (`make test-cluster`).

Oracles: the same frames in single files, tar, webdataset, datasets and pyarrow, and an S3 of its own (moto).
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_renderer import FakeScene

from gan import read_samples
from gan.data.sources import find_sources
from gan.errors import DataError
from pipelines.dataset.merge import merge
from pipelines.dataset.packed.members import file_of, member_of
from pipelines.dataset.packed.reader import open_packed
from pipelines.dataset.packed.samples import find_sources_anywhere
from pipelines.dataset.packed.writer import full_shard
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.dataset.validation import validate
from pipelines.detection.labelled_images import open_labelled
from pipelines.errors import ConfigError, DatasetError, PipelineError
from pipelines.export.run import export_dataset
from pipelines.io.stores import open_store
from pipelines.statistics.config import StatsConfig
from pipelines.statistics.run import run_stats
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

pytest.importorskip("pyarrow", reason="gis-thermal[store] is not installed: make test-cluster")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the tools of others
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
COUNT, IN_SHARD = 20, 8


def make(out: Path | str, **options: Any) -> Path:
    options = {
        "count": COUNT, "workers": 1, "pack": "shards", "shard_frames": IN_SHARD, "tensors": True, **options
    }  # fmt: skip
    config = SynthesizeConfig(Path(out), seed=3, model="physics", size="64", **options)
    return synthesize_dataset(config, session_factory=FakeScene())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def in_store(url: str) -> dict[str, bytes]:
    store = open_store(url)
    return {name: store.read(name) for name in store.tree()}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("packed") / "set")


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same frames in single files."""
    return make(tmp_path_factory.mktemp("single") / "set", pack="files", shard_frames=None)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three unequal ranges that begin and end within shards, the last first."""
    folder = tmp_path_factory.mktemp("parts")
    ranges = ("13:20", "0:5", "5:13")
    return [make(folder / text.replace(":", "-"), frames=text) for text in ranges]


def test_shards_hold_the_single_files(packed: Path, single: Path) -> None:
    lines = (single / "frames.jsonl").read_text().splitlines()
    seen = 0
    for number, path in enumerate(sorted((packed / "shards").iterdir())):
        with tarfile.open(path) as archive:
            members = {item.name: archive.extractfile(item).read() for item in archive}
        for index in range(number * IN_SHARD, min(COUNT, (number + 1) * IN_SHARD)):
            record = json.loads(members.pop(f"{index:06d}.json"))
            assert record == json.loads(lines[index])
            for name, digest in record["files"].items():
                data = members.pop(member_of(name))
                assert data == (single / name).read_bytes()
                assert hashlib.sha256(data).hexdigest() == digest
            members.pop(f"{index:06d}.safetensors")
            seen += 1
        assert members == {}
    assert seen == COUNT
    for name in ("annotations/coco.json", "preview.png", "label_errors.html"):
        assert (packed / name).read_bytes() == (single / name).read_bytes()


def test_names_lead_back(single: Path) -> None:
    record = json.loads((single / "frames.jsonl").read_text().splitlines()[0])
    for name in (*record["files"], "tensors/.parts/000000.safetensors"):
        assert file_of(member_of(name)) == name
    with pytest.raises(DatasetError, match="no file of a frame"):
        file_of("../../etc/passwd")


def test_bytes_do_not_depend_on_workers_or_on_where_it_stopped(packed: Path, tmp_path: Path) -> None:
    make(tmp_path / "set", count=5, workers=2)
    make(tmp_path / "set", count=11, workers=1)
    make(tmp_path / "set", workers=2)
    assert contents(tmp_path / "set") == contents(packed)


def test_a_killed_run_goes_on(packed: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    code = (
        "from pathlib import Path; from fake_renderer import FakeScene; import test_packed_sets as t\n"
        f"c = t.SynthesizeConfig(Path({str(out)!r}), seed=3, model='physics', tensors=True, size='64', count={COUNT},"
        f" workers=1, pack='shards', shard_frames={IN_SHARD})\n"
        "t.synthesize_dataset(c, session_factory=FakeScene(slow_s=0.3))\n"
    )
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests/pipelines", ROOT / "tests/cluster")))
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})
    end = time.monotonic() + 300
    while not list(out.glob("frames/*.parquet")) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.8)  # in the middle of the second shard
    process.send_signal(signal.SIGKILL)
    process.wait()
    listed = sorted(path.stem for path in out.glob("frames/*.parquet"))
    assert 1 <= len(listed) < 3
    assert {path.stem for path in out.glob("shards/*.tar")} >= set(listed)
    make(out)
    assert contents(out) == contents(packed)


def test_a_shard_that_is_gone_is_made_again(packed: Path, tmp_path: Path) -> None:
    import shutil

    out = tmp_path / "set"
    shutil.copytree(packed, out)
    (out / "shards/shard-000001.tar").unlink()
    make(out)
    assert contents(out) == contents(packed)


def test_validate_is_clean_and_finds_damage(packed: Path, tmp_path: Path) -> None:
    import shutil

    report = validate(packed)
    assert (report.problems, report.frames) == ([], COUNT)
    some = validate(packed, sample="25%")
    assert (some.problems, some.frames, some.checked) == ([], COUNT, 5)
    out = tmp_path / "set"
    shutil.copytree(packed, out)
    shard = out / "shards/shard-000001.tar"
    with tarfile.open(shard) as archive:
        place = archive.getmember("000009.images.png").offset_data + 60
    data = bytearray(shard.read_bytes())
    data[place] ^= 1
    shard.write_bytes(data)
    (out / "shards/foreign.tar").write_bytes(b"x")
    problems = "\n".join(validate(out).problems)
    assert "shards/shard-000001.tar: is not the file that was written" in problems
    assert "images/000009.png: is not the file that was written" in problems
    assert "shards/foreign.tar: does not belong" in problems


def test_exports_and_training_are_those_of_single_files(packed: Path, single: Path, tmp_path: Path) -> None:
    for folder, name in ((packed, "packed"), (single, "single")):
        for form in ("coco", "bop"):
            export_dataset(folder, tmp_path / name / form, form)
    assert contents(tmp_path / "packed") == contents(tmp_path / "single")
    with pytest.raises(ConfigError, match="link"):
        export_dataset(packed, tmp_path / "linked", "coco", link=True)
    planes = [[item.read()[0] for item in find_sources(folder).items] for folder in (packed, single)]
    for one, other in zip(*planes, strict=True):
        assert all((one[name] == other[name]).all() for name in other)
    assert [sample.index for sample in read_samples(packed)] == list(range(COUNT))


def test_webdataset_reads_it(packed: Path, single: Path) -> None:
    webdataset = pytest.importorskip("webdataset")

    import cv2

    shards = [str(path) for path in sorted((packed / "shards").iterdir())]
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == [f"{index:06d}" for index in range(COUNT)]
    for sample in samples:
        name = sample["__key__"]
        image = cv2.imread(str(single / f"images/{name}.png"), cv2.IMREAD_UNCHANGED)
        assert sample["images.png"] == (single / f"images/{name}.png").read_bytes()
        assert json.loads(sample["json"])["camera"]["width"] == image.shape[1]
    decoded = next(iter(webdataset.WebDataset(shards[:1], shardshuffle=False).decode("pil")))
    assert decoded["images.png"].size == (64, 64)


def test_datasets_reads_it(packed: Path) -> None:
    datasets = pytest.importorskip("datasets")

    pattern = str(packed / "shards/*.tar")
    stream = datasets.load_dataset("webdataset", data_files=pattern, split="train", streaming=True)
    rows = list(stream)
    assert [row["__key__"] for row in rows] == [f"{index:06d}" for index in range(COUNT)]
    assert rows[0]["images.png"].size == (64, 64)
    assert rows[3]["json"]["index"] == 3


def test_the_index_is_two_tables(packed: Path, single: Path) -> None:
    from pyarrow import dataset

    frames = dataset.dataset(packed / "frames").to_table().to_pylist()
    assert [row["record"] for row in frames] == (single / "frames.jsonl").read_text().splitlines()
    objects = dataset.dataset(packed / "objects").to_table().to_pylist()
    coco = json.loads((single / "annotations/coco.json").read_text())
    kinds = {entry["id"]: entry["name"] for entry in coco["categories"]}
    wanted = [
        (one["image_id"], one["instance_id"], kinds[one["category_id"]], one["area"]) for one in coco["annotations"]
    ]
    assert [(row["frame"], row["id"], row["category"], row["visible_px"]) for row in objects] == wanted
    one = frames[9]
    place = next(item for item in one["files"] if item["name"] == "depth/000009.exr")
    data = (packed / one["shard"]).read_bytes()
    assert data[place["offset"] : place["offset"] + place["size"]] == (single / "depth/000009.exr").read_bytes()


def test_merged_parts_are_the_whole(packed: Path, single: Path, parts: list[Path], tmp_path: Path) -> None:
    merge(parts, tmp_path / "packed")
    assert contents(tmp_path / "packed") == contents(packed)
    merge(parts, tmp_path / "single", pack="files")
    assert contents(tmp_path / "single") == contents(single)
    with pytest.raises(DatasetError, match="frames 5 to 12 are in no part"):
        merge(parts[:2], tmp_path / "gap")
    with pytest.raises(ConfigError, match="how link"):
        merge(parts, tmp_path / "linked", how="link")


def test_packing_and_unpacking_lose_nothing(packed: Path, single: Path, tmp_path: Path) -> None:
    merge([packed], tmp_path / "single", pack="files")
    assert contents(tmp_path / "single") == contents(single)
    merge([tmp_path / "single"], tmp_path / "packed", pack="shards")
    there = open_packed(tmp_path / "packed")
    assert [line for _, line in there.lines()] == (single / "frames.jsonl").read_text().splitlines()
    assert validate(tmp_path / "packed").problems == []


def test_full_shards_have_round_numbers() -> None:
    assert full_shard(512 * 512, tensors=False) == 200
    assert full_shard(640 * 512, tensors=False) in (100, 200)
    assert full_shard(512 * 512, tensors=True) < 100
    assert full_shard(20000 * 20000, tensors=True) == 1


# --- object stores ----------------------------------------------------------------------------------------------------


def test_memory_is_a_store(packed: Path) -> None:
    make("memory://sets/a")
    assert in_store("memory://sets/a") == contents(packed)


def test_file_addresses_are_folders(packed: Path, tmp_path: Path) -> None:
    make(f"file://{tmp_path}/set")
    assert contents(tmp_path / "set") == contents(packed)


def test_a_store_asks_for_shards() -> None:
    with pytest.raises(ConfigError, match="give --pack shards"):
        make("memory://sets/b", pack="files", shard_frames=None)
    with pytest.raises(PipelineError, match="no such store"):
        validate(Path("nonsense://bucket/set"))


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server that speaks S3, with an empty bucket; everything that reaches it does so by the environment."""
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "test")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    import boto3

    boto3.client("s3").create_bucket(Bucket="sets")
    yield "s3://sets"
    patch.undo()
    server.stop()


def test_s3_gets_the_same_objects(s3: str, packed: Path, parts: list[Path]) -> None:
    make(f"{s3}/whole")
    assert in_store(f"{s3}/whole") == contents(packed)
    report = validate(Path(f"{s3}/whole"))
    assert (report.problems, report.frames) == ([], COUNT)
    for part, frames in zip("abc", ("13:20", "0:5", "5:13"), strict=True):
        make(f"{s3}/part-{part}", frames=frames)
    merge([Path(f"{s3}/part-{part}") for part in "abc"], Path(f"{s3}/merged"))
    assert in_store(f"{s3}/merged") == contents(packed)


def test_s3_goes_on_where_it_stopped(s3: str, packed: Path) -> None:
    make(f"{s3}/grown", count=11)
    make(f"{s3}/grown")
    assert in_store(f"{s3}/grown") == contents(packed)


def test_s3_is_exported_from(s3: str, packed: Path, tmp_path: Path) -> None:
    make(f"{s3}/export")
    export_dataset(f"{s3}/export", tmp_path / "s3", "coco")
    export_dataset(packed, tmp_path / "here", "coco")
    assert contents(tmp_path / "s3") == contents(tmp_path / "here")


def test_s3_is_trained_from(s3: str, packed: Path, tmp_path: Path) -> None:
    """The model is, byte for byte, that of the same set in a folder."""
    from gan.training.options import TrainOptions
    from gan.training.train import train

    make(f"{s3}/train")
    here, there = (find_sources_anywhere(place) for place in (packed, Path(f"{s3}/train")))
    assert [item.name for item in there.items] == [item.name for item in here.items]
    assert there.meaning == here.meaning
    for place in (0, 19, 7, 8):  # in any order
        planes = [sources.items[place].read()[0] for sources in (here, there)]
        assert all((planes[0][name] == planes[1][name]).all() for name in planes[0])
    small = {"ngf": 4, "ndf": 4}
    models = [
        train(place, tmp_path / name, "pix2pix", small, TrainOptions(epochs=1, batch=4), find=find_sources_anywhere)
        for place, name in ((packed, "here"), (Path(f"{s3}/train"), "there"))
    ]
    assert models[0].read_bytes() == models[1].read_bytes()
    make(f"{s3}/bare", tensors=False)
    with pytest.raises(DataError, match="bare: no training data"):
        find_sources_anywhere(Path(f"{s3}/bare"))


def test_s3_is_looked_at_where_it_lies(s3: str, packed: Path) -> None:
    make(f"{s3}/seen")
    here, there = (run_stats(StatsConfig((f"set:{place}",)))[0] for place in (packed, f"{s3}/seen"))
    assert there == here
    assert there.pictures == COUNT
    one, other = (open_labelled(str(place), ("car",)) for place in (packed, f"{s3}/seen"))
    assert all(np.array_equal(a.read(), b.read()) for a, b in zip(one.images, other.images, strict=True))


def test_the_example_reads_shards_from_s3(s3: str, packed: Path) -> None:
    pytest.importorskip("webdataset", reason="webdataset is not installed: make test-cluster")
    make(f"{s3}/example")
    command = [sys.executable, "-W", "ignore", str(ROOT / "examples/read_shards.py"), f"{s3}/example"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    objects = sum(len(record.counted) for record in read_records(packed, FrameRecord))
    assert (done.stdout, done.returncode) == (f"{COUNT} frames, {objects} objects\n", 0), done.stderr


def test_a_writer_killed_in_mid_object_lists_nothing(s3: str, tmp_path: Path) -> None:
    """An upload in pieces that never ends: what a writer leaves that was killed while it sent a shard."""
    code = (
        "import os, signal\n"
        "from pipelines.io.stores import open_store\n"
        "import s3fs\n"
        "real = s3fs.S3FileSystem._call_s3\n"
        "async def call(self, method, *args, **more):\n"
        "    if method == 'complete_multipart_upload':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return await real(self, method, *args, **more)\n"
        "s3fs.S3FileSystem._call_s3 = call\n"
        f"store = open_store('{s3}/killed')\n"
        "place = store.spool('shards/shard-000000.tar')\n"
        "place.write_bytes(bytes(120 << 20))\n"
        "store.put(place, 'shards/shard-000000.tar')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, timeout=300)
    assert ended.returncode == -signal.SIGKILL
    store = open_store(f"{s3}/killed")
    assert store.tree() == set()
    assert store.names("shards") == []


def gis(*words: str, **environment: str | None) -> tuple[int, str, float]:
    variables = {key: value for key, value in {**os.environ, **environment}.items() if value is not None}
    begun = time.monotonic()
    command = [sys.executable, "-m", "pipelines.cli", *words]
    variables["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=200)
    return done.returncode, done.stderr.strip(), time.monotonic() - begun


@pytest.mark.parametrize(
    ("address", "environment", "said"),
    [
        ("s3://not-there/set", {}, "there is no bucket not-there"),
        ("s3://sets/set", {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "refuses access"),
        ("s3://sets/set", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "does not answer"),
        ("s3://sets/set", {"AWS_ENDPOINT_URL": "silent"}, "does not answer"),
    ],
    ids=["no bucket", "no credentials", "nobody listens", "no answer"],
)
def test_what_cannot_be_reached_is_one_line(
    s3: str, address: str, environment: dict[str, str | None], said: str
) -> None:
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections and says nothing
    environment = {"AWS_EC2_METADATA_DISABLED": "true", **environment}
    if environment.get("AWS_ENDPOINT_URL") == "silent":
        environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
    idle = gis("validate", "s3://not-there/set")[2]  # answered at once: what it takes to start
    for words in (("validate", address), ("synthesize", "--pack", "shards", "--model", "physics", "--out", address)):
        code, text, took = gis(*words, **environment)
        assert code == 1
        assert said in text
        assert len(text.splitlines()) == 1
        assert took - idle < 15
    silent.close()


def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None; sys.modules['fsspec'] = None\n"
        "from pipelines.cli.main import main; main()"
    )
    for words in (["validate", "s3://bucket/set"], ["synthesize", "--out", str(tmp_path / "set"), "--pack", "shards"]):
        command = [sys.executable, "-c", code, *words, *(["--model", "physics"] if words[0] == "synthesize" else [])]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        assert done.returncode == 1
        assert "pip install 'gis-thermal[store]'" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "set").exists()
