"""Archives of SMPL poses, as AMASS and others keep them."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

SMPL = get_skeleton("smpl-24")
Z_UP = Rotation.from_euler("x", 90, degrees=True)


def dance(frames: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Poses (T, 24, 3) of one who bows and swings the arms, and a path."""
    poses = np.random.default_rng(0).normal(0, 0.2, (frames, 24, 3))
    poses[:, 22:] = 0
    return poses, np.column_stack([np.linspace(0, 1, frames), np.full(frames, 0.9), np.linspace(0, -2, frames)])


def archive(style: str, z_up: bool) -> dict[str, np.ndarray | float]:
    """The same dance as AMASS, SMPL-X and others name its parts."""
    poses, path = dance()
    if z_up:
        poses[:, 0] = (Z_UP * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
        path = Z_UP.apply(path)
    flat = poses.reshape(len(poses), -1)
    fingers = np.full((len(poses), 90), 0.3)
    if style == "amass":
        return {
            "poses": np.hstack([flat[:, :66], fingers]),
            "trans": path,
            "mocap_framerate": 120.0,
            "betas": np.ones(16),
        }
    if style == "smpl-x":
        return {"root_orient": flat[:, :3], "pose_body": flat[:, 3:66], "trans": path, "mocap_frame_rate": 120}
    return {"global_orient": poses[:, :1], "body_pose": poses[:, 1:], "transl": path, "fps": 120.0}


@pytest.mark.parametrize("style", ["amass", "smpl-x", "fitted"])
@pytest.mark.parametrize("z_up", [True, False])
def test_poses_of_smpl_bodies(style: str, z_up: bool, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **archive(style, z_up))
    motion = Motion.load(tmp_path / "a.npz")
    poses, path = dance()
    turns = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(*poses.shape, 3)
    assert (motion.fps, motion.skeleton.name) == (120, "smpl-24")
    np.testing.assert_allclose(motion.positions, forward_kinematics(SMPL, turns, path), atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mocap_framerate": np.array("120")}, "has no frame rate"),
        ({"poses": np.zeros((5, 30))}, "are no SMPL motion"),
        ({"trans": np.zeros((5, 2))}, "are no SMPL motion"),
        ({"trans": np.full((5, 3), np.nan)}, "trans holds something else than finite numbers"),
    ],
)
def test_what_is_no_motion_of_smpl(changes: dict, words: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{**archive("amass", True), **changes})
    with pytest.raises(MotionError, match=f"a.npz: .*{words}"):
        Motion.load(tmp_path / "a.npz")
