"""Tempo curves: increasing, near what is written, free where music is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import IctusError
from ictus.scores.reader import read
from ictus.scores.score import Score
from ictus.synthesis import tempo
from tiny_scores import waltz


@pytest.fixture
def score(tmp_path: Path) -> Score:
    file = tmp_path / "waltz.musicxml"
    file.write_text(waltz(64, tempo=120))
    return read(file)


def paces(timing: tempo.Timing, score: Score) -> np.ndarray:
    return np.asarray(60 / np.diff(timing.seconds_at(score.beats[:, 0])))


def test_written(score: Score) -> None:
    timing = tempo.written(score)
    np.testing.assert_allclose(paces(timing, score), 120, rtol=1e-3)
    np.testing.assert_allclose(timing.quarters_at(timing.seconds_at(np.array([3.3, 99.0]))), [3.3, 99.0])
    assert timing.seconds_at(np.array([-2.0]))[0] == pytest.approx(-1.0, abs=0.01)


def test_imagined_breathes(score: Score) -> None:
    for seed in range(5):
        timing = tempo.imagined(score, np.random.default_rng(seed))
        pace = paces(timing, score)
        assert (np.diff(timing.seconds) > 0).all()
        assert 80 < np.median(pace) < 180
        assert pace.std() > 0.5
        assert pace[-2:].mean() < np.median(pace)  # it ends broadly
    again = [tempo.imagined(score, np.random.default_rng(3)).seconds for _ in range(2)]
    np.testing.assert_array_equal(*again)


def test_fermatas_are_held(score: Score) -> None:
    held = replace(score, fermatas=np.array([[30.0, 33.0]]))
    plain, longer = (tempo.imagined(s, np.random.default_rng(0)) for s in (score, held))
    span = np.array([30.0, 33.0])
    assert np.ptp(longer.seconds_at(span)) > 1.4 * np.ptp(plain.seconds_at(span))


def test_humanised_differs_from_beat_to_beat_but_not_in_the_long_run(score: Score) -> None:
    plain = tempo.written(score)
    played = tempo.humanised(plain, score, np.random.default_rng(0), scale=1.1)
    steps = np.diff(played.seconds_at(score.beats[:, 0]))
    assert 0.005 < np.std(np.log(steps)) < 0.05
    assert np.mean(steps) == pytest.approx(1.1 * 0.5, rel=0.02)
    assert (np.diff(played.seconds) > 0).all()


def alignment(path: Path, score: Score, seconds: np.ndarray) -> Path:
    quarters = score.beats[:, 0]
    np.savez(path, score_qstamp=quarters, qstamp=quarters, tstamps=seconds[:, None])
    return path


def test_recorded_averages_what_an_alignment_staggers(tmp_path: Path, score: Score) -> None:
    quarters = score.beats[:, 0]
    played = quarters * 0.5 * (1 + 0.1 * quarters / quarters[-1])  # slows down by a fifth
    stepped = np.floor(played / 1.5) * 1.5 + np.minimum(played % 1.5, 0.75)  # runs along, then stands
    timing = tempo.recorded(score, alignment(tmp_path / "a.npz", score, 4 + stepped), 0)
    pace = 60 / paces(timing, score)
    assert pace[5:20].mean() == pytest.approx(0.505, abs=0.02)
    assert pace[-30:-10].mean() == pytest.approx(0.59, abs=0.03)
    assert np.abs(np.diff(np.log(pace))).max() < 0.06
    assert timing.seconds_at(np.zeros(1))[0] == pytest.approx(0, abs=1e-6)


def test_an_alignment_with_a_hold(tmp_path: Path, score: Score) -> None:
    quarters = score.beats[:, 0]
    lengthened = quarters + 2.0 * (quarters > 60)
    np.savez(
        tmp_path / "a.npz",
        score_qstamp=quarters,
        qstamp=lengthened,
        tstamps=(quarters * 0.5 + 1.2 * (quarters > 60))[:, None],
    )
    timing = tempo.recorded(score, tmp_path / "a.npz", 0)
    step = np.diff(timing.seconds_at(quarters))
    assert step[60] > 1.2
    assert step[70:90].mean() == pytest.approx(0.5, abs=0.02)


def test_alignments_that_are_none(tmp_path: Path, score: Score) -> None:
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    short = alignment(tmp_path / "short.npz", score, score.beats[:, 0])
    with pytest.raises(IctusError, match="no NumPy archive"):
        tempo.recorded(score, tmp_path / "text.npz", 0)
    with pytest.raises(IctusError, match="holds x, but no score_qstamp"):
        tempo.recorded(score, tmp_path / "other.npz", 0)
    with pytest.raises(IctusError, match="no alignment"):
        tempo.recorded(score, short, 7)
    with pytest.raises(IctusError, match="not of this score"):
        tempo.recorded(Score.ode_to_joy(), short, 0)
