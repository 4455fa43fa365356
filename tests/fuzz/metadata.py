"""Files whose pixels are whole and whose metadata are absurd: FLIR's records, EXIF, stated scales; and pickles."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from fuzz import corpus
from fuzz.corpus import flir_files
from fuzz.damage import Rng
from fuzz.judge import Attack, Sandbox
from fuzz.pictures import good, put
from fuzz.prepared import EPOCHS, NETWORK, Prepared

ABSURD = (
    float("nan"), float("inf"), -float("inf"), 0.0, -1.0, 1e30, 1e-30, -273.15, 1e38, 5e-324, 2000.0, 20.0, 298.15,
    1e10, -1e10,
)  # fmt: skip
FLOATS = (
    "R1",
    "R2",
    "B",
    "F",
    "emissivity",
    "reflected_K",
    "atmospheric_K",
    "humidity",
    "distance_m",
    "window_K",
    "window_transmittance",
    "fov_deg",
    "alpha1",
)


class Touch:
    """An object whose unpickling makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def flir(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis backgrounds` of a FLIR file whose constants, conditions or clock are absurd; others are made."""
    changes: dict[str, Any] = {}
    for _number in range(int(rng.integers(1, 4))):
        changes[FLOATS[rng.integers(len(FLOATS))]] = ABSURD[rng.integers(len(ABSURD))]
    if rng.random() < 0.3:
        changes["O"] = int(rng.choice([0, 2**31 - 1, -(2**31), -1]))
    if rng.random() < 0.3:
        changes["seconds"] = int(rng.choice([0, 1, 2**31, 2**32 - 1]))
        changes["west_min"] = int(rng.choice([0, 32767, -32768, 1440, -1441]))
    if rng.random() < 0.2:
        changes["model"] = [b"", b"\xff\xfe\x80", b"x" * 200, b"\x1b[31m<script>\n#x", b"\0"][rng.integers(5)]
    counts = [
        flir_files.street_counts(),
        np.zeros((60, 80), np.uint16),
        np.full((60, 80), 65535, np.uint16),
        flir_files.street_counts() % 2,
    ][rng.choice(4, p=[0.7, 0.1, 0.1, 0.1])]
    coding = str(rng.choice(["little", "big", "png-little", "png-big"]))
    put(box, "a/bad.jpg", flir_files.flir_jpeg(counts, coding, **changes))
    put(box, "a/good.png", good(1))
    given = ()
    if rng.random() < 0.3:
        option = str(
            rng.choice(
                [
                    "emissivity",
                    "reflected-c",
                    "atmospheric-c",
                    "humidity",
                    "distance-m",
                    "window-c",
                    "window-transmittance",
                ]
            )
        )
        given = (f"--{option}={ABSURD[rng.integers(len(ABSURD))]}",)
    args = ("backgrounds", str(box.inputs / "a"), "--out", str(box.out), "--size", "32", "--workers", "1", *given)
    return Attack(args, f"{changes} {given}", made=() if given else ("frames/good-*.png",))


def over_flir(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis synthesize` over a sidecar that says absurd things of a camera that is whole."""
    import json

    folder = _.copy("frames", box.inputs / "d")
    sidecar = next(folder.glob("frames/flir*.json"))
    about = json.loads(sidecar.read_text())
    value = [0, -1, 1e300, 1e-300, 10**9, 0.5][rng.integers(6)]
    place = str(rng.choice(["span_K", "intrinsics", "size_px", "conditions", "time", "crop"]))
    if place == "span_K":
        about["span_K"] = [[1e-3, 1e6], [value, value], [300, 299], [0, 1e308], [1e-300, 1e-299]][rng.integers(5)]
    elif place == "intrinsics" and about.get("intrinsics"):
        about["intrinsics"][str(rng.choice(sorted(about["intrinsics"])))] = value
    elif place == "size_px":
        about["size_px"] = [value, value]
    elif place == "conditions" and about.get("conditions"):
        about["conditions"][str(rng.choice(sorted(about["conditions"])))] = value
    else:
        about["time"] = ["9999-12-31T23:59:59+23:59", "0001-01-01T00:00:00-12:00", "nonsense", "2012-13-45", value][
            rng.integers(5)
        ]
    sidecar.write_text(json.dumps(about))
    for name in [name for name in folder.glob("frames/*.json") if name != sidecar]:
        name.unlink()
    index = json.loads((folder / "index.json").read_text())
    index["frames"] = [f"frames/{sidecar.name}"]
    (folder / "index.json").write_text(json.dumps(index))
    args = ("synthesize", "--count", "1", "--model", "physics", "--backgrounds", str(folder), "--size", "64x48")
    return Attack((*args, "--workers", "1", "--out", str(box.out)), f"{place} {value}")


def exif(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """Orientations that exist and that do not, on JPEG, TIFF and a radiometric JPEG; damaged EXIF."""
    orientation = int(rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 65535]))
    data = corpus.exif(orientation)
    if rng.random() < 0.4:
        changed = bytearray(data)
        for _number in range(3):
            changed[rng.integers(6, len(changed))] = rng.integers(256)
        data = bytes(changed)
    put(box, "a/turned.jpg", corpus.pillow(corpus.street(), format="JPEG", exif=data))
    put(box, "a/turned.tiff", corpus.tiff(corpus.street(), extratags=[(274, "H", 1, orientation, True)]))
    put(
        box,
        "a/flir.jpg",
        flir_files.jpeg(
            flir_files.fff(flir_files.raw_record(flir_files.street_counts()), flir_files.camera_record()), exif=data
        ),
    )
    put(box, "a/good.png", good(1))
    args = ("backgrounds", str(box.inputs / "a"), "--out", str(box.out), "--size", "32", "--workers", "1")
    return Attack(args, f"orientation {orientation}", made=("frames/good-*.png",))


def scales(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """TIFF files that state absurd scales or hold absurd numbers."""
    words = [
        "kelvin = value * 1e400",
        "kelvin = value * nan",
        "kelvin=value*" + "9" * 400,
        "kelvin = value * 9.99",
        "kelvin = value * 0.01",
        "\x1b[31mkelvin = value * 0.01",
        "kelvin = value * --1",
        "kelvin = value * 1e-300",
    ]
    text = words[rng.integers(len(words))]
    kind = str(rng.choice(["u2", "f4", "f8", "f2", "i2", "u4", "i8", "u1", "c8"]))
    fill = [float("nan"), float("inf"), 0, 1e38, -1e38, 65504, 300][rng.integers(7)]
    with np.errstate(all="ignore"):
        image = (corpus.street() * 100.0).astype(kind)
        if rng.random() < 0.6:
            image[: int(rng.integers(1, 49))] = np.array(fill).astype(kind)
    xml = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM '
        '"file:///etc/passwd">]><GDALMetadata><Item name="SCALE">&b;&c;</Item></GDALMetadata>'
    )
    put(
        box,
        "a/bad.tiff",
        corpus.tiff(image, description=text.encode(), metadata=None, extratags=[(42112, "s", 0, xml, True)]),
    )
    put(box, "a/good.png", good(1))
    unit = str(rng.choice(["stated", "kelvin", "centikelvin", "celsius"]))
    args = (
        "backgrounds",
        str(box.inputs / "a"),
        "--out",
        str(box.out),
        "--size",
        "32",
        "--workers",
        "1",
        "--unit",
        unit,
    )
    return Attack(args, f"{text[:30]!r} {kind} {fill} {unit}", made=("frames/good-*.png",) if unit == "stated" else ())


def pickles(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """Pickles that touch a file, wherever a file of numbers is expected."""
    import io

    import torch

    evil = Touch(box.canary)
    stream = io.BytesIO()
    kind = int(rng.integers(3))
    if kind == 0:
        np.save(stream, np.array([evil], dtype=object), allow_pickle=True)
    elif kind == 1:
        torch.save({"weight": evil}, stream)
    else:
        stream.write(pickle.dumps(evil))
    data = stream.getvalue()
    pictures = str(prepared.folder / "pairs" / "infrared")
    measure = ("evaluate", "--real", pictures, "--generated", pictures, "--out", str(box.out))
    model = str(prepared.folder / "run" / "model.safetensors")
    translate = ("translate", "--engine", "torch", "--device", "cpu", "--threads", "1", "--out", str(box.out))
    place = int(rng.integers(7))
    if place == 0:
        put(box, "weights/alexnet_features.safetensors", data)
        return Attack((*measure, "--lpips", "alex", "--weights-dir", str(box.inputs / "weights")), f"LPIPS {kind}")
    if place == 1:
        suffix = str(rng.choice([".pth", ".safetensors", ".pkl", ""]))
        return Attack(
            (*measure, "--lpips", "none", "--features", "none", "--inception", put(box, f"w{suffix}", data)),
            f"inception {kind}",
        )
    if place == 2:
        return Attack((*translate, "--weights", put(box, "m.safetensors", data), "--input", pictures), f"model {kind}")
    if place == 3:
        put(box, "d/a.safetensors", data)
        return Attack((*translate, "--weights", model, "--input", str(box.inputs / "d")), f"sample {kind}")
    if place == 4:
        put(box, "d/a.npy", data)
        return Attack((*translate, "--weights", model, "--input", str(box.inputs / "d")), f"picture {kind}")
    if place == 5:
        run = prepared.copy("run", box.out)
        for path in (*run.glob("cache/*/*.npy"), *run.glob("checkpoints/*")):
            path.write_bytes(data)
        return Attack(
            (
                "train",
                "--data",
                str(prepared.folder / "dataset"),
                "--out",
                str(run),
                "--resume",
                "--epochs",
                str(EPOCHS),
                *NETWORK,
            ),
            f"cache {kind}",
            limit_s=40,
        )
    put(box, "a/x.npy", data)
    return Attack(
        ("backgrounds", str(box.inputs / "a"), "--out", str(box.out), "--workers", "1"), f"backgrounds {kind}"
    )


ATTACKS = {"flir": flir, "over_flir": over_flir, "exif": exif, "scales": scales, "pickles": pickles}
