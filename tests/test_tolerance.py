"""The rule by which single precision is compared lets rounding pass, and nothing else."""

import numpy as np
import pytest
import torch

from tolerance import close


def test_sums_in_another_order_are_the_same_and_a_wrong_term_is_not() -> None:
    numbers = torch.from_numpy(np.random.default_rng(0).normal(size=(40, 500)).astype(np.float32))
    blocks = numbers.unflatten(1, (20, 25)).sum(1).sum(1)
    close(blocks, numbers.sum(1))
    for broken in (blocks - 1e-3 * numbers[:, 0], blocks[:, None], blocks * torch.nan):
        with pytest.raises(AssertionError):
            close(broken, numbers.sum(1))
