"""rhythm35@60: the music feature of FACT and AIST++."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ictus.audio import Audio
from ictus.features.decibels import HOP, danceable_samples, mel_cepstrum, mel_decibels, onset_strength
from ictus.types import Float32Array

_RATE = 60 * HOP  # hertz: 30,720
_COEFFICIENTS, _CLASSES = 20, 12


class Rhythm35:
    """35 numbers, 60 times a second, float32 (T, 35), not normalised.

    | columns | what |
    |---|---|
    | 0 | strength of onsets, dB per frame |
    | 1-20 | mel-frequency cepstral coefficients |
    | 21-32 | chroma energy (CENS) of the twelve pitch classes from C |
    | 33 | 1 where an onset peaks |
    | 34 | 1 on the beat |

    30,720 Hz mono, a frame every 512 samples; of n samples 1 + n // 512 frames. Chroma, peaks and beats are librosa's,
    whose first call in a process compiles for some 20 seconds.
    Source: Li, Yang, Ross & Kanazawa, AI Choreographer (ICCV 2021), in the order of the authors' code.
    """

    frame_rate = 60.0
    rate = _RATE

    def __call__(self, audio: Audio, tempo: float | None = None, beats: ArrayLike | None = None) -> Float32Array:
        """Compute the feature.

        Parameters
        ----------
        tempo : beats per minute near which the beats are sought: with AIST's songs that of their names
            (`ictus.dance.data.aist.song_tempo`); estimated if not given.
        beats : (N,) seconds of the beats where they are known better than librosa would find them.

        Raises
        ------
        AudioError
            If the sound is shorter than 2 s.
        """
        from librosa.beat import beat_track
        from librosa.feature import chroma_cens
        from librosa.feature import tempo as estimated_tempo
        from librosa.onset import onset_detect

        samples = danceable_samples(audio, _RATE)
        decibels = mel_decibels(samples, _RATE)
        strength = onset_strength(decibels)
        chroma = chroma_cens(y=samples, sr=_RATE, hop_length=HOP, n_chroma=_CLASSES).T
        rhythm: dict[str, Any] = {"onset_envelope": strength, "sr": _RATE, "hop_length": HOP}
        peaks = onset_detect(**rhythm)
        if beats is None:
            near = float(estimated_tempo(**rhythm)[0]) if tempo is None else tempo
            _, on = beat_track(**rhythm, start_bpm=near, tightness=100)
        else:
            on = np.round(np.asarray(beats, np.float64) * self.frame_rate).astype(int)
            on = on[(on >= 0) & (on < len(strength))]
        cepstrum = mel_cepstrum(decibels, _COEFFICIENTS)
        marks = [_marks(frames, len(strength)) for frames in (peaks, on)]
        return np.column_stack([strength, cepstrum, chroma[: len(strength)], *marks]).astype(np.float32)


def _marks(frames: NDArray[np.integer], count: int) -> Float32Array:
    """(count,): 1 on these frames, 0 elsewhere."""
    marks = np.zeros(count, np.float32)
    marks[frames] = 1
    return marks


rhythm35 = Rhythm35()
