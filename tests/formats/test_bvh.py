import re

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError
from ictus.formats import bvh
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import Skeleton, get_skeleton

CMU_METRES = 0.056444

TWO_JOINTS = """HIERARCHY
ROOT Hips
{
  OFFSET 7 8 9
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Left Knee
  {
    OFFSET 0 -40 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -30 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.033333
100 90 0  0 0 0  0 0 0
100 90 0  90 0 0  0 30 0
"""


def second_reading(text, frames):
    """Positions (T, J, 3) in the file's units, by plain 4x4 matrices, as a check from another hand."""
    head, motion = text.split("MOTION")
    joints, stack = {}, []
    for line in head.replace("\r", "").splitlines():
        match line.split():
            case ["ROOT" | "JOINT", name]:
                joints[name] = {"parent": stack[-1] if stack else None}
                stack.append(name)
            case ["End", "Site"]:
                stack.append(None)
            case ["OFFSET", *numbers] if stack[-1]:
                joints[stack[-1]]["offset"] = np.array(numbers, float)
            case ["CHANNELS", _, *channels]:
                joints[stack[-1]]["channels"] = channels
            case ["}"]:
                stack.pop()
    rows = [line.split() for line in motion.strip().splitlines()[2:]]
    return np.array([pose(joints, list(map(float, row))) for row in rows[:frames]])


def pose(joints, numbers):
    worlds = {}
    for name, joint in joints.items():
        local = np.eye(4)
        local[:3, 3] = joint["offset"]
        for channel in joint["channels"]:
            axis, value = "XYZ".index(channel[0]), numbers.pop(0)
            if channel.endswith("position"):
                local[axis, 3] = value
            else:
                a, b = (axis + 1) % 3, (axis + 2) % 3
                turn = np.eye(4)
                turn[[a, b], [a, b]] = np.cos(np.radians(value))
                turn[b, a] = np.sin(np.radians(value))
                turn[a, b] = -turn[b, a]
                local = local @ turn
        worlds[name] = local if joint["parent"] is None else worlds[joint["parent"]] @ local
    assert not numbers
    return [world[:3, 3] for world in worlds.values()]


def load(tmp_path, text, **options):
    (tmp_path / "figure.bvh").write_bytes(text.encode())
    data = bvh.read(tmp_path / "figure.bvh", **options)
    return Motion._of(data)


@pytest.mark.parametrize(("name", "frames"), [("cmu_05_20", 1096), ("cmu_94_01", 3602)])
def test_motion_capture_is_read_as_a_second_reader_reads_it(shared_data, name, frames):
    path = shared_data / "bvh" / f"{name}.bvh"
    motion = Motion._of(bvh.read(path, CMU_METRES))
    assert (len(motion), len(motion.skeleton), motion.fps, motion.skeleton.name) == (frames, 31, 120.0, name)
    assert motion.rotations is not None
    expected = second_reading(path.read_text(), 150) * CMU_METRES
    np.testing.assert_allclose(motion.positions[:150], expected, rtol=0, atol=2e-6)
    body = motion.skeleton
    head, toe = (motion.positions[:, body.index(joint), 1] for joint in ("Head", body.joints[5]))
    assert 1.1 < (head - toe).max() < 1.5  # people, in metres, from toes to neck


def test_motion_capture_comes_back_from_our_own_file(shared_data, tmp_path):
    motion = Motion._of(bvh.read(shared_data / "bvh" / "cmu_05_20.bvh", CMU_METRES))
    motion.save(tmp_path / "x.bvh")
    loaded = Motion.load(tmp_path / "x.bvh")
    assert (loaded.skeleton.joints, loaded.fps) == (motion.skeleton.joints, 120.0)
    np.testing.assert_allclose(loaded.positions, motion.positions, rtol=0, atol=3e-6)


def test_our_own_file_is_read_so_by_a_second_reader(tmp_path, swing):
    motion = swing(get_skeleton("conductor-23"), 5)
    motion.save(tmp_path / "x.bvh")
    text = (tmp_path / "x.bvh").read_text()
    names = re.findall(r"(?:ROOT|JOINT) (\S+)", text)
    assert sorted(names) == sorted(motion.skeleton.joints)
    order = [motion.skeleton.index(name) for name in names]
    np.testing.assert_allclose(second_reading(text, 5) / 100, motion.positions[:, order], rtol=0, atol=2e-6)


def test_the_file_keeps_to_the_customs(tmp_path, swing):
    swing(get_skeleton("conductor-23"), 5).save(tmp_path / "x.bvh")
    text = (tmp_path / "x.bvh").read_text()
    root = text[: text.index("JOINT")]
    assert "OFFSET 0.000000 0.000000 0.000000" in root  # some programs add it to the position, others do not
    assert "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation" in root
    assert text.count("CHANNELS 3 Zrotation Xrotation Yrotation") == 22
    leaves = re.findall(r"JOINT (\w+)\s*\{\s*OFFSET[^\n]*\s*CHANNELS[^\n]*\s*End Site", text)
    assert set(leaves) == {"nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_hand", "baton"} | {
        "left_hip",
        "right_hip",
    }
    assert text.count("End Site") == len(leaves)
    assert text.count("{") == text.count("}") == 23 + len(leaves)
    assert not re.search(r"End Site\s*\{\s*OFFSET 0\.0+ 0\.0+ 0\.0+\s", text)  # a bone needs a length to be shown


def test_a_leaf_without_length_still_gets_a_bone_to_show(tmp_path):
    body = Skeleton("one", ("a", "b"), (), (-1, 0), rest=np.zeros((2, 3)))
    Motion(np.zeros((1, 2, 3)), 30, body, np.tile(np.eye(3), (1, 2, 1, 1)), np.zeros((1, 3))).save(tmp_path / "x.bvh")
    (end,) = re.findall(r"End Site\s*\{\s*OFFSET (.*)", (tmp_path / "x.bvh").read_text())
    assert np.linalg.norm(np.array(end.split(), float)) > 0.1


def test_a_figure_without_channels_has_no_frames_to_count(tmp_path):
    text = re.sub(r"CHANNELS.*", "CHANNELS 0", TWO_JOINTS)
    (tmp_path / "x.bvh").write_text(text[: text.index("Frames")] + "Frames: 999999999999\nFrame Time: 0.1\n")
    with pytest.raises(MotionError, match="no channels"):
        Motion.load(tmp_path / "x.bvh")


def test_angles_run_on_over_half_a_turn(tmp_path, random_body):
    body, turn = random_body(1), np.linspace(0, 1000, 60)
    rotations = Rotation.from_euler("Y", turn[:, None], degrees=True).as_matrix()[:, None]
    root = np.zeros((60, 3))
    Motion(forward_kinematics(body, rotations, root), 30, body, rotations, root).save(tmp_path / "x.bvh")
    rows = np.loadtxt((tmp_path / "x.bvh").read_text().splitlines()[-60:])
    np.testing.assert_allclose(rows[:, 5], turn, atol=1e-3)


def test_gimbal_lock_does_no_harm(tmp_path, recwarn):
    body = Skeleton("one", ("a", "b"), ((0, 1),), (-1, 0), rest=np.array([[0, 0, 0], [0, 1, 0]]))
    rotations = Rotation.from_euler("ZXY", [[10, 90, 20], [30, -90, 5]], degrees=True).as_matrix()
    rotations = np.stack([rotations, rotations[::-1]], axis=1)
    motion = Motion(forward_kinematics(body, rotations, np.zeros((2, 3))), 30, body, rotations, np.zeros((2, 3)))
    motion.save(tmp_path / "x.bvh")
    np.testing.assert_allclose(Motion.load(tmp_path / "x.bvh").rotations, motion.rotations, atol=1e-6)
    assert not recwarn.list


def test_a_hand_written_file(tmp_path):
    motion = load(tmp_path, TWO_JOINTS)
    assert motion.skeleton.name == "figure"
    assert motion.skeleton.joints == ("Hips", "Left Knee")
    assert motion.skeleton.parents == (-1, 0)
    assert motion.fps == 30
    # The position channels replace the root's OFFSET; a quarter turn about z lays the hanging leg along +x.
    np.testing.assert_allclose(motion.positions[0], [[1, 0.9, 0], [1, 0.5, 0]], atol=1e-6)
    np.testing.assert_allclose(motion.positions[1], [[1, 0.9, 0], [1.4, 0.9, 0]], atol=1e-6)


def test_the_scale_is_metres_per_unit(tmp_path):
    inches = load(tmp_path, TWO_JOINTS, scale=0.0254)
    np.testing.assert_allclose(inches.positions, load(tmp_path, TWO_JOINTS).positions * 2.54, rtol=1e-6)


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: "\ufeff" + text,
        lambda text: re.sub(r"\s*\{", " {", text),
        lambda text: re.sub(r"\s*\{", "{", text),
        lambda text: text.replace("Frame Time: ", "Frame Time:").replace("Frames: ", "Frames:\t"),
        lambda text: text.replace("\n100", "   \n\t100"),
        lambda text: text.upper().replace("LEFT KNEE", "Left Knee").replace("HIPS", "Hips"),
        lambda text: text.rstrip(),
    ],
)
def test_spelling_does_not_matter(tmp_path, spell):
    plain, other = load(tmp_path, TWO_JOINTS), load(tmp_path, spell(TWO_JOINTS))
    assert other.skeleton.joints == plain.skeleton.joints
    np.testing.assert_array_equal(other.positions, plain.positions)


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "XY", "Z", ""])
@pytest.mark.parametrize("places", ["XYZ", "ZXY", "Y", ""])
@pytest.mark.parametrize("rotations_first", [False, True])
def test_channels_may_stand_in_any_order(tmp_path, order, places, rotations_first):
    positions, rotations = [f"{axis}position" for axis in places], [f"{axis}rotation" for axis in order]
    channels = rotations + positions if rotations_first else positions + rotations
    values = " ".join(str(value) for value in [11, 22, 33, 44, 55, 66][: len(channels)])
    text = TWO_JOINTS.replace("6 Xposition Yposition Zposition Zrotation Xrotation Yrotation", "@", 1)
    text = text.replace("@", f"{len(channels)} {' '.join(channels)}").replace("Left Knee", "Knee")
    text = text[: text.index("Frames")] + f"Frames: 1\nFrame Time: 0.01\n{values} 10 20 30\n"
    if rotations_first:  # positions behind rotations still say where the joint is, not where it goes after turning
        numbers = dict(zip(channels, values.split(), strict=True))
        first = sorted(channels, key=lambda channel: channel.endswith("rotation"))
        plain = text.replace(" ".join(channels), " ".join(first)).replace(values, " ".join(numbers[c] for c in first))
    else:
        plain = text
    np.testing.assert_allclose(load(tmp_path, text).positions, second_reading(plain, 1) / 100, atol=1e-6)


def test_positions_of_inner_joints_become_their_offsets(tmp_path):
    text = TWO_JOINTS.replace("CHANNELS 3 Z", "CHANNELS 6 Xposition Yposition Zposition Z")
    text = text.replace("0 0 0\n100", "0 -50 0 0 0 0\n100").replace("0 30 0\n", "0 -50 0 0 30 0\n")
    motion = load(tmp_path, text)
    np.testing.assert_allclose(motion.skeleton.offsets[1], [0, -0.5, 0], atol=1e-6)
    assert motion.rotations is not None
    np.testing.assert_allclose(motion.positions, second_reading(text.replace("t K", "tK"), 2) / 100, atol=1e-6)


def test_sliding_joints_leave_positions_only(tmp_path):
    text = TWO_JOINTS.replace("CHANNELS 3 Z", "CHANNELS 6 Xposition Yposition Zposition Z")
    text = text.replace("0 0 0\n100", "0 -50 0 0 0 0\n100").replace("0 30 0\n", "0 -60 1 0 30 0\n")
    motion = load(tmp_path, text)
    assert motion.rotations is None
    assert motion.root is None
    np.testing.assert_allclose(motion.positions, second_reading(text.replace("t K", "tK"), 2) / 100, atol=1e-6)


@pytest.mark.parametrize(
    ("time", "fps"),
    [
        (".0083333", 120),
        ("0.008333", 120),
        ("0.0333", 30),
        ("0.016666", 60),
        ("0.04", 25),
        ("0.0417083", 23.976),
        ("0.0333667", 29.97),
        ("1", 1),
    ],
)
def test_a_rounded_frame_time_means_the_frame_rate_it_came_from(tmp_path, time, fps):
    loaded = load(tmp_path, TWO_JOINTS.replace("0.033333", time))
    assert loaded.fps == (fps if fps == int(fps) else pytest.approx(fps, rel=1e-5))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("HIERARCHY", "HIERARCHIE", "does not begin"),
        ("MOTION", "MOVEMENT", 'no "MOTION"'),
        ("Frames: 2", "Frames: two", 'no "MOTION"'),
        ("0.033333", "0", "frame time"),
        ("0.033333", "-1", "frame time"),
        ("0.033333", "nan", "frame time"),
        ("0.033333", "soon", "frame time"),
        ("100 90 0  0", "100 x 0  0", "row 1, Yposition of Hips: 'x' is no finite number"),
        ("100 90 0  0", "100 nan 0  0", "row 1, Yposition of Hips: 'nan' is no finite number"),
        ("100 90 0  0", "100 1e999 0  0", "row 1, Yposition of Hips: '1e999' is no finite number"),
        ("100 90 0  0", "100 90,5 0  0", "row 1, Yposition of Hips: '90,5' has a decimal comma; export"),
        ("100 90 0  0", "100 90 0  0 0", r"row 1 has 10 numbers, and the joints have 9 channels"),
        ("100 90 0  0", "100 1e300 0  0", "nowhere"),
        ("OFFSET 0 -40 0", "OFFSET 0 -40", "damaged hierarchy"),
        ("OFFSET 0 -40 0", "OFFSET 0 -1e99 0", "nowhere"),
        ("CHANNELS 3", "CHANNELS 4", "channels"),
        ("CHANNELS 3", "CHANNELS 99999999999999999999", "damaged hierarchy"),
        ("CHANNELS 3", "CHANNELS -1", "damaged hierarchy"),
        ("CHANNELS 3 Zrotation", "CHANNELS 3 Xrotation", "channels"),
        ("CHANNELS 3 Zrotation", "CHANNELS 3 Wrotation", "channels"),
        ("OFFSET 0 -30 0", "CHANNELS 1 Xrotation", "unknown word"),
        ("OFFSET 0 -30 0", "JOINT Toe { OFFSET 0 0 0 CHANNELS 0 }", "joint outside"),
        ("JOINT", "BONE", "unknown word"),
        ("JOINT", "ROOT", "several skeletons"),
        ("}\nMOTION", "}\nROOT Other\n{\n}\nMOTION", "several skeletons"),
        ("}\nMOTION", "MOTION", "cut short"),
        ("Left Knee", "Hips", "same name, 'Hips'"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path, old, new, complaint):
    assert old in TWO_JOINTS
    (tmp_path / "x.bvh").write_text(TWO_JOINTS.replace(old, new, 1))
    with pytest.raises(MotionError, match=complaint):
        Motion.load(tmp_path / "x.bvh")


@pytest.mark.parametrize(
    ("old", "new", "frames"),
    [
        ("Frames: 2", "Frames: 3", 2),
        ("Frames: 2", "Frames: 1", 2),
        ("Frames: 2", "Frames: 99999999999999999999", 2),
        ("Frames: 2", "Frames: " + "9" * 5000, 2),
        (" 30 0\n", "", 1),
    ],
)
def test_whole_frames_are_read_with_a_warning(tmp_path, caplog, old, new, frames):
    (tmp_path / "x.bvh").write_text(TWO_JOINTS.replace(old, new, 1))
    assert len(Motion.load(tmp_path / "x.bvh")) == frames
    (record,) = caplog.records
    message = record.getMessage()
    assert f"x.bvh: promises {new.partition(' ')[2][:100] or 2}" in message
    assert f"{frames} whole ones are read" in message
    assert len(message) < 500


def test_a_frame_may_take_several_lines(tmp_path):
    text = TWO_JOINTS.replace("  0 0 0  ", "\n0 0 0\n")
    np.testing.assert_array_equal(load(tmp_path, text).positions, load(tmp_path, TWO_JOINTS).positions)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("上半身", "utf-8"), ("上半身", "shift_jis"), ("左臂", "gb18030"), ("Hüfte", "latin-1"), ("ﾋﾀﾞﾘ", "utf-8")],
)
def test_names_in_the_encodings_of_other_programs(tmp_path, name, encoding):
    (tmp_path / "x.bvh").write_bytes(TWO_JOINTS.replace("Left Knee", name).encode(encoding))
    assert Motion.load(tmp_path / "x.bvh").skeleton.joints == ("Hips", name)


@pytest.mark.parametrize(
    ("joints", "frames", "says"), [(9000, 400, "400 frames of 9001 joints"), (10_000, 1, "10001 joints")]
)
def test_far_more_joints_than_numbers_are_refused(tmp_path, joints, frames, says):
    tree = "".join(f"JOINT j{k} {{ }} " for k in range(joints))
    head = f"HIERARCHY ROOT a {{ CHANNELS 1 Xposition {tree} }}\nMOTION\nFrames: {frames}\nFrame Time: 1\n"
    (tmp_path / "x.bvh").write_text(head + "0\n" * frames)
    with pytest.raises(MotionError, match=says):
        Motion.load(tmp_path / "x.bvh")


@pytest.mark.parametrize("name", ["", "two  spaces", " ", "a{b", "\udcff"])
def test_a_name_that_would_break_the_file_is_refused(tmp_path, name):
    body = Skeleton("one", (name,), (), (-1,), rest=np.zeros((1, 3)))
    motion = Motion(np.zeros((1, 1, 3)), 30, body, np.eye(3)[None, None], np.zeros((1, 3)))
    with pytest.raises(MotionError, match="rename"):
        motion.save(tmp_path / "x.bvh")


def test_a_very_deep_hierarchy_is_no_problem(tmp_path):
    joints = 1500
    rest = np.zeros((joints, 3))
    rest[:, 1] = np.arange(joints) / 100
    body = Skeleton("chain", tuple(map(str, range(joints))), (), tuple(range(-1, joints - 1)), rest=rest)
    rotations = np.tile(np.eye(3), (1, joints, 1, 1))
    motion = Motion(rest[None], 30, body, rotations, np.zeros((1, 3)))
    motion.save(tmp_path / "x.bvh")
    np.testing.assert_allclose(Motion.load(tmp_path / "x.bvh").positions, motion.positions, atol=1e-4)
