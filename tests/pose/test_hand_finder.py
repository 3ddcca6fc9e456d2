"""Which hand is found where, over time; networks are stand-ins."""

import numpy as np

from ictus.pose.detector import Detections
from ictus.pose.estimator import Picture
from ictus.pose.hand_finder import HandFinder, told_apart
from ictus.pose.hands import Hand
from ictus.pose.landmarks import Body
from ictus.pose.region import Region
from ictus.types import AnyArray
from pose.test_hands import hand_at, open_hand

PIXELS = np.zeros((300, 300, 3), np.uint8)


def body(left: tuple[float, float] = (200, 100), right: tuple[float, float] = (60, 100), seen: float = 0.9) -> Body:
    points = np.full((33, 2), 150.0)
    for wrist, index, pinky, place in ((15, 19, 17, left), (16, 20, 18, right)):
        points[wrist] = place
        points[[index, pinky]] = np.add(place, (0, -25))
    return Body(points, np.full(33, seen), np.zeros((33, 3)), points[:2], Region(150, 150, 300))


class Landmarks:
    """Sees a hand wherever one of the given places is near the middle of the region."""

    def __init__(self, *places: tuple[float, float]) -> None:
        self.places, self.asked = list(places), 0

    def __call__(self, pixels: AnyArray, region: Region) -> Hand | None:
        self.asked += 1
        hands = [hand_at(open_hand(*place)) for place in self.places]
        near = [hand for hand in hands if np.hypot(hand.region.x - region.x, hand.region.y - region.y) < 30]
        return near[0] if near else None


class Palms:
    def __init__(self, *places: tuple[float, float]) -> None:
        self.places, self.asked = places, 0

    def __call__(self, pixels: AnyArray, region: Region | None = None) -> Detections:
        self.asked += 1
        points = np.array([[place] * 7 for place in self.places], float).reshape(-1, 7, 2)
        points[:, 2] -= (0, 20)
        boxes = np.concatenate((points[:, 0] - (10, 20), points[:, 0] + (10, 0)), 1)
        return Detections(boxes, points, np.ones(len(points)))


def finder(side: str, landmarks: Landmarks, palms: Palms | None = None) -> HandFinder:
    return HandFinder(side, landmarks, None, palms)  # type: ignore[arg-type]


def picture(time: float = 0.0, new: bool = False) -> Picture:
    return Picture(PIXELS, time, new)


def test_each_side_finds_its_own_hand() -> None:
    landmarks = Landmarks((200, 100), (60, 100))
    for side, x in (("left", 200), ("right", 60)):
        hand = finder(side, landmarks)(picture(), body())
        assert hand is not None
        np.testing.assert_allclose(hand.points[0], [x, 100])


def test_a_hand_that_goes_from_one_side_to_the_other_stays_with_its_wrist() -> None:
    """Hands that cross do not change their sides."""
    left, right = finder("left", Landmarks()), finder("right", Landmarks())
    for step in range(29):
        places = (200 - 5.0 * step, 100.0), (60 + 5.0 * step, 110.0)
        left.landmarks.places = right.landmarks.places = list(places)  # type: ignore[attr-defined]
        hands = [one(picture(step), body(*places)) for one in (left, right)]
        for hand, place in zip(hands, places, strict=True):
            assert hand is not None
            if abs(places[0][0] - places[1][0]) > 30:
                np.testing.assert_allclose(hand.points[0], place)


def test_a_wrist_that_is_not_seen_has_no_hand() -> None:
    landmarks = Landmarks((200, 100))
    assert finder("left", landmarks)(picture(), body(seen=0.05)) is None
    assert finder("left", landmarks)(picture(), None) is None
    assert landmarks.asked == 0


def test_a_hand_is_followed_while_the_body_is_lost() -> None:
    found = finder("left", Landmarks((200, 100)))
    assert found(picture(), body()) is not None
    for step in range(5):
        found.landmarks.places = [(200 + 5 * step, 100)]  # type: ignore[attr-defined]
        hand = found(picture(step), None)
        assert hand is not None
        np.testing.assert_allclose(hand.points[0], [200 + 5 * step, 100])
    assert found(picture(9, new=True), None) is None


def test_hands_without_any_body_are_found_by_what_they_look_like() -> None:
    """The stand-in's hands look like left ones."""
    palms = Palms((200, 100))
    assert finder("left", Landmarks((200, 100)), palms)(picture(), None) is not None
    assert finder("right", Landmarks((200, 100)), palms)(picture(), None) is None


def test_hands_of_others_are_not_taken_when_the_body_is_lost() -> None:
    found = finder("left", Landmarks(), Palms((200, 100)))
    found(picture(), body(seen=0.01))
    found.landmarks.places = [(200, 100)]  # type: ignore[attr-defined]
    assert all(found(picture(step), None) is None for step in range(10))


def test_palms_are_looked_for_now_and_then_where_the_body_misleads() -> None:
    palms = Palms((200, 160))  # the hand is 60 pixels below where the body has it
    found = finder("left", Landmarks((200, 160)), palms)
    assert found(picture(), body()) is not None
    assert palms.asked == 1
    nothing = Palms()
    missing = finder("left", Landmarks(), nothing)
    assert all(missing(picture(number), body()) is None for number in range(10))
    assert nothing.asked == 2


def test_the_palm_of_the_other_hand_is_not_taken() -> None:
    assert finder("left", Landmarks((60, 100)), Palms((60, 100)))(picture(), body()) is None


def test_one_hand_found_twice_goes_to_the_nearer_wrist() -> None:
    hand = hand_at(open_hand(195, 100))
    assert told_apart(body(), [hand, hand]) == [hand, None]
    other = hand_at(open_hand(65, 100))
    assert told_apart(body(), [other, other]) == [None, other]
    assert told_apart(body(), [hand, other]) == [hand, other]


def test_one_hand_between_two_wrists_goes_to_the_side_that_it_looks_like() -> None:
    together = body(left=(150, 100), right=(152, 100))
    hand = hand_at(open_hand(151, 100))
    assert told_apart(together, [hand, hand]) == [hand, None]
    right = Hand(hand.points, 0.9, 0.1, hand.world, hand.region)
    assert told_apart(together, [right, right]) == [None, right]
