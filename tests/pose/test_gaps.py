"""Frames in which nothing was found."""

import numpy as np

from ictus.pose.gaps import FILLED, fill, marked, runs


def test_gaps_are_straight_lines_and_ends_are_held() -> None:
    values = np.array([9, 0, 2, 9, 9, 8, 9], float)[:, None, None]
    found = np.array([0, 1, 1, 0, 0, 1, 0], bool)
    np.testing.assert_allclose(fill(values, found)[:, 0, 0], [0, 0, 2, 4, 6, 8, 8])


def test_without_a_gap_or_a_sight_all_is_as_given() -> None:
    values = np.arange(6.0).reshape(3, 1, 2)
    np.testing.assert_array_equal(fill(values, np.ones(3, bool)), values)
    np.testing.assert_array_equal(fill(values, np.zeros(3, bool)), values)


def test_short_gaps_are_marked_as_filled_and_long_ones_as_guessed() -> None:
    found = np.ones(60, bool)
    found[5:15] = found[20:31] = found[:2] = found[58:] = False  # 10, 11 and at the ends, at 25 frames a second
    sure = marked(np.full((60, 3), 0.7), found, 25)
    np.testing.assert_allclose(sure[5:15], FILLED)
    assert (sure[20:31] == 0).all()
    assert (sure[:2] == 0).all()
    assert (sure[58:] == 0).all()
    np.testing.assert_allclose(sure[found], 0.7)


def test_runs() -> None:
    np.testing.assert_array_equal(runs(np.array([1, 1, 0, 1], bool)), [[0, 2], [3, 4]])
    assert runs(np.zeros(3, bool)).shape == (0, 2)
