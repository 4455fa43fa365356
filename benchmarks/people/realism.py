"""How near inserted people are to real ones as a set, against plain pasting, as ``benchmarks.realism`` has it for cars.

    python -m benchmarks.people.realism roadscene/infrared roadscene/boxes.json --weights-dir WEIGHTS [--split train]

Crops of people of 32 to 200 px that hardly anything hides: real ones of the split, and made ones over its frames, in
two ways: pasted plainly (temperatures of the physics on a linear scale of the frame) and as `gis synthesize` does it.
Made people take the heights of the real ones. Distances are on features of AlexNet; intervals over random halves of the
frames. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.realism.harmonisation import MAX_PX, MIN_PX
from benchmarks.realism.harmonisation import crop as crop_inserted
from benchmarks.realism.plain_blending import blend_plainly, plain_layer
from benchmarks.realism.product import PHYSICS, PLAIN, Inserted, distances, match_heights, real_crops
from gan.metrics.features import feature_extractor
from pipelines.synthesis.frame_maker import FrameMaker, read_inputs
from pipelines.synthesis.infrared import Physics
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import open_session
from renderer.random_streams import Draw

__all__ = ["insert_people", "main", "real_people"]


def real_people(frames: Path, boxes: Path, names: Sequence[str]) -> Inserted:
    """Real people that neither the border nor a nearer box hides."""
    return real_crops(frames, boxes, names, lambda box: box.label == "person")


def insert_people(maker: FrameMaker, count: int, seed: int) -> Inserted:
    """People in frames: plainly pasted, and by physics.

    Args:
        maker: of frames over backgrounds.
        count: frames to make.
        seed: of the draws.
    """
    physics, found = maker.infrared, Inserted()
    assert isinstance(physics, Physics)
    for index in range(count):
        placed = maker.place(Draw(seed, index))
        frame, conditions, background = placed.frame, placed.conditions, placed.background
        assert background is not None
        layer = plain_layer(frame, conditions, physics.profiles, placed.draw, physics.sensor(frame))
        made = {
            PLAIN: blend_plainly(background.image, layer)[0],
            PHYSICS: physics.make(frame, conditions, background, placed.draw).image,
        }
        for item in frame.instances:
            box = item.box_visible_px
            if item.category == "person" and box is not None and not item.occlusion and not item.truncation:
                height = box[3] - box[1]
                if MIN_PX <= height <= MAX_PX:
                    crops = {way: crop_inserted(image, box) for way, image in made.items()}
                    found.add(Path(background.file.name).stem, height, crops)
    return found


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("--weights-dir", type=Path)
    parser.add_argument("--split", default="train", choices=["train", "val"])
    parser.add_argument("--count", type=int, default=320)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    about = json.loads(options.boxes.read_text(encoding="utf-8"))
    names = [name for name, one in about.items() if one["split"] == options.split]
    real = real_people(options.frames, options.boxes, names)
    with tempfile.TemporaryDirectory(prefix="gis-people-") as temporary:
        folder = Path(temporary) / "frames"
        folder.mkdir()
        for path in options.frames.iterdir():
            if path.stem in names:
                (folder / path.name).symlink_to(path.resolve())
        config = SynthesizeConfig(
            out=Path(temporary) / "out", backgrounds=folder, count=options.count, seed=options.seed,
            boxes=options.boxes, model="physics",
        )  # fmt: skip
        session = open_session(config)
        try:
            made = insert_people(
                FrameMaker(config, read_inputs(config), session, Physics()), options.count, options.seed
            )
        finally:
            session.close()
    print(f"{len(real.frames)} real people, {len(made.frames)} made ones")
    found = distances(real, match_heights(real, made), feature_extractor("alex", options.weights_dir))
    print(json.dumps(None if found is None else asdict(found)))


if __name__ == "__main__":
    main()
