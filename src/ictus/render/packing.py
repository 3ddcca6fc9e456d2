"""Motions as small as a page can carry them: steps of a millimetre or less, told by what changes from frame to frame.

Each track (T, C) of whole numbers is coded channel by channel in blocks of 64 frames, as lossless sound coders do
it: the block's differences of first, second or third order, whichever are smallest, in Golomb-Rice codes. The page's
own reader is viewer/unpacking.js; `unpack` here is the same in NumPy.
Source: Robinson, "SHORTEN: Simple lossless and near-lossless waveform compression", Cambridge University, 1994.
"""

import base64
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import Skeleton

Whole = NDArray[np.int64]
Packed = dict[str, Any]

FINE, COARSE = 0.0005, 0.001  # metres
_TALL = 2.0  # metres that the height of a body in a picture stands for
_COARSEST = 0.002  # radians, for joints that move nothing far
_BLOCK = 64  # frames
_ORDERS = (1, 2, 3)
_MOST_BITS = 30
_LARGEST = 1 << 26  # steps, 33 km: whatever lies farther away is shown there


def thinned(motion: Motion, fps: float) -> Motion:
    """Return every second, third ... frame of a motion, so that no more than `fps` remain a second."""
    every = int(np.ceil(motion.fps / fps - 1e-6))
    if every <= 1:
        return motion
    turns, root = motion.rotations, motion.root
    return replace(
        motion,
        positions=motion.positions[::every],
        fps=motion.fps / every,
        rotations=None if turns is None else turns[::every],
        root=None if root is None else root[::every],
    )


def packed(motion: Motion, step: float = FINE) -> dict[str, Packed]:
    """Return the motion's tracks: "positions", or where those follow from them "rotations" and "root", or all three.

    Parameters
    ----------
    step : metres between two positions that are told apart; of a flat motion, as if it showed a body of 2 m. A joint's
        rotation is told so finely that it moves the farthest joint that hangs on it by this much.
    """
    tracks: dict[str, Packed] = {}
    follows = False
    if motion.rotations is not None and motion.root is not None:
        turns = _turn_steps(motion.skeleton, step)
        vectors = Rotation.from_matrix(motion.rotations.reshape(-1, 3, 3)).as_rotvec().reshape(len(motion), -1)
        tracks["rotations"] = _packed(vectors, turns)
        tracks["root"] = _packed(motion.root, np.full(3, step))
        follows = _follows(motion)
    if not follows:
        flat = motion.positions.reshape(len(motion), -1)
        tracks["positions"] = _packed(flat, np.full(flat.shape[1], step * _metre(motion)))
    return tracks


def size(tracks: dict[str, Packed]) -> int:
    """Return how many letters the tracks take up in a page."""
    return sum(len(track["blocks"]) + len(track["bits"]) for track in tracks.values())


def unpack(track: Packed) -> NDArray[np.float64]:
    """Return a track (T, C) as the page reads it."""
    frames, steps = track["frames"], np.asarray(track["steps"])
    blocks = base64.b64decode(track["blocks"])
    bits = "".join(f"{byte:08b}" for byte in base64.b64decode(track["bits"]))
    values = np.zeros((len(steps), frames), np.int64)
    place = number = 0
    for channel in values:
        for start in range(0, frames, _BLOCK):
            order, width = blocks[number] >> 5, blocks[number] & 31
            number += 1
            for frame in range(start, min(start + _BLOCK, frames)):
                a, b, c = (int(channel[frame - k]) if frame >= k else 0 for k in (1, 2, 3))
                coded = 0
                if order:
                    end = bits.index("0", place)
                    coded = (end - place) << width | int("0" + bits[end + 1 : end + 1 + width], 2)
                    place = end + 1 + width
                expected = {0: a, 1: a, 2: 2 * a - b, 3: 3 * a - 3 * b + c}[order]
                channel[frame] = expected + (coded >> 1 ^ -(coded & 1))
    return np.asarray(values.T * steps, np.float64)


def _follows(motion: Motion) -> bool:
    """Whether the positions are those that the rotations give, to a millimetre."""
    body = motion.skeleton
    if motion.rotations is None or motion.root is None or body.parents is None or body.rest is None:
        return False
    posed = forward_kinematics(body, motion.rotations, motion.root)
    return bool(np.abs(posed - motion.positions).max() < COARSE)


def _metre(motion: Motion) -> float:
    """Return how long a metre is in the motion's own units."""
    if motion.positions.shape[2] == 3:
        return 1.0
    return (float(np.median(np.ptp(motion.positions, axis=1).max(1))) or 1.0) / _TALL


def _turn_steps(body: Skeleton, step: float) -> NDArray[np.float64]:
    """Return for each channel (3 J) the angle that moves the farthest joint by a step."""
    reach = np.zeros(len(body))
    if body.parents is not None and body.rest is not None:
        lengths = np.linalg.norm(body.offsets, axis=1)
        for joint in range(len(body) - 1, 0, -1):
            parent = body.parents[joint]
            reach[parent] = max(reach[parent], reach[joint] + lengths[joint])
    return np.repeat(np.minimum(step / np.maximum(reach, 1e-6), _COARSEST), 3)


def _packed(values: NDArray[np.floating], steps: NDArray[np.float64]) -> Packed:
    """Code a track (T, C) in steps (C,)."""
    whole = np.clip(np.rint(values / steps), -_LARGEST, _LARGEST).astype(np.int64)
    blocks, bits = _coded(whole)
    return {"frames": len(whole), "steps": [float(f"{step:.6g}") for step in steps], "blocks": blocks, "bits": bits}


def _coded(whole: Whole) -> tuple[str, str]:
    """Return the blocks' orders and widths, and their codes, both in base 64."""
    folded = np.stack([_folded(whole, order) for order in _ORDERS])  # (orders, C, blocks, 64)
    widths = np.arange(_MOST_BITS + 1)
    sizes = np.stack([(folded >> width).sum(-1) + (1 + width) * _BLOCK for width in widths])  # (widths, orders, C, B)
    best = sizes.reshape(-1, *sizes.shape[2:]).argmin(0)  # (C, blocks)
    width, order = best // len(_ORDERS), best % len(_ORDERS)
    chosen = np.take_along_axis(folded, order[None, ..., None], axis=0)[0]  # (C, blocks, 64)
    still = ~folded[0].any(-1)
    head = np.where(still, 0, (order + 1) << 5 | width).astype(np.uint8)
    there = np.arange(chosen.shape[1] * _BLOCK).reshape(-1, _BLOCK) < len(whole)  # not what fills up the last block
    kept = there[None] & ~still[..., None]
    return _base64(head), _base64(_rice(chosen[kept], np.broadcast_to(width[..., None], chosen.shape)[kept]))


def _folded(whole: Whole, order: int) -> Whole:
    """Differences as counts (0, -1, 1, -2 ... become 0, 1, 2, 3 ...), by channels and blocks: (C, blocks, 64)."""
    change = np.diff(whole, n=order, axis=0, prepend=np.zeros((order, whole.shape[1]), np.int64)).T
    change = np.pad(change, ((0, 0), (0, -len(whole) % _BLOCK)))
    return np.where(change < 0, -2 * change - 1, 2 * change).reshape(len(change), -1, _BLOCK)


def _rice(values: Whole, widths: Whole) -> NDArray[np.uint8]:
    """Golomb-Rice codes, one after the other: as many ones as the high part says, a zero, and the low bits."""
    high = values >> widths
    ends = np.cumsum(high + 1 + widths)
    starts = ends - (high + 1 + widths)
    edges = np.zeros(int(ends[-1]) + 1 if len(ends) else 1, np.int8)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + high, -1)
    bits = np.cumsum(edges[:-1], dtype=np.int8).astype(np.uint8)
    for bit in range(int(widths.max(initial=0))):
        some = widths > bit
        bits[ends[some] - 1 - bit] = values[some] >> bit & 1
    return np.packbits(bits)


def _base64(data: NDArray[np.uint8]) -> str:
    return base64.b64encode(data.tobytes()).decode()
