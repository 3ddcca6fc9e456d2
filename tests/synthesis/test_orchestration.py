"""Orchestration: others play the same notes at the same time."""

import numpy as np
import pytest

from ictus.errors import IctusError
from ictus.scores.score import Note
from ictus.synthesis.instruments import INSTRUMENTS
from ictus.synthesis.orchestration import reorchestrate
from tiny_scores import score_of, solo


def a_trio():
    parts = [
        solo(instrument, *(Note(k, 1.0, pitch + k % 3) for k in range(8))).parts[0]
        for instrument, pitch in (("violins", 76), ("violas", 64), ("cellos", 48))
    ]
    return score_of(*parts, solo("timpani", Note(0, 1, 40)).parts[0])


def test_others_play_the_same_notes() -> None:
    score, kinds = a_trio(), set()
    wanted = {(note.onset, note.pitch) for part in score.parts[:3] for note in part.notes}
    for seed in range(60):
        other = reorchestrate(score, np.random.default_rng(seed))
        assert {(note.onset, note.pitch) for part in other.parts for note in part.notes} == wanted
        np.testing.assert_array_equal(other.beats, score.beats)
        kinds.add(tuple(part.instrument for part in other.parts))
    assert {one for kind in kinds for one in kind} <= set(INSTRUMENTS)
    assert {len(kind) for kind in kinds} == {1, 2, 3}, "alone, with a soloist, and as many as there were"
    assert len(kinds) > 15


def test_an_ensemble_sits_from_high_to_low() -> None:
    found = [reorchestrate(a_trio(), np.random.default_rng(seed)) for seed in range(60)]
    brass = next(one for one in found if [part.instrument for part in one.parts] == ["trumpet", "trumpet", "trombone"])
    assert [part.notes[0].pitch for part in brass.parts] == [76, 64, 48]


def test_drums_alone_cannot_be_given_to_others() -> None:
    with pytest.raises(IctusError, match="nothing for others"):
        reorchestrate(score_of(solo("timpani", Note(0, 1, 40)).parts[0]), np.random.default_rng(0))
