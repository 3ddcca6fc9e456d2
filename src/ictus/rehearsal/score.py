"""Scores: notes in quarters, with tempo and dynamics, from a small text that a person can read and write.

    {"title": ..., "meter": 4,
     "tempo":    [[0, 112], [88, 112], [96, 72]],        quarter, quarters a minute; linear between
     "dynamics": [[0, 0.3], [32, 0.9]],                  quarter, loudness 0 to 1; linear between
     "parts": [{"name": "violins", "instrument": "strings", "from": 0, "music": "F#4 F#4 G4 A4 | A4 G4 F#4 E4"}]}

A note is PITCH or PITCH+PITCH..., then `:length` in quarters (1 if left out), then `'` for staccato or `>` for an
accent; `-` is a rest; `|` closes a bar, whose length is checked; `A4:1~` runs on into the next note (legato).
"""

import json
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ictus.errors import IctusError
from ictus.files import readable

Array = NDArray[np.float64]

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NOTE = re.compile(r"(?P<pitches>-|[A-G][#b]?-?\d(?:\+[A-G][#b]?-?\d)*)(?::(?P<length>\d+(?:\.\d+)?))?(?P<mark>['>~]?)")


@dataclass(frozen=True)
class Note:
    """One note: onset and length in quarters, MIDI pitch, and how it is played ("", "'", ">" or "~")."""

    onset: float
    length: float
    pitch: int
    mark: str = ""


@dataclass(frozen=True)
class Part:
    """What one instrument plays."""

    name: str
    instrument: str
    notes: tuple[Note, ...]
    level: float = 1.0


@dataclass(frozen=True)
class Score:
    """Parts with a common metre, tempo and dynamics.

    Attributes
    ----------
    meter : quarters in a bar.
    tempo, dynamics : (K, 2) corners of piecewise linear curves over quarters: quarters a minute; loudness 0 to 1.
    """

    title: str
    meter: int
    tempo: Array
    dynamics: Array
    parts: tuple[Part, ...]

    @property
    def length(self) -> float:
        """Quarters until the last note ends."""
        return max((note.onset + note.length for part in self.parts for note in part.notes), default=0.0)

    def seconds(self, quarters: Array) -> Array:
        """Return the time at which each position in the score is reached."""
        grid = np.arange(0, max(self.length, float(np.max(quarters, initial=0))) + 0.03, 1 / 64)
        pace = 60 / np.interp(grid, self.tempo[:, 0], self.tempo[:, 1])  # seconds a quarter
        elapsed = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2 / 64)])
        return np.interp(quarters, grid, elapsed)

    def loudness(self, quarters: Array) -> Array:
        """Return the written loudness at positions in the score, 0 to 1."""
        return np.asarray(np.interp(quarters, self.dynamics[:, 0], self.dynamics[:, 1]))

    @classmethod
    def load(cls, path: str | Path) -> "Score":
        """Read a score file.

        Raises
        ------
        IctusError
            If it is missing or malformed; the message names the part and the bar.
        """
        return _parsed(readable(path).read_text(encoding="utf-8"), str(path))

    @classmethod
    def ode_to_joy(cls) -> "Score":
        """Beethoven's Ode to Joy for strings, winds and timpani: what the package itself can always play."""
        return _parsed(resources.files("ictus.rehearsal").joinpath("ode_to_joy.json").read_text("utf-8"), "ode_to_joy")


def _parsed(text: str, name: str) -> Score:
    try:
        content = json.loads(text)
        meter = int(content["meter"])
        parts = tuple(_part(part, meter) for part in content["parts"])
        tempo, dynamics = (np.array(content[key], float).reshape(-1, 2) for key in ("tempo", "dynamics"))
        return Score(str(content["title"]), meter, tempo, dynamics, parts)
    except (KeyError, TypeError, ValueError) as error:
        raise IctusError(f"{name}: not a score ({error})") from error


def _part(content: dict[str, Any], meter: int) -> Part:
    notes: list[Note] = []
    start = float(content.get("from", 0))
    for number, bar in enumerate(content["music"].split("|")):
        now = start + number * meter
        for word in bar.split():
            if not (match := _NOTE.fullmatch(word)):
                raise ValueError(f"part {content['name']}, bar {number + 1}: {word!r} is no note")
            length = float(match["length"] or 1)
            if match["pitches"] != "-":
                notes += [Note(now, length, _midi(name), match["mark"]) for name in match["pitches"].split("+")]
            now += length
        if abs(now - start - (number + 1) * meter) > 1e-6:
            filled = now - start - number * meter
            raise ValueError(f"part {content['name']}, bar {number + 1}: holds {filled:g} of {meter} quarters")
    return Part(content["name"], content["instrument"], tuple(notes), float(content.get("level", 1)))


def _midi(name: str) -> int:
    accidental = {"#": 1, "b": -1}.get(name[1], 0)
    return 12 * (int(name[2 if accidental else 1 :]) + 1) + _STEPS[name[0]] + accidental
