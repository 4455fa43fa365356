"""Labels, masks and lists that are damaged, through the commands that read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fuzz.damage import Rng, broken_json, damaged, json_damage, json_text
from fuzz.judge import Attack, Sandbox
from fuzz.prepared import CAMERA, Prepared

COCO: dict[str, Any] = {
    "images": [{"id": n, "file_name": f"{n - 1}.png", "width": 64, "height": 48} for n in (1, 2)],
    "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "person"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 15],
         "segmentation": [[10, 10, 30, 10, 30, 25, 10, 25]]},
        {"id": 2, "image_id": 2, "category_id": 2, "bbox": [40, 12, 8, 20],
         "segmentation": {"counts": [10, 20, 3042], "size": [48, 64]}},
        {"id": 3, "image_id": 2, "category_id": 1, "bbox": [4, 12, 18, 20], "iscrowd": 0, "area": 360},
    ],
}  # fmt: skip
BY_IMAGE: dict[str, Any] = {
    "0.png": {
        "boxes": [{"cls": "car", "xyxy": [10, 10, 30, 25]}, {"cls": "person", "xyxy": [40, 12, 48, 32]}],
        "time": "night", "group": "a", "split": "val",
    },
    "1.png": {"boxes": [{"cls": "car", "xyxy": [4, 12, 22, 32]}]},
}  # fmt: skip
DIALECTS = ("coco", "json", "kitti", "yolo", "classes", "data.yaml")
KITTI = "Car 0.00 0 -1.57 10.00 10.00 30.00 25.00 1.50 1.80 4.20 1.00 1.70 12.00 -1.50\n"
YOLO = "0 0.31 0.36 0.31 0.31\n1 0.5 0.5 0.2 0.3\n0 0.1 0.1 0.4 0.1 0.4 0.5 0.1 0.5\n"
WORDS = (
    "nan",
    "inf",
    "-1",
    "1e400",
    "9" * 400,
    "",
    "x",
    "\x00",
    "é",
    "0x10",
    "1_000",
    "1e308",
    "-0",
    "65536",
    "１",
    "true",
    "99999999999999999999",
)


def text_damage(text: str, rng: Rng) -> tuple[bytes, str]:
    """Rows of words with one word, one row, or the bytes damaged."""
    rows = [line.split() for line in text.splitlines()]
    row = rows[rng.integers(len(rows))]
    kind = int(rng.integers(7))
    if kind <= 2:
        place = int(rng.integers(len(row)))
        row[place] = WORDS[rng.integers(len(WORDS))]
        how = f"word {place} = {row[place][:20]!r}"
    elif kind == 3:
        row[:] = [*row, *(["0.5"] * int(rng.integers(1, 20)))]
        how = f"{len(row)} words"
    elif kind == 4:
        del row[rng.integers(len(row)) :]
        how = f"{len(row)} words"
    elif kind == 5:
        return [
            b"\xff\xfe" + text.encode("utf-16-le"),
            b"",
            b"\0" * 300,
            text.encode() * 20000,
            b"\xef\xbb\xbf" + text.encode(),
            b"\x80\x81",
            text.encode().replace(b"\n", b"\r"),
            text.encode().replace(b" ", b"\t,"),
        ][rng.integers(8)], "encoding"
    else:
        return damaged(text.encode(), rng)
    return "\n".join(" ".join(words) for words in rows).encode() + b"\n", how


def _write_labels(rng: Rng, box: Sandbox, kinds: Sequence[str] = DIALECTS) -> tuple[str, str]:
    """Labels of one of the dialects, damaged; their place, and what was done."""
    kind = str(rng.choice(kinds))
    if kind in ("coco", "json"):
        content = COCO if kind == "coco" else BY_IMAGE
        if rng.random() < 0.15:
            data, how = broken_json(json.dumps(content), rng)
        else:
            changed, how = json_damage(content, rng)
            data = json_text(changed).encode()
        path = box.inputs / "boxes.json"
        path.write_bytes(data)
        return str(path), f"{kind} {how}"
    folder = box.inputs / "labels"
    folder.mkdir()
    text = KITTI if kind == "kitti" else YOLO
    names = b"car\nperson\ntraffic light\n"
    data, how = text_damage(text, rng)
    (folder / "0.txt").write_bytes(text.encode() if kind in ("classes", "data.yaml") else data)
    (folder / "1.txt").write_text(text)
    if kind == "data.yaml":
        yaml, how = damaged(b"path: ../../outside\nnames:\n  0: car\n  1: person\nnc: 2\n", rng)
        odd = f"!!python/object/apply:os.system ['touch {box.canary}']\nnames: !!python/name:os.system\n".encode()
        (folder / "data.yaml").write_bytes(
            [yaml, odd, b"a: &a [*a, *a]\nnames: *a\n", b"names: [a\n", b"names: {" + b"[" * 5000, b"names: 3\n"][
                rng.integers(6)
            ]
        )
    elif kind != "kitti":
        if kind == "classes":
            names, how = damaged(names, rng)
        (folder / "classes.txt").write_bytes(names)
    return str(folder), f"{kind} {how}"


def over_pictures(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis synthesize --boxes`."""
    boxes, how = _write_labels(rng, box)
    args = (
        "synthesize",
        "--count",
        "2",
        "--model",
        "physics",
        "--backgrounds",
        str(prepared.folder / "pairs" / "infrared"),
        "--boxes",
        boxes,
    )
    return Attack((*args, "--size", "64x48", "--workers", "1", "--out", str(box.out)), how)


def regions(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis evaluate --boxes`."""
    boxes, how = _write_labels(rng, box, ("coco", "coco", "json", "data.yaml"))
    pictures = str(prepared.folder / "pairs" / "infrared")
    args = (
        "evaluate",
        "--real",
        pictures,
        "--generated",
        pictures,
        "--lpips",
        "none",
        "--features",
        "none",
        "--boxes",
        boxes,
    )
    return Attack((*args, "--out", str(box.out)), how)


def fit(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis fit --boxes`, of boxes too small to be fitted, so that no car is."""
    boxes, how = _write_labels(rng, box)
    args = ("fit", "--frames", str(prepared.folder / "pairs" / "infrared"), "--boxes", boxes, "--camera", _camera(box))
    return Attack((*args, "--min-px", "60", "--workers", "1", "--out", str(box.out)), how)


def _camera(box: Sandbox) -> str:
    path = box.inputs / "camera.json"
    path.write_text(json.dumps(CAMERA))
    return str(path)


def lists(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis train` with damaged lists and sequences."""
    kind = str(rng.choice(["validation-list", "train-list", "sequences"]))
    path, other = box.inputs / "list", box.inputs / "other"
    if kind == "sequences":
        names = {"0": "a", "1": "b", "2": "b"}
        broken = rng.random() < 0.3
        data, how = broken_json(json.dumps(names), rng) if broken else json_damage(names, rng)
        path.write_bytes(data if isinstance(data, bytes) else json_text(data).encode())
    else:
        data, how = text_damage("0\n1\n", rng)
        path.write_bytes(data)
        other.write_text("2\n")
    more = f"--validation-list {other}" if kind == "train-list" else ""
    line = (
        f"train --data {prepared.folder / 'pairs'} --epochs 1 --set ngf=4 --set ndf=4 --set levels=3 --threads 1 {more}"
    )
    args = (*line.split(), "--weights-dir", str(box.inputs), f"--{kind}", str(path), "--out", str(box.out))
    return Attack(args, f"{kind} {how}")


ATTACKS = {"over_pictures": over_pictures, "regions": regions, "fit": fit, "lists": lists}
