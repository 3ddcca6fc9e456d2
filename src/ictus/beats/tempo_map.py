"""Beats as the tempo map of a Standard MIDI file, and back.

Written are a tempo for every beat, so that each lies on a quarter, time signatures whose bar lines are the downbeats,
and wood blocks on the beats. Of other files the tempi and time signatures alone are read: a beat is what `beat_unit`
takes for one, a dotted quarter in 6/8.
"""

import io
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ictus.beats.bars import BeatValues, bar_numbers, positions_from
from ictus.beats.meter import beat_unit
from ictus.types import Float64Array

_QUARTER = 480  # ticks
_DOWNBEAT, _BEAT = (76, 112), (77, 80)  # wood blocks, high and low, of General MIDI; and their velocities
_DRUMS = 9  # the channel
_ENDLESS = re.compile(rb"[\x80-\xff]{1000}")  # a number that goes on, for which mido takes the square of the time
_LONGEST = 0xFFFFFF / 1e6  # seconds that a quarter can last
_MOST = 100_000  # beats of a file


def to_midi(beats: BeatValues) -> bytes:
    """Return a file of one track: a tempo event for every beat, so that each lies on a quarter, and a click on it.

    Bar lines lie on the downbeats: the first bar may be a shorter one, in which nothing sounds.
    """
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    starts, signatures = quarters(beats)
    lead = len(starts) - len(beats)
    events = [(k * _QUARTER, MetaMessage("time_signature", numerator=count)) for k, count in signatures]
    reached = 0  # microseconds; what one tempo is rounded by, the next makes good
    for k, seconds in enumerate(np.append(starts[1:], starts[-1:] + 0.5).tolist()):
        tick = k * _QUARTER
        tempo = int(np.clip(round(seconds * 1e6) - reached, 1, 0xFFFFFF))
        reached += tempo
        events.append((tick, MetaMessage("set_tempo", tempo=tempo)))
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


def quarters(beats: BeatValues) -> tuple[Float64Array, list[tuple[int, int]]]:
    """Return the grid on which beats lie as quarters, from second 0 on.

    Returns
    -------
    starts : (n,) seconds of the quarters: those before the first beat, evenly, and the beats.
    signatures : number of a quarter, and beats in the bar, wherever a bar has others than the one before.
    """
    lead = _quarters_before(beats)
    starts = np.concatenate([np.arange(lead) * (beats.times[0] / lead if lead else 0), beats.times])
    return starts, list(_signatures(beats, lead))


def _quarters_before(beats: BeatValues) -> int:
    """Return how many quarters pass before the first beat, at about its tempo; before an upbeat they fill its bar."""
    if not len(beats):
        return 0
    missing, meter = max(0, int(beats.positions[0] - 1)), int(beats.meters[0])
    pace = min(float(np.median(np.diff(beats.times))), _LONGEST) if len(beats) > 1 else 0.5
    quarters = max(missing, math.ceil(float(beats.times[0]) / pace - 0.5), int(beats.times[0] > 0))
    return missing + meter * round((quarters - missing) / meter) if missing else quarters


def _signatures(beats: BeatValues, lead: int) -> Iterator[tuple[int, int]]:
    """Yield quarter and beats in the bar wherever a bar has others than the one before."""
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
    yield from zip(starts[changes].tolist(), np.minimum(counts[changes], 255).tolist(), strict=True)


def from_midi(content: bytes) -> dict[str, Any]:
    """Return the values of `Beats` of a MIDI file: of its wood blocks, or of its tempi and metres where it has none.

    Raises
    ------
    ValueError
        If it is none, or has neither.
    """
    from mido import MidiFile

    if _ENDLESS.search(content):
        raise ValueError("it holds a number without end")
    file = MidiFile(file=io.BytesIO(content))
    now, meter = 0.0, 4
    rows: list[tuple[float, bool, int]] = []  # seconds, whether it is a downbeat, beats in the bar
    drums = set[int]()
    for message in file:
        now += message.time
        if message.type == "time_signature":
            meter = message.numerator
        elif message.type == "note_on" and message.channel == _DRUMS and message.velocity:
            drums.add(message.note)
            rows.append((now, message.note == _DOWNBEAT[0], meter))
    if not rows or drums - {_DOWNBEAT[0], _BEAT[0]}:
        return _beats_of_map(file)
    times, downbeats, meters = (np.array(column) for column in zip(*rows, strict=True))
    return {"times": times, "positions": positions_from(downbeats, int(meters[0])), "meters": meters}


def _beats_of_map(file: Any) -> dict[str, Any]:
    """Return the beats that the tempi and time signatures of a file lay down, up to its end."""
    from mido import merge_tracks

    tick, ticks, paces = 0, [0], [0.5]  # ticks at which the tempo changes, and seconds a quarter from there
    signatures = [(0, 4, 4)]
    for message in merge_tracks(file.tracks):
        tick += message.time
        if message.type == "set_tempo":
            ticks.append(tick)
            paces.append(message.tempo / 1e6)
        elif message.type == "time_signature":
            signatures.append((tick, message.numerator, message.denominator))
    if len(ticks) == 1 and len(signatures) == 1:
        raise ValueError("it holds no clicks, and neither tempo nor metre")
    corners = np.array(ticks) / file.ticks_per_beat
    elapsed = np.concatenate([[0.0], np.cumsum(np.diff(corners) * paces[:-1])])
    end = tick / file.ticks_per_beat
    quarters, positions, meters = _grid(signatures, file.ticks_per_beat, end)
    here = np.searchsorted(corners, quarters, "right") - 1
    times: Float64Array = elapsed[here] + (quarters - corners[here]) * np.array(paces)[here]
    return {"times": times, "positions": positions, "meters": meters}


def _grid(signatures: list[tuple[int, int, int]], division: int, end: float) -> tuple[Any, Any, Any]:
    """Return the quarters of all beats up to an end, their positions and metres."""
    quarters, positions, meters = list[float](), list[int](), list[int]()
    for k, (tick, count, kind) in enumerate(signatures):
        start = tick / division
        until = signatures[k + 1][0] / division if k + 1 < len(signatures) else end + 1e-6
        unit, _ = beat_unit(count, kind)
        beats = max(1, round(4 * count / kind / unit))
        number = max(0, math.ceil((until - start) / unit - 1e-6))
        if len(quarters) + number > _MOST:
            raise ValueError(f"it holds more than {_MOST} beats")
        quarters += [start + j * unit for j in range(number)]
        positions += [j % beats + 1 for j in range(number)]
        meters += [beats] * number
    return np.array(quarters), np.array(positions, np.int64), np.array(meters, np.int64)
