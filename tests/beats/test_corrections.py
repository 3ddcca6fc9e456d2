"""Corrections: what is known of beats takes precedence over what is predicted, and what cannot be is refused."""

import logging

import mir_eval
import numpy as np
import pytest
from beat_corpus import clicks

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.classical import ClassicalBeatTracker
from ictus.beats.corrections import BeatCorrections, tempo_range
from ictus.beats.tracker import BeatTracker
from ictus.errors import IctusError, UsageError
from ictus.scores.score import Score
from ictus.synthesis.synthesizer import synthesize

TIMES = np.arange(0.5, 19, 0.5)


def music() -> Audio:
    return clicks(TIMES, np.arange(len(TIMES)) % 4 + 1, 20)


def f_measure(reference: np.ndarray, beats: Beats) -> float:
    return float(mir_eval.beat.f_measure(reference, beats.times))


@pytest.fixture(scope="module")
def joy() -> tuple[Audio, np.ndarray]:
    """An Ode to Joy at 112 a minute, and its beats."""
    score = Score.ode_to_joy()
    return synthesize(score, rate=22050), score.seconds(np.arange(0.0, 128))


@pytest.mark.parametrize("tracker", [BeatTracker(), ClassicalBeatTracker()])
def test_a_tempo_decides_the_level(joy: tuple[Audio, np.ndarray], tracker) -> None:
    audio, truth = joy
    right, slow = (BeatCorrections(tempo=tempo)(tracker, audio) for tempo in (tempo_range("112"), (50, 65)))
    assert f_measure(truth, right) > 0.85
    assert f_measure(truth, slow) < 0.7
    assert 50 <= slow.tempo <= 65
    assert max(f_measure(truth[phase::2], slow) for phase in (0, 1)) > 0.85


def test_half_and_double_in_one_step(joy: tuple[Audio, np.ndarray]) -> None:
    audio, truth = joy
    tracker, slow = BeatTracker(), {"tempo": (50.0, 65.0)}

    def at_half(sound: Audio, **known: object) -> Beats:  # a tracker that takes every other beat, if it is left alone
        return tracker(sound, **{**slow, **known})

    assert f_measure(truth, at_half(audio)) < 0.7
    assert f_measure(truth, BeatCorrections(level="double")(at_half, audio)) > 0.9
    found = tracker(audio)
    half = BeatCorrections(level="half")(tracker, audio)
    assert half.tempo == pytest.approx(found.tempo / 2, rel=0.05)
    assert half.meter in (1, found.meter // 2)


def test_a_level_is_one_beside_that_which_is_conducted() -> None:
    fast = Beats(0.5 + np.arange(60) / 3, np.arange(60) % 3 + 1, 3)  # 180 a minute: conducted in one

    def tracker(audio: Audio, **known: object) -> Beats:
        assert not known
        return fast

    levels = {level: BeatCorrections(level=level) for level in (None, "same", "double")}
    shown = {level: known(tracker, music(), conducted=True) for level, known in levels.items()}
    assert (shown[None].meter, shown["same"].meter, shown["double"].meter) == (1, 3, 3)
    np.testing.assert_array_equal(shown["double"].times, fast.times)


def test_given_beats_take_the_place_of_the_tracker() -> None:
    def nobody(audio: Audio, **known: object) -> Beats:
        raise AssertionError("no beats were to be predicted")

    given = Beats(TIMES, np.arange(len(TIMES)) % 3 + 1, 3)
    beats = BeatCorrections(beats=given)(nobody, music())
    np.testing.assert_array_equal(beats.times, TIMES)
    np.testing.assert_array_equal(beats.positions, given.positions)
    assert beats.duration == pytest.approx(20)
    assert not beats.neutral, "how they sound comes from the sound"
    assert (beats.confidence == 1).all()
    faster = BeatCorrections(beats=given, level="double")(nobody, music())
    np.testing.assert_allclose(np.diff(faster.times), 0.25)
    slower = BeatCorrections(beats=given, level="half")(nobody, music())
    np.testing.assert_allclose(slower.times, TIMES[::2])
    assert slower.positions[:7].tolist() == [1, 2, 3, 1, 2, 3, 1]


def test_bars_of_given_beats_are_left_to_the_tracker_where_they_are_not_known() -> None:
    known = Beats(TIMES, np.zeros(len(TIMES), int), 4)
    beats = BeatCorrections(beats=known)(BeatTracker(), music())
    np.testing.assert_array_equal(beats.times, TIMES)
    assert beats.positions.min() == 1
    assert beats.meter in (2, 4)


@pytest.mark.parametrize("there", [2, 3, 5])
def test_a_downbeat_moves_the_bars(there: int) -> None:
    given = Beats(TIMES, np.arange(len(TIMES)) % 4 + 1, 4)
    beats = BeatCorrections(beats=given, downbeat=TIMES[there] + 0.1)(BeatTracker(), music())
    np.testing.assert_array_equal(beats.positions, (np.arange(len(TIMES)) - there) % 4 + 1)
    with pytest.raises(IctusError, match="more than a beat"):
        BeatCorrections(beats=given, downbeat=19.6)(BeatTracker(), music())


def test_a_downbeat_moves_bars_whose_metre_changes() -> None:
    meters = [3, 4, 3, 4, 3]
    positions = np.concatenate([np.arange(meter) + 1 for meter in meters])
    given = Beats(TIMES[: len(positions)], positions, meters)
    beats = BeatCorrections(beats=given, downbeat=TIMES[4])(BeatTracker(), music())
    assert beats.positions.tolist() == [3, 1, 2, 3, 1, 2, 3, 4, 1, 2, 3, 1, 2, 3, 4, 1, 2]


def test_a_metre_of_groups_accents_them() -> None:
    beats = BeatCorrections(meter="2+3")(BeatTracker(), music())
    assert set(beats.meters.tolist()) == {5}
    assert (beats.accents[np.isin(beats.positions, (1, 3))] >= 0.6).all()
    assert (beats.accents[np.isin(beats.positions, (2, 4, 5))] < 0.2).all()
    assert BeatCorrections(meter=7)(BeatTracker(), music()).meter == 7


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (TIMES / 60, r"the beats come 7200 a minute; are their times in minutes\?"),
        (TIMES * 60, r"lie from 30.0 to 1110.0 s, but the music lasts 20.0 s; they are of other music, or not in sec"),
        (TIMES - 1, r"lie from -0.5 to 17.5 s"),
        ([], "holds none"),
    ],
)
def test_beats_that_cannot_be_of_this_music_are_refused(times: np.ndarray, message: str) -> None:
    given = Beats(times, np.arange(len(times)) % 4 + 1, 4)
    with pytest.raises(IctusError, match=message) as caught:
        BeatCorrections(beats=given)(BeatTracker(), music())
    assert caught.value.option == "beats"


def test_beats_that_end_long_before_the_music_are_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        BeatCorrections(beats=Beats(TIMES[:10], np.arange(10) % 4 + 1, 4))(BeatTracker(), music())
    assert caplog.messages == ["the beats end at 5.0 s, the music at 20.0 s; nothing marks the rest of it"]


@pytest.mark.parametrize("text", ["0", "-3", "x", "", "20", "301", "120..80", "80..", "1e9", "nan", "60..inf"])
def test_tempi_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"give beats a minute, 24 to 300") as caught:
        tempo_range(text)
    assert caught.value.option == "tempo"


def test_tempi() -> None:
    assert tempo_range("80..120") == (80, 120)
    low, high = tempo_range("100")
    assert 100 / 1.5 < low < 80 < 125 < high < 150, "the neighbouring levels stay outside"
    with pytest.raises(UsageError, match="give one of them"):
        BeatCorrections(beats=Beats([1, 2], [1, 2], 2), tempo=(80, 120))
    with pytest.raises(UsageError, match="metre 9"):
        BeatCorrections(meter=9)
