"""Griffin-Lim: a vocoder without any training, which searches for phases that fit the magnitudes of a mel.

Source: Griffin & Lim, "Signal Estimation from Modified Short-Time Fourier Transform", 1984; with the momentum of
Perraudin, Balazs & Sondergaard, "A Fast Griffin-Lim Algorithm", WASPAA 2013.
"""

import numpy as np
import torch
from torch import Tensor

from ictus.audio import Audio
from ictus.errors import UsageError
from ictus.features import mel80
from ictus.types import Float32Array

_WINDOW, _HOP = mel80.window, mel80.hop
_SHORTEST = _WINDOW // 2 // _HOP + 1  # frames, for the reflection at both ends
_CHUNK = 2048  # frames, 24 s; bounds memory
_MULTIPLICATIONS = 20  # more hardly change the sound
_CONTEXT = 8  # frames that a chunk shares with the one before, and with the one after; a window spans 4


def griffin_lim(mel: Float32Array, *, iterations: int = 32, momentum: float = 0.99, seed: int = 0) -> Audio:
    """Vocode a mel spectrogram.

    Parameters
    ----------
    mel : (T, 80) mel80, levels in [0, 1]; 0 is silence.
    iterations : of the search for phases.
    momentum : how far each step overshoots; 0 is the original algorithm.
    seed : for the phases that the search begins with.

    Returns
    -------
    Mono, 22,050 Hz, 256 T samples; frame k is centred on sample 256 k. Long spectrograms are vocoded in chunks, in
    bounded memory, each chunk going on from the sound of the one before.

    Raises
    ------
    UsageError
        If the mel is not (T, 80), empty or not finite, or there are no iterations.
    """
    given = check_mel(mel)
    if iterations < 1 or not 0 <= momentum < 1:
        raise UsageError(f"{iterations} iterations with momentum {momentum:g}; at least 1, and from 0 to less than 1")
    levels = np.pad(given, ((0, max(0, _SHORTEST - len(given))), (0, 0)), mode="edge")
    sound = np.zeros(len(levels) * _HOP, np.float32)
    for number, start in enumerate(range(0, len(levels), _CHUNK)):
        end = min(start + _CHUNK, len(levels))
        first, last = max(0, start - _CONTEXT), min(end + _CONTEXT, len(levels))
        magnitude = torch.from_numpy(_magnitudes(levels[first:last]).T.copy())  # (513, T)
        known = torch.from_numpy(sound[first * _HOP : start * _HOP])
        phase = np.random.default_rng([seed, number]).uniform(-np.pi, np.pi, magnitude.shape)
        made = _search(magnitude, torch.from_numpy(phase.astype(np.float32)), known, iterations, momentum)
        sound[start * _HOP : end * _HOP] = made[(start - first) * _HOP : (end - first) * _HOP].numpy()
    return Audio(sound[: len(given) * _HOP], mel80.rate)


def check_mel(mel: Float32Array) -> Float32Array:
    """Return a mel spectrogram, (T, 80), as float32.

    Raises
    ------
    UsageError
        If it has another shape, no frame, or numbers that are not finite.
    """
    levels = np.asarray(mel, np.float32)
    if levels.ndim != 2 or levels.shape[1] != mel80.bands or not len(levels):
        raise UsageError(f"a mel spectrogram of shape {levels.shape}; expected (frames, {mel80.bands})")
    if not np.isfinite(levels).all():
        raise UsageError("the mel spectrogram holds numbers that are not finite")
    return levels


def _search(magnitude: Tensor, phase: Tensor, known: Tensor, iterations: int, momentum: float) -> Tensor:
    """(513, T) magnitudes and phases to begin with -> (256 T,) samples, of which the first are `known` already."""
    window = torch.hann_window(_WINDOW)
    frames = magnitude.shape[1]
    samples = frames * _HOP

    def to_sound(spectrum: Tensor) -> Tensor:
        sound = torch.istft(spectrum, _WINDOW, _HOP, window=window, length=samples)
        sound[: len(known)] = known
        return sound

    spectrum = torch.polar(magnitude, phase)
    before = torch.zeros_like(spectrum)
    for _ in range(iterations):
        fitting = torch.stft(to_sound(spectrum), _WINDOW, _HOP, window=window, return_complex=True)[:, :frames]
        ahead = fitting + momentum * (fitting - before)  # Perraudin et al., algorithm 2
        spectrum = magnitude * ahead / ahead.abs().clamp(min=1e-12)
        before = fitting
    return to_sound(spectrum)


def _magnitudes(levels: Float32Array) -> Float32Array:
    """(T, 80) levels -> (T, 513): a spectrum, nowhere negative, that has such mel bands.

    Each band is spread over its filter; then multiplications bring the bands of that nearer to what they should be, in
    proportion, so that faint bands between loud ones come out as well (Richardson 1972; Lee & Seung 2000 for the
    divergence of Kullback and Leibler).
    """
    filters = mel80.filters  # (80, 513)
    bands = np.where(levels > 0, mel80.inverse(levels), 0)
    weights = np.maximum(filters.sum(0), 1e-12)
    spectrum = np.asarray((bands / filters.sum(1)) @ filters / weights, np.float32)
    for _ in range(_MULTIPLICATIONS):
        spectrum *= (bands / np.maximum(spectrum @ filters.T, 1e-12)) @ filters / weights
    return spectrum
