"""Where a body is, picture after picture: near where it was, or where the detector sees it."""

import numpy as np

from ictus.pose.detector import Detector
from ictus.pose.estimator import Picture
from ictus.pose.following import Follower
from ictus.pose.landmarks import Body, BodyLandmarks, region_of
from ictus.pose.region import Region
from ictus.pose.smoothing import OneEuro, Smoothness

_HELD = 15  # pictures in which somebody who is lost is still looked for at the same place, too
_REGION = Smoothness(0.01, 10.0)  # of the points that place the next region


class BodyFinder:
    """Finds the body of the person who is followed: (picture, follower) -> Body, or None."""

    def __init__(self, detector: Detector, landmarks: BodyLandmarks) -> None:
        self.detector, self.landmarks = detector, landmarks
        self._filter = OneEuro(_REGION)
        self._region: Region | None = None
        self._missed = 0

    def forget(self) -> None:
        """Look everywhere again."""
        self._region, self._missed = None, 0
        self._filter.forget()

    def __call__(self, picture: Picture, follow: Follower) -> Body | None:
        """Find the body in the next picture."""
        if picture.new_scene:
            self.forget()
            follow.forget()
        body = None if self._region is None else self.landmarks(picture.pixels, self._region)
        if body is None:
            self._filter.forget()
            body = self._detected(picture, follow)
        if body is None:
            self._missed += 1
            if self._missed > _HELD:
                self.forget()
            return None
        self._missed = 0
        self._region = region_of(self._filter(body.following, picture.time, body.region.size))
        follow.at(self._region.box)
        return body

    def _detected(self, picture: Picture, follow: Follower) -> Body | None:
        found = self.detector(picture.pixels)
        regions = [region_of(points[:2]) for points in found.points]
        chosen = follow(np.array([region.box for region in regions]))
        return None if chosen is None else self.landmarks(picture.pixels, regions[chosen])
