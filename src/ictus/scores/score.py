"""Scores: notes, tempo and dynamics over quarters; and a small text notation for them.

Scores come from `ictus.scores.reader` (MusicXML, MIDI) or from a JSON text that a person can read and write:

    {"title": ..., "meter": 4,
     "tempo":    [[0, 112], [88, 112], [96, 72]],        quarter, quarters a minute; linear between
     "dynamics": [[0, 0.3], [32, 0.9]],                  quarter, loudness 0 to 1; linear between
     "parts": [{"name": "violins", "instrument": "strings", "from": 0, "music": "F#4 F#4 G4 A4 | A4 G4 F#4 E4"}]}

The meter is a number of quarters, or a time signature such as "6/8". A note is PITCH or PITCH+PITCH..., then `:length`
in quarters (1 if left out), then `'` for staccato or `>` for an accent; `-` is a rest; `|` closes a bar, whose length
is checked; `A4:1~` runs on into the next note (legato).
"""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ictus.beats.meter import beat_unit, time_signature
from ictus.errors import IctusError
from ictus.files import reading, short
from ictus.scores.bounds import QUARTERS, SECONDS, TEMPI, check_size, content, number
from ictus.scores.instruments import PART_LEVELS
from ictus.types import Float64Array

_LARGEST = 1 << 22  # bytes of a file
_PLACED = (("from", 0, QUARTERS), ("level", 1, 10))  # of a part: key, usual value, highest
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NOTE = re.compile(r"(?P<pitches>-|[A-G][#b]?-?\d(?:\+[A-G][#b]?-?\d)*)(?::(?P<length>\d+(?:\.\d+)?))?(?P<mark>['>~]?)")


@dataclass(frozen=True, slots=True)
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
        with reading(path) as file:
            return check_playable(_parsed(content(file, _LARGEST)))

    @classmethod
    def ode_to_joy(cls) -> "Score":
        """Beethoven's Ode to Joy for strings, winds and timpani: what the package itself can always play."""
        return _parsed(resources.files("ictus.scores").joinpath("ode_to_joy.json").read_bytes())


def check_playable(score: Score) -> Score:
    """Return a score, if it lasts as long as a piece may.

    Raises
    ------
    IctusError
        If it lasts longer.
    """
    check_size(quarters=score.length)
    if (
        score.length * 60 > SECONDS * score.tempo[:, 1].min()
        and (seconds := float(score.seconds(np.array([score.length]))[0])) > SECONDS
    ):
        raise IctusError(f"lasts {seconds / 3600:.0f} hours at its tempo; at most {SECONDS / 3600:.0f} are played")
    return score


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


def _parsed(data: bytes) -> Score:
    try:
        written = json.loads(data.decode("utf-8"))
        bar, beat, divided = _meter(written["meter"])
        check_size(parts=len(written["parts"]))
        parts: list[Part] = []
        for one in written["parts"]:
            parts.append(_part(one, bar))
            check_size(notes=sum(len(part.notes) for part in parts))
        title, tempo, dynamics = (
            str(written["title"]),
            _curve(written, "tempo", *TEMPI),
            _curve(written, "dynamics", 0, 1),
        )
    except UnicodeDecodeError as error:
        raise IctusError("not a score (it is no text in UTF-8); save it as UTF-8") from error
    except KeyError as error:
        raise IctusError(f"not a score ({short(error)} is missing)") from error
    except (TypeError, ValueError) as error:
        raise IctusError(f"not a score ({short(error)})") from error
    end = max((note.onset + note.length for part in parts for note in part.notes), default=0.0)
    check_size(quarters=end)
    count, numbers = round(bar / beat), np.arange(np.ceil(end / beat))
    beats = np.stack([numbers * beat, numbers % count + 1, 0 * numbers + count, 0 * numbers + divided], axis=1)
    return Score(title, tempo, dynamics, tuple(parts), beats)


def _meter(meter: object) -> tuple[float, float, int]:
    """Return the quarters of a bar, those of a beat, and the parts of a beat."""
    count, _, kind = (f"{meter:g}" if isinstance(meter, int | float) else str(meter)).partition("/")
    time = time_signature([count], [kind or "4"])
    if time is None:
        raise ValueError(f'meter {short(meter)!r} is none; write one such as 4 or "6/8"')
    return 4 * time[0] / time[1], *(beat_unit(*time) if kind else (1.0, 2))


def _curve(written: dict[str, Any], name: str, low: float, high: float) -> Float64Array:
    corners = np.array(written[name], float).reshape(-1, 2)
    quarters, values = corners.T
    if not len(corners) or not ((low <= values) & (values <= high)).all() or not (np.diff(quarters) >= 0).all():
        raise ValueError(f"{name} has to be pairs of a quarter, in order, and a value from {low:g} to {high:g}")
    return corners


def _part(written: dict[str, Any], bar: float) -> Part:
    notes: list[Note] = []
    name, instrument = str(written["name"]), written["instrument"]
    start, level = (number(str(written.get(key, usual)), 0, most) for key, usual, most in _PLACED)
    if instrument not in PART_LEVELS:
        raise ValueError(f"part {short(name)}: {short(instrument)!r} is no instrument; take strings, flute or the like")
    if start is None or level is None:
        raise ValueError(f"part {short(name)}: begins from a quarter up to {QUARTERS}, at a level up to 10")
    for k, music in enumerate(written["music"].split("|")):
        now = start + k * bar
        for word in music.split():
            if not (match := _NOTE.fullmatch(word)):
                raise ValueError(f"part {short(name)}, bar {k + 1}: {short(word)!r} is no note")
            length = float(match["length"] or 1)
            if match["pitches"] != "-":
                notes += [Note(now, length, _midi(pitch), match["mark"]) for pitch in match["pitches"].split("+")]
            now += length
        check_size(notes=len(notes))
        if not abs(now - start - (k + 1) * bar) <= 1e-6:
            filled = now - start - k * bar
            raise ValueError(f"part {short(name)}, bar {k + 1}: holds {filled:g} of {bar:g} quarters")
    return Part(name, instrument, tuple(notes), level)


def _midi(name: str) -> int:
    accidental = {"#": 1, "b": -1}.get(name[1], 0)
    return 12 * (int(name[2 if accidental else 1 :]) + 1) + _STEPS[name[0]] + accidental
