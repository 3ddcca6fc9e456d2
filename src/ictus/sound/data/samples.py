"""Samples of an evaluation: windows of a split, with their sound, the features of the performance, and notes."""

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from ictus.arrays import load
from ictus.errors import IctusError, UsageError
from ictus.files import short
from ictus.sound import MEL_RATE
from ictus.sound.data.dataset import WINDOW, MelWindows, PreparedPerformance
from ictus.types import Float32Array, Float64Array, IntArray


@dataclass(frozen=True)
class PerformanceSample:
    """A window of a performance.

    Attributes
    ----------
    number, name : in its set, and "val/NAME@FRAME".
    mel : (T, 80) in [0, 1].
    instrument : its number in `ictus.sound.INSTRUMENTS`, or `ictus.sound.data.dataset.UNKNOWN`.
    features : "keypoints" (n, 47, 3), "rgb" (n, 1024) and "flow" (n, F), those that were asked for.
    rates : frames a second of each.
    notes : (N, 4) onset (less than 0 where a note began before the window) and duration in seconds, MIDI pitch,
        loudness; None where the corpus has none.
    """

    number: int
    name: str
    mel: Float32Array
    instrument: int
    features: Mapping[str, Float32Array]
    rates: Mapping[str, float]
    notes: Float64Array | None

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.mel) / MEL_RATE


def window_seed(seed: int, name: str) -> int:
    """Return a seed of a window's own, from 0 to 2^63 - 1: the same wherever the window stands among others."""
    digest = hashlib.sha256(os.fsencode(f"{seed} {name}")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


# Of a sample and a seed: (T, 80) in [0, 1], as long as the sample's mel.
MelPredictor = Callable[[PerformanceSample, int], Float32Array]


class PerformanceSamples:
    """Windows of a split side by side, read when asked for.

    Parameters
    ----------
    root, split : see `ictus.sound.data.dataset`.
    kinds : "keypoints", "rgb", "flow": what the models need; performances without them are left out.
    frames : of a window.
    limit_hours : use only so much, of performances in the order of their names.

    Attributes
    ----------
    performances : for each window, the number of its performance.
    instruments : for each window, the number of its instrument.
    broken : a line for each folder that cannot be used.

    Raises
    ------
    UsageError
        If the split is missing, or holds windows of fewer than two performances.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str,
        *,
        kinds: Collection[str] = (),
        frames: int = WINDOW,
        limit_hours: float | None = None,
    ) -> None:
        self._windows = MelWindows(root, split, frames=frames, kinds=kinds)
        places = self._windows.places
        if limit_hours is not None:
            places = places[: max(2, int(limit_hours * 3600 * MEL_RATE / frames))]
        folders = list(dict.fromkeys(performance.folder for performance, _ in places))
        if len(folders) < 2:
            raise UsageError(f"{root}: {split} has windows of {len(folders)} performance; sets are compared, of two")
        self._places, self.frames, self.broken = places, frames, self._windows.broken
        self.performances = np.array([folders.index(performance.folder) for performance, _ in places])
        self.instruments = np.array([performance.instrument for performance, _ in places])

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> PerformanceSample:
        """Read a window; raises IctusError with a line that names the file if it cannot be used."""
        performance, at = self._places[number]
        return PerformanceSample(
            number,
            f"{performance.name}@{at}",
            self.mel(number),
            performance.instrument,
            {kind: performance.features(kind, at, self.frames) for kind in self._windows.kinds},
            performance.rates,
            _notes(performance, at, self.frames),
        )

    @property
    def seconds(self) -> float:
        """Length of a window."""
        return self.frames / MEL_RATE

    def mel(self, number: int) -> Float32Array:
        """(T, 80) in [0, 1], of one window."""
        performance, at = self._places[number]
        return np.ascontiguousarray((performance.mel(at, self.frames).T + 1) / 2)

    def others(self, number: int, *, same_instrument: bool) -> IntArray:
        """Return the windows of other performances; `same_instrument`: of the same instrument."""
        other = self.performances != self.performances[number]
        if same_instrument:
            other &= self.instruments == self.instruments[number]
        return np.flatnonzero(other)


def _notes(performance: PreparedPerformance, at: int, frames: int) -> Float64Array | None:
    """Return the notes that sound in a window, by their onsets."""
    file = performance.folder / "notes.npy"
    if not file.exists():
        return None
    notes = load(file)
    if notes.dtype.kind != "f" or notes.ndim != 2 or notes.shape[1] != 4 or not np.isfinite(notes).all():
        raise IctusError(f"{file}: {notes.dtype} of shape {short(notes.shape)}; finite floats (notes, 4) are needed")
    notes = notes[np.argsort(notes[:, 0], kind="stable")].astype(np.float64)
    notes[:, 0] -= at / MEL_RATE
    return np.asarray(notes[(notes[:, 0] < frames / MEL_RATE) & (notes[:, 0] + notes[:, 1] > 0)])
