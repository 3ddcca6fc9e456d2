"""Beats: when music marks its time, and how; the choice of the beat that is conducted; files of beats."""

import csv
import os
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ictus.errors import IctusError, UsageError
from ictus.files import writing

Array = NDArray[np.float64]

METERS = (1, 2, 3, 4, 5, 6)
SLOWEST, FASTEST = 48.0, 150.0  # beats a minute that an arm conducts at ease


@dataclass(frozen=True)
class Beats:
    """The beats of a piece.

    Attributes
    ----------
    times : (N,) seconds, increasing.
    positions : (N,) int, place in the bar: 1 is the downbeat.
    meter : beats in a bar.
    loudness : (N,) 0 (as soft as this music gets) to 1 (as loud).
    articulation : (N,) 0 (legato) to 1 (staccato).
    accents : (N,) 0 to 1, how much a beat stands out from its neighbours.
    duration : seconds of the music, silence at its end included.
    """

    times: Array
    positions: NDArray[np.int64]
    meter: int
    loudness: Array = field(default_factory=lambda: np.zeros(0))
    articulation: Array = field(default_factory=lambda: np.zeros(0))
    accents: Array = field(default_factory=lambda: np.zeros(0))
    duration: float = 0.0

    def __post_init__(self) -> None:
        count = len(self.times)
        object.__setattr__(self, "times", np.asarray(self.times, np.float64))
        object.__setattr__(self, "positions", np.asarray(self.positions, np.int64))
        for name, neutral in (("loudness", 0.5), ("articulation", 0.4), ("accents", 0.0)):
            value = np.asarray(getattr(self, name), np.float64)
            object.__setattr__(self, name, value if len(value) else np.full(count, neutral))
            if len(getattr(self, name)) != count:
                raise IctusError(f"{count} beats, but {len(value)} values of {name}")
        if len(self.positions) != count:
            raise IctusError(f"{count} beats, but {len(self.positions)} positions in the bar")
        if count and (not np.isfinite(self.times).all() or (np.diff(self.times) <= 0).any()):
            raise IctusError("the times of the beats must be finite and increasing")
        if self.duration <= 0 and count:
            object.__setattr__(self, "duration", float(self.times[-1]) + 1.0)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def downbeats(self) -> Array:
        """Seconds of the beats that begin a bar."""
        return np.asarray(self.times[self.positions == 1])

    @property
    def tempo(self) -> float:
        """Median beats a minute; 0 where there are fewer than two beats."""
        return float(60 / np.median(np.diff(self.times))) if len(self) > 1 else 0.0

    def with_meter(self, meter: int) -> "Beats":
        """Return the same beats counted in another metre, its downbeats where the accents are strongest."""
        if meter not in METERS:
            raise UsageError(f"metre {meter} is not conducted; choose one of {', '.join(map(str, METERS))}")
        if meter == self.meter or not len(self):
            return self
        # A downbeat of the old counting stays one if it can: it weighs a little more than an accent.
        weight = self.accents + 0.3 * self.loudness + 0.5 * (self.positions == 1)
        phase = max(range(meter), key=lambda p: float(weight[p::meter].mean()) if p < len(self) else -1.0)
        return replace(self, positions=(np.arange(len(self)) - phase) % meter + 1, meter=meter)

    def conducted(self) -> "Beats":
        """Return the beats as an arm conducts them (the tactus).

        A beat whose median tempo lies between 48 and 150 a minute is conducted as it is. Faster ones are gathered
        (4 -> 2, 6 -> 2, 2 -> 1, 3 -> 1), slower ones divided in two.
        """
        beats = self
        while beats.tempo > FASTEST and (group := {6: 3, 4: 2, 3: 3, 2: 2}.get(beats.meter)):
            beats = beats._gathered(group)
        while 0 < beats.tempo < SLOWEST and beats.meter <= 3:
            beats = beats._divided()
        return beats

    def _gathered(self, group: int) -> "Beats":
        chosen = (self.positions - 1) % group == 0
        return replace(
            self,
            times=self.times[chosen],
            positions=(self.positions[chosen] - 1) // group + 1,
            meter=self.meter // group,
            loudness=self.loudness[chosen],
            articulation=self.articulation[chosen],
            accents=self.accents[chosen],
        )

    def _divided(self) -> "Beats":
        whole = np.arange(len(self))
        halves = np.arange(2 * len(self) - 1) / 2
        between = halves % 1 > 0

        def spread(values: Array) -> Array:
            return np.interp(halves, whole, values)

        positions = 2 * np.repeat(self.positions, 2)[: len(halves)] - 1 + between
        return replace(
            self,
            times=spread(self.times),
            positions=positions,
            meter=2 * self.meter,
            loudness=spread(self.loudness),
            articulation=spread(self.articulation),
            accents=np.where(between, 0.0, spread(self.accents)),
        )

    def to_meta(self) -> dict[str, Any]:
        """Return what a motion carries of its beats, in JSON types."""
        return {
            "times": [round(float(t), 4) for t in self.times],
            "positions": [int(p) for p in self.positions],
            "meter": int(self.meter),
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the beats: .csv (time,beat with a heading), .txt (the same with tabs, no heading), .mid (a click)."""
        suffix = Path(path).suffix.lower()
        if suffix not in (".csv", ".txt", ".mid"):
            raise UsageError(f"{path}: beats cannot be saved as {suffix!r}; choose .csv, .txt or .mid")
        with writing(path) as temporary:
            if suffix == ".mid":
                temporary.write_bytes(_midi_click(self))
                return
            rows = [(f"{time:.3f}", int(position)) for time, position in zip(self.times, self.positions, strict=True)]
            with temporary.open("w", newline="") as sink:
                table = csv.writer(sink, delimiter="," if suffix == ".csv" else "\t", lineterminator="\n")
                table.writerows([("time", "beat"), *rows] if suffix == ".csv" else rows)


def _midi_click(beats: Beats) -> bytes:
    """Return a format-0 MIDI file: a tempo event for every beat, so that each lies on a quarter, and a click on it."""
    quarter = 480
    numerator = min(max(beats.meter, 1), 255)
    events: list[tuple[int, bytes]] = [(0, bytes((0xFF, 0x58, 4, numerator, 2, 24, 8)))]
    # The bar before the first beat is left free, so that the piece may begin with an upbeat at any time.
    starts = np.concatenate([[0.0], beats.times])
    for k, start in enumerate(starts):
        step = starts[k + 1] - start if k + 1 < len(starts) else 0.5
        microseconds = int(np.clip(round(step * 1e6), 1, 0xFFFFFF))
        events.append((k * quarter, bytes((0xFF, 0x51, 3)) + microseconds.to_bytes(3, "big")))
        if k:
            pitch, velocity = (76, 112) if beats.positions[k - 1] == 1 else (77, 80)
            events.append((k * quarter, bytes((0x99, pitch, velocity))))
            events.append((k * quarter + quarter // 4, bytes((0x89, pitch, 0))))
    events.sort(key=lambda event: event[0])
    track, now = b"", 0
    for tick, message in [*events, (len(starts) * quarter, bytes((0xFF, 0x2F, 0)))]:
        track += _variable_length(tick - now) + message
        now = tick
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, quarter) + b"MTrk" + struct.pack(">I", len(track)) + track


def _variable_length(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))
