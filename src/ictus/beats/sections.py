"""The sections of a piece: where its music changes, and which of them sound alike.

Bars are compared with each other by their spectrum, beat by beat. A border is where the bars before are like each
other, those after are, and the ones are unlike the others (Foote, "Automatic Audio Segmentation Using a Measure of
Audio Novelty", ICME 2000). Two sections are alike whose bars are alike in their order.
"""

from dataclasses import dataclass

import numpy as np

from ictus.audio import Audio
from ictus.features.spectrum import mel_power
from ictus.types import Float64Array, IntArray

_RATE, _WINDOW, _HOP, _BANDS = 22050, 2048, 512, 64
_LEVEL = 2.0  # decibels by which bars differ on average that are alike all the same
_QUIET = 1e-7  # of the loudest band: what is softer counts as silence
_AROUND = 8  # bars on either side of a border that are compared
_LEAST = 4  # bars between borders
_NOVEL = 0.05  # how much more alike bars on one side of a border are than those on both
_ALIKE = 0.5  # how alike bars of two alike sections are on average; any two bars are .37 in the median


@dataclass(frozen=True)
class Sections:
    """Sections of a piece.

    Attributes
    ----------
    starts : (S,) numbers of the beats at which they begin: the first one at the first beat, others at a bar.
    labels : (S,) sections with the same number are alike.
    """

    starts: IntArray
    labels: IntArray


def find_sections(audio: Audio, times: Float64Array, positions: IntArray) -> Sections:
    """Find the sections of a piece; it is a single one where hardly anything changes, or it has but a few bars.

    Parameters
    ----------
    times, positions : (N,) seconds of the beats, and their places in the bar, from 1.
    """
    bars = np.flatnonzero(positions == 1)
    if len(bars) < 2 * _LEAST:
        return Sections(np.zeros(1, np.int64), np.zeros(1, np.int64))
    alike = _similarities(_spectra_of_beats(audio, times), bars)
    borders = _borders(_novelty(alike))
    labels = _labels(alike, np.array([0, *borders]))
    return Sections(np.array([0, *bars[borders]], np.int64), labels)


def _spectra_of_beats(audio: Audio, times: Float64Array) -> Float64Array:
    """(N, bands) decibels, mean from each beat to the next."""
    mel = mel_power(audio.mono().resample(_RATE).samples[0], _RATE, _WINDOW, _HOP, _BANDS).astype(np.float64)
    level = 10 * np.log10(np.maximum(mel, _QUIET * max(mel.max(), 1e-20)))
    sums = np.concatenate([np.zeros((1, _BANDS)), np.cumsum(level, axis=0)])
    edges = np.append(times, times[-1] + np.median(np.diff(times))) * _RATE / _HOP
    edges = np.clip(np.round(edges).astype(int), 0, len(level))
    edges[1:] = np.maximum(edges[1:], np.minimum(edges[:-1] + 1, len(level)))
    return np.asarray(np.diff(sums[edges], axis=0) / np.maximum(np.diff(edges), 1)[:, None])


def _similarities(beats: Float64Array, bars: IntArray) -> Float64Array:
    """(bars, bars): 1 of two bars that are the same in all beats, .37 of two that are as unlike as is usual."""
    meter = int(np.median(np.diff(bars)))
    each = beats[np.minimum(bars[:, None] + np.arange(meter), len(beats) - 1)].reshape(len(bars), -1)
    each -= each.mean(0)
    square = (each**2).sum(1)
    distance = np.maximum(square[:, None] + square - 2 * each @ each.T, 0)
    usual = float(np.median(distance[np.triu_indices(len(bars), 1)]))
    return np.asarray(np.exp(-distance / max(usual, _LEVEL**2 * each.shape[1])))


def _novelty(alike: Float64Array) -> Float64Array:
    """(bars,): how much the bars around each bar's beginning resemble those on their side more than those beyond."""
    place = np.arange(-_AROUND, _AROUND) + 0.5
    weights = np.exp(-0.5 * (place / (0.6 * _AROUND)) ** 2)
    weights, same = np.outer(weights, weights), np.outer(place, place) > 0
    np.fill_diagonal(weights, 0)  # each bar is like itself
    padded, inside = (np.pad(part, _AROUND) for part in (alike, np.ones_like(alike)))
    novelty = np.zeros(len(alike))
    for bar in range(len(alike)):
        window = (slice(bar, bar + 2 * _AROUND),) * 2
        near, there = padded[window] * weights, inside[window] * weights
        aside, across = (near[part].sum() / max(there[part].sum(), 1e-9) for part in (same, ~same))
        novelty[bar] = aside - across
    return novelty


def _borders(novelty: Float64Array) -> list[int]:
    """Return the bars at which sections begin, but for the first one."""
    found = []
    for bar in range(2, len(novelty) - 1):
        around = novelty[max(1, bar - _LEAST) : bar + _LEAST + 1]
        if novelty[bar] >= _NOVEL and novelty[bar] == around.max():
            found.append(bar)
    return found


def _labels(alike: Float64Array, starts: IntArray) -> IntArray:
    ends = [*starts[1:].tolist(), len(alike)]
    labels: list[int] = []
    for start, end in zip(starts.tolist(), ends, strict=True):
        best, label = _ALIKE, max(labels, default=-1) + 1
        for other, other_end, known in zip(starts.tolist(), ends, labels, strict=False):
            both = min(end - start, other_end - other)
            likeness = float(np.diagonal(alike[start : start + both, other : other + both]).mean())
            if likeness >= best and 2 * both >= max(end - start, other_end - other):
                best, label = likeness, known
        labels.append(label)
    return np.array(labels, np.int64)
