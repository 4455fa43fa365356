"""Read pairs of visible and infrared images, which show the same pixel by pixel, as arrays of four channels.

    gis synthesize --scene worlds --count 16 --visible --out out/twins
    python examples/rgbt_pairs.py out/twins --out out/four
    python examples/rgbt_pairs.py RoadScene/crop_LR_visible RoadScene/cropinfrared    # two folders, equal names

Early fusion: a detector whose first layer has four input channels takes the array as it is. Late fusion: two networks,
one of ``[..., :3]``, one of ``[..., 3:]``. Boxes are the same for both, because the pixels are.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff")


def images(folder: Path) -> dict[str, Path]:
    """Image files of a folder by their names without suffix."""
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES}


def pairs(visible: Path, infrared: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Name and (H, W, 4) uint8 of each pair: red, green, blue, infrared."""
    ours, theirs = images(visible), images(infrared)
    for name in sorted(ours.keys() & theirs.keys()):
        colour = cv2.imread(str(ours[name]), cv2.IMREAD_COLOR)[..., ::-1]
        thermal = cv2.imread(str(theirs[name]), cv2.IMREAD_GRAYSCALE)
        if colour.shape[:2] != thermal.shape:
            raise SystemExit(f"{name}: {colour.shape[:2]} and {thermal.shape}: expected one size (gis align)")
        yield name, np.dstack([colour, thermal])


def boxes(folder: Path) -> dict[str, list[list[float]]]:
    """Left, top, right, bottom of the objects that count, by the image's name; empty where there is no COCO file."""
    path = folder / "annotations/coco.json"
    if not path.is_file():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    names = {one["id"]: Path(one["file_name"]).stem for one in data["images"]}
    found: dict[str, list[list[float]]] = {name: [] for name in names.values()}
    for one in data["annotations"]:
        left, top, width, height = one["bbox"]
        if not one["iscrowd"]:
            found[names[one["image_id"]]].append([left, top, left + width, top + height])
    return found


def main() -> None:
    """Go through all pairs; write them where a folder is named."""
    parser = argparse.ArgumentParser(description="pairs of visible and infrared images")
    parser.add_argument("folder", type=Path, help="data set of gis synthesize --visible, or a folder of visible images")
    parser.add_argument("infrared", type=Path, nargs="?", help="folder of infrared images, of the same names")
    parser.add_argument("--out", type=Path, help="folder for NAME.npz: image (H, W, 4) and boxes (N, 4)")
    args = parser.parse_args()
    visible, infrared = (args.folder / "visible", args.folder / "images")
    if args.infrared:
        visible, infrared = args.folder, args.infrared
    known, count = boxes(args.folder), 0
    for name, image in pairs(visible, infrared):
        count += 1
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
            own = np.array(known.get(name, []), np.float32).reshape(-1, 4)
            np.savez_compressed(args.out / f"{name}.npz", image=image, boxes=own)
    print(f"{count} pairs, {sum(map(len, known.values()))} objects")


if __name__ == "__main__":
    main()
