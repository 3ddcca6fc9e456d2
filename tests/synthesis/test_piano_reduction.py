"""A pianist: what two hands can play of an orchestra's score, and with what freedom."""

import numpy as np
import pytest

from ictus.errors import IctusError
from ictus.scores.score import Note, Part, Score
from ictus.synthesis.piano_reduction import exaggerate_timing, reduce_for_piano
from ictus.synthesis.tempo import imagined, written
from tiny_scores import score_of


def played(*parts: Part) -> list[tuple[float, float, int]]:
    (piano,) = reduce_for_piano(score_of(*parts)).parts
    assert piano.instrument == "piano"
    return [(note.onset, note.length, note.pitch) for note in piano.notes]


def test_what_two_play_together_is_played_once_and_as_long_as_the_longer() -> None:
    flute, oboe = Part("a", "flute", (Note(0, 1, 72), Note(1, 1, 74))), Part("b", "oboe", (Note(0, 3, 72),))
    assert played(flute, oboe) == [(0, 3, 72), (1, 1, 74)]


def test_drums_are_left_out_and_what_no_piano_has() -> None:
    drums = (Part("a", "timpani", (Note(0, 1, 45),)), Part("b", "cymbals", (Note(0, 1, 60),)))
    assert played(*drums, Part("c", "violins", (Note(1, 1, 76), Note(2, 1, 110)))) == [(1, 1, 76)]


def test_nothing_for_a_pianist() -> None:
    with pytest.raises(IctusError, match="x: has nothing for a pianist to play"):
        played(Part("a", "cymbals", (Note(0, 1, 60),)))


def test_a_key_is_released_before_it_is_struck_again() -> None:
    assert played(Part("a", "horn", (Note(0, 4, 60),)), Part("b", "harp", (Note(1, 1, 60),))) == [
        (0, 1, 60),
        (1, 1, 60),
    ]


def test_of_too_many_notes_the_outermost_stay_and_the_strongest_within() -> None:
    loud = Part("a", "trumpet", tuple(Note(0, 1, pitch) for pitch in (61, 63)), level=2.0)
    soft = Part("b", "strings", tuple(Note(0, 1, pitch) for pitch in range(40, 82, 2)), level=0.5)
    pitches = [pitch for _, _, pitch in played(loud, soft)]
    assert len(pitches) == 10
    assert {40, 61, 63, 80} <= set(pitches)


def test_what_is_held_gives_way() -> None:
    rng = np.random.default_rng(0)
    notes = tuple(
        Note(k / 4, float(rng.uniform(0.2, 6)), int(rng.integers(30, 90))) for k in range(200) for _ in range(3)
    )
    now = played(Part("a", "strings", notes))
    for time in np.arange(0, 50, 0.25):
        sounding = [pitch for onset, length, pitch in now if onset <= time < onset + length - 1e-6]
        assert len(sounding) == len(set(sounding)) <= 10
    assert {onset for onset, _, _ in now} == {k / 4 for k in range(200)}


@pytest.mark.parametrize("by", [1.0, 2.0])
def test_freer(by: float) -> None:
    piece = Score.ode_to_joy()
    taken = imagined(piece, np.random.default_rng(0))
    free = exaggerate_timing(taken, piece, by)

    def departures(seconds: np.ndarray) -> np.ndarray:
        return np.log(np.diff(seconds) / np.diff(written(piece).seconds_at(taken.quarters)))

    assert free.seconds[-1] == pytest.approx(taken.seconds[-1])
    assert (np.diff(free.seconds) > 0).all()
    assert departures(free.seconds).std() == pytest.approx(by * departures(taken.seconds).std(), rel=0.1)
