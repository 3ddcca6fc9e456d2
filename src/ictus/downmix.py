"""One channel of several: their mean, unless they cancel each other out in it."""

import numpy as np

from ictus.types import Float32Array

_CANCELLED = 0.1  # of the energy that the mean of unrelated channels has


class Downmix:
    """Mixes sound block by block, and knows at its end whether that was right.

    Where one side is the other inverted, as of a microphone that is wired the wrong way round, the mean is silent or
    nearly so. This is decided for all of a sound at once, by energy (without a constant offset, which is no sound): the
    mean of unrelated channels has their sum, divided by their number squared, and that of music has more. Where it has
    less than a tenth of that, the channels cancel each other out, and the loudest stands for all.
    """

    def __init__(self) -> None:
        self._count = 0
        self._sums, self._squares = np.zeros(1), np.zeros(1)  # of the mean, and of each channel

    def __call__(self, block: Float32Array) -> Float32Array:
        """(channels, n) -> (1, n): the mean."""
        mean: Float32Array = block.mean(0, keepdims=True)
        self._count += block.shape[1]
        self._sums = self._sums + [float(wave.sum()) for wave in (*mean, *block)]
        self._squares = self._squares + [float(np.dot(wave, wave)) for wave in (*mean, *block)]
        return mean

    @property
    def channel(self) -> int | None:
        """The channel to take instead of the mean of what was mixed; None where the mean is right."""
        mean, *channels = self._squares - self._sums**2 / max(self._count, 1)
        unrelated = sum(channels) / max(len(channels), 1) ** 2
        if not mean < _CANCELLED * unrelated:
            return None
        return int(np.argmax(np.asarray(channels) > 0.9 * max(channels)))  # the first of those that are as loud
