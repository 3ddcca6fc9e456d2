"""Files of beats: what is saved is loaded again.

.json   everything that `Beats` holds
.csv    `time,beat` with a heading: seconds, and place in the bar (1 is the downbeat); a third column `meter` where the
        positions alone do not show how many beats a bar has
.txt    time and place in the bar with a tab between, without a heading: what other beat trackers write
.mid    a click for any sequencer: tempo, time signatures, and wood blocks on the beats

Beats from .csv, .txt and .mid have neutral loudness, articulation and accents, and a confidence of 1. Where no metre is
written, that of a bar is its last position; of the last bar, which may be incomplete, at least that of the one before.
"""

import csv
import io
import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ictus.beats.bars import bar_numbers, meters_of
from ictus.documents import parse_json
from ictus.errors import IctusError, UsageError
from ictus.files import reading, short, writing
from ictus.types import Float64Array, IntArray

_VALUES = (  # of `Beats`
    *("times", "positions", "meters", "loudness", "articulation", "accents", "duration", "confidence"),
)
_QUARTER = 480  # ticks
_DOWNBEAT, _BEAT = (76, 112), (77, 80)  # wood blocks, high and low, of General MIDI; and their velocities
_DRUMS = 9  # the channel
_LARGEST = 1 << 25  # bytes of a file
_ENDLESS = re.compile(
    rb"[\x80-\xff]{1000}"
)  # of MIDI: a number that goes on, for which mido takes the square of the time
_LONGEST = 0xFFFFFF / 1e6  # seconds that a quarter can last


class BeatValues(Protocol):
    """What `Beats` holds, as far as files need it."""

    @property
    def times(self) -> Float64Array:
        """(N,) seconds."""

    @property
    def positions(self) -> IntArray:
        """(N,) places in the bar."""

    @property
    def meters(self) -> IntArray:
        """(N,) beats in the bar of each."""

    def __len__(self) -> int: ...


def save(beats: BeatValues, path: str | os.PathLike[str]) -> None:
    """Write beats; the suffix chooses the format. Raises UsageError if it is none of those above."""
    write = _WRITERS.get(Path(path).suffix.lower())
    if write is None:
        raise _unknown(path, "saved")
    content = write(beats)
    with writing(path) as temporary:
        temporary.write_bytes(content)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the values of `Beats` by name.

    Raises
    ------
    UsageError
        If the suffix is none of those above.
    IctusError
        If the file is missing or damaged.
    """
    read = _READERS.get(Path(path).suffix.lower())
    if read is None:
        raise _unknown(path, "loaded")
    with reading(path) as file:
        if file.stat().st_size > _LARGEST:
            raise IctusError(f"is larger than {_LARGEST / 1e6:.0f} MB, as no file of beats is")
        try:
            return read(file.read_bytes())
        except Exception as error:  # what is damaged fails in any way
            raise IctusError(f"no file of beats ({short(error)})") from error


def _unknown(path: str | os.PathLike[str], what: str) -> UsageError:
    return UsageError(
        f"{os.fspath(path)}: beats cannot be {what} as {Path(path).suffix!r}; choose {', '.join(_READERS)}"
    )


# --- Text ------------------------------------------------------------------------------------------------------------


def _to_json(beats: BeatValues) -> bytes:
    values = {name: getattr(beats, name) for name in _VALUES}
    return json.dumps({name: np.asarray(value).tolist() for name, value in values.items()}).encode()


def _from_json(content: bytes) -> dict[str, Any]:
    values = parse_json(content)
    if not isinstance(values, dict):
        raise ValueError("it holds no table of values by name")
    meters = values.get("meters", values.get("meter", 4))  # what a motion carries has one metre
    return {**{name: values[name] for name in values.keys() & set(_VALUES)}, "meters": meters}


def _to_csv(beats: BeatValues) -> bytes:
    rows: list[tuple[Any, ...]] = [("time", "beat"), *_rows(beats)]
    if not np.array_equal(meters_of(beats.positions), beats.meters):
        rows = [(*row, meter) for row, meter in zip(rows, ["meter", *beats.meters.tolist()], strict=True)]
    return _table(rows, ",")


def _to_txt(beats: BeatValues) -> bytes:
    return _table(_rows(beats), "\t")


def _rows(beats: BeatValues) -> list[tuple[Any, ...]]:
    return [(f"{time:.3f}", int(place)) for time, place in zip(beats.times, beats.positions, strict=True)]


def _table(rows: list[tuple[Any, ...]], between: str) -> bytes:
    return "".join(between.join(map(str, row)) + "\n" for row in rows).encode()


def _from_csv(content: bytes) -> dict[str, Any]:
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    positions = np.array([int(row["beat"]) for row in rows], np.int64)
    written = [int(row["meter"]) for row in rows if row.get("meter")]
    times = [float(row["time"]) for row in rows]
    return {"times": times, "positions": positions, "meters": written or meters_of(positions)}


def _from_txt(content: bytes) -> dict[str, Any]:
    rows = [line.split() for line in content.decode("utf-8-sig").splitlines() if line.strip()]
    positions = np.array([int(float(row[1])) for row in rows], np.int64)
    return {"times": [float(row[0]) for row in rows], "positions": positions, "meters": meters_of(positions)}


# --- MIDI ------------------------------------------------------------------------------------------------------------


def _to_mid(beats: BeatValues) -> bytes:
    """Return a file of one track: a tempo event for every beat, so that each lies on a quarter, and a click on it.

    Bar lines lie on the downbeats: the first bar may be a shorter one, in which nothing sounds.
    """
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    lead = _quarters_before(beats)
    starts = np.concatenate([np.arange(lead) * (beats.times[0] / lead if lead else 0), beats.times])
    events = [(tick, MetaMessage("time_signature", numerator=count)) for tick, count in _signatures(beats, lead)]
    for k, seconds in enumerate(np.append(np.diff(starts), 0.5)[: len(starts)].tolist()):
        tick = k * _QUARTER
        events.append((tick, MetaMessage("set_tempo", tempo=int(np.clip(round(seconds * 1e6), 1, 0xFFFFFF)))))
        if k >= lead:
            pitch, velocity = _DOWNBEAT if beats.positions[k - lead] == 1 else _BEAT
            events.append((tick, Message("note_on", channel=_DRUMS, note=pitch, velocity=velocity)))
            events.append((tick + _QUARTER // 4, Message("note_off", channel=_DRUMS, note=pitch)))
    events.sort(key=lambda event: event[0])
    track = MidiTrack([MetaMessage("end_of_track", time=_QUARTER * 3 // 4)])
    steps = np.diff([0, *(tick for tick, _ in events)]).tolist()
    track[:0] = [message.copy(time=step) for step, (_, message) in zip(steps, events, strict=True)]
    MidiFile(type=0, ticks_per_beat=_QUARTER, tracks=[track]).save(file=(buffer := io.BytesIO()))
    return buffer.getvalue()


def _quarters_before(beats: BeatValues) -> int:
    """Return how many quarters pass before the first beat, at about its tempo; before an upbeat they fill its bar."""
    if not len(beats):
        return 0
    missing, meter = int(beats.positions[0] - 1), int(beats.meters[0])
    pace = min(float(np.median(np.diff(beats.times))), _LONGEST) if len(beats) > 1 else 0.5
    quarters = max(missing, math.ceil(float(beats.times[0]) / pace - 0.5), int(beats.times[0] > 0))
    return missing + meter * round((quarters - missing) / meter) if missing else quarters


def _signatures(beats: BeatValues, lead: int) -> Iterator[tuple[int, int]]:
    """Yield tick and beats in the bar wherever a bar has others than the one before."""
    if not len(beats):
        return
    firsts = np.flatnonzero(np.diff(bar_numbers(beats.positions), prepend=-1))
    counts = np.diff(np.append(firsts, len(beats)))
    counts[[0, -1]] = beats.meters[firsts[[0, -1]]]  # which may be incomplete
    starts = firsts + lead
    starts[0] = (lead - beats.positions[0] + 1) % counts[0]  # of the first whole bar before it
    if starts[0]:
        starts, counts = np.append(0, starts), np.append(starts[0], counts)
    changes = np.diff(counts, prepend=0) != 0
    ticks = starts[changes] * _QUARTER
    yield from zip(ticks.tolist(), np.minimum(counts[changes], 255).tolist(), strict=True)


def _from_mid(content: bytes) -> dict[str, Any]:
    from mido import MidiFile

    if _ENDLESS.search(content):
        raise ValueError("it holds a number without end")
    now, meter = 0.0, 4
    rows: list[tuple[float, bool, int]] = []  # seconds, whether it is a downbeat, beats in the bar
    for message in MidiFile(file=io.BytesIO(content)):
        now += message.time
        if message.type == "time_signature":
            meter = message.numerator
        elif message.type == "note_on" and message.channel == _DRUMS and message.velocity:
            rows.append((now, message.note == _DOWNBEAT[0], meter))
    if not rows:
        raise ValueError("it holds no clicks")
    times, downbeats, meters = (np.array(column) for column in zip(*rows, strict=True))
    upbeats = int(downbeats.argmax()) if downbeats.any() else len(rows)
    places = np.arange(len(rows))
    last_downbeat = np.maximum.accumulate(np.where(downbeats, places, 0))
    positions = places - last_downbeat + 1
    positions[:upbeats] += max(0, int(meters[0]) - upbeats)
    return {"times": times, "positions": positions, "meters": meters}


_WRITERS = {".csv": _to_csv, ".txt": _to_txt, ".mid": _to_mid, ".json": _to_json}
_READERS = {".csv": _from_csv, ".txt": _from_txt, ".mid": _from_mid, ".json": _from_json}
