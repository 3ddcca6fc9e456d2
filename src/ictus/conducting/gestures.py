"""Gestures: how a conductor's hands, trunk and head move to given beats.

Every stroke ends in an ictus, the lowest and most sharply reversed point of the hand's path, which lies exactly on its
beat. Between two icti the hand rebounds, rises and falls again along smooth curves, so that acceleration is continuous
everywhere but at an ictus. Coordinates are the body's: metres, x to the conductor's left, y up, z towards the players.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ictus.beats.beats import Beats
from ictus.beats.meter import beats_in_bar
from ictus.conducting.patterns import before_changes, drawn
from ictus.kinematics import smootherstep
from ictus.retargeting.conductor_body import Gestures
from ictus.types import Float64Array, IntArray

READY = np.array([-0.23, 1.14, 0.34])  # right hand before the first beat and in long rests, metres
AT_EASE = np.array([0.19, 1.04, 0.25])  # left hand when it has nothing to say
LIFTED = np.array([0.0, 0.06, 0.0])  # above the last ictus, where a hand holds a fermata
HELD = np.array([-0.02, 0.14, 0.05])  # or, where it is known how long: in sight of all
DRIFTED = HELD + np.array([-0.03, 0.03, 0.02])  # where it has slowly come when the hold ends
CUT_OFF = np.array([-0.06, -0.01, 0.02])  # where the sound is stopped: out and down from the hold
LOWERED = READY - np.array([0.0, 0.06, 0.04])  # where it waits through a silence
_ANNOUNCED = 1.2  # times the usual height of the preparation of a bar in another metre
_LONG = 1.8  # a gap of so many beats is a fermata or a rest
_SILENT = 4.0  # and one of so many is silence


_Row = tuple[float, Float64Array, float, float, float]  # of `Knots`: time, place, rise, bow, sharpness


@dataclass(frozen=True)
class Style:
    """How one conductor, or one evening, differs from another; drawn from a seed."""

    size: float
    spread: float
    sharpness: float
    left_hand: float
    sway: float
    hang: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Style":
        """Draw a style."""
        return cls(
            size=rng.uniform(0.86, 1.14),
            spread=rng.uniform(0.82, 1.2),
            sharpness=rng.uniform(-0.1, 0.12),
            left_hand=rng.uniform(0.7, 1.3),
            sway=rng.uniform(0.6, 1.4),
            hang=rng.uniform(0.08, 0.3),
        )


@dataclass(frozen=True)
class Knots:
    """The instants through which the right hand passes: icti, and the beginnings and ends of rests.

    Attributes
    ----------
    times : (K,) seconds.
    places : (K, 3) metres.
    rises : (K,) metres, height of the arc to the next knot.
    bows : (K,) metres, bulge of that arc to the conductor's right.
    sharpness : (K,) 0 (round) to 1 (angular); 0 where the hand only comes to rest.
    """

    times: Float64Array
    places: Float64Array
    rises: Float64Array
    bows: Float64Array
    sharpness: Float64Array


def conduct(beats: Beats, times: Float64Array, seed: int) -> Gestures:
    """Turn beats into gestures.

    Parameters
    ----------
    beats : the beats to mark, as they are conducted (see `Beats.conducted`), each bar in its own metre; may be empty.
    times : (T,) seconds of the frames, evenly spaced.
    seed : the same seed gives the same gestures, another one a conductor of another temper.
    """
    for meter in set(beats.meters.tolist()):
        beats_in_bar(meter)
    rng = np.random.default_rng(seed)
    style = Style.drawn(rng)
    knots = right_hand_knots(beats, style, rng)
    right = hand_path(knots, times, style.hang)
    left, palm, cue = _left_hand(beats, right, times, style, rng)
    return Gestures(right, left, palm, **_trunk_and_head(beats, times, cue, style, rng))


def right_hand_knots(beats: Beats, style: Style, rng: np.random.Generator) -> Knots:
    """Place every ictus, with a preparation before each entry and rests between."""
    if not len(beats):
        return Knots(np.zeros(1), READY[None], np.zeros(1), np.zeros(1), np.zeros(1))
    count, pattern = len(beats), drawn(beats)
    period = local_periods(beats.times)
    size, spread = _sizes(beats, period, style, rng)

    # The arc before a beat announces it: its size is that of the beat to come.
    coming = np.append(size[1:], size[-1])
    rises = coming * pattern.rebound * rng.lognormal(0, 0.08, count)
    rises *= np.where(before_changes(beats), _ANNOUNCED, 1.0)
    bows = spread * (pattern.bow + rng.normal(0, 0.05, count))
    sharpness = np.clip(0.15 + 0.75 * beats.articulation + 0.2 * beats.accents + style.sharpness, 0.05, 0.95)

    wander = ndimage.gaussian_filter1d(rng.normal(0, 1, (count, 3)), 4.0, axis=0, mode="nearest") * 0.05
    places = np.stack(
        [
            READY[0] - spread * (pattern.right - pattern.centre),
            1.17 - 0.22 * size + 0.025 * pattern.right**2,
            0.30 + 0.18 * size,
        ],
        axis=1,
    )
    places += wander + rng.normal(0, (0.010, 0.006, 0.008), (count, 3)) * np.minimum(1, size / 0.2)[:, None]
    return _with_rests(Knots(beats.times, places, rises, bows, sharpness), period, beats)


def local_periods(times: Float64Array) -> Float64Array:
    """Return (N,) seconds a beat around each beat, untouched by fermatas."""
    if len(times) < 2:
        return np.full(len(times), 0.6)
    steps = np.append(np.diff(times), times[-1] - times[-2])
    return np.asarray(ndimage.median_filter(steps, 5, mode="nearest"))


def _sizes(
    beats: Beats, period: Float64Array, style: Style, rng: np.random.Generator
) -> tuple[Float64Array, Float64Array]:
    """Height of the downbeat's preparation and breadth of the pattern at each beat, metres."""
    loudness = ndimage.gaussian_filter1d(beats.loudness, 0.8, mode="nearest")
    height = (0.10 + 0.36 * loudness**1.3 + 0.05 * beats.accents) * style.size
    height = np.minimum(height, 0.72 * period) * rng.lognormal(0, 0.05, len(beats))
    breadth = (0.10 + 0.17 * loudness) * style.spread * np.minimum(1, period / 0.45)
    return height, breadth


def _with_rests(icti: Knots, period: Float64Array, beats: Beats) -> Knots:
    """Add a preparation before each entry, and a way to rest after each last beat before a pause."""
    gaps = np.diff(icti.times, append=max(beats.duration, icti.times[-1]) + 9 * period[-1])
    entries = np.append(True, gaps[:-1] > _LONG * period[:-1])
    rows: list[_Row] = []
    for k, (time, beat) in enumerate(zip(icti.times, period, strict=True)):
        here = icti.places[k]
        if entries[k]:
            # One beat in tempo: up from the ready position, and down into the entry.
            start = here + np.array([0.02, 0.02, -0.03])
            rows.append((time - beat, start, max(0.10, 0.8 * icti.rises[max(k - 1, 0)]), -0.02, 0.0))
        rows.append((time, here, icti.rises[k], icti.bows[k], icti.sharpness[k]))
        if gaps[k] > _LONG * beat:
            # A rebound into stillness; where silence follows, the hand sinks.
            rows[-1] = (time, here, min(icti.rises[k], 0.12), icti.bows[k], icti.sharpness[k])
            hold = beats.holds[k] if _LONG * beat <= beats.holds[k] < gaps[k] - _LONG * beat else 0.0
            rows.append((time + 0.7 * beat, here + (HELD if hold else LIFTED), 0.0, 0.0, 0.0))
            if hold:  # and a pause after it: else the preparation of what follows ends it
                rows += _cut_off(time + hold, here, beat)
            if gaps[k] - hold > _SILENT * beat:
                rows.append((time + hold + 2.2 * beat, LOWERED, 0.0, 0.0, 0.0))
    times, places, rises, bows, sharpness = (np.array(column) for column in zip(*rows, strict=True))
    return Knots(times, places, rises, bows, sharpness)


def _cut_off(end: float, here: Float64Array, beat: float) -> list[_Row]:
    """Return the end of a hold: a drift upwards until it nears, a small loop up and out, the stop, and stillness."""
    return [
        (end - 0.8 * beat, here + DRIFTED, 0.10, 0.05, 0.0),
        (end, here + CUT_OFF, 0.05, 0.0, 0.5),
        (end + 0.7 * beat, here + CUT_OFF + 0.5 * LIFTED, 0.0, 0.0, 0.0),
    ]


def hand_path(knots: Knots, times: Float64Array, hang: float) -> Float64Array:
    """Return (T, 3) metres: the hand's smooth way through the knots.

    Sideways and forwards it follows quintic curves (round at legato, halting at each ictus at staccato); upwards it
    adds an arc to them, which meets the icti with a reversal as sharp as the knot's sharpness.
    """
    count = len(knots.times)
    if count == 1:
        return np.repeat(knots.places, len(times), axis=0)
    here = np.clip(np.searchsorted(knots.times, times, "right") - 1, 0, count - 2)
    then = here + 1
    step = knots.times[then] - knots.times[here]
    phase = np.clip((times - knots.times[here]) / step, 0, 1)

    velocity = _passing_velocity(knots)
    path = _quintic(phase, knots.places[here], knots.places[then], velocity[here], velocity[then], step)

    # Linger at the top, hurry at the bottom: clear beats.
    lingering = phase + hang * np.sin(2 * np.pi * phase) / (2 * np.pi)
    sharp = knots.sharpness[here] + (knots.sharpness[then] - knots.sharpness[here]) * smootherstep(phase)
    bend = np.sin(np.pi * lingering)
    # Out of stillness, and into it, the arc swells without a jolt.
    bend *= np.where(knots.sharpness[here] > 0, 1.0, smootherstep(np.minimum(2 * phase, 1)))
    bend *= np.where(knots.sharpness[then] > 0, 1.0, smootherstep(np.minimum(2 - 2 * phase, 1)))
    rise = knots.rises[here] * ((1 - sharp) * bend**2 + sharp * bend)
    path[:, 1] += rise
    path[:, 0] -= knots.bows[here] * bend**2
    path[:, 2] -= 0.22 * rise  # the arm swings about the shoulder: higher is nearer
    return path


def _passing_velocity(knots: Knots) -> Float64Array:
    """(K, 3) metres a second with which the hand passes each knot: sideways when round, none when angular."""
    velocity = np.zeros_like(knots.places)
    span = (knots.times[2:] - knots.times[:-2])[:, None]
    velocity[1:-1] = (knots.places[2:] - knots.places[:-2]) / span
    moving = np.where(knots.sharpness > 0, 1 - knots.sharpness, 0.0)[:, None]
    velocity *= moving * (0.9, 0.0, 0.5)  # none upwards: the ictus must stay the lowest point
    return velocity


def _quintic(
    phase: Float64Array, start: Float64Array, end: Float64Array, v0: Float64Array, v1: Float64Array, step: Float64Array
) -> Float64Array:
    """Quintic Hermite curve with no acceleration at its ends, hence pieces join with continuous acceleration."""
    p, d = phase[:, None], step[:, None]
    s = smootherstep(p)
    leaving = p - 6 * p**3 + 8 * p**4 - 3 * p**5
    arriving = -4 * p**3 + 7 * p**4 - 3 * p**5
    return np.asarray(start + s * (end - start) + d * (leaving * v0 + arriving * v1))


# --- The left hand ---------------------------------------------------------------------------------------------------


def _left_hand(
    beats: Beats, right: Float64Array, times: Float64Array, style: Style, rng: np.random.Generator
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Blend the left hand's four manners; return its path (T, 3), its palm (T,) and whom it cues (T,), -1 to 1."""
    breathing = 0.006 * np.sin(2 * np.pi * 0.23 * times + rng.uniform(0, 6))
    ease = AT_EASE + np.stack([0 * times, breathing, 0 * times], axis=1)
    if len(beats) < 2:
        return ease, np.zeros(len(times)), np.zeros(len(times))
    wishes = _wishes(beats, style, rng)
    known = np.append(beats.times, beats.times[-1] + max(float(beats.holds[-1]), 1e-6))
    blur = 0.45 * float(np.median(local_periods(beats.times))) * _fps(times)

    def over_time(values: Float64Array, smear: float = blur) -> Float64Array:
        frames = np.interp(times, known, np.append(values, values[-1]), left=0, right=0)
        return np.asarray(ndimage.gaussian_filter1d(frames, smear, mode="nearest", truncate=6))

    def weight(values: Float64Array) -> Float64Array:
        """Between 0 and 1, without a corner on the way."""
        return smootherstep(np.clip(over_time(values), 0, 1))

    mirror, swell, hush = (weight(wishes[name]) for name in ("mirror", "swell", "hush"))
    cue, side = weight(2 * np.abs(wishes["cue"])), over_time(np.sign(wishes["cue"]), 2 * blur)
    swell, hush = swell * (1 - mirror), hush * (1 - mirror)

    mirrored = right * (-1, 1, 1) + (0.02, 0.01, -0.02)
    mirrored[:, 0] = 0.14 + 0.06 * np.logaddexp(0, (mirrored[:, 0] - 0.14) / 0.06)  # the hands never cross
    raised = AT_EASE + np.array([0.10, 0.34, 0.16])  # palm up, lifting the sound
    calming = AT_EASE + np.array([0.06, 0.12, 0.20])  # palm down, pressing it
    reached = np.stack([0.24 + 0.18 * side, 1.33 + 0 * side, 0.46 - 0.05 * np.abs(side)], axis=1)
    path = ease.copy()
    for share, target in ((swell, raised), (hush, calming), (mirror, mirrored), (cue * (1 - 0.6 * mirror), reached)):
        path += share[:, None] * (target - path)
    return path, np.pi * swell, cue * side


def _wishes(beats: Beats, style: Style, rng: np.random.Generator) -> dict[str, Float64Array]:
    """For each beat, how much the left hand wants to mirror, swell, hush, or cue (-1 its right, +1 its left)."""
    count = len(beats)
    loudness = ndimage.gaussian_filter1d(beats.loudness, 2.0, mode="nearest")
    ahead = np.interp(np.arange(count) + 1.5 * beats.meters, np.arange(count), loudness)
    growth = ahead - loudness
    bar = np.cumsum(beats.positions == 1)
    whim = rng.uniform(0, 1, bar.max() + 1)[bar]  # one mood a bar
    together = np.clip((loudness - 0.62) / 0.2, 0, 1) * 0.9 + 0.15
    mirror = np.where(whim < together * style.left_hand * 0.8, 1.0, 0.0)
    changes = before_changes(beats)
    mirror[changes | np.append(False, changes[:-1])] = 1.0  # both hands show the first beat of another metre
    mirror[beats.holds > 0] = 1.0  # and hold and stop the sound together
    cue = np.zeros(count)
    entries = (beats.positions == 1) & (rng.uniform(0, 1, count) < 0.10 + 0.5 * beats.accents) & (mirror < 0.5)
    cue[entries] = rng.choice([-1.0, 1.0], int(entries.sum()), p=[0.3, 0.7])
    return {
        "mirror": mirror,
        "swell": np.clip((growth - 0.06) / 0.10, 0, 1),
        "hush": np.clip((-growth - 0.06) / 0.10, 0, 1),
        "cue": cue,
    }


# --- Trunk and head --------------------------------------------------------------------------------------------------


def _trunk_and_head(
    beats: Beats, times: Float64Array, cue: Float64Array, style: Style, rng: np.random.Generator
) -> dict[str, Float64Array]:
    """Sway with the bar, breathe with the preparation, nod with the downbeat, look about among the players."""
    fps = _fps(times)

    def slow(width: float, scale: float) -> Float64Array:
        """Aimless movement with a time constant of `width` seconds and a standard deviation of `scale`."""
        noise = rng.normal(0, 1, len(times) + int(8 * width * fps))
        smooth = ndimage.gaussian_filter1d(noise, width * fps)[: len(times)]
        return np.asarray(smooth * scale * np.sqrt(2 * np.sqrt(np.pi) * width * fps))

    bar_phase, size, nods = np.zeros(len(times)), np.full(len(times), 0.3), np.zeros(len(times))
    if len(beats) > 1:
        bars = (np.cumsum(beats.positions == 1) + (beats.positions - 1) / beats.meters) * np.pi
        bar_phase = ndimage.gaussian_filter1d(np.interp(times, beats.times, bars), 0.3 * fps, mode="nearest")
        loudness = np.interp(times, beats.times, beats.loudness)
        size = ndimage.gaussian_filter1d(loudness, 1.0 * fps, mode="nearest")
        nods = _nods(beats, times)
    breath = 0.5 + 0.35 * np.sin(2 * np.pi * 0.22 * times + rng.uniform(0, 6)) + _inhalation(beats, times)
    swing = np.sin(bar_phase) * style.sway * (0.3 + 0.7 * size)
    return {
        "lean": np.radians(3.0 + 3.5 * size + slow(1.5, 1.5)),
        "turn": np.radians(slow(1.8, 4.5) + 7 * cue),
        "sway": np.radians(2.2 * swing + slow(2.0, 1.2)),
        "nod": np.radians(5 + 4.5 * nods * (0.4 + 0.6 * size) + slow(0.8, 1.2)),
        "look": np.radians(slow(0.9, 8.0) + 16 * cue),
        "breath": breath,
        "shift": 0.018 * swing + slow(2.5, 0.016),
    }


def _nods(beats: Beats, times: Float64Array) -> Float64Array:
    """Small dips of the head that reach their lowest point on the beat, deepest on the downbeat."""
    depth = np.where(beats.positions == 1, 1.0, 0.25) + 0.3 * beats.accents
    width = 0.16 * local_periods(beats.times)
    nearest = np.abs(times[:, None] - beats.times[_nearest(beats.times, times)]) / width[_nearest(beats.times, times)]
    total = (depth[_nearest(beats.times, times)] * np.exp(-0.5 * nearest**2)).sum(1)
    return np.asarray(total)


def _nearest(events: Float64Array, times: Float64Array) -> IntArray:
    """(T, 2) numbers of the events before and after each time (clipped at the ends)."""
    after = np.searchsorted(events, times)
    return np.stack([np.clip(after - 1, 0, len(events) - 1), np.clip(after, 0, len(events) - 1)], axis=1)


def _inhalation(beats: Beats, times: Float64Array) -> Float64Array:
    """One deep breath on the preparation of the first beat."""
    if not len(beats):
        return np.zeros(len(times))
    period = float(local_periods(beats.times)[0])
    return np.asarray(0.8 * np.exp(-0.5 * ((times - (beats.times[0] - 0.4 * period)) / (0.45 * period)) ** 2))


def _fps(times: Float64Array) -> float:
    return 1 / float(times[1] - times[0]) if len(times) > 1 else 30.0
