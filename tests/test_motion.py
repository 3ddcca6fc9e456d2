import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ictus.errors import IctusError, MotionError
from ictus.kinematics import bone_lengths, forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import Skeleton, get_skeleton

PLANE, BODY = get_skeleton("conductor-13"), get_skeleton("conductor-23")


def planar(frames=40, fps=30.0, **rest):
    times = np.arange(frames)[:, None, None] / fps
    phases = np.linspace(0, 6, 26).reshape(13, 2)
    return Motion(0.5 + 0.2 * np.sin(2 * np.pi * times + phases), fps, PLANE, **rest)


def turning(frames=40, fps=30.0):
    times = np.arange(frames)[:, None, None] / fps
    axes = np.random.default_rng(0).normal(size=(1, len(BODY), 3))
    rotations = Rotation.from_rotvec((times * axes).reshape(-1, 3)).as_matrix().reshape(frames, len(BODY), 3, 3)
    root = 0.1 * np.sin(times[:, :, 0] * [1, 2, 3])
    return Motion(forward_kinematics(BODY, rotations, root), fps, BODY, rotations, root)


def test_length_and_times():
    motion = planar(45, 30.0)
    assert (len(motion), motion.duration) == (45, 1.5)
    np.testing.assert_allclose(motion.times, np.arange(45) / 30)


def test_everything_is_single_precision():
    motion = turning()
    assert {motion.positions.dtype, motion.rotations.dtype, motion.root.dtype} == {np.dtype(np.float32)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"positions": np.zeros((5, 12, 3))}, "conductor-23 needs"),
        ({"positions": np.zeros((5, 23, 4))}, "2 or 3"),
        ({"positions": np.zeros((23, 3))}, "2 or 3"),
        ({"positions": np.zeros((0, 23, 3))}, "no frames"),
        ({"positions": np.full((5, 23, 3), 1e300)}, r"positions are not finite \(first in frame 0\)"),
        ({"rotations": np.zeros((4, 23, 3, 3))}, "rotations have shape"),
        ({"rotations": np.zeros((5, 23, 3, 3))}, r"no rotation matrices \(first in frame 0\)"),
        ({"rotations": np.tile(-np.eye(3), (5, 23, 1, 1))}, "no rotation matrices"),
        ({"rotations": np.full((5, 23, 3, 3), 3e38)}, "no rotation matrices"),
        ({"root": np.zeros((5, 2))}, "root has shape"),
        ({"fps": 0}, "fps is 0"),
        ({"fps": -30}, "fps is -30"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"fps": float("inf")}, "fps is inf"),
    ],
)
def test_what_does_not_fit_is_refused(change, complaint):
    good = {"positions": np.zeros((5, 23, 3)), "fps": 30.0, "skeleton": BODY}
    Motion(**good)
    with pytest.raises(MotionError, match=complaint):
        Motion(**good | change)


@pytest.mark.parametrize("name", ["positions", "rotations", "root"])
def test_a_gap_is_named_by_its_frame(name):
    arrays = {"positions": turning(5).positions, "rotations": turning(5).rotations, "root": turning(5).root}
    arrays[name] = arrays[name].copy()
    arrays[name][3] = np.nan
    with pytest.raises(MotionError, match=rf"{name} are not finite \(first in frame 3\)"):
        Motion(fps=30, skeleton=BODY, **arrays)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    frames=st.integers(1, 50), fps=st.sampled_from([10, 24, 30, 59.94, 60, 120]), to=st.sampled_from([12, 30, 60, 90])
)
def test_resampling_keeps_the_duration_and_the_first_frame(frames, fps, to):
    motion = planar(frames, fps, meta={"seed": 1})
    other = motion.resample(to)
    assert (other.fps, other.skeleton, other.meta) == (to, PLANE, {"seed": 1})
    assert len(other) >= 1
    assert abs(other.duration - motion.duration) <= 0.5 / to + 1e-9 or len(other) == 1
    np.testing.assert_allclose(other.positions[0], motion.positions[0], atol=1e-6)


def test_resampling_follows_the_motion():
    other, truth = planar(40, 30.0).resample(90), planar(120, 90.0)
    np.testing.assert_allclose(other.positions[:115], truth.positions[:115], atol=2e-4)  # the rest holds the last frame
    np.testing.assert_array_equal(other.positions[-1], other.positions[-2])
    np.testing.assert_allclose(planar(90, 90.0).resample(30).positions, planar(30, 30.0).positions, atol=1e-6)


def test_resampling_turns_joints_evenly_and_keeps_bones():
    motion, truth = turning(40, 30.0), turning(120, 90.0)
    other = motion.resample(90)
    np.testing.assert_allclose(other.rotations[:118], truth.rotations[:118], atol=1e-5)
    np.testing.assert_allclose(other.positions[:115], truth.positions[:115], atol=2e-4)
    lengths = bone_lengths(BODY, other.positions)
    np.testing.assert_allclose(lengths, np.tile(lengths[:1], (len(other), 1)), atol=1e-5)


def test_resampling_a_body_with_a_rest_pose_but_no_parents():
    body = Skeleton("dots", ("a", "b"), (), rest=np.zeros((2, 3)))
    rotations = np.tile(np.eye(3), (4, 2, 1, 1))
    motion = Motion(np.ones((4, 2, 3)), 30, body, rotations, np.zeros((4, 3)))
    assert len(motion.resample(60)) == 8


def test_resampling_to_the_same_rate_changes_nothing():
    motion = planar()
    assert motion.resample(30) is motion


def test_a_single_frame_is_held():
    motion = Motion(turning(1).positions, 10, BODY, turning(1).rotations, turning(1).root).resample(30)
    assert (len(motion), motion.rotations.shape, motion.root.shape) == (3, (3, 23, 3, 3), (3, 3))
    assert motion.duration == pytest.approx(0.1)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 1e-9, 1e5, 10**400])
@pytest.mark.parametrize("frames", [1, 40])
def test_resampling_to_no_rate_is_refused(fps, frames):
    with pytest.raises(MotionError, match="must be positive"):
        planar(frames).resample(fps)


def test_resampling_to_frames_without_end_is_refused():
    with pytest.raises(MotionError, match=r"4000 s at 10000 frames a second are 40000000 frames, which is too many"):
        Motion(planar(4).positions, 0.001, PLANE).resample(10_000)


@pytest.mark.parametrize(
    ("suffix", "old", "new"),
    [
        (".json", b'"fps": 30.0', b'"fps": 1e-9'),
        (".json", b'"fps": 30.0', b'"fps": 1e-300'),
        (".json", b'"fps": 30.0', b'"fps": 99999'),
        (".glb", b'"fps": 30.0', b'"fps": 1e-9'),
        (".bvh", b"0.03333333333333333", b"1e-200"),
        (".bvh", b"0.03333333333333333", b"1e300"),
    ],
)
def test_frame_rates_that_no_motion_has_are_refused(tmp_path, suffix, old, new):
    turning(3).save(path := tmp_path / f"x{suffix}")
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new.ljust(len(old))))
    with pytest.raises(MotionError, match=r"(fps|frames per second|frame time).*0\.0*1"):
        Motion.load(path)


def test_smoothing_takes_noise_away_and_leaves_the_motion():
    clean = planar(200)
    noise = np.random.default_rng(0).normal(scale=0.02, size=clean.positions.shape)
    smooth = Motion(clean.positions + noise, 30, PLANE).smooth()
    error = np.abs(smooth.positions - clean.positions).mean()
    assert error < 0.6 * np.abs(noise).mean()
    np.testing.assert_allclose(clean.smooth().positions, clean.positions, atol=2e-3)


@pytest.mark.parametrize("window", [7, 8, 18, 19, 1000])
def test_smoothing_does_not_shift(window):
    ramp = np.tile(np.arange(60.0)[:, None, None], (1, 13, 2))
    np.testing.assert_allclose(Motion(ramp, 30, PLANE).smooth(window).positions, ramp, atol=1e-4)


def test_smoothing_works_at_any_length():
    for frames in range(1, 25):
        assert planar(frames).smooth().positions.shape == (frames, 13, 2)


def test_smoothing_drops_rotations_that_no_longer_fit():
    smooth = turning().smooth()
    assert smooth.rotations is None
    assert smooth.root is None


def test_motions_do_not_change():
    with pytest.raises(AttributeError):
        planar().fps = 60
    motion = planar(meta={"seed": 1})
    motion.resample(60).smooth()
    np.testing.assert_array_equal(motion.positions, planar().positions)


def test_loading_names_the_file_once(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(MotionError) as refusal:
        Motion.load(tmp_path / "bad.json")
    assert str(refusal.value).startswith(f"{tmp_path / 'bad.json'}: is no valid JSON")


def test_saving_makes_folders_and_refuses_to_replace_one(tmp_path):
    planar().save(tmp_path / "a" / "b.npz")
    assert len(Motion.load(tmp_path / "a" / "b.npz")) == 40
    (tmp_path / "c.npz").mkdir()
    with pytest.raises(IctusError, match="is a folder"):
        planar().save(tmp_path / "c.npz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c.npz"]
