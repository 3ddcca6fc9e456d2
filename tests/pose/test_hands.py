"""Hands without their networks: where they are looked for, and when a place is trusted."""

from dataclasses import replace

import numpy as np
import pytest

from ictus.pose.hands import (
    Hand,
    HandLandmarks,
    Recrop,
    region_from_body,
    region_from_hand,
    region_from_palm,
    still_there,
)
from ictus.pose.region import Region
from ictus.types import Float32Array, Float64Array

PICTURE = np.zeros((300, 300, 3), np.uint8)


def open_hand(x: float = 100, y: float = 100, size: float = 40) -> Float64Array:
    """Return (21, 2): a hand that points up, its wrist at a place."""
    points = [(0.0, 0.0)]
    for finger in range(5):
        across = (finger - 2) * 0.25
        points += [(across, -0.5 - 0.25 * joint) for joint in range(4)]
    return np.array(points) * size + (x, y)


def hand_at(points: Float64Array) -> Hand:
    return Hand(points, 0.9, 1.0, np.zeros((21, 3)), region_from_hand(points))


def test_a_hand_by_the_body_lies_beyond_the_wrist_and_turns_with_it() -> None:
    up = region_from_body(np.array([100.0, 100]), np.array([100.0, 80]), np.array([100.0, 80]))
    assert up.angle == pytest.approx(0)
    assert up.size == pytest.approx(2 * 20 * 2.7)
    assert (up.x, up.y) == pytest.approx((100, 80 - 0.1 * 40))
    right = region_from_body(np.array([100.0, 100]), np.array([120.0, 100]), np.array([120.0, 100]))
    assert right.angle == pytest.approx(np.pi / 2)
    assert right.x > 120


def test_a_hand_by_its_palm() -> None:
    points = np.tile([50.0, 60.0], (7, 1))
    points[2] = 50, 30  # a knuckle above the wrist
    region = region_from_palm(np.array([40.0, 30, 60, 50]), points)
    assert region == Region(50, 40 - 0.5 * 20, 52, 0)


def test_a_hand_by_itself_holds_all_its_points() -> None:
    points = open_hand()
    region = region_from_hand(points)
    shares = region.inside(points)
    assert (shares > 0).all()
    assert (shares < 1).all()
    assert region.angle == pytest.approx(0)


def test_a_place_is_kept_while_the_body_agrees() -> None:
    before = hand_at(open_hand())
    region = before.region
    assert still_there(before, region, region)
    assert still_there(before, region, replace(region, angle=0.5, size=1.2 * region.size))
    assert not still_there(before, region, replace(region, angle=0.8))  # 46 degrees
    assert not still_there(before, region, replace(region, x=region.x + 0.25 * region.size))
    assert not still_there(before, region, replace(region, size=1.7 * region.size))
    assert not still_there(before, region, replace(region, size=0.5 * region.size))


class HandAnswer:
    """A network that sees a hand in the middle of whatever it is given."""

    def __init__(self, presence: float = 0.8, left_in_a_mirror: float = 0.1) -> None:
        self.presence, self.side = presence, left_in_a_mirror

    def __call__(self, crop: Float32Array) -> list[Float32Array]:
        points = np.full((1, 63), 112, np.float32)
        return [points, np.array([[self.presence]]), np.array([[self.side]]), np.zeros((1, 63), np.float32)]


def test_what_looks_like_a_left_hand_in_a_mirror_is_a_right_one() -> None:
    hand = HandLandmarks(HandAnswer())(PICTURE, Region(120, 80, 50, 1.0))  # type: ignore[arg-type]
    assert hand is not None
    assert hand.left == pytest.approx(0.9)
    np.testing.assert_allclose(hand.points, np.tile([120, 80], (21, 1)), atol=1e-6)
    assert HandLandmarks(HandAnswer(presence=0.4))(PICTURE, Region(120, 80, 50)) is None  # type: ignore[arg-type]


def test_the_recrop_turns_by_two_points_of_which_the_second_is_below() -> None:
    answer = np.array([[[[128, 128, 128, 192]]]], np.float32)  # the middle, and a quarter of the crop below it
    recrop = Recrop(lambda crop: [answer])  # type: ignore[arg-type]
    region = recrop(PICTURE, Region(100, 100, 80))
    assert region.angle == pytest.approx(0)
    assert region.size == pytest.approx(40)
    assert (region.x, region.y) == pytest.approx((100, 96))
