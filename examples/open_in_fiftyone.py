"""Open a set of gis in FiftyOne.

    gis synthesize --count 100 --out out/set --format fiftyone
    python examples/open_in_fiftyone.py out/set-fiftyone

What is to be ignored has the attribute iscrowd; `view.filter_labels("ground_truth", ~F("iscrowd"))` leaves it out.
"""

import argparse
from pathlib import Path

import fiftyone as fo


def main() -> None:
    """Open all splits as one data set, and show it."""
    parser = argparse.ArgumentParser(description="a set of gis in FiftyOne")
    parser.add_argument("folder", type=Path, help="gis export --format fiftyone")
    parser.add_argument("--no-app", action="store_true", help="print what is in it, without a window")
    args = parser.parse_args()
    data = fo.Dataset()
    for split in sorted(path.parent.name for path in args.folder.glob("*/labels.json")):
        kind = fo.types.FiftyOneImageDetectionDataset
        data.add_dir(dataset_dir=str(args.folder / split), dataset_type=kind, tags=split)
    print(data)
    print(data.count_values("ground_truth.detections.label"))
    if not args.no_app:
        fo.launch_app(data).wait()


if __name__ == "__main__":
    main()
