"""Brass: a hornist with three valves and a trombonist with a slide, both by the harmonic series."""

from itertools import pairwise

import numpy as np

from ictus.kinematics import smootherstep
from ictus.synthesis.players.body import Proportions, closed_grip, reaching_grip
from ictus.synthesis.players.hands import Hands
from ictus.synthesis.players.moves import hold_values
from ictus.synthesis.players.solo import Solo
from ictus.types import Float64Array, IntArray

_PRESSING = 0.06  # seconds in which a valve goes down
_SLIDING = 0.14  # seconds in which the slide moves
_TRAVEL = 0.014  # metres of a valve's lever
TUBE = 2.75  # metres of a trombone in B flat, its slide closed
_VALVES = ("000", "010", "100", "110", "011", "101", "111")  # that lower by 0 to 6 semitones
_F, _B_FLAT = 29, 34  # MIDI pitches of the fundamentals
_CHANGE = 61  # from here on a hornist plays on the side in B flat


def lowered(pitch: int, fundamental: int, highest: int = 16) -> list[int]:
    """Return by how many semitones, of 0 to 6, a tube can be lowered for `pitch` to be one of its harmonics.

    The seventh and the eleventh harmonic and its octave kin are out of tune and left out.
    """
    harmonics = [round(fundamental + 12 * np.log2(k)) for k in range(2, highest + 1) if k not in (7, 11, 13, 14)]
    return [semitones for semitones in range(7) if pitch + semitones in harmonics]


def valves(pitches: IntArray) -> Float64Array:
    """Return (N, 4): 1 where the thumb (which opens the side in B flat), the first, second, third valve is down."""
    rows = []
    for pitch in pitches.tolist():
        thumb = pitch >= _CHANGE
        ways = lowered(pitch, _B_FLAT if thumb else _F)
        rows.append([float(thumb), *(float(sign) for sign in _VALVES[ways[0] if ways else 0])])
    return np.array(rows).reshape(-1, 4)


def slide_positions(pitches: IntArray) -> IntArray:
    """Return (N,) 1 to 7: the positions through which the slide travels least."""
    choices = [np.array(lowered(pitch, _B_FLAT, 12) or [0]) + 1 for pitch in pitches.tolist()]
    if not choices:
        return np.zeros(0, np.int64)
    total, origins = 0.3 * choices[0], []
    for before, now in pairwise(choices):
        through = total[:, None] + np.abs(before[:, None] - now)
        origins.append(through.argmin(0))
        total = through.min(0) + 0.3 * now
    chosen = [int(total.argmin())]
    for origin in reversed(origins):
        chosen.append(int(origin[chosen[-1]]))
    return np.array([choice[k] for choice, k in zip(choices, reversed(chosen), strict=True)], np.int64)


def extension(positions: IntArray) -> Float64Array:
    """Return metres by which the slide is drawn: half of what the tube must grow by for each semitone."""
    return np.asarray(TUBE / 2 * (2 ** ((positions - 1) / 12) - 1))


def horn(solo: Solo, times: Float64Array, figure: Proportions, rng: np.random.Generator) -> Hands:
    """Return what a hornist's hands do at `times` (T,), in seconds: left on the valves, right in the bell."""
    still = np.zeros((len(times), 1))
    down = valves(solo.pitches)
    pressed = hold_values(times, solo.onsets, down, _PRESSING) if len(down) else np.zeros((len(times), 4))
    grip = np.array([0.10, -0.03, 0.27]) + rng.normal(0, 0.012, 3)
    along, back = np.array([-0.80, 0.30, 0.15]), np.array([0.25, 0.35, 0.90])
    along, back = along / np.linalg.norm(along), back / np.linalg.norm(back)
    lower = np.array([0.10, -0.98, 0.30])  # from lever to lever
    places = np.array([-0.012, 0.0, 0.020, 0.040, 0.060])[:, None] * lower
    places = places - np.array([0.035, 0, 0, 0, 0.012])[:, None] * back
    share = np.concatenate([pressed, np.ones((len(times), 1))], axis=1)
    left = grip + places + _TRAVEL * (1 - share[..., None]) * np.array([[1.0], [1], [1], [1], [0]]) * back
    bell = np.array([-0.235, -0.33, 0.12]) + rng.normal(0, 0.015, 3) + still
    hand = closed_grip(
        bell, np.array([0.25, -0.35, -0.9]), np.array([-0.75, 0.35, -0.3]), (-0.8, -0.5, -0.5), "right", open_by=0.9
    )
    fingers = np.zeros((len(down), 10))
    fingers[:, :4] = down
    return Hands(hand, reaching_grip(left, along, back, (0.55, -0.85, -0.1)), {"fingers": fingers})


def trombone(solo: Solo, times: Float64Array, figure: Proportions, rng: np.random.Generator) -> Hands:
    """Return what a trombonist's hands do at `times` (T,), in seconds: right on the slide, left holds the rest."""
    slide = np.array([-0.12, rng.normal(-0.22, 0.05), 0.97])
    slide /= np.linalg.norm(slide)
    positions = slide_positions(solo.pitches)
    drawn = hold_values(times, solo.onsets, extension(positions), _SLIDING) if len(positions) else np.zeros(len(times))
    brace = figure.mouth + (0.09 + drawn)[:, None] * slide + np.array([0.0, -0.05, 0.0])
    far = smootherstep(np.clip((drawn - 0.25) / 0.3, 0, 1))  # the hand opens and turns towards the slide
    along = slide + (1 - 0.5 * far)[:, None] * np.array([0.30, 0.30, 0.0])
    right = closed_grip(brace - 0.03 * slide, along, np.array([-0.85, 0.25, 0.3]), (-0.55, -0.8, 0), "right")
    hold = figure.mouth + 0.10 * slide + np.array([0.055, -0.045, 0.0]) + np.zeros((len(times), 1))
    left = closed_grip(hold, np.array([-0.35, 0.45, 0.8]), np.array([0.9, 0.3, 0.2]), (0.6, -0.8, 0.0), "left")
    return Hands(
        right, left, {"slide": drawn, "positions": positions.astype(float), "fingers": np.zeros((len(positions), 10))}
    )
