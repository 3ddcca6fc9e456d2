"""What the metrics accept: NumPy arrays, tensors and motions, checked once and brought into one form."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeAlias, cast, overload

import numpy as np
import torch
from torch import Tensor

from ictus.conducting.models.m2s_net import MOTION_RATE
from ictus.errors import MotionError, UsageError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from ictus.types import AnyArray

P = ParamSpec("P")
Given: TypeAlias = AnyArray | Motion

SKELETON = get_skeleton("conductor-13")
_BODIES = {len(body): body for body in (SKELETON, get_skeleton("conductor-23"))}


class Metric(Protocol[P]):
    """One number that compares estimates with references: tensors give a tensor, anything else a float."""

    @overload
    def __call__(self, reference: Tensor, estimate: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...

    @overload
    def __call__(self, reference: Given, estimate: Given, /, *args: P.args, **kwargs: P.kwargs) -> float: ...


class SampleMetric(Protocol):
    """(B,) numbers, one for each sample: tensors give a tensor, anything else an array."""

    @overload
    def __call__(self, reference: Tensor, estimate: Tensor, /) -> Tensor: ...

    @overload
    def __call__(self, reference: Given, estimate: Given, /) -> AnyArray: ...


def metric(compute: Callable[Concatenate[Tensor, Tensor, P], Tensor]) -> Metric[P]:
    """Let a function of two tensors, which returns one number, take whatever `validate` allows."""

    @wraps(compute)
    def wrapper(reference: object, estimate: object, /, *args: P.args, **kwargs: P.kwargs) -> Tensor | float:
        with torch.set_grad_enabled(torch.is_grad_enabled() and isinstance(reference, Tensor)):
            value = compute(*as_tensors(reference, estimate), *args, **kwargs)
        return value if isinstance(reference, Tensor) else float(value)

    return cast(Metric[P], wrapper)


def sample_metric(compute: Callable[[Tensor, Tensor], Tensor]) -> SampleMetric:
    """Let a function of two tensors, which returns a number for each sample, take whatever `validate` allows."""

    @wraps(compute)
    def wrapper(reference: object, estimate: object, /) -> Tensor | AnyArray:
        values = compute(*as_tensors(reference, estimate))
        return values if isinstance(reference, Tensor) else values.numpy()

    return cast(SampleMetric, wrapper)


def validate(reference: Tensor | Given, estimate: Tensor | Given) -> None:
    """Check that two batches of motion can be compared by the published metrics.

    Parameters
    ----------
    reference, estimate : (B, T, 13, 2) NumPy arrays or tensors at 30 fps, or a conductor-13 `Motion` each.

    Raises
    ------
    UsageError
        If they are of different kinds, shapes or lengths, or not at 30 fps.
    MotionError
        If they hold NaN or infinity, or a motion is of another skeleton.
    """
    as_tensors(reference, estimate)


def as_tensors(reference: object, estimate: object) -> tuple[Tensor, Tensor]:
    """Return both as valid tensors of one floating type: at least float32, and float64 for whole numbers."""
    if isinstance(reference, Tensor) != isinstance(estimate, Tensor):
        raise UsageError("the reference and the estimate must both be tensors, or neither")
    first, second = _tensor(reference, "reference"), _tensor(estimate, "estimate")
    if first.shape != second.shape:
        shapes = f"shape {tuple(first.shape)}, the estimate {tuple(second.shape)}"
        raise UsageError(f"the reference has {shapes}; they must be equally many and equally long")
    common = torch.promote_types(torch.promote_types(first.dtype, second.dtype), torch.float32)
    return first.to(common), second.to(common)


def _tensor(given: object, name: str) -> Tensor:
    if isinstance(given, Motion):
        if given.skeleton.name != SKELETON.name:
            raise MotionError(f"the {name} is a {given.skeleton.name} motion; project it to {SKELETON.name} first")
        if given.fps != MOTION_RATE:
            raise UsageError(f"the {name} has {given.fps:g} fps; resample it to {MOTION_RATE} first")
        given = given.positions[None]
    motion = given if isinstance(given, Tensor) else _from_numpy(given, name)
    if motion.dim() != 4 or motion.shape[2:] != (len(SKELETON), 2) or not motion.numel():
        raise UsageError(f"the {name} has shape {tuple(motion.shape)}; it must be (batch, frames, {len(SKELETON)}, 2)")
    if motion.is_complex():
        raise UsageError(f"the {name} is no tensor of real numbers, but of {motion.dtype}")
    motion = motion if motion.is_floating_point() else motion.double()
    if not motion.detach().sum().isfinite():  # far cheaper than to look at every number
        sample, frame = (~motion.isfinite()).flatten(2).any(2).nonzero()[0].tolist()
        raise MotionError(f"the {name} is not finite (first in frame {frame} of sample {sample})")
    return motion


def _from_numpy(given: object, name: str) -> Tensor:
    array = np.asarray(given)
    if array.dtype.kind not in "fiu":
        raise UsageError(f"the {name} is no array of real numbers, but of {array.dtype}")
    kept = array.dtype if array.dtype in (np.float32, np.float64) else np.float64
    return torch.from_numpy(np.require(array, kept, ["C", "W"]))


def as_motion(motion: Given, fps: float | None = None) -> Motion:
    """Return a motion as it is, and an array as the motion of the conductor whose number of joints it has.

    Parameters
    ----------
    motion : Motion, or (T, 13, 2) or (T, 23, 3).
    fps : of an array, 30 if not given; a Motion has its own.

    Raises
    ------
    UsageError
        If the array has another shape, or fps is given beside a Motion that has another.
    MotionError
        If the array is not finite, or fps is not positive.
    """
    if isinstance(motion, Motion):
        if fps is not None and fps != motion.fps:
            raise UsageError(f"fps={fps:g} was given for a motion of {motion.fps:g} fps; leave it out")
        return motion
    array = np.asarray(motion)
    if array.dtype.kind not in "fiu" or array.ndim != 3 or array.shape[1:] not in ((13, 2), (23, 3)):
        raise UsageError(f"the motion has shape {array.shape}; it must be (frames, 13, 2) or (frames, 23, 3)")
    return Motion(array, MOTION_RATE if fps is None else fps, _BODIES[array.shape[1]])
