"""Read a packed data set with WebDataset, from this machine or an object store.

    gis synthesize --count 2000 --pack shards --out out/packed        # or --out s3://bucket/packed
    python examples/read_shards.py out/packed                          # s3://bucket/packed: needs s3fs

A shard is a tar with all files of some frames: 000012.images.png, 000012.masks.png, 000012.depth.exr, 000012.json (the
line of frames.jsonl) ... Shards are shuffled as wholes, and samples within a buffer.
"""

import argparse
import json

import cv2
import fsspec
import numpy as np
import webdataset as wds


def shards(folder: str) -> list[str]:
    """Addresses of the shards."""
    system, path = fsspec.core.url_to_fs(folder)
    found = sorted(system.glob(f"{path}/shards/*.tar"))
    return found if system.protocol in ("file", ("file", "local")) else [system.unstrip_protocol(one) for one in found]


def through_fsspec(url: str, mode: str = "rb", bufsize: int = 8192) -> object:
    """Opens what WebDataset itself would call a program for."""
    system, path = fsspec.core.url_to_fs(url)
    return system.open(path, mode, block_size=1 << 22)


def decoded(sample: dict) -> dict:
    """Image (H, W) uint8, instance ids (H, W) uint16 and labelled objects of a frame."""
    image, mask = (
        cv2.imdecode(np.frombuffer(sample[name], np.uint8), cv2.IMREAD_UNCHANGED)
        for name in ("images.png", "masks.png")
    )
    record = json.loads(sample["json"])
    objects = [one for one in record["instances"] if one["labelled"] and not one.get("ignored")]
    return {"index": record["index"], "image": image, "mask": mask, "objects": objects}


def main() -> None:
    """Go through all frames once."""
    parser = argparse.ArgumentParser(description="a packed data set through WebDataset")
    parser.add_argument("folder", help="folder, or address such as s3://bucket/packed")
    parser.add_argument("--buffer", type=int, default=1000, help="samples that are shuffled with each other")
    args = parser.parse_args()
    for scheme in ("s3", "gs", "memory"):
        wds.gopen_schemes[scheme] = through_fsspec
    data = wds.WebDataset(shards(args.folder), shardshuffle=100, empty_check=False).shuffle(args.buffer).map(decoded)
    frames = objects = 0
    for one in data:  # torch.utils.data.DataLoader(data, batch_size=None, num_workers=4) reads in processes
        frames, objects = frames + 1, objects + len(one["objects"])
    print(f"{frames} frames, {objects} objects")


if __name__ == "__main__":
    main()
