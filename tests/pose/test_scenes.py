"""Cuts of a film."""

from collections.abc import Iterable

import cv2
import numpy as np

from ictus.pose.scenes import SceneCuts
from ictus.types import AnyArray
from pose.people_on_film import walking

RNG = np.random.default_rng(0)


def room(seed: int) -> AnyArray:
    """Return a picture (90, 160, 3) with large patches of light and shade."""
    small = np.random.default_rng(seed).integers(0, 255, (5, 8, 3), np.uint8)
    return np.asarray(cv2.resize(small, (160, 90), interpolation=cv2.INTER_CUBIC))


def cuts(pictures: Iterable[AnyArray]) -> list[int]:
    found = SceneCuts()
    return [number for number, picture in enumerate(pictures) if found(picture)]


def noisy(picture: AnyArray) -> AnyArray:
    return np.clip(picture + RNG.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)


def test_a_cut_is_found_where_it_is() -> None:
    assert cuts(noisy(room(1 + (number >= 30))) for number in range(60)) == [30]


def test_a_moving_person_and_a_moving_camera_are_none() -> None:
    assert cuts(walking(60)) == []
    wide = cv2.resize(room(3), (1200, 90))
    assert cuts(wide[:, 12 * t : 12 * t + 160] for t in range(80)) == []


def test_light_that_fades_is_none() -> None:
    assert cuts((room(4) * (1 - t / 60)).astype(np.uint8) for t in range(50)) == []


def test_the_first_picture_is_none() -> None:
    assert cuts([room(5)]) == []
