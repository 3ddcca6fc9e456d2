import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.conducting import metrics
from ictus.conducting.pipeline import Maestro
from ictus.errors import MotionError, UsageError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

BODY = get_skeleton("conductor-13")
LEFT, RIGHT = BODY.index("left_wrist"), BODY.index("right_wrist")


def moving(left, right, fps=30.0):
    """Return a conductor-13 whose wrists' heights are given, y down; everything else stands still."""
    positions = np.random.default_rng(0).random((1, 13, 2)) + np.zeros((len(left), 1, 1))
    positions[:, LEFT, 1], positions[:, RIGHT, 1] = -np.asarray(left), -np.asarray(right)
    return Motion(positions, fps, BODY)


@pytest.fixture(scope="module")
def performances():
    """The same 16 bars, conducted by five maestros."""
    count = 48
    beats = Beats(1 + 0.6 * np.arange(count), np.arange(count) % 3 + 1, 3, loudness=np.linspace(0.2, 0.9, count))
    return [Maestro().perform(beats, 31.0, seed=seed) for seed in range(5)]


def test_jerk_of_a_cubic():
    """The third derivative of 2 t^3 is 12, whatever the frame rate; one joint of 13 moves so."""
    for fps in (25.0, 30.0, 60.0):
        time = np.arange(40) / fps
        motion = moving(2 * time**3, 0 * time, fps)
        assert metrics.jerk(motion) == pytest.approx(144 / 13, rel=0.05)  # positions are float32
        assert metrics.jerk(motion.positions, fps) == metrics.jerk(motion)


def test_jerk_ignores_what_is_smooth():
    time = np.arange(60) / 30
    parabola = moving(0.5 * time**2, time)
    assert metrics.jerk(parabola) < 1
    noisy = Motion(parabola.positions + np.random.default_rng(0).normal(0, 0.001, (60, 13, 2)), 30, BODY)
    assert metrics.jerk(noisy) > 1e4


def test_bones_that_stretch():
    wave = np.sin(np.linspace(0, 20 * np.pi, 4000))
    motion = moving(0 * wave, 0 * wave)
    assert metrics.bone_length_constancy(motion) == pytest.approx(0, abs=1e-7)
    elbow = motion.positions[0, BODY.index("left_elbow"), 1]
    one_bone = motion.positions.copy()
    one_bone[:, LEFT] = motion.positions[:, BODY.index("left_elbow")]
    one_bone[:, LEFT, 1] = elbow + 0.2 * (1 + 0.1 * wave)
    expected = 0.1 / np.sqrt(2) / len(BODY.bones)
    assert metrics.bone_length_constancy(one_bone) == pytest.approx(expected, rel=1e-3)
    collapsed = np.zeros((50, 13, 2))  # the plain baseline: no bone has a length
    assert metrics.bone_length_constancy(collapsed) == 0


def test_left_right_correlation():
    rng = np.random.default_rng(0)
    a, b = np.cumsum(rng.normal(size=(2, 2000)), axis=1)
    assert metrics.left_right_correlation(moving(a, 2 * a + 3)) == pytest.approx(1, abs=1e-5)
    assert metrics.left_right_correlation(moving(a, -a)) == pytest.approx(-1, abs=1e-5)
    assert abs(metrics.left_right_correlation(moving(a, b))) < 0.1
    assert metrics.left_right_correlation(moving(a, 0 * a)) == 0


def test_diversity():
    still = np.zeros((3, 30, 13, 2))
    still[1] += (0.3, 0.4)  # 0.5 from the first, everywhere
    still[2] += (0.6, 0.8)
    assert metrics.diversity(still) == pytest.approx((0.5 + 1.0 + 0.5) / 3)
    assert metrics.diversity(still[[0, 0]]) == 0


def test_maestros_bones_are_constant(performances):
    for motion in performances:
        assert metrics.bone_length_constancy(motion) < 1e-6


def test_maestros_differ_by_seed(performances):
    """On average by more than 2 cm over all joints, and so does each pair."""
    assert metrics.diversity(performances) > 0.02
    for other in performances[1:]:
        assert metrics.diversity([performances[0], other]) > 0.02


def test_maestros_left_hand_is_neither_mirror_nor_chance(performances):
    for motion in performances:
        assert 0.1 < metrics.left_right_correlation(motion) < 0.95


@pytest.mark.parametrize("metric", [metrics.jerk, metrics.bone_length_constancy, metrics.left_right_correlation])
def test_bad_motions(metric):
    for shape in ((1, 30, 13, 2), (30, 13, 3), (30, 23, 2), (30, 26), (30, 17, 2)):
        with pytest.raises(UsageError, match=r"the motion has shape .*; it must be \(frames, 13, 2\) or"):
            metric(np.zeros(shape))
    with pytest.raises(MotionError, match="not finite"):
        metric(np.full((30, 13, 2), np.nan))
    with pytest.raises(MotionError, match="no frames"):
        metric(np.zeros((0, 13, 2)))


def test_too_short():
    with pytest.raises(UsageError, match="3 frames; its jerk needs at least 4"):
        metrics.jerk(np.zeros((3, 13, 2)))
    with pytest.raises(UsageError, match="2 frames; a correlation needs at least 3"):
        metrics.left_right_correlation(np.zeros((2, 13, 2)))


def test_bad_frame_rates():
    with pytest.raises(MotionError, match="fps is 0"):
        metrics.jerk(np.zeros((30, 13, 2)), 0)
    with pytest.raises(UsageError, match=r"fps=60 was given for a motion of 30 fps"):
        metrics.jerk(Motion(np.zeros((30, 13, 2)), 30, BODY), 60)


def test_bad_sets():
    with pytest.raises(UsageError, match="diversity of 1 motions"):
        metrics.diversity(np.zeros((1, 30, 13, 2)))
    with pytest.raises(UsageError, match="differ in skeleton, length or frame rate"):
        metrics.diversity([np.zeros((30, 13, 2)), np.zeros((31, 13, 2))])


def test_a_body_without_wrists():
    ball = Motion(np.zeros((30, 1, 3)), 30, type(BODY)("ball", ("ball",), ()))
    with pytest.raises(MotionError, match="ball has no joint 'left_wrist'"):
        metrics.left_right_correlation(ball)
