"""Beats: when music marks its time, and how; the choice of the beat that is conducted."""

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ictus.beats import files
from ictus.beats.bars import bar_numbers, positions_from
from ictus.beats.meter import beats_in_bar, groups_in_bar
from ictus.errors import IctusError
from ictus.files import short
from ictus.types import Float64Array, IntArray

SLOWEST, FASTEST = 48.0, 150.0  # beats a minute that an arm conducts at ease

_NEUTRAL = {"loudness": 0.5, "articulation": 0.4, "accents": 0.0, "confidence": 1.0, "holds": 0.0}

_GROUP = 0.6  # accent of the first beat of a group
_MOST = 1000  # beats of a bar in a file
_LONGEST = 1e6  # seconds of the music of a file


@dataclass(frozen=True, init=False)
class Beats:
    """The beats of a piece.

    Attributes
    ----------
    times : (N,) seconds, increasing.
    positions : (N,) int, place in the bar: 1 is the downbeat; 0 of all beats where bars are not known.
    meters : (N,) int, beats in the bar that each beat belongs to. May be given as one number for all bars, or as one
        for each bar.
    loudness : (N,) 0 (as soft as this music gets) to 1 (as loud).
    articulation : (N,) 0 (legato) to 1 (staccato).
    accents : (N,) 0 to 1, how much a beat stands out from its neighbours.
    duration : seconds of the music, silence at its end included.
    confidence : (N,) 0 to 1, how clearly each beat shows in the activations it was decoded from: near 0 where it was
        filled in between others. It is no calibrated probability; 1 where the beats are known.
    holds : (N,) seconds for which a beat is held at a fermata, from the beat on; 0 where it is not, or not known.
    """

    times: Float64Array
    positions: IntArray
    meters: IntArray
    loudness: Float64Array
    articulation: Float64Array
    accents: Float64Array
    duration: float
    confidence: Float64Array
    holds: Float64Array

    def __init__(
        self,
        times: ArrayLike,
        positions: ArrayLike,
        meters: ArrayLike,
        loudness: ArrayLike = (),
        articulation: ArrayLike = (),
        accents: ArrayLike = (),
        duration: float = 0.0,
        confidence: ArrayLike = (),
        holds: ArrayLike = (),
    ) -> None:
        when, place = np.asarray(times, np.float64), np.asarray(positions, np.int64)
        count = len(when)
        if len(place) != count:
            raise IctusError(f"{count} beats, but {len(place)} positions in the bar")
        if count and (not np.isfinite(when).all() or (np.diff(when) <= 0).any()):
            wrong = int(np.argmin(np.isfinite(when) & (np.diff(when, prepend=-np.inf) > 0)))
            before = f" comes after {when[wrong - 1]:.3f} s" if wrong else " is no time"
            raise IctusError(
                f"the times of the beats must be finite and increasing, but beat {wrong + 1}, at {when[wrong]:.3f} s,"
                f"{before}"
            )
        given = {
            "loudness": loudness,
            "articulation": articulation,
            "accents": accents,
            "confidence": confidence,
            "holds": holds,
        }
        for name, neutral in _NEUTRAL.items():
            value = np.asarray(given[name], np.float64)
            if len(value) not in (0, count):
                raise IctusError(f"{count} beats, but {len(value)} values of {name}")
            object.__setattr__(self, name, value if len(value) else np.full(count, neutral))
        object.__setattr__(self, "times", when)
        object.__setattr__(self, "positions", place)
        object.__setattr__(self, "meters", _meter_of_each(place, np.asarray(meters, np.int64)))
        unknown = duration <= 0 and count
        object.__setattr__(self, "duration", float(when[-1]) + 1.0 if unknown else float(duration))

    def __len__(self) -> int:
        return len(self.times)

    @property
    def meter(self) -> int:
        """The most frequent number of beats in a bar; 4 where there are no beats."""
        return int(np.bincount(self.meters).argmax()) if len(self) else 4

    @property
    def downbeats(self) -> Float64Array:
        """Seconds of the beats that begin a bar."""
        return np.asarray(self.times[self.positions == 1])

    @property
    def tempo(self) -> float:
        """Median beats a minute; 0 where there are fewer than two beats."""
        return float(60 / np.median(np.diff(self.times))) if len(self) > 1 else 0.0

    @property
    def neutral(self) -> bool:
        """Whether nothing is known of how the beats sound: loudness, articulation and accents are neutral."""
        return all((getattr(self, name) == _NEUTRAL[name]).all() for name in ("loudness", "articulation", "accents"))

    def in_one_meter(self) -> "Beats":
        """Return the same beats, all counted in the most frequent metre: in bars that are longer it begins again."""
        if not len(self) or len(np.unique(self.meters)) == 1:
            return self
        return replace(self, positions=(self.positions - 1) % self.meter + 1, meters=np.full(len(self), self.meter))

    def with_meter(self, meter: int | str) -> "Beats":
        """Return the same beats in another metre (see `beats_in_bar`), its downbeats where accents are strongest.

        Of a metre of groups, such as "3+2", the first beat of each is accented, and the others are not.
        """
        count, groups = beats_in_bar(meter), groups_in_bar(meter)
        beats = self if not len(self) or (self.meters == count).all() else self._counted_in(count)
        if len(groups) == 1:
            return beats
        heads = np.isin(beats.positions - 1, np.cumsum((0, *groups[:-1])))
        accents = np.where(heads, np.maximum(beats.accents, _GROUP), np.minimum(beats.accents, _GROUP / 4))
        return replace(beats, accents=accents)

    def _counted_in(self, meter: int) -> "Beats":
        # A downbeat of the old counting stays one if it can: it weighs a little more than an accent.
        weight = self.accents + 0.3 * self.loudness + 0.5 * (self.positions == 1)
        phase = max(range(meter), key=lambda p: float(weight[p::meter].mean()) if p < len(self) else -1.0)
        positions = (np.arange(len(self)) - phase) % meter + 1
        return replace(self, positions=positions, meters=np.full(len(self), meter))

    def conducted(self) -> "Beats":
        """Return the beats as an arm conducts them (the tactus), each bar in its own metre; see `ictus.beats.tactus`.

        Those at 48 to 150 a minute are conducted as they are. Faster ones are gathered (4 -> 2, 6 -> 2, 2 -> 1,
        3 -> 1), slower ones divided in two.

        Raises
        ------
        IctusError
            If there is no conducting pattern for a metre, however it is gathered.
        """
        from ictus.beats.tactus import conducted

        return conducted(self)

    def halved(self) -> "Beats":
        """Return every other beat: of each bar the first, third and so on; of bars of three or five, two as one."""
        if not (self.meters % 2).any():
            return self._gathered(2)
        first = int(np.argmax(self.positions == 1)) % 2
        kept = {one.name: getattr(self, one.name)[first::2] for one in fields(self) if one.name != "duration"}
        positions = positions_from(kept["positions"] == 1, self.meter)
        return replace(self, **{**kept, "positions": (positions - 1) % kept["meters"] + 1})

    def _gathered(self, group: int) -> "Beats":
        chosen = (self.positions - 1) % group == 0
        values = {one.name: getattr(self, one.name)[chosen] for one in fields(self) if one.name != "duration"}
        positions, meters = (values["positions"] - 1) // group + 1, values["meters"] // group
        return replace(self, **{**values, "positions": positions, "meters": meters})

    def divided(self, parts: int) -> "Beats":
        """Return the beats with others evenly between them: `parts` from each one to the next."""
        whole = np.arange(len(self))
        place = np.arange(parts * (len(self) - 1) + 1)
        between = place % parts

        def repeated(values: IntArray) -> IntArray:
            return np.repeat(values, parts)[: len(place)]

        def spread(values: Float64Array) -> Float64Array:
            return np.interp(place / parts, whole, values)

        return replace(
            self,
            times=spread(self.times),
            positions=parts * (repeated(self.positions) - 1) + between + 1,
            meters=parts * repeated(self.meters),
            loudness=spread(self.loudness),
            articulation=spread(self.articulation),
            accents=np.where(between > 0, 0.0, spread(self.accents)),
            confidence=spread(self.confidence),
            holds=np.where(between > 0, 0.0, np.repeat(self.holds, parts)[: len(place)]),
        )

    def to_meta(self) -> dict[str, Any]:
        """Return what a motion carries of its beats, in JSON types; "meters", of each beat, where the metre changes."""
        changes = {"meters": self.meters.tolist()} if len(np.unique(self.meters)) > 1 else {}
        times = [round(time, 4) for time in self.times.tolist()]
        return {"times": times, "positions": self.positions.tolist(), "meter": self.meter, **changes}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Beats":
        """Read beats from a file, as `save` or other programs write them; see `ictus.beats.files`.

        Raises
        ------
        UsageError
            If the suffix is none of these.
        IctusError
            If the file is missing or damaged.
        """
        values = files.load(path)
        try:
            return cls(**values)._plausible()
        except Exception as error:  # values of any kind, which NumPy refuses in any way
            raise IctusError(f"{os.fspath(path)}: no file of beats ({short(error)})") from error

    def _plausible(self) -> "Beats":
        """Return the beats if music can have them; what is made of others would have no end."""
        if max(self.positions.max(initial=0), self.meters.max(initial=0)) > _MOST:
            raise IctusError(f"a bar of more than {_MOST} beats")
        if min(self.positions.min(initial=0), self.meters.min(initial=0)) < 0:
            raise IctusError("places in the bar or metres below 0")
        values = (self.loudness, self.articulation, self.accents, self.confidence, self.holds)
        if not all(np.isfinite(value).all() for value in values):
            raise IctusError("loudness, articulation, accents, confidence or holds that are not finite")
        if not max(np.abs(self.times).max(initial=0), abs(self.duration)) < _LONGEST:
            raise IctusError(f"beats farther away than {_LONGEST:g} s")
        return self

    def save(self, path: str | os.PathLike[str], music: str | os.PathLike[str] | None = None) -> None:
        """Write the beats; the suffix chooses the format (see `ictus.beats.files`): .csv, .mid, .json, .rpp ...

        Parameters
        ----------
        music : the file of which they are; a Reaper project plays it.
        """
        files.save(self, path, None if music is None else Path(music))


def _meter_of_each(positions: IntArray, meters: IntArray) -> IntArray:
    """Return the metre of each beat, from one number for all, one for each beat, or one for each bar."""
    count = len(positions)
    if meters.ndim == 0:
        meters = np.full(count, int(meters))
    elif len(meters) != count:
        bars = bar_numbers(positions)
        if meters.shape != (bars[-1] + 1 if count else 0,):
            raise IctusError(f"{count} beats in {bars[-1] + 1 if count else 0} bars, but {len(meters)} metres")
        meters = meters[bars]
    if (meters < 1).any():
        raise IctusError(f"a bar of {meters.min()} beats; there must be at least one")
    return meters
