"""The engine with its networks, on pictures of our own figure and on films of real players."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ictus.pose import Follower, Person, Picture, PoseEstimator
from ictus.pose.blaze import SHAPES, Blaze
from ictus.pose.landmarks import region_of
from ictus.pose.networks import FILES, Networks
from ictus.types import AnyArray
from ictus.video_io import probe, video_frames

SHOULDERS = [11, 12]


@pytest.fixture(scope="module")
def engine(fetched: Networks) -> Blaze:
    return Blaze(fetched)


def film(shared_data: Path, name: str, count: int) -> tuple[list[AnyArray], dict[str, AnyArray]]:
    (answers,) = (shared_data / "pose").glob(f"{name}_*.npz")
    probed = probe(shared_data / "specvqgan_clips" / f"{answers.stem}.mp4", silent=True)
    frames = video_frames(probed, probed.rate, end=count / probed.rate)
    with np.load(answers) as held:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames], dict(held)


def pictures(given: list[AnyArray]) -> list[Picture]:
    return [Picture(pixels, number / 30) for number, pixels in enumerate(given)]


def test_every_network_has_shapes() -> None:
    assert SHAPES.keys() == FILES.keys()


def test_nobody_in_black_and_in_noise(engine: Blaze) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3, 120, 160, 3), np.uint8)
    given = [np.zeros((120, 160, 3), np.uint8), *noise]
    assert list(engine(pictures(given), Follower())) == [None] * 4


def test_bodies_are_where_mediapipe_has_them(engine: Blaze, shared_data: Path) -> None:
    """In single pictures, of the film in which its own detector is surest."""
    given, theirs = film(shared_data, "drumkit", 100)
    away = []
    for frame, answer in zip(theirs["static_frames"], theirs["static_pose"], strict=True):
        found = engine.body.detector(given[frame])
        body = engine.body.landmarks(given[frame], region_of(found.points[0][:2]))
        assert body is not None
        points = answer[:, :2] * theirs["size"]
        width = np.linalg.norm(np.subtract(*points[SHOULDERS]))
        away.append(np.linalg.norm(body.points - points, axis=1) / width)
    assert np.median(away) < 0.01


def test_hands_are_where_mediapipe_has_them_and_on_their_side(engine: Blaze, shared_data: Path) -> None:
    given, theirs = film(shared_data, "cello", 40)
    people = list(engine(pictures(given), Follower()))
    left, right = (engine.skeleton.index(f"{side}_hand_wrist") for side in ("left", "right"))
    away = []
    for person, answer in zip(people, theirs["holistic_left"], strict=False):
        assert isinstance(person, Person)
        assert person.confidence[right] == 0  # it is beside the picture
        points = answer[:, :2] * theirs["size"]
        away.append(np.linalg.norm(person.points[left : left + 21] - points, axis=1) / np.ptp(points, axis=0).max())
    assert np.nanmedian(away) < 0.03


def test_hands_alone_are_told_apart_by_what_they_look_like(engine: Blaze, shared_data: Path) -> None:
    """In this film's first pictures no body is found; the player's right hand is to the left of the left one."""
    given, _ = film(shared_data, "bongo", 6)
    (person, *_) = engine(pictures(given), Follower())
    assert isinstance(person, Person)
    left, right = (engine.skeleton.index(f"{side}_hand_wrist") for side in ("left", "right"))
    assert not person.confidence[:33].any()
    assert person.confidence[left] > 0.5
    assert person.confidence[right] > 0.5
    assert person.points[left, 0] > person.points[right, 0] + 100


def test_the_metres_are_those_of_a_person(engine: Blaze, shared_data: Path) -> None:
    given, _ = film(shared_data, "drumkit", 3)
    (person, *_) = engine(pictures(given), Follower())
    assert person is not None
    assert person.world is not None
    at = {name: person.world[engine.skeleton.index(name)] for name in engine.skeleton.joints}
    assert 0.25 < np.linalg.norm(at["left_shoulder"] - at["right_shoulder"]) < 0.45
    assert at["left_shoulder"][1] > 0.3  # metres above the hips
    assert at["left_shoulder"][0] > at["right_shoulder"][0]  # who faces the camera has the left on its right
    assert at["nose"][2] > at["left_ear"][2]  # and the nose nearer to it
    np.testing.assert_allclose(at["left_hand_wrist"], at["left_wrist"], atol=1e-6)


def test_pictures_are_taken_one_after_another(engine: Blaze) -> None:
    """A film is never in memory as a whole."""
    asked = []

    def endless() -> Iterator[Picture]:
        for number in range(50):
            asked.append(number)
            yield Picture(np.zeros((48, 64, 3), np.uint8), number / 30)

    answers = engine(endless(), Follower())
    next(answers)
    assert len(asked) < 10
    answers.close()  # type: ignore[attr-defined]


def test_it_is_an_engine(engine: Blaze) -> None:
    estimator: PoseEstimator = engine
    assert estimator.skeleton.name == "blaze-75"
