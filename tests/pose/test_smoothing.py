"""The One-Euro filter, as it comes and both ways."""

import numpy as np
import pytest

from ictus.pose.smoothing import OneEuro, Smoothness, smoothed
from ictus.types import Float64Array

FPS = 30.0
HOW = Smoothness(0.5, 20.0, 5.0)


def curve(frames: int = 150) -> Float64Array:
    """Return (T, 1, 2): a finger that rests, moves quickly and rests, in sizes of its hand."""
    times = np.arange(frames) / FPS
    step = 1 / (1 + np.exp(-(times - times.mean()) * 20))
    return np.stack((step, 0.3 * step), -1)[:, None]


def lag(of: Float64Array, behind: Float64Array) -> int:
    """Return by how many frames one path follows another, by the correlation of their speeds."""
    a, b = (np.diff(path[:, 0, 0]) for path in (of, behind))
    return int(np.correlate(a, b, "full").argmax()) - (len(b) - 1)


def test_both_ways_there_is_no_lag_and_one_way_there_is() -> None:
    path = curve()
    slow = Smoothness(0.5, 1.0)
    one_way = OneEuro(slow)
    late = np.array([one_way(point, frame / FPS, 1.0) for frame, point in enumerate(path)])
    assert lag(late, path) > 0
    assert lag(smoothed(path, FPS, np.ones(len(path)), slow), path) == 0
    assert lag(smoothed(path, FPS, np.ones(len(path)), HOW), path) == 0


def test_time_that_runs_backwards_changes_nothing() -> None:
    path = curve() + np.random.default_rng(0).normal(0, 0.02, (150, 1, 2))
    there = smoothed(path, FPS, np.ones(150), HOW)
    back = smoothed(path[::-1], FPS, np.ones(150), HOW)[::-1]
    np.testing.assert_allclose(there, back, atol=1e-9)


def test_what_rests_is_calm_and_what_moves_is_not_held_back() -> None:
    path = curve()
    noisy = path + np.random.default_rng(1).normal(0, 0.01, path.shape)
    smooth = smoothed(noisy, FPS, np.ones(len(path)), HOW)
    rest = slice(0, 50)
    assert np.diff(smooth[rest], axis=0).std() < 0.4 * np.diff(noisy[rest], axis=0).std()
    assert np.abs(smooth - path).max() < 0.06  # of a way of 1, most of which is covered in five frames
    assert np.abs(smooth - path).mean() < np.abs(noisy - path).mean()


def test_a_larger_body_in_the_picture_is_smoothed_alike() -> None:
    path = curve() + np.random.default_rng(2).normal(0, 0.01, (150, 1, 2))
    small = smoothed(path, FPS, np.ones(150), HOW)
    np.testing.assert_allclose(smoothed(100 * path, FPS, np.full(150, 100.0), HOW), 100 * small, rtol=1e-9)


@pytest.mark.parametrize("frames", [1, 2])
def test_a_film_of_a_frame_or_two_stays_as_it_is(frames: int) -> None:
    path = curve()[:frames]
    np.testing.assert_array_equal(smoothed(path, FPS, np.ones(frames), HOW), path)


def test_the_filter_begins_anew_where_it_is_told_to() -> None:
    filter_ = OneEuro(Smoothness(0.01, 0.0))
    assert filter_(np.array([0.0]), 0.0, 1.0) == 0
    assert filter_(np.array([10.0]), 0.04, 1.0) < 1
    filter_.forget()
    assert filter_(np.array([10.0]), 0.08, 1.0) == 10
