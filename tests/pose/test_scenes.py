"""Cuts of a film."""

import itertools
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
    found, shown = SceneCuts(), list(pictures)
    return [number for number, picture in enumerate(shown) if found(picture, *shown[number + 1 : number + 2])]


def noisy(picture: AnyArray) -> AnyArray:
    return np.clip(picture + RNG.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)


def test_a_cut_is_found_where_it_is() -> None:
    assert cuts(noisy(room(1 + (number >= 30))) for number in range(60)) == [30]


def test_a_moving_person_and_a_moving_camera_are_none() -> None:
    assert cuts(walking(60)) == []
    wide = cv2.resize(room(3), (1200, 90))
    assert cuts(wide[:, 12 * t : 12 * t + 160] for t in range(80)) == []


def test_a_camera_that_is_torn_round_all_the_time_is_none() -> None:
    """Each picture differs from the last by more than some cuts do."""
    wide = cv2.resize(room(3), (4000, 90))
    shaken = [wide[:, 1500 + (40 * t * t) % 900 :][:, :160] for t in range(80)]
    steps = [float(np.abs(a.astype(float) - b).mean()) / 255 for a, b in itertools.pairwise(shaken)]
    assert np.median(steps) > 0.08
    assert len(cuts(shaken)) <= 2


def test_a_flash_is_none() -> None:
    shown = [noisy(room(1)) for _ in range(30)]
    shown[12] = np.full((90, 160, 3), 255, np.uint8)
    assert cuts(shown) == []


def test_light_that_fades_is_none() -> None:
    assert cuts((room(4) * (1 - t / 60)).astype(np.uint8) for t in range(50)) == []


def test_the_first_picture_is_none() -> None:
    assert cuts([room(5)]) == []
