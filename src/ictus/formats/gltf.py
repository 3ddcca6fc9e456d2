"""Binary glTF 2.0 (.glb): a body that moves, for Blender, three.js, game engines and the browser.

Written: one node per joint, standing in the rest pose (metres, y up); one animation with a rotation channel for each
joint and a translation channel for the root; and a mesh, skinned to the joints, of one slim octahedron per bone, so
that there is something to see. `asset.extras` holds fps, the name of the skeleton and meta. A motion whose joints have
positions only has no place in this format.

Read: these files, and others with one animation of LINEAR or STEP samplers: the joints of their skins or, without a
skin, the nodes that move. Nodes may be scaled evenly, but not stretched. The keys are sampled at the frame rate in
`asset.extras.fps` or, failing that, at that of the channel with the most keys if they are regular and at least ten a
second; otherwise at 30 frames per second.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ictus import limits
from ictus.errors import MotionError
from ictus.files import short
from ictus.formats import MotionData, check_fps, hierarchy
from ictus.formats.glb import Packer, Unpacker, item
from ictus.skeleton import Skeleton
from ictus.types import Float32Array, Float64Array

BODIES = ("conductor-23", "smpl-24")  # with a hierarchy, for motions of bodies that have none
_HARMLESS = ("KHR_materials", "KHR_texture", "KHR_draco", "KHR_mesh", "EXT_texture")  # extensions that move nothing
_SLOWEST = 0.101  # seconds between keys that are one to a frame
_KEYS = 1_000_000  # of all channels of a small file


def write(path: Path, data: MotionData) -> None:
    """Write rotations and root, and a mesh to show them.

    Raises
    ------
    MotionError
        If the motion has no rotations, or its meta is not made of JSON types.
    """
    body, rotations, root = hierarchy.turning(data, "glTF")
    packer, count = Packer(), len(body)
    extras = {"fps": float(data.fps), "skeleton": body.name, "meta": data.meta}
    document = {
        "asset": {"version": "2.0", "generator": "ictus", "extras": extras},
        "scene": 0,
        "scenes": [{"nodes": [0, count]}],
        "nodes": [*_nodes(body), {"name": "figure", "mesh": 0, "skin": 0}],
        "meshes": [{"name": "figure", "primitives": [_primitive(body, packer)]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [0.8, 0.8, 0.78, 1.0], "metallicFactor": 0.0}}],
        "skins": [{"joints": list(range(count)), "skeleton": 0, "inverseBindMatrices": packer.add(_unposed(body))}],
        "animations": [_animation(rotations, root, data.fps, packer)],
    }
    packer.save(path, document)


def _nodes(body: Skeleton) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = [
        {"name": name, "translation": offset} for name, offset in zip(body.joints, body.offsets.tolist(), strict=True)
    ]
    for joint, parent in enumerate(body.parents or ()):
        if parent >= 0:
            nodes[parent].setdefault("children", []).append(joint)
    return nodes


def _animation(rotations: Float32Array, root: Float32Array, fps: float, packer: Packer) -> dict[str, Any]:
    turns = hierarchy.quaternions(rotations)
    # q and -q are one rotation; of the two, the one nearer to the frame before, or players would turn the long way.
    flips = np.where((turns[1:] * turns[:-1]).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    turns[1:] *= np.cumprod(flips, axis=0)
    times = packer.add((np.arange(len(root)) / fps).astype(np.float32), bounds=True)
    outputs = [packer.add(root), *(packer.add(turns[:, joint].astype(np.float32)) for joint in range(turns.shape[1]))]
    targets = [(0, "translation"), *((joint, "rotation") for joint in range(turns.shape[1]))]
    return {
        "name": "motion",
        "samplers": [{"input": times, "output": output, "interpolation": "LINEAR"} for output in outputs],
        "channels": [{"sampler": k, "target": {"node": n, "path": path}} for k, (n, path) in enumerate(targets)],
    }


def _unposed(body: Skeleton) -> Float32Array:
    """(J, 4, 4): for each joint the matrix, column by column, that brings the rest pose into its own axes."""
    matrices = np.tile(np.eye(4, dtype=np.float32), (len(body), 1, 1))
    matrices[:, 3, :3] = -_rest(body)
    return matrices


def _rest(body: Skeleton) -> Float32Array:
    return np.zeros((len(body), 3), np.float32) if body.rest is None else body.rest


def _primitive(body: Skeleton, packer: Packer) -> dict[str, Any]:
    """Return the mesh: flat triangles, each bound to one joint."""
    corners, joints = _octahedra(body)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    bound = np.zeros((3 * len(corners), 4), np.uint16)
    bound[:, 0] = np.repeat(joints, 3)
    weights = np.zeros(bound.shape, np.float32)
    weights[:, 0] = 1
    attributes = {
        "POSITION": packer.add(corners.reshape(-1, 3).astype(np.float32), vertices=True, bounds=True),
        "NORMAL": packer.add(np.repeat(normals, 3, axis=0).astype(np.float32), vertices=True),
        "JOINTS_0": packer.add(bound, vertices=True),
        "WEIGHTS_0": packer.add(weights, vertices=True),
    }
    return {"attributes": attributes, "material": 0}


def _octahedra(body: Skeleton) -> tuple[Float64Array, NDArray[np.int_]]:
    """Return triangles (N, 3, 3), in metres in the rest pose, outside in front, and the joint that each moves with."""
    rest = _rest(body).astype(np.float64)
    bones = [(parent, rest[parent], rest[joint]) for joint, parent in enumerate(body.parents or ()) if parent >= 0]
    bones = [bone for bone in bones if np.linalg.norm(bone[2] - bone[1]) > 1e-3]
    if not bones:  # nothing has any length; mark the root
        bones = [(0, rest[0] - (0, 0.05, 0), rest[0] + (0, 0.05, 0))]
    holders, starts, ends = (np.array(column) for column in zip(*bones, strict=True))
    along = ends - starts
    length = np.linalg.norm(along, axis=-1, keepdims=True)
    side = np.cross(along, np.eye(3)[np.abs(along).argmin(-1)])
    side /= np.linalg.norm(side, axis=-1, keepdims=True)
    other = np.cross(along / length, side)
    width = np.clip(0.12 * length, 0.006, 0.03)
    waist = [starts + 0.2 * along + width * turn for turn in (side, other, -side, -other)]
    faces = [
        np.stack(face, axis=1)
        for here, there in zip(waist, waist[1:] + waist[:1], strict=True)
        for face in ((starts, there, here), (ends, here, there))
    ]
    return np.concatenate(faces), np.tile(holders, len(faces))


def read(path: Path) -> MotionData:
    """Read a motion.

    Returns
    -------
    A motion with rotations and root, or with positions only if joints slide away from their parents.

    Raises
    ------
    MotionError
        If the file is no GLB, is damaged, or holds what this reader cannot turn into a motion: no animation or several,
        cubic splines, stretched nodes, compressed or external arrays.
    """
    if path.stat().st_size > limits.MEMORY:
        raise MotionError(f"is larger than {limits.MEMORY / 1e6:.0f} MB; cut it into shorter files")
    file = Unpacker(path.read_bytes())
    try:
        return _motion_data(path.stem, file)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MotionError("is a binary glTF file whose document is malformed") from error


def _motion_data(name: str, file: Unpacker) -> MotionData:
    document = file.document
    foreign = [e for e in document.get("extensionsRequired", []) if not str(e).startswith(_HARMLESS)]
    if foreign:
        raise MotionError(f"needs the glTF extension {short(foreign[0])}, which is not supported")
    nodes = document.get("nodes", [])
    parents = _parents(nodes)
    channels = _channels(file)
    joints = _joints(document, parents, {node for node, _ in channels})
    channels = {key: channel for key, channel in channels.items() if key[0] in joints}
    extras = _extras(document)
    clock = _clock(list(channels.values()), extras.get("fps"), len(joints))
    translations, rotations, start = _pose(nodes, parents, joints, channels, clock)
    names = tuple(str(nodes[node].get("name", f"node_{node}")) for node in joints)
    places = {node: place for place, node in enumerate(joints)}
    tree = tuple(places.get(parents[node], -1) for node in joints)
    called = str(extras.get("skeleton", name))
    return hierarchy.from_transforms(
        called, names, tree, translations, rotations, clock.fps, start=start, meta=extras.get("meta", {})
    )


def _extras(document: dict[str, Any]) -> dict[str, Any]:
    """What this package's own files keep beside the scene: fps, skeleton, meta."""
    extras = document["asset"].get("extras", {})
    own = extras if isinstance(extras, dict) and document["asset"].get("generator") == "ictus" else {}
    if not isinstance(own.get("meta", {}), dict):
        raise MotionError("has a meta that is no JSON object")
    return own


@dataclass
class _Clock:
    """The frames at which an animation is sampled."""

    start: float  # seconds
    fps: float
    frames: int


@dataclass
class _Channel:
    """One property of one node over time."""

    times: Float64Array  # (K,) seconds, rising
    values: Float64Array  # (K, 3 | 4)
    stepping: bool

    def at(self, clock: _Clock) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Return the values before and after each frame, (T, 3 | 4), and the share of the latter, (T, 1)."""
        frames, keys = np.arange(clock.frames), (self.times - clock.start) * clock.fps
        # Float32 seconds fall a little beside their frames: a key that all but lies on a frame is meant to be there.
        keys = np.where(np.abs(keys - np.round(keys)) < 0.02, np.round(keys), keys)
        before = np.clip(np.searchsorted(keys, frames, side="right") - 1, 0, len(keys) - 1)
        after = np.minimum(before + 1, len(keys) - 1)
        gap = np.where(after > before, keys[after] - keys[before], 1.0)
        share = np.zeros(len(frames)) if self.stepping else np.clip((frames - keys[before]) / gap, 0.0, 1.0)
        return self.values[before], self.values[after], share[:, None]

    def translations(self, clock: _Clock) -> Float64Array:
        """(T, 3), along straight lines."""
        before, after, share = self.at(clock)
        return before + share * (after - before)

    def rotations(self, clock: _Clock) -> Float64Array:
        """(T, 3, 3), along the shortest arcs."""
        before, after, share = self.at(clock)
        first, last = Rotation.from_quat(before), Rotation.from_quat(after)
        return (first * Rotation.from_rotvec(share * (first.inv() * last).as_rotvec())).as_matrix()


def _channels(file: Unpacker) -> dict[tuple[int, str], _Channel]:
    """The channels of the animation, by node and property."""
    animations = file.document.get("animations", [])
    if len(animations) != 1:
        raise MotionError(f"holds {len(animations) or 'no'} animations; export it with just one")
    channels: dict[tuple[int, str], _Channel] = {}
    array = functools.cache(file.array)  # many channels may share one
    most = max(_KEYS, len(file.block) // 4)  # a key takes 4 bytes at least, unless channels share theirs
    for channel in animations[0]["channels"]:
        target, sampler = channel["target"], item(animations[0]["samplers"], channel["sampler"])
        width = {"translation": 3, "rotation": 4, "scale": 3}.get(target["path"])
        if width is None or "node" not in target:
            continue  # nothing that moves a joint
        mode = sampler.get("interpolation", "LINEAR")
        if mode not in ("LINEAR", "STEP"):
            raise MotionError(f"has an animation of type {short(mode)}; export it sampled, with LINEAR keys")
        times, values = array(sampler["input"]), array(sampler["output"])
        most -= len(times)
        if most < 0:
            raise MotionError("holds more keys than bytes; export it again")
        rising = times.ndim == 1 and np.isfinite(times).all() and (np.diff(times) > 0).all()
        if not len(times) or not rising or values.shape != (len(times), width):
            raise ValueError("the sampler's keys are malformed")
        channels[target["node"], target["path"]] = _Channel(times, values, mode == "STEP")
    return channels


def _clock(channels: list[_Channel], fps: Any, joints: int) -> _Clock:
    if not channels:
        raise MotionError("holds an animation that moves no joint")
    start = min(float(channel.times[0]) for channel in channels)
    end = max(float(channel.times[-1]) for channel in channels)
    if fps is None:
        gaps = np.diff(max((channel.times for channel in channels), key=len))
        regular = len(gaps) and gaps.max() < min(1.05 * gaps.min(), _SLOWEST)
        fps = hierarchy.whole_fps(1 / gaps.mean(), 1e-3 / gaps.mean()) if regular else 30.0
    rate = check_fps(fps, "the frames per second")
    if end > start:  # second 0 is where the animation begins: its first pose is held, or it would be before its music
        start -= max(0, round(start * rate)) / rate
    frames = (end - start) * rate + 1
    hierarchy.check_size(frames, joints, sum(len(channel.times) for channel in channels))
    return _Clock(start, rate, round(frames))


def _parents(nodes: list[dict[str, Any]]) -> list[int]:
    parents = [-1] * len(nodes)
    for number, node in enumerate(nodes):
        for child in node.get("children", []):
            if item(parents, child) >= 0:
                raise ValueError("a node has two parents")
            parents[child] = number
    return parents


def _lineage(node: int, parents: list[int]) -> list[int]:
    """The node and all above it, topmost first."""
    line = [node]
    while (parent := item(parents, line[-1])) >= 0:
        line.append(parent)
        if len(line) > len(parents):
            raise ValueError("the nodes form a loop")
    return line[::-1]


def _joints(document: dict[str, Any], parents: list[int], moving: set[int]) -> list[int]:
    """Choose the nodes that are joints, parents before children and otherwise in the file's order."""
    wanted = dict.fromkeys([j for skin in document.get("skins", []) for j in skin["joints"]] or sorted(moving))
    order: dict[int, None] = {}  # the wanted nodes and all above them
    below: dict[int, list[int]] = {-1: []}  # what hangs on each of them
    for node in wanted:
        item(parents, node)
        line = []
        while node not in below:
            line.append(node)
            node = item(parents, node)
            if len(line) > len(parents):
                raise ValueError("the nodes form a loop")
        for child in reversed(line):
            below[node].append(child)
            below[child], node = [], child
            order[child] = None
    if len(below[-1]) != 1:
        raise MotionError("holds more than one skeleton, or none; export one by itself")
    # The root: what carries all joints, or something above that moves and so carries them along.
    root = below[-1][0]
    while root not in moving and root not in wanted and len(below[root]) == 1:
        del order[root]
        root = below[root][0]
    return list(order)


def _pose(
    nodes: list[dict[str, Any]],
    parents: list[int],
    joints: list[int],
    channels: dict[tuple[int, str], _Channel],
    clock: _Clock,
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return translations (T, J, 3) in metres and rotations (T, J, 3, 3), the root's in the world, and its rest."""
    translations = np.empty((clock.frames, len(joints), 3))
    rotations = np.empty((clock.frames, len(joints), 3, 3))
    place, turn, size = np.zeros(3), np.eye(3), 1.0  # of what stands still above the root
    for node in _lineage(joints[0], parents)[:-1]:
        moved, turned, grown = _local(nodes[node])
        place, turn, size = place + size * turn @ moved, turn @ turned, size * grown
    sizes = {parents[joints[0]]: size}
    for column, node in enumerate(joints):
        moved, turned, grown = _local(nodes[node])
        moves, turns, grows = (channels.get((node, path)) for path in ("translation", "rotation", "scale"))
        translations[:, column] = moves.translations(clock) if moves else moved
        translations[:, column] *= sizes[parents[node]]
        rotations[:, column] = turns.rotations(clock) if turns else turned
        sizes[node] = sizes[parents[node]] * (_even(grows.values) if grows else grown)
    start = place + size * turn @ _local(nodes[joints[0]])[0]
    translations[:, 0] = place + translations[:, 0] @ turn.T
    rotations[:, 0] = turn @ rotations[:, 0]
    return translations, rotations, start


def _local(node: dict[str, Any]) -> tuple[Float64Array, Float64Array, float]:
    """Return a node's own translation (3,), rotation (3, 3) and scale."""
    if "matrix" in node:
        matrix = np.array(node["matrix"], np.float64).reshape(4, 4).T
        turn, size = matrix[:3, :3], np.cbrt(np.linalg.det(matrix[:3, :3]))
        if not size > 0 or not np.allclose(turn.T @ turn, size**2 * np.eye(3), atol=1e-3 * size**2):
            raise MotionError("holds stretched or mirrored nodes; apply the scale before exporting")
        return matrix[:3, 3], turn / size, float(size)
    moved = np.array(node.get("translation", (0, 0, 0)), np.float64).reshape(3)
    turn = hierarchy.matrices(np.array(node.get("rotation", (0, 0, 0, 1)), np.float64).reshape(4))
    return moved, turn, _even(np.array(node.get("scale", (1, 1, 1)), np.float64).reshape(-1, 3))


def _even(scales: Float64Array) -> float:
    """Return the one scale that all axes (and keys) have."""
    size = float(scales.mean())
    if not size > 0 or not np.allclose(scales, size, rtol=1e-3):
        raise MotionError("holds stretched or mirrored nodes; apply the scale before exporting")
    return size
