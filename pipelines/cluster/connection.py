"""The way to a Ray cluster: the one that is named, one that runs on this machine, or one of this process alone."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from typing import Any, Final

from gan.processes import isolated_environment

from pipelines.errors import ConfigError

__all__ = ["AUTO", "check_address", "connected"]

AUTO: Final = "auto"
"""A cluster that runs on this machine already; else one of this machine's cores, which ends with the command."""
_ANSWER_S: Final = 4.0
"""How long the head's port may take to answer, and to begin to speak as all Ray heads do."""
_HEALTH_S: Final = 12.0
"""How long it may take to say that it is Ray; together under the 20 seconds that a user is patient for."""
_HELLO: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""How a client begins, and its settings, of which there are none; a server begins with its own (RFC 9113, 3.4)."""
_SETTINGS: Final = 4
_FOREIGN: Final = "something that is no head of Ray listens there"
_SILENT: Final = f"it does not say within {_HEALTH_S:.0f} s that it is a head of Ray"
_QUIET: Final = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}


def check_address(address: str) -> None:
    """Sees to it that a text can be an address; asks nobody.

    Raises:
        ConfigError: it is none.
    """
    if address != AUTO and not re.fullmatch(r"[\w.\-]+:[0-9]{1,5}|\[[0-9a-fA-F:]+\]:[0-9]{1,5}", address):
        raise ConfigError(
            f"ray: {address!r}: expected auto, or HOST:PORT of a cluster's head as ray start --head says it; give the "
            "command on a machine of the cluster"
        )


@contextmanager
def connected(address: str, cpus: float) -> Iterator[Any]:
    """Connects to a cluster, and leaves it at the end; one that this process is connected to already stays.

    Args:
        address: ``auto`` or HOST:PORT.
        cpus: of a cluster that has to be started here.

    Yields:
        the module ``ray``.

    Raises:
        ModuleNotFoundError: Ray is not installed.
        ConfigError: nothing answers there, or another version.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        yield ray
        return
    if address != AUTO:
        _ask(address)
    # Ray puts the current folder first on the nodes' path of modules; that of a user's data has no business there.
    with _own_signals(), chdir(os.path.dirname(os.__file__)):
        _connect(ray, address, cpus)
    try:
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str, cpus: float) -> None:
    try:
        try:
            ray.init(address=address, **_QUIET)
        except ConnectionError:
            if address != AUTO:
                raise
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, **_QUIET)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
        raise ConfigError(_refused(address, str(error))) from error


def _ask(address: str) -> None:
    """Asks in a process of its own whether Ray answers: its library would wait for minutes."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S) as there:
            there.sendall(_HELLO)
            answer = there.recv(9, socket.MSG_WAITALL)
    except (OSError, OverflowError) as error:
        raise ConfigError(_refused(address, str(error))) from error
    if len(answer) < 9 or answer[3] != _SETTINGS:
        raise ConfigError(_refused(address, _FOREIGN))
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        asked = subprocess.run(
            command,
            env=isolated_environment(os.environ, sys.path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_HEALTH_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(_refused(address, _SILENT)) from error
    if asked.returncode:
        raise ConfigError(_refused(address, _last_line(asked.stderr) or "it is no head of Ray"))


def _refused(address: str, why: str) -> str:
    return (
        f"no Ray cluster can be used at {address} ({' '.join(why.split())[:300]}): expected the address that ray start "
        "--head says, of the same version of Ray and Python, or --ray auto"
    )


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray sets what SIGTERM does; ours stays."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
