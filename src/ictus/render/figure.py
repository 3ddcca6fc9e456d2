"""Figures as data: points that follow from a motion's joints, and solids around them. Films and pages paint the same.

A figure is made once for a motion. `Figure.places` works it out for films; pages hold what `Figure.exported` returns,
and viewer/figure.js works it out by the same rules.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from ictus.kinematics import global_pose
from ictus.motion import Motion
from ictus.render.body import places
from ictus.render.camera import PITCH
from ictus.render.shapes import unit
from ictus.types import Float32Array, FloatArray

_BLOCK = 2048  # frames that are worked on at once
_LARGEST = 1e6  # units: what lies farther away, as from a network that has gone astray, can still be squared
_WORLD = {"+x": (1, 0, 0), "+y": (0, 1, 0), "+z": (0, 0, 1)}  # no joint is called so

Places = FloatArray  # (P, T, 3): P points in T frames


@dataclass(frozen=True)
class Sum:
    """A point or vector as the weighted sum of named ones."""

    weights: Mapping[str, float]

    def __add__(self, other: "Sum") -> "Sum":
        return Sum({k: self.weights.get(k, 0) + other.weights.get(k, 0) for k in (*self.weights, *other.weights)})

    def __rmul__(self, share: float) -> "Sum":
        return Sum({name: share * weight for name, weight in self.weights.items()})

    def __neg__(self) -> "Sum":
        return -1 * self

    def __sub__(self, other: "Sum") -> "Sum":
        return self + -other


Ball = tuple[float, Sum]  # radius and centre


@dataclass(frozen=True)
class Solid:
    """One or several hulls of balls, without seams between them.

    Attributes
    ----------
    paint : see `figure_tables.paints`.
    hulls : for each hull its balls.
    before : body sizes by which it wins when another solid is as near.
    patches : paint and corners of what lies on it, seen only where its corners run counterclockwise.
    cap : paint of the hair, and the point on the first ball that is its middle; None without hair.
    """

    paint: str
    hulls: Sequence[Sequence[Ball]]
    before: float = 0.0
    patches: Sequence[tuple[str, Sequence[Sum]]] = ()
    cap: tuple[str, Sum] | None = None


@dataclass(frozen=True)
class Rows:
    """Which of a figure's points are a solid's: those of each hull and of each patch, and the last one, its cap's."""

    hulls: list[slice]
    patches: list[slice]
    last: int


@dataclass
class Figure:
    """The body of a motion, y up. What is added to it counts lengths in body sizes: 1 for a body of 1.70 m.

    Attributes
    ----------
    motion : 2-D ones lie in the plane z = 0.
    unit : a body size in the motion's own units.
    flat : whether it can be seen from the front only, without a floor.
    stands : whether it does not leave its place, nor its shadow.
    tracks : (T, 3) points that need the whole motion, beside its joints.
    rules : name, kind, weights and, for the kinds "cross" and "square", another direction; in order.
    trails : side and name of the points that leave light behind.
    target : (T, 3) what the camera goes along with; a point on the floor.
    scale : what the camera takes for a body size; 0 for the body's own.
    """

    motion: Motion
    unit: float
    flat: bool = False
    stands: bool = False
    tracks: dict[str, Float32Array] = field(default_factory=dict)
    axes: dict[str, tuple[int, int]] = field(default_factory=dict)
    rules: list[tuple[str, str, Mapping[str, float], str]] = field(default_factory=list)
    solids: list[Solid] = field(default_factory=list)
    trails: list[tuple[str, str]] = field(default_factory=list)
    target: Float32Array = field(default_factory=lambda: np.zeros((1, 3), np.float32))
    scale: float = 0.0

    def __post_init__(self) -> None:
        self.scale = self.scale or self.unit
        self._lengths = dict.fromkeys(_WORLD, self.unit)  # of directions: a body size
        self._latest: dict[str, str] = {}  # joints that were moved, and what they are called now

    def __len__(self) -> int:
        return len(self.motion)

    # ---- Making it.

    def __getitem__(self, name: str) -> Sum:
        """Return a joint, or a point or direction that was added; a direction counts a body size."""
        name = self._latest.get(name, name)
        return Sum({name: self._lengths.get(name, 1.0)})

    @property
    def x(self) -> Sum:
        """A body size to the right of who looks from the front."""
        return self["+x"]

    @property
    def y(self) -> Sum:
        """A body size upwards."""
        return self["+y"]

    @property
    def z(self) -> Sum:
        """A body size towards who looks from the front."""
        return self["+z"]

    def has(self, joint: str) -> bool:
        """Whether the motion has a joint of this usual name."""
        return joint in self._joints

    @property
    def turns(self) -> bool:
        """Whether it is known how the joints turn."""
        return (
            self.motion.rotations is not None and self.motion.root is not None and self.motion.skeleton.rest is not None
        )

    def joint(self, name: str) -> FloatArray:
        """Return where a joint is, (T, 3)."""
        return self.positions[:, self._joints[name]]

    @property
    def pitch(self) -> float:
        """Radians that a camera looks down at it."""
        return 0.0 if self.flat else PITCH

    def track(self, name: str, track: FloatArray) -> Sum:
        """Add a point, or a vector in the motion's units, that is known in each frame, (T, 3)."""
        self.tracks[name] = track.astype(np.float32)
        return self[name]

    def axis(self, name: str, joint: str, column: int) -> Sum:
        """Add the direction into which one of the axes of a joint that turns points."""
        self.axes[name] = self._joints[joint], column
        self._lengths[name] = self.unit
        return self[name]

    def point(self, name: str, at: Sum) -> Sum:
        """Add a point or a vector."""
        return self._add(name, "sum", at)

    def direction(self, name: str, along: Sum) -> Sum:
        """Add the direction of a vector."""
        return self._add(name, "unit", along)

    def cross(self, name: str, one: Sum, other: str) -> Sum:
        """Add the direction at right angles to two others, as the cross product has it."""
        return self._add(name, "cross", one, other)

    def square(self, name: str, one: Sum, other: str) -> Sum:
        """Add what of a direction is at right angles to another."""
        return self._add(name, "square", one, other)

    def depth(self, name: str, apart: Sum) -> Sum:
        """Add the way towards the camera that a vector lacks in its x and y to be as long as its z says."""
        return self._add(name, "depth", apart)

    def solid(
        self,
        paint: str,
        *hulls: Sequence[Ball],
        before: float = 0.0,
        patches: Sequence[tuple[str, Sequence[Sum]]] = (),
        cap: tuple[str, Sum] | None = None,
    ) -> None:
        """Add a solid; radii count in body sizes."""
        scaled = [[(radius * self.unit, at) for radius, at in hull] for hull in hulls]
        self.solids.append(Solid(paint, scaled, before, patches, cap))

    def _add(self, name: str, kind: str, at: Sum, other: str = "") -> Sum:
        if name in self._joints:
            self._latest[name] = name = f"moved_{name}"
        self.rules.append((name, kind, at.weights, self._latest.get(other, other)))
        if kind in ("unit", "cross", "square"):
            self._lengths[name] = self.unit
        return self[name]

    # ---- Working it out.

    @cached_property
    def _joints(self) -> dict[str, int]:
        body = self.motion.skeleton
        return {name: joint for joint, name in enumerate(body.joints)} | places(body)

    @cached_property
    def positions(self) -> FloatArray:
        """(T, J, 3) the joints, y up, and none of them farther away than can be squared."""
        at = self.motion.positions
        if at.shape[2] == 2:
            at = np.concatenate([at * np.array([1, -1], np.float32), np.zeros_like(at[..., :1])], axis=2)
        huge = float(np.abs(at).max()) / _LARGEST
        return at / np.float32(huge) if huge > 1 else at

    @cached_property
    def _turned(self) -> FloatArray | None:
        turns, root = self.motion.rotations, self.motion.root
        return None if turns is None or root is None else global_pose(self.motion.skeleton, turns, root)[1]

    @cached_property
    def rows(self) -> list[Rows]:
        """Of each solid the rows of `sums`, and so of `places`, that are its own."""
        found, row = [], 0
        for solid in self.solids:
            ends = row + np.cumsum([0, *map(len, solid.hulls), *(len(corners) for _, corners in solid.patches)])
            parts = [slice(start, stop) for start, stop in pairwise(ends.tolist())]
            row = int(ends[-1]) + (solid.cap is not None)
            found.append(Rows(parts[: len(solid.hulls)], parts[len(solid.hulls) :], row - 1))
        return found

    @cached_property
    def sums(self) -> list[Sum]:
        """All points that are painted: of each solid the balls, the patches' corners and the cap's middle."""
        return [point for solid in self.solids for point, _ in _points(solid)]

    @cached_property
    def radii(self) -> Float32Array:
        """(P, 1) of the balls among all points, in the motion's units; 0 of the others."""
        return np.array([[radius] for solid in self.solids for _, radius in _points(solid)], np.float32)

    def named(self, start: int, stop: int) -> dict[str, FloatArray]:
        """Return all named points and vectors, (T, 3), of frames `start` to `stop`."""
        at: dict[str, FloatArray] = {name: self.positions[start:stop, joint] for name, joint in self._joints.items()}
        at |= {name: np.full((len(self.positions[start:stop]), 3), axis, np.float32) for name, axis in _WORLD.items()}
        at |= {name: track[start:stop] for name, track in self.tracks.items()}
        if self._turned is not None:
            at |= {name: self._turned[start:stop, joint, :, column] for name, (joint, column) in self.axes.items()}
        for name, kind, weights, other in self.rules:
            total = sum(np.float32(weight) * at[one] for one, weight in weights.items())
            at[name] = _KINDS[kind](np.asarray(total), at.get(other))
        return at

    def places(self, start: int, stop: int, sums: Sequence[Sum] | None = None) -> Places:
        """Return the points `sums`, (P, T, 3), in frames `start` to `stop`."""
        names, index, weights, first = _table(self.sums if sums is None else sums)
        at = self.named(start, stop)
        known = np.stack([at[name] for name in names])  # (N, T, 3)
        return np.asarray(np.add.reduceat(weights * known[index], first, axis=0))

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Yield the first and last frame of each stretch that is worked on at once."""
        for start in range(0, len(self), _BLOCK):
            yield start, min(start + _BLOCK, len(self))

    def path(self, name: str) -> FloatArray:
        """Return where a point is in all frames, (T, 3)."""
        return np.concatenate([self.places(*block, [self[name]])[0] for block in self.blocks()])

    # ---- For pages.

    def exported(self) -> dict[str, Any]:
        """Return what a page's scripts need of the figure, but for its tracks and its target, as JSON holds it."""
        return {
            "unit": _short(self.scale),
            "flat": self.flat,
            "stands": self.stands,
            "axes": self.axes,
            "rules": [(name, kind, _sum(weights), other) for name, kind, weights, other in self.rules],
            "solids": [_solid(one) for one in self.solids],
            "trails": [(side, *self[name].weights) for side, name in self.trails],
            "joints": places(self.motion.skeleton),
        }


def _table(sums: Sequence[Sum]) -> tuple[list[str], list[int], Float32Array, list[int]]:
    """Return the names in sums; of all terms in their order the name's number and weight; and each sum's first term."""
    names = {name: number for number, name in enumerate(dict.fromkeys(name for one in sums for name in one.weights))}
    terms = [(names[name], weight) for one in sums for name, weight in one.weights.items()]
    first = np.cumsum([0, *(len(one.weights) for one in sums[:-1])]).tolist()
    return list(names), [k for k, _ in terms], np.array([w for _, w in terms], np.float32)[:, None, None], first


def _points(solid: Solid) -> Iterator[tuple[Sum, float]]:
    yield from ((at, radius) for hull in solid.hulls for radius, at in hull)
    yield from ((at, 0.0) for _, corners in solid.patches for at in corners)
    if solid.cap:
        yield solid.cap[1], 0.0


def _depth(apart: FloatArray, _: FloatArray | None) -> FloatArray:
    missing = apart[:, 2] ** 2 - (apart[:, :2] ** 2).sum(1)
    depth = np.sqrt(np.maximum(missing, (np.float32(0.3) * apart[:, 2]) ** 2))
    return np.stack([np.zeros_like(depth), np.zeros_like(depth), depth], axis=1)


def _square(one: FloatArray, other: FloatArray | None) -> FloatArray:
    return unit(one if other is None else one - (one * other).sum(1, keepdims=True) * other)


_KINDS: dict[str, Callable[[FloatArray, FloatArray | None], FloatArray]] = {
    "sum": lambda one, _: one,
    "unit": lambda one, _: unit(one),
    "cross": lambda one, other: unit(np.cross(one, other if other is not None else one)),
    "square": _square,
    "depth": _depth,
}


def _solid(solid: Solid) -> dict[str, Any]:
    return {
        "paint": solid.paint,
        "hulls": [[(_short(radius), _sum(at.weights)) for radius, at in hull] for hull in solid.hulls],
        "before": solid.before,
        "patches": [(paint, [_sum(at.weights) for at in corners]) for paint, corners in solid.patches],
        "cap": solid.cap and (solid.cap[0], _sum(solid.cap[1].weights)),
    }


def _sum(weights: Mapping[str, float]) -> dict[str, float]:
    return {name: _short(weight) for name, weight in weights.items()}


def _short(number: float) -> float:
    return float(f"{number:.5g}")
