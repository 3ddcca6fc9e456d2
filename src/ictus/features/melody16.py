"""melody16@25: the music feature of Dance with Melody, and where in song and beat each frame stands."""

import numpy as np
from numpy.typing import ArrayLike

from ictus.audio import Audio
from ictus.errors import UsageError
from ictus.features.decibels import HOP, danceable_samples, mel_cepstrum, mel_decibels, onset_strength
from ictus.types import Float32Array

_RATE = 25 * HOP  # hertz: 12,800
_COEFFICIENTS, _CLASSES, _LAGS = 3, 4, 5
_DELTA = 9  # frames over which a change is measured


class Melody16:
    """16 numbers, 25 times a second, float32 (T, 16), not normalised.

    | columns | what |
    |---|---|
    | 0-2 | mel-frequency cepstral coefficients |
    | 3-5 | their change per frame, over 9 frames |
    | 6-9 | constant-Q chroma of four classes |
    | 10-14 | tempogram: autocorrelation of the onsets' strength over 5 frames |
    | 15 | strength of onsets, dB per frame |

    12,800 Hz mono, a frame every 512 samples; of n samples 1 + n // 512 frames. Chroma and tempogram are librosa's,
    whose first call in a process compiles for some 20 seconds.
    Source: Tang, Jia & Mao, Dance with Melody (ACM Multimedia 2018). The paper gives the groups and their sizes; what
    it leaves open has librosa's defaults, as in the public reproduction.
    """

    frame_rate = 25.0
    rate = _RATE
    groups = {  # noqa: RUF012 - columns of each group, for normalisation by group
        "cepstrum": slice(0, 3),
        "delta": slice(3, 6),
        "chroma": slice(6, 10),
        "tempogram": slice(10, 15),
        "onset": slice(15, 16),
    }

    def __call__(self, audio: Audio) -> Float32Array:
        """Compute the feature.

        Raises
        ------
        AudioError
            If the sound is shorter than 2 s.
        """
        from librosa.feature import chroma_cqt, tempogram
        from scipy.signal import savgol_filter

        samples = danceable_samples(audio, _RATE)
        decibels = mel_decibels(samples, _RATE)
        cepstrum, strength = mel_cepstrum(decibels, _COEFFICIENTS), onset_strength(decibels)
        delta = savgol_filter(cepstrum, _DELTA, polyorder=1, deriv=1, axis=0)
        chroma = chroma_cqt(y=samples, sr=_RATE, hop_length=HOP, n_chroma=_CLASSES).T[: len(strength)]
        lags = tempogram(onset_envelope=strength, sr=_RATE, hop_length=HOP, win_length=_LAGS).T
        return np.column_stack([cepstrum, delta, chroma, lags, strength]).astype(np.float32)


melody16 = Melody16()


def temporal_index(beats: ArrayLike, frames: int, frame_rate: float = Melody16.frame_rate) -> Float32Array:
    """Return (frames, 3): the number of each frame; 1 on the first frame of each beat; frames since the last beat.

    The paper's t1, t2, t3. Frames before the first beat are counted from the beginning.

    Parameters
    ----------
    beats : (N,) seconds.

    Raises
    ------
    UsageError
        If the beats are no list of finite seconds.
    """
    seconds = np.asarray(beats, np.float64)
    if seconds.ndim != 1 or not np.isfinite(seconds).all():
        raise UsageError("the beats must be a list of finite numbers of seconds")
    count = np.arange(frames)
    marked = np.round(seconds * frame_rate).astype(int)
    first = np.zeros(frames, bool)
    first[marked[(marked >= 0) & (marked < frames)]] = True
    latest = np.maximum.accumulate(np.where(first, count, 0))
    return np.column_stack([count, first, count - latest]).astype(np.float32)
