"""Random numbers that depend on where they are drawn, not on what was drawn before.

Before each step, sample and validation, the generators of python, numpy and torch are seeded by the seed of the run
and by the place: so a run that is resumed draws what it would have drawn, and there is no state to save.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

WEIGHTS, ORDER, SAMPLE, STEP, VALIDATION = range(5)  # the kinds of places


def mixed(*key: int) -> int:
    """Return a seed of 63 bits for a place."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)


def seed_all(*key: int) -> None:
    """Seed all global generators, those of accelerators included, for a place."""
    _seed_cpu(*key)
    # Not torch.manual_seed: without a GPU in use, it keeps a traceback of every call for later.
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(mixed(*key))
    elif torch.backends.mps.is_available():
        torch.mps.manual_seed(mixed(*key))


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Seed the global generators of the CPU for a block, and leave them as they were."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    _seed_cpu(*key)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])


def _seed_cpu(*key: int) -> None:
    # The global generators, because what a task calls draws from them.
    seed = mixed(*key)
    random.seed(seed)
    np.random.seed([seed & 0xFFFFFFFF, seed >> 32])  # noqa: NPY002
    torch.default_generator.manual_seed(seed)
