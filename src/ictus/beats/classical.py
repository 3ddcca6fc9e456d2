"""The classical beat tracker: it needs no training, and is what trained ones are measured against.

Onset strength -> tempo curve -> beats by dynamic programming (D. Ellis, Beat Tracking by Dynamic Programming, JNMR
2007, with a tempo that may change) -> bar by a hidden Markov model over the beats' accents.
"""

import itertools

import numpy as np
from scipy import ndimage

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.decoding import refined, viterbi
from ictus.beats.sound_features import (
    FPS,
    RATE,
    SoundFeatures,
    compute_sound_features,
    describe_beats,
    drop_silent,
    frames_of,
    standardised,
    struck_at,
)
from ictus.types import Float32Array, Float64Array, IntArray

_EARLY = 0.012  # seconds by which a rise shows before the onset's own time, measured on clicks
_PERIODS = 60 / np.geomspace(45, 220, 96)  # seconds a beat, slow to fast


class ClassicalBeatTracker:
    """Find the beats of any music, without a network; used as `BeatTracker` is."""

    def __call__(
        self, audio: Audio, *, meter: int | str | None = None, tempo: tuple[float, float] | None = None
    ) -> Beats:
        """Return the beats; `tempo` is the slowest and the fastest that they can be, in beats a minute.

        Raises
        ------
        AudioError
            If the sound is shorter than a second, or silent.
        """
        mono = audio.mono().resample(RATE)
        features = compute_sound_features(mono)
        times = track_beats(features.onsets, tempo_curve(features.onsets, tempo)) / FPS + _EARLY
        times = drop_silent(times, features)
        found, positions = _bar(_accents(times, features))
        beats = describe_beats(times, positions, found, features, mono.duration)
        return beats.with_meter(meter) if meter else beats


def tempo_curve(onsets: Float64Array, tempo: tuple[float, float] | None = None) -> Float64Array:
    """Return (T,) seconds a beat: the smoothest path of strong periodicity, changing by a few percent at a time.

    Parameters
    ----------
    tempo : slowest and fastest, in beats a minute, where that is known.
    """
    periods = 60 / np.geomspace(*tempo, 96) if tempo else _PERIODS
    span, step = round(8 * FPS), round(0.5 * FPS)
    padded = np.pad(onsets, span // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, span)[::step] * np.hanning(span)
    spectrum = np.fft.rfft(windows - windows.mean(1, keepdims=True), 2 * span)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:, :span]
    correlation /= correlation[:, :1] + 1e-9
    lags = np.arange(span) / FPS

    def at(periods: Float64Array) -> Float64Array:
        return np.stack([np.interp(periods, lags, row) for row in correlation])

    # A beat's period shows at its multiples too; an arm likes about 112 a minute (log-normal, 0.75 octaves wide).
    strength = at(periods) + 0.5 * at(2 * periods) + 0.25 * at(4 * periods)
    liking = -0.5 * (np.log2(periods * 112 / 60) / 0.75) ** 2
    # The whole piece has a say everywhere, or passages would jump between a beat and its multiples.
    path = viterbi(3.0 * (strength + strength.mean(0)) + liking, _tempo_change(periods))
    return np.interp(np.arange(len(onsets)), np.arange(len(path)) * step, periods[path])


def _tempo_change(periods: Float64Array) -> Float64Array:
    octaves = np.log2(periods)
    return -np.minimum(120.0 * (octaves[:, None] - octaves[None]) ** 2, 12.0)


def track_beats(onsets: Float64Array, periods: Float64Array, tightness: float = 80.0) -> Float64Array:
    """Return the beats' frames (fractional): strong onsets, about one period apart.

    Parameters
    ----------
    onsets : (T,) onset strength.
    periods : (T,) seconds a beat.
    tightness : weight of even spacing against strong onsets.
    """
    frames = periods * FPS
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
    return refined(np.array(beats[::-1]), onsets)


def _accents(times: Float64Array, features: SoundFeatures) -> Float64Array:
    """Return (N, 3): how strongly each beat is struck, in the bass, and how much the harmony changes."""
    whole = frames_of(times, features)
    return np.stack(
        [struck_at(features.onsets, whole), struck_at(features.bass, whole), _harmonic_change(features.colours, whole)],
        1,
    )


def _harmonic_change(colours: Float32Array, beats: IntArray) -> Float64Array:
    """How different the sound after each beat is from that before it: bars often begin with a new harmony."""
    edges = np.concatenate([[0], beats, [len(colours)]])
    means = np.stack([colours[a : max(b, a + 1)].mean(0) for a, b in itertools.pairwise(edges)])
    means /= np.linalg.norm(means, axis=1, keepdims=True) + 1e-9
    return np.asarray(1 - (means[1:] * means[:-1]).sum(1))


# What is common before anything is features: log-probabilities of metres, and of a bar that has a beat too many or few.
_METER_PRIOR = {2: -0.9, 3: -1.4, 4: -0.7}
_SLIP = -9.0


def _bar(accents: Float64Array) -> tuple[int, IntArray]:
    """Choose metre and bar positions by the path that puts downbeats on accents; accents is (N, kinds)."""
    count = len(accents)
    if count < 4:
        return 4, np.arange(count) % 4 + 1
    weight = standardised(accents).mean(1)
    weight = np.clip(weight / (weight.std() + 1e-9), -2, 2)
    chosen: tuple[float, int, IntArray] | None = None
    for meter, prior in _METER_PRIOR.items():
        expected = _expected_accents(meter)
        scores = -0.5 * (weight[:, None] - expected[None]) ** 2 / 0.9
        transitions = np.full((meter, meter), _SLIP)
        transitions[np.arange(meter), (np.arange(meter) + 1) % meter] = 0.0
        path = viterbi(scores, transitions)
        slips = int((np.diff(path) % meter != 1 % meter).sum())
        total = float(scores[np.arange(count), path].sum()) + slips * _SLIP + 3 * prior
        if chosen is None or total > chosen[0]:
            chosen = total, meter, path
    assert chosen is not None  # the table of metres is not empty
    return chosen[1], chosen[2] + 1


def _expected_accents(meter: int) -> Float64Array:
    """Accent of each place in the bar, of zero mean and unit variance."""
    shape = {2: [1.0, -1.0], 3: [1.0, -0.5, -0.5], 4: [1.0, -0.6, 0.2, -0.6]}[meter]
    return np.asarray(np.array(shape) / np.std(shape) * 0.8)
