"""Phrases: some beats of a recorded dance, with what decides whether they go on from others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.metrics.physical import foot_skating
from ictus.dance.quaternions import RATE, heading, joint_positions, turned
from ictus.types import Float64Array

_LIVELY = 0.18  # m/s, mean speed of the joints: what moves less is no dance to learn from


@dataclass(frozen=True)
class Phrase:
    """Some beats of a clip.

    Attributes
    ----------
    first, beats : its first beat in the clip, and how many.
    speed : m/s, mean of the joints.
    sliding : m/s, of the foot that carries the body.
    poses : (2, 24, 3) metres, the first and the last, each turned to the front, its root above the origin.
    headings : radians about the vertical to which these two face.
    displacement : (2,) metres along the floor from the first to the last, if the first faces the front.
    """

    clip: MotionClip
    first: int
    beats: int
    speed: float
    sliding: float
    poses: Float64Array
    headings: tuple[float, float]
    displacement: Float64Array

    @classmethod
    def cut(cls, clip: MotionClip, first: int, beats: int) -> "Phrase":
        """Cut a clip."""
        quaternions, root = clip.at(first + np.arange(0, beats + 1e-9, clip.tempo / 60 / RATE))
        positions = joint_positions(quaternions, root)
        speed = float(np.linalg.norm(np.diff(positions, axis=0), axis=-1).mean() * RATE)
        start, end = heading(quaternions[0, 0]), heading(quaternions[-1, 0])
        ends = ((positions[k] - root[k] * (1, 0, 1), facing) for k, facing in ((0, start), (-1, end)))
        poses = np.stack([turned(pose, -facing) for pose, facing in ends])
        displacement = turned(root[-1] - root[0], -start)[[0, 2]]
        return cls(clip, first, beats, speed, foot_skating(positions).speed, poses, (start, end), displacement)

    def follows(self, other: "Phrase") -> bool:
        """Whether it comes next in the same clip."""
        return self.clip is other.clip and self.first == other.first + other.beats


def cut_phrases(clips: Sequence[MotionClip], beats: int) -> list[Phrase]:
    """Cut clips into phrases of so many beats, and again half a phrase later; those that hardly move are left out."""
    starts = [(clip, first) for clip in clips for first in range(0, clip.beats - beats + 1, max(1, beats // 2))]
    found = [Phrase.cut(clip, first, beats) for clip, first in starts]
    return [phrase for phrase in found if phrase.speed >= _LIVELY]


def danceable_genres(clips: Sequence[MotionClip]) -> list[str]:
    """Return the genres with phrases for any metre."""
    by_genre = clips_by_genre(clips)
    return sorted(genre for genre, some in by_genre.items() if cut_phrases(some, 4) and cut_phrases(some, 3))


def clips_by_genre(clips: Sequence[MotionClip]) -> dict[str, list[MotionClip]]:
    """Return the clips of each genre, in their order."""
    return {genre: [clip for clip in clips if clip.genre == genre] for genre in {clip.genre for clip in clips}}
