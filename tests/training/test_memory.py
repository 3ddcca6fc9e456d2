import resource
import subprocess
import sys

import pytest

FAULTS = """
import resource
import torch
from ictus.training.memory import keep_freed_memory
def step():
    kept = [torch.ones(1 << 24) for _ in range(2)]  # activations of 64 MB, which live until the step's end
def faults():
    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
given_back = faults()
if not keep_freed_memory():
    raise SystemExit(7)
print(given_back, min(faults() for _ in range(3)))  # short of memory, a machine takes pages from whoever has them
"""


def test_a_tensor_that_comes_again_gets_the_pages_of_the_last() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True)
    if done.returncode == 7:
        pytest.skip("this C library has no mallopt")
    given_back, kept = map(int, done.stdout.split())
    pages = 3 * 2 * (4 << 24) // resource.getpagesize()
    if given_back < 0.5 * pages:
        pytest.skip("needs pages of the usual size: huge ones cost few faults, even if all memory is given back")
    assert kept < 0.25 * pages
