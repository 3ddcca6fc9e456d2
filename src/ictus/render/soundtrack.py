"""Soundtracks: any sound as the stereo blocks that a film of a given length needs."""

import os
from collections.abc import Iterator

import numpy as np

from ictus.audio import Audio
from ictus.decoding import blocks, resampled
from ictus.types import Float32Array

_RATES = (44100, 48000)  # that every player knows
# Left and right from front left, front right, centre, low frequencies, back left and right (ITU-R BS.775, no clipping).
_FROM_SIX = np.array([[1, 0, 0.7071, 0, 0.7071, 0], [0, 1, 0.7071, 0, 0, 0.7071]], np.float32) / np.float32(2.4142)


def soundtrack(audio: Audio | str | os.PathLike[str], seconds: float) -> tuple[int, Iterator[Float32Array]]:
    """Return the sample rate, and blocks of float32 (2, n) that add up to `seconds`.

    Sound that is longer is cut, sound that is shorter is followed by silence. A file is decoded piece by piece.

    Raises
    ------
    AudioError
        If the file cannot be read.
    """
    if isinstance(audio, Audio):
        source_rate, parts = audio.rate, _slices(audio)
    else:
        source_rate, _, parts = blocks(audio, warn=False)  # which was said where the music was loaded
    rate = source_rate if source_rate in _RATES else _RATES[0] if source_rate % 11025 == 0 else _RATES[1]
    stereo = (_stereo(part) for part in parts)
    return rate, _fitted(stereo if rate == source_rate else resampled(stereo, source_rate, rate, 2), seconds, rate)


def _slices(audio: Audio) -> Iterator[Float32Array]:
    for start in range(0, audio.samples.shape[1], audio.rate):
        yield audio.samples[:, start : start + audio.rate]


def _stereo(part: Float32Array) -> Float32Array:
    """(channels, n) -> (2, n): one channel goes to both sides, six are mixed down, other numbers averaged."""
    channels = len(part)
    if channels == 2:
        return part
    if channels == 6:
        return np.asarray(np.matmul(_FROM_SIX, part), np.float32)
    return np.repeat(part.mean(0, keepdims=True), 2, axis=0)


def _fitted(stereo: Iterator[Float32Array], seconds: float, rate: int) -> Iterator[Float32Array]:
    missing = round(seconds * rate)
    for part in stereo:
        if missing and part.shape[1]:
            yield part[:, :missing]
            missing -= min(missing, part.shape[1])
        if not missing:
            return
    while missing:
        yield np.zeros((2, min(missing, rate)), np.float32)
        missing -= min(missing, rate)
