"""How near two ways of computing the same thing in single precision must come to each other, on any processor."""

from typing import Any

import numpy as np
import torch

ROUNDING = float(np.finfo(np.float32).eps)  # of a number of size 1


def close(actual: Any, expected: Any, layers: int = 1, size: float | None = None) -> None:
    """Fail unless two arrays or tensors are the same but for what single precision rounds.

    The rule: |actual - expected| <= 16 * layers * eps * size. Processors, batches, blocks and caches add the same
    numbers in another order, which moves a sum by a few roundings of its largest summands; 16 leaves room for sums of
    some hundred.

    Parameters
    ----------
    layers : how many sums stand one behind the other, as in a network's layers.
    size : of the largest number on the way; without it, of the largest that is expected.
    """
    actual, expected = _double(actual), _double(expected)
    assert expected.ndim == 0 or actual.shape == expected.shape
    largest = float(np.abs(expected).max(initial=0)) if size is None else size
    np.testing.assert_allclose(actual, expected, rtol=0, atol=16 * layers * ROUNDING * largest)


def _double(numbers: Any) -> Any:
    if isinstance(numbers, torch.Tensor):
        numbers = numbers.detach().double().numpy()
    return np.asarray(numbers, np.float64)
