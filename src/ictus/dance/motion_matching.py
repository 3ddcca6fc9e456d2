"""Motion matching: phrases of real dances, placed on the bars and beats of any music.

A few seconds of real dance become hours of it. A clip is cut at its own beats into phrases, each as long as a bar of
the music. They follow each other at bar lines: as they did in the clip or, where the clip ends or another section of
the music begins, whichever costs least. A section that sounds like an earlier one is danced like it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ictus.beats.sections import Sections
from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.phrases import Phrase, cut_phrases
from ictus.dance.quaternions import RATE, about_vertical, inertialise, joint_positions, turned
from ictus.errors import MotionError
from ictus.types import Float64Array, IntArray

_SWIFT = 3.0  # m/s, the mean speed at which the joint that is farthest off comes to a new phrase
_BLEND = (0.2, 1.0)  # seconds that it may take at least and at most
_TEMPI = (0.5, 1.0, 2.0)  # beats of dance in one of music
_FASTER = 0.5  # how much worse than a slower dance one is that is faster than it was
_BAR = 3  # beats that a phrase lasts at least: shorter bars are taken together
_GROUP = 4  # bars of a section that belong together

# What a phrase costs that comes next: the distance of its first pose (a metre, mean of the joints), how far from the
# middle of the stage and from the front it ends (a metre; half a turn), how much livelier or calmer than the music it
# is (0 to 1), how much its tempo is changed (e times), how fast its feet slide (m/s), that it was just danced; that it
# does not continue the clip, which costs less where bars that belong together begin, and that it does where a section
# begins.
_POSE, _OFF_CENTRE, _TURNED, _LIVELINESS, _TEMPO, _SLIDING, _REPEATED = 3.0, 0.5, 0.8, 2.5, 1.0, 1.0, 1.0
_ELSEWHERE, _ELSEWHERE_IN_GROUP, _CONTINUED = 0.3, 0.7, 0.6
_STAGE = 1.0  # metres from the middle beyond which it costs more and more
_RANDOM = 0.4  # scale of the random number that is added


@dataclass(frozen=True)
class PlacedPhrase:
    """A phrase on the music.

    Attributes
    ----------
    start : the beat of the music that it begins on.
    tempo : beats of the phrase in one of the music.
    turn : radians by which the clip is turned about the vertical.
    """

    phrase: Phrase
    start: float
    tempo: float
    turn: float = 0.0

    @property
    def end(self) -> float:
        """The beat of the music at which it is over."""
        return self.start + self.phrase.beats / self.tempo


@dataclass(frozen=True)
class _Bar:
    """A bar, or as many as last three beats: its first beat, its beats, and its place in a section."""

    start: int
    beats: int
    section: int
    number: int


def plan_phrases(
    clips: Sequence[MotionClip],
    beats: Float64Array,
    bar_positions: IntArray,
    liveliness: Float64Array,
    rng: np.random.Generator,
    sections: Sections | None = None,
) -> list[PlacedPhrase]:
    """Choose what is danced, bar by bar, from the first downbeat to the last beat.

    Parameters
    ----------
    clips : that may be danced together.
    beats, bar_positions : (N,) seconds of the beats, and their positions in the bar, from 1.
    liveliness : (N,) 0 to 1, of the music at each beat.
    sections : of the music; None takes it for a single one.

    Raises
    ------
    MotionError
        If no phrase is long and lively enough.
    """
    music_tempo = 60 / float(np.median(np.diff(beats)))
    sections = sections or Sections(np.zeros(1, np.int64), np.zeros(1, np.int64))
    both = [*clips, *(clip.mirrored() for clip in clips)]
    choices: dict[int, _Choice] = {}  # by beats of a bar
    danced: dict[tuple[int, int, int], tuple[_Choice, int]] = {}  # by label of the section, bar in it, and its beats
    place, facing, plan = np.zeros(2), 0.0, list[PlacedPhrase]()
    bars = _bars(bar_positions, sections.starts)
    for bar, wanted in zip(bars, _wanted(bars, liveliness), strict=True):
        if bar.beats not in choices:
            choices[bar.beats] = _Choice.among(both, bar.beats, music_tempo)
        key = (int(sections.labels[bar.section]), bar.number, bar.beats)
        if key not in danced:
            choice = choices[bar.beats]
            cost = choice.costs(plan, place, facing, wanted, bar) + rng.gumbel(0, _RANDOM, len(choice.phrases))
            danced[key] = choice, int(cost.argmin())
        choice, chosen = danced[key]
        phrase = choice.phrases[chosen]
        plan.append(PlacedPhrase(phrase, float(bar.start), float(choice.tempi[chosen]), facing - phrase.headings[0]))
        place = place + turned(np.insert(phrase.displacement, 1, 0.0), facing)[[0, 2]]
        facing += phrase.headings[1] - phrase.headings[0]
    return plan


@dataclass(frozen=True)
class _Choice:
    """Phrases that fill a bar, and what they cost whatever came before.

    Attributes
    ----------
    phrases, tempi : N phrases, and beats of each in one of the music.
    ranks : (N,) 0 of the calmest phrase to 1 of the liveliest, at the music's tempo.
    steady_costs : (N,) of tempo and feet.
    """

    phrases: list[Phrase]
    tempi: Float64Array
    ranks: Float64Array
    steady_costs: Float64Array

    @classmethod
    def among(cls, clips: Sequence[MotionClip], beats: int, music_tempo: float) -> "_Choice":
        """Cut clips into phrases for a bar of so many beats; MotionError if there are none."""
        found = [
            (phrase, tempo, music_tempo * tempo / clip.tempo)
            for clip in clips
            for tempo in _relative_tempi(clip, beats, music_tempo)
            for phrase in cut_phrases([clip], round(beats * tempo))
        ]
        if not found:
            raise MotionError("none of these dances has a lively phrase")
        phrases, tempi, faster = zip(*found, strict=True)
        speeds = [phrase.speed * change for phrase, change in zip(phrases, faster, strict=True)]
        strain = np.array([_strain(change) for change in faster])
        sliding = np.array([phrase.sliding for phrase in phrases])
        ranks = np.argsort(np.argsort(speeds)) / max(1, len(phrases) - 1)
        return cls(list(phrases), np.array(tempi), ranks, _TEMPO * strain + _SLIDING * sliding)

    def costs(
        self, plan: Sequence[PlacedPhrase], place: Float64Array, facing: float, wanted: float, bar: _Bar
    ) -> Float64Array:
        """Return (N,) what each costs after a plan, which ends at a place on the floor (2,) and faces somewhere."""
        steps = np.stack([turned(np.insert(phrase.displacement, 1, 0.0), facing)[[0, 2]] for phrase in self.phrases])
        faces = facing + np.array([phrase.headings[1] - phrase.headings[0] for phrase in self.phrases])
        cost = self.steady_costs + _LIVELINESS * np.abs(self.ranks - wanted)
        away = np.linalg.norm(place + steps, axis=1)
        cost = cost + _OFF_CENTRE * (away + np.maximum(away - _STAGE, 0) ** 2)
        cost += _TURNED * np.abs((faces + np.pi) % (2 * np.pi) - np.pi) / np.pi
        for ago, placed in enumerate(reversed(plan[-_GROUP:])):
            same = np.array([phrase is placed.phrase for phrase in self.phrases])
            cost += _REPEATED * np.exp(-ago / 2) * same
        if plan:
            last = plan[-1].phrase
            first_poses = np.stack([phrase.poses[0] for phrase in self.phrases])
            cost += _POSE * np.linalg.norm(first_poses - last.poses[1], axis=-1).mean(1)
            follows = np.array([phrase.follows(last) for phrase in self.phrases])
            if bar.number == 0:
                cost += _CONTINUED * follows
            else:
                cost += (_ELSEWHERE_IN_GROUP if bar.number % _GROUP else _ELSEWHERE) * ~follows
        return np.asarray(cost)


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
    quaternions[:begin], root[:begin] = _danced(plan[0], np.zeros(1))
    for number, placed in enumerate(plan):
        start, stop = np.searchsorted(beat, [placed.start, placed.end]).tolist()
        if number == len(plan) - 1:
            stop = frames
        phrase = placed.phrase
        within = np.minimum((beat[start:stop] - placed.start) * placed.tempo, phrase.beats)
        quaternions[start:stop], root[start:stop] = _danced(placed, within)
        if not 1 < start < stop:
            continue
        if number and phrase.follows(plan[number - 1].phrase):
            root[start:stop] += (root[start - 1] - root[start]) * (1, 0, 1)
        else:
            gap = _farthest(quaternions[start - 1 : start + 1], root[start - 1 : start + 1])
            blend = round(float(np.clip(gap / _SWIFT, *_BLEND)) * RATE)
            quaternions, root = inertialise(quaternions, root, start, blend, stop)
    return quaternions, root - root[0] * (1, 0, 1)


def _farthest(quaternions: Float64Array, root: Float64Array) -> float:
    """Return how far apart a joint is in two frames, (2, 24, 4) and (2, 3), at most, seen from the root; metres."""
    positions = joint_positions(quaternions, root * (0, 1, 0))
    return float(np.linalg.norm(positions[1] - positions[0], axis=-1).max())


def _danced(placed: PlacedPhrase, within: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return quaternions (n, 24, 4) and root (n, 3) at (n,) beats of a placed phrase."""
    quaternions, root = placed.phrase.clip.at(placed.phrase.first + within)
    quaternions[:, 0] = about_vertical(quaternions[:, 0], placed.turn)
    return quaternions, turned(root, placed.turn)


def _bars(positions: IntArray, borders: IntArray) -> list[_Bar]:
    """Return the bars of the music from the first downbeat to the last beat; the last one as long as is usual."""
    downbeats = np.flatnonzero(positions == 1) if (positions == 1).any() else np.arange(0, len(positions), 4)
    edges: list[int] = []
    for beat in downbeats.tolist():
        if not edges or beat - edges[-1] >= _BAR or beat in borders:
            edges.append(beat)
    usual = int(np.median(np.diff(edges))) if len(edges) > 1 else 4
    bars: list[_Bar] = []
    for start, end in zip(edges, [*edges[1:], edges[-1] + usual], strict=True):
        section = max(0, int(np.searchsorted(borders, start, side="right")) - 1)
        number = bars[-1].number + 1 if bars and bars[-1].section == section else 0
        bars.append(_Bar(start, end - start, section, number))
    return bars


def _wanted(bars: Sequence[_Bar], liveliness: Float64Array) -> list[float]:
    """Return how lively each bar is, 0 to 1: half by its loudness, half by its rank among the bars of the piece."""
    levels = np.array([liveliness[bar.start : bar.start + bar.beats].mean() for bar in bars])
    ordered = np.sort(levels)
    ranks = (np.searchsorted(ordered, levels) + np.searchsorted(ordered, levels, "right")) / (2 * len(levels))
    return [float(wanted) for wanted in (levels + ranks) / 2]


def _relative_tempi(clip: MotionClip, beats: int, music: float) -> list[float]:
    """Return how many beats of a clip go to one of the music, for its tempo to be near its own and to fill a bar.

    One number, or none where the clip is too short for that.
    """
    whole = [tempo for tempo in _TEMPI if (beats * tempo).is_integer() and 2 <= beats * tempo <= clip.beats]
    if not whole and clip.beats > 1:
        whole = [clip.beats / beats]
    return sorted(whole, key=lambda tempo: _strain(music * tempo / clip.tempo))[:1]


def _strain(faster: float) -> float:
    """Return how much a dance suffers that is so many times faster than it was."""
    change = float(np.log(faster))
    return abs(change) + _FASTER * max(0.0, change)
