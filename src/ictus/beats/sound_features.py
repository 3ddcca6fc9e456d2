"""Sound features: onset strength, spectrum and loudness of any sound, and with them how each beat sounds."""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.errors import AudioError
from ictus.features.spectrum import mel_power
from ictus.types import Float32Array, Float64Array, IntArray

RATE, HOP = 22050, 220
FPS = RATE / HOP  # 100.2 frames a second
_WINDOW, _BANDS = 1024, 64
_AT_ONCE = 1 << 14  # frames whose rise is computed together: an hour of spectra must not be held twice
_SHORTEST = 1.0  # seconds of sound that are needed
_SILENT_DB = -80.0  # below full scale; the noise of 16 bits lies at -96
_FARTHEST = 1.6  # seconds from beat to beat; farther from all others is no beat of a pulse but a single event


@dataclass(frozen=True)
class SoundFeatures:
    """Frames at 100.2 a second."""

    onsets: Float64Array  # (T,) onset strength, unit variance
    bass: Float64Array  # (T,) the same of the lowest bands
    colours: Float32Array  # (T, 64) log-mel spectrum
    decibels: Float64Array  # (T,) loudness below full scale


def compute_sound_features(mono: Audio) -> SoundFeatures:
    """Turn 22,050 Hz mono sound into onset strength, spectrum and loudness.

    Raises
    ------
    AudioError
        If the sound is shorter than a second, or silent.
    """
    if mono.duration < _SHORTEST:
        raise AudioError(f"the sound lasts only {mono.duration:.2f} s; at least {_SHORTEST:g} s are needed")
    decibels = _decibels(mono.samples[0], 1 + mono.samples.shape[1] // HOP)
    if decibels.max() < _SILENT_DB:
        raise AudioError("the sound is silent; there is nothing to conduct")
    colours = mel_power(mono.samples[0], RATE, _WINDOW, HOP, _BANDS)
    colours *= np.float32(1e4 / max(float(np.percentile(colours.max(1), 98)), 1e-12))
    colours += 1
    np.log10(colours, out=colours)
    blocks = [_rise(colours[start : start + _AT_ONCE + 2]) for start in range(0, len(colours) - 2, _AT_ONCE)]
    onsets, bass = np.pad(np.concatenate(blocks, 1), ((0, 0), (1, 1)))
    return SoundFeatures(_evened(onsets), _evened(bass), colours, decibels)


def _rise(colours: Float32Array) -> Float64Array:
    """Return the mean rise of all bands, and of the lowest, (2, T - 2)."""
    # Against the loudest of three neighbouring bands, two frames (20 ms) before: a vibrato is no onset.
    rise = np.maximum(colours[2:] - ndimage.maximum_filter1d(colours, 3, axis=1)[:-2], 0)
    return np.stack([rise[:, bands].mean(1, dtype=np.float64) for bands in (slice(None), slice(0, 8))])


def _decibels(samples: Float32Array, frames: int) -> Float64Array:
    """Root mean square over 50 ms about each frame, in decibels below full scale."""
    hops = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    power = np.einsum("th,th->t", hops, hops, dtype=np.float64) / HOP
    power = ndimage.uniform_filter1d(np.pad(power, (0, frames - len(power)), mode="edge"), 5)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))


def _evened(strength: Float64Array) -> Float64Array:
    """Remove slow swells, so that soft passages count as loud ones do, and scale to unit variance."""
    smooth = ndimage.gaussian_filter1d(strength, 1.5)
    floor = ndimage.uniform_filter1d(smooth, round(0.5 * FPS))
    sharp = np.maximum(0, smooth - floor)
    level = np.sqrt(np.maximum(0, ndimage.uniform_filter1d(sharp**2, round(6 * FPS)))) + 0.15 * sharp.std() + 1e-9
    return np.asarray(sharp / level)


def drop_silent(times: Float64Array, features: SoundFeatures) -> Float64Array:
    """Drop the beats, (N,) seconds, in silence, and before the first and after the last onset: the hands rest.

    What is struck on the very first samples, a beat before the next, is a beat, although no rise leads up to it.
    Nothing is left where no beat follows another and next to nothing is struck: where a tone begins or stops, no pulse
    does.
    """
    span = round(0.4 * FPS)
    around = ndimage.maximum_filter1d(features.decibels, 2 * span + 1)
    quiet = max(_SILENT_DB, float(np.percentile(features.decibels, 95)) - 45)
    whole = frames_of(times, features)
    struck = struck_at(features.onsets, whole)
    marked = np.flatnonzero(struck > 0.35 * np.median(struck))
    kept = np.flatnonzero(around[whole] > quiet)
    kept = kept[(kept >= marked[0]) & (kept <= marked[-1])] if len(marked) else kept
    times = times[kept] if len(kept) else times[:1]
    gaps = np.diff(times)
    if not (gaps < _FARTHEST).any():
        return times if _events(features.onsets) > 2 else times[:0]
    falls = features.decibels[0] - features.decibels[round(0.1 * FPS)]  # as after a stroke
    if falls > 3 and features.decibels[0] > quiet and abs(times[0] - gaps[0]) < 0.1 * gaps[0]:
        return np.append(0.0, times)
    return times


def _events(onsets: Float64Array) -> int:
    """Count what is struck, a third as strongly as the strongest at least."""
    highest = ndimage.maximum_filter1d(onsets, 2 * round(0.1 * FPS) - 1, mode="constant")
    struck = (onsets == highest) & (onsets >= onsets.max() / 3)
    return int(np.count_nonzero(struck[1:] & ~struck[:-1]) + struck[0])  # a plateau is one event


def frames_of(times: Float64Array, features: SoundFeatures) -> IntArray:
    """Return the frame of each of some seconds."""
    return np.clip(np.round(times * FPS).astype(np.int64), 0, len(features.onsets) - 1)


def struck_at(onsets: Float64Array, frames: IntArray) -> Float64Array:
    """Return the onset strength at each beat, at its strongest within 50 ms."""
    return np.asarray(ndimage.maximum_filter1d(onsets, 2 * round(0.05 * FPS) + 1)[frames])


def describe_beats(
    times: Float64Array,
    positions: IntArray,
    meters: IntArray | int,
    features: SoundFeatures,
    duration: float,
    confidence: Float64Array | None = None,
) -> Beats:
    """Return the beats, (N,) seconds, with how loud, how short and how accented each is. There may be none.

    Without a confidence from a network's activations it is the onset strength, as a part of that of strong beats.
    """
    if not len(times):
        return Beats((), (), meters, duration=duration)
    whole = frames_of(times, features)
    onset = struck_at(features.onsets, whole)
    return Beats(
        times=np.clip(times, 0, duration),
        positions=positions,
        meters=meters,
        loudness=_loudness(features.decibels, whole),
        articulation=_articulation(features.decibels, whole),
        accents=np.clip((standardised(onset) - 0.3) / 2, 0, 1),
        duration=duration,
        confidence=np.clip(onset / (np.percentile(onset, 90) + 1e-9), 0, 1) if confidence is None else confidence,
    )


def standardised(values: Float64Array) -> Float64Array:
    """Return values (N, ...) with zero mean and unit variance."""
    return np.asarray((values - values.mean(0)) / (values.std(0) + 1e-9))


def _loudness(decibels: Float64Array, beats: IntArray) -> Float64Array:
    """Loudness about each beat, 0 to 1: 30 dB below the loud passages is as soft as it gets."""
    power = ndimage.gaussian_filter1d(10 ** (decibels / 10), 0.35 * FPS)
    smooth = 10 * np.log10(np.maximum(power, 1e-12))[beats]
    return np.asarray(np.clip(0.88 + (smooth - np.percentile(smooth, 92)) / 30, 0, 1))


def _articulation(decibels: Float64Array, beats: IntArray) -> Float64Array:
    """How far the sound falls after each beat's attack, 0 to 1: a drop of 18 dB before the next beat is staccato."""
    edges = np.append(beats, len(decibels))
    drops = [
        np.percentile(part, 90) - np.percentile(part, 20) if len(part := decibels[a:b]) > 2 else 0.0
        for a, b in itertools.pairwise(edges)
    ]
    return ndimage.gaussian_filter1d(np.clip((np.array(drops) - 3) / 15, 0, 1), 1.0)
