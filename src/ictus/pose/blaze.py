"""The engine "blaze": BlazePose and the hand networks of MediaPipe, in NumPy, OpenCV and LiteRT.

    picture -> person detector, where nobody is followed -> body landmarks
            -> each hand: the body's landmarks and a recrop network, or where it was, or a palm detector -> landmarks

The body in one picture is found while the hands in those before it are.
Source: Grishchenko & Bazarevsky, "MediaPipe Holistic", 2020; its constants are in the parts.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from ictus.pose import landmarks
from ictus.pose.body_finder import BodyFinder
from ictus.pose.detector import PALMS, PEOPLE, Detector
from ictus.pose.estimator import Person, Picture
from ictus.pose.following import Follower
from ictus.pose.hand_finder import HandFinder, told_apart
from ictus.pose.hands import WRIST, Hand, HandLandmarks, Recrop
from ictus.pose.landmarks import Body, BodyLandmarks
from ictus.pose.network import Network
from ictus.pose.networks import Networks
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

SIDES = ("left", "right")
_AHEAD = 3  # pictures by which the body is ahead of the hands
_UP = np.array([1.0, -1.0, -1.0])  # from the networks' axes to ours: y up, z towards the camera


class Blaze:
    """The engine; see `ictus.pose.estimator.PoseEstimator`.

    Parameters
    ----------
    networks : of `ictus.pose.networks`; without those of hands, only the body is found.

    Raises
    ------
    IctusError
        If LiteRT is not installed.
    ModelError
        If a network is damaged or another.
    """

    skeleton = get_skeleton("blaze-75")

    def __init__(self, networks: Networks) -> None:
        def network(name: str) -> Network:
            return Network(networks.files[name], f"{networks.source}: {name}", SHAPES[name])

        there = networks.files
        self.body = BodyFinder(Detector(network("pose_detection"), PEOPLE), BodyLandmarks(network("pose_landmark")))
        self.hands: list[HandFinder] = []
        for side in SIDES if "hand_landmark" in there else ():
            # Each with networks of its own, for both run at the same time.
            recrop = Recrop(network("hand_recrop")) if "hand_recrop" in there else None
            palms = Detector(network("palm_detection"), PALMS) if "palm_detection" in there else None
            self.hands.append(HandFinder(side, HandLandmarks(network("hand_landmark")), recrop, palms))

    def __call__(self, pictures: Iterable[Picture], follow: Follower) -> Iterator[Person | None]:
        """Yield one answer for each picture."""
        self.body.forget()
        for hand in self.hands:
            hand.forget()
        jobs: deque[tuple[Body | None, list[Future[Hand | None]]]] = deque()
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
            for picture in pictures:
                body = self.body(picture, follow)
                workers = zip((one, other), self.hands, strict=False)
                jobs.append((body, [worker.submit(hand, picture, body) for worker, hand in workers]))
                if len(jobs) > _AHEAD:
                    yield _person(*jobs.popleft())
            while jobs:
                yield _person(*jobs.popleft())


SHAPES: dict[str, tuple[tuple[int, ...], ...]] = {  # of each network's input, and of its outputs
    "pose_detection": ((1, 224, 224, 3), (1, 2254, 12), (1, 2254, 1)),
    "pose_landmark": ((1, 256, 256, 3), (1, 195), (1, 1), (1, 256, 256, 1), (1, 64, 64, 39), (1, 117)),
    "hand_landmark": ((1, 224, 224, 3), (1, 63), (1, 1), (1, 1), (1, 63)),
    "hand_recrop": ((1, 256, 256, 3), (1, 1, 1, 4)),
    "palm_detection": ((1, 192, 192, 3), (1, 2016, 18), (1, 2016, 1)),
}


def _person(body: Body | None, hands: list[Future[Hand | None]]) -> Person | None:
    """Put body and hands together, in the order of blaze-75."""
    found = told_apart(body, [hand.result() for hand in hands])
    if body is None and not any(found):
        return None
    count = len(Blaze.skeleton)
    points, confidence, world = np.zeros((count, 2)), np.zeros(count), np.zeros((count, 3))
    if body is not None:
        points[: landmarks.POINTS], confidence[: landmarks.POINTS] = body.points, body.visibility
        world[: landmarks.POINTS] = body.world
    for side, hand in zip(SIDES, found, strict=False):
        start = Blaze.skeleton.index(f"{side}_hand_wrist")
        end, wrist = start + 21, Blaze.skeleton.index(f"{side}_wrist")
        points[start:end], world[start:end] = points[wrist], world[wrist]
        if hand is not None:
            points[start:end], confidence[start:end] = hand.points, hand.presence
            world[start:end] += hand.world - hand.world[WRIST]
    metres: Float64Array = world * _UP
    return Person(points, confidence, metres)
