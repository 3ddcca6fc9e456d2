"""Scores: notes, tempo and dynamics over quarters; and a small text notation for them.

Scores come from `ictus.scores.reader` (MusicXML, MIDI) or from a JSON text that a person can read and write:

    {"title": ..., "meter": 4,
     "tempo":    [[0, 112], [88, 112], [96, 72]],        quarter, quarters a minute; linear between
     "dynamics": [[0, 0.3], [32, 0.9]],                  quarter, loudness 0 to 1; linear between
     "parts": [{"name": "violins", "instrument": "strings", "from": 0, "music": "F#4 F#4 G4 A4 | A4 G4 F#4 E4"}]}

A note is PITCH or PITCH+PITCH..., then `:length` in quarters (1 if left out), then `'` for staccato or `>` for an
accent; `-` is a rest; `|` closes a bar, whose length is checked; `A4:1~` runs on into the next note (legato).
"""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ictus.errors import IctusError
from ictus.files import readable
from ictus.types import Float64Array

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NOTE = re.compile(r"(?P<pitches>-|[A-G][#b]?-?\d(?:\+[A-G][#b]?-?\d)*)(?::(?P<length>\d+(?:\.\d+)?))?(?P<mark>['>~]?)")


@dataclass(frozen=True)
class Note:
    """One note: onset and length in quarters, MIDI pitch, and how it is played.

    `mark` holds any of: ' (staccato), > (accent), ~ (runs on into the next note).
    """

    onset: float
    length: float
    pitch: int
    mark: str = ""


@dataclass(frozen=True)
class Part:
    """What one instrument plays.

    Attributes
    ----------
    instrument : a name of `ictus.scores.instruments`.
    level : how strong it is beside the others; 1 is a section of violins.
    dynamics : (K, 2) as the score's; None where the part has the score's.
    program : the General MIDI program, or of a drum its percussion key, where it is known; else the instrument's.
    drum : whether `program` is a percussion key.
    """

    name: str
    instrument: str
    notes: tuple[Note, ...]
    level: float = 1.0
    dynamics: Float64Array | None = None
    program: int | None = None
    drum: bool = False


@dataclass(frozen=True)
class Score:
    """Parts with a common tempo and metre.

    Attributes
    ----------
    tempo, dynamics : (K, 2) corners of piecewise linear curves over quarters: quarters a minute; loudness 0 to 1.
    beats : (B, 4) every notated beat: its quarter, its place in the bar (1 is the downbeat), the beats in its bar, and
        the parts into which a slow beat is divided (2; 3 in compound metre).
    fermatas : (F, 2) quarters at which a hold begins and ends.
    sections : (S,) quarters at which something new begins (double bars, repeats, new tempi), 0 among them.
    """

    title: str
    tempo: Float64Array
    dynamics: Float64Array
    parts: tuple[Part, ...]
    beats: Float64Array
    fermatas: Float64Array = field(default_factory=lambda: np.zeros((0, 2)))
    sections: Float64Array = field(default_factory=lambda: np.zeros(1))

    @cached_property
    def length(self) -> float:
        """Quarters until the last note ends."""
        return max((note.onset + note.length for part in self.parts for note in part.notes), default=0.0)

    def seconds(self, quarters: Float64Array) -> Float64Array:
        """Return the time at which each position in the score is reached, at the written tempo."""
        grid = np.arange(0, max(self.length, float(np.max(quarters, initial=0))) + 0.03, 1 / 64)
        pace = 60 / np.interp(grid, self.tempo[:, 0], self.tempo[:, 1])  # seconds a quarter
        elapsed = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2 / 64)])
        return np.asarray(np.interp(quarters, grid, elapsed))

    def loudness(self, quarters: Float64Array, part: Part | None = None) -> Float64Array:
        """Return the written loudness at positions in the score, 0 to 1: of one part, or of all."""
        curve = self.dynamics if part is None or part.dynamics is None else part.dynamics
        return np.asarray(np.interp(quarters, curve[:, 0], curve[:, 1]))

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
        return _parsed(resources.files("ictus.scores").joinpath("ode_to_joy.json").read_text("utf-8"), "ode_to_joy")


def joint_loudness(parts: tuple[Part, ...], quarters: Float64Array) -> Float64Array:
    """Return (K, 2) corners of the loudness that parts have together: the mean of those that play at each quarter."""
    if not len(quarters):
        return np.array([[0.0, 0.5]])
    total, weight = np.zeros(len(quarters)), np.full(len(quarters), 1e-9)
    for part in parts:
        onsets = np.array([note.onset for note in part.notes])
        begun = np.searchsorted(quarters, onsets + 1e-6, "right") - 1
        playing = np.bincount(np.maximum(begun, 0), minlength=len(quarters)) > 0
        if part.dynamics is not None:
            total += playing * np.interp(quarters, part.dynamics[:, 0], part.dynamics[:, 1])
            weight += playing
    played = weight > 0.5
    if not played.any():
        return np.array([[0.0, 0.5]])
    return np.stack([quarters[played], total[played] / weight[played]], axis=1)


def _parsed(text: str, name: str) -> Score:
    try:
        content = json.loads(text)
        meter = int(content["meter"])
        parts = tuple(_part(part, meter) for part in content["parts"])
        tempo, dynamics = (np.array(content[key], float).reshape(-1, 2) for key in ("tempo", "dynamics"))
        return Score(str(content["title"]), tempo, dynamics, parts, _regular_beats(parts, meter))
    except (KeyError, TypeError, ValueError) as error:
        raise IctusError(f"{name}: not a score ({error})") from error


def _regular_beats(parts: tuple[Part, ...], meter: int) -> Float64Array:
    end = max((note.onset + note.length for part in parts for note in part.notes), default=0.0)
    quarters = np.arange(np.ceil(end))
    return np.stack([quarters, quarters % meter + 1, 0 * quarters + meter, 0 * quarters + 2], axis=1)


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
