"""Bowing: how the bow travels: one stroke for each attack, the next the other way, at the speed that loudness asks."""

from dataclasses import dataclass

import numpy as np

from ictus.kinematics import smootherstep
from ictus.synthesis.players.solo import Solo
from ictus.types import Float64Array, IntArray

FROG, TIP = 0.04, 0.54  # metres from the frog to where the bow touches the string, at the ends of its way
_LIFTED = 0.5  # seconds of silence in which the bow leaves the string
_SHORTEST = 0.025  # metres
_LONGEST = 2.6  # seconds that one bow lasts


@dataclass(frozen=True)
class BowStrokes:
    """The strokes of a bow, each (S,).

    Attributes
    ----------
    onsets, ends : seconds at which it begins to move and stops.
    start, stop : metres from the frog.
    """

    onsets: Float64Array
    ends: Float64Array
    start: Float64Array
    stop: Float64Array

    def at(self, times: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return (T,) metres from the frog at each time, and (T,) how far the bow is lifted, 0 to 1."""
        if not len(self.onsets):
            return np.full(len(times), 0.25), np.ones(len(times))
        here = np.clip(np.searchsorted(self.onsets, times, "right") - 1, 0, len(self.onsets) - 1)
        phase = np.clip((times - self.onsets[here]) / (self.ends[here] - self.onsets[here]), 0, 1)
        place = self.start[here] + _even(phase) * (self.stop[here] - self.start[here])
        # In a rest the bow leaves the string and goes where it will begin again.
        then = np.minimum(here + 1, len(self.onsets) - 1)
        rest = np.where(then > here, self.onsets[then] - self.ends[here], 3.0)
        back = np.clip((times - self.ends[here]) / np.maximum(rest, 1e-6), 0, 1) * (rest > _LIFTED)
        again = np.where(then > here, self.start[then], self.stop[here])
        place += smootherstep(back) * (again - self.stop[here])
        before = np.clip((self.onsets[0] - times) / 0.8, 0, 1)
        lifted = np.where(then > here, np.sin(np.pi * back) ** 2, smootherstep(np.minimum(4 * back, 1)))
        return place, np.maximum(lifted, smootherstep(before))


def plan_strokes(solo: Solo, rng: np.random.Generator) -> BowStrokes:
    """Return the strokes for a solo: down from the frog after each rest, then up and down in turn."""
    if not len(solo.notes):
        return BowStrokes(*np.zeros((4, 0)))
    first = _first_notes(solo)
    onsets = solo.onsets[first]
    last = np.append(first[1:], len(solo.notes)) - 1
    ends = solo.ends[last]
    coming = np.append(onsets[1:], solo.duration + 9.0)
    rest = coming - ends
    # Where next to no silence is between two strokes, the bow turns without a stop.
    joined = (rest < 0.06) | ((rest < 0.16) & (rest < 0.25 * (ends - onsets)))
    ends = np.where(joined, coming, ends)
    speed = (0.16 + 0.62 * solo.loudness[first]) * rng.lognormal(0, 0.12, len(first))
    wish = np.clip(speed * (ends - onsets) ** 0.85, _SHORTEST, 0.46)
    start, stop = np.zeros(len(first)), np.zeros(len(first))
    place, way = FROG + 0.02, 1
    for k, length in enumerate(wish):
        if k and rest[k - 1] > _LIFTED:
            place, way = (FROG + 0.02 if length > 0.12 else 0.22), 1
        # Towards the middle of the bow a stroke may be longer than away from it, lest the bow runs out.
        ahead = (place - FROG) if way < 0 else (TIP - place)
        length *= 0.75 if ahead < 0.2 else 1.2
        start[k], stop[k] = place, place + way * min(max(length, _SHORTEST), ahead)
        place, way = stop[k], -way
    return BowStrokes(onsets, np.maximum(ends, onsets + 0.03), start, stop)


def _first_notes(solo: Solo) -> IntArray:
    """Return the notes with which strokes begin: attacks, and where one bow does not suffice."""
    begins: list[int] = []
    for k, attacked in enumerate(solo.attacks):
        if attacked or solo.ends[k] - solo.onsets[begins[-1]] > _LONGEST:
            begins.append(k)
    return np.array(begins, np.int64)


def _even(phase: Float64Array) -> Float64Array:
    """From 0 to 1 at an even speed but for its ends, where it is slower."""
    return phase - 0.55 * np.sin(2 * np.pi * phase) / (2 * np.pi)
