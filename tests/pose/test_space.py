"""A person in space."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.pose import Track, track
from ictus.pose.space import feet_seen, in_space
from ictus.skeleton import get_skeleton
from pose.people_on_film import BODY, SIZE, BoxEngine, person_in, walking, write_people

DANCER = get_skeleton("smpl-24")


def standing(count: int, scale: float = 60.0, across: float = 0.0) -> Track:
    """Return somebody who stands before the camera: `scale` pixels a metre, and moving by pixels a frame."""
    person = person_in(np.array([60.0, 10, 60 + 0.8 * scale, 10 + 1.7 * scale]))
    points = np.tile(person.points, (count, 1, 1)) + across * np.arange(count)[:, None, None] * (1, 0)
    world = np.tile(person.world, (count, 1, 1))  # type: ignore[arg-type]
    confidence = np.ones((count, len(BODY)), np.float32)
    return Track(BODY, points.astype(np.float32), confidence, world.astype(np.float32), np.ones(count, bool), 25, SIZE)


def test_bones_have_constant_lengths_and_the_feet_are_on_the_floor() -> None:
    motion = in_space(standing(10))
    assert motion.skeleton == DANCER
    bones = [np.linalg.norm(motion.positions[:, a] - motion.positions[:, b], axis=-1) for a, b in DANCER.bones]
    assert max(np.ptp(bone) for bone in bones) < 1e-3
    assert abs(motion.positions[:, DANCER.index("ltoes"), 1].mean()) < 0.12
    assert motion.positions[:, DANCER.index("head"), 1].mean() > 1.2


def test_feet_that_are_guessed_do_not_swap_the_sides() -> None:
    seen = standing(10)
    world = seen.world.copy()
    for side in ("left", "right"):
        foot, heel = (BODY.index(f"{side}_{part}") for part in ("foot_index", "heel"))
        world[:, [foot, heel]] = world[:, [heel, foot]]
    right, guessed = (in_space(one).positions for one in (seen, replace(seen, world=world)))
    for hand in ("lwrist", "rwrist"):
        joint = DANCER.index(hand)
        np.testing.assert_allclose(guessed[:, joint, 0], right[:, joint, 0], atol=0.1)


def test_left_is_left_and_the_face_looks_to_the_camera() -> None:
    motion = in_space(standing(10))
    at = {name: motion.positions[0, DANCER.index(name)] for name in ("lwrist", "rwrist", "lhip", "rhip")}
    assert at["lwrist"][0] > at["rwrist"][0]
    assert at["lhip"][0] > at["rhip"][0]


def test_a_walk_across_the_picture_is_one_across_the_floor() -> None:
    path = in_space(standing(26, across=2.4)).positions[:, 0]
    assert path[-1, 0] - path[0, 0] == pytest.approx(1, rel=0.2)  # 60 pixels, at 60 a metre of somebody of another size
    assert np.ptp(path[:, 2]) < 0.05


def test_whoever_grows_larger_comes_nearer() -> None:
    far, near = standing(100, 40), standing(100, 60)
    both = replace(
        far,
        points=np.concatenate((far.points, near.points)),
        world=np.concatenate((far.world, near.world)),  # type: ignore[arg-type]
        confidence=np.concatenate((far.confidence, near.confidence)),
        seen=np.ones(200, bool),
    )
    path = in_space(both).positions[:, 0]
    assert path[-1, 2] > path[0, 2] + 0.5


def test_legs_that_are_not_seen_do_not_lift_the_body() -> None:
    found = standing(60)
    assert feet_seen(found)
    assert found.world is not None
    found.world[::2, [BODY.index("left_knee"), BODY.index("left_ankle"), BODY.index("left_foot_index")], 1] -= 0.4
    lifted = np.ptp(in_space(found).positions[:, 0, 1])
    hidden = replace(found, confidence=found.confidence.copy())
    hidden.confidence[:, [BODY.index("left_ankle"), BODY.index("right_ankle")]] = 0.2
    assert not feet_seen(hidden)
    assert np.ptp(in_space(hidden).positions[:, 0, 1]) < 0.1 * lifted


def test_an_engine_without_space(tmp_path: Path) -> None:
    found = track(write_people(tmp_path / "a.mp4", walking(5)), engine=BoxEngine())
    with pytest.raises(MotionError, match="finds no points in space"):
        in_space(replace(found, world=None))


def test_a_lifted_body_stands_on_the_floor_and_goes_its_way() -> None:
    seen = standing(12, across=3.0)
    lifted, found = in_space(seen, lifted=True), in_space(seen)
    bones = [np.linalg.norm(lifted.positions[:, a] - lifted.positions[:, b], axis=-1) for a, b in DANCER.bones]
    assert max(np.ptp(bone) for bone in bones) < 1e-3
    assert abs(lifted.positions[:, DANCER.index("ltoes"), 1].mean()) < 0.15
    assert lifted.positions[:, DANCER.index("head"), 1].mean() > 1.2
    paths = [np.ptp(motion.positions[:, 0, 0]) for motion in (lifted, found)]
    assert paths[0] == pytest.approx(paths[1], rel=0.2)
    assert np.abs(lifted.positions - found.positions).max() > 0.01, "it is another answer than the engine's own"
    with pytest.raises(MotionError, match="no points in space"):
        in_space(replace(seen, world=None), lifted=True)
