"""Ctrl-C while Ray waits: its compiled code raises SystemError, with what the signal's handler raised as the cause."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.cluster.ray_workers import RayWorkers


class WaitingRay:
    """Of Ray only the wait, which ends as Ray's own does when a signal comes."""

    def __init__(self, cause: BaseException | None) -> None:
        self.cause = cause

    def wait(self, *_: object, **__: object) -> None:
        raise SystemError("returned a result with an exception set") from self.cause


def waiting(cause: BaseException | None) -> Any:
    workers: Any = RayWorkers.__new__(RayWorkers)
    workers._calls, workers._ray = {"call": None}, WaitingRay(cause)
    return workers


def test_an_interrupt_is_one_and_no_fault_of_gis() -> None:
    with pytest.raises(KeyboardInterrupt):
        waiting(KeyboardInterrupt())._wait()


def test_another_error_of_rays_stays_what_it_is() -> None:
    with pytest.raises(SystemError, match="exception set"):
        waiting(None)._wait()
