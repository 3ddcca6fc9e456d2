import io
import tracemalloc

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.motion import Motion
from ictus.retargeting.projection import project
from ictus.skeleton import get_skeleton

POSITIONS = np.random.default_rng(0).random((5, 13, 2)).astype(np.float32)


def test_the_file_is_the_bare_array(tmp_path):
    Motion(POSITIONS, 30.0, get_skeleton("conductor-13")).save(tmp_path / "x.npy")
    array = np.load(tmp_path / "x.npy", allow_pickle=False)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, POSITIONS)


@pytest.mark.parametrize("shape", [(5, 13, 2), (5, 26)])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_float_array_of_that_size_is_read(tmp_path, shape, dtype, order):
    np.save(tmp_path / "x.npy", np.asarray(POSITIONS.reshape(shape), dtype=dtype, order=order))
    motion = Motion.load(tmp_path / "x.npy")
    assert (motion.fps, motion.skeleton) == (30.0, get_skeleton("conductor-13"))
    np.testing.assert_allclose(motion.positions, POSITIONS, atol=5e-4 if dtype == "<f2" else 0)


@pytest.mark.parametrize(
    "array",
    [
        *(np.zeros(shape, np.float32) for shape in [(5, 13, 3), (5, 17, 2), (5, 39), (26,), (), (1, 5, 13, 2)]),
        *(np.zeros((5, 13, 2), dtype) for dtype in ["i4", "U3", "?", "c8"]),
        np.zeros((5, 13, 2), [("x", "f4")]),
    ],
)
def test_another_shape_or_type_is_refused(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(MotionError, match=r"is of floats \(frames, 13, 2\)"):
        Motion.load(tmp_path / "x.npy")


@pytest.mark.parametrize("array", [np.array([{}], object), np.zeros((0, 13, 2)), np.full((5, 13, 2), np.inf)])
def test_objects_and_gaps_are_refused(tmp_path, array):
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(MotionError):
        Motion.load(tmp_path / "x.npy")


@pytest.mark.parametrize("frames", [10**7, 10**12, 10**18, 2**62])
def test_a_header_that_promises_too_much_is_refused_before_it_fills_the_memory(tmp_path, frames):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (frames, 13, 2)})
    (tmp_path / "x.npy").write_bytes(header.getvalue() + bytes(1000))
    tracemalloc.start()
    with pytest.raises(MotionError, match="damaged"):
        Motion.load(tmp_path / "x.npy")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(
    "header", [b"{", b"[" * 9000, b"if x:\n        y\n    z\n", b"{'descr': 3}", b"\xff", b"1+", b"'"]
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path, header):
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(MotionError, match="damaged"):
        Motion.load(tmp_path / "x.npy")


def test_a_whole_conductor_is_projected_and_other_bodies_are_refused(tmp_path, swing):
    motion = swing(get_skeleton("conductor-23"))
    motion.save(tmp_path / "x.npy")
    seen = project(motion.resample(30)).positions
    np.testing.assert_allclose(Motion.load(tmp_path / "x.npy").positions, seen, atol=1e-3)
    with pytest.raises(MotionError, match="conductor-13 in 3-D"):
        Motion(np.zeros((5, 13, 3)), 30.0, get_skeleton("conductor-13")).save(tmp_path / "x.npy")
    with pytest.raises(MotionError, match="coco-17 in 2-D"):
        Motion(np.zeros((5, 17, 2)), 30.0, get_skeleton("coco-17")).save(tmp_path / "x.npy")


def test_another_frame_rate_is_resampled(tmp_path):
    Motion(POSITIONS, 25.0, get_skeleton("conductor-13")).save(tmp_path / "x.npy")
    assert len(Motion.load(tmp_path / "x.npy")) == 6
