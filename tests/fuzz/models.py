"""Model files, samples, shards and checkpoints that are damaged, through the commands that read them."""

from __future__ import annotations

from fuzz.containers import damaged_container, damaged_sample, damaged_shard, members
from fuzz.damage import Rng, broken_json, json_damage, json_text
from fuzz.judge import Attack, Sandbox
from fuzz.prepared import EPOCHS, NETWORK, Prepared


def translate_model(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis translate` with a damaged model file."""
    data, how = damaged_container((prepared.folder / "run" / "model.safetensors").read_bytes(), rng)
    (box.inputs / "model.safetensors").write_bytes(data)
    source = prepared.copy("dataset", box.inputs / "d")
    args = (
        "translate",
        "--weights",
        str(box.inputs / "model.safetensors"),
        "--input",
        str(source),
        "--out",
        str(box.out),
    )
    return Attack((*args, "--engine", "torch", "--device", "cpu", "--threads", "1"), how, culprit="model.safetensors")


def _damaged_data(rng: Rng, box: Sandbox, prepared: Prepared) -> tuple[str, bool]:
    """A data set in ``in/d`` of which a shard or the middle one of three loose samples is damaged.

    Returns:
        What was done, and whether the other samples are whole.
    """
    folder = box.inputs / "d" / "tensors"
    folder.mkdir(parents=True)
    shard = next((prepared.folder / "dataset" / "tensors").glob("*.tar")).read_bytes()
    if rng.random() < 0.5:
        data, how = damaged_shard(shard, rng, str(box.outside / "secret.txt"))
        (folder / "shard-000000.tar").write_bytes(data)
        return how, False
    for number, data in enumerate(members(shard).values()):
        (folder / f"{number:06d}.safetensors").write_bytes(data)
    path = folder / "000001.safetensors"
    data, how = damaged_sample(path.read_bytes(), rng)
    path.write_bytes(data)
    return how, True


def translate_samples(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis translate` of damaged samples."""
    how, others = _damaged_data(rng, box, prepared)
    model = prepared.folder / "run" / "model.safetensors"
    args = ("translate", "--weights", str(model), "--input", str(box.inputs / "d"), "--out", str(box.out))
    made = ("000000.png", "000002.png") if others else ()
    return Attack((*args, "--engine", "torch", "--device", "cpu", "--threads", "1"), how, made=made)


def train_samples(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis train` on damaged samples."""
    how, others = _damaged_data(rng, box, prepared)
    args = ("train", "--data", str(box.inputs / "d"), "--out", str(box.out), "--epochs", "1", *NETWORK)
    of_another_kind = any(word in how for word in ("span_K", "layout"))  # a whole sample, but not of this set
    return Attack(args, how, made=("model.safetensors",) if others and not of_another_kind else ())


def resume(rng: Rng, box: Sandbox, prepared: Prepared) -> Attack:
    """`gis train --resume` where a checkpoint, the log, the record or the cache of the run is damaged."""
    run = prepared.copy("run", box.out)
    (run / "model.safetensors").unlink()
    *_, checkpoint, last = sorted((run / "checkpoints").glob("*.safetensors"))
    last.unlink()
    kind = int(rng.integers(4))
    if kind <= 1:
        data, how = damaged_container(checkpoint.read_bytes(), rng)
        checkpoint.write_bytes(data)
    else:
        path = run / "run.json" if kind == 2 else next(run.glob("cache/*/index.json"))
        how = f"{path.name}: {damage_json_file(path, rng)}"
    args = ("train", "--data", str(prepared.folder / "dataset"), "--out", str(run), "--resume", *NETWORK)
    return Attack((*args, "--epochs", str(EPOCHS)), how)


def damage_json_file(path, rng: Rng) -> str:
    """Damages a file of JSON; what was done."""
    import json

    text = path.read_text()
    if rng.random() < 0.2:
        data, how = broken_json(text, rng)
        path.write_bytes(data)
        return how
    changed, how = json_damage(json.loads(text), rng)
    path.write_text(json_text(changed))
    return how


ATTACKS = {
    "translate_model": translate_model, "translate_samples": translate_samples, "train_samples": train_samples,
    "resume": resume,
}  # fmt: skip
