"""Orchestration: a score for others than it was written for, so that a tracker does not learn instruments by heart.

An organist, a harpsichordist, a guitarist, a choir, brass, woodwinds, or a soloist with one of these beside.
"""

from dataclasses import replace

import numpy as np

from ictus.errors import IctusError
from ictus.scores.instruments import PART_LEVELS, UNPITCHED
from ictus.scores.score import Part, Score
from ictus.synthesis.piano_reduction import reduce_for_piano

_ALONE = ("organ", "harpsichord", "guitar", "harp", "piano", "strings", "choir")  # who can play all of a score
_SOLOISTS = ("flute", "oboe", "clarinet", "bassoon", "saxophone", "horn", "trumpet", "solo string", "voice", "cellos")
_ENSEMBLES = {  # from the highest part to the lowest
    "choir": ("choir",),
    "brass": ("trumpet", "trumpet", "horn", "trombone", "tuba"),
    "woodwinds": ("flute", "oboe", "clarinet", "clarinet", "bassoon"),
    "soloists": ("solo string", "solo string", "solo string", "cellos"),
    "saxophones": ("saxophone",),
    "guitars": ("guitar",),
    "orchestra": ("flute", "violins", "oboe", "violas", "horn", "cellos", "basses"),
}


def reorchestrate(score: Score, rng: np.random.Generator) -> Score:
    """Return a score for other players; drums are left out.

    Raises
    ------
    IctusError
        If only drums play.
    """
    pitched = [part for part in score.parts if part.instrument not in UNPITCHED and part.instrument != "timpani"]
    if not pitched:
        raise IctusError(f"{score.title}: has nothing for others to play; leave it out")
    kind = rng.uniform()
    if kind < 0.35:
        return _alone(score, str(rng.choice(_ALONE)))
    if kind < 0.7 and len(pitched) > 1:
        return _accompanied(score, pitched, rng)
    return _in_an_ensemble(score, pitched, _ENSEMBLES[str(rng.choice(list(_ENSEMBLES)))])


def _alone(score: Score, instrument: str) -> Score:
    reduced = reduce_for_piano(score)
    return replace(reduced, parts=tuple(_played(part, instrument) for part in reduced.parts))


def _accompanied(score: Score, pitched: list[Part], rng: np.random.Generator) -> Score:
    """Give the highest part, or any other, to a soloist, and the rest to one player."""
    ordered = sorted(pitched, key=_height, reverse=True)
    soloist = ordered[0 if rng.uniform() < 0.7 else int(rng.integers(len(ordered)))]
    others = replace(score, parts=tuple(part for part in pitched if part is not soloist))
    beside = _alone(others, str(rng.choice(_ALONE)))
    return replace(score, parts=(_played(soloist, str(rng.choice(_SOLOISTS))), *beside.parts))


def _in_an_ensemble(score: Score, pitched: list[Part], instruments: tuple[str, ...]) -> Score:
    ordered = sorted(pitched, key=_height, reverse=True)
    places = np.arange(len(ordered)) * len(instruments) // len(ordered)
    given = zip(ordered, places.tolist(), strict=True)
    return replace(score, parts=tuple(_played(part, instruments[place]) for part, place in given))


def _played(part: Part, instrument: str) -> Part:
    return replace(part, instrument=instrument, level=PART_LEVELS[instrument], program=None, drum=False)


def _height(part: Part) -> float:
    return float(np.mean([note.pitch for note in part.notes])) if part.notes else 0.0
