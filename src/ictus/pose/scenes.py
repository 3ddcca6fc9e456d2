"""Cuts of a film: where one picture has nothing to do with the one before."""

from collections import deque

import cv2
import numpy as np

from ictus.types import AnyArray, Float32Array

_SIZE = (32, 18)  # of the small pictures that are compared
_LEAST = 0.08  # mean difference of a cut, of the range of brightness and colour
_BEYOND = 4.0  # times the median difference of the pictures before
_REMEMBERED = 25  # pictures


class SceneCuts:
    """Says of each picture (H, W, 3) uint8 whether the film was cut before it.

    At a cut a small copy of the picture differs from the last one by much, and by far more than pictures did lately; so
    a fast movement is none. The picture after it differs as well; so a flash is none.
    """

    def __init__(self) -> None:
        self._last: Float32Array | None = None
        self._differences: deque[float] = deque(maxlen=_REMEMBERED)

    def __call__(self, picture: AnyArray, after: AnyArray | None = None) -> bool:
        """Return whether there is a cut before this picture.

        Parameters
        ----------
        after : the picture after it, if there is one.
        """
        small, last = _small(picture), self._last
        if last is None:
            self._last = small
            return False
        difference = float(np.abs(small - last).mean())
        usual = float(np.median(self._differences)) if self._differences else 0.0
        most = max(_LEAST, _BEYOND * usual)
        if difference > most and after is not None and np.abs(_small(after) - last).mean() <= most:
            return False  # a flash, which is forgotten
        self._last = small
        self._differences.append(difference)
        return difference > most


def _small(picture: AnyArray) -> Float32Array:
    step = max(1, picture.shape[1] // (8 * _SIZE[0]))
    small = cv2.resize(picture[::step, ::step], _SIZE, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)
