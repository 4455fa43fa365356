"""What stands in for packages that a user's Blender may lack gives what they give."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from thermal_scenes import every_zone, profiles, winter_night

from renderer.optional import _NumpyCv2, _read_toml
from renderer.random_streams import Draw
from renderer.thermal.physics import render_thermal

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["cameras.toml", "thermal_profiles.toml"])
def test_our_toml_is_read_as_tomllib_reads_it(name: str) -> None:
    text = (ROOT / "assets" / name).read_text(encoding="utf-8")
    assert _read_toml(text) == tomllib.loads(text)


@pytest.mark.parametrize("text", ["no equals sign", "a = b c"])
def test_other_toml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="TOML"):
        _read_toml(text)


def test_blur_and_resize_are_those_of_opencv() -> None:
    image = np.random.default_rng(0).random((40, 53), np.float32)
    replicate = cv2.BORDER_REPLICATE
    np.testing.assert_allclose(
        _NumpyCv2.GaussianBlur(image, (11, 11), 1.3, borderType=replicate),
        cv2.GaussianBlur(image, (11, 11), 1.3, borderType=replicate), atol=1e-5,
    )  # fmt: skip
    for size in ((30, 20), (90, 75)):
        linear = cv2.INTER_LINEAR
        np.testing.assert_allclose(
            _NumpyCv2.resize(image, size, interpolation=linear),
            cv2.resize(image, size, interpolation=linear),
            atol=1e-3,
        )


def test_preview_runs_with_numpy_alone() -> None:
    code = (
        "import sys\n"
        "for name in ('numba', 'cv2', 'scipy', 'tomllib'): sys.modules[name] = None\n"
        "from pathlib import Path\nimport numpy as np\n"
        "import renderer.raster.rasterizer, renderer.scene.traffic, renderer.thermal.physics, renderer.thermal.faces\n"
        "from renderer.thermal.profiles import read_profiles\n"
        "from renderer.random_streams import Draw\n"
        "from renderer.thermal.sensor import agc, expose, read_sensors\n"
        "read_profiles(Path('assets/thermal_profiles.toml'))\n"
        "sensor = read_sensors(Path('assets/cameras.toml'))['tau2']\n"
        "kelvin = np.linspace(280, 300, 600, dtype=np.float32).reshape(20, 30)\n"
        "print(agc(expose(kelvin, sensor, Draw(0, 0)), sensor).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "(20, 30)"


def test_temperatures_without_numba_are_the_compiled_ones(tmp_path: Path) -> None:
    """Of all zones, a car and its wheel, in the sun: interpreted, the named arguments lead to the same numbers."""
    code = (
        "import sys\n"
        "sys.modules['numba'] = None\n"
        "sys.path.insert(0, 'tests/renderer')\n"
        "import numpy as np, test_optional\n"
        f"np.save({str(tmp_path / 'plain.npy')!r}, test_optional._noon_K())"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    compiled, plain = _noon_K(), np.load(tmp_path / "plain.npy")
    assert np.ptp(compiled) > 20.0
    np.testing.assert_allclose(plain, compiled, rtol=0, atol=0.01)


def _noon_K(hour: float = 12.0, sun_deg: float = 30.0, seed: int = 3) -> NDArray[np.float32]:
    conditions = winter_night(hour=hour, sun_elevation_deg=sun_deg, sun_azimuth_deg=170.0)
    return render_thermal(every_zone(), conditions, profiles(), Draw(seed, 0)).apparent_temperature_K


ORDER = """
import re, sys
from renderer.optional import fast_kernel, kernel

@kernel
def shared(a, b, c):
    return a * b + c

@fast_kernel
def fast(a, b, c):
    return shared(a, b, c) + a * c

@kernel
def exact(a, b, c):
    return shared(a, b, c) - a * c

for one in {"fast": (fast, exact), "exact": (exact, fast)}[sys.argv[1]]:
    one(1.5, 2.5, 3.5)
for one in (fast, exact):
    (code,) = one._compiled.inspect_llvm().values()
    print(sorted(set(re.findall(r"= f[a-z]+ [a-z ]*double", code))))
"""


def test_a_kernel_is_the_same_whichever_of_its_callers_is_compiled_first(tmp_path: Path) -> None:
    """Numba hands flags of a caller on to what it calls; a multiplication and an addition then have one rounding."""
    pytest.importorskip("numba", reason="numba is not installed")
    script = tmp_path / "order.py"
    script.write_text(ORDER, encoding="ascii")
    told = []
    for first in ("fast", "exact"):  # each compiles for itself
        paths = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path / first)}
        done = subprocess.run([sys.executable, script, first], check=True, env=paths, capture_output=True, text=True)
        told.append(done.stdout)
    assert told[0] == told[1]
    fast, exact = told[0].splitlines()
    assert "contract" in fast
    assert "contract" not in exact


COMPILED_OR_LOADED = """
import sys
sys.path.insert(0, "tests/renderer")
import numpy as np, test_optional
np.save(sys.argv[1], [test_optional._noon_K(14.0, 60.0, seed) for seed in range(24)])
"""


def test_a_kernel_is_the_same_compiled_and_loaded(tmp_path: Path) -> None:
    """The process that compiles it has two copies of what it calls; the one that loads it has the kernel's own."""
    pytest.importorskip("numba", reason="numba is not installed")
    kept = tmp_path / "kept"
    results = []
    for name in ("compiled", "loaded"):
        out = tmp_path / f"{name}.npy"
        paths = {**os.environ, "NUMBA_CACHE_DIR": str(kept)}
        subprocess.run([sys.executable, "-c", COMPILED_OR_LOADED, str(out)], check=True, cwd=ROOT, env=paths)
        results.append(np.load(out))
        assert list(kept.rglob("*.nbc"))
    np.testing.assert_array_equal(results[0], results[1])
