"""The camera and the pose estimator behind it: from places in the room to noisy keypoints in pixels."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal
from scipy.special import expit

from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

LOST = 0.2  # confidence up to which a joint is taken for not seen, as in the Solos data
_SIZES = ((640, 360), (854, 480), (1280, 720), (1920, 1080))
_PARENTS = get_skeleton("solos-47").parents or ()


@dataclass(frozen=True)
class PlayerCamera:
    """Where a camera stands and what it shows.

    Attributes
    ----------
    yaw : radians by which it stands to the player's left.
    pitch : radians by which it looks down.
    roll : radians by which it is askew.
    distance : metres from the player's chest.
    width, height : pixels.
    scale : how many pixels a metre has at the chest.
    centre : (2,) pixels, where the chest is.
    """

    yaw: float
    pitch: float
    roll: float
    distance: float
    width: int
    height: int
    scale: float
    centre: Float64Array

    @classmethod
    def random(cls, rng: np.random.Generator, turned: float = 0.0) -> "PlayerCamera":
        """Draw a camera such as people film themselves with: the upper body fills much of the picture.

        Parameters
        ----------
        turned : radians by which such players usually turn to their left.
        """
        width, height = _SIZES[int(rng.choice(len(_SIZES), p=[0.15, 0.2, 0.45, 0.2]))]
        return cls(
            yaw=float(np.clip(rng.normal(-turned, np.radians(18)), -0.8, 0.8)),
            pitch=float(rng.normal(np.radians(4), np.radians(5))),
            roll=float(rng.normal(0, np.radians(1.5))),
            distance=float(rng.uniform(1.6, 4.0)),
            width=width,
            height=height,
            scale=height * float(np.exp(rng.uniform(np.log(0.50), np.log(1.20)))),
            centre=np.array([width * rng.normal(0.5, 0.06), height * rng.normal(0.48, 0.05)]),
        )

    def project(self, points: Float64Array) -> Float64Array:
        """Return (..., 2) pixels, x to the right and y down, of places (..., 3) in metres from the neck at rest."""
        chest = points - np.array([0.0, -0.12, 0.1])
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        x = cos * chest[..., 0] - sin * chest[..., 2]
        ahead = sin * chest[..., 0] + cos * chest[..., 2]
        y = np.cos(self.pitch) * chest[..., 1] - np.sin(self.pitch) * ahead
        ahead = np.sin(self.pitch) * chest[..., 1] + np.cos(self.pitch) * ahead
        grown = self.scale * self.distance / np.maximum(self.distance - ahead, 0.4)
        x, y = np.cos(self.roll) * x - np.sin(self.roll) * y, np.sin(self.roll) * x + np.cos(self.roll) * y
        return np.stack([self.centre[0] + grown * x, self.centre[1] - grown * y], axis=-1)


def simulate_pose_estimator(pixels: Float64Array, rng: np.random.Generator, fps: float) -> Float64Array:
    """Return keypoints as a pose estimator gives them: jitter, and joints that it does not see for a while.

    Joints whose confidence is at most `LOST` are filled in as in the Solos data: their place beside their parent runs
    straight from where they were seen last to where they are seen next.

    Parameters
    ----------
    pixels : (T, 47, 2) where the joints are.

    Returns
    -------
    (T, 47, 3) x and y in pixels, and confidence 0 to 1.
    """
    unit = float(np.median(np.linalg.norm(pixels[:, 1] - pixels[:, 4], axis=-1))) / 2  # half the shoulders' breadth
    unit = max(unit, 0.02 * float(np.ptp(pixels[..., 1])), 1.0)
    confidence = _confidence(pixels / unit, rng, fps)
    rough = 0.004 + 0.030 * (1 - confidence[..., None]) ** 3
    fast, slow = rng.normal(0, 1, (2, *pixels.shape))
    slow = ndimage.gaussian_filter1d(slow, 4.0, axis=0, mode="nearest") * 3.5
    shake = rng.normal(0, 0.0025, (len(pixels), 1, 2))  # all joints together: the picture's own unrest
    noisy = pixels + unit * (rough * (0.7 * fast + 0.7 * slow) + shake)
    return np.concatenate([_filled(noisy, confidence), confidence[..., None]], axis=-1)


def _confidence(places: Float64Array, rng: np.random.Generator, fps: float) -> Float64Array:
    """Return (T, 47): steady for the body; for each hand as the view of it is, and less where it moves fast."""
    frames, joints = places.shape[:2]
    level = np.concatenate([rng.normal(0.5, 0.45, 7), *(rng.normal(0.0, 1.1) + rng.normal(0, 0.45, 20) for _ in "rl")])
    level[[3, 6]] += 0.3
    tip = np.tile([0.25, 0.1, -0.1, -0.3], 10)
    level[7:] += tip
    together = np.concatenate(
        [np.zeros((frames, 7)), *(_slow(frames, 1, 1.5 * fps, rng) * np.ones(20) for _ in "rl")], axis=1
    )
    alone = _slow(frames, joints, 0.45 * fps, rng)
    speed = np.linalg.norm(np.diff(places, axis=0, prepend=places[:1]), axis=-1) * fps
    blurred = ndimage.gaussian_filter1d(np.minimum(speed, 12.0), 1.5, axis=0, mode="nearest")
    hands = np.concatenate([np.full(7, 0.3), np.full(40, 1.0)])
    wish = level + hands * (0.9 * together + 0.55 * alone - 0.13 * blurred) + rng.normal(0, 0.10, (frames, joints))
    confidence = 0.95 * expit(1.1 * wish)
    if rng.uniform() < 0.3:  # now and then the whole figure is lost for a moment
        start = int(rng.integers(frames))
        confidence[start : start + int(rng.integers(1, 5))] = 0.0
    return np.asarray(confidence)


def _slow(frames: int, count: int, width: float, rng: np.random.Generator) -> Float64Array:
    """Return (frames, count) of unit variance that follow each other for about `width` frames."""
    keep = float(np.exp(-1 / width))
    start = rng.normal(0, 1, (1, count))
    noise = np.sqrt(1 - keep**2) * rng.normal(0, 1, (frames, count))
    return np.asarray(signal.lfilter([1.0], [1.0, -keep], noise, axis=0, zi=keep * start)[0])


def _filled(places: Float64Array, confidence: Float64Array) -> Float64Array:
    """Return (T, 47, 2): unseen joints interpolated in time, relative to their parents."""
    filled = places.copy()
    frames = np.arange(len(places))
    for joint, parent in enumerate(_PARENTS):
        relative = places[:, joint] - (places[:, parent] if parent >= 0 else 0.0)
        seen = confidence[:, joint] > LOST
        if seen.any():
            relative = np.stack([np.interp(frames, frames[seen], relative[seen, axis]) for axis in (0, 1)], axis=1)
        else:
            relative = np.broadcast_to(relative.mean(0), relative.shape)
        filled[:, joint] = relative + (filled[:, parent] if parent >= 0 else 0.0)
    return filled
