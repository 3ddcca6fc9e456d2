"""Where a hand of a body is, picture after picture: by the body, by where it was, or by a palm detector."""

from collections.abc import Sequence

import numpy as np

from ictus.pose.detector import Detector
from ictus.pose.estimator import Picture
from ictus.pose.hands import (
    WRIST,
    Hand,
    HandLandmarks,
    Recrop,
    region_from_body,
    region_from_hand,
    region_from_palm,
    still_there,
)
from ictus.pose.landmarks import Body
from ictus.pose.region import Region
from ictus.types import AnyArray

_BODY = {"left": (15, 19, 17), "right": (16, 20, 18)}  # wrist, index and pinky among the body's points
_WRIST_SEEN = 0.1  # the visibility from which on a hand is looked for
_PALMS_EVERY = 5  # pictures from one look for palms to the next, while a hand is not found
_ABOUT = 2.0  # sides of the region that the body gives, in which palms are looked for
_FAR = 1.0  # of those sides: a hand whose wrist is farther from the body's is another's
_SAME = 0.25  # mean distance of two hands' points, by their size, below which they are one


class HandFinder:
    """Finds the hand of one side: (picture, body) -> Hand, or None.

    Parameters
    ----------
    side : "left" or "right".
    recrop, palms : may be missing.
    """

    def __init__(self, side: str, landmarks: HandLandmarks, recrop: Recrop | None, palms: Detector | None) -> None:
        self.side, self.landmarks, self.recrop, self.palms = side, landmarks, recrop, palms
        self.forget()

    def forget(self) -> None:
        """Take no notice of what was before."""
        self._before: Hand | None = None
        self._missed = 0
        self._body_seen = False

    def __call__(self, picture: Picture, body: Body | None) -> Hand | None:
        """Find the hand in the next picture."""
        if picture.new_scene:
            self.forget()
        self._body_seen |= body is not None
        hand = self._alone(picture.pixels) if body is None else self._of(picture.pixels, body)
        self._missed = 0 if hand else self._missed + 1
        self._before = hand
        return hand

    def _of(self, pixels: AnyArray, body: Body) -> Hand | None:
        """Find the hand of a body."""
        wrist, index, pinky = _BODY[self.side]
        if body.visibility[wrist] <= _WRIST_SEEN:
            return None
        rough = region_from_body(*(body.points[point] for point in (wrist, index, pinky)))
        if not rough.size > 1:  # pixels
            return None
        hand = self._followed(pixels, rough)
        if hand is None and self._missed % _PALMS_EVERY == 0:
            hand = self._by_palm(pixels, rough)
        return hand

    def _alone(self, pixels: AnyArray) -> Hand | None:
        """Find the hand where it was; or, as long as the scene shows no body, one that looks like this side's."""
        if self._before is not None:
            return self.landmarks(pixels, region_from_hand(self._before.points))
        if self._body_seen or self.palms is None or self._missed % _PALMS_EVERY:
            return None
        found = self.palms(pixels)
        regions = [region_from_palm(*one) for one in zip(found.boxes[:2], found.points[:2], strict=True)]
        hands = [hand for region in regions if (hand := self.landmarks(pixels, region))]
        return next((hand for hand in hands if (hand.left > 0.5) == (self.side == "left")), None)

    def _followed(self, pixels: AnyArray, rough: Region) -> Hand | None:
        recropped = rough if self.recrop is None else self.recrop(pixels, rough)
        if self._before is not None:
            region = region_from_hand(self._before.points)
            if still_there(self._before, region, recropped) and (hand := self.landmarks(pixels, region)):
                return hand
        return self.landmarks(pixels, recropped)

    def _by_palm(self, pixels: AnyArray, rough: Region) -> Hand | None:
        """Find the palm nearest to where the body says that the hand is."""
        if self.palms is None:
            return None
        found = self.palms(pixels, Region(rough.x, rough.y, _ABOUT * rough.size))
        if not len(found):
            return None
        away = np.linalg.norm(found.points[:, WRIST] - (rough.x, rough.y), axis=1)
        nearest = int(away.argmin())
        if away[nearest] > _FAR * rough.size:
            return None
        return self.landmarks(pixels, region_from_palm(found.boxes[nearest], found.points[nearest]))


def told_apart(body: Body | None, hands: Sequence[Hand | None]) -> list[Hand | None]:
    """Return the left and the right hand, but one that was found twice only on the side to which it belongs.

    That is the side whose wrist of the body is nearer, by so much that it counts; else the one that it looks like.
    """
    left, right = (*hands, None, None)[:2]
    if left is None or right is None:
        return list(hands)
    size = max(left.size, right.size)
    if np.linalg.norm(left.points - right.points, axis=1).mean() > _SAME * size:
        return list(hands)
    middle, away = (left.points[WRIST] + right.points[WRIST]) / 2, [0.0, 0.0]
    if body is not None:
        away = [float(np.linalg.norm(body.points[_BODY[side][0]] - middle)) for side in ("left", "right")]
    clear = abs(away[0] - away[1]) > size / 2
    is_left = away[0] < away[1] if clear else left.left + right.left > 1
    return [left, None] if is_left else [None, right]
