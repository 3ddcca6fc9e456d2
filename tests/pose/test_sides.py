"""Left and right over time."""

import numpy as np

from ictus.pose.sides import put_back, swapped
from ictus.types import Float32Array
from pose.people_on_film import BODY, person_in

MIRROR = list(BODY.mirror)


def rows(count: int = 40) -> Float32Array:
    """Return (T, 75, 3) of somebody who sways."""
    people = [person_in(np.array([10 * np.sin(t / 5), 0, 60 + 10 * np.sin(t / 5), 200.0])) for t in range(count)]
    return np.array([np.concatenate((p.points, p.confidence[:, None]), 1) for p in people], np.float32)


def test_frames_in_which_left_and_right_change_places_are_put_back() -> None:
    given = rows()
    wrong = np.zeros(40, bool)
    wrong[:4] = wrong[20:29] = True
    found = given.copy()
    found[wrong] = found[wrong][:, MIRROR]
    turned = swapped(BODY, found, np.ones(40, bool))
    np.testing.assert_array_equal(turned, wrong)
    np.testing.assert_array_equal(put_back(BODY, found, turned), given)


def test_across_a_gap() -> None:
    found, seen = rows(), np.ones(40, bool)
    found[25:] = found[25:][:, MIRROR]
    seen[20:25] = False
    np.testing.assert_array_equal(np.flatnonzero(swapped(BODY, found, seen)), range(25, 40))


def test_whoever_turns_round_is_left_as_found() -> None:
    """The shoulders pass each other in the picture, bit by bit."""
    found = rows()
    middle = found[..., :1].mean(1, keepdims=True)
    turn = np.cos(np.linspace(0, np.pi, 40))[:, None, None]
    found[..., :1] = middle + turn * (found[..., :1] - middle)
    assert not swapped(BODY, found, np.ones(40, bool)).any()


def test_hands_that_cross_are_left_as_found() -> None:
    found = rows()
    left, right = BODY.index("left_wrist"), BODY.index("right_wrist")
    share = np.linspace(0, 1, 40)[:, None]
    a, b = found[:, left, :2].copy(), found[:, right, :2].copy()
    found[:, left, :2], found[:, right, :2] = a + share * (b - a), b + share * (a - b)
    assert not swapped(BODY, found, np.ones(40, bool)).any()


def test_a_frame_or_none_is_left_as_found() -> None:
    assert not swapped(BODY, rows(1), np.ones(1, bool)).any()
    assert not swapped(BODY, rows(5), np.zeros(5, bool)).any()
