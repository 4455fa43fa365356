"""Damaged pictures, through every command that reads some."""

from __future__ import annotations

from collections.abc import Callable

from fuzz import corpus
from fuzz.damage import Rng, damaged, sound_png, sound_tiff
from fuzz.judge import Attack, Sandbox
from fuzz.prepared import Prepared


def damaged_picture(rng: Rng) -> tuple[str, bytes, str]:
    """Suffix and content of a damaged picture, and what was done to it."""
    kinds = corpus.pictures()
    name = str(rng.choice(sorted(kinds)))
    suffix, data = kinds[name]
    sound = rng.random() < 0.5
    if sound and name.startswith("png"):
        data, how = sound_png(data, rng)
    elif sound and name.startswith("tiff") and name != "tiff_big":
        data, how = sound_tiff(data, rng)
    elif name == "npy" and sound:
        data, how = _npy_lie(rng)
    elif rng.random() < 0.05:
        suffix, how = str(rng.choice([".png", ".jpg", ".tiff", ".npy", ".bmp", ".webp"])), "another suffix"
    else:
        data, how = damaged(data, rng)
    return suffix, data, f"{name}: {how}"


def _npy_lie(rng: Rng) -> tuple[bytes, str]:
    shape = str(
        rng.choice(
            [
                "(100000, 100000)",
                "(0, 5)",
                "(-1, 5)",
                "()",
                "(48, 64, 3, 2)",
                "(1, 2, 3",
                "(1e3, 2)",
                "('a',)",
                "(48, 64)" * 2000,
                "(99999999999999999999, 1)",
            ]
        )
    )
    kind = str(rng.choice(["|u1", "<f4", "<f8", "|O", "<U4", "<c8", "|V8", "<M8[D]", "nonsense", "<f2", "|b1", "<i8"]))
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    if rng.random() < 0.2:
        text = "__import__('os').system('touch CANARY')"
    body = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\0" + len(body).to_bytes(2, "little") + body + rng.bytes(48 * 64), f"npy {text[:80]}"


def good(seed: int) -> bytes:
    """A picture that nothing is wrong with."""
    return corpus.pillow(corpus.street(seed=seed), format="PNG")


def put(box: Sandbox, name: str, data: bytes) -> str:
    """Writes an input; its path."""
    path = box.inputs / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def backgrounds(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis backgrounds`: the good picture beside the damaged ones is made."""
    said = []
    for number in range(3):
        suffix, data, how = damaged_picture(rng)
        put(box, f"a/bad{number}{suffix}", data)
        said.append(how)
    put(box, "a/good.png", good(1))
    put(box, "a/zgood.png", good(2))
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
    return Attack(args, " | ".join(said), made=("frames/good-*.png", "frames/zgood-*.png") if unit == "stated" else ())


def align(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis align`: two folders."""
    for side in ("vi", "ir"):
        for number in range(3):
            put(box, f"{side}/{number}.png", good(number))
    suffix, data, how = damaged_picture(rng)
    side = str(rng.choice(["vi", "ir"]))
    (box.inputs / side / "1.png").unlink()
    put(box, f"{side}/1{suffix}", data)
    args = ("align", "--visible", str(box.inputs / "vi"), "--infrared", str(box.inputs / "ir"), "--out", str(box.out))
    return Attack(args, how)


def evaluate(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis evaluate`: real, generated or mask damaged."""
    for side in ("real", "made", "masks"):
        for number in range(3):
            put(box, f"{side}/{number}.png", good(number))
    side = str(rng.choice(["real", "made", "masks"]))
    suffix, data, how = damaged_picture(rng)
    (box.inputs / side / "1.png").unlink()
    put(box, f"{side}/1{suffix}", data)
    args = (
        "evaluate",
        "--real",
        str(box.inputs / "real"),
        "--generated",
        str(box.inputs / "made"),
        "--lpips",
        "none",
        "--features",
        "none",
        "--out",
        str(box.out),
    )
    if side == "masks":
        args += ("--masks", str(box.inputs / "masks"))
    return Attack(args, f"{side}: {how}")


def train(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis train` of pictures: one damaged."""
    for side in ("visible", "infrared"):
        for number in range(2):
            put(box, f"d/{side}/{number}.png", good(number))
    suffix, data, how = damaged_picture(rng)
    side = str(rng.choice(["visible", "infrared"]))
    (box.inputs / "d" / side / "1.png").unlink()
    put(box, f"d/{side}/1{suffix}", data)
    return Attack(
        ("train", "--data", str(box.inputs / "d"), "--out", str(box.out), *SMALL), f"{side}: {how}", limit_s=40
    )


SMALL = ("--epochs", "1", "--set", "ngf=4", "--set", "ndf=4", "--set", "levels=3", "--validation", "0")


def synthesize(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis synthesize` over a folder of pictures: refused before Blender is started, or not at all."""
    suffix, data, how = damaged_picture(rng)
    put(box, f"b/0{suffix}", data)
    put(box, "b/1.png", good(1))
    args = (
        "synthesize",
        "--backgrounds",
        str(box.inputs / "b"),
        "--count",
        "2",
        "--size",
        "64x48",
        "--model",
        "physics",
        "--out",
        str(box.out),
        "--workers",
        "1",
    )
    return Attack(args, how)


def fit(rng: Rng, box: Sandbox, _: Prepared) -> Attack:
    """`gis fit`: a damaged frame with a box."""
    suffix, data, how = damaged_picture(rng)
    put(box, f"b/0{suffix}", data)
    boxes = put(box, "boxes.json", b'{"0.png": {"boxes": [{"cls": "car", "xyxy": [5, 5, 60, 40]}]}}')
    camera = put(
        box, "camera.json", b'{"name": "c", "width": 64, "height": 48, "fx": 60, "fy": 60, "cx": 32, "cy": 24}'
    )
    args = (
        "fit",
        "--frames",
        str(box.inputs / "b"),
        "--boxes",
        boxes,
        "--camera",
        camera,
        "--out",
        str(box.out),
        "--workers",
        "1",
    )
    return Attack(args, how)


ATTACKS: dict[str, Callable[[Rng, Sandbox, Prepared], Attack]] = {
    "backgrounds": backgrounds, "align": align, "evaluate": evaluate, "train": train, "synthesize": synthesize,
    "fit": fit,
}  # fmt: skip
