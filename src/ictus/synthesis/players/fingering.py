"""Fingering: on which string, in which position and with which finger each note is stopped."""

from dataclasses import dataclass

import numpy as np

from ictus.types import IntArray

_HIGHEST = 19  # semitones above the open string that the first finger reaches
_SHIFT = 1.0  # what it costs to move the hand by a semitone
_CROSSING = 0.7  # and to cross to the next string
_HEIGHT = 0.12  # and to be a semitone further up than need be


@dataclass(frozen=True)
class Fingering:
    """How notes are stopped, each (N,).

    Attributes
    ----------
    string : 0 is the lowest.
    position : semitones from the open string to where the first finger lies.
    finger : 0 is the open string, 1 to 4 index to little finger.
    stopped : semitones from the open string to the note.
    """

    string: IntArray
    position: IntArray
    finger: IntArray
    stopped: IntArray


def choose_fingering(pitches: IntArray, strings: tuple[int, ...], spread: tuple[int, ...]) -> Fingering:
    """Choose the fingering in which the hand travels least.

    Parameters
    ----------
    pitches : (N,) MIDI pitches, none below the lowest string.
    strings : MIDI pitches of the open strings, the lowest first.
    spread : for each semitone from the first finger on, the finger that stops it.
    """
    # A state is a string and a position from 1 on; each note costs what its state costs and the way to it.
    string, position = (
        axis.ravel() for axis in np.meshgrid(range(len(strings)), range(1, _HIGHEST + 1), indexing="ij")
    )
    open_pitch = np.array(strings)[string]
    way = _SHIFT * np.abs(position[:, None] - position) + _CROSSING * np.abs(string[:, None] - string)
    total = np.zeros(len(string))
    cheapest = np.zeros((len(pitches), len(string)), np.int64)
    for k, pitch in enumerate(pitches):
        stopped = pitch - open_pitch
        reach = stopped - position
        possible = (stopped == 0) | ((reach >= 0) & (reach < len(spread)))
        cost = np.where(possible, _HEIGHT * position + 0.5 * (stopped == 0), 60.0 + np.abs(reach))
        through = total[:, None] + way
        cheapest[k] = through.argmin(0)
        total = through.min(0) + cost
    state = np.zeros(len(pitches), np.int64)
    now = int(total.argmin())
    for k in range(len(pitches) - 1, -1, -1):
        state[k] = now
        now = int(cheapest[k, now])
    stopped = pitches - open_pitch[state]
    reach = np.clip(stopped - position[state], 0, len(spread) - 1)
    finger = np.where(stopped <= 0, 0, np.array(spread)[reach])
    return Fingering(string[state], position[state], finger, np.maximum(stopped, 0))
