"""The tactus: which beats an arm conducts, bar by bar, where those that are counted come too fast or too slowly.

Beats at 48 to 150 a minute are conducted as they are. Faster ones are gathered: 4 -> 2, 6 -> 2, 3 -> 1, 2 -> 1, and
uneven bars by their groups, 5 -> 3+2 and 7 -> 2+2+3 or as their accents say. Slower ones are divided: in two, or in
three where the metre is compound. A change of metre or tempo begins a passage, which is decided for itself.
"""

import itertools
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ictus.beats.bars import gathering
from ictus.beats.beats import FASTEST, SLOWEST, Beats
from ictus.beats.meter import CONDUCTED
from ictus.errors import IctusError
from ictus.types import Float64Array, IntArray

_LIKE = 1.3  # times a passage's tempo may differ from that of all beats, to be decided as they are


def conducted(
    beats: Beats,
    divisions: IntArray | None = None,
    borders: Float64Array | None = None,
    fastest: float = FASTEST,
) -> Beats:
    """Return the beats as an arm conducts them.

    Parameters
    ----------
    divisions : (N,) parts into which each beat is divided where it is slow, 2 or 3; all 2 if they are not given.
    borders : (S,) seconds at which something new begins, such as another tempo.
    fastest : beats a minute; faster ones are gathered.

    Raises
    ------
    IctusError
        If there is no conducting pattern for a metre, however it is gathered.
    """
    if not len(beats):
        return beats
    parts = np.full(len(beats), 2) if divisions is None else divisions
    new = (np.diff(beats.meters, prepend=0) != 0) | (np.diff(parts, prepend=0) != 0)
    for border in [] if borders is None else borders.tolist():
        new |= (np.abs(beats.times - border) < 0.02) & (beats.positions == 1)
    edges = [*np.flatnonzero(new).tolist(), len(beats)]
    passages = [
        _conducted(beats, start, stop, int(parts[start]), _deciding_tempo(beats, start, stop), fastest)
        for start, stop in itertools.pairwise(edges)
    ]
    joined: dict[str, Any] = {
        one.name: np.concatenate([getattr(passage, one.name) for passage in passages])
        for one in fields(Beats)
        if one.name != "duration"
    }
    return replace(beats, **joined)


def _deciding_tempo(beats: Beats, start: int, stop: int) -> float:
    """Return the tempo of a passage, or of all beats where it is about the same: passages should not flicker."""
    steps = np.diff(beats.times[start : stop + 1])
    tempo = float(60 / np.median(steps)) if len(steps) else beats.tempo
    return beats.tempo if beats.tempo / _LIKE < tempo < beats.tempo * _LIKE else tempo


def _conducted(beats: Beats, start: int, stop: int, parts: int, tempo: float, fastest: float) -> Beats:
    """Return the beats of a passage of one metre, up to its end, as they are conducted."""
    end = float(beats.times[stop]) if stop < len(beats) else np.inf
    passage = _taken(beats, np.arange(start, min(stop + 1, len(beats))))  # with the beat that ends it
    if stop < len(beats):
        meter = beats.meters[start]
        meters, positions = passage.meters.copy(), passage.positions.copy()
        meters[-1], positions[-1] = meter, 1
        passage = replace(passage, positions=positions, meters=meters)
    if parts == 3 and 0 < tempo < SLOWEST:
        passage = passage.divided(3) if 3 * passage.meter in CONDUCTED else passage
    else:
        passage = _at_ease(passage, tempo, fastest)
    if passage.meter not in CONDUCTED:
        raise IctusError(
            f"the bar at {beats.times[start]:.1f} s has {passage.meter} beats, for which there is no conducting "
            "pattern; write another metre into it"
        )
    return _taken(passage, np.flatnonzero(passage.times < end - 1e-6))


def _at_ease(beats: Beats, tempo: float, fastest: float) -> Beats:
    """Gather or divide the beats of one metre until an arm beats them at its ease."""
    while tempo > fastest or beats.meter > CONDUCTED[-1]:
        groups = gathering(beats.meter, beats.positions, beats.accents)
        if groups is None:
            return beats
        tempo *= len(groups) / beats.meter
        beats = gathered(beats, groups)
    while 0 < tempo < SLOWEST and beats.meter <= 3:
        beats, tempo = beats.divided(2), 2 * tempo
    return beats


def gathered(beats: Beats, groups: tuple[int, ...]) -> Beats:
    """Return the first beat of each group of beats of one metre."""
    heads = np.cumsum((0, *groups[:-1]))
    chosen = np.flatnonzero(np.isin(beats.positions - 1, heads))
    kept = _taken(beats, chosen)
    positions = np.searchsorted(heads, kept.positions - 1) + 1
    return replace(kept, positions=positions, meters=np.full(len(kept), len(groups)))


def _taken(beats: Beats, chosen: IntArray) -> Beats:
    values = {one.name: getattr(beats, one.name)[chosen] for one in fields(beats) if one.name != "duration"}
    return replace(beats, **values)
