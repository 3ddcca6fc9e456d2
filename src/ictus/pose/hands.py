"""Hands: where the body's landmarks say that they are, where a palm detector says so, and their 21 points.

Constants: MediaPipe's graphs of holistic_landmark, hand_landmark and palm_detection.
Source: Zhang et al., "MediaPipe Hands: On-device Real-time Hand Tracking", 2020; Grishchenko & Bazarevsky, "MediaPipe
Holistic", 2020.
"""

from dataclasses import dataclass
from math import degrees

import numpy as np

from ictus.pose.network import Network
from ictus.pose.region import DOWN, Region, about, wrapped
from ictus.types import AnyArray, Float64Array, FloatArray

POINTS = 21
WRIST = 0
_PIXELS, _RECROP_PIXELS = 224, 256
_FOUND = 0.5  # the presence from which on there is a hand
_FROM_BODY, _FROM_PALM, _FROM_HAND = (2.7, -0.1), (2.6, -0.5), (2.0, -0.1)  # scale and shift of regions
_PALM = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]  # the points that place the next picture's region
_KNUCKLES = ((5, 13), 9)  # index and ring, whose middle counts as much as the middle finger's
_MOST_TURN, _MOST_SHIFT, _MOST_GROWTH = 40.0, 0.2, 0.4  # degrees, and shares of the size, to a region from the body
_INNER = 0.05  # share of such a region's size, by which a hand's points must lie inside


@dataclass(frozen=True)
class Hand:
    """A hand in a picture.

    Attributes
    ----------
    points : (21, 2) pixels, y down; the wrist, then each finger from base to tip.
    presence : in [0, 1].
    left : the share in which it looks like a left hand.
    world : (21, 3) metres about the hand's middle; axes as of `Body.world`.
    region : where it was found.
    """

    points: Float64Array
    presence: float
    left: float
    world: Float64Array
    region: Region

    @property
    def size(self) -> float:
        """Pixels of a side of the square about the palm."""
        return self.region.size / _FROM_HAND[0]


class HandLandmarks:
    """The network of hand landmarks: (picture, region) -> Hand, or None where there is none."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __call__(self, picture: AnyArray, region: Region) -> Hand | None:
        """Find the hand in a region of a picture (H, W, 3) uint8 RGB."""
        raw, presence, side, world = self.network(region.crop(picture, _PIXELS))
        if presence[0, 0] < _FOUND:
            return None
        points = region.outside(raw.reshape(POINTS, 3).astype(np.float64) / _PIXELS)
        metres = region.turned(world.reshape(POINTS, 3).astype(np.float64))
        # The network takes every picture for one in a mirror, and says how likely this is a left hand there: of a
        # picture that is none, how likely it is a right one.
        return Hand(points, float(presence[0, 0]), 1 - float(side[0, 0]), metres, region)


class Recrop:
    """The network that places a hand's region more exactly than the body does: (picture, region) -> region."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __call__(self, picture: AnyArray, region: Region) -> Region:
        """Find the hand's region in the one that the body gives."""
        (raw,) = self.network(region.crop(picture, _RECROP_PIXELS))
        start, end = region.outside(raw.reshape(2, 2).astype(np.float64) / _RECROP_PIXELS)
        return Region.between(start, end, DOWN).scaled(1.0, -0.1)


def region_from_body(wrist: FloatArray, index: FloatArray, pinky: FloatArray) -> Region:
    """Return where a hand is, roughly, from three points (2,) of the body's landmarks."""
    middle = (2 * index + pinky) / 3
    upright = Region.between(wrist, middle)
    return Region(float(middle[0]), float(middle[1]), upright.size, upright.angle).scaled(*_FROM_BODY)


def region_from_palm(box: FloatArray, points: FloatArray) -> Region:
    """Return where a hand is from a palm's box (4,) and key points (7, 2), of which 0 is the wrist and 2 a knuckle."""
    x, y = (box[:2] + box[2:]) / 2
    size = float((box[2:] - box[:2]).max())
    return Region(float(x), float(y), size, Region.between(points[0], points[2]).angle).scaled(*_FROM_PALM)


def region_from_hand(points: FloatArray) -> Region:
    """Return where a hand will be in the next picture, from its points (21, 2)."""
    (index, ring), middle = _KNUCKLES
    knuckles = ((points[index] + points[ring]) / 2 + points[middle]) / 2
    return about(points[_PALM], points[WRIST], knuckles).scaled(*_FROM_HAND)


def still_there(before: Hand, region: Region, recropped: Region) -> bool:
    """Return whether a hand's own region is to be trusted beside the one that the body now gives."""
    points = recropped.inside(before.points)
    shift = np.abs(recropped.inside(np.array([[region.x, region.y]])) - 0.5).max()
    turn = abs(degrees(wrapped(region.angle - recropped.angle)))
    growth = abs(region.size - recropped.size) / recropped.size
    inside = bool((points > _INNER).all() and (points < 1 - _INNER).all())
    return inside and turn <= _MOST_TURN and shift <= _MOST_SHIFT and growth <= _MOST_GROWTH
