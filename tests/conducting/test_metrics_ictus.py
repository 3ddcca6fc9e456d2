"""Icti against motions whose marks are known, and their agreement with beats."""

from pathlib import Path

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.conducting import metrics
from ictus.conducting.pipeline import Maestro
from ictus.errors import MotionError, UsageError
from ictus.motion import Motion
from ictus.retargeting.projection import project
from ictus.skeleton import get_skeleton

PARITY = Path(__file__).parents[2].parent / "shared/data/virtualconductor/parity.npz"
BODY = get_skeleton("conductor-13")
HALF_A_FRAME = 1 / 60


def bounces(beats, duration, fps, depth=0.2, offset=0.0):
    """Return the height of a hand that falls onto each beat and rebounds."""
    time = np.arange(round(duration * fps)) / fps
    edges = np.concatenate([[beats[0] - 1], beats, [beats[-1] + 1]]) + offset
    return depth * np.abs(np.sin(np.pi * np.interp(time, edges, np.arange(len(edges)))))


def conductor(left, right, fps=30.0):
    """Return a conductor-13 with hands at these heights (y down)."""
    positions = np.zeros((len(right), 13, 2))
    positions[:, BODY.index("left_wrist"), 1] = 0.6 - np.asarray(left)
    positions[:, BODY.index("right_wrist"), 1] = 0.6 - np.asarray(right)
    return Motion(positions, fps, BODY)


def errors(icti, beats):
    """Return seconds from each beat to the nearest ictus."""
    return np.abs(np.subtract.outer(beats, icti)).min(1)


BEATS = 1 + np.cumsum(0.6 + 0.08 * np.sin(np.arange(30)))
STILL = np.full(630, 0.1)


# --- Where the hands mark --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [20.0, 25.0, 29.97, 30.0, 60.0, 120.0])
def test_a_bouncing_hand(fps):
    """At any frame rate, within half a frame of the slowest film."""
    hand = bounces(BEATS, 21, fps)
    icti = metrics.ictus_times(conductor(hand, hand, fps))
    assert len(icti) == len(BEATS)
    assert errors(icti, BEATS).max() < 1 / 50
    assert np.median(errors(icti, BEATS)) < 1 / 150


def test_time_between_frames():
    """A smooth low point is found far more exactly than frames lie apart."""
    time = np.arange(600) / 30
    hand = 0.1 * np.sin(2 * np.pi * 1.1 * (time - 0.013))
    truth = 0.013 + (np.arange(1, 21) - 0.25) / 1.1
    icti = metrics.ictus_times(conductor(hand, hand))
    assert errors(icti, truth[truth < 19.5]).max() < 0.002


def test_up_is_up():
    """In pictures y points down, in bodies up: low points, never high ones."""
    hand = bounces(BEATS, 21, 30)
    body = get_skeleton("conductor-23")
    positions = np.zeros((len(hand), 23, 3))
    positions[:, [body.index("left_wrist"), body.index("right_wrist")], 1] = hand[:, None]
    picture = conductor(hand, hand)
    np.testing.assert_allclose(
        metrics.ictus_times(Motion(positions, 30, body)), metrics.ictus_times(picture), atol=1e-3
    )
    np.testing.assert_allclose(metrics.ictus_times(positions), metrics.ictus_times(picture.positions), atol=1e-3)


def test_a_long_fall_and_a_short_rebound():
    """The filter that finds the low point must not move it towards the rebound."""
    time = np.arange(630) / 30
    beats = 1 + 0.5 * np.arange(40)
    phase = np.interp(time, beats, np.arange(40)) % 1
    height = np.where(phase < 0.5, 0.1 * 2 * phase, 0.1) * (phase < 0.5) + (phase >= 0.5) * (0.3 - 0.4 * (phase - 0.25))
    hand = np.where((time >= beats[0]) & (time < beats[-1]), np.maximum(height, 0) * np.sin(np.pi * phase), 0.1)
    icti = metrics.ictus_times(conductor(hand, hand))
    assert np.median(errors(icti, beats[1:-1])) < HALF_A_FRAME


@pytest.mark.parametrize("leading", ["left", "right"])
def test_a_resting_hand_marks_nothing(leading):
    """It trembles at less than a quarter of the other's movement, also while that one holds a fermata."""
    hand, tremble = bounces(BEATS, 21, 30), bounces(BEATS[:-1] + np.diff(BEATS) / 2, 21, 30, depth=0.03)
    time = np.arange(630) / 30
    hand[(time > BEATS[9:11].mean()) & (time < BEATS[14:16].mean())] = 0.2
    beats = np.delete(BEATS, slice(10, 15))
    hands = {"left": hand, "right": tremble} if leading == "left" else {"left": tremble, "right": hand}
    icti = metrics.ictus_times(conductor(**hands))
    assert len(icti) == len(beats)
    assert errors(icti, beats).max() < HALF_A_FRAME


def test_hands_that_mark_together_mark_once():
    right, left = bounces(BEATS, 21, 30), bounces(BEATS, 21, 30, depth=0.15, offset=0.1)
    icti = metrics.ictus_times(conductor(left, right))
    assert len(icti) == len(BEATS)
    assert errors(icti, BEATS).max() < HALF_A_FRAME  # the leading hand's time counts


def test_gestures_between_the_beats_do_not_count():
    right, left = bounces(BEATS, 21, 30), bounces(BEATS[::4] + 0.3, 21, 30, depth=0.4)
    icti = metrics.ictus_times(conductor(left, right))
    assert len(icti) == len(BEATS)


def test_a_hand_takes_over():
    """The left hand beats on while the right one rests for a third of the time."""
    right, left = bounces(BEATS, 21, 30), bounces(BEATS, 21, 30, depth=0.15)
    time = np.arange(630) / 30
    resting = (time > BEATS[9:11].mean()) & (time < BEATS[20:22].mean())
    right[resting], left[~resting] = 0.2, 0.15  # raised to where they came from
    icti = metrics.ictus_times(conductor(left, right))
    assert len(icti) == len(BEATS)
    assert errors(icti, BEATS).max() < HALF_A_FRAME


@pytest.mark.parametrize("fps", [30, 60, 120])
def test_small_waves_do_not_count(fps):
    """Neither a slow one of less than a tenth of the hand's range, nor a larger tremor, which the filter takes away."""
    time = np.arange(21 * fps) / fps
    hand, still = bounces(BEATS, 21, fps), 0 * time
    while_beating = (time > BEATS[0]) & (time < BEATS[-1])
    for wave in (0.004 * np.sin(2 * np.pi * 2.7 * time), 0.03 * np.sin(2 * np.pi * 6.5 * time)):
        assert len(metrics.ictus_times(conductor(still, hand + wave * while_beating, fps))) == len(BEATS)


def test_low_points_are_apart():
    fast = 0.1 * np.sin(2 * np.pi * 7 * np.arange(630) / 30)
    icti = metrics.ictus_times(conductor(STILL, fast))
    assert len(icti) > 50
    assert np.diff(icti).min() >= 0.2 - 2 * HALF_A_FRAME


def test_jitter_of_a_camera():
    """3 mm on hands that move 20 cm."""
    hand = bounces(BEATS, 21, 30)
    rng = np.random.default_rng(0)
    icti = metrics.ictus_times(conductor(hand + rng.normal(0, 0.003, 630), hand + rng.normal(0, 0.003, 630)))
    assert len(icti) == len(BEATS)
    assert np.median(errors(icti, BEATS)) < HALF_A_FRAME


@pytest.mark.parametrize("frames", [1, 2, 3, 6, 7, 8, 18, 19, 20, 600])
def test_still_hands_mark_nothing(frames):
    assert len(metrics.ictus_times(np.zeros((frames, 13, 2)))) == 0
    noise = np.random.default_rng(0).normal(0, 1e-4, (frames, 13, 2))
    assert len(metrics.ictus_times(0.5 + noise)) == 0


def test_short_motions():
    """No length fails; a lone beat at 0.3 s is seen once it is over."""
    for frames in range(1, 40):
        hand = 0.1 * np.abs(np.arange(40) / 30 - 0.3)[:frames]
        icti = metrics.ictus_times(conductor(hand, hand))
        assert len(icti) <= 1
        if frames >= 19:
            assert icti == pytest.approx([0.3], abs=HALF_A_FRAME)


def test_the_published_generators_motion():
    if not PARITY.exists():
        pytest.skip(f"{PARITY} is not there")
    motion = np.load(PARITY)["motion"][0]
    icti = metrics.ictus_times(motion)
    assert 20 < len(icti) < 60  # in 20 s
    assert (np.diff(icti) > 0.1).all()
    scores = metrics.beat_scores(motion, np.arange(0.5, 20, 0.5))
    assert 0 < scores["f_measure"] < 0.8
    assert np.isfinite(
        list(metrics.evaluate(motion[None], motion[None], beats=[np.arange(0.5, 20, 0.5)]).values())
    ).all()


def test_bad_motions():
    with pytest.raises(UsageError, match="9 fps; its icti need at least 10"):
        metrics.ictus_times(np.zeros((30, 13, 2)), 9)
    with pytest.raises(MotionError, match="fps is -1"):
        metrics.ictus_times(np.zeros((30, 13, 2)), -1)
    with pytest.raises(UsageError, match="fps=25 was given for a motion of 30 fps"):
        metrics.ictus_times(conductor(STILL, STILL), 25)
    with pytest.raises(UsageError, match=r"the motion has shape \(30, 26\)"):
        metrics.ictus_times(np.zeros((30, 26)))
    with pytest.raises(MotionError, match=r"not finite \(first in frame 4\)"):
        metrics.ictus_times(np.where(np.arange(30)[:, None, None] == 4, np.nan, np.zeros((30, 13, 2))))


# --- The default conductor -------------------------------------------------------------------------------------------


def piece(meter, tempo, rubato, loudness, articulation, count=40):
    """Return beats of one tempo, or of one that swings by `rubato` with some irregularity."""
    swing = rubato * np.sin(2 * np.pi * np.arange(count) / 23 + meter)
    jitter = rubato / 8 * np.random.default_rng(meter).normal(size=count)
    periods = 60 / tempo * np.exp(swing + jitter)
    times = 1 + np.cumsum(periods) - periods[0]
    neutral = np.ones(count)
    return Beats(times, np.arange(count) % meter + 1, meter, loudness * neutral, articulation * neutral)


@pytest.mark.parametrize(
    ("meter", "tempo", "rubato"),
    [
        (1, 50, 0.1),
        (1, 140, 0.0),
        (2, 80, 0.0),
        (2, 120, 0.1),
        (3, 50, 0.0),
        (3, 140, 0.1),
        (4, 80, 0.1),
        (4, 140, 0.0),
        (6, 50, 0.1),
        (6, 120, 0.0),
    ],
)
def test_maestro_marks_its_beats(meter, tempo, rubato):
    """Soft and loud, legato and staccato; in 3-D and as seen by a camera; the same motion shifted marks nothing."""
    for loudness, articulation in ((0.1, 1.0), (0.5, 0.4), (0.9, 0.0)):
        beats = piece(meter, tempo, rubato, loudness, articulation)
        motion = Maestro().perform(beats, beats.times[-1] + 1.5, seed=0)
        for seen in (motion, project(motion)):
            scores = metrics.beat_scores(seen, beats.times)
            assert scores["f_measure"] >= 0.98
            assert scores["cmlt"] >= 0.9
            assert abs(scores["asynchrony"]) <= HALF_A_FRAME
            assert np.median(errors(metrics.ictus_times(seen), beats.times)) <= HALF_A_FRAME
            chance = 2 * 0.07 * tempo / 60  # of a mark that falls anywhere
            assert scores["control"] < chance + 0.12


@pytest.mark.parametrize("lead", [-0.1, 0.15])
def test_maestros_lead_is_found(lead):
    beats = piece(4, 75, 0.15, 0.6, 0.4, count=80)
    motion = Maestro(lead=lead).perform(beats, beats.times[-1] + 1.5, seed=0)
    assert metrics.beat_scores(motion, beats.times)["f_measure"] < 0.3
    found = metrics.best_lag(motion, beats.times)
    assert found["lag"] == pytest.approx(-lead, abs=0.071)  # any lag that brings all within the window
    assert found["f_measure"] > 0.98
    assert found["control"] < 0.6


# --- Scores ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [[1.0, 1.0], [2.0, 1.0], [np.nan], [np.inf], [[1.0, 2.0]]])
def test_bad_times(times):
    for score in (metrics.beat_scores, metrics.best_lag):
        with pytest.raises(UsageError, match="the true beats must be increasing, finite times"):
            score(np.zeros((30, 13, 2)), times)


def test_scores_of_a_motion():
    hand = bounces(BEATS, 21, 30, offset=0.04)
    scores = metrics.beat_scores(conductor(STILL, hand), BEATS)
    assert scores["f_measure"] == scores["cmlt"] == scores["amlt"] == 1
    assert scores["asynchrony"] == pytest.approx(0.04, abs=0.008)
    assert scores["control"] < 0.4
    assert metrics.beat_scores(conductor(STILL, hand).positions, BEATS, 30) == scores


def test_scores_of_no_motion():
    scores = metrics.beat_scores(np.zeros((300, 13, 2)), BEATS)
    assert (scores["f_measure"], scores["cmlt"], scores["amlt"], scores["control"]) == (0, 0, 0, 0)
    assert np.isnan(scores["asynchrony"])
    assert metrics.best_lag(np.zeros((300, 13, 2)), BEATS) == {"lag": 0, "f_measure": 0, "control": 0}
    assert metrics.beat_scores(conductor(STILL, bounces(BEATS, 21, 30)), [])["f_measure"] == 0


def test_best_lag():
    hand = bounces(BEATS, 21, 30, offset=-0.13)
    motion = conductor(STILL, hand)
    best = metrics.best_lag(motion, BEATS)
    assert best["f_measure"] == 1
    assert -0.21 <= best["lag"] <= -0.06  # of all lags that do, the nearest to none
    assert best["control"] < 0.8
    assert metrics.best_lag(motion, BEATS, lags=[0.0])["f_measure"] == metrics.beat_scores(motion, BEATS)["f_measure"]
    with pytest.raises(UsageError, match="the lags must be finite"):
        metrics.best_lag(motion, BEATS, lags=[])


def test_a_fitted_lag_says_nothing_of_regular_beats():
    """The control says so: any motion of the right tempo finds a lag."""
    beats = np.arange(1, 40) * 0.5
    motion = conductor(STILL, bounces(beats + 0.21, 21, 30))
    best = metrics.best_lag(motion, beats)
    assert best["f_measure"] > 0.95
    assert best["control"] > 0.85
    assert metrics.beat_scores(motion, beats)["control"] < 0.5
