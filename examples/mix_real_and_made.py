"""Mix real frames with made ones at a ratio, for Ultralytics.

    gis export real_set --format yolo --out out/real ...        # or any YOLO folder with data.yaml
    gis synthesize --like real_set ... --out out/made --format yolo
    python examples/mix_real_and_made.py out/real out/made-yolo --made 1.0 --out out/mix
    yolo train data=out/mix/data.yaml model=yolo11n.pt

No file is copied: Ultralytics takes a list of images. Real frames alone validate, because made ones tell nothing of how
well a detector does on yours. Which ratio is best depends on how many real frames there are
(docs/explanation/usefulness.md).
"""

import argparse
import random
from pathlib import Path

import yaml


def images_of(folder: Path, split: str) -> list[Path]:
    """Images of a split, as data.yaml of that folder names it."""
    about = yaml.safe_load((folder / "data.yaml").read_text())
    place = (folder / about.get("path", "") / about[split]).resolve()
    return sorted(path for path in place.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))


def names_of(folder: Path) -> list[str]:
    """Names of the classes in their order."""
    names = yaml.safe_load((folder / "data.yaml").read_text())["names"]
    return list(names.values() if isinstance(names, dict) else names)


def main() -> None:
    """Write the list of images and data.yaml."""
    parser = argparse.ArgumentParser(description="real and made frames at a ratio")
    parser.add_argument("real", type=Path, help="YOLO folder with data.yaml")
    parser.add_argument("made", type=Path, help="YOLO folder of gis")
    parser.add_argument(
        "--made-per-real", "--made", dest="ratio", type=float, default=1.0, help="made frames per real one"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if names_of(args.real) != names_of(args.made):
        raise SystemExit(f"classes differ: {names_of(args.real)} and {names_of(args.made)}; export with --classes FILE")
    real, made = images_of(args.real, "train"), images_of(args.made, "train")
    wanted = round(len(real) * args.ratio)
    if wanted > len(made):
        raise SystemExit(
            f"{wanted} made frames are wanted, {args.made} has {len(made)}: make more, or give --made less"
        )
    chosen = random.Random(args.seed).sample(made, wanted)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "train.txt").write_text("".join(f"{path}\n" for path in real + chosen))
    (args.out / "val.txt").write_text("".join(f"{path}\n" for path in images_of(args.real, "val")))
    about = {"path": str(args.out.resolve()), "train": "train.txt", "val": "val.txt"}
    about["names"] = dict(enumerate(names_of(args.real)))
    (args.out / "data.yaml").write_text(yaml.safe_dump(about, sort_keys=False))
    print(f"{len(real)} real and {wanted} made frames in {args.out}")


if __name__ == "__main__":
    main()
