"""Controls of an evaluation: dancers without music, and beats that the music does not have."""

import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ictus.dance.data.samples import RATE, DanceGenerator, DanceSample, DanceSamples
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array, Float64Array

PHRASE = 2 * RATE  # frames that come from one dance
BLEND = RATE // 4  # frames in which one phrase goes over into the next
_NOISE = 0.01  # metres
_FLOOR = [0, 2]  # the axes along the floor
_BODY = get_skeleton("smpl-24")
_HIPS = tuple(_BODY.index(joint) for joint in ("lhip", "rhip"))

# The beats of all music, and a dance's number -> the beats to compare it with.
BeatControl = Callable[[Sequence[Float64Array], int], Float64Array]


def ground_truth_dance(sample: DanceSample, seed: int) -> Float32Array:
    """Dance as the dancer of the corpus did."""
    return sample.positions


def stand_still(sample: DanceSample, seed: int) -> Float32Array:
    """Stand in the rest pose."""
    pose = _BODY.offsets if _BODY.rest is None else _BODY.rest
    return np.repeat(pose[None], len(sample.motion), axis=0)


def noisy_dance(sample: DanceSample, seed: int) -> Float32Array:
    """Dance as the dancer of the corpus did, with white noise of a centimetre on each joint."""
    noise = _random(sample, seed).standard_normal(sample.positions.shape)
    return np.asarray(sample.positions + _NOISE * noise, np.float32)


def random_phrases(samples: DanceSamples) -> DanceGenerator:
    """Return one who dances two seconds of any other dance, then of any other."""

    def dance(sample: DanceSample, seed: int) -> Float32Array:
        rng = _random(sample, seed)
        others = [number for number, name in enumerate(samples.names) if name != sample.name]
        made = samples.phrase(int(rng.choice(others)), PHRASE, rng)
        while len(made) < len(sample.motion):
            made = join_dances(made, samples.phrase(int(rng.choice(others)), PHRASE, rng))
        return made[: len(sample.motion)]

    return dance


def join_dances(before: Float32Array, after: Float32Array) -> Float32Array:
    """Let one dance (T, 24, 3) go on as another, turned and moved along the floor, with `BLEND` frames of both."""
    here, there = before[-BLEND], after[0]
    angle = _heading(here) - _heading(there)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    moved = after @ turn.T
    moved[..., _FLOOR] += (here[0] - moved[0, 0])[_FLOOR]
    share = np.linspace(0, 1, BLEND)[:, None, None]
    blend = (1 - share) * before[-BLEND:] + share * moved[:BLEND]
    return np.concatenate([before[:-BLEND], blend, moved[BLEND:]]).astype(np.float32)


def beats_of_other_music(beats: Sequence[Float64Array], number: int) -> Float64Array:
    """Return the beats of the next dance whose music has others; where there is none, of the next one."""
    own = beats[number]
    others = [beats[(number + k) % len(beats)] for k in range(1, len(beats))]
    return next((other for other in others if _differ(own, other)), others[0])


def shifted_beats(part: float) -> BeatControl:
    """Return the times that lie this part of a beat after each beat, and after the one before the first."""

    def times(beats: Sequence[Float64Array], number: int) -> Float64Array:
        own = beats[number]
        steps = np.diff(own)[[0, *range(len(own) - 1), -1]]
        return np.append(own[0] - steps[0], own) + part * steps

    return times


CONTROLS: Mapping[str, Callable[[DanceSamples], DanceGenerator]] = {
    "standing still": lambda samples: stand_still,
    "random phrases": random_phrases,
    "truth + 1 cm of noise": lambda samples: noisy_dance,
}
BEAT_CONTROLS: Mapping[str, BeatControl] = {
    "truth to other music": beats_of_other_music,
    "truth, 1/4 beat off": shifted_beats(0.25),
    "truth, 1/2 beat off": shifted_beats(0.5),
}


def _differ(one: Float64Array, other: Float64Array) -> bool:
    both = min(len(one), len(other))
    return bool((np.abs(one[:both] - other[:both]) > 1.5 / RATE).any())


def _random(sample: DanceSample, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, *os.fsencode(sample.name)])


def _heading(pose: Float32Array) -> float:
    """Angle about the vertical of the line from the right hip to the left."""
    x, _, z = pose[_HIPS[0]] - pose[_HIPS[1]]
    return float(np.arctan2(-z, x))
