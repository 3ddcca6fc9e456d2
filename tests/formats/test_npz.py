import io
import json
import zipfile

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.formats import npz
from ictus.motion import Motion
from ictus.skeleton import Skeleton, get_skeleton


def test_everything_comes_back_exactly(tmp_path, swing, random_body):
    motion = swing(random_body(5), meta={"seed": 3})
    motion.save(tmp_path / "x.npz")
    loaded = Motion.load(tmp_path / "x.npz")
    for name in ("positions", "rotations", "root"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(motion, name))
    np.testing.assert_array_equal(loaded.skeleton.rest, motion.skeleton.rest)
    assert (loaded.skeleton, loaded.fps, loaded.meta) == (motion.skeleton, motion.fps, motion.meta)


def test_a_body_without_hierarchy_and_bones_comes_back(tmp_path):
    body = Skeleton("dots", ("a", "b"), (), mirror=(1, 0))
    Motion(np.ones((2, 2, 3)), 25.0, body).save(tmp_path / "x.npz")
    loaded = Motion.load(tmp_path / "x.npz").skeleton
    assert loaded == body
    assert loaded.rest is None


def test_the_archive_can_be_read_without_this_package(tmp_path, swing):
    motion = swing(get_skeleton("conductor-23"), meta={"seed": 3})
    motion.save(tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive:
        assert archive["positions"].dtype == np.float32
        assert archive["fps"] == 30
        assert archive["skeleton"] == "conductor-23"
        assert tuple(archive["joints"]) == motion.skeleton.joints
        assert json.loads(str(archive["meta"])) == {"seed": 3}
        assert archive["bones"].shape == (22, 2)


def test_three_arrays_are_enough_for_a_known_body(tmp_path):
    positions = np.random.default_rng(0).random((4, 13, 2))
    np.savez(tmp_path / "x.npz", positions=positions, fps=25, skeleton="conductor-13")
    loaded = Motion.load(tmp_path / "x.npz")
    assert (loaded.skeleton.name, loaded.fps, loaded.meta) == ("conductor-13", 25, {})
    np.testing.assert_allclose(loaded.positions, positions, atol=1e-7)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"positions": None}, "holds fps, skeleton, but no positions"),
        ({"positions": np.array([["a"]])}, "positions is of type <U1"),
        ({"positions": np.ones((4, 13, 2), complex)}, "positions is of type complex"),
        ({"positions": np.ones((4, 12, 2))}, "needs .frames, 13, 2 or 3"),
        ({"positions": np.ones((0, 13, 2))}, "no frames"),
        ({"positions": np.full((4, 13, 2), np.nan)}, "not finite"),
        ({"positions": np.full((4, 13, 2), 1e300)}, "not finite"),
        ({"fps": "fast"}, "fps is of type"),
        ({"fps": [30, 30]}, "fps is of type"),
        ({"fps": -1}, "fps is -1"),
        ({"skeleton": "nobody"}, "no skeleton is called 'nobody'"),
        ({"skeleton": 13}, "skeleton is of type"),
        ({"joints": ["a", "b"]}, "no bones, mirror"),
        ({"joints": ["a", "b"], "bones": [[0, 5]], "mirror": [0, 1]}, "a bone names a joint that is not there"),
        ({"joints": ["a", "b"], "bones": [[0, 1, 1]], "mirror": [0, 1]}, "bones have shape"),
        ({"meta": "[1]"}, "meta is no JSON object"),
        ({"meta": "{"}, "no valid JSON"),
        ({"rotations": np.zeros((4, 13, 3, 3))}, "no rotation matrices"),
        ({"root": np.ones((3, 3))}, "root has shape"),
    ],
)
def test_an_archive_with_something_else_is_refused(tmp_path, change, complaint):
    arrays = {"positions": np.ones((4, 13, 2)), "fps": 30, "skeleton": "conductor-13"} | change
    np.savez(tmp_path / "x.npz", **{key: value for key, value in arrays.items() if value is not None})
    with pytest.raises(MotionError, match=complaint):
        Motion.load(tmp_path / "x.npz")


def test_pickled_objects_are_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    arrays = {"positions": np.ones((4, 13, 2)), "fps": 30, "skeleton": "conductor-13"}
    np.savez(tmp_path / "x.npz", **arrays, meta=np.array([Trap()], object))
    with pytest.raises(MotionError, match="NumPy archive"):
        Motion.load(tmp_path / "x.npz")


def test_an_archive_of_other_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for name in ("positions", "fps", "skeleton"):
            archive.writestr(name, "not an array")
    with pytest.raises(MotionError, match="is no NumPy archive of numbers: fps is damaged or no array"):
        Motion.load(tmp_path / "x.npz")


def test_characters_that_are_none_are_refused(tmp_path):
    name = np.full(1, 0x7FFFFFFF, np.uint32).view("U1")[0:1].reshape(())
    np.savez(tmp_path / "x.npz", positions=np.ones((4, 13, 2)), fps=30, skeleton=name)
    with pytest.raises(MotionError, match="damaged text"):
        Motion.load(tmp_path / "x.npz")


def test_a_header_that_promises_too_much_is_refused(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**15, 13, 2)})
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for name in ("positions", "fps", "skeleton"):
            archive.writestr(f"{name}.npy", header.getvalue() + bytes(64))
    with pytest.raises(MotionError, match="damaged"):
        npz.read(tmp_path / "x.npz")
