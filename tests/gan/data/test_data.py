"""Reading, caching, splitting and augmenting training data."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from gan.data.augmentation import Augmentation, augment
from gan.data.batch import Batch
from gan.data.decoded_images import decode
from gan.data.images import decode_image, read_image
from gan.data.layout import Sample, encode_sample
from gan.data.loader import Loader
from gan.data.options import DataOptions
from gan.data.planes import planes_to_batch
from gan.data.sources import find_sources, resize_plane
from gan.data.training_data import open_data
from gan.errors import ConfigError, DataError, LayoutError, TrainingError

CPU = torch.device("cpu")


def sample(index: int, size: int = 16, group: str = "") -> Sample:
    rng = np.random.default_rng(index)
    return Sample(
        index=index,
        label_image=rng.integers(0, 256, (size, size, 3), dtype=np.uint8),
        segmentation=rng.integers(0, 4, (size, size), dtype=np.uint8),
        inverse_depth=rng.integers(0, 65536, (size, size), dtype=np.uint16),
        target=rng.integers(0, 65536, (size, size), dtype=np.uint16),
        group=group,
    )


@pytest.fixture
def tensors(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "tensors"
    folder.mkdir(parents=True)
    for index in range(10):
        (folder / f"{index:06d}.safetensors").write_bytes(encode_sample(sample(index)))
    return folder.parent


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for sequence in ("a", "b", "c"):
        for frame in range(4):
            write_pair(tmp_path / "pairs", f"{sequence}_{frame:03d}", rng)
    return tmp_path / "pairs"


def write_pair(folder: Path, name: str, rng: np.random.Generator, size: int = 16, channels: int = 3) -> None:
    for kind, shape in (("visible", (size, size, channels)), ("infrared", (size, size))):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        image = rng.integers(0, 256, shape, dtype=np.uint8)
        assert cv2.imwrite(str(folder / kind / f"{name}.png"), np.squeeze(image))


def opened(folder: Path, cache: Path, **options: Any) -> Any:
    return open_data(folder, DataOptions(**options), cache)


def test_tensors_reach_the_network_as_the_layout_says(tensors: Path, tmp_path: Path) -> None:
    data = opened(tensors, tmp_path / "cache", validation=0.0, flip=False)
    assert (data.kind, data.in_channels, data.out_channels) == ("tensors", 7, 1)
    loader = Loader(data, 3, 0, DataOptions(flip=False), CPU)
    assert loader.steps == 4
    seen: dict[bytes, torch.Tensor] = {}
    for batch in loader.epoch(0):
        for source, target in zip(batch.source, batch.target, strict=True):
            seen[source.numpy().tobytes()] = target
    for index in range(10):
        original = sample(index)
        assert original.target is not None
        target = seen[original.source().tobytes()]
        np.testing.assert_allclose(target[0], original.target / 32767.5 - 1, atol=1e-6)


def test_shards_are_read_as_loose_files_are(tensors: Path, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    shards.mkdir()
    for number, indices in enumerate((range(6), range(6, 10))):
        with tarfile.open(shards / f"shard-{number:05d}.tar", "w") as archive:
            for index in indices:
                payload = encode_sample(sample(index))
                member = tarfile.TarInfo(f"{index:06d}.safetensors")
                member.size = len(payload)
                archive.addfile(member, io.BytesIO(payload))
    loose, packed = opened(tensors, tmp_path / "c1"), opened(shards, tmp_path / "c2")
    assert packed.describe() == loose.describe()
    (shards / "shard-00001.tar").write_bytes((shards / "shard-00001.tar").read_bytes()[:3000])
    with pytest.raises(DataError, match=r"shard-00001\.tar"):
        opened(shards, tmp_path / "c3")


def test_pairs_keep_their_partner_colour_and_range(pairs: Path, tmp_path: Path) -> None:
    data = opened(pairs, tmp_path / "cache", flip=False)
    assert (data.kind, data.in_channels, data.samples.size) == ("paired", 3, (16, 16))
    batch = next(Loader(data, 1, 0, DataOptions(), CPU, validate=True).epoch(0))
    name = data.samples.names[data.split.validation[0]]
    visible = cv2.imread(str(pairs / "visible" / f"{name}.png"))[..., ::-1]
    infrared = cv2.imread(str(pairs / "infrared" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose(batch.source[0].permute(1, 2, 0), visible / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(batch.target[0, 0], infrared / 127.5 - 1, atol=1e-6)


def test_16_bits_and_grey_survive(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for kind in ("visible", "infrared"):
        (tmp_path / kind).mkdir()
        for index in range(4):
            values = rng.integers(0, 65536, (8, 8), dtype=np.uint16)
            values[0, :2] = (0, 65535)
            cv2.imwrite(str(tmp_path / kind / f"{index}.png"), values)
    data = opened(tmp_path, tmp_path / "cache", validation=0.0, flip=False)
    assert data.describe()["target_bits"] == 16
    for batch in Loader(data, 1, 0, DataOptions(flip=False), CPU).epoch(0):
        assert batch.source.shape == (1, 1, 8, 8)
        assert batch.target[0, 0, 0, :2].tolist() == [-1.0, 1.0]


def test_temperatures_are_spread_over_the_range_that_was_given(tmp_path: Path) -> None:
    (tmp_path / "visible").mkdir()
    (tmp_path / "infrared").mkdir()
    for index in range(2):
        cv2.imwrite(str(tmp_path / "visible" / f"{index}.png"), np.zeros((4, 4, 3), np.uint8))
        tifffile.imwrite(tmp_path / "infrared" / f"{index}.tiff", np.full((4, 4), 290.0 + index, np.float32))
    with pytest.raises(DataError, match="--target-range"):
        opened(tmp_path, tmp_path / "cache")
    data = opened(tmp_path, tmp_path / "cache", target_range=(280.0, 300.0), validation=0.0)
    values = sorted(float(b.target.mean()) for b in Loader(data, 1, 0, DataOptions(), CPU).epoch(0))
    assert values == pytest.approx([0.0, 0.1], abs=1e-4)
    with pytest.raises(ConfigError, match="two rising values"):
        opened(tmp_path, tmp_path / "cache", target_range=(300.0, 280.0))


def test_unpaired_sides_may_differ_in_number_and_names(pairs: Path, tmp_path: Path) -> None:
    for path in sorted((pairs / "infrared").iterdir())[:3]:
        path.rename(path.with_name("x" + path.name))
    (pairs / "infrared" / "b_000.png").unlink()
    data = open_data(pairs, DataOptions(), tmp_path / "cache", pairing="unpaired")
    assert len(data.samples.names) == 12
    assert data.targets is not None
    assert len(data.targets.names) == 11
    loader = Loader(data, 2, 0, DataOptions(), CPU)
    first, again, later = (torch.cat([b.target for b in loader.epoch(n)]) for n in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    train = {data.targets.digests[position] for position in data.target_split.train}  # type: ignore[union-attr]
    held_out = {data.targets.digests[position] for position in data.target_split.validation}  # type: ignore[union-attr]
    assert not train & held_out


def test_missing_partner(pairs: Path, tmp_path: Path) -> None:
    (pairs / "infrared" / "b_002.png").unlink()
    with pytest.raises(DataError, match=r"visible/b_002\.png: 1 images have no partner"):
        opened(pairs, tmp_path / "cache")


def test_mixed_sizes_name_the_way_out(pairs: Path, tmp_path: Path) -> None:
    write_pair(pairs, "b_002", np.random.default_rng(1), size=20)
    with pytest.raises(DataError, match=r"b_002: source is 20x20 pixels, a_000 is 16x16; .* --size"):
        opened(pairs, tmp_path / "cache")
    assert opened(pairs, tmp_path / "cache", size=8).samples.size == (8, 8)


def test_partner_of_another_size(pairs: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(pairs / "infrared" / "b_002.png"), np.zeros((16, 17), np.uint8))
    with pytest.raises(DataError, match=r"b_002\.png: size differs from its partner's"):
        opened(pairs, tmp_path / "cache")


def test_wrong_channel_counts(pairs: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(pairs / "visible" / "c_001.png"), np.zeros((16, 16), np.uint8))
    with pytest.raises(DataError, match="c_001: source has 1 channels, a_000 has 3"):
        opened(pairs, tmp_path / "cache")
    cv2.imwrite(str(pairs / "visible" / "c_001.png"), np.zeros((16, 16, 4), np.uint8))
    data = opened(pairs, tmp_path / "cache")
    assert "c_001" not in data.samples.names
    (skipped,) = data.skipped
    assert skipped[0] == "c_001"
    assert "c_001.png: is in part transparent" in skipped[1]


def test_palette_images_are_no_intensity(pairs: Path, tmp_path: Path) -> None:
    colour = np.zeros((16, 16, 3), np.uint8)
    colour[..., 2] = 200
    cv2.imwrite(str(pairs / "infrared" / "a_001.png"), colour)
    with pytest.raises(DataError, match=r"a_001\.png: a colour image"):
        opened(pairs, tmp_path / "cache")


def test_nan_pixels_and_broken_files(tmp_path: Path) -> None:
    image = np.zeros((4, 4), np.float32)
    image[1, :3] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", image)
    with pytest.raises(DataError, match=r"a\.tif: 3 NaN pixels"):
        read_image(tmp_path / "a.tif")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(DataError, match=r"b\.png: cannot be read"):
        read_image(tmp_path / "b.png")
    np.save(tmp_path / "c.npy", np.zeros((4, 4), np.int64))
    with pytest.raises(DataError, match="pixels are int64"):
        read_image(tmp_path / "c.npy")
    np.save(tmp_path / "d.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(DataError, match=r"d\.npy: cannot be read"):
        read_image(tmp_path / "d.npy")


def test_folders_without_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        find_sources(tmp_path / "none")
    with pytest.raises(DataError, match="no training data; expected"):
        find_sources(tmp_path)
    (tmp_path / "visible").mkdir()
    with pytest.raises(DataError, match="visible: no images"):
        find_sources(tmp_path)


def test_samples_without_target_or_of_another_layout(tensors: Path, tmp_path: Path) -> None:
    path = tensors / "tensors" / "000003.safetensors"
    fields = {**vars(sample(3)), "target": None}
    path.write_bytes(encode_sample(Sample(**fields)))
    with pytest.raises(DataError, match=r"000003\.safetensors: sample has no target"):
        opened(tensors, tmp_path / "cache")
    path.write_bytes(path.read_bytes()[:700])
    data = opened(tensors, tmp_path / "cache")
    assert [name for name, _ in data.skipped] == ["000003"]
    assert "000003.safetensors" in data.skipped[0][1]
    for other in (tensors / "tensors").iterdir():
        other.write_bytes(other.read_bytes()[:700])
    with pytest.raises(LayoutError, match=r"000000\.safetensors"):
        opened(tensors, tmp_path / "cache")


def test_damaged_pairs_are_left_out_and_the_others_stay_what_they_are(pairs: Path, tmp_path: Path) -> None:
    """The rest trains as if the damaged ones had never been there, hash and split included; lists may name them."""
    bad = ["a_001", "b_000", "c_003"]
    lists = {"validation_list": str(tmp_path / "val.txt"), "train_list": str(tmp_path / "train.txt")}
    names = sorted(path.stem for path in (pairs / "visible").iterdir())
    (tmp_path / "val.txt").write_text("\n".join(names[-4:]))
    (tmp_path / "train.txt").write_text("\n".join(names[:-4]))
    before = opened(pairs, tmp_path / "before")
    for name, side, content in zip(bad, ("visible", "infrared", "visible"), (b"", b"\x89PNG", b"text"), strict=True):
        (pairs / side / f"{name}.png").write_bytes(content)
    for number in range(2):  # once decoded, once out of the cache
        data = opened(pairs, tmp_path / "cache")
        assert [name for name, _ in data.skipped] == bad, number
        rest = [row for row, name in enumerate(before.samples.names) if name not in bad]
        assert data.samples.names == tuple(before.samples.names[row] for row in rest)
        assert data.samples.digests == tuple(before.samples.digests[row] for row in rest)
        for name, plane in data.samples.planes.items():
            assert np.array_equal(plane, before.samples.planes[name][rest])
        assert data.describe()["skipped"] == 3
    assert "skipped" not in before.describe()
    listed = opened(pairs, tmp_path / "cache", **lists)
    assert len(listed.split.train) + len(listed.split.validation) == len(names) - 3
    for path in list((pairs / "visible").iterdir())[: len(names) // 2 + 1]:
        path.write_bytes(b"")
    with pytest.raises(DataError, match="cannot be used, the first: "):
        opened(pairs, tmp_path / "cache")


def test_an_interrupted_cache_is_filled_again(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = find_sources(pairs).items
    reads: list[str] = []

    def stop_midway(found: Any) -> Any:
        for position, item in enumerate(found):
            if position == 5:
                raise KeyboardInterrupt
            reads.append(item.name)
            yield item

    with pytest.raises(KeyboardInterrupt):
        decode(items, tmp_path / "cache", progress=stop_midway)
    whole = decode(items, tmp_path / "cache")
    assert len(whole.names) == 12
    assert (whole.planes["source"][11] == read_image(pairs / "visible" / "c_003.png")).all()
    # Filled once, it is only opened.
    monkeypatch.setattr("gan.data.sources.read_image", lambda path: pytest.fail(f"{path} read again"))
    again = decode(items, tmp_path / "cache")
    assert again.fingerprint == whole.fingerprint


def test_a_changed_file_gets_a_new_cache(pairs: Path, tmp_path: Path) -> None:
    before = opened(pairs, tmp_path / "cache").describe()
    write_pair(pairs, "a_000", np.random.default_rng(77), size=16)
    assert opened(pairs, tmp_path / "cache").describe()["sha256"] != before["sha256"]


def test_full_disk_while_caching(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(TrainingError, match=r"cache cannot be written .*No space left"):
        opened(pairs, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_order_is_new_each_epoch_and_complete(tensors: Path, tmp_path: Path) -> None:
    data = opened(tensors, tmp_path / "cache", validation=0.0)
    loader = Loader(data, 2, 0, DataOptions(flip=False), CPU)
    epochs = [[b.source[:, 0, 0, :4].numpy().tobytes() for b in loader.epoch(n)] for n in (0, 0, 1)]
    assert epochs[0] == epochs[1]
    assert epochs[0] != epochs[2]
    assert len(set(loader._order(0))) == 10


def test_a_started_epoch_goes_on_where_it_stopped(tensors: Path, tmp_path: Path) -> None:
    options = DataOptions(jitter=1.2)
    data = opened(tensors, tmp_path / "cache", validation=0.0)
    whole = list(Loader(data, 2, 0, options, CPU).epoch(3))
    rest = list(Loader(data, 2, 0, options, CPU).epoch(3, first=2))
    assert len(rest) == len(whole) - 2
    for a, b in zip(whole[2:], rest, strict=True):
        assert torch.equal(a.source, b.source)
        assert torch.equal(a.target, b.target)


def test_ranks_share_the_order(tensors: Path, tmp_path: Path) -> None:
    data = opened(tensors, tmp_path / "cache", validation=0.0)
    loaders = [Loader(data, 2, 0, DataOptions(), CPU, rank=rank, world=3) for rank in range(3)]
    orders = [loader._order(1) for loader in loaders]
    assert {len(order) for order in orders} == {4}
    assert set().union(*orders) == set(range(10))


def test_resident_data_are_the_same(tensors: Path, tmp_path: Path) -> None:
    data = opened(tensors, tmp_path / "cache")
    mapped = Loader(data, 2, 0, DataOptions(), CPU)
    resident = Loader(data, 2, 0, DataOptions(resident=True), CPU)
    for a, b in zip(mapped.epoch(0), resident.epoch(0), strict=True):
        assert torch.equal(a.source, b.source)
        assert torch.equal(a.target, b.target)


@pytest.mark.parametrize("change", [Augmentation(flip=True), Augmentation(zoom=1.25, shift_x=0.4, shift_y=-1.0)])
def test_source_and_target_move_alike(change: Augmentation, make_batch: Callable[..., Batch]) -> None:
    image = make_batch(1).source
    moved = augment(Batch(image.expand(-1, 3, -1, -1), image), [change])
    assert not torch.equal(moved.target, image)
    for channel in range(3):
        torch.testing.assert_close(moved.source[:, channel : channel + 1], moved.target)


def test_augmentation_by_hand() -> None:
    image = torch.arange(16.0).view(1, 1, 4, 4) / 16
    flipped = augment(Batch(image, image), [Augmentation(flip=True)])
    assert torch.equal(flipped.source[..., 0], image[..., 3])
    # Zoom 2 at the top left: the crop is the upper left quarter; output pixel 1 lies a quarter pixel before input 1.
    zoomed = augment(Batch(image, image), [Augmentation(zoom=2.0, shift_x=-1.0, shift_y=-1.0)]).source
    assert zoomed[0, 0, 0, 0] == pytest.approx(0.0)
    assert zoomed[0, 0, 0, 1].item() == pytest.approx(0.25 / 16)
    assert zoomed.max().item() <= image[..., :3, :3].max().item()
    # A zoomed flip is the flip of the zoom.
    both = augment(Batch(image, image), [Augmentation(True, 2.0, -1.0, -1.0)]).source
    torch.testing.assert_close(both, zoomed.flip(-1))


def test_half_of_the_images_are_flipped(tensors: Path, tmp_path: Path) -> None:
    data = opened(tensors, tmp_path / "cache", validation=0.0)
    loader = Loader(data, 1, 0, DataOptions(), CPU)
    flips = [loader._draw(row, epoch).flip for row in range(10) for epoch in range(40)]
    assert 0.42 < np.mean(flips) < 0.58


def test_labels_are_never_blended_when_scaled() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, (1, 40, 60), dtype=np.uint8) * 50
    scaled = resize_plane("segmentation", labels, (24, 24))
    assert set(np.unique(scaled)) <= set(np.unique(labels))
    assert resize_plane("source", labels, (24, 24)).shape == (1, 24, 24)
    # The middle is kept: a mark in the centre stays in the centre.
    marked = np.zeros((1, 40, 60), np.uint8)
    marked[0, 18:22, 28:32] = 255
    ys, xs = np.nonzero(resize_plane("source", marked, (20, 20))[0])
    assert (ys.mean(), xs.mean()) == (9.5, 9.5)


def test_full_scale_stays_within_one() -> None:
    planes = {
        "source": torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2),
        "target": torch.tensor([0, -1], dtype=torch.int16).view(1, 1, 1, 2),
    }
    batch = planes_to_batch(planes)
    assert batch.source.flatten().tolist() == [-1.0, 1.0]
    assert batch.target.flatten().tolist() == [-1.0, 1.0]


def test_real_pairs(shared_data: Path, tmp_path: Path) -> None:
    options = DataOptions(source_dir="vi", target_dir="ir", size=64)
    data = open_data(shared_data / "msrs", options, tmp_path)
    assert len(data.split.train) + len(data.split.validation) == 34
    assert data.in_channels == 3


def _written(mode: str, kind: str, **options: Any) -> bytes:
    rng = np.random.default_rng(3)
    colour = cv2.GaussianBlur(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8), (0, 0), 2)
    stream = io.BytesIO()
    image = Image.fromarray(colour)
    (image.quantize(90) if mode == "P" else image.convert(mode)).save(stream, kind, **options)
    return stream.getvalue()


_TURNED = Image.Exif()
_TURNED[0x0112] = 6
KINDS = {
    "grey": _written("L", "PNG"), "one bit": _written("1", "PNG"), "colour": _written("RGB", "PNG"),
    "opacity": _written("RGBA", "PNG"), "grey with opacity": _written("LA", "PNG"), "palette": _written("P", "PNG"),
    "palette with a hole": _written("P", "PNG", transparency=3), "jpeg": _written("RGB", "JPEG", quality=70),
    "whole jpeg": _written("RGB", "JPEG", quality=95, subsampling=0), "grey jpeg": _written("L", "JPEG"),
    "inks": _written("CMYK", "JPEG"), "turned": _written("RGB", "JPEG", exif=_TURNED), "bmp": _written("RGB", "BMP"),
    "webp": _written("RGB", "WEBP"),
    "grey16": cv2.imencode(".png", np.arange(3072, dtype=np.uint16).reshape(48, 64) * 21)[1].tobytes(),
    "colour16": cv2.imencode(".png", np.arange(9216, dtype=np.uint16).reshape(48, 64, 3) * 7)[1].tobytes(),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_two_libraries_read_the_same_pixels(kind: str) -> None:
    pixels = decode_image(KINDS[kind])
    other = cv2.imdecode(np.frombuffer(KINDS[kind], np.uint8), cv2.IMREAD_UNCHANGED)
    if kind == "turned":
        other = cv2.rotate(other, cv2.ROTATE_90_CLOCKWISE)
    assert pixels.dtype == other.dtype
    assert np.array_equal(pixels, other if other.ndim == 2 else other[..., [2, 1, 0, 3][: other.shape[2]]])


@pytest.mark.parametrize("kind", ["grey", "colour16", "jpeg", "webp", "bmp"])
def test_what_is_no_whole_image_is_one_error(kind: str) -> None:
    for broken in (b"", b"text", KINDS[kind][:20], KINDS[kind][: len(KINDS[kind]) // 2]):
        with pytest.raises(ValueError, match=r"."):
            decode_image(broken)
