"""Cuts of a film: where one picture has nothing to do with the one before."""

from collections import deque

import cv2
import numpy as np

from ictus.types import AnyArray

_SIZE = (32, 18)  # of the small pictures that are compared
_LEAST = 0.08  # mean difference of a cut, of the range of brightness and colour
_BEYOND = 4.0  # times the median difference of the pictures before
_REMEMBERED = 25  # pictures


class SceneCuts:
    """Says of each picture (H, W, 3) uint8 whether the film was cut before it.

    The small picture differs from the last one by much, by far more than pictures did lately, and is no nearer to the
    one before that: so neither a fast movement nor a flash is one.
    """

    def __init__(self) -> None:
        self._last: AnyArray | None = None
        self._differences: deque[float] = deque(maxlen=_REMEMBERED)

    def __call__(self, picture: AnyArray) -> bool:
        """Return whether there is a cut before this picture."""
        step = max(1, picture.shape[1] // (8 * _SIZE[0]))
        small = cv2.resize(picture[::step, ::step], _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        if self._last is None:
            self._last = small
            return False
        difference = float(np.abs(small - self._last).mean())
        usual = float(np.median(self._differences)) if self._differences else 0.0
        self._last = small
        self._differences.append(difference)
        return difference > max(_LEAST, _BEYOND * usual)
