"""Diagnostics of a made dance: skating, freezing, drifting; the published ones are in test_metrics."""

import numpy as np
import pytest

from ictus.dance import metrics
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from real_dances import read_real_dances

SMPL = get_skeleton("smpl-24")
LEFT, RIGHT = ([SMPL.index(f"{side}{joint}") for joint in ("ankle", "toes")] for side in "lr")


def standing(frames: int = 301) -> np.ndarray:
    return np.tile(SMPL.rest.astype(np.float64), (frames, 1, 1))


def along(frames: int, speed: float) -> np.ndarray:
    """(frames, 1, 3) metres, at `speed` m/s and 30 fps."""
    return np.arange(frames)[:, None, None] / 30 * speed * np.array([0.6, 0, 0.8])


def test_a_body_that_stands_does_not_skate():
    assert metrics.foot_skating(standing(), fps=30) == metrics.FootSkating(0.0, 0.0, 1.0)


@pytest.mark.parametrize("speed", [0.05, 0.2])
def test_a_body_that_slides_does(speed):
    skating = metrics.foot_skating(standing() + along(301, speed), fps=30)
    assert skating.speed == pytest.approx(speed)
    assert skating.share == (1 if speed > 0.1 else 0)


def test_one_foot_that_stands_is_enough():
    places = standing()
    places[:, LEFT] += along(301, 0.5)
    assert metrics.foot_skating(places, fps=30).speed == 0
    places[:, RIGHT, 1] += 0.2  # it is lifted: the sliding one carries the body
    assert metrics.foot_skating(places, fps=30).speed == pytest.approx(0.5)


def test_a_foot_may_turn_about_its_toes():
    places = standing()
    places[:, RIGHT, 1] += 0.2
    places[:, LEFT[0]] += 0.05 * np.stack([np.sin(np.arange(301)), np.zeros(301), np.cos(np.arange(301))], axis=1)
    assert metrics.foot_skating(places, fps=30).speed == 0


def test_the_floor_is_where_feet_mostly_are_lowest():
    places = standing() + np.array([0, 7.0, 0]) + along(301, 0.2)
    places[0, [*LEFT, *RIGHT], 1] -= 0.5  # one bad frame
    places[100:200, :, 1] += 0.3  # a third of it in the air
    skating = metrics.foot_skating(places, fps=30)
    assert skating.speed == pytest.approx(0.2)
    assert skating.standing == pytest.approx(2 / 3, abs=0.01)


def test_a_body_that_only_falls_has_some_measure():
    places = standing() - np.arange(301)[:, None, None] * [0, 1.0, 0]
    skating = metrics.foot_skating(places, fps=30)
    assert all(np.isfinite([skating.speed, skating.share, skating.standing]))
    assert metrics.foot_skating(places[:2], fps=30) == metrics.FootSkating(0.0, 0.0, 0.0)


def test_freezing_tells_how_long():
    rng = np.random.default_rng(0)
    places = standing(900) + 0.1 * np.sin(np.arange(900)[:, None, None] / 5 + rng.uniform(0, 6, (1, 24, 3)))
    assert metrics.freezing(places, fps=30).longest == 0
    places[300:480] = places[300]
    places[300:480] += along(180, 0.5)  # drifting is no dance
    places[700:730] = places[700]
    freezing = metrics.freezing(places, fps=30)
    assert freezing.longest == pytest.approx(179 / 30)
    assert freezing.ratio == metrics.freeze_ratio(places, fps=30)
    assert metrics.freezing(standing(61), fps=30) == metrics.Freezing(0.0, 2.0)


def test_movement_is_the_mean_square_of_speed():
    places = standing()
    places[:, LEFT] += along(301, 0.6)
    places[:, RIGHT] += along(301, 0.3)
    assert metrics.movement(places, fps=30) == pytest.approx((2 * 0.6**2 + 2 * 0.3**2) / 24)
    assert metrics.movement(places + along(301, 1.0), fps=30) == pytest.approx(metrics.movement(places, fps=30))


def test_drift_in_metres_a_minute():
    drift = metrics.drift(standing(1801) + along(1801, 0.05), fps=30)
    assert drift.farthest == pytest.approx(3.0)
    assert drift.per_minute == pytest.approx(3.0)
    places = standing(1801)
    places[900, 0] += [3.0, 9.0, -4.0]  # out and back at once
    drift = metrics.drift(places, fps=30)
    assert drift.farthest == pytest.approx(5.0)
    assert drift.per_minute < 0.01


def test_motions_at_their_own_rate():
    places = (standing(121) + along(121, 0.2)).astype(np.float32)
    alone = metrics.foot_skating(places, fps=30)
    assert metrics.foot_skating(Motion(np.repeat(places, 2, axis=0), 60.0, SMPL)) == alone
    assert metrics.drift(Motion(places, 30.0, SMPL)) == metrics.drift(places, fps=30)


def test_real_dances_against_the_same_ones_that_slide(shared_data):
    real, slid = [], []
    for _, dance, _ in read_real_dances(shared_data):
        places = dance.positions
        real.append(metrics.foot_skating(places, fps=30))
        slid.append(metrics.foot_skating(places + along(len(places), 0.2), fps=30))
    assert all(skating.standing > 0.2 for skating in real)  # defined for every one of them
    assert np.mean([skating.share for skating in real]) < 0.5 < 0.85 < np.mean([skating.share for skating in slid])
    assert np.mean([skating.speed for skating in slid]) > 1.5 * np.mean([skating.speed for skating in real])
