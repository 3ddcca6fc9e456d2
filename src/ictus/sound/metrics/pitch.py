"""Pitch: which pitch, or pitch class, is the strongest in each frame of a mel, and how often that of a reference is."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ictus.errors import UsageError
from ictus.features import mel80
from ictus.sound import MEL_RATE
from ictus.sound.metrics.inputs import BANDS, as_mel
from ictus.types import Float64Array

Classes = NDArray[np.intp]

NONE = -1  # where nothing sounds
LOWEST, HIGHEST = 36, 96  # MIDI pitches that are looked for: C2 to C7
DEPTH = 0.5  # of mel80's range (50 dB) below the loudest band of a frame: what is softer is noise
FLOOR = 0.45  # below the loud frames: a frame whose loudest band is softer is silent
_NEAR = 4  # bands to either side whose mean is taken off, so that what counts is where partials are, not the timbre
_FALL = 0.85  # of each partial's amplitude to that of the one before


def pitches(mel: ArrayLike) -> Classes:
    """Return the strongest pitch of each frame.

    Each frame is compared with those of harmonic tones of all semitones from C2 to C7; of several tones at once, one is
    found.

    Parameters
    ----------
    mel : (T, 80) in [0, 1].

    Returns
    -------
    (T,) MIDI pitches from 36 (C2) to 96 (C7), and `NONE` where it is silent. Source: ours.
    """
    level = as_mel(mel)
    likeness = _outline(level) @ _tones().T  # (T, pitches)
    loudest = level.max(1)
    silent = loudest < max(np.percentile(loudest, 95) - FLOOR, 1e-3)
    return np.where(silent, NONE, LOWEST + likeness.argmax(1))


def pitch_classes(mel: ArrayLike) -> Classes:
    """Return the strongest pitch class of each frame.

    Of 48 synthetic solos the class is that of the score's note in 95 % of the frames in which one sounds.

    Parameters
    ----------
    mel : (T, 80) in [0, 1].

    Returns
    -------
    (T,) from 0 (C) to 11 (B), and `NONE` where it is silent. Source: ours.
    """
    found = pitches(mel)
    return np.where(found == NONE, NONE, found % 12)


def note_classes(notes: ArrayLike, frames: int) -> Classes:
    """Return the pitch class of the notes that sound in each mel frame; of several, of the last that began.

    Parameters
    ----------
    notes : (N, 3 or more) onset and duration in seconds, MIDI pitch, in the order of their onsets.
    frames : how many.

    Returns
    -------
    (frames,) from 0 to 11, and `NONE` where no note sounds.
    """
    rows = np.asarray(notes, np.float64)
    if rows.ndim != 2 or rows.shape[1] < 3 or not np.isfinite(rows).all() or (np.diff(rows[:, 0]) < 0).any():
        raise UsageError(f"notes of shape {rows.shape}; rows of onset, duration and pitch are needed, by onset")
    classes = np.full(frames, NONE, np.intp)
    times = np.arange(frames) / MEL_RATE
    for onset, duration, pitch in rows[:, :3]:
        classes[(times >= onset) & (times < onset + duration)] = round(pitch) % 12
    return classes


def chroma_accuracy(reference: Classes, estimate: Classes) -> float:
    """Share of frames in which both have the same pitch class, of those in which the reference has one; NaN of none.

    Parameters
    ----------
    reference, estimate : (T,) from `pitch_classes` or `note_classes`.

    Raises
    ------
    UsageError
        If they are no whole numbers (T,), or differ in length.
    """
    for name, classes in (("reference", reference), ("estimate", estimate)):
        if classes.dtype.kind not in "iu" or classes.ndim != 1:
            raise UsageError(f"the {name} is {classes.dtype} of shape {classes.shape}; whole numbers (T,) are needed")
    if len(reference) != len(estimate):
        raise UsageError(f"{len(reference)} frames of reference and {len(estimate)} others; they must be as many")
    voiced = reference != NONE
    return float((reference == estimate)[voiced].mean()) if voiced.any() else float("nan")


def _outline(level: Float64Array) -> Float64Array:
    """(T, 80) -> the same, of length 1 each: how bands stand out from their neighbours."""
    shown = np.maximum(level, level.max(1, keepdims=True) - DEPTH)
    distance = np.abs(np.subtract.outer(np.arange(BANDS), np.arange(BANDS)))
    mean = (distance <= _NEAR) / (distance <= _NEAR).sum(0)
    shown = shown - shown @ mean
    return np.asarray(shown / np.maximum(np.linalg.norm(shown, axis=1, keepdims=True), 1e-9))


@cache
def _tones() -> Float64Array:
    """Outlines of harmonic tones, (pitches, 80)."""
    bins = np.arange(mel80.window // 2 + 1)
    rows = []
    for pitch in range(LOWEST, HIGHEST + 1):
        fundamental = 440 * 2 ** ((pitch - 69) / 12) * mel80.window / mel80.rate  # in bins of the spectrum
        partials = np.arange(1, 1 + int(len(bins) / fundamental))
        apart = bins[:, None] - partials * fundamental
        amplitude = 100 * np.where(np.abs(apart) < 2, _lobe(apart), 0) * _FALL ** (partials - 1)
        # partials that overlap have any phase to each other
        rows.append(mel80.level((mel80.filters @ np.sqrt((amplitude**2).sum(1))).astype(np.float32)))
    return _outline(np.array(rows, np.float64))


def _lobe(apart: Float64Array) -> Float64Array:
    """Return the spectrum of a Hann window, 1 at its middle, so many bins apart from that."""
    return np.asarray(np.sinc(apart) + (np.sinc(apart - 1) + np.sinc(apart + 1)) / 2)
