"""What every motion format promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ictus.errors import MotionError, UsageError
from ictus.formats import SUFFIXES, reader, writer
from ictus.motion import Motion
from ictus.skeleton import Skeleton, get_skeleton

# The largest error of a coordinate in metres, and of a rotation matrix's entry, for bodies of a few metres.
TOLERANCE = {".npz": (0.0, 0.0), ".json": (6e-7, 3e-6), ".bvh": (2e-6, 3e-7), ".glb": (2e-6, 3e-7)}
# What a format that does not take any body is tried with.
BODIES = {".npy": "conductor-13", ".pkl": "smpl-24"}
WITH_META = (".npz", ".json", ".glb")
META = {"beats": [0.5, 1.0], "model": "maestro", "seed": None, "nested": {"ß": [True, "\udcff"]}}


def planar(frames: int = 4, seed: int = 0) -> Motion:
    return Motion(np.random.default_rng(seed).random((frames, 13, 2)), 30.0, get_skeleton("conductor-13"))


def example(suffix: str, swing, body: Skeleton, frames: int = 6) -> Motion:
    """Make a motion that the format can hold; of `body`, if it holds any body."""
    if suffix == ".npy":
        return planar()
    return swing(get_skeleton(BODIES[suffix]), frames, 60.0) if suffix in BODIES else swing(body, frames)


@pytest.mark.parametrize("suffix", TOLERANCE)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    joints=st.integers(1, 9),
    frames=st.integers(1, 6),
    fps=st.sampled_from([12.5, 23.976, 24, 29.97, 30, 59.94, 60, 100, 120]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_hierarchy_comes_back(tmp_path_factory, swing, random_body, suffix, joints, frames, fps, seed):
    motion = swing(random_body(joints, seed), frames, fps, seed)
    path = tmp_path_factory.mktemp("any") / f"x{suffix}"
    motion.save(path)
    loaded = Motion.load(path)

    assert set(loaded.skeleton.joints) == set(motion.skeleton.joints)
    order = [loaded.skeleton.index(joint) for joint in motion.skeleton.joints]
    near, turned = TOLERANCE[suffix]
    if suffix != ".bvh":  # whose files are ordered depth first, and know no rest place of the root
        assert order == list(range(joints))
        assert loaded.skeleton == motion.skeleton
        np.testing.assert_allclose(loaded.skeleton.rest, motion.skeleton.rest, rtol=0, atol=near)
    np.testing.assert_allclose(loaded.positions[:, order], motion.positions, rtol=0, atol=near)
    np.testing.assert_allclose(loaded.rotations[:, order], motion.rotations, rtol=0, atol=turned)
    np.testing.assert_allclose(loaded.root, motion.root, rtol=0, atol=near)
    offsets = loaded.skeleton.offsets[order][1:]
    np.testing.assert_allclose(offsets, motion.skeleton.offsets[1:], rtol=0, atol=2 * near)
    assert loaded.fps == pytest.approx(fps, rel=1e-12)


@pytest.mark.parametrize("suffix", TOLERANCE)
@pytest.mark.parametrize("name", ["conductor-23", "smpl-24"])
def test_a_known_body_is_recognised(tmp_path, swing, suffix, name):
    body = get_skeleton(name)
    swing(body).save(tmp_path / f"x{suffix}")
    loaded = Motion.load(tmp_path / f"x{suffix}").skeleton
    assert loaded == body
    np.testing.assert_array_equal(loaded.rest, body.rest)


@pytest.mark.parametrize("suffix", TOLERANCE)
def test_a_known_body_keeps_other_proportions(tmp_path, swing, suffix):
    known = get_skeleton("conductor-23")
    tall = type(known)(known.name, known.joints, known.bones, known.parents, rest=1.2 * known.rest)
    motion = swing(tall)
    motion.save(tmp_path / f"x{suffix}")
    loaded = Motion.load(tmp_path / f"x{suffix}")
    assert loaded.skeleton == known
    np.testing.assert_allclose(loaded.skeleton.offsets[1:], tall.offsets[1:], atol=1e-6)
    np.testing.assert_allclose(loaded.positions, motion.positions, atol=2e-6)


@pytest.mark.parametrize("suffix", WITH_META)
def test_meta_travels_along(tmp_path, swing, suffix):
    swing(get_skeleton("conductor-23"), meta=META).save(tmp_path / f"x{suffix}")
    assert Motion.load(tmp_path / f"x{suffix}").meta == META


@pytest.mark.parametrize("suffix", WITH_META)
@pytest.mark.parametrize("value", [np.zeros(2), float("nan"), {1, 2}])
def test_meta_that_json_cannot_hold_is_refused(tmp_path, swing, suffix, value):
    with pytest.raises(MotionError, match="JSON"):
        swing(get_skeleton("conductor-23"), meta={"x": value}).save(tmp_path / f"x{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".npz", ".json", ".npy"])
def test_image_coordinates_come_back(tmp_path, suffix):
    motion = planar()
    motion.save(tmp_path / f"x{suffix}")
    loaded = Motion.load(tmp_path / f"x{suffix}")
    assert (loaded.skeleton, loaded.fps) == (motion.skeleton, 30.0)
    assert loaded.rotations is None
    assert loaded.root is None
    np.testing.assert_allclose(loaded.positions, motion.positions, rtol=0, atol=6e-7 if suffix == ".json" else 0)


@pytest.mark.parametrize("suffix", [".bvh", ".glb"])
@pytest.mark.parametrize("what", ["planar", "no rotations"])
def test_positions_alone_are_refused_with_a_way_out(tmp_path, swing, suffix, what):
    turning = swing(get_skeleton("conductor-23"))
    flat = get_skeleton("coco-17")
    motion = (
        Motion(np.zeros((4, 17, 2)), 30.0, flat)
        if what == "planar"
        else Motion(turning.positions, 30.0, turning.skeleton)
    )
    path = tmp_path / f"x{suffix}"
    path.write_text("as it was")
    with pytest.raises(MotionError, match=r"positions only; save it as \.npz or \.json"):
        motion.save(path)
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_case_of_the_suffix_does_not_matter(tmp_path, swing, suffix):
    path = tmp_path / f"x{suffix.upper()}"
    example(suffix, swing, get_skeleton("conductor-23")).save(path)
    assert list(tmp_path.iterdir()) == [path]
    assert len(Motion.load(path)) > 0


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    for choose in (reader, writer):
        with pytest.raises(UsageError, match=r"'\.fbx'.*\.npz .*\.glb"):
            choose(tmp_path / "x.fbx")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"\0" * 64, b"hello", b"{}", b"[]", b"PK\3\4" + b"\0" * 40, b"\x93NUMPY\1\0v\0{"])
def test_a_foreign_file_is_refused_in_one_sentence(tmp_path, suffix, content):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(MotionError) as refusal:
        Motion.load(path)
    assert str(refusal.value).count(str(path)) == 1
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_or_empty_file_is_refused(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    with pytest.raises(MotionError, match="no such file"):
        Motion.load(path)
    path.touch()
    with pytest.raises(MotionError, match="empty"):
        Motion.load(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_format_refuses_the_others(tmp_path, swing, suffix):
    for other in SUFFIXES:
        if other != suffix:
            example(other, swing, get_skeleton("conductor-23")).save(tmp_path / f"x{other}")
            (tmp_path / f"x{other}").rename(tmp_path / f"y{suffix}")
            with pytest.raises(MotionError):
                Motion.load(tmp_path / f"y{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_cut_short_is_refused(tmp_path, swing, random_body, suffix):
    path = tmp_path / f"x{suffix}"
    example(suffix, swing, random_body(3), 3).save(path)
    data = path.read_bytes().rstrip()
    for size in np.random.default_rng(0).integers(1, len(data) - 12, size=150):
        path.write_bytes(data[:size])
        if suffix == ".bvh" and len(data[:size].partition(b"Frame Time")[2].splitlines()) > 2:
            assert len(Motion.load(path)) < 3  # whole frames are kept
            continue
        with pytest.raises(MotionError):
            Motion.load(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.filterwarnings("ignore")  # NumPy remarks on headers that look like an older version's
def test_damaged_bytes_make_a_valid_motion_or_a_plain_error(tmp_path, swing, random_body, suffix):
    path = tmp_path / f"x{suffix}"
    example(suffix, swing, random_body(3), 3).save(path)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(1)
    refused = 0
    for trial in range(400):
        damaged = data.copy()
        places = rng.integers(len(data), size=rng.integers(1, 4))
        damaged[places] = rng.integers(32, 127, len(places)) if trial % 2 else rng.integers(256, size=len(places))
        path.write_bytes(damaged.tobytes())
        try:
            motion = Motion.load(path)
        except MotionError:
            refused += 1
        else:
            assert np.isfinite(motion.positions).all()
    assert refused > 20
