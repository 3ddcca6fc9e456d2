"""Grooves: a beat of a dance, over and over, as a network without memory of its own dance can learn it.

What Dance with Melody's network knows is the sound of each beat, and where in song and beat it stands. Of dances whose
phrases follow each other in any order it can learn the mean only. Here these three decide: the place in the song which
genre is danced, the loudness of each beat how large the movement is, and the place in the beat the pose.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.metrics.beats import beat_alignment
from ictus.dance.motion_matching import PlacedPhrase, assemble
from ictus.dance.phrases import Phrase, clips_by_genre, cut_phrases
from ictus.dance.quaternions import RATE, joint_positions, normalise
from ictus.errors import MotionError
from ictus.types import Float64Array

_SECTION = 8.0  # seconds of music to which one genre is danced
_LOUDER = (
    0.55,
    0.8,
)  # loudness, 0 to 1, from which the movement is larger: a quarter of all beats, and the loudest third
_SIZES = (0.6, 0.8, 1.0)  # of the movement
_TEMPI = (80, 100, 120)  # beats a minute at which a groove must mark its beats
_MARKED = 0.75  # BeatAlign that is enough


def find_grooves(clips: Sequence[MotionClip]) -> list[Phrase]:
    """Return the phrase of one beat of each genre that marks the beat best when it is repeated, genres in their order.

    Raises
    ------
    MotionError
        If none is lively and marks the beat well.
    """
    grooves = []
    for _, some in sorted(clips_by_genre(clips).items()):
        marks = [(_alignment(phrase), phrase) for phrase in cut_phrases(some, 1)]
        value, phrase = max(marks, key=lambda mark: mark[0], default=(0.0, None))
        if phrase is not None and value >= _MARKED:
            grooves.append(phrase)
    if not grooves:
        raise MotionError("none of these dances has a lively beat that marks the music's when it is repeated")
    return grooves


def plan_groove(grooves: Sequence[Phrase], beats: Float64Array, loudness: Float64Array) -> list[PlacedPhrase]:
    """Dance one groove for eight seconds, then the next; large where the music is loud.

    Parameters
    ----------
    beats, loudness : (N,) seconds of the music's beats, and 0 to 1 at each.
    """
    sized = [[_sized(phrase, size) for size in _SIZES] for phrase in grooves]
    sections, sizes = (beats // _SECTION).astype(int) % len(grooves), np.digitize(loudness, _LOUDER)
    return [PlacedPhrase(sized[sections[k]][sizes[k]], float(k), 1.0) for k in range(len(beats) - 1)]


def _alignment(phrase: Phrase) -> float:
    """Return BeatAlign of the phrase, repeated for ten seconds: the mean of some tempi."""
    values = []
    for tempo in _TEMPI:
        beats = np.arange(0.5, 12, 60 / tempo)
        plan = [PlacedPhrase(phrase, float(start), 1.0) for start in range(len(beats) - 1)]
        points = joint_positions(*assemble(plan, beats, 10 * RATE))
        values.append(beat_alignment(points, beats[beats < 10]))
    return float(np.mean(values))


def _sized(phrase: Phrase, size: float) -> Phrase:
    """Return the phrase with its movement about its mean pose made larger or smaller."""
    clip = phrase.clip
    quaternions, root = clip.at(phrase.first + np.linspace(0, 1, 30))
    pose, place = normalise(quaternions.mean(0)), root.mean(0)
    turned = normalise(pose * (1 - size) + clip.quaternions * size)
    return replace(phrase, clip=replace(clip, quaternions=turned, root=place + size * (clip.root - place)))
