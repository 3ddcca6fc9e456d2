"""What a player plays, between the hands and the sound: notes, and the curves of bow or breath and of pitch."""

import os
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from ictus import arrays
from ictus.errors import MotionError
from ictus.files import writing
from ictus.types import Float64Array, IntArray

CURVE_RATE = 100  # values a second of the curves
MAX_BEND = 24.0  # semitones, two octaves: no slide goes farther
_LONGEST = 24 * 3600.0  # seconds
_SHORTEST = 1e-3  # seconds
_LENGTH_TOLERANCE = 2  # values by which a curve's length may differ from the take's


@dataclass(frozen=True)
class PlayedNotes:
    """Notes of one player, as they were played.

    Attributes
    ----------
    notes : (N, 4) float64, by onset: onset in seconds, duration in seconds, MIDI pitch (60 is the middle C; a fraction
        is out of tune), loudness in [0, 1].
    duration : seconds of the whole take.
    instrument : its name, as of `ictus.sound.INSTRUMENTS`.
    loudness : (T,) at `CURVE_RATE`, in [0, 1]: the envelope of bow or breath; None: that of the notes.
    bend : (T,) at `CURVE_RATE`, semitones by which the sound is above the note's pitch (vibrato, slides); None: 0.
    confidence : (N,) in [0, 1], of each note; None: 1.
    silences : (M, 2) seconds, begin and end: where no hand was seen.

    Raises
    ------
    MotionError
        If shapes do not fit, a number is not finite, notes are not in order of their onsets or lie outside the take,
        or a value is out of its range.
    """

    notes: Float64Array
    duration: float
    instrument: str
    loudness: Float64Array | None = None
    bend: Float64Array | None = None
    confidence: Float64Array | None = None
    silences: Float64Array | None = None

    def __post_init__(self) -> None:
        if not 0 < self.duration <= _LONGEST:
            raise MotionError(f"a take lasts {self.duration:g} s; it must be more than 0 and at most a day")
        notes = _checked("notes", self.notes, (-1, 4))
        length = max(1, round(self.duration * CURVE_RATE))
        curves = {
            "loudness": _level(notes, length) if self.loudness is None else _curve("loudness", self.loudness, length),
            "bend": np.zeros(length) if self.bend is None else _curve("bend", self.bend, length),
            "confidence": np.ones(len(notes))
            if self.confidence is None
            else _checked("confidence", self.confidence, (len(notes),)),
            "silences": np.zeros((0, 2)) if self.silences is None else _checked("silences", self.silences, (-1, 2)),
        }
        if len(notes):
            self._check_notes(notes)
        for name in ("loudness", "confidence"):
            _within(name, curves[name], 0, 1)
        _within("bend", curves["bend"], -MAX_BEND, MAX_BEND)
        if (curves["silences"][:, 1] < curves["silences"][:, 0]).any():
            raise MotionError("a silence ends before it begins")
        for name, values in {"notes": notes, **curves}.items():
            object.__setattr__(self, name, values)

    def _check_notes(self, notes: Float64Array) -> None:
        onsets, durations = notes[:, 0], notes[:, 1]
        if (np.diff(onsets) < 0).any():
            raise MotionError(f"note {int(np.argmax(np.diff(onsets) < 0)) + 2} begins before the one in front of it")
        if onsets[0] < 0 or onsets[-1] >= self.duration:
            raise MotionError(
                f"notes begin from {onsets[0]:.3f} to {onsets[-1]:.3f} s, outside a take of {self.duration:.3f} s"
            )
        if durations.min() < _SHORTEST:
            raise MotionError(f"note {int(durations.argmin()) + 1} lasts {durations.min():g} s; a millisecond is least")
        _within("pitch", notes[:, 2], 0, 127)
        _within("loudness of the notes", notes[:, 3], 0, 1)

    def __len__(self) -> int:
        return len(self.notes)

    @cached_property
    def pitches(self) -> IntArray:
        """(N,) the nearest key of each note."""
        return np.round(self.notes[:, 2]).astype(np.int64)

    @cached_property
    def ends(self) -> Float64Array:
        """(N,) seconds at which the notes end; none later than the take."""
        return np.minimum(self.notes[:, 0] + self.notes[:, 1], self.duration)

    def with_notes(self, notes: Float64Array, confidence: Float64Array | None = None) -> "PlayedNotes":
        """Return other notes under the same curves."""
        return replace(self, notes=notes, confidence=confidence)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them to an .npz."""
        arrays: dict[str, Any] = {one.name: np.asarray(getattr(self, one.name)) for one in fields(self)}
        with writing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "PlayedNotes":
        """Read them from the .npz that `save` wrote.

        Raises
        ------
        MotionError
            If the file is missing, damaged or holds something else.
        """
        with arrays.archive(path, MotionError) as file:
            kept = {name: file.numbers(name) for name in ("notes", "loudness", "bend", "confidence", "silences")}
            return cls(duration=file.number("duration"), instrument=str(file.text("instrument")), **kept)


def _checked(name: str, values: Float64Array, shape: tuple[int, ...]) -> Float64Array:
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise MotionError(f"{name}: not an array of numbers") from error
    if not array.size and shape[0] < 1:
        return np.zeros((0, *shape[1:]))
    if array.ndim != len(shape) or any(want not in (-1, got) for got, want in zip(array.shape, shape, strict=True)):
        wanted = ", ".join("N" if number < 0 else str(number) for number in shape)
        raise MotionError(f"{name} have shape {array.shape}; expected ({wanted})")
    if not np.isfinite(array).all():
        raise MotionError(f"{name}: a number is not finite (NaN or infinite)")
    return array


def _curve(name: str, values: Float64Array, length: int) -> Float64Array:
    """Return a curve of exactly `length`; its last value is held where it is a little too short."""
    array = _checked(name, np.ravel(values), (-1,))
    if abs(len(array) - length) > _LENGTH_TOLERANCE:
        raise MotionError(f"{name} has {len(array)} values; a take of {length / CURVE_RATE:.2f} s has {length}")
    return np.pad(array, (0, max(0, length - len(array))), mode="edge")[:length]


def _level(notes: Float64Array, length: int) -> Float64Array:
    """Return the curve of notes alone: each as loud as it says, from its onset until the next, and none before."""
    curve = np.zeros(length)
    for onset, seconds, _, loudness in notes:
        first = int(onset * CURVE_RATE)
        curve[first : max(first + 1, round((onset + seconds) * CURVE_RATE))] = loudness
    return curve


def _within(name: str, values: Float64Array, low: float, high: float) -> None:
    if len(values) and (values.min() < low or values.max() > high):
        worst = values.min() if values.min() < low else values.max()
        raise MotionError(f"{name}: {worst:g} lies outside {low:g} to {high:g}")
