from __future__ import annotations

import threading
import zlib
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from pipelines.io.deflate import compress

THREADS = 60


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=3000))
def test_another_library_unpacks_it(data: bytes) -> None:
    assert zlib.decompress(compress(data)) == data
    assert zlib.decompress(compress(np.frombuffer(data, np.uint8))) == data


def _streams() -> list[bytes]:
    """Short beginnings, said again after other bytes: each hangs on one entry of the library's table of matches."""
    rng = np.random.default_rng(5)
    count = 1500
    starts, others = rng.integers(0, 256, (count, 12), np.uint8), rng.integers(0, 4, (count, 300), np.uint8)
    return [row.tobytes() for row in np.concatenate([starts, others, starts, starts], axis=1)]


def _differing(pack: Callable[[bytes], bytes]) -> int:
    """How many streams are packed to different bytes in threads that live at once, so with stacks in other places."""
    streams, done = _streams(), threading.Event()
    packed: list[list[bytes]] = []
    counted = threading.Semaphore(0)

    def work() -> None:
        packed.append([pack(stream) for stream in streams])
        counted.release()
        done.wait()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
        counted.acquire()
    done.set()
    for thread in threads:
        thread.join()
    return sum(len(set(versions)) > 1 for versions in zip(*packed, strict=True))


def test_equal_data_are_equal_bytes_wherever_the_stack_lies() -> None:
    assert _differing(compress) == 0


def test_the_library_by_itself_depends_on_addresses() -> None:
    # If this fails, the library is mended and pipelines.io.deflate may call it in one go.
    assert _differing(lambda data: isal_zlib.compress(data, level=1)) > 0


def test_size_stays_that_of_the_library() -> None:
    smooth = np.cumsum(np.random.default_rng(0).integers(-2, 3, (512, 512)), axis=1).astype(np.uint8).tobytes()
    assert len(compress(smooth)) <= len(isal_zlib.compress(smooth, level=1)) + 16
