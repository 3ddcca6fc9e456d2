"""Feet that stand: a made dance cleaned of jitter, of floating and sinking, of wandering off, and of skating feet.

A network gives rotations and a path of the pelvis that fit each other only nearly, so that feet that ought to stand
slide, float or sink. `clean_feet` corrects this in four steps, each usable alone: `smooth_rotations`, `fit_root` (the
path is made to fit the feet), `keep_on_stage` (the dance stays on the stage) and `plant_feet` (each foot stays where it
stands, by inverse kinematics of the legs).
"""

import math
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, percentile_filter
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError, UsageError
from ictus.kinematics import forward_kinematics, global_pose, nearest_rotations, two_bone_turns
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from ictus.types import BoolArray, FloatArray, IntArray

_BODY = get_skeleton("smpl-24")
_LEGS = tuple(tuple(_BODY.index(f"{side}{joint}") for joint in ("hip", "knee", "ankle", "toes")) for side in "lr")
_FEET = np.array([leg[2:] for leg in _LEGS])  # (2 feet, 2 points): ankle and toes
_SOLE = np.array([0.07, 0.02])  # metres from the sole to ankle and toes, of a foot that is flat on the floor
_ANKLE_LOW = 0.06  # metres above the floor, below which no ankle comes
_UP = np.array([0.0, 1.0, 0.0])
_BENT, _STRAIGHT = 0.988, 0.998  # parts of a leg's length: its longest where the foot stands, and anywhere

_Limits: TypeAlias = tuple[tuple[float, float, float], tuple[float, float, float]]

# What stands, see `foot_contacts`. A dance whose root is not fitted yet may slide, and float by as much as a body with
# other legs does; where a hop is highest a foot is slow as well, but upwards only for a moment.
_ROUGH: _Limits = ((0.12, 0.6, 0.3), (0.15, 1.2, 0.6))
_FINE: _Limits = ((0.05, 0.5, 0.5), (0.09, 0.9, 0.9))
_STANDS, _SLOWEST = 25.0, 5.0  # fps, at which it is seen what stands, and of what may be interpolated to that
_NEARLY = 0.999  # of a rate, for one that is measured from a film's times is seldom round
_LEAST = 0.08  # seconds that a foot stands, at least
_GAP = 0.05  # seconds for which it may seem not to
_FARTHEST = 0.3  # metres that a foot may slide before it is set down anew
_LANDS = 0.15  # seconds within which a foot that swings comes down to a floor that is lower than it was
_STEP, _HIGHEST = 0.4, 0.1  # how high it is lifted then, in parts of how far it is moved, and at most, metres


def clean_feet(motion: Motion, radius: float = 2.5) -> Motion:
    """Return a made dance with steady feet on the floor (y = 0), within `radius` metres of where it begins.

    Parameters
    ----------
    motion : smpl-24 with rotations, at 5 fps or more; below 25 fps, as of the cinema's films, it is cleaned at a
        multiple of its rate, for the moments at which a foot comes and goes lie between its frames.
    radius : see `keep_on_stage`.

    Raises
    ------
    MotionError
        If the motion is of another skeleton, has no rotations, or has fewer frames a second.
    UsageError
        If the radius is not positive.
    """
    _given(motion, _SLOWEST)
    times = math.ceil(_STANDS / (motion.fps * _NEARLY))
    fast = motion if times == 1 else motion.resample(times * motion.fps)
    return plant_feet(keep_on_stage(fit_root(smooth_rotations(fast)), radius)).resample(motion.fps)


def smooth_rotations(motion: Motion, cutoff: float = 9.0) -> Motion:
    """Return the dance without jitter: joints' rotations and the root's path, averaged by a Gaussian.

    Parameters
    ----------
    motion : smpl-24 with rotations.
    cutoff : Hz, at which a movement keeps 0.71 of its size; accents of dance lie below 5 Hz, where it keeps 0.9.
        The mean of rotations is the one with the least sum of squared distances, between matrices.
    """
    rotations, root = _given(motion, 0)
    if not cutoff > 0:
        raise UsageError(f"the cut-off is {cutoff:g} Hz; it must be positive")
    width = np.sqrt(np.log(2)) / (2 * np.pi * cutoff) * motion.fps
    rotations = nearest_rotations(gaussian_filter1d(rotations, width, axis=0, mode="nearest"))
    return _posed(motion, rotations, gaussian_filter1d(root, width, axis=0, mode="nearest"))


def fit_root(motion: Motion) -> Motion:
    """Return the dance with the root's path corrected so that standing feet are on the floor (y = 0) and do not drift.

    The floor is the 10th percentile of the lower sole's height over 8 s, for made dances sink or rise. Then, wherever
    a foot stands, the root takes back its height (over about 0.2 s) and its slow sliding (over about 0.5 s); in
    between, these corrections go on from one stand to the next. Rotations remain.

    Parameters
    ----------
    motion : smpl-24 with rotations, at 25 fps or more.
    """
    rotations, root = _given(motion)
    fps = motion.fps
    feet = forward_kinematics(_BODY, rotations, root)[:, _FEET]
    lowest = (feet[..., 1] - _SOLE).min((1, 2))
    floor = percentile_filter(lowest, 10, size=min(len(lowest), round(8 * fps)), mode="nearest")
    floor = gaussian_filter1d(floor, fps, mode="nearest")
    feet[..., 1] -= floor[:, None, None]
    stands = _any(foot_contacts(feet, fps, _ROUGH))  # (T, 2)
    heights = np.where(stands, (feet[..., 1] - _SOLE).min(2), np.inf).min(1)
    sinking = _mean_where(heights[:, None], _any(stands), 0.2 * fps)[:, 0]
    # A foot slides as far as the slower of its points, for it may turn about the other; the slower foot counts most.
    steps = np.diff(_calm(feet, fps), axis=0)[..., [0, 2]]  # (T - 1, 2 feet, 2 points, 2)
    slower = np.linalg.norm(steps, axis=-1).argmin(2)
    steps = np.take_along_axis(steps, slower[..., None, None], 2)[:, :, 0]
    both = np.asarray(stands[1:] & stands[:-1])
    weights = (both / (0.05**2 + (np.linalg.norm(steps, axis=-1) * fps) ** 2))[..., None]
    slide = (steps * weights).sum(1) / np.maximum(weights.sum(1), 1e-9)
    path = root.copy()
    path[:, 1] -= floor + sinking
    path[1:, [0, 2]] -= np.cumsum(_mean_where(slide, _any(both), 0.25 * fps), axis=0)
    return _posed(motion, rotations, path)


def keep_on_stage(motion: Motion, radius: float = 2.5) -> Motion:
    """Return the dance on a stage: the root stays within `radius` metres of its start, along the floor.

    A dance that never gets so far is not changed at all. Of others the slow part of the path (over some 2 s) is drawn
    back, the more the farther it is out, beyond about half the radius; what happens within a second or two remains.

    Parameters
    ----------
    motion : smpl-24 with rotations, at 25 fps or more.
    radius : metres.
    """
    rotations, root = _given(motion)
    if not radius > 0:
        raise UsageError(f"the radius of the stage is {radius:g} m; it must be positive")
    path = root[:, [0, 2]] - root[0, [0, 2]]
    if np.linalg.norm(path, axis=1).max() <= radius:
        return motion
    slow = gaussian_filter1d(path, motion.fps, axis=0, mode="nearest")
    quick = path - slow
    most = max(radius - np.linalg.norm(quick, axis=1).max(), 0.4 * radius)
    drawn = _drawn_back(slow, 0.5 * most, 0.5 / motion.fps)
    moved = root.copy()
    moved[:, [0, 2]] = root[0, [0, 2]] + _within(_within(drawn, 0.5 * most, most) + quick, 0.9 * radius, radius)
    return _posed(motion, rotations, moved)


def plant_feet(motion: Motion) -> Motion:
    """Return the dance with each foot fixed to the floor (y = 0) for as long as it stands.

    Toes that stand stay where they stand, or the ankle where only the heel does; a foot that stands on both does not
    turn either. One that slides for more than 0.3 m is set down anew. Between two stands, what had to be moved is
    handed on smoothly. Thigh and shank follow (the knee points where it pointed); where a standing leg would not reach,
    the pelvis sinks a little. No foot is below the floor.
    Everything above the hips keeps its rotations.

    Parameters
    ----------
    motion : smpl-24 with rotations, at 25 fps or more, whose floor is near y = 0: `fit_root`.
    """
    rotations, root = _given(motion)
    positions, turned = global_pose(_BODY, rotations, root)
    stands = foot_contacts(positions[:, _FEET], motion.fps, _FINE)
    ankles, feet = [], []
    for leg, touch in zip(_LEGS, np.moveaxis(stands, 1, 0), strict=True):
        _let_go(touch, positions[:, leg[3]], motion.fps)
        ankle, foot = _steady_foot(positions[:, leg[3]], turned[:, leg[2]], _BODY.offsets[leg[3]], touch, motion.fps)
        ankles.append(ankle)
        feet.append(foot)
    sinking = _sinking(positions, np.stack(ankles, 1), _any(stands), motion.fps)
    root[:, 1] -= sinking
    positions[..., 1] -= sinking[:, None]
    for leg, ankle, foot in zip(_LEGS, ankles, feet, strict=True):
        hip, knee, end, _ = leg
        places = positions[:, [hip, knee, end]]
        within = _within_reach(places[:, 0], ankle, _leg_length(knee, end))
        upper, lower = two_bone_turns(places[:, 0], places[:, 1], places[:, 2], within, turned[:, hip, :, 2])
        thigh, shank = upper @ turned[:, hip], lower @ turned[:, knee]
        rotations[:, hip] = _transposed(turned[:, 0]) @ thigh
        rotations[:, knee] = _transposed(thigh) @ shank
        rotations[:, end] = _transposed(shank) @ foot
    return _posed(motion, rotations, root)


def foot_contacts(feet: FloatArray, fps: float, limits: _Limits = _FINE) -> BoolArray:
    """Return (T, 2, 2): whether ankle and toes of the left and of the right foot stand.

    A point begins to stand where it is low and slow for 0.08 s, and stands until it no longer is (hysteresis). Speeds
    are averaged over about 0.1 s, since made dances shake.

    Parameters
    ----------
    feet : (T, 2, 2, 3) metres, of both feet ankle and toes; the floor is y = 0.
    fps : frames a second.
    limits : height (metres over where the point is when the foot is flat), speed along the floor and upwards (m/s)
        under which a point begins to stand; and those over which it no longer does.
    """
    heights = (feet[..., 1] - _SOLE).reshape(len(feet), 4)
    if len(feet) < 2:
        return np.zeros((len(feet), 2, 2), np.bool_)
    velocities = np.gradient(_calm(feet, fps), axis=0).reshape(len(feet), 4, 3) * fps
    along, upwards = np.hypot(velocities[..., 0], velocities[..., 2]), np.abs(velocities[..., 1])
    begins, lasts = ((heights < low) & (along < slow) & (upwards < calm) for low, slow, calm in limits)
    flags = np.zeros_like(begins)
    for point in range(4):
        clear = [run for run in _runs(begins[:, point]) if run[1] - run[0] >= _LEAST * fps]
        for start, end in _runs(lasts[:, point]):
            flags[start:end, point] = any(start <= first < end for first, _ in clear)
        for start, end in _runs(~flags[:, point]):
            if start > 0 and end < len(flags) and end - start <= _GAP * fps:
                flags[start:end, point] = True
    return np.asarray(flags.reshape(-1, 2, 2))


def _calm(feet: FloatArray, fps: float) -> FloatArray:
    return np.asarray(gaussian_filter1d(feet, 0.033 * fps, axis=0, mode="nearest"))


def _let_go(touch: BoolArray, toes: FloatArray, fps: float) -> None:
    """Lift a foot for 0.2 s now and then where it stands on and on though it slides far; in place, of (T, 2)."""
    half = max(1, round(0.1 * fps))
    for start, end in _runs(_any(touch)):
        slid = float(np.hypot(*np.ptp(toes[start:end, [0, 2]], axis=0)))
        for cut in np.linspace(start, end, 1 + int(np.ceil(slid / _FARTHEST)))[1:-1].round().astype(int):
            touch[max(cut - half, start) : cut + half] = False


def _steady_foot(
    toes: FloatArray, foot: FloatArray, lever: FloatArray, touch: BoolArray, fps: float
) -> tuple[FloatArray, FloatArray]:
    """Return where the ankle has to be, (T, 3), and how the foot has to be turned in the world, (T, 3, 3).

    `toes` (T, 3) and `foot` (T, 3, 3) are what the dance has, `lever` (3,) leads from ankle to toes, and `touch` (T, 2)
    says whether ankle and toes stand.
    """
    turn = np.zeros_like(toes)  # rotation vectors, by which the foot is to be turned
    flat, stands = np.asarray(touch[:, 0] & touch[:, 1]), _any(touch)
    for start, end in _runs(flat):
        mean = Rotation.from_matrix(foot[start:end]).mean()
        turn[start:end] = (mean * Rotation.from_matrix(foot[start:end]).inv()).as_rotvec()
    foot = Rotation.from_rotvec(_handed_on(turn, flat, fps)).as_matrix() @ foot
    reach = foot @ lever  # (T, 3) from ankle to toes
    shift = np.zeros_like(toes)
    for start, end in _runs(stands):
        on_toes = touch[start:end, 1]
        # On its toes they do not move; on its heel they move as they turn about the ankle.
        steps = np.where(on_toes[1:, None], 0.0, np.diff(reach[start:end], axis=0))
        path = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
        place = (toes[start:end] - path).mean(0)
        if on_toes.any():
            place[1] = _SOLE[1] - path[on_toes, 1].mean()
        else:
            ankle = (toes[start:end, 1] - reach[start:end, 1]).mean()
            place[1] = max(ankle, _SOLE[0]) - (path - reach[start:end])[:, 1].mean()
        shift[start:end] = place + path - toes[start:end]
    moved = _handed_on(shift, stands, fps)
    moved[:, 1] = np.where(moved[:, 1] < 0, moved[:, 1] * _near(stands, _LANDS * fps), moved[:, 1])
    toes = toes + moved + _steps(shift, stands)[:, None] * _UP
    ankle = toes - reach
    below = np.maximum(_SOLE[1] - toes[:, 1], _ANKLE_LOW - ankle[:, 1])
    return ankle + np.maximum(below, 0.0)[:, None] * _UP, foot


def _handed_on(values: FloatArray, known: BoolArray, fps: float) -> FloatArray:
    """Fill `values` (T, n) where they are not known: smoothly from one stretch to the next, without a jerk at its ends.

    Before the first stretch and after the last the values stay; zeros where nothing is known.
    """
    filled = np.where(known[:, None], values, 0.0)
    stretches = _runs(known)
    if not stretches:
        return filled
    for start, end in _runs(~known):
        time = np.arange(1, end - start + 1)[:, None]
        before, after = start > 0, end < len(known)
        first = values[start - 1] if before else values[end]
        last = values[end] if after else values[start - 1]
        part = time / (end - start + 1)
        filled[start:end] = first + (last - first) * part**2 * (3 - 2 * part)
        # The speed with which a stretch ends runs out within 0.15 s; likewise it begins.
        span = max(1.0, min(0.15 * fps, (end - start + 1) / 2))
        if before and start > 1 and known[start - 2]:
            filled[start:end] += (values[start - 1] - values[start - 2]) * _running_out(time, span)
        if after and end + 1 < len(known) and known[end + 1]:
            filled[start:end] -= (values[end + 1] - values[end]) * _running_out(end - start + 1 - time, span)
    return filled


def _near(known: BoolArray, span: float) -> FloatArray:
    """Return (T,) 1 where known, and smoothly less until so many frames away from there; 0 if nothing is."""
    if not known.any():
        return np.zeros(len(known))
    away = np.abs(np.arange(len(known)) - _nearest(known)) / span
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.minimum(away, 1)))


def _steps(shift: FloatArray, stands: BoolArray) -> FloatArray:
    """Return (T,) metres by which a foot is lifted between two stands that are moved apart (T, 3): it steps there."""
    lift = np.zeros(len(shift))
    for start, end in _runs(~stands):
        if start > 0 and end < len(stands):
            apart = float(np.hypot(*(shift[end] - shift[start - 1])[[0, 2]]))
            phase = np.arange(1, end - start + 1) / (end - start + 1)
            lift[start:end] = min(_STEP * apart, _HIGHEST) * np.sin(np.pi * phase) ** 2
    return lift


def _running_out(time: IntArray, span: float) -> FloatArray:
    """Return how far something gets that starts with speed 1 and rests, where it was, after `span` frames."""
    part = np.clip(time / span, 0, 1)
    return np.asarray(span * part * (1 - part) ** 2)


def _sinking(positions: FloatArray, ankles: FloatArray, stands: BoolArray, fps: float) -> FloatArray:
    """Return (T,) metres, 0.15 at most, by which the pelvis sinks for standing legs to reach their ankles (T, 2, 3)."""
    wanted = np.zeros(len(positions))
    for side, (hip, knee, ankle, _) in enumerate(_LEGS):
        leg = _leg_length(knee, ankle) * _BENT
        reach = positions[:, hip] - ankles[:, side]
        across = np.linalg.norm(reach[:, [0, 2]], axis=1)
        too_high = reach[:, 1] - np.sqrt(np.maximum(leg**2 - across**2, 0.0))
        wanted = np.maximum(wanted, np.where(stands[:, side], too_high, 0.0))
    # First all around each need, then the mean over as much: never less than needed.
    half = max(1, round(0.12 * fps))
    wanted = maximum_filter1d(np.clip(wanted, 0, 0.15), 2 * half + 1, mode="nearest")
    return np.asarray(gaussian_filter1d(wanted, half / 2, mode="nearest", radius=half))


def _leg_length(knee: int, ankle: int) -> float:
    return float(np.linalg.norm(_BODY.offsets[[knee, ankle]], axis=1).sum())


def _within_reach(hip: FloatArray, ankle: FloatArray, leg: float) -> FloatArray:
    """Return the ankle, (T, 3), drawn to the hip where the leg would be straighter than that of a foot that stands.

    A leg that comes and goes to its full length would make its knee snap.
    """
    reach = ankle - hip
    part = np.linalg.norm(reach, axis=1, keepdims=True) / leg
    over = np.maximum(part - _BENT, 0.0) / (_STRAIGHT - _BENT)
    limited = np.where(over > 0, _BENT + (_STRAIGHT - _BENT) * np.tanh(over), part)
    return np.asarray(hip + reach * limited / np.maximum(part, 1e-9))


def _mean_where(values: FloatArray, known: BoolArray, width: float) -> FloatArray:
    """Return (T, n): means of `values` by a Gaussian of `width` frames over the frames where they are known.

    Far from all of these the nearest ones decide; zeros if there is none.
    """
    if not known.any():
        return np.zeros_like(values)
    weights = np.where(known, 1.0, 1e-3)[:, None]
    held = np.where(known[:, None], values, values[_nearest(known)])
    total = gaussian_filter1d(held * weights, width, axis=0, mode="nearest")
    return np.asarray(total / gaussian_filter1d(weights, width, axis=0, mode="nearest"))


def _nearest(known: BoolArray) -> IntArray:
    """Return (T,): of each frame the nearest one that is known."""
    marks = np.flatnonzero(known)
    middles = (marks[1:] + marks[:-1]) / 2
    return np.asarray(marks[np.searchsorted(middles, np.arange(len(known)))])


def _drawn_back(path: FloatArray, free: float, pull: float) -> FloatArray:
    """Return a path (T, 2) that makes the same steps, but is drawn to its start wherever it is farther out than `free`.

    By `pull` of the excess in each frame.
    """
    drawn = np.empty_like(path)
    place = drawn[0] = path[0]
    for frame, step in enumerate(np.diff(path, axis=0), start=1):
        place = place + step
        far = float(np.hypot(*place))
        if far > free:
            place = place * (1 - pull * (far - free) / far)
        drawn[frame] = place
    return drawn


def _within(path: FloatArray, free: float, most: float) -> FloatArray:
    """Return a path (T, 2) brought within `most` metres of the origin; untouched within `free`, and smooth."""
    far = np.linalg.norm(path, axis=1, keepdims=True)
    over = np.maximum(far - free, 0.0) / (most - free)
    return np.asarray(np.where(over > 0, path / np.maximum(far, 1e-9) * (free + (most - free) * np.tanh(over)), path))


def _runs(flags: BoolArray) -> list[tuple[int, int]]:
    """Return the stretches in which flags (T,) are set, as (first frame, frame after the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _any(flags: BoolArray) -> BoolArray:
    return np.asarray(flags.any(-1))


def _transposed(rotations: FloatArray) -> FloatArray:
    return np.swapaxes(rotations, -1, -2)


def _given(motion: Motion, slowest: float = _STANDS) -> tuple[FloatArray, FloatArray]:
    """Return (T, 24, 3, 3) rotations and (T, 3) root in double precision, or refuse the motion."""
    if motion.skeleton != _BODY or motion.rotations is None or motion.root is None:
        raise MotionError(f"this motion of {motion.skeleton.name} has no feet to plant: give smpl-24 with rotations")
    if motion.fps < slowest * _NEARLY:
        raise MotionError(
            f"the motion has {motion.fps:.5g} fps, too few to see feet stand: give {slowest:g} or more", option="fps"
        )
    return motion.rotations.astype(np.float64), motion.root.astype(np.float64)


def _posed(motion: Motion, rotations: FloatArray, root: FloatArray) -> Motion:
    """Return the motion with other rotations and path, and the positions that follow from them."""
    positions = forward_kinematics(_BODY, rotations, root).astype(np.float32)
    return replace(motion, positions=positions, rotations=rotations.astype(np.float32), root=root.astype(np.float32))
