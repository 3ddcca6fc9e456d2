"""Solo: the notes that one player plays, one at a time, in seconds."""

from dataclasses import dataclass, field

import numpy as np

from ictus.errors import UsageError
from ictus.types import BoolArray, Float64Array, IntArray

_OVERLAP = 1e-3  # seconds by which a note may run into the next
_PAUSE = 0.3  # seconds of silence after which a new phrase begins
_BREATH = 7.0  # seconds after which a player takes breath at the next best place


@dataclass(frozen=True)
class Solo:
    """What a soloist plays.

    Attributes
    ----------
    notes : (N, 4) onset and duration in seconds, MIDI pitch, loudness 0 to 1; in the order of their onsets, one at a
        time.
    duration : seconds of the whole.
    slurred : (N,) whether a note is bound to the one before it: one bow, no new attack. None where none is.

    Raises
    ------
    UsageError
        If the notes are of another shape, are no numbers, or sound together.
    """

    notes: Float64Array
    duration: float
    slurred: BoolArray | None = field(default=None)

    def __post_init__(self) -> None:
        notes = np.asarray(self.notes, float)
        if notes.ndim != 2 or notes.shape[1] != 4:
            raise UsageError(f"notes have shape {notes.shape}; expected (N, 4): onset, duration, pitch, loudness")
        if not np.isfinite(notes).all() or (len(notes) and notes[:, 1].min() <= 0):
            raise UsageError("a note's onset, duration, pitch or loudness is no number, or it lasts no time")
        if not 0 < self.duration < np.inf:
            raise UsageError(f"the solo lasts {self.duration:g} seconds; it must be more than 0")
        if (notes[:-1, 0] + notes[:-1, 1] > notes[1:, 0] + _OVERLAP).any():
            raise UsageError("two notes sound together; a solo has one at a time, in the order of their onsets")
        slurred = np.zeros(len(notes), bool) if self.slurred is None else np.array(self.slurred, bool)
        if slurred.shape != (len(notes),):
            raise UsageError(f"slurred has shape {slurred.shape}; expected ({len(notes)},), one for each note")
        slurred[:1] = False
        object.__setattr__(self, "notes", notes)
        object.__setattr__(self, "slurred", slurred)

    @property
    def onsets(self) -> Float64Array:
        """(N,) seconds."""
        return np.asarray(self.notes[:, 0])

    @property
    def ends(self) -> Float64Array:
        """(N,) seconds at which each note falls silent."""
        return np.asarray(self.notes[:, 0] + self.notes[:, 1])

    @property
    def pitches(self) -> IntArray:
        """(N,) MIDI pitches."""
        return np.round(self.notes[:, 2]).astype(np.int64)

    @property
    def loudness(self) -> Float64Array:
        """(N,) 0 to 1."""
        return np.asarray(np.clip(self.notes[:, 3], 0.0, 1.2))

    @property
    def attacks(self) -> BoolArray:
        """(N,) whether a note is begun anew: with another bow stroke or the tongue."""
        return ~np.asarray(self.slurred, bool)

    def phrases(self) -> Float64Array:
        """Return (P,) seconds at which phrases begin: after silence, and where a breath is due."""
        starts: list[float] = []
        silent = np.diff(self.onsets, prepend=-np.inf) if len(self.notes) else np.zeros(0)
        silence = np.append(np.inf, self.onsets[1:] - self.ends[:-1]) if len(self.notes) else np.zeros(0)
        for onset, gap, attacked, step in zip(self.onsets, silence, self.attacks, silent, strict=True):
            due = bool(starts) and onset - starts[-1] > _BREATH and attacked and step > 0.25
            if gap > _PAUSE or due:
                starts.append(float(onset))
        return np.array(starts)
