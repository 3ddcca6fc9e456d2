"""Grooves: a beat of a dance, over and over, as a network without memory of its own dance can learn it.

What Dance with Melody's network knows is the sound of each beat, and where in song and beat it stands. Of dances whose
phrases follow each other in any order it can learn the mean only. Here these three decide: the place in the song which
genre is danced, the loudness of each beat whether it is danced calmly, and the place in the beat the pose.
"""

from collections.abc import Sequence

import numpy as np

from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.motion_matching import Phrase, PlacedPhrase, clips_by_genre, cut_phrases
from ictus.dance.quaternions import joint_positions
from ictus.errors import MotionError
from ictus.types import Float64Array

_SECTION = 8.0  # seconds of music to which one genre is danced
_LOUD = 0.7  # of the music, 0 to 1: about half of the beats are louder
_FARTHEST = 0.35  # seconds that the dancer, at its mean speed, is from where it began, when the beat is over
_OFF = 0.08  # of a beat: how near to the beat the body must be slowest
_AROUND = 3  # sixtieths of a beat on either side, over which the speed is a mean


def plan_groove(clips: Sequence[MotionClip], beats: Float64Array, liveliness: Float64Array) -> list[PlacedPhrase]:
    """Dance a genre for eight seconds, then the next: its calmest beat, or its liveliest where the music is loud.

    Parameters
    ----------
    clips : of the genres, which follow in alphabetical order.
    beats : (N,) seconds of the music's beats.
    liveliness : (N,) 0 to 1, of the music at each beat.

    Raises
    ------
    MotionError
        If no beat of these clips is lively, returns nearly to where it began and rests on the beat.
    """
    by_genre = [marking_beats(some) for _, some in sorted(clips_by_genre(clips).items())]
    genres = [some for some in by_genre if some]
    if not genres:
        raise MotionError("none of these dances has a lively beat that returns to where it began")
    return [
        PlacedPhrase(genres[int(time // _SECTION) % len(genres)][-1 if loud > _LOUD else 0], float(start), 1.0)
        for start, (time, loud) in enumerate(zip(beats[:-1], liveliness[:-1], strict=True))
    ]


def marking_beats(clips: Sequence[MotionClip]) -> list[Phrase]:
    """Return the phrases of a beat that come back nearly to where they began and pause on the beat, calmest first."""
    found = [phrase for phrase in cut_phrases(clips, 1) if _gap(phrase) < _FARTHEST and _slowest(phrase) < _OFF]
    return sorted(found, key=lambda phrase: phrase.speed)


def _gap(phrase: Phrase) -> float:
    """Return how far the last pose is from the first, in seconds at the mean speed."""
    return float(np.linalg.norm(phrase.last_pose - phrase.first_pose, axis=-1).mean() / phrase.speed)


def _slowest(phrase: Phrase) -> float:
    """Return how far from the beat the body is slowest, in beats, where the phrase is repeated."""
    points = joint_positions(*phrase.clip.at(phrase.first + np.linspace(0, 1, 61)))
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1).mean(1)  # (60,)
    smooth = sum(np.roll(speed, by) for by in range(-_AROUND, _AROUND + 1))
    slowest = (float(np.argmin(smooth)) + 0.5) / len(speed)
    return min(slowest, 1 - slowest)
