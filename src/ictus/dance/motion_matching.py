"""Motion matching: phrases of real dances, placed on the beats of any music.

A few seconds of real dance become hours of it. A clip is cut at its own beats into phrases; phrases follow each other
on the beats of the music, at its tempo, as they did in the clip, or, where the clip ends, whichever costs least: its
first pose is near, it leads back to the middle of the stage, it is as lively as the music is loud, and it was not just
danced.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.quaternions import RATE, inertialise, joint_positions
from ictus.errors import MotionError
from ictus.types import Float64Array, IntArray

_BLEND = 0.5  # seconds in which a new phrase takes over from the one before, at most a beat
_TEMPI = (0.5, 1.0, 2.0)  # beats of dance in one of music
_FASTER = 0.5  # how much worse than a slower dance one is that is faster than it was
_LIVELY = 0.18  # m/s, mean speed of the joints: what moves less is no dance to learn from

# What a phrase costs that comes next: the distance of its first pose (a metre, mean of the joints), how far from the
# middle of the stage it ends (a metre), how much livelier or calmer than the music it is (0 to 1), that it was just
# danced, that it does not continue the clip; and the scale of the random number that is added.
_POSE, _OFF_CENTRE, _LIVELINESS, _REPEATED, _ELSEWHERE, _RANDOM = 3.0, 0.5, 1.0, 1.0, 0.6, 0.4


@dataclass(frozen=True)
class Phrase:
    """Some beats of a clip.

    Attributes
    ----------
    first, beats : its first beat in the clip, and how many.
    speed : m/s, mean of the joints over the phrase.
    first_pose, last_pose : (24, 3) metres, relative to the root's place on the floor.
    displacement : (2,) metres along the floor, from the first pose to the last.
    """

    clip: MotionClip
    first: int
    beats: int
    speed: float
    first_pose: Float64Array
    last_pose: Float64Array
    displacement: Float64Array

    def follows(self, other: "Phrase") -> bool:
        """Whether it comes next in the same clip."""
        return self.clip is other.clip and self.first == other.first + other.beats


@dataclass(frozen=True)
class PlacedPhrase:
    """A phrase on the music: from its `start`-th beat on, at `tempo` beats of the phrase in one of the music."""

    phrase: Phrase
    start: float
    tempo: float

    @property
    def end(self) -> float:
        """The beat of the music at which it is over."""
        return self.start + self.phrase.beats / self.tempo


def cut_phrases(clips: Sequence[MotionClip], beats: int) -> list[Phrase]:
    """Cut clips into phrases of so many beats, and again half a phrase later; those that hardly move are left out."""
    found = []
    for clip in clips:
        for first in range(0, clip.beats - beats + 1, max(1, beats // 2)):
            quaternions, root = clip.at(first + np.arange(0, beats + 1e-9, clip.tempo / 60 / RATE))
            positions = joint_positions(quaternions, root)
            speed = float(np.linalg.norm(np.diff(positions, axis=0), axis=-1).mean() * RATE)
            ends = [positions[k] - root[k] * (1, 0, 1) for k in (0, -1)]
            displacement = (root[-1] - root[0])[[0, 2]]
            found.append(Phrase(clip, first, beats, speed, ends[0], ends[1], displacement))
    return [phrase for phrase in found if phrase.speed >= _LIVELY]


def danceable_genres(clips: Sequence[MotionClip]) -> list[str]:
    """Return the genres with phrases for any metre."""
    by_genre = clips_by_genre(clips)
    return sorted(genre for genre, some in by_genre.items() if cut_phrases(some, 4) and cut_phrases(some, 3))


def clips_by_genre(clips: Sequence[MotionClip]) -> dict[str, list[MotionClip]]:
    """Return the clips of each genre, in their order."""
    return {genre: [clip for clip in clips if clip.genre == genre] for genre in {clip.genre for clip in clips}}


def plan_phrases(
    clips: Sequence[MotionClip],
    beats: Float64Array,
    bar_positions: IntArray,
    liveliness: Float64Array,
    rng: np.random.Generator,
) -> list[PlacedPhrase]:
    """Choose what is danced, phrase by phrase, from the first downbeat to the last beat.

    Parameters
    ----------
    clips : of one genre.
    beats, bar_positions : (N,) seconds of the beats, and their positions in the bar, from 1.
    liveliness : (N,) 0 to 1, of the music at each beat.

    Raises
    ------
    MotionError
        If no phrase is long and lively enough.
    """
    music_tempo = 60 / float(np.median(np.diff(beats)))
    length = 3 if int(bar_positions.max()) % 3 == 0 else 4
    phrases = cut_phrases([*clips, *(clip.mirrored() for clip in clips)], length)
    if not phrases:
        raise MotionError("none of these dances has a lively phrase")
    rank = np.argsort(np.argsort([phrase.speed for phrase in phrases])) / max(1, len(phrases) - 1)
    first_poses = np.stack([phrase.first_pose for phrase in phrases])
    displacements = np.stack([phrase.displacement for phrase in phrases])
    tempi = np.array([_relative_tempo(phrase.clip.tempo, music_tempo) for phrase in phrases])
    last_used = np.full(len(phrases), -np.inf)  # number of the phrase in the plan
    downbeats = np.flatnonzero(bar_positions == 1)
    beat, place, chosen = float(downbeats[0] if len(downbeats) else 0), np.zeros(2), -1
    plan: list[PlacedPhrase] = []
    while beat < len(beats) - 1:
        wanted = np.interp(beat, np.arange(len(beats)), liveliness)
        cost = _LIVELINESS * np.abs(rank - wanted) + rng.gumbel(0, _RANDOM, len(phrases))
        cost += _REPEATED * np.exp(-(len(plan) - 1 - last_used) / 2)
        ends = place + displacements
        cost += _OFF_CENTRE * np.linalg.norm(ends, axis=1)
        if chosen >= 0:
            cost += _POSE * np.linalg.norm(first_poses - phrases[chosen].last_pose, axis=-1).mean(1)
            cost += _ELSEWHERE * np.array([not phrase.follows(phrases[chosen]) for phrase in phrases])
        chosen = int(cost.argmin())
        last_used[chosen] = len(plan)
        plan.append(PlacedPhrase(phrases[chosen], beat, float(tempi[chosen])))
        beat, place = plan[-1].end, ends[chosen]
    return plan


def assemble(plan: Sequence[PlacedPhrase], beats: Float64Array, frames: int) -> tuple[Float64Array, Float64Array]:
    """Join the phrases of a plan; before the first begins, and after the last is over, the dancer stands.

    Parameters
    ----------
    beats : (N,) seconds of the music's beats.
    frames : of the whole, at 60 fps.

    Returns
    -------
    quaternions : (frames, 24, 4).
    root : (frames, 3) metres, beginning in the middle of the stage.
    """
    period = float(np.median(np.diff(beats)))
    extended = np.append(beats, beats[-1] + period * np.arange(1, 17))  # a last phrase may be longer than the music
    beat = np.interp(np.arange(frames) / RATE, extended, np.arange(len(extended)), left=-1.0)
    quaternions, root = np.empty((frames, 24, 4)), np.empty((frames, 3))
    begin = int(np.searchsorted(beat, plan[0].start))
    quaternions[:begin], root[:begin] = plan[0].phrase.clip.at(np.array([float(plan[0].phrase.first)]))
    for number, placed in enumerate(plan):
        start, stop = np.searchsorted(beat, [placed.start, placed.end]).tolist()
        if number == len(plan) - 1:
            stop = frames
        phrase = placed.phrase
        within = np.minimum((beat[start:stop] - placed.start) * placed.tempo, phrase.beats)
        quaternions[start:stop], root[start:stop] = phrase.clip.at(phrase.first + within)
        if not 1 < start < stop:
            continue
        if number and phrase.follows(plan[number - 1].phrase):
            root[start:stop] += (root[start - 1] - root[start]) * (1, 0, 1)
        else:
            blend = int(min(_BLEND, period / placed.tempo) * RATE)
            quaternions, root = inertialise(quaternions, root, start, blend, stop)
    return quaternions, root - root[0] * (1, 0, 1)


def _relative_tempo(dance: float, music: float) -> float:
    """Return how many beats of a dance go to one of the music, for the tempo to be near the dance's own."""

    def strain(tempo: float) -> float:
        change = float(np.log(music * tempo / dance))
        return abs(change) + _FASTER * max(0.0, change)

    return min(_TEMPI, key=strain)
