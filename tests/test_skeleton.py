from dataclasses import replace

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.skeleton import Skeleton, find_skeleton, get_skeleton

BODIES = ["conductor-13", "conductor-23", "coco-17"]


@pytest.mark.parametrize("name", BODIES)
def test_the_bodies_are_whole(name):
    body = get_skeleton(name)
    assert body.name == name
    assert len(body) == len(body.joints) == int(name.split("-")[1])
    assert len(set(body.bones)) == len(body.bones)
    assert {joint for bone in body.bones for joint in bone} == set(range(len(body)))  # nothing hangs in the air


@pytest.mark.parametrize("name", BODIES)
def test_mirroring_swaps_left_and_right(name):
    body = get_skeleton(name)
    for joint, other in zip(body.joints, body.mirror, strict=True):
        swapped = joint.replace("left", "@").replace("right", "left").replace("@", "right")
        assert body.joints[other] == swapped


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


def test_offsets_add_up_to_the_rest_pose():
    body = get_skeleton("conductor-23")
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


def test_a_hierarchy_is_found_in_any_order():
    body = get_skeleton("conductor-23")
    order = [0, *range(22, 0, -1)]
    joints = tuple(body.joints[joint] for joint in order)
    parents = tuple(order.index(body.parents[joint]) if joint else -1 for joint in order)
    assert find_skeleton(joints, parents) is body
    assert find_skeleton(body.joints, (-1, *[0] * 22)) is None
    assert find_skeleton(("a",), (-1,)) is None


@pytest.mark.parametrize("sides", [("left_", "right_"), ("Left", "Right")])
def test_counterparts_are_found_by_name(sides):
    left, right = sides
    body = Skeleton("x", (f"{left}arm", "chest", f"{right}arm", f"{left}ear"), ())
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
