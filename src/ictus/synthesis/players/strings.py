"""Strings: a violinist and a cellist. The right hand bows, the left one stops the strings."""

from dataclasses import dataclass

import numpy as np

from ictus.kinematics import smootherstep
from ictus.synthesis.players.body import Grip, Proportions, reaching_grip
from ictus.synthesis.players.bowing import plan_strokes
from ictus.synthesis.players.fingering import Fingering, choose_fingering
from ictus.synthesis.players.hands import Hands
from ictus.synthesis.players.moves import hold_values
from ictus.synthesis.players.solo import Solo
from ictus.types import Float64Array

_FINGERING = 0.09  # seconds in which a finger comes down
_SHIFTING = 0.16  # in which the hand changes its position
_CROSSING = 0.10  # in which the bow goes to another string
_LIFT = 0.018  # metres from the string to a finger that is not down
_VIBRATED = 0.4  # seconds that a note with vibrato lasts at least


@dataclass(frozen=True)
class StringInstrument:
    """A bowed instrument, as it is held; metres from the player's neck.

    Attributes
    ----------
    strings : MIDI pitches of the open strings, the lowest first.
    spread : for each semitone from the first finger on, the finger that stops it.
    bridge, nut : (3,) the ends of the sounding string.
    face : (3,) the direction into which the fingerboard faces.
    contact : metres from the bridge to the bow.
    tilts : radians by which the bow turns about the strings for each of them, the hand towards `face`.
    side : 1 where the bow hand is on the right of who looks at the fingerboard, scroll up; -1 on the left.
    """

    strings: tuple[int, ...]
    spread: tuple[int, ...]
    bridge: Float64Array
    nut: Float64Array
    face: Float64Array
    contact: float
    tilts: Float64Array
    side: int

    @property
    def axes(self) -> Float64Array:
        """(3, 3) rows: from the bridge to the nut, out of the fingerboard, to the bow hand."""
        up = (self.nut - self.bridge) / np.linalg.norm(self.nut - self.bridge)
        face = self.face - (self.face @ up) * up
        face = face / np.linalg.norm(face)
        return np.stack([up, face, self.side * np.cross(up, face)])


VIOLIN = StringInstrument(
    strings=(55, 62, 69, 76),
    spread=(1, 1, 2, 3, 3, 4),
    bridge=np.array([0.165, 0.075, 0.20]),
    nut=np.array([0.355, 0.065, 0.465]),
    face=np.array([-0.22, 0.97, 0.0]),
    contact=0.035,
    tilts=np.radians([22.0, 8.0, -6.0, -19.0]),
    side=1,
)
CELLO = StringInstrument(
    strings=(36, 43, 50, 57),
    spread=(1, 2, 3, 4),
    bridge=np.array([0.0, -0.56, 0.34]),
    nut=np.array([0.12, 0.05, 0.07]),
    face=np.array([0.0, 0.4, 0.9]),
    contact=0.09,
    tilts=np.radians([-20.0, -8.0, 5.0, 18.0]),
    side=-1,
)


def violin(solo: Solo, times: Float64Array, figure: Proportions, rng: np.random.Generator) -> Hands:
    """Return what a violinist's hands do at `times` (T,), in seconds."""
    return _played(VIOLIN, solo, times, rng)


def cello(solo: Solo, times: Float64Array, figure: Proportions, rng: np.random.Generator) -> Hands:
    """Return what a cellist's hands do at `times` (T,), in seconds."""
    return _played(CELLO, solo, times, rng)


def _played(instrument: StringInstrument, solo: Solo, times: Float64Array, rng: np.random.Generator) -> Hands:
    fingering = choose_fingering(solo.pitches, instrument.strings, instrument.spread)
    strokes = plan_strokes(solo, rng)
    bow, lifted = strokes.at(times)
    right = _bow_hand(instrument, _tilt(instrument, fingering, solo, times), bow, lifted)
    left, position = _left_hand(instrument, fingering, solo, times, rng)
    down = np.zeros((len(solo.notes), 10))
    down[:, 1:5] = np.arange(1, 5) == fingering.finger[:, None]
    ground_truth = {"bow": bow, "lifted": lifted, "position": position, "strokes": strokes.onsets, "fingers": down}
    return Hands(right, left, ground_truth)


def _tilt(instrument: StringInstrument, fingering: Fingering, solo: Solo, times: Float64Array) -> Float64Array:
    if not len(solo.notes):
        return np.full(len(times), instrument.tilts.mean())
    return hold_values(times, solo.onsets, instrument.tilts[fingering.string], _CROSSING)


def _bow_hand(instrument: StringInstrument, tilt: Float64Array, bow: Float64Array, lifted: Float64Array) -> Grip:
    up, face, out = instrument.axes
    stick = np.cos(tilt)[:, None] * out + np.sin(tilt)[:, None] * face  # from the string to the hand
    square = np.cos(tilt)[:, None] * face - np.sin(tilt)[:, None] * out
    contact = instrument.bridge + instrument.contact * up + 0.015 * face
    grip = contact + (0.02 + bow)[:, None] * stick + (0.02 + 0.07 * lifted)[:, None] * square
    # Fingers lie over the stick, the little one at its end; the thumb is below.
    places = np.array([0.000, -0.018, 0.000, 0.016, 0.034])[:, None]
    tips = grip[:, None] + places * stick[:, None]
    if instrument.side > 0:  # over the shoulder's height: the hand comes from behind the stick
        tips[:, 1:] += 0.012 * up - 0.004 * square[:, None]
        tips[:, 0] += -0.004 * up - 0.014 * square
        return reaching_grip(
            tips, 0.8 * up - 0.35 * square - 0.35 * stick, square, (-0.75, -0.6, -0.15), high=0.04, far=0.02
        )
    tips[:, 1:] += -0.012 * up
    tips[:, 0] += 0.006 * up - 0.014 * square
    return reaching_grip(tips, -0.45 * up - 0.75 * stick, square + 0.8 * up, (-0.9, -0.25, -0.2), high=0.04, far=0.02)


def _left_hand(
    instrument: StringInstrument, fingering: Fingering, solo: Solo, times: Float64Array, rng: np.random.Generator
) -> tuple[Grip, Float64Array]:
    """Return the hand's grip, and (T,) metres from the nut to its first finger."""
    up, face, out = instrument.axes
    length = float(np.linalg.norm(instrument.nut - instrument.bridge))
    semitones = [instrument.spread.index(finger) for finger in (1, 2, 3, 4)]  # from the first finger to each
    count = len(solo.notes)
    if count:
        place = length * (1 - 2 ** (-(fingering.position[:, None] + np.array(semitones)) / 12))
        # The finger that is down lies where its note is, whichever of its semitones that may be.
        used = fingering.finger > 0
        place[used, fingering.finger[used] - 1] = length * (1 - 2 ** (-fingering.stopped[used] / 12))
        down = (np.arange(1, 5) <= fingering.finger[:, None]) * 1.0
        where = hold_values(times, solo.onsets, place, _SHIFTING)
        pressed = hold_values(times, solo.onsets, down, _FINGERING)
        string = hold_values(times, solo.onsets, fingering.string - 1.5, _FINGERING)
        where = where + _vibrato(fingering, solo, times, rng)[:, None]
    else:
        where = np.tile(length * (1 - 2 ** (-(2 + np.array(semitones)) / 12)), (len(times), 1))
        pressed, string = np.zeros((len(times), 4)), np.zeros(len(times))
    # Strings lie side by side, the lowest to the left of who looks at the fingerboard.
    across = instrument.side * out * 0.008
    board = instrument.nut + string[:, None] * across
    tips = board[:, None] - where[..., None] * up + _LIFT * (1 - pressed)[..., None] * face
    thumb = board - (where[:, :1] + 0.02) * up - 0.028 * face
    tips = np.concatenate([thumb[:, None], tips], axis=1)
    if instrument.side > 0:  # from below, over the edge of the fingerboard
        return reaching_grip(tips, face - 0.3 * out, out + 0.3 * face, (0.1, -1.0, 0.1), high=0.035, far=-0.01), where[
            :, 0
        ]
    return reaching_grip(tips, out - 0.25 * up, face + 0.2 * up, (0.85, -0.6, 0.35), high=0.05, far=0.03), where[:, 0]


def _vibrato(fingering: Fingering, solo: Solo, times: Float64Array, rng: np.random.Generator) -> Float64Array:
    """Return (T,) metres by which the hand rolls along the string, on long notes that are stopped."""
    rate, depth = rng.uniform(4.8, 6.2), rng.uniform(0.002, 0.005)
    here = np.clip(np.searchsorted(solo.onsets, times, "right") - 1, 0, len(solo.notes) - 1)
    since, left = times - solo.onsets[here], solo.ends[here] - times
    long = (solo.notes[here, 1] > _VIBRATED) & (fingering.finger[here] > 0)
    swell = smootherstep(np.clip((since - 0.12) / 0.3, 0, 1)) * smootherstep(np.clip(left / 0.12, 0, 1))
    return np.asarray(depth * long * swell * np.sin(2 * np.pi * rate * times + rng.uniform(0, 6)))
