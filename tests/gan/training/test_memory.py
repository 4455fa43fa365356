"""Memory that a step frees is there for the next one."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Page faults as the kernel counts them, of 40 times 64 MB; what stays resident after it.
PROGRAM = """
import resource, sys
import torch
from gan.training.memory import freed_memory_kept

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(40):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident_kb():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() // 1024

plain, before = faults(), resident_kb()
with freed_memory_kept() as kept:
    faults()
    within = faults()
print(kept, plain, within, resident_kb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_a_step_takes_what_the_last_one_freed_and_all_goes_back_in_the_end() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    kept, plain, within, stayed_kb = done.stdout.split()
    if kept != "True":
        pytest.skip("another C library than glibc")
    assert int(plain) > 40 * 16  # at least one for each 4 MB, whatever the size of pages
    assert int(within) < int(plain) / 20
    assert int(stayed_kb) < 16 * 1024
