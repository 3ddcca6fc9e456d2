"""The beats that a dancer marks: where the body slows down, at about one tempo.

The tempo is the one at which the logarithm of the joints' mean speed swings most. The beats are then found as in music
(Ellis, "Beat Tracking by Dynamic Programming", JNMR 2007), with minima of speed in place of onsets.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from ictus.dance.quaternions import RATE
from ictus.types import Float64Array, IntArray

_SMOOTH = 3.0  # frames of 60: the deviation of the filter over the speed, and the width of a beat
_STILL = 0.05  # m/s that are added to the speed, for in rest nothing is marked
_TREND = 45.0  # frames, the deviation of the filter that gives the speed in general
_APART, _AROUND = 8, 20  # frames between minima, and frames on either side in which the body was faster
_CLEAR, _FULL = (
    0.15,
    0.5,
)  # of the logarithm of speed: by how much a beat slows down, and beyond which it counts no more
_TEMPI = np.exp(np.linspace(np.log(55), np.log(180), 240))  # beats a minute
_USUAL, _SPREAD = 105.0, 0.45  # beats a minute, and the deviation of the logarithm, of tempi that dances have
_EVEN = 10.0  # how much it counts that beats are even, beside that the body slows down
_NEAR = 0.42  # of a beat, by which a dancer may be off the music's


@dataclass(frozen=True)
class MarkedBeats:
    """Beats of a dance.

    Attributes
    ----------
    times : (N,) seconds.
    clear : how many times a second the body clearly slows down: in dances once in three seconds and oftener, in a walk
        never.
    """

    times: Float64Array
    clear: float


def marked_beats(positions: Float64Array, tempo: float | None = None) -> MarkedBeats:
    """Find the beats that a dance marks.

    Parameters
    ----------
    positions : (T, 24, 3) metres at 60 frames a second.
    tempo : beats a minute of the music, which begins with the motion, if it is known. Each beat is then moved to where
        the dancer marks it, and the first one begins a bar or half of it.
    """
    speed = np.linalg.norm(np.diff(positions, axis=0), axis=-1).mean(1) * RATE
    level = np.log(gaussian_filter1d(np.append(speed[:1], speed), _SMOOTH) + _STILL)  # (T,)
    minima, found = find_peaks(-level, distance=_APART, prominence=0, wlen=2 * _AROUND + 1)
    depths = found["prominences"]
    clear = float((depths > _CLEAR).sum() / len(level) * RATE)
    strength = np.zeros(len(level))
    strength[minima] = np.clip(depths / _FULL, _CLEAR, 1)
    strength = gaussian_filter1d(strength, _SMOOTH) * _SMOOTH * np.sqrt(2 * np.pi)
    if tempo is None:
        return MarkedBeats(_evenly(strength, 60 * RATE / _tempo(level)) / RATE, clear)
    place = np.arange(len(level)) / RATE * tempo / 60  # in beats of the music
    beats = _evenly(np.where(np.abs(place - np.round(place)) < _NEAR, strength, 0.0), 60 * RATE / tempo)
    odd = round(place[beats[0]]) % 2
    return MarkedBeats(beats[odd:] / RATE, clear)


def _tempo(level: Float64Array) -> float:
    """Return beats a minute: where the level swings most, at it and at twice that, weighed by how usual it is."""
    swing = level - gaussian_filter1d(level, _TREND)
    phase = 2 * np.pi * _TEMPI[:, None] / 60 * np.arange(len(level)) / RATE
    strength = sum(np.abs((swing * np.exp(-1j * times * phase)).mean(1)) for times in (1, 2))
    return float(_TEMPI[(strength * np.exp(-0.5 * (np.log(_TEMPI / _USUAL) / _SPREAD) ** 2)).argmax()])


def _evenly(strength: Float64Array, period: float) -> IntArray:
    """Return the frames of beats: as strong as can be, and as evenly a period apart."""
    lags = np.arange(max(1, round(0.6 * period)), round(1.6 * period) + 1)
    cost = _EVEN * np.log(lags / period) ** 2
    best, before = strength.copy(), np.full(len(strength), -1)
    for frame in range(lags[0], len(strength)):
        earlier = frame - lags[: np.searchsorted(lags, frame, side="right")]
        values = best[earlier] - cost[: len(earlier)]
        chosen = int(values.argmax())
        best[frame] += values[chosen]
        before[frame] = earlier[chosen]
    last = max(0, len(strength) - round(period))
    beats = [last + int(best[last:].argmax())]
    while before[beats[-1]] >= 0:
        beats.append(int(before[beats[-1]]))
    return np.array(beats[::-1])
