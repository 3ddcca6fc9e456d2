"""AIST++ motion pickles, and pickles that are something else."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus import limits
from ictus.errors import MotionError
from ictus.formats import aist, pickled
from ictus.motion import Motion
from ictus.skeleton import get_skeleton


def dance(frames: int = 5, seed: int = 0) -> dict:
    """What a pickle of AIST++ holds."""
    rng = np.random.default_rng(seed)
    return {
        "smpl_poses": rng.normal(0, 0.5, (frames, 72)),
        "smpl_trans": rng.normal(0, 95, (frames, 3)).astype(np.float32),
        "smpl_scaling": np.array([95]),
        "smpl_loss": 1.75,
    }


def save(path: Path, content: object, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_metres_matrices_and_positions(tmp_path, protocol):
    content = dance()
    motion = Motion.load(save(tmp_path / "x.pkl", content, protocol))
    assert (motion.skeleton.name, motion.fps, len(motion)) == ("smpl-24", 60.0, 5)
    assert motion.meta == {"smpl_loss": 1.75}
    np.testing.assert_allclose(motion.root, content["smpl_trans"] / 95, rtol=1e-6)
    turns = Rotation.from_rotvec(content["smpl_poses"].reshape(-1, 3)).as_matrix()
    np.testing.assert_allclose(motion.rotations.reshape(-1, 3, 3), turns, atol=1e-6)
    np.testing.assert_array_equal(motion.positions[:, 0], motion.root)
    body = get_skeleton("smpl-24")  # the left knee, by hand
    root, hip = turns.reshape(5, 24, 3, 3)[:, 0], turns.reshape(5, 24, 3, 3)[:, 1]
    knee = motion.root + root @ body.offsets[1] + root @ hip @ body.offsets[4]
    np.testing.assert_allclose(motion.positions[:, 4], knee, atol=1e-6)


def test_both_shapes_are_the_same_motion(tmp_path):
    content = dance()
    flat = Motion.load(save(tmp_path / "x.pkl", content))
    by_joint = Motion.load(save(tmp_path / "y.pkl", content | {"smpl_poses": content["smpl_poses"].reshape(5, 24, 3)}))
    np.testing.assert_array_equal(flat.positions, by_joint.positions)


@pytest.mark.parametrize("layout", ["F", ">f8", "<f4", "scalars"])
def test_arrays_of_other_layouts(tmp_path, layout):
    content = dance()
    poses = content["smpl_poses"]
    content["smpl_poses"] = np.asfortranarray(poses) if layout == "F" else poses
    if layout in (">f8", "<f4"):
        content["smpl_poses"] = poses.astype(layout)
    if layout == "scalars":
        content |= {"smpl_loss": np.float64(1.75), "smpl_poses": poses.tolist()}
    for protocol in (2, 4, 5):
        motion = Motion.load(save(tmp_path / "x.pkl", content, protocol))
        turns = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix()
        np.testing.assert_allclose(motion.rotations.reshape(-1, 3, 3), turns, atol=1e-6)


def test_a_round_trip_in_the_layout_of_the_corpus(tmp_path, swing):
    motion = swing(get_skeleton("smpl-24"), 9, 60.0, meta={"genre": "house"})
    motion.save(tmp_path / "x.pkl")
    loaded = Motion.load(tmp_path / "x.pkl")
    np.testing.assert_allclose(loaded.rotations, motion.rotations, atol=1e-6)
    np.testing.assert_allclose(loaded.positions, motion.positions, atol=2e-6)
    np.testing.assert_array_equal(loaded.root, motion.root)
    content = pickle.loads((tmp_path / "x.pkl").read_bytes())  # as other programs read it
    assert set(content) == {"smpl_poses", "smpl_trans", "smpl_scaling", "smpl_loss"}
    assert content["smpl_poses"].shape == (9, 72)
    assert content["smpl_trans"].dtype == np.float32
    assert content["smpl_scaling"].tolist() == [1.0]


@pytest.mark.parametrize("suffix", [".bvh", ".glb"])
def test_a_dance_goes_on_to_other_programs(tmp_path, suffix):
    motion = Motion.load(save(tmp_path / "x.pkl", dance(12)))
    motion.save(tmp_path / f"x{suffix}")
    loaded = Motion.load(tmp_path / f"x{suffix}")
    assert (loaded.skeleton, loaded.fps) == (motion.skeleton, 60.0)
    np.testing.assert_allclose(loaded.positions, motion.positions, atol=2e-6)


def test_another_frame_rate_is_resampled(tmp_path, swing):
    swing(get_skeleton("smpl-24"), 4, 30.0).save(tmp_path / "x.pkl")
    assert len(Motion.load(tmp_path / "x.pkl")) == 8


def test_what_it_cannot_hold_is_refused(tmp_path, swing):
    for motion, says in (
        (swing(get_skeleton("conductor-23")), "holds smpl-24, and this motion is of conductor-23"),
        (Motion(np.zeros((2, 24, 3)), 60.0, get_skeleton("smpl-24")), "positions only"),
    ):
        with pytest.raises(MotionError, match=says):
            motion.save(tmp_path / "x.pkl")
    assert not list(tmp_path.iterdir())


NAN = np.full((5, 72), np.nan)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"smpl_poses": np.zeros((5, 69))}, r"smpl_poses has shape \(5, 69\); AIST\+\+ has"),
        ({"smpl_poses": np.zeros((5, 23, 3))}, "smpl_poses has shape"),
        ({"smpl_poses": np.zeros(())}, "smpl_poses has shape"),
        ({"smpl_poses": NAN}, "smpl_poses is not finite"),
        ({"smpl_poses": "none"}, "smpl_poses is no array of numbers"),
        ({"smpl_poses": np.zeros((0, 72)), "smpl_trans": np.zeros((0, 3))}, "no frames"),
        ({"smpl_trans": np.zeros((4, 3))}, r"5 poses need \(5, 3\)"),
        ({"smpl_scaling": np.zeros(1)}, "smpl_scaling is"),
        ({"smpl_scaling": np.ones(2)}, "smpl_scaling is"),
        ({"smpl_loss": "x"}, "smpl_loss is no array"),
    ],
)
def test_a_motion_that_is_none_is_refused(tmp_path, change, says):
    with pytest.raises(MotionError, match=says) as refusal:
        Motion.load(save(tmp_path / "x.pkl", dance() | change))
    assert str(refusal.value).startswith(str(tmp_path / "x.pkl"))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("missing", ["smpl_poses", "smpl_trans"])
def test_what_is_missing_is_named(tmp_path, missing):
    content = dance()
    del content[missing]
    with pytest.raises(MotionError, match=f"but no {missing}"):
        Motion.load(save(tmp_path / "x.pkl", content))
    with pytest.raises(MotionError, match="a pickle, but of no dict"):
        Motion.load(save(tmp_path / "x.pkl", [content]))


def test_no_scaling_means_metres(tmp_path):
    content = dance()
    del content["smpl_scaling"]
    motion = Motion.load(save(tmp_path / "x.pkl", content))
    np.testing.assert_allclose(motion.root, content["smpl_trans"], rtol=1e-6)
    assert motion.fps == 60


def test_the_dances_of_edge_stand_upright(tmp_path):
    poses = np.zeros((5, 72))
    poses[:, 0] = np.pi / 2  # about x: what stands upright with y up, lies with z up
    root = np.tile([0.1, 0.2, 0.95], (5, 1))
    content = {"smpl_poses": poses, "smpl_trans": root, "full_pose": np.zeros((5, 24, 3), np.float32)}
    motion = Motion.load(save(tmp_path / "x.pkl", content))
    assert motion.fps == 30
    np.testing.assert_allclose(motion.root[0], [0.1, 0.95, -0.2], atol=1e-6)
    np.testing.assert_allclose(motion.rotations[0, 0], np.eye(3), atol=1e-6)


def test_a_dance_of_edge_as_it_is_saved(shared_data):
    motion = Motion.load(shared_data / "cases" / "p01-edge-pkl" / "in.pkl")
    assert (len(motion), motion.fps) == (90, 30)
    np.testing.assert_allclose(motion.root[0], [0, 0.95, 0], atol=1e-6)


def alias_bomb(levels: int, kind: type) -> object:
    nest: object = kind([1.0, 1.0])
    for _ in range(levels):
        nest = kind([nest, nest])
    return nest


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (dance() | {"smpl_poses": alias_bomb(60, list)}, "smpl_poses unfolds into too many numbers"),
        (dance() | {"smpl_loss": alias_bomb(60, list)}, "smpl_loss unfolds into too many numbers"),
        (dance() | {"smpl_poses": [[10**400] * 72] * 5}, "smpl_poses is no array of numbers"),
        ({"a": alias_bomb(60, list)}, "it holds a, but no smpl_poses"),
        ({b"\x80\x04}" + b"K\x01\x85\x94" + b"".join(b"h%c\x86\x94" % k * 1 for k in range(3)): 1}, "is no AIST"),
    ],
)
def test_nests_and_numbers_without_end_are_refused_at_once(tmp_path, content, says):
    with pytest.raises(MotionError, match=says):
        Motion.load(save(tmp_path / "x.pkl", content))


def test_keys_that_hold_each_other_are_refused_at_once(tmp_path):
    levels = b"".join(b"h%ch%c\x86\x94" % (k, k) for k in range(60))  # whose comparison would take 2 ** 60 steps
    (tmp_path / "x.pkl").write_bytes(b"\x80\x04}K\x01\x85\x94" + levels + b"K\x01s.")
    with pytest.raises(MotionError, match="is no pickle, or a damaged one"):
        Motion.load(tmp_path / "x.pkl")
    with pytest.raises(ValueError, match="plain keys"), (tmp_path / "x.pkl").open("rb") as source:
        pickled.check(source)


def test_lists_without_end_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY", 10_000)
    (tmp_path / "x.pkl").write_bytes(b"\x80\x04" + b"]" * 200 + b".")
    with pytest.raises(MotionError, match="holds too many lists"):
        Motion.load(tmp_path / "x.pkl")


class Runs:
    """Unpickled the ordinary way, it calls something."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("place", ["alone", "in the dict", "as an array's type", "in an array"])
def test_a_malicious_pickle_never_runs(tmp_path, protocol, place):
    trace = tmp_path / "ran"
    for payload in (
        Runs(os.system, f"touch {trace}"),
        Runs(eval, f"open({str(trace)!r}, 'w')"),
        Runs(Path.touch, trace),
    ):
        content: object = payload
        if place == "in the dict":
            content = dance() | {"smpl_poses": payload}
        elif place == "as an array's type":
            content = dance() | {"smpl_poses": Runs(np.dtype, payload)}
        elif place == "in an array":
            content = dance() | {"smpl_poses": np.array([payload, None], dtype=object)}
        with pytest.raises(MotionError, match=r"is refused: it names|array of 'O8'"):
            Motion.load(save(tmp_path / "x.pkl", content, protocol))
        assert not trace.exists()


@pytest.mark.parametrize(
    "array", [np.array([1.0, None]), np.array(["a"]), np.zeros(2, [("a", "f4")]), np.zeros(1, "c16")]
)
def test_arrays_of_anything_but_numbers_are_refused(tmp_path, array):
    with pytest.raises(MotionError, match="only numbers are read"):
        Motion.load(save(tmp_path / "x.pkl", dance() | {"smpl_poses": array}))


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04cnumpy\nndarray\n.",  # a name alone
        b"\x80\x04]r\xff\xff\xff\x7f.",  # two thousand million places in the memo
        b"\x80\x04cnumpy\ndtype\n(X\x02\x00\x00\x00f8tR.",  # a type alone
        b"\x80\x04c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00rottR.",
        b"\x80\x04c_codecs\nencode\n}X\x01\x00\x00\x00ac_codecs\nencode\nsb.",  # writes on what it is given
        b"\x80\x04]\x94h\x00a.",  # holds itself
        b"P1\n.",
    ],
)
def test_odd_pickles_are_refused(tmp_path, content):
    (tmp_path / "x.pkl").write_bytes(content)
    with pytest.raises(MotionError):
        Motion.load(tmp_path / "x.pkl")
    assert not vars(pickled._bytes)


def test_plain_data_come_back(tmp_path):
    content = {
        "a": [1, 2.5, None, True, b"x", "y"],
        3: (np.arange(6).reshape(2, 3), np.float32(0.5)),
        "e": np.zeros((0, 3)),
    }
    for protocol in range(6):
        loaded = pickled.load(save(tmp_path / "x.pkl", content, protocol))
        assert loaded["a"] == content["a"]
        np.testing.assert_array_equal(loaded[3][0], content[3][0])
        assert loaded[3][0].dtype == np.int64
        assert loaded[3][1] == 0.5
        assert loaded["e"].shape == (0, 3)
        loaded[3][0][:] = 0  # may be written to


def test_a_real_file(shared_data):
    motion = Motion.load(shared_data / "aist" / "last.generated.test.pkl")
    assert len(motion) == 398
    assert motion.meta == {"smpl_loss": pytest.approx(1.8, abs=0.1)}
    content = pickle.loads((shared_data / "aist" / "last.generated.test.pkl").read_bytes())
    np.testing.assert_allclose(motion.root, content["smpl_trans"] / 95, rtol=1e-6)
    assert motion.fps == aist.FPS
