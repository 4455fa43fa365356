"""`--ray` without Ray: what is checked before it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import ConfigError
from pipelines.synthesis.options.render import RenderConfig


@pytest.mark.parametrize("address", ["10.0.0.1", "host:port", "ray://host:10001", "", "host:1; rm"])
def test_an_address_that_is_none(address: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^ray: .*expected auto, or HOST:PORT"):
        RenderConfig(tmp_path, ray=address)


def test_cores_without_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cpus-per-worker: .*give --ray too"):
        RenderConfig(tmp_path, cpus_per_worker=2.0)


def test_the_cluster_decides_no_content(tmp_path: Path) -> None:
    assert RenderConfig(tmp_path, ray="auto", cpus_per_worker=2.0).to_json() == RenderConfig(tmp_path).to_json()


def test_without_ray_there_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    script = "import sys; sys.modules['ray'] = None; from pipelines.cli.main import main; main()"
    arguments = ["render", "--count", "1", "--ray", "auto", "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr == "gis render: ray is not installed: pip install 'gis-thermal[cluster]'\n"
    assert not (tmp_path / "out").exists()
