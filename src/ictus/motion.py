"""Motion: a body's movement over time."""

import os
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ictus import formats, kinematics
from ictus.errors import MotionError
from ictus.files import reading, writing
from ictus.skeleton import Skeleton

_PIECE = 20_000  # frames whose rotations are looked at together


@dataclass(frozen=True)
class Motion:
    """Positions, and where known rotations, of a skeleton's joints over time.

    Attributes
    ----------
    positions : (T, J, 2|3) float32. 3-D: metres, y up. conductor-13: image coordinates in about [0, 1], y down.
    fps : frames per second.
    skeleton : whose J joints these are.
    rotations : (T, J, 3, 3) relative to the parent joint, or None.
    root : (T, 3) metres, position of the root joint, or None.
    meta : JSON types that travel with the motion: {"beats": [...], "model": ..., "seed": ...}.

    Raises
    ------
    MotionError
        If the shapes do not fit the skeleton, there is no frame, a value is not finite, a rotation is none, or fps
        is not from 0.001 to 10,000.
    """

    positions: NDArray[np.float32]
    fps: float
    skeleton: Skeleton
    rotations: NDArray[np.float32] | None = None
    root: NDArray[np.float32] | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        joints = len(self.skeleton)
        for name in ("positions", "rotations", "root"):
            if (array := getattr(self, name)) is not None:
                with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which is refused below
                    object.__setattr__(self, name, np.asarray(array, np.float32))
        shape = self.positions.shape
        if len(shape) != 3 or shape[1] != joints or shape[2] not in (2, 3):
            raise MotionError(f"positions have shape {shape}; {self.skeleton.name} needs (frames, {joints}, 2 or 3)")
        frames = len(self.positions)
        if not frames:
            raise MotionError("there are no frames in it")
        if self.rotations is not None and self.rotations.shape != (frames, joints, 3, 3):
            raise MotionError(f"rotations have shape {self.rotations.shape}, expected ({frames}, {joints}, 3, 3)")
        if self.root is not None and self.root.shape != (frames, 3):
            raise MotionError(f"root has shape {self.root.shape}, expected ({frames}, 3)")
        formats.check_fps(self.fps)
        for name in ("positions", "rotations", "root"):
            array = getattr(self, name)
            if array is not None and not np.isfinite(array).all():
                bad = int(np.argmax(~np.isfinite(array).reshape(frames, -1).all(1)))
                raise MotionError(f"{name} are not finite (first in frame {bad}); fill or cut the gap first")
        if self.rotations is not None:
            _check_rotations(self.rotations)

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self) / self.fps

    @property
    def times(self) -> NDArray[np.float64]:
        """(T,) seconds of each frame."""
        return np.arange(len(self)) / self.fps

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Motion":
        """Read a motion file; the suffix names the format (.npz .npy .json .bvh .glb .pkl).

        Raises
        ------
        MotionError
            If the file is missing, damaged or holds something else.
        """
        read = formats.reader(path)
        with reading(path, MotionError) as file, np.errstate(all="ignore"):
            return cls._of(read(file))  # what overflows becomes infinite or NaN, and is refused for that

    @classmethod
    def _of(cls, data: formats.MotionData) -> "Motion":
        body, positions = data.skeleton, data.positions
        rotations, root = data.rotations, data.root
        if positions is None and rotations is not None and root is not None:
            positions = kinematics.forward_kinematics(body, rotations, root)
        if positions is None:
            raise MotionError("holds neither positions nor rotations")
        return cls(positions, data.fps, body, rotations, root, data.meta)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the motion; the suffix names the format (.npz .npy .json .bvh .glb .pkl). Never leaves half a file.

        What a format cannot hold as it is, is projected, lifted, posed or resampled for it where there is a way: a
        conductor for .npy (conductor-13 at 30 fps), one without depth for .bvh and .glb, points of a dancer for .bvh,
        .glb and .pkl (smpl-24 at 60 fps).

        Raises
        ------
        MotionError
            If the format cannot hold the motion.
        """
        write = formats.writer(path)
        motion = self.fitted_for(path)
        data = formats.MotionData(
            motion.skeleton, motion.fps, motion.positions, motion.rotations, motion.root, dict(motion.meta)
        )
        try:
            with writing(path) as temporary:
                write(temporary, data)
        except MotionError as error:
            raise MotionError(f"{path}: {error}") from error

    def fitted_for(self, path: str | os.PathLike[str]) -> "Motion":
        """Return the motion as `save` writes it under this suffix: on a body and at a frame rate that fit."""
        bodies, fps = formats.holds(path)
        if not bodies:
            return self
        from ictus.retargeting import fitted

        motion = fitted(self, bodies)
        return motion if fps is None or motion.skeleton.name not in bodies else motion.resample(fps)

    def resample(self, fps: float) -> "Motion":
        """Return the same motion at another frame rate.

        Positions run through a cubic spline, rotations along the shortest arc (slerp); the first frame stays at 0 s,
        and what would lie beyond the last frame repeats it.

        Raises
        ------
        MotionError
            If fps is out of range, or makes too many frames.
        """
        formats.check_fps(fps)
        if fps == self.fps:
            return self
        count = formats.count_frames(self.duration, fps, len(self.skeleton) * (3 if self.rotations is None else 12))
        if len(self) == 1:
            return self._held(count, fps)
        from scipy.interpolate import CubicSpline
        from scipy.spatial.transform import Rotation, Slerp

        times = np.minimum(np.arange(count) / fps, self.times[-1])

        def spline(array: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
            return None if array is None else CubicSpline(self.times, array)(times).astype(np.float32)

        root, rotations = spline(self.root), self.rotations
        if rotations is not None:
            turns = [Slerp(self.times, Rotation.from_matrix(rotations[:, j]))(times) for j in range(len(self.skeleton))]
            rotations = np.stack([turn.as_matrix() for turn in turns], axis=1).astype(np.float32)
        body = self.skeleton
        if rotations is not None and root is not None and body.rest is not None and body.parents is not None:
            positions = kinematics.forward_kinematics(body, rotations, root)
        else:
            positions = CubicSpline(self.times, self.positions)(times).astype(np.float32)
        return replace(self, positions=positions, fps=fps, rotations=rotations, root=root)

    def _held(self, count: int, fps: float) -> "Motion":
        """Repeat a single frame."""

        def hold(array: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
            return None if array is None else np.repeat(array, count, axis=0)

        positions = np.repeat(self.positions, count, axis=0)
        return replace(self, positions=positions, fps=fps, rotations=hold(self.rotations), root=hold(self.root))

    def smooth(self, window: int = 19, order: int = 5) -> "Motion":
        """Return the motion with its positions smoothed by a Savitzky-Golay filter (VirtualConductor: 19, 5).

        An even window, which would shift the motion by half a frame, is taken one frame shorter. A motion shorter
        than the window is smoothed with the longest odd window that fits, or left as it is.
        Rotations would no longer agree with the positions and are dropped.
        """
        window = min(window, len(self))
        window -= 1 - window % 2
        if window <= order:
            return self
        from scipy.signal import savgol_filter  # whose import takes .4 s, and which little else needs

        positions = savgol_filter(self.positions.astype(np.float64), window, order, axis=0)
        return replace(self, positions=positions.astype(np.float32), rotations=None, root=None)


def _check_rotations(rotations: NDArray[np.float32]) -> None:
    """Refuse matrices that stretch or mirror: they would fail later, and far from their cause."""
    for start in range(0, len(rotations), _PIECE):
        piece = rotations[start : start + _PIECE]
        with np.errstate(all="ignore"):
            square = np.swapaxes(piece, -1, -2) @ piece
            straight = np.abs(square - np.eye(3, dtype=np.float32)).max((-1, -2)) < 1e-3
            bad = ~(straight & (np.linalg.det(piece) > 0)).all(-1)
        if bad.any():
            raise MotionError(f"rotations are no rotation matrices (first in frame {start + int(bad.argmax())})")
