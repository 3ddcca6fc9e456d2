"""Who is followed."""

import numpy as np
import pytest

from ictus.errors import UsageError
from ictus.pose import Follower

SMALL, LARGE, MIDDLE = (0, 0, 10, 20), (100, 0, 160, 90), (60, 0, 80, 40)
BOXES = np.array([LARGE, SMALL, MIDDLE], float)


@pytest.mark.parametrize(
    ("person", "chosen"), [("largest", 0), ("left", 1), ("right", 0), ("1", 1), ("2", 2), ("3", 0), ("4", None)]
)
def test_one_is_chosen(person: str, chosen: int | None) -> None:
    assert Follower(person)(BOXES) == chosen


def test_whoever_is_chosen_is_followed_although_another_grows_larger() -> None:
    follow = Follower("largest")
    for step in range(20):
        mine = np.array([100 - 4 * step, 0, 160 - 4 * step, 90], float)
        other = np.array([300, 0, 320 + 8 * step, 90], float)
        boxes = np.stack((other, mine))
        assert follow(boxes) == 1


def test_two_who_pass_each_other_are_not_confused() -> None:
    """The larger one overlaps the followed one for a while, but less than the followed one itself does."""
    follow = Follower("left")
    for step in range(40):
        mine = np.array([5 * step, 0, 5 * step + 40, 90], float)
        other = np.array([195 - 5 * step, 10, 195 - 5 * step + 60, 100], float)
        assert follow(np.stack((other, mine))) == 1


def test_nobody_else_is_taken_for_a_while_and_then_somebody_is() -> None:
    follow = Follower()
    assert follow(BOXES) == 0
    answers = [follow(BOXES[1:]) for _ in range(40)]
    assert answers[:30] == [None] * 30
    assert 1 in answers


def test_a_cut_chooses_anew() -> None:
    follow = Follower()
    follow(BOXES)
    follow.forget()
    assert follow(BOXES[1:]) == 1


def test_no_boxes_are_nobody() -> None:
    assert Follower()(np.zeros((0, 4))) is None


@pytest.mark.parametrize("person", ["tallest", "0", "-1", "", "1.5"])
def test_a_person_who_cannot_be_meant(person: str) -> None:
    with pytest.raises(UsageError, match="choose largest, left, right or a number from 1 on"):
        Follower(person)
