"""A page of the cameras, sensors and thermal profiles that ship with gis."""

from __future__ import annotations

import tomllib

import assets

__all__ = ["preset_page"]


def preset_page() -> str:
    """Tables from the files that the commands read."""
    return "\n".join([*_cameras(), *_sensors(), *_profiles()])


def _cameras() -> list[str]:
    lines = ["# Cameras, sensors and thermal profiles", "", "## Cameras", ""]
    lines += ["`--camera NAME`; `assets.camera(name)`. A file of intrinsics may stand in place of a name.", ""]
    lines += [
        "| name | picture, px | field of view, degrees | height above the road, m | sensor |",
        "|---|---|---|---|---|",
    ]
    for name, row in _table("camera").items():
        camera = assets.cameras()[name]
        fov = " x ".join(f"{angle:.1f}" for angle in camera.fov_deg)
        height = row.get("height_m", "")
        lines.append(f"| `{name}` | {camera.width} x {camera.height} | {fov} | {height} | {row.get('sensor', '')} |")
    return lines


def _sensors() -> list[str]:
    rows = _table("sensor")
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))
    lines = ["", "## Sensors", "", "`assets.sensor(name)`; units stand at the end of the names.", ""]
    lines += [f"| | {' | '.join(f'`{name}`' for name in rows)} |", f"|---|{'---|' * len(rows)}"]
    lines += [f"| {key} | {' | '.join(str(row.get(key, '')) for row in rows.values())} |" for key in keys]
    return lines


def _profiles() -> list[str]:
    text = assets.THERMAL_PROFILES.read_text(encoding="utf-8")
    data = tomllib.loads(text)
    lines = ["", "## Thermal profiles", ""]
    lines += ["`--profile NAME` says what the cars did last; without it each car draws its own.", ""]
    lines += ["| profile | source |", "|---|---|"]
    lines += [f"| `{name}` | {row.get('source', '')} |" for name, row in data["profile"].items()]
    lines += ["", "Activities of people and animals: " + ", ".join(f"`{name}`" for name in data["activity"]) + "."]
    return [*lines, ""]


def _table(kind: str) -> dict[str, dict[str, object]]:
    table: dict[str, dict[str, object]] = tomllib.loads(assets.CAMERAS.read_text(encoding="utf-8"))[kind]
    return table
