"""Woodwinds: a clarinettist and a flautist. Fingers cover holes and keys as fingering charts have it."""

import numpy as np

from ictus.synthesis.players.body import Proportions, reaching_grip
from ictus.synthesis.players.hands import Hands
from ictus.synthesis.players.moves import hold_values
from ictus.synthesis.players.solo import Solo
from ictus.types import Float64Array, IntArray

_MOVING = 0.07  # seconds in which a finger goes up or down
_LIFT = 0.022  # metres from its key to a finger that is up

# For each semitone from the lowest note on, which fingers are down: left thumb, index, middle, ring and little finger,
# then right index, middle, ring and little finger. Simplified from any fingering chart.
_CLARINET_LOW = (
    *("1111 11111", "1111 01111", "1111 11110", "1111 01110", "1111 01111", "1111 01100", "1111 01000", "1111 00100"),
    *("1111 00000", "1111 10000", "1110 00000", "1110 01000", "1100 00000", "1000 00000", "0100 00000", "0000 00000"),
    *("0100 00000", "0110 00000", "1100 00000"),
)
_CLARINET_HIGH = (
    *("1011 01111", "1011 01110", "1011 01101", "1011 01100", "1011 01000", "1011 00100", "1011 00000", "1010 00000"),
    *("1010 01000", "1000 00000", "1110 01111", "1110 01110", "1110 01100"),
)
CLARINET_LOWEST = 50  # sounding: E on an instrument in B flat
CLARINET = (*_CLARINET_LOW, *_CLARINET_LOW[:14], *_CLARINET_HIGH)  # it overblows into the twelfth
FLUTE_LOWEST = 60
FLUTE = (
    *("1111 01111", "1111 01111", "1111 01110", "1111 01111", "1111 01101", "1111 01001", "1111 00011", "1111 00001"),
    *("1111 10001", "1110 00001", "1100 01001", "1100 00001", "0100 00001", "0000 00001"),
    *("1011 01110", "1011 01111", "1111 01101", "1111 01001", "1111 00011", "1111 00001", "1111 10001", "1110 00001"),
    *("1100 01001", "1100 00001", "0100 00001", "0000 00001"),
    *("1011 00001", "1111 11111", "1110 01101", "1101 01001", "1101 00011", "0111 00001", "0011 10001", "1010 01001"),
    *("1000 01001", "1101 00010", "0111 10000"),
)


def fingers_down(pitches: IntArray, chart: tuple[str, ...], lowest: int) -> Float64Array:
    """Return (N, 10): 1 where a finger is down; left thumb to little finger, right thumb (always) to little finger."""
    down = np.array([[float(sign) for sign in row.replace(" ", "")] for row in chart])
    rows = down[np.clip(pitches - lowest, 0, len(chart) - 1)]
    return np.insert(rows, 5, 1.0, axis=1)


def clarinet(solo: Solo, times: Float64Array, figure: Proportions, rng: np.random.Generator) -> Hands:
    """Return what a clarinettist's hands do at `times` (T,), in seconds."""
    steep = np.radians(rng.normal(36, 5))
    tube = np.array([0.0, -np.cos(steep), np.sin(steep)])
    front = np.array([0.0, np.sin(steep), np.cos(steep)])
    down = fingers_down(solo.pitches, CLARINET, CLARINET_LOWEST)
    pressed = _pressed(solo, times, down)
    keys = figure.mouth + np.array([0.275, 0.255, 0.288, 0.322, 0.365])[:, None] * tube
    keys = keys + np.array([-0.026, 0.010, 0.010, 0.010, 0.016])[:, None] * front
    left = keys + _LIFT * (1 - pressed[:, :5, None]) * _outwards(front)
    keys = figure.mouth + np.array([0.425, 0.425, 0.460, 0.495, 0.535])[:, None] * tube
    keys = keys + np.array([-0.026, 0.010, 0.010, 0.010, 0.016])[:, None] * front
    right = keys + _LIFT * (1 - pressed[:, 5:, None]) * _outwards(front)
    aside = np.array([1.0, 0.0, 0.0])
    return Hands(
        reaching_grip(right, aside + 0.25 * tube, front - 0.3 * aside, (-0.55, -0.85, -0.2)),
        reaching_grip(left, -aside + 0.25 * tube, front + 0.3 * aside, (0.45, -0.9, -0.2)),
        {"fingers": down},
    )


def flute(solo: Solo, times: Float64Array, figure: Proportions, rng: np.random.Generator) -> Hands:
    """Return what a flautist's hands do at `times` (T,), in seconds."""
    tube = np.array([-0.95, rng.normal(-0.2, 0.06), rng.normal(0.2, 0.06)])
    tube /= np.linalg.norm(tube)
    up = np.array([0.0, 1.0, 0.0]) - tube[1] * tube
    up /= np.linalg.norm(up)
    front = np.cross(up, tube) * np.sign(np.cross(up, tube)[2])
    down = fingers_down(solo.pitches, FLUTE, FLUTE_LOWEST)
    pressed = _pressed(solo, times, down)
    lips = figure.mouth + np.array([0.0, 0.0, 0.015])
    keys = lips + np.array([0.245, 0.195, 0.240, 0.270, 0.300])[:, None] * tube
    keys = keys + np.array([-0.022, 0.014, 0.014, 0.014, 0.014])[:, None] * up
    left = keys + _LIFT * (1 - pressed[:, :5, None]) * _outwards(up)
    keys = lips + np.array([0.365, 0.355, 0.385, 0.412, 0.445])[:, None] * tube
    keys = keys + np.array([-0.022, 0.014, 0.014, 0.014, 0.014])[:, None] * up
    right = keys + _LIFT * (1 - pressed[:, 5:, None]) * _outwards(up)
    # The left hand reaches around from the far side, its palm to the player; the right one's faces away.
    return Hands(
        reaching_grip(
            right, 0.75 * up + 0.65 * front, 0.65 * up - 0.75 * front, (-0.75, -0.65, -0.1), high=0.03, far=0.015
        ),
        reaching_grip(left, up, front + 0.3 * up, (0.45, -0.85, 0.2), high=0.04, far=0.0),
        {"fingers": down},
    )


def _pressed(solo: Solo, times: Float64Array, down: Float64Array) -> Float64Array:
    """Return (T, 10): how far each finger is down, 0 to 1."""
    if not len(down):
        return np.ones((len(times), 10))
    return hold_values(times, solo.onsets, down, _MOVING)


def _outwards(key: Float64Array) -> Float64Array:
    """Return (5, 3): into which direction each finger leaves the instrument; the thumb is on its other side."""
    return np.array([-1.0, 1, 1, 1, 1])[:, None] * key
