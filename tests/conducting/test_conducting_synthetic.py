"""Conducting music whose beats are known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ictus.beats.annotation import BeatAnnotation
from ictus.beats.beats import Beats
from ictus.conducting.data.synthetic import conductor_motion
from ictus.errors import IctusError
from ictus.scores.reader import read
from ictus.synthesis import music_corpus
from ictus.synthesis.score_collection import find_pieces


def annotation(meter: int, tempo: float, division: int = 2, beats: int = 40) -> BeatAnnotation:
    times = 0.5 + np.arange(beats) * 60 / tempo
    flat = np.full(beats, 0.5)
    whole = np.ones(beats, np.int64)
    return BeatAnnotation(
        times=times,
        positions=np.arange(beats) % meter + 1,
        meters=whole * meter,
        divisions=whole * division,
        tempo=np.full(beats, tempo),
        loudness=flat,
        articulation=flat,
        accents=np.arange(beats) % meter == 0,
        entries=np.zeros(0),
        duration=float(times[-1] + 1),
    )


@pytest.mark.parametrize(
    ("meter", "tempo", "division", "shown", "speed"),
    [
        (4, 100, 2, 4, 100),  # at ease
        (3, 200, 2, 1, 200 / 3),  # a scherzo in one
        (4, 160, 2, 2, 80),
        (2, 40, 2, 4, 80),  # a slow alla breve in four
        (3, 40, 2, 6, 80),
        (4, 40, 2, 4, 40),  # there is no pattern in eight
        (2, 36, 3, 6, 108),  # a slow 6/8 in six
        (1, 30, 3, 3, 90),  # a slow 3/8 in three
        (1, 70, 3, 1, 70),
        (3, 40, 3, 3, 40),  # no pattern in nine
        (4, 60, 3, 4, 60),
    ],
)
def test_what_is_conducted(meter: int, tempo: float, division: int, shown: int, speed: float) -> None:
    beats = annotation(meter, tempo, division).conducted()
    assert beats.meter == shown
    assert beats.tempo == pytest.approx(speed, rel=0.01)
    assert beats.times[0] == 0.5
    assert set(beats.positions) == set(range(1, shown + 1))
    assert beats.positions[0] == 1
    steps = np.diff(beats.positions)
    assert set(steps % shown) <= {1 % shown}


def test_thirds_lie_evenly_between_beats_and_carry_no_accent() -> None:
    slow = annotation(2, 36, 3)
    beats = slow.conducted()
    np.testing.assert_allclose(beats.times[::3], slow.times)
    np.testing.assert_allclose(np.diff(beats.times), 60 / 36 / 3)
    assert beats.accents[1::3].max() == 0
    assert beats.accents[::6].min() == 1


def test_a_metre_without_a_pattern() -> None:
    with pytest.raises(IctusError, match="has 37 beats"):
        annotation(37, 100).conducted()


@pytest.fixture(scope="module")
def excerpt(tmp_path_factory: pytest.TempPathFactory) -> music_corpus.AnnotatedExcerpt:
    """A minute of a click with a tempo of its own, as MIDI."""
    folder = tmp_path_factory.mktemp("scores")
    times = 0.5 + np.cumsum(0.55 + 0.05 * np.sin(np.arange(170) / 9))
    Beats(times, np.arange(170) % 4 + 1, 4).save(folder / "click.mid")
    (piece,) = find_pieces(folder)
    return music_corpus.score_excerpt(piece, read(piece.file), (0.0, 1.0), np.random.default_rng(0))


def test_the_files_of_an_example(excerpt: music_corpus.AnnotatedExcerpt, tmp_path: Path) -> None:
    files = conductor_motion(excerpt)
    assert (files["mel.npy"].shape, files["mel.npy"].dtype) == ((5400, 128), np.float32)
    assert (files["motion.npy"].shape, files["motion.npy"].dtype) == ((1800, 13, 2), np.float32)
    assert 0 <= files["mel.npy"].min() < files["mel.npy"].max() <= 1
    assert np.isfinite(files["motion.npy"]).all()
    np.savez(tmp_path / "beats.npz", **files["beats.npz"])
    with np.load(tmp_path / "beats.npz", allow_pickle=False) as saved:
        assert json.loads(str(saved["about"]))["piece"] == "click"
        assert int(saved["conducted_meter"]) == 4
        np.testing.assert_allclose(saved["conducted_times"], excerpt.annotation.times)
    again = conductor_motion(excerpt)
    np.testing.assert_array_equal(files["motion.npy"], again["motion.npy"])


def test_the_hand_is_lowest_on_the_beats(excerpt: music_corpus.AnnotatedExcerpt) -> None:
    height = -conductor_motion(excerpt)["motion.npy"][:, 10, 1]  # right wrist, upwards
    low = np.flatnonzero((height[1:-1] < height[:-2]) & (height[1:-1] <= height[2:])) + 1
    beats = excerpt.annotation.times[(excerpt.annotation.times > 1) & (excerpt.annotation.times < 59)]
    away = np.abs(low[None] / 30 - beats[:, None]).min(1)
    assert np.mean(away < 0.04) > 0.95


def test_the_sound_has_its_onsets_on_the_beats(excerpt: music_corpus.AnnotatedExcerpt) -> None:
    rate = excerpt.audio.rate
    frame = rate // 100
    mono = excerpt.audio.samples.mean(0)[: 6000 * frame].astype(np.float64)
    power = np.log10((mono.reshape(-1, frame) ** 2).mean(1) + 1e-9)
    rise = np.maximum(np.diff(power, prepend=power[0]), 0)
    at = np.round(excerpt.annotation.times * 100).astype(int)
    at = at[(at > 10) & (at < len(rise) - 10)]
    profile = np.array([rise[at + lag].mean() for lag in range(-8, 9)])
    begins = int((profile > 0.4 * profile.max()).argmax())  # a roll of the drum goes on rising for a while
    assert abs(begins - 8) <= 1
    assert profile.max() > 3 * rise.mean()


def test_a_metre_that_cannot_be_conducted_names_the_piece(excerpt: music_corpus.AnnotatedExcerpt) -> None:
    odd = replace(excerpt, annotation=replace(excerpt.annotation, meters=excerpt.annotation.meters * 0 + 37))
    with pytest.raises(IctusError, match=r"click: the bar at .* has"):
        conductor_motion(odd)
