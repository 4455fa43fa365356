"""The model that workers share: what is put together, and how a worker process asks for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from pipelines.cluster.shared_model import Batches, models_wanted
from pipelines.errors import ConfigError, WorkerError
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.workers import FrameWorkers


def source(value: float, size: int = 4) -> np.ndarray:
    return np.full((7, size, size), value, np.float32)


class Network:
    """Doubles its input; waits until it is let go, and remembers the stacks that it got."""

    def __init__(self) -> None:
        self.free, self.stacks = threading.Event(), list[tuple[int, ...]]()

    def __call__(self, stack: np.ndarray) -> np.ndarray:
        assert self.free.wait(30)
        self.stacks.append(stack.shape)
        if np.isnan(stack).any():
            raise ValueError("not a number")
        return 2 * stack[:, 0]


def test_what_waits_together_and_has_one_size_is_one_stack() -> None:
    network = Network()
    batches = Batches(network, 4)
    asked = [[source(1)], [source(2), source(3, 8), source(4)], [source(5), source(6)], [source(7, 8), source(8)]]
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = [pool.submit(batches.translate_each, asked[0])]
        while batches._waiting:  # the first is at work alone
            time.sleep(0.001)
        for number, more in enumerate(asked[1:], 1):
            answers.append(pool.submit(batches.translate_each, more))
            while len(batches._waiting) < sum(map(len, asked[1 : number + 1])):
                time.sleep(0.001)
        network.free.set()
        for sources, answer in zip(asked, answers, strict=True):
            images = answer.result()
            assert [image.shape for image in images] == [one.shape[1:] for one in sources]
            assert [float(image[0, 0]) for image in images] == [2 * float(one[0, 0, 0]) for one in sources]
    # Sizes by who waits longest, four at most: 2 4 5 6, then both of eight pixels, then what is left.
    assert network.stacks == [(1, 7, 4, 4), (4, 7, 4, 4), (2, 7, 8, 8), (1, 7, 4, 4)]


def test_an_error_goes_to_those_whose_stack_it_was() -> None:
    network = Network()
    network.free.set()
    batches = Batches(network, 4)
    with pytest.raises(ValueError, match="not a number"):
        batches.translate_each([source(float("nan"))])
    assert float(batches.translate_each([source(3)])[0][0, 0]) == 6  # it works on


@pytest.mark.parametrize(
    ("asked", "device", "wanted"), [(None, "auto", 3), (2, "auto", 2), (0, "auto", 0), (5, "cpu", 5)]
)
def test_how_many_models(asked: int | None, device: str, wanted: int) -> None:
    nodes = [{"CPU": 8.0}, {"CPU": 4.0, "GPU": 2.0}, {"GPU": 1.0}]
    assert models_wanted(asked, nodes, device) == wanted
    assert models_wanted(None, nodes[:1], device) == 0


def test_more_models_than_gpus() -> None:
    with pytest.raises(ConfigError, match="translators: 2, and the cluster has 1 GPUs"):
        models_wanted(2, [{"GPU": 1.0}], "auto")


def test_options_without_what_they_are_for(tmp_path: object) -> None:
    for options in ({"translators": 1}, {"translator_device": "cpu"}, {"translator_batch": 4}):
        with pytest.raises(ConfigError, match="is for workers on a Ray cluster: give --ray too"):
            SynthesizeConfig("out", **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="physics translates nothing"):
        SynthesizeConfig("out", model="physics", translators=1, ray="auto")  # type: ignore[arg-type]


@dataclass(frozen=True)
class Asking:
    """Asks for the square of each frame's number, and once while it gets ready."""

    @contextmanager
    def open_asking(self, ask: Callable[..., int]) -> Iterator[Callable[[int], int]]:
        first = ask("offset")
        yield lambda index: first + ask("square", index)


def test_a_worker_asks_while_it_works() -> None:
    asked: list[tuple[object, ...]] = []

    def answer(method: str, *given: int) -> int:
        asked.append((method, *given))
        if given == (13,):
            raise WorkerError("the shared model failed")
        return given[0] ** 2 if given else 100

    with FrameWorkers(Asking(), 1, answer=answer) as pool:  # type: ignore[arg-type]
        pool.wait_ready()
        assert asked == [("offset",)]
        assert list(pool.run(range(6))) == [(index, 100 + index**2) for index in range(6)]
        assert asked[1:] == [("square", index) for index in range(6)]
        with pytest.raises(WorkerError, match="the shared model failed"):
            list(pool.run([12, 13, 14]))
