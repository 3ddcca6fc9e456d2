"""What is written at a place in a bar: notes, and marks of any kind."""

from collections.abc import Iterator
from dataclasses import dataclass

from ictus.scores.score import Note

_TRILL = 0.125  # quarters of each note of a trill


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a place in a bar: a number, a text, or both."""

    bar: int
    at: float
    value: float = 0.0
    text: str = ""


@dataclass(slots=True)
class WrittenNote:
    """A note as written; `stroke` is the length of a tremolo's notes, 0 where it is held."""

    bar: int
    at: float
    length: float
    pitch: int
    mark: str
    stroke: float = 0.0
    trill: int = 0
    plucked: bool = False

    @property
    def step(self) -> float:
        """Quarters of each of the notes that are played, 0 if it is one."""
        step = self.stroke or (_TRILL if self.trill else 0.0)
        return step if self.length >= 1.5 * step else 0.0

    @property
    def strokes(self) -> int:
        """How many notes are played."""
        return round(self.length / self.step) if self.step else 1

    def played(self, onset: float, sharp: str) -> Iterator[Note]:
        """Give the notes that are played: one, or the many of a tremolo or trill, the first with the accent."""
        step = self.step
        if not step:
            yield Note(onset, self.length, self.pitch, self.mark + sharp)
            return
        for k in range(self.strokes):
            mark = self.mark or ("~" if self.trill else "")
            yield Note(onset + k * step, step, self.pitch + self.trill * (k % 2), mark + (sharp if k == 0 else ""))
