"""Sources that the shipped model is really given, to calibrate int8 on (`gan.serving.ship --samples`) or to teach by.

    python -m benchmarks.realism.windows OUT.safetensors [--backgrounds FRAMES] [--each 24]
    python -m benchmarks.realism.windows OUT --size 192 [--backgrounds FRAMES] [--each 800]

Frames of the city and of generated streets, by day, at night, in rain and snow, and cars in real frames where a folder
of those is given, are made as `gis synthesize --model pix2pix` makes them, and what the network is given is kept: cut
to one size on the grid of the network, with what is painted in its middle. Windows that are smaller are left out. An
OUT without ending becomes a folder of source tensors for `gis train --teacher`, whose targets are the pictures of the
physics; larger windows than the product's are cut where they are asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from assets import CAR_WEIGHTS
from benchmarks.speed.cases import cases
from gan.data.layout import Sample, encode_sample
from gan.options import keyword_options
from gan.serving.inference import ModelInfo, TranslationModel, load_model
from pipelines.synthesis.frame_maker import FrameMaker, read_inputs
from pipelines.synthesis.infrared import MARGIN_PX, Physics, Translation
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import open_session
from pipelines.synthesis.source_tensor import FULL_SCALE
from pipelines.synthesis.windows import Box

__all__ = ["as_sample", "main", "middle"]

Float32 = NDArray[np.float32]
SIZE_PX = 128


@dataclass
class Watched:
    """A translation model that keeps what it is given; see `pipelines.synthesis.infrared.WindowTranslator`."""

    model: TranslationModel
    size_px: int = SIZE_PX
    kept: list[Float32] = field(default_factory=list)
    """(C, size_px, size_px) each."""

    @property
    def name(self) -> str:
        """Of the model."""
        return self.model.name

    @property
    def about(self) -> ModelInfo:
        """What it is."""
        return self.model.about

    @property
    def in_channels(self) -> int:
        """Of its sources."""
        return self.model.in_channels

    def translate_each(self, sources: Iterable[Float32], parts: Sequence[Box]) -> Iterable[Float32]:
        """Translates each, and keeps the middle of those that are large enough."""
        for source, part in zip(sources, parts, strict=True):
            if min(source.shape[1:]) >= self.size_px:
                self.kept.append(middle(source, part, self.model.about.multiple_px, self.size_px))
            yield self.model.translate_part(source, part)


def middle(source: Float32, part: Box, step_px: int, size_px: int = SIZE_PX) -> Float32:
    """(C, size_px, size_px) of a source, about the middle of what is painted, on lines of a grid."""
    corner = [
        min(max((low + high - size_px) // 2, 0) // step_px * step_px, length - size_px)
        for low, high, length in zip(part[:2], part[2:], source.shape[1:], strict=True)
    ]
    return source[:, corner[0] : corner[0] + size_px, corner[1] : corner[1] + size_px].copy()


def windows_of(options: dict[str, Any], weights: Path, wanted: int, size_px: int = SIZE_PX) -> list[Float32]:
    """As many windows of one kind of frames."""
    known = {**options, "out": Path("unused"), "count": 1_000_000, "model": "pix2pix", "weights": weights}
    config = keyword_options(SynthesizeConfig, known)
    watched = Watched(load_model(weights, threads=1, any_size=True, precision="fp32"), size_px)
    margin_px = MARGIN_PX if size_px <= SIZE_PX else size_px // 2
    translation = Translation(config.model, weights, Physics(appearance=config.appearance), watched, margin_px)
    maker = FrameMaker(config, read_inputs(config), open_session(config), translation)
    index = 0
    while len(watched.kept) < wanted:
        maker.make(index)
        index += 1
    return watched.kept[:wanted]


def as_sample(source: Float32, index: int) -> Sample:
    """A window (7, H, W) of layout physics as it is stored for training; its target is the picture of the physics."""
    label = np.rint((source[:3] + 1) * np.float32(127.5)).astype(np.uint8)
    heat = source[3:6] > 0
    depth = np.rint((source[6] + 1) * np.float32(32767.5)).astype(np.uint16)
    return Sample(
        index=index,
        label_image=np.ascontiguousarray(label.transpose(1, 2, 0)),
        segmentation=(heat * np.array([1, 2, 3], np.uint8)[:, None, None]).sum(axis=0, dtype=np.uint8),
        inverse_depth=depth,
        target=label[0].astype(np.uint16) * np.uint16(FULL_SCALE),
        instance_id=(depth > 0).astype(np.uint16),
        layout="physics",
    )


def write(windows: Sequence[Float32], out: Path) -> None:
    """Writes one file of all, or a folder of samples."""
    if out.suffix:
        save_file({"source": np.stack(windows)}, out)
        return
    out.mkdir(parents=True, exist_ok=True)
    for index, window in enumerate(windows):
        (out / f"{index:06d}.safetensors").write_bytes(encode_sample(as_sample(window, index)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes frames and writes what the network was given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--backgrounds", type=Path, default=None, help="real frames, for one more kind")
    parser.add_argument("--weights", type=Path, default=CAR_WEIGHTS)
    parser.add_argument("--each", type=int, default=24, help="windows of each kind of frames")
    parser.add_argument("--size", type=int, default=SIZE_PX, help="their edge, pixels")
    parser.add_argument("--seed", type=int, default=5, help="other than that of any benchmark")
    given = parser.parse_args(arguments)
    kept: list[Float32] = []
    for kind, options in cases(given.backgrounds and given.backgrounds.resolve()).items():
        kept += windows_of({"seed": given.seed, **options}, given.weights, given.each, given.size)
        print(f"{kind}: {len(kept)} windows", flush=True)
    order = np.random.default_rng(given.seed).permutation(len(kept))  # some are held back, by their place
    write([kept[place] for place in order], given.out)


if __name__ == "__main__":
    main()
