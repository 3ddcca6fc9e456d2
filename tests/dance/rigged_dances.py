"""A dance of one who throws the arms, as files of many kinds."""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ictus.formats import bvh
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import Skeleton, get_skeleton

SMPL = get_skeleton("smpl-24")
MIXAMO = (
    *("Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot", "RightFoot", "Spine2"),
    *("LeftToeBase", "RightToeBase", "Neck", "LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm"),
    *("LeftForeArm", "RightForeArm", "LeftHand", "RightHand", "LeftHandMiddle1", "RightHandMiddle1"),
)


def swings(fps: float = 60.0, tempo: float = 100.0, seconds: float = 9.0, size: float = 0.9) -> Motion:
    """One who stands and throws the arms up and down, at rest on each beat."""
    time = np.arange(round(fps * seconds)) / fps
    turned = np.tile(np.eye(3), (len(time), 24, 1, 1))
    for joint, sign in ((16, 1), (17, -1), (18, 1), (19, -1)):
        angles = sign * size * (1 - np.cos(np.pi * time * tempo / 60))
        turned[:, joint] = Rotation.from_euler("z", angles[:, None]).as_matrix()
    root = np.tile(SMPL.rest[0], (len(time), 1))
    return Motion(forward_kinematics(SMPL, turned, root), fps, SMPL, turned, root)


def save_rig(path: Path, motion: Motion, unit: float = 100.0, z_up: bool = False) -> None:
    """Save as a Mixamo rig with so many units in a metre."""
    upright = Rotation.from_euler("x", 90 if z_up else 0, degrees=True).as_matrix()
    rotations, scale = motion.rotations.copy(), unit * bvh.METRES
    rotations[:, 0] = upright @ rotations[:, 0]
    names = tuple(f"mixamorig:{name}" for name in MIXAMO)
    body = Skeleton("mixamo", names, SMPL.bones, SMPL.parents, rest=SMPL.rest * scale)
    root = motion.root @ upright.T * scale
    Motion(forward_kinematics(body, rotations, root), motion.fps, body, rotations, root).save(path)


def save_amass(path: Path, motion: Motion) -> None:
    rotations = motion.rotations.astype(np.float64)
    rotations[:, 0] = Rotation.from_euler("x", 90, degrees=True).as_matrix() @ rotations[:, 0]
    poses = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_rotvec().reshape(len(motion), 72)
    path_z_up = motion.root * (1, 1, -1)
    np.savez(path, poses=poses, trans=path_z_up[:, [0, 2, 1]], mocap_framerate=motion.fps)


def saved(folder: Path, kind: str) -> Path:
    motion = swings(24.0 if kind == "24 fps" else 60.0)
    file = folder / f"dance.{ {'amass': 'npz', 'aist': 'pkl', 'own': 'npz', 'glb': 'glb'}.get(kind, 'bvh') }"
    if kind == "amass":
        save_amass(file, motion)
    elif kind in ("aist", "own"):
        motion.save(file)
    else:
        units = {"metres": 1.0, "inches": 1 / 0.0254, "millimetres": 1000.0}
        save_rig(file, motion, units.get(kind, 100.0), kind == "z up")
    return file
