"""Choreography: phrases of real dances, set on the beats of any music.

A few seconds of real dance become hours of it. A dance is cut at its own beats into phrases; phrases follow each other
on the beats of the music, at its tempo, as they came in the dance, or, where the dance ends, whichever goes on best:
from a pose that is near, back towards the middle of the stage, as lively as the music is loud, and not the same again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ictus.dance.data.aist import Sequence as Name
from ictus.dance.metrics.beats import beat_alignment
from ictus.errors import MotionError
from ictus.files import readable
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

Array = NDArray[np.float64]

RATE = 60  # frames a second
_BODY = get_skeleton("smpl-24")
_MEND = 9  # frames of 60 in which a step between two pieces of a recording is taken back
_JITTER = 1.5  # frames of 60, the deviation of the filter over a recording
_BLEND = 0.5  # seconds in which a new phrase takes over from the one before, at most a beat
_TEMPI = (0.5, 1.0, 2.0)  # beats of dance in one of music
_HURRY = 0.5  # how much worse than a slower dance one is that is quicker than it was
_FLOOR = 0.02  # metres from floor to toes of a body that stands
_LIVELY = 0.18  # m/s, mean speed of the joints: what moves less is no dance to learn from

# What it costs to go on with a phrase: how far its first pose is (a metre, mean of the joints), how far from the middle
# of the stage it ends (a metre), how much livelier or calmer than the music it is (0 to 1), that it was just danced,
# that it is another dance than it might be; and how much of a dancer's whim comes on top.
_FAR, _OFF_STAGE, _UNLIKE, _AGAIN, _ELSEWHERE, _WHIM = 3.0, 0.5, 1.0, 1.0, 0.6, 0.4


@dataclass(frozen=True)
class Dance:
    """A real dance, ready to be cut.

    Attributes
    ----------
    name : of the recording.
    genre : as in `ictus.dance.data.aist.GENRES`.
    turns : (T, 24, 4) unit quaternions (x, y, z, w), of one sign from frame to frame, at 60 fps.
    root : (T, 3) metres.
    first : second of the first beat that the dancer marks; it may come after the music's, which is at 0 s.
    tempo : beats a minute.
    """

    name: str
    genre: str
    turns: Array
    root: Array
    first: float
    tempo: float

    @property
    def beats(self) -> int:
        """Whole beats that it lasts."""
        return int(((len(self.root) - 1) / RATE - self.first) * self.tempo / 60)

    def at(self, beat: Array) -> tuple[Array, Array]:
        """Return turns (n, 24, 4) and root (n, 3) at (n,) beats from the first, which need not be whole."""
        place = np.clip((self.first + beat * 60 / self.tempo) * RATE, 0, len(self.root) - 1.001)
        before = place.astype(int)
        share = (place - before)[:, None]
        root = self.root[before] * (1 - share) + self.root[before + 1] * share
        share = share[..., None]
        return _unit(self.turns[before] * (1 - share) + self.turns[before + 1] * share), root

    def mirrored(self) -> "Dance":
        """Return the dance as a mirror shows it."""
        turns = self.turns[:, list(_BODY.mirror)] * (1, -1, -1, 1)
        return replace(self, name=f"{self.name} mirrored", turns=turns, root=self.root * (-1, 1, 1))


def read(path: Path) -> Dance:
    """Read a recording: .npz with rotations (T, 22 or 24, 3, 3), root (T, 3), fps, bpm and joins; music begins at 0 s.

    The steps at its joins are mended, the floor comes under the feet, and the beats where the dancer marks them.

    Raises
    ------
    MotionError
        If it is none, or its name is none of AIST++'s.
    """
    try:
        with np.load(readable(path, MotionError), allow_pickle=False) as archive:
            rotations, root = archive["rotations"].astype(np.float64), archive["root"].astype(np.float64)
            fps, tempo, joins = float(archive["fps"]), float(archive["bpm"]), archive["joins"]
    except (KeyError, ValueError, OSError) as error:
        raise MotionError(f"{path}: no recorded dance ({' '.join(str(error).split())})") from error
    still = np.tile(np.eye(3), (len(root), len(_BODY) - rotations.shape[1], 1, 1))
    whole = np.concatenate([rotations, still], 1)
    given = Rotation.from_matrix(whole.reshape(-1, 3, 3)).as_quat().reshape(*whole.shape[:2], 4)
    turns, path_of_root = _at_rate(steady_turns(given), root, fps)
    for join in np.round(joins * RATE / fps).astype(int):
        turns, path_of_root = _joined(turns, path_of_root, int(join), _MEND)
    turns = _unit(gaussian_filter1d(turns, _JITTER, axis=0, mode="nearest"))
    path_of_root = gaussian_filter1d(path_of_root, _JITTER, axis=0, mode="nearest")
    feet = positions(turns, path_of_root)[:, [_BODY.index("ltoes"), _BODY.index("rtoes")], 1]
    path_of_root[:, 1] += _FLOOR - np.percentile(feet.min(1), 5)
    dance = Dance(path.stem, Name.parse(path.stem).genre, turns, path_of_root, 0.0, tempo)
    return replace(dance, first=_lag(dance))


def _at_rate(turns: Array, root: Array, fps: float) -> tuple[Array, Array]:
    """Turns (T, 24, 4) and root (T, 3) at `fps` -> at 60 a second, by cubic splines."""
    times = np.arange(len(root)) / fps
    wanted = np.arange(round(len(root) * RATE / fps)) / RATE
    wanted = np.minimum(wanted, times[-1])
    return _unit(CubicSpline(times, turns)(wanted)), np.asarray(CubicSpline(times, root)(wanted))


def _lag(dance: Dance) -> float:
    """Return by how many seconds the dancer marks the beats after the music, up to a third of a beat."""
    beat = 60 / dance.tempo
    duration = len(dance.root) / RATE
    points = positions(dance.turns, dance.root)
    lags = np.linspace(-1 / 3, 1 / 3, 41) * beat
    fits = [beat_alignment(points, lag + np.arange(0, duration, beat), "bailando") for lag in lags]
    smooth = gaussian_filter1d(np.array(fits), 2.0, mode="nearest")
    return float(lags[smooth.argmax()] % beat)


# --- Phrases ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phrase:
    """Some beats of a dance.

    Attributes
    ----------
    first, beats : its first beat in the dance, and how many.
    speed : m/s, mean of the joints while it lasts.
    opening, closing : (24, 3) metres, the poses in which it begins and ends, from where the root then is on the floor.
    travel : (2,) metres, where on the floor it leads to.
    """

    dance: Dance
    first: int
    beats: int
    speed: float
    opening: Array
    closing: Array
    travel: Array

    def follows(self, other: "Phrase") -> bool:
        """Whether it comes next in the same dance."""
        return self.dance is other.dance and self.first == other.first + other.beats


def phrases(dances: Sequence[Dance], beats: int) -> list[Phrase]:
    """Cut dances into phrases of so many beats, and each again at half of a phrase later."""
    found = []
    for dance in dances:
        for first in range(0, dance.beats - beats + 1, max(1, beats // 2)):
            turns, root = dance.at(first + np.arange(0, beats + 1e-9, dance.tempo / 60 / RATE))
            points = positions(turns, root)
            speed = float(np.linalg.norm(np.diff(points, axis=0), axis=-1).mean() * RATE)
            ends = [points[k] - root[k] * (1, 0, 1) for k in (0, -1)]
            travel = (root[-1] - root[0])[[0, 2]]
            found.append(Phrase(dance, first, beats, speed, ends[0], ends[1], travel))
    return [phrase for phrase in found if phrase.speed >= _LIVELY]


@dataclass(frozen=True)
class Placed:
    """A phrase on the music: from its `start`-th beat on, at `tempo` beats of the phrase in one of the music."""

    phrase: Phrase
    start: float
    tempo: float

    @property
    def end(self) -> float:
        """The beat of the music at which it is over."""
        return self.start + self.phrase.beats / self.tempo


def choreograph(
    dances: Sequence[Dance],
    beats: Array,
    positions_in_bar: NDArray[np.int64],
    liveliness: Array,
    rng: np.random.Generator,
) -> list[Placed]:
    """Choose what is danced, phrase by phrase, from the first downbeat to the last beat.

    Parameters
    ----------
    dances : of one genre.
    beats, positions_in_bar : (N,) seconds of the beats, and their places in the bar, from 1.
    liveliness : (N,) 0 to 1, of the music at each beat.

    Raises
    ------
    MotionError
        If there is nothing to dance: no phrase is long and lively enough.
    """
    pace = 60 / float(np.median(np.diff(beats)))
    in_bar = int(positions_in_bar.max())
    length = 3 if in_bar % 3 == 0 else 4
    known = phrases([*dances, *(dance.mirrored() for dance in dances)], length)
    if not known:
        raise MotionError("none of these dances has a lively phrase")
    rank = np.argsort(np.argsort([phrase.speed for phrase in known])) / max(1, len(known) - 1)
    openings = np.stack([phrase.opening for phrase in known])
    tempi = np.array([_tempo(phrase.dance.tempo, pace) for phrase in known])
    danced = np.full(len(known), -np.inf)  # when each was last danced, in phrases
    downbeats = np.flatnonzero(positions_in_bar == 1)
    at, place, chosen = float(downbeats[0] if len(downbeats) else 0), np.zeros(2), -1
    plan: list[Placed] = []
    while at < len(beats) - 1:
        cost = _UNLIKE * np.abs(rank - np.interp(at, np.arange(len(beats)), liveliness)) + rng.gumbel(
            0, _WHIM, len(known)
        )
        cost += _AGAIN * np.exp(-(len(plan) - 1 - danced) / 2)
        ends = place + np.stack([phrase.travel for phrase in known])
        cost += _OFF_STAGE * np.linalg.norm(ends, axis=1)
        if chosen >= 0:
            cost += _FAR * np.linalg.norm(openings - known[chosen].closing, axis=-1).mean(1)
            cost += _ELSEWHERE * np.array([not phrase.follows(known[chosen]) for phrase in known])
        chosen = int(cost.argmin())
        danced[chosen] = len(plan)
        plan.append(Placed(known[chosen], at, float(tempi[chosen])))
        at, place = plan[-1].end, ends[chosen]
    return plan


def groove(dances: Sequence[Dance], beats: Array) -> list[Placed]:
    """Choose one beat of a dance, which returns nearly to where it began, and dance it over and over.

    For networks that do not know what they have just danced: all there is to know is where in the beat a frame stands.

    Raises
    ------
    MotionError
        If no beat of these dances is lively enough.
    """
    known = phrases(dances, 1)
    if not known:
        raise MotionError("none of these dances has a lively beat")
    gaps = [np.linalg.norm(phrase.closing - phrase.opening, axis=-1).mean() / phrase.speed for phrase in known]
    phrase = known[int(np.argmin(gaps))]
    return [Placed(phrase, float(start), 1.0) for start in range(len(beats) - 1)]


def _tempo(dance: float, music: float) -> float:
    """Return how many beats of a dance go to one of the music, for the tempo to be near the dance's own."""

    def strain(tempo: float) -> float:
        change = float(np.log(music * tempo / dance))
        return abs(change) + _HURRY * max(0.0, change)

    return min(_TEMPI, key=strain)


def perform(plan: Sequence[Placed], beats: Array, frames: int) -> tuple[Array, Array]:
    """Dance what is planned; before it begins, and after it is over, the dancer stands.

    Parameters
    ----------
    beats : (N,) seconds of the music's beats.
    frames : of the whole, at 60 fps.

    Returns
    -------
    turns : (frames, 24, 4) unit quaternions.
    root : (frames, 3) metres, beginning in the middle of the stage.
    """
    pace = float(np.median(np.diff(beats)))
    whole = np.append(beats, beats[-1] + pace * np.arange(1, 17))  # a last phrase may be longer than the music
    beat = np.interp(np.arange(frames) / RATE, whole, np.arange(len(whole)), left=-1.0)
    turns, root = np.empty((frames, len(_BODY), 4)), np.empty((frames, 3))
    begin = int(np.searchsorted(beat, plan[0].start))
    turns[:begin], root[:begin] = plan[0].phrase.dance.at(np.array([float(plan[0].phrase.first)]))
    for number, placed in enumerate(plan):
        start, stop = np.searchsorted(beat, [placed.start, placed.end]).tolist()
        if number == len(plan) - 1:
            stop = frames
        phrase = placed.phrase
        within = np.minimum((beat[start:stop] - placed.start) * placed.tempo, phrase.beats)
        turns[start:stop], root[start:stop] = phrase.dance.at(phrase.first + within)
        if 1 < start < stop and not (number and phrase.follows(plan[number - 1].phrase)):
            blend = int(min(_BLEND, pace / placed.tempo) * RATE)
            turns, root = _joined(turns, root, start, blend, stop)
        elif 1 < start < stop:
            step = root[start - 1] - root[start]
            root[start:stop] += step * (1, 0, 1)
    return turns, root - root[0] * (1, 0, 1)


def danced(turns: Array, root: Array) -> Motion:
    """(T, 24, 4) and (T, 3) -> the motion, smpl-24 at 60 fps."""
    turned, place = matrices(turns).astype(np.float32), root.astype(np.float32)
    return Motion(forward_kinematics(_BODY, turned, place), RATE, _BODY, turned, place)


def positions(turns: Array, root: Array) -> Array:
    """(T, 24, 4) and (T, 3) -> (T, 24, 3) metres, on the body smpl-24."""
    return np.asarray(forward_kinematics(_BODY, matrices(turns), root))


def matrices(turns: Array) -> Array:
    """(..., 4) unit quaternions -> (..., 3, 3)."""
    return np.asarray(Rotation.from_quat(turns.reshape(-1, 4)).as_matrix().reshape(*turns.shape[:-1], 3, 3))


# --- Joints in time --------------------------------------------------------------------------------------------------


def _joined(turns: Array, root: Array, join: int, frames: int, stop: int | None = None) -> tuple[Array, Array]:
    """Take back the step before frame `join`: what comes goes on from what was, and is itself after `frames`.

    The floor under the dancer moves along: where the new frames are on it is not taken back. (Bollo, "Inertialization",
    GDC 2018, has the idea to let the difference die away instead of mixing two motions.)
    """
    stop = len(root) if stop is None else stop
    last, one_before = (Rotation.from_quat(turns[join - k]) for k in (1, 2))
    going = last * one_before.inv() * last  # where each joint would be by now
    difference = (going * Rotation.from_quat(turns[join]).inv()).as_rotvec()  # (24, 3)
    fade = _fade(np.arange(stop - join) / frames)
    mended = Rotation.from_rotvec((fade[:, None, None] * difference).reshape(-1, 3))
    new = mended * Rotation.from_quat(turns[join:stop].reshape(-1, 4))
    turns, root = turns.copy(), root.copy()
    turns[join:stop] = new.as_quat().reshape(stop - join, -1, 4)
    turns[join - 1 : stop] = steady_turns(turns[join - 1 : stop])
    step = 2 * root[join - 1] - root[join - 2] - root[join]
    root[join:stop] += step * (1, 0, 1)
    root[join:stop, 1] += fade * step[1]
    return turns, root


def _fade(share: Array) -> Array:
    """1 at 0, 0 from 1 on, level at both ends."""
    x = np.clip(share, 0, 1)
    return 1 - x**3 * (10 - 15 * x + 6 * x**2)


def steady_turns(turns: Array) -> Array:
    """Give quaternions (T, J, 4) the signs that make neighbours alike."""
    flips = np.where((turns[1:] * turns[:-1]).sum(-1) < 0, -1.0, 1.0)
    signs = np.concatenate([np.ones((1, turns.shape[1])), np.cumprod(flips, axis=0)])
    return np.asarray(turns * signs[..., None])


def _unit(turns: Array) -> Array:
    return np.asarray(turns / np.linalg.norm(turns, axis=-1, keepdims=True))
