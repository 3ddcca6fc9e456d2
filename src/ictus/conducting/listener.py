"""The listener: hears the beats, the bar, the loudness and the articulation of any music.

Onset strength -> tempo curve -> beats by dynamic programming (D. Ellis, Beat Tracking by Dynamic Programming, JNMR
2007, with a tempo that may change) -> bar by a hidden Markov model over the beats' accents.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ictus.audio import Audio
from ictus.conducting.beats import Beats
from ictus.errors import AudioError
from ictus.features.spectrum import mel_power

Array = NDArray[np.float64]

_RATE, _WINDOW, _HOP, _BANDS = 22050, 1024, 220, 64
_FPS = _RATE / _HOP  # 100.2 frames a second
_SHORTEST = 1.0  # seconds of sound under which there is nothing to hear
_SILENT_DB = -80.0  # below full scale; the noise of 16 bits lies at -96
_EARLY = 0.012  # seconds by which a rise shows before the onset's own time, measured on clicks
_PERIODS = 60 / np.geomspace(45, 220, 96)  # seconds a beat, slow to fast


@dataclass(frozen=True)
class Heard:
    """What the listener perceives before it decides: frames at 100.2 a second."""

    onsets: Array  # (T,) onset strength, unit variance
    bass: Array  # (T,) the same of the lowest bands
    colours: NDArray[np.float32]  # (T, 64) log-mel spectrum
    decibels: Array  # (T,) loudness below full scale


class Listener:
    """Hear the beats of any music.

    `Listener()(audio)` returns `Beats`; `meter` fixes the metre (1 to 6) where it is known, None leaves it to the ear.
    """

    def __call__(self, audio: Audio, *, meter: int | None = None) -> Beats:
        """Listen.

        Raises
        ------
        AudioError
            If the sound is shorter than a second, or silent.
        """
        mono = audio.mono().resample(_RATE)
        if mono.duration < _SHORTEST:
            raise AudioError(f"the sound lasts only {mono.duration:.2f} s; at least {_SHORTEST:g} s are needed")
        heard = perceive(mono)
        if heard.decibels.max() < _SILENT_DB:
            raise AudioError("the sound is silent; there is nothing to conduct")
        frames = _sounding(track_beats(heard.onsets, tempo_curve(heard.onsets)), heard)
        beats = _described(frames, heard, mono.duration)
        return beats.with_meter(meter) if meter else beats


def perceive(mono: Audio) -> Heard:
    """Turn 22,050 Hz mono sound into onset strength, spectrum and loudness."""
    mel = mel_power(mono.samples[0], _RATE, _WINDOW, _HOP, _BANDS)
    colours = np.log10(1 + mel * np.float32(1e4 / max(float(np.percentile(mel.max(1), 98)), 1e-12)))
    # Rise against the loudest of three neighbouring bands, two frames (20 ms) before: a vibrato is no onset.
    rise = colours[2:] - ndimage.maximum_filter1d(colours, 3, axis=1)[:-2]
    np.maximum(rise, 0, out=rise)
    onsets, bass = (np.pad(rise[:, bands].mean(1, dtype=np.float64), 1) for bands in (slice(None), slice(0, 8)))
    return Heard(_evened(onsets), _evened(bass), colours, _decibels(mono.samples[0], len(mel)))


def _decibels(samples: NDArray[np.float32], frames: int) -> Array:
    """Root mean square over 50 ms about each frame, in decibels below full scale."""
    hops = samples[: len(samples) // _HOP * _HOP].reshape(-1, _HOP)
    power = np.einsum("th,th->t", hops, hops, dtype=np.float64) / _HOP
    power = ndimage.uniform_filter1d(np.pad(power, (0, frames - len(power)), mode="edge"), 5)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))


def _evened(strength: Array) -> Array:
    """Remove slow swells, so that soft passages count as loud ones do, and scale to unit variance."""
    smooth = ndimage.gaussian_filter1d(strength, 1.5)
    floor = ndimage.uniform_filter1d(smooth, round(0.5 * _FPS))
    sharp = np.maximum(0, smooth - floor)
    level = np.sqrt(np.maximum(0, ndimage.uniform_filter1d(sharp**2, round(6 * _FPS)))) + 0.15 * sharp.std() + 1e-9
    return np.asarray(sharp / level)


def tempo_curve(onsets: Array) -> Array:
    """Return (T,) seconds a beat: the smoothest path of strong periodicity, changing by a few percent at a time."""
    span, step = round(8 * _FPS), round(0.5 * _FPS)
    padded = np.pad(onsets, span // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, span)[::step] * np.hanning(span)
    spectrum = np.fft.rfft(windows - windows.mean(1, keepdims=True), 2 * span)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:, :span]
    correlation /= correlation[:, :1] + 1e-9
    lags = np.arange(span) / _FPS

    def at(periods: Array) -> Array:
        return np.stack([np.interp(periods, lags, row) for row in correlation])

    # A beat's period shows at its multiples too; an arm likes about 112 a minute (log-normal, 0.75 octaves wide).
    strength = at(_PERIODS) + 0.5 * at(2 * _PERIODS) + 0.25 * at(4 * _PERIODS)
    liking = -0.5 * (np.log2(_PERIODS * 112 / 60) / 0.75) ** 2
    # The whole piece has a say everywhere, or passages would jump between a beat and its multiples.
    path = _viterbi(3.0 * (strength + strength.mean(0)) + liking, _tempo_change())
    return np.interp(np.arange(len(onsets)), np.arange(len(path)) * step, _PERIODS[path])


def _tempo_change() -> Array:
    octaves = np.log2(_PERIODS)
    return -np.minimum(120.0 * (octaves[:, None] - octaves[None]) ** 2, 12.0)


def _viterbi(scores: Array, transitions: Array) -> NDArray[np.int64]:
    """Return the best path (T,) through scores (T, S), with transitions[from, to] added at each step."""
    best, back = scores[0], np.zeros(scores.shape, np.int64)
    for t in range(1, len(scores)):
        arriving = best[:, None] + transitions
        back[t] = arriving.argmax(0)
        best = arriving.max(0) + scores[t]
    path = np.empty(len(scores), np.int64)
    path[-1] = best.argmax()
    for t in range(len(scores) - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def track_beats(onsets: Array, periods: Array, tightness: float = 80.0) -> Array:
    """Return the beats' frames (fractional): strong onsets, about one period apart.

    Parameters
    ----------
    onsets : (T,) onset strength.
    periods : (T,) seconds a beat.
    tightness : weight of even spacing against strong onsets.
    """
    frames = periods * _FPS
    local = ndimage.gaussian_filter1d(onsets, 1.0)
    total, back = local.copy(), np.full(len(local), -1)
    for t in range(len(local)):
        earliest, latest = t - round(2 * frames[t]), t - round(frames[t] / 2)
        if latest < 0:
            continue
        candidates = np.arange(max(earliest, 0), latest + 1)
        reward = total[candidates] - tightness * np.log((t - candidates) / frames[t]) ** 2
        choice = reward.argmax()
        if reward[choice] > 0:
            back[t], total[t] = candidates[choice], local[t] + reward[choice]
    last = max(0, len(local) - round(frames[-1])) + int(total[max(0, len(local) - round(frames[-1])) :].argmax())
    beats = [last]
    while back[beats[-1]] >= 0:
        beats.append(int(back[beats[-1]]))
    return _refined(np.array(beats[::-1]), onsets)


def _refined(beats: NDArray[np.int64], onsets: Array) -> Array:
    """Place each beat between frames, at the top of the parabola through its onset's peak."""
    inner = np.clip(beats, 1, len(onsets) - 2)
    left, top, right = onsets[inner - 1], onsets[inner], onsets[inner + 1]
    bend = left - 2 * top + right
    shift = np.where((bend < -1e-9), 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
    return np.asarray(beats + np.clip(shift, -0.5, 0.5))


def _sounding(frames: Array, heard: Heard) -> Array:
    """Drop the beats that fall into silence, and those before the first and after the last onset: the hands rest."""
    span = round(0.4 * _FPS)
    around = ndimage.maximum_filter1d(heard.decibels, 2 * span + 1)
    quiet = max(_SILENT_DB, float(np.percentile(heard.decibels, 95)) - 45)
    whole = np.clip(frames.round().astype(int), 0, len(around) - 1)
    struck = _struck(heard.onsets, whole)
    marked = np.flatnonzero(struck > 0.35 * np.median(struck))
    kept = np.flatnonzero(around[whole] > quiet)
    kept = kept[(kept >= marked[0]) & (kept <= marked[-1])] if len(marked) else kept
    return frames[kept] if len(kept) else frames[:1]


def _struck(onsets: Array, frames: NDArray[np.int64]) -> Array:
    """Onset strength at each beat, at its strongest within 50 ms."""
    return np.asarray(ndimage.maximum_filter1d(onsets, 2 * round(0.05 * _FPS) + 1)[frames])


def _described(frames: Array, heard: Heard, duration: float) -> Beats:
    whole = np.clip(frames.round().astype(int), 0, len(heard.onsets) - 1)
    onset, bass = _struck(heard.onsets, whole), _struck(heard.bass, whole)
    change = _harmonic_change(heard.colours, whole)
    meter, positions = _bar(np.stack([onset, bass, change], 1))
    return Beats(
        times=np.clip(frames / _FPS + _EARLY, 0, duration),
        positions=positions,
        meter=meter,
        loudness=_loudness(heard.decibels, whole),
        articulation=_articulation(heard.decibels, whole),
        accents=np.clip((_standard(onset) - 0.3) / 2, 0, 1),
        duration=duration,
    )


def _harmonic_change(colours: NDArray[np.float32], beats: NDArray[np.int64]) -> Array:
    """How different the sound after each beat is from that before it: bars often begin with a new harmony."""
    edges = np.concatenate([[0], beats, [len(colours)]])
    means = np.stack([colours[a : max(b, a + 1)].mean(0) for a, b in itertools.pairwise(edges)])
    means /= np.linalg.norm(means, axis=1, keepdims=True) + 1e-9
    return np.asarray(1 - (means[1:] * means[:-1]).sum(1))


def _standard(values: Array) -> Array:
    return np.asarray((values - values.mean(0)) / (values.std(0) + 1e-9))


# What is common before anything is heard: log-probabilities of metres, and of a bar that has a beat too many or few.
_METER_PRIOR = {2: -0.9, 3: -1.4, 4: -0.7}
_SLIP = -9.0


def _bar(accents: Array) -> tuple[int, NDArray[np.int64]]:
    """Choose metre and bar positions by the path that puts downbeats on accents; accents is (N, kinds)."""
    count = len(accents)
    if count < 4:
        return 4, np.arange(count) % 4 + 1
    weight = _standard(accents).mean(1)
    weight = np.clip(weight / (weight.std() + 1e-9), -2, 2)
    chosen: tuple[float, int, NDArray[np.int64]] | None = None
    for meter, prior in _METER_PRIOR.items():
        expected = _expected_accents(meter)
        scores = -0.5 * (weight[:, None] - expected[None]) ** 2 / 0.9
        transitions = np.full((meter, meter), _SLIP)
        transitions[np.arange(meter), (np.arange(meter) + 1) % meter] = 0.0
        path = _viterbi(scores, transitions)
        slips = int((np.diff(path) % meter != 1 % meter).sum())
        total = float(scores[np.arange(count), path].sum()) + slips * _SLIP + 3 * prior
        if chosen is None or total > chosen[0]:
            chosen = total, meter, path
    assert chosen is not None  # the table of metres is not empty
    return chosen[1], chosen[2] + 1


def _expected_accents(meter: int) -> Array:
    """Accent of each place in the bar, of zero mean and unit variance."""
    shape = {2: [1.0, -1.0], 3: [1.0, -0.5, -0.5], 4: [1.0, -0.6, 0.2, -0.6]}[meter]
    return np.asarray(np.array(shape) / np.std(shape) * 0.8)


def _loudness(decibels: Array, beats: NDArray[np.int64]) -> Array:
    """Loudness about each beat, 0 to 1: 30 dB below the loud passages is as soft as it gets."""
    power = ndimage.gaussian_filter1d(10 ** (decibels / 10), 0.35 * _FPS)
    smooth = 10 * np.log10(np.maximum(power, 1e-12))[beats]
    return np.asarray(np.clip(0.88 + (smooth - np.percentile(smooth, 92)) / 30, 0, 1))


def _articulation(decibels: Array, beats: NDArray[np.int64]) -> Array:
    """How far the sound falls after each beat's attack, 0 to 1: a drop of 18 dB before the next beat is staccato."""
    edges = np.append(beats, len(decibels))
    drops = [
        np.percentile(part, 90) - np.percentile(part, 20) if len(part := decibels[a:b]) > 2 else 0.0
        for a, b in itertools.pairwise(edges)
    ]
    return ndimage.gaussian_filter1d(np.clip((np.array(drops) - 3) / 15, 0, 1), 1.0)
