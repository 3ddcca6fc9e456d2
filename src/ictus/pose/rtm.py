"""The engine "rtm": RTMPose's whole body (133 points) by rtmlib, which is not installed with Ictus.

    picture -> people (YOLOX) -> the one that is followed -> his 133 points -> those that blaze-75 names

rtmlib fetches its networks (RTMW, 256 x 192) when it is first used; a folder of `detection.onnx` and `pose.onnx`
keeps it from that. It knows no space, so that no body in 3-D comes of it.
Source: Jiang et al., "RTMPose", 2023; the order of the points is COCO-WholeBody's (`ictus.formats.wholebody`).
"""

import contextlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ictus.errors import IctusError, ModelError
from ictus.files import short
from ictus.pose.estimator import Person, Picture
from ictus.pose.following import Follower
from ictus.skeleton import get_skeleton
from ictus.types import FloatArray, IntArray

_POINTS = 133
_BODY, _FEET, _FACE, _LEFT, _RIGHT = 0, 17, 23, 91, 112  # where the parts begin
_EYES_AND_MOUTH = {  # of the 68 of the face; sides are the person's
    "left_eye_inner": 42,
    "left_eye_outer": 45,
    "right_eye_inner": 39,
    "right_eye_outer": 36,
    "left_mouth": 54,
    "right_mouth": 48,
}
_KNUCKLES = {"thumb": 2, "index": 5, "pinky": 17}  # of a hand, which BlazePose's body has too
_FILES = ("detection.onnx", "pose.onnx")


def places() -> IntArray:
    """Return which of COCO-WholeBody's 133 points each of blaze-75's is."""
    coco = get_skeleton("coco-17").joints
    found = {name: _BODY + number for number, name in enumerate(coco)}
    found |= {name: _FACE + number for name, number in _EYES_AND_MOUTH.items()}
    for side, foot, hand in (("left", _FEET, _LEFT), ("right", _FEET + 3, _RIGHT)):
        found |= {f"{side}_foot_index": foot, f"{side}_heel": foot + 2}
        found |= {f"{side}_{finger}": hand + number for finger, number in _KNUCKLES.items()}
        names = [name for name in get_skeleton("blaze-75").joints[33:] if name.startswith(side)]
        found |= {name: hand + number for number, name in enumerate(names)}
    return np.array([found[name] for name in get_skeleton("blaze-75").joints])


class RTM:
    """The engine; see `ictus.pose.estimator.PoseEstimator`.

    Parameters
    ----------
    networks : folder of `detection.onnx` (YOLOX) and `pose.onnx` (RTMPose, RTMW or DWPose of 133 points); without it,
        rtmlib's own, which it fetches when it has not yet.

    Raises
    ------
    IctusError
        If rtmlib is not installed, or cannot fetch its networks.
    ModelError
        If a network is missing, damaged or another.
    """

    skeleton = get_skeleton("blaze-75")

    def __init__(self, networks: Path | None = None) -> None:
        try:
            import rtmlib
        except ImportError as error:
            raise IctusError("the engine rtm needs rtmlib, which is not installed; type: pip install rtmlib") from error
        self._source = networks or Path("rtmlib")
        self._places = places()
        with contextlib.redirect_stdout(io.StringIO()):  # which is for reports, and rtmlib says on it what it loads
            self._people, self._points = _rtmlib_own(rtmlib) if networks is None else _from_folder(rtmlib, networks)

    def __call__(self, pictures: Iterable[Picture], follow: Follower) -> Iterator[Person | None]:
        """Yield one answer for each picture."""
        for picture in pictures:
            if picture.new_scene:
                follow.forget()
            yield self._person(np.ascontiguousarray(picture.pixels[..., ::-1]), follow)

    def _person(self, bgr: FloatArray, follow: Follower) -> Person | None:
        try:
            boxes = np.asarray(self._people(bgr), np.float64).reshape(-1, 4)
            chosen = follow(boxes)
            if chosen is None:
                return None  # where rtmlib itself would take the picture as a whole
            points, scores = self._points(bgr, bboxes=boxes[chosen, None])
        except (ValueError, IndexError, TypeError) as error:
            raise ModelError(f"{self._source}: other networks than rtmlib's ({short(error)})") from error
        if points.shape != (1, _POINTS, 2) or scores.shape != (1, _POINTS):
            raise ModelError(
                f"{self._source}: a network of {points.shape[1]} points; "
                f"give one of the whole body, which has {_POINTS}"
            )
        finite = np.isfinite(points[0]).all(-1) & (scores[0] > 0)
        confidence = np.where(finite, np.clip(scores[0], 0, 1), 0)[self._places]  # RTMW's scores may be above 1
        return Person(np.where(finite[:, None], points[0], 0)[self._places], confidence)


def _rtmlib_own(rtmlib: Any) -> tuple[Any, Any]:
    try:
        whole = rtmlib.Wholebody(mode="balanced")
    except (OSError, RuntimeError) as error:
        raise IctusError(
            f"rtmlib cannot fetch its networks ({short(error)}); give a folder of {' and '.join(_FILES)}"
        ) from error
    return whole.det_model, whole.pose_model


def _from_folder(rtmlib: Any, folder: Path) -> tuple[Any, Any]:
    for file in (folder / name for name in _FILES):
        if not file.is_file():
            raise ModelError(f"{file}: missing; the engine rtm wants a folder of {' and '.join(_FILES)}")
    people, points = (folder / name for name in _FILES)
    return _opened(rtmlib.YOLOX, people), _opened(rtmlib.RTMPose, points)


def _opened(kind: Any, file: Path) -> Any:
    """Open a network with the size of picture that it says itself; rtmlib gives it as height, width to the detector."""
    try:
        network = kind(str(file))
        height, width = (int(side) for side in network.session.get_inputs()[0].shape[2:])
    except Exception as error:  # onnxruntime's errors have no other base
        raise ModelError(f"{file}: no network of a fixed size in ONNX ({short(error)}); give another file") from error
    network.model_input_size = (height, width) if kind.__name__ == "YOLOX" else (width, height)
    return network
