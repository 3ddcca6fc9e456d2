"""The lifter: shapes, mirror images, scenes; and dances of known truth that it has not been trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.errors import ModelError, UsageError
from ictus.pose import Track
from ictus.pose.lifter import BODY, DANCER, Lifter, lift, lifter_inputs, mirrored_inputs, mirrored_joints
from ictus.pose.lifter_task import LifterTask, LifterTaskConfig, changed, measured
from ictus.skeleton import get_skeleton
from real_dances import read_real_dances

SIZE = (640, 480)
HELD_OUT = ("gWA", "gKR", "gLO", "gJB")
_NEAREST = {"pinky": "hand", "index": "hand", "thumb": "hand", "heel": "ankle", "foot_index": "toes"}


def seen_by_a_camera(joints: np.ndarray, fps: float, rng: np.random.Generator) -> Track:
    """Return what an engine finds of joints (T, 24, 3) along a camera's axes: their points, and metres with errors."""
    names = []
    for name in BODY.joints[:33]:
        side, _, part = name.partition("_")
        part = _NEAREST.get(part, part)
        own = (
            side[0] + part if part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "hand", "toes") else "head"
        )
        names.append(DANCER.index(own))
    world = np.zeros((len(joints), len(BODY), 3), np.float32)
    world[:, :33] = joints[:, names] - joints[:, [DANCER.index("lhip"), DANCER.index("rhip")]].mean(1, keepdims=True)
    points = world[..., :2] * (100, -100) + (320, 240)
    errors = rng.standard_normal((1, *world.shape[1:])) * (0.02, 0.02, 0.05)  # as of an engine, most in depth
    confidence = np.ones(world.shape[:2], np.float32)
    return Track(
        BODY,
        points.astype(np.float32),
        confidence,
        (world + errors).astype(np.float32),
        np.ones(len(world), bool),
        fps,
        SIZE,
    )


def dancer(frames: int = 40, fps: float = 15.0) -> Track:
    times = np.arange(frames)[:, None, None] / fps
    joints = np.asarray(DANCER.rest)[None] + 0.1 * np.sin(5 * times + np.arange(24)[:, None])
    return seen_by_a_camera(joints, fps, np.random.default_rng(0))


def mirrored(track: Track) -> Track:
    mirror = list(BODY.mirror)
    assert track.world is not None
    points = track.points[:, mirror] * np.array([-1, 1], np.float32) + np.array([SIZE[0], 0], np.float32)
    world = track.world[:, mirror] * np.array([-1, 1, 1], np.float32)
    return replace(track, points=points, world=world, confidence=track.confidence[:, mirror])


@pytest.mark.parametrize("frames", [1, 2, 40])
def test_shapes(frames: int) -> None:
    joints = Lifter.from_config("debug")(torch.zeros(3, frames, 33, 6))
    assert joints.shape == (3, frames, 24, 3)
    assert not joints[:, :, 0].any()  # the pelvis


@pytest.mark.parametrize("fps", [10, 15, 25, 60])
def test_each_frame_of_a_film_is_lifted(fps: float) -> None:
    joints = lift(dancer(31, fps))
    assert joints.shape == (31, 24, 3)
    assert np.isfinite(joints).all()


def test_a_mirrored_film_gives_a_mirrored_body() -> None:
    torch.manual_seed(0)
    network = Lifter.from_config("debug")
    torch.nn.init.normal_(network.last.weight)
    track = dancer()
    straight, other = lift(track, network.eval()), lift(mirrored(track), network.eval())
    np.testing.assert_allclose(mirrored_joints(other), straight, atol=1e-4)
    assert np.abs(other - straight).max() > 0.1  # as a control


def test_inputs_do_not_depend_on_the_picture() -> None:
    track = dancer()
    assert track.world is not None
    there = lifter_inputs(track.points, track.confidence, track.world, 15)
    larger = lifter_inputs(3 * track.points + 50, track.confidence, track.world, 15)
    np.testing.assert_allclose(larger, there, atol=1e-4)
    np.testing.assert_allclose(mirrored_inputs(mirrored_inputs(there)), there)


def test_scenes_do_not_see_each_other() -> None:
    first, second = dancer(20), mirrored(dancer(20))
    both = replace(
        first,
        cuts=(20 / 15,),
        **{
            part: np.concatenate((getattr(first, part), getattr(second, part)))
            for part in ("points", "confidence", "world", "seen")
        },
    )
    np.testing.assert_allclose(lift(both), np.concatenate((lift(first), lift(second))), atol=1e-5)


def test_another_body_is_refused() -> None:
    with pytest.raises(ModelError, match="can be lifted"):
        lift(replace(dancer(), world=None))
    with pytest.raises(ModelError, match="coco-17"):
        lift(replace(dancer(), skeleton=get_skeleton("coco-17")))


def test_the_shipped_lifter_sees_a_held_out_dance(shared_data: Path) -> None:
    """It beats the mean pose, and what is lifted of a picture that stands still, by a third at least."""
    rows, rng = [], np.random.default_rng(0)
    dances = [(name, motion) for name, motion, _ in read_real_dances(shared_data) if name.startswith(HELD_OUT)]
    mean = np.concatenate([motion.positions - motion.positions[:, :1] for _, motion in dances]).mean(0)
    for _, motion in dances:
        motion = motion.resample(15)
        joints = motion.positions - motion.positions[:, :1]
        track = seen_by_a_camera(joints, 15, rng)
        assert track.world is not None
        target = measured(torch.from_numpy(joints))
        still = replace(
            track, points=track.points[:1].repeat(len(track), 0), world=track.world[:1].repeat(len(track), 0)
        )
        guesses = [
            measured(torch.from_numpy(lift(track))),
            measured(torch.from_numpy(mean)),
            measured(torch.from_numpy(lift(still))),
        ]
        rows.append([100 * float((one - target).norm(dim=-1).mean()) for one in guesses])
    lifted, average, constant = np.mean(rows, 0)  # cm
    assert lifted < 0.65 * average
    assert lifted < 0.65 * constant


def test_changed_windows_are_windows() -> None:
    inputs, joints = np.zeros((32, 33, 6), np.float32), np.zeros((32, 24, 3), np.float32)
    inputs[:], joints[:] = np.arange(33)[:, None], np.arange(24)[:, None]
    one, same, other = (
        changed(inputs.copy(), joints, LifterTaskConfig(), np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert one["inputs"].shape == inputs.shape
    assert one["inputs"].dtype == np.float32
    np.testing.assert_array_equal(one["inputs"], same["inputs"])
    assert np.abs(one["inputs"] - other["inputs"]).max() > 0.1


def test_training_lowers_the_error(tmp_path: Path) -> None:
    track = dancer(64)
    joints = np.asarray(DANCER.rest)[None] + 0.1 * np.sin(np.arange(64)[:, None, None] / 3 + np.arange(24)[:, None])
    for part in ("train", "val"):
        (tmp_path / part).mkdir()
        np.savez(
            tmp_path / part / "a-0.npz",
            points=track.points[:, :33],
            confidence=track.confidence[:, :33],
            world=track.world[:, :33],  # type: ignore[index]
            joints=(joints - joints[:, :1]).astype(np.float32),
            fps=15.0,
        )
    torch.manual_seed(0)
    task = LifterTask(LifterTaskConfig(size="debug", lr=5e-3, draws=32), tmp_path)
    batch = {
        key: torch.from_numpy(np.stack([task.validation[k][key] for k in range(2)])) for key in ("inputs", "joints")
    }
    optimizer = task.optimizers()["network"]
    values = []
    for step in range(40):
        _, loss, _ = next(task.losses(batch, 0, step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < 0.6 * values[0]
    with torch.no_grad():
        found = task.validate(lambda samples, size=None: iter([batch]))
    assert set(found) == {"cm", "world_cm", "mean_pose_cm"}


def test_an_empty_corpus(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no views"):
        LifterTask(LifterTaskConfig(size="debug"), tmp_path)
