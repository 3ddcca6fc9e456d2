"""Patterns: what the right hand draws in a bar of each metre.

Source: any school of conducting (down / in / out / up), as summed up by M. Rudolf, The Grammar of Conducting; bars of
five and seven are a four or a six of which beats are divided, as their groups say.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from ictus.beats.bars import accented_groups
from ictus.beats.beats import Beats
from ictus.types import BoolArray, Float64Array


@dataclass(frozen=True)
class Pattern:
    """One bar, beat by beat, as a unit-sized right hand draws it.

    Attributes
    ----------
    right : where each ictus lies, to the conductor's right of the first (1 = a large beat's 0.25 m).
    rebound : how high the hand rises after each ictus (1 = the full height, before the downbeat).
    bow : how far the path bulges to the right between this ictus and the next.
    """

    right: tuple[float, ...]
    rebound: tuple[float, ...]
    bow: tuple[float, ...]


PATTERNS = {  # by the beats of each group; of several with as many beats the first is the usual one
    (1,): Pattern((0.0,), (1.0,), (0.22,)),
    (2,): Pattern((0.0, 0.34), (0.5, 1.0), (0.42, -0.18)),
    (3,): Pattern((0.0, 0.95, 0.22), (0.42, 0.48, 1.0), (-0.22, 0.26, -0.18)),
    (4,): Pattern((0.0, -0.65, 0.9, 0.2), (0.38, 0.42, 0.46, 1.0), (0.24, 0.0, 0.26, -0.18)),
    (3, 2): Pattern((0.0, -0.4, -0.8, 0.9, 0.2), (0.38, 0.34, 0.44, 0.42, 1.0), (0.2, -0.1, 0.0, 0.24, -0.1)),
    (2, 3): Pattern((0.0, -0.65, 0.5, 0.95, 0.2), (0.38, 0.46, 0.34, 0.42, 1.0), (0.24, 0.0, 0.1, 0.24, -0.1)),
    (6,): Pattern(
        (0.0, -0.35, -0.7, 0.6, 1.0, 0.2), (0.38, 0.33, 0.44, 0.34, 0.42, 1.0), (0.2, -0.1, 0, 0.1, 0.24, -0.1)
    ),
    (2, 2, 3): Pattern(
        (0.0, -0.25, -0.6, -0.85, 0.5, 1.0, 0.2),
        (0.34, 0.42, 0.34, 0.46, 0.34, 0.42, 1.0),
        (0.2, -0.1, -0.1, 0.0, 0.1, 0.24, -0.1),
    ),
    (3, 2, 2): Pattern(
        (0.0, -0.25, -0.45, -0.75, -0.95, 0.85, 0.2),
        (0.34, 0.32, 0.42, 0.34, 0.46, 0.42, 1.0),
        (0.2, -0.1, -0.1, -0.1, 0.0, 0.24, -0.1),
    ),
    (2, 3, 2): Pattern(
        (0.0, -0.25, -0.55, -0.75, -0.95, 0.85, 0.2),
        (0.34, 0.44, 0.34, 0.34, 0.46, 0.42, 1.0),
        (0.2, -0.1, -0.1, -0.1, 0.0, 0.24, -0.1),
    ),
}


@dataclass(frozen=True)
class Drawn:
    """What the pattern of each beat's own bar asks for, (N,) each; `centre` is the middle of that pattern's icti."""

    right: Float64Array
    rebound: Float64Array
    bow: Float64Array
    centre: Float64Array


def drawn(beats: Beats) -> Drawn:
    """Return what the right hand draws at each of some beats, whose metres may change from bar to bar.

    Bars of five and seven are grouped as their accents are.
    """
    rows = np.zeros((4, len(beats)))
    edges = [0, *(np.flatnonzero(np.diff(beats.meters)) + 1).tolist(), len(beats)]
    for start, stop in itertools.pairwise(edges):
        place = beats.positions[start:stop] - 1
        groups = accented_groups(int(beats.meters[start]), place + 1, beats.accents[start:stop])
        pattern = PATTERNS[groups]
        for row, values in zip(rows, (pattern.right, pattern.rebound, pattern.bow), strict=False):
            row[start:stop] = np.array(values)[place]
        rows[3, start:stop] = np.mean(pattern.right)
    return Drawn(*rows)


def before_changes(beats: Beats) -> BoolArray:
    """Return whether each beat, (N,), is the last before a bar of another metre."""
    return np.append(np.diff(beats.meters) != 0, False)[: len(beats)]
