import resource
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from ictus.training.memory import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    raise SystemExit(7)
def step():
    kept = [torch.ones(1 << 24) for _ in range(2)]  # activations of 64 MB, which live until the step's end
for _ in range(4):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True)
    if done.returncode == 7:
        pytest.skip("this C library has no mallopt")
    return int(done.stdout)


def test_a_tensor_that_comes_again_gets_the_pages_of_the_last() -> None:
    pages = 8 * 2 * (4 << 24) // resource.getpagesize()
    assert page_faults("keep") < 0.25 * pages < 0.5 * page_faults("leave")
