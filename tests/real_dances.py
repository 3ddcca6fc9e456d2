"""The seventeen real dances of AIST++, at 30 fps."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import get_skeleton


def read_real_dances(shared_data: Path, every: int = 1) -> Iterator[tuple[str, Motion, float]]:
    """Name, motion and beats a minute of each; the files hold no rotations for the hands."""
    body = get_skeleton("smpl-24")
    files = sorted((shared_data / "aist" / "test_dances_30fps").glob("*.npz"))[::every]
    if not files:
        pytest.skip("needs the real dances (../shared/data/aist/test_dances_30fps)")
    for file in files:
        with np.load(file) as arrays:
            root, tempo = arrays["root"], float(arrays["bpm"])
            hands = np.broadcast_to(np.eye(3, dtype=np.float32), (len(root), 2, 3, 3))
            rotations = np.concatenate([arrays["rotations"], hands], axis=1)
        yield file.stem, Motion(forward_kinematics(body, rotations, root), 30.0, body, rotations, root), tempo
