"""The annotation of a rendered passage."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.scores.reader import read
from ictus.scores.score import Note, Part, Score
from ictus.synthesis import tempo
from ictus.synthesis.ground_truth import annotate, loudness_at
from ictus.synthesis.synthesizer import synthesize
from tiny_scores import waltz


@pytest.fixture
def score(tmp_path: Path) -> Score:
    file = tmp_path / "waltz.musicxml"
    file.write_text(waltz(24, tempo=120))
    return read(file)


SILENCE = Audio(np.zeros(22050), 22050)


def test_beats_of_a_passage(score: Score) -> None:
    annotation = annotate(score, tempo.written(score), (5.25, 15.25), SILENCE)
    np.testing.assert_allclose(annotation.times, np.arange(0.25, 10, 0.5), atol=1e-6)
    np.testing.assert_array_equal(annotation.positions[:4], [3, 1, 2, 3])
    assert set(annotation.meters) == {3}
    assert annotation.steady
    np.testing.assert_allclose(annotation.tempo, 120, rtol=1e-6)
    assert annotation.duration == 10
    assert all(len(getattr(annotation, name)) == 20 for name in ("loudness", "articulation", "accents", "divisions"))


def test_no_beats_pass_within_a_hold(score: Score) -> None:
    held = replace(score, fermatas=np.array([[12.0, 15.0]]))
    annotation = annotate(held, tempo.written(score), (5.0, 9.0), SILENCE)
    assert np.diff(annotation.times).max() == pytest.approx(1.5)


def test_changing_metres_are_not_steady(score: Score) -> None:
    beats = score.beats.copy()
    beats[20:, 2] = 2
    assert not annotate(replace(score, beats=beats), tempo.written(score), (5, 15), SILENCE).steady


def test_loudness_follows_the_sound() -> None:
    rate = 22050
    level = np.repeat([0.5, 0.05, 0.5], 3 * rate).astype(np.float32)
    tone = Audio(level * np.sin(np.arange(len(level)) * 0.1), rate)
    loud = loudness_at(tone, np.array([1.5, 4.5, 7.5]))
    assert loud[0] == pytest.approx(loud[2], abs=0.02)
    assert loud[0] - loud[1] == pytest.approx(20 / 30, abs=0.05)


def passage(mark: str, length: float, accents: int = 0) -> Score:
    notes = tuple(Note(q, length, 60, mark + (">" if accents and q % accents == 0 else "")) for q in np.arange(0.0, 40))
    beats = np.array([[q, q % 4 + 1, 4, 2] for q in range(40)], float)
    flat = np.array([[0.0, 0.7]])
    return Score("x", np.array([[0.0, 120]]), flat, (Part("a", "strings", notes),), beats)


def test_articulation() -> None:
    def mean(mark: str, length: float) -> float:
        score = passage(mark, length)
        return float(annotate(score, tempo.written(score), (2, 12), SILENCE).articulation.mean())

    assert mean("~", 1) == pytest.approx(0, abs=0.01)
    assert mean("'", 1) == pytest.approx(1, abs=0.01)
    assert mean("~", 1) < mean("", 1) < mean("", 0.5) < mean("'", 1)


def test_accents_stand_out() -> None:
    score = passage("", 1, accents=4)
    annotation = annotate(score, tempo.written(score), (2, 12), SILENCE)
    assert annotation.accents[annotation.positions == 1].min() > 0.5
    assert annotation.accents[annotation.positions != 1].max() < 0.2


def test_entries_after_rests() -> None:
    first = Part("a", "strings", tuple(Note(q, 1, 60) for q in np.arange(0.0, 40)))
    second = Part("b", "horn", tuple(Note(q, 1, 50) for q in (10.0, 11.0, 30.0)))
    score = replace(passage("", 1), parts=(first, second))
    annotation = annotate(score, tempo.written(score), (2.0, 18.0), SILENCE)
    np.testing.assert_allclose(annotation.entries, [3.0, 13.0])


def test_arrays_can_be_saved_without_pickle(tmp_path: Path, score: Score) -> None:
    timing = tempo.written(score)
    audio = synthesize(score, rate=22050, timing=timing, span=(2, 12))
    annotation = annotate(score, timing, (2, 12), audio)
    np.savez(tmp_path / "a.npz", **annotation.arrays())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["times"], annotation.times)
        assert 0.5 < file["loudness"].mean() <= 1
