"""The dancers that are shipped, on music whose beats are known and that none of them has danced to."""

import numpy as np
import pytest

from ictus import registry
from ictus.audio import Audio
from ictus.beats import Beats
from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.metrics import beat_alignment, drift, foot_skating, freezing, movement
from ictus.dance.models.motion_memory import MotionMemory
from ictus.dance.pipeline import Choreographer
from ictus.dance.quaternions import joint_positions
from ictus.kinematics import bone_lengths
from ictus.motion import Motion
from ictus.scores.score import Score
from ictus.synthesis.synthesizer import synthesize


@pytest.fixture(scope="module")
def ode() -> tuple[Audio, np.ndarray]:
    """An Ode to Joy, and its beats."""
    score = Score.ode_to_joy()
    return synthesize(score, rate=22050), score.seconds(np.arange(0.0, 129))


def whole(motion: Motion, audio: Audio, sliding: float = 0.2) -> None:
    """Check what every dance must be; the foot that carries the body slides at less than `sliding` m/s."""
    assert (motion.skeleton.name, motion.fps) == ("smpl-24", 60)
    assert motion.duration == pytest.approx(audio.duration, abs=0.1)
    assert np.ptp(bone_lengths(motion.skeleton, motion.positions), axis=0).max() < 1e-4
    assert motion.positions[:, [10, 11], 1].min() > 0
    assert foot_skating(motion).speed < sliding
    assert drift(motion).farthest < 3.0


def sliding(clip: MotionClip) -> float:
    """Metres a second at which the foot that carries the body slides in a dance as it was filmed."""
    return foot_skating(joint_positions(clip.quaternions, clip.root), 60).speed


def test_the_choreographer_is_on_the_beat(ode: tuple[Audio, np.ndarray]) -> None:
    audio, beats = ode
    clips = MotionMemory.from_pretrained("choreographer").clips()
    on, off = [], []
    for seed, genre in enumerate(("WA", "KR", "BR")):
        motion = registry.dancer("choreographer", genre=genre)(audio, seed=seed)
        whole(motion, audio, sliding=0.5 * min(sliding(clip) for clip in clips if clip.genre == genre))
        assert freezing(motion).longest < 5.0
        on.append(beat_alignment(motion, beats))
        off.append(max(beat_alignment(motion, beats + shift * np.median(np.diff(beats))) for shift in (0.25, 0.5)))
    assert np.mean(on) > np.mean(off) + 0.05


def test_melody_grooves_on_the_beat(ode: tuple[Audio, np.ndarray]) -> None:
    audio, beats = ode
    motion = registry.dancer("melody")(audio, seed=0)
    whole(motion, audio)
    assert movement(motion) > 0.5  # the earlier one swayed, by 0.3; real dances have some 2
    shifted = (beats + shift * np.median(np.diff(beats)) for shift in (0.25, 0.5))
    assert beat_alignment(motion, beats) > max(beat_alignment(motion, times) for times in shifted) + 0.05


def test_three_minutes_do_not_freeze() -> None:
    times = np.arange(0.5, 180, 60 / 110)
    steady = Beats(times, np.arange(len(times)) % 4 + 1, 4, loudness=np.full(len(times), 0.6))
    dancer = Choreographer(MotionMemory.from_pretrained("choreographer"), "choreographer", lambda _: steady)
    for seed in range(2):
        motion = dancer(Audio(np.zeros((1, 180 * 22050), np.float32), 22050), seed=seed)
        assert 0.5 < freezing(motion).ratio < 2.0
        assert drift(motion).farthest < 3.0


@pytest.mark.slow
def test_fact_goes_on_dancing(ode: tuple[Audio, np.ndarray]) -> None:
    parts = [Audio(ode[0].samples[:, : seconds * ode[0].rate], ode[0].rate) for seconds in (40, 8)]
    dances = [registry.dancer("fact")(part, seed=seed) for seed, part in enumerate(parts)]
    for motion, part in zip(dances, parts, strict=True):
        whole(motion, part)
        speed = np.linalg.norm(np.diff(motion.positions, axis=0), axis=-1).mean() * motion.fps
        assert speed > 0.1  # standing still is 0
        assert freezing(motion).ratio > 0.3
    assert np.abs(dances[0].positions[:400] - dances[1].positions[:400]).mean() > 0.02
