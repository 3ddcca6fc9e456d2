import json
from dataclasses import replace

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.skeleton import Skeleton, find_skeleton, get_skeleton

BODIES = ["conductor-13", "conductor-23", "coco-17", "smpl-24", "melody-21", "melody-23", "solos-47", "blaze-75"]


@pytest.mark.parametrize("name", BODIES)
def test_the_bodies_are_whole(name):
    body = get_skeleton(name)
    assert body.name == name
    assert len(body) == len(body.joints) == int(name.split("-")[1])
    assert len(set(body.bones)) == len(body.bones)
    assert {joint for bone in body.bones for joint in bone} == set(range(len(body)))  # nothing hangs in the air


@pytest.mark.parametrize(
    ("name", "left", "right", "pairs"),
    [
        ("conductor-13", "left_", "right_", 6),
        ("conductor-23", "left_", "right_", 8),
        ("coco-17", "left_", "right_", 8),
        ("smpl-24", "l", "r", 9),
        ("melody-21", "_l", "_r", 10),
        ("melody-23", "_l", "_r", 11),
        ("solos-47", "left_", "right_", 23),
        ("blaze-75", "left_", "right_", 37),
    ],
)
def test_mirroring_swaps_left_and_right(name, left, right, pairs):
    body = get_skeleton(name)
    swapped = [(body.joints[joint], body.joints[other]) for joint, other in enumerate(body.mirror) if joint != other]
    assert len(swapped) == 2 * pairs
    for one, other in swapped:
        assert other in (one.replace(left, right, 1), one.replace(right, left, 1))


def test_the_image_bodies_keep_the_order_of_their_corpora():
    coco = get_skeleton("coco-17")
    assert coco.joints[:5] == ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
    assert coco.joints[5:9] == ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow")
    assert coco.joints[13:] == ("left_knee", "right_knee", "left_ankle", "right_ankle")
    assert get_skeleton("conductor-13").joints == coco.joints[:13]


def test_the_conductor_stands_upright_symmetric_and_facing_the_players():
    body = get_skeleton("conductor-23")
    place = dict(zip(body.joints, body.rest, strict=True))
    assert place["left_hand"][0] > 0.5 > -0.5 > place["right_hand"][0]
    assert place["nose"][2] > place["head"][2]
    assert place["head"][1] > place["neck"][1] > place["pelvis"][1] > 0
    flipped = body.rest[list(body.mirror)] * [-1, 1, 1]
    both = [joint for joint, name in enumerate(body.joints) if name != "baton"]
    np.testing.assert_allclose(flipped[both], body.rest[both], atol=1e-7)
    assert body.joints[body.parents[body.index("baton")]] == "right_hand"


def test_the_dancer_is_an_upright_symmetric_adult_on_the_floor():
    body = get_skeleton("smpl-24")
    assert body.parents == (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
    place = dict(zip(body.joints, body.rest, strict=True))
    np.testing.assert_allclose(body.rest[list(body.mirror)] * [-1, 1, 1], body.rest, atol=1e-7)
    assert place["lwrist"][0] > 0.5  # a T-pose; its own left hand at +x
    assert place["ltoes"][2] > place["lankle"][2] + 0.1  # facing +z
    assert 0 < body.rest[:, 1].min() < 0.03  # toes on the floor, within the thresholds of contact
    assert place["lankle"][1] < 0.08
    assert 1.4 < place["head"][1] < 1.6
    assert all(np.linalg.norm(body.offsets[joint]) > 0.04 for joint in range(1, 24))


def test_dance_with_melody_keeps_the_order_of_its_corpus():
    body = get_skeleton("melody-23")
    assert body.joints[:4] == ("head_l", "head_r", "waist", "shoulder_l")
    assert body.joints[11:13] == ("toe_l", "shoulder_r")
    assert body.joints[21:] == ("hand_dir_r", "hand_dir_l")
    assert len(body.bones) == 22
    assert get_skeleton("melody-21").joints == body.joints[:21]
    assert len(get_skeleton("melody-21").bones) == 20
    assert body.parents is None


def test_the_melody_bodies_agree_with_the_facts_of_their_corpus(shared_data):
    facts = json.loads((shared_data / "dance_with_melody" / "joints.json").read_text())
    body = get_skeleton("melody-23")
    assert list(body.joints) == facts["joint_names"]
    assert list(body.mirror) == facts["left_right_swap"]
    assert {frozenset(bone) for bone in body.bones} == {frozenset(bone) for bone in facts["bones"]}


@pytest.mark.parametrize("name", ["conductor-23", "smpl-24"])
def test_offsets_add_up_to_the_rest_pose(name):
    body = get_skeleton(name)
    for joint in range(len(body)):
        place, parent = np.zeros(3), joint
        while parent >= 0:
            place, parent = place + body.offsets[parent], body.parents[parent]
        np.testing.assert_allclose(place, body.rest[joint], atol=1e-6)


def test_offsets_need_a_hierarchy():
    with pytest.raises(MotionError, match="conductor-13 is no hierarchy"):
        _ = get_skeleton("conductor-13").offsets


def test_unknown_names_are_answered_with_the_known():
    with pytest.raises(MotionError, match="'nobody'; known are conductor-13"):
        get_skeleton("nobody")
    with pytest.raises(MotionError, match=r"no joint 'tail'; it has nose, left_eye"):
        get_skeleton("coco-17").index("tail")
    assert get_skeleton("coco-17").index("right_ankle") == 16


def test_names_are_harmless():
    body = Skeleton("x\x1b]0;y\x07\nz" + "n" * 5000, ("a\nb", "c"), ())
    assert body.name.startswith("x ]0;y zn")
    assert len(body.name) == 200
    assert body.joints == ("a b", "c")
    with pytest.raises(MotionError, match=r"no skeleton is called '\w{100}.*; known are"):
        get_skeleton("n" * 5000)


def test_no_body_has_joints_without_end():
    with pytest.raises(MotionError, match="it has 10001 joints; at most 10000"):
        Skeleton("crowd", tuple(map(str, range(10_001))), ())


def test_a_hierarchy_is_found_in_any_order():
    body = get_skeleton("conductor-23")
    order = [0, *range(22, 0, -1)]
    joints = tuple(body.joints[joint] for joint in order)
    parents = tuple(order.index(body.parents[joint]) if joint else -1 for joint in order)
    assert find_skeleton(joints, parents) is body
    assert find_skeleton(body.joints, (-1, *[0] * 22)) is None
    assert find_skeleton(("a",), (-1,)) is None


@pytest.mark.parametrize("sides", [("left_{}", "right_{}"), ("Left{}", "Right{}"), ("{}_l", "{}_r")])
def test_counterparts_are_found_by_name(sides):
    left, right = sides
    body = Skeleton("x", (left.format("arm"), "chest", right.format("arm"), left.format("ear")), ())
    assert body.mirror == (2, 1, 0, 3)


GOOD = {"name": "x", "joints": ("a", "b", "c"), "bones": ((0, 1),), "parents": (-1, 0, 0), "rest": np.zeros((3, 3))}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"joints": (), "bones": (), "parents": None, "rest": None}, "no joints"),
        ({"joints": ("a", "b", "a")}, "same name"),
        ({"bones": ((0, 3),)}, "a bone names a joint"),
        ({"bones": ((-1, 0),)}, "a bone names a joint"),
        ({"mirror": (0, 1)}, "mirror"),
        ({"mirror": (1, 2, 0)}, "mirror"),
        ({"mirror": (0, 1, 3)}, "mirror"),
        ({"parents": (-1, 0)}, "2 parents for 3 joints"),
        ({"parents": (-1, 0, 1, 2)}, "4 parents for 3 joints"),
        ({"parents": (-1, 2, 0)}, "before its children"),
        ({"parents": (-1, 1, 0)}, "before its children"),
        ({"parents": (0, 0, 0)}, "before its children"),
        ({"parents": (-2, 0, 0)}, "before its children"),
        ({"parents": (-1, -1, 0)}, "only the first joint"),
        ({"rest": np.zeros((2, 3))}, "rest pose has shape"),
        ({"rest": np.full((3, 3), np.nan)}, "rest pose is not finite"),
    ],
)
def test_a_body_that_does_not_fit_together_is_refused(change, complaint):
    Skeleton(**GOOD)
    with pytest.raises(MotionError, match=complaint):
        Skeleton(**GOOD | change)


def test_bodies_are_equal_by_structure_and_can_be_keys():
    body = get_skeleton("conductor-23")
    tall = replace(body, rest=2 * body.rest)
    assert tall == body
    assert len({body, tall}) == 1
    assert tall.rest.dtype == np.float32
    assert replace(body, name="y") != body
