import json
import struct
import warnings

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError
from ictus.formats import glb
from ictus.motion import Motion
from ictus.skeleton import Skeleton, get_skeleton

BODY = get_skeleton("conductor-23")


def unpack(path):
    """The document and the arrays of its accessors, read by hand."""
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert (size % 4, kind) == (0, b"JSON")
    document = json.loads(data[20 : 20 + size])
    binary, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert (binary % 4, kind) == (0, b"BIN\0")
    block = data[28 + size :]
    assert len(block) == binary
    arrays = []
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        dtype = {5126: np.dtype("<f4"), 5123: np.dtype("<u2")}[accessor["componentType"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor["type"]]
        assert view["byteOffset"] % 4 == 0
        assert view["byteLength"] == accessor["count"] * width * dtype.itemsize
        flat = np.frombuffer(block, dtype, accessor["count"] * width, view["byteOffset"])
        arrays.append(flat.reshape(-1, width) if width > 1 else flat)
    return document, arrays


def quaternion(*angles):
    return Rotation.from_euler("xyz", angles, degrees=True).as_quat()


def save_scene(path, nodes, channels=(), mode="LINEAR", **rest):
    """Write a GLB as another program might: `channels` are (node, property, seconds, values)."""
    packer = glb.Packer()
    samplers, targets = [], []
    for node, what, times, values in channels:
        times, values = (packer.add(np.asarray(array, np.float32)) for array in (times, values))
        targets.append({"sampler": len(samplers), "target": {"node": node, "path": what}})
        samplers.append({"input": times, "output": values, "interpolation": mode})
    children = {child for node in nodes for child in node.get("children", [])}
    document = {
        "asset": {"version": "2.0", "generator": "another program"},
        "scenes": [{"nodes": [n for n in range(len(nodes)) if n not in children]}],
        "nodes": nodes,
        "animations": [{"samplers": samplers, "channels": targets}],
    }
    packer.save(path, document | rest)


def two_bones(**changes):
    """Shoulder, elbow and wrist, a metre apart, under an armature in centimetres that lies on its back."""
    armature = {"name": "armature", "children": [1], "scale": [0.01] * 3, "rotation": quaternion(-90, 0, 0).tolist()}
    shoulder = {"name": "shoulder", "children": [2], "translation": [0, 0, 120]}
    elbow = {"name": "elbow", "children": [3], "translation": [100, 0, 0], "rotation": quaternion(0, 0, 30).tolist()}
    return [armature | changes, shoulder, elbow, {"name": "wrist", "translation": [100, 0, 0]}]


SKIN = [{"joints": [1, 2, 3]}]
BENDING = [(2, "rotation", [0, 0.5, 1], [quaternion(0, 0, angle) for angle in (0, 90, 0)])]


def test_trimesh_finds_the_figure_in_its_rest_pose(tmp_path, swing):
    trimesh = pytest.importorskip("trimesh")
    swing(BODY).save(tmp_path / "x.glb")
    scene = trimesh.load(tmp_path / "x.glb")
    for joint, place in zip(BODY.joints, BODY.rest, strict=True):
        matrix, _ = scene.graph.get(joint)
        np.testing.assert_allclose(matrix[:3, 3], place, atol=1e-6)
        np.testing.assert_allclose(matrix[:3, :3], np.eye(3), atol=1e-6)
    (mesh,) = scene.geometry.values()
    assert len(mesh.faces) == 8 * len(BODY.bones)
    for bone in trimesh.Trimesh(mesh.vertices, mesh.faces).split():
        assert bone.is_watertight
        assert bone.is_winding_consistent
        assert bone.volume > 0  # which it is not if its outside is inside
    low, high = mesh.bounds
    np.testing.assert_allclose(low[:2], BODY.rest[:, :2].min(0), atol=0.02)
    np.testing.assert_allclose(high[:2], BODY.rest[:, :2].max(0), atol=0.02)


def test_the_skin_follows_the_joints(tmp_path, swing):
    motion = swing(BODY, 4)
    motion.save(tmp_path / "x.glb")
    document, arrays = unpack(tmp_path / "x.glb")
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    vertices, joints, weights = (arrays[attributes[name]] for name in ("POSITION", "JOINTS_0", "WEIGHTS_0"))
    inverse = arrays[document["skins"][0]["inverseBindMatrices"]].reshape(-1, 4, 4).swapaxes(1, 2)
    np.testing.assert_array_equal(weights, np.tile([1, 0, 0, 0], (len(vertices), 1)))
    for frame in range(4):
        worlds = world_matrices(document, arrays, frame)
        posed = np.einsum("nab,nb->na", (worlds @ inverse)[joints[:, 0]], np.c_[vertices, np.ones(len(vertices))])
        for parent, child in BODY.bones:
            ends = posed[joints[:, 0] == parent, :3]
            for joint in (parent, child):
                assert np.linalg.norm(ends - motion.positions[frame, joint], axis=-1).min() < 1e-5


def world_matrices(document, arrays, frame):
    """Play the animation with plain 4x4 matrices."""
    count = len(document["nodes"]) - 1
    moves = [document["nodes"][n]["translation"] for n in range(count)]
    turns = [[0, 0, 0, 1]] * count
    animation = document["animations"][0]
    for channel in animation["channels"]:
        sampler, target = animation["samplers"][channel["sampler"]], channel["target"]
        {"translation": moves, "rotation": turns}[target["path"]][target["node"]] = arrays[sampler["output"]][frame]
    parents = {child: n for n, node in enumerate(document["nodes"]) for child in node.get("children", [])}
    worlds = []
    for node in range(count):
        local = np.eye(4)
        local[:3, :3], local[:3, 3] = Rotation.from_quat(turns[node]).as_matrix(), moves[node]
        worlds.append(worlds[parents[node]] @ local if node in parents else local)
    return np.array(worlds)


def test_another_player_sees_the_same_motion(tmp_path, swing):
    motion = swing(BODY, 5)
    motion.save(tmp_path / "x.glb")
    document, arrays = unpack(tmp_path / "x.glb")
    assert [node["name"] for node in document["nodes"][:-1]] == list(BODY.joints)
    for frame in range(5):
        places = world_matrices(document, arrays, frame)[:, :3, 3]
        np.testing.assert_allclose(places, motion.positions[frame], rtol=0, atol=2e-6)


def test_the_file_keeps_to_the_standard(tmp_path, swing):
    swing(BODY, 5, fps=25.0, meta={"seed": 1}).save(tmp_path / "x.glb")
    document, arrays = unpack(tmp_path / "x.glb")
    assert document["asset"]["version"] == "2.0"
    assert document["asset"]["extras"] == {"fps": 25.0, "skeleton": "conductor-23", "meta": {"seed": 1}}
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    bounded = {attributes["POSITION"], *(s["input"] for s in document["animations"][0]["samplers"])}
    for number, (accessor, array) in enumerate(zip(document["accessors"], arrays, strict=True)):
        assert ("min" in accessor) == ("max" in accessor) == (number in bounded)
        if number in bounded:
            np.testing.assert_array_equal(np.float32(accessor["min"]), np.atleast_1d(array.min(0)))
            np.testing.assert_array_equal(np.float32(accessor["max"]), np.atleast_1d(array.max(0)))
    (times,) = {s["input"] for s in document["animations"][0]["samplers"]}
    np.testing.assert_allclose(arrays[times], np.arange(5) / 25, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(arrays[attributes["NORMAL"]], axis=-1), 1, atol=1e-6)


def test_quaternions_do_not_jump(tmp_path, random_body):
    body = random_body(1)
    rotations = Rotation.from_euler("Y", np.linspace(0, 1500, 99)[:, None], degrees=True).as_matrix()[:, None]
    Motion(np.zeros((99, 1, 3)), 30, body, rotations, np.zeros((99, 3))).save(tmp_path / "x.glb")
    _, arrays = unpack(tmp_path / "x.glb")
    (turns,) = (array for array in arrays if array.shape == (99, 4))
    assert ((turns[1:] * turns[:-1]).sum(-1) > 0.9).all()
    np.testing.assert_allclose(np.linalg.norm(turns, axis=-1), 1, atol=1e-6)


@pytest.mark.parametrize("fps", [29.97, 30, 60, 120])
def test_the_frames_of_a_long_motion_stay_where_they_are(tmp_path, random_body, swing, fps):
    motion = swing(random_body(2), 40_000, fps)  # float32 seconds are coarse out here
    motion.save(tmp_path / "x.glb")
    loaded = Motion.load(tmp_path / "x.glb")
    assert len(loaded) == 40_000
    np.testing.assert_allclose(loaded.positions, motion.positions, atol=2e-6)


def test_bones_without_length_still_show_something(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    body = Skeleton("dot", ("a", "b"), ((0, 1),), (-1, 0), rest=np.zeros((2, 3)))
    rotations = np.tile(np.eye(3), (2, 2, 1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Motion(np.zeros((2, 2, 3)), 30, body, rotations, np.zeros((2, 3))).save(tmp_path / "x.glb")
    assert trimesh.load(tmp_path / "x.glb").extents.max() == pytest.approx(0.1)


def test_an_armature_of_another_program(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    save_scene(tmp_path / "arm.glb", two_bones(), BENDING, skins=SKIN)
    motion = Motion.load(tmp_path / "arm.glb")
    body = motion.skeleton
    assert (body.name, body.joints, body.parents) == ("arm", ("shoulder", "elbow", "wrist"), (-1, 0, 1))
    # Lying on its back, the armature's z is up: shoulder at 1.2 m; bending about z swings the wrist towards -z.
    np.testing.assert_allclose(motion.positions[0], [[0, 1.2, 0], [1, 1.2, 0], [2, 1.2, 0]], atol=1e-6)
    np.testing.assert_allclose(motion.positions[15], [[0, 1.2, 0], [1, 1.2, 0], [1, 1.2, -1]], atol=1e-6)
    still = trimesh.load(tmp_path / "arm.glb").graph
    place = still.get("wrist")[0][:3, 3]
    save_scene(tmp_path / "arm.glb", two_bones(), [(1, "rotation", [0], [quaternion(0, 0, 0)])], skins=SKIN)
    np.testing.assert_allclose(Motion.load(tmp_path / "arm.glb").positions[0, 2], place, atol=1e-6)


def test_the_frame_rate_is_that_of_the_keys_or_thirty(tmp_path):
    def loaded(times):
        turns = [quaternion(0, 0, 90 * time) for time in times]
        save_scene(tmp_path / "x.glb", two_bones(), [(2, "rotation", times, turns)], skins=SKIN)
        return Motion.load(tmp_path / "x.glb")

    assert loaded(np.arange(25) / 24).fps == 24
    assert loaded(np.arange(101) / 99.9).fps == pytest.approx(99.9)
    sparse = loaded([0, 0.5, 1])
    assert (sparse.fps, len(sparse)) == (30, 31)
    irregular = loaded([0, 0.5, 0.75, 1])
    assert (irregular.fps, len(irregular)) == (30, 31)
    single = loaded([3])
    assert (single.fps, len(single)) == (30, 1)


def test_between_the_keys_joints_turn_evenly_along_the_shortest_arc(tmp_path):
    turns = np.array([quaternion(0, 0, 0), -quaternion(0, 0, 90), -quaternion(0, 0, 90)])
    save_scene(tmp_path / "x.glb", two_bones(), [(2, "rotation", [1, 2, 2.1], turns)], skins=SKIN)
    motion = Motion.load(tmp_path / "x.glb")
    angles = np.degrees(np.arctan2(motion.rotations[:, 1, 1, 0], motion.rotations[:, 1, 0, 0]))
    np.testing.assert_array_equal(angles[:30], 0)  # the first second holds the pose of the first key
    np.testing.assert_allclose(angles[30:61], np.linspace(0, 90, 31), atol=1e-3)
    assert len(motion) == 64


def test_steps_hold_their_value(tmp_path):
    stepping = [(2, "rotation", [0, 0.5, 0.6], BENDING[0][3])]
    save_scene(tmp_path / "x.glb", two_bones(), stepping, mode="STEP", skins=SKIN)
    wrist = Motion.load(tmp_path / "x.glb").positions[:, 2, 0]
    np.testing.assert_allclose(wrist, [2] * 15 + [1] * 3 + [2], atol=1e-5)


def test_a_root_that_moves_above_the_joints_carries_them(tmp_path):
    channels = [*BENDING, (0, "translation", [0, 1], [[0, 0, 0], [1, 0, 0]])]
    save_scene(tmp_path / "x.glb", two_bones(), channels, skins=SKIN)
    motion = Motion.load(tmp_path / "x.glb")
    assert motion.skeleton.joints == ("armature", "shoulder", "elbow", "wrist")
    np.testing.assert_allclose(motion.positions[-1, :, 0], [1, 1, 2, 3], atol=1e-6)


def test_without_a_skin_the_moving_nodes_are_the_joints(tmp_path):
    channels = [(node, "rotation", [0, 1], [quaternion(0, 0, 0)] * 2) for node in (3, 1)]
    save_scene(tmp_path / "x.glb", two_bones(), channels)
    assert Motion.load(tmp_path / "x.glb").skeleton.joints == ("shoulder", "elbow", "wrist")


def test_joints_listed_before_their_parents_are_sorted(tmp_path):
    save_scene(tmp_path / "x.glb", two_bones(), BENDING, skins=[{"joints": [3, 2, 1]}])
    assert Motion.load(tmp_path / "x.glb").skeleton.joints == ("shoulder", "elbow", "wrist")


def test_constant_translations_become_offsets_and_sliding_leaves_positions_only(tmp_path):
    still = [*BENDING, (3, "translation", [0, 1], [[150, 0, 0]] * 2)]
    save_scene(tmp_path / "x.glb", two_bones(), still, skins=SKIN)
    motion = Motion.load(tmp_path / "x.glb")
    np.testing.assert_allclose(motion.skeleton.offsets[2], [1.5, 0, 0], atol=1e-6)
    sliding = [*BENDING, (3, "translation", [0, 1], [[150, 0, 0], [50, 0, 0]])]
    save_scene(tmp_path / "x.glb", two_bones(), sliding, skins=SKIN)
    motion = Motion.load(tmp_path / "x.glb")
    assert motion.rotations is None
    np.testing.assert_allclose(motion.positions[::15, 2], [[2.5, 1.2, 0], [1, 1.2, -1], [1.5, 1.2, 0]], atol=1e-6)


def test_what_stands_still_above_the_joints_counts(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    scene = {"translation": [1, 2, 3], "scale": [10] * 3, "rotation": quaternion(10, 20, 30).tolist(), "children": [0]}
    nodes = [*two_bones(translation=[0.1, 0.2, 0.3]), {"children": [5]}, scene]
    save_scene(tmp_path / "x.glb", nodes, [(1, "rotation", [0], [quaternion(0, 0, 0)])], skins=SKIN)
    still = trimesh.load(tmp_path / "x.glb").graph
    expected = [still.get(joint)[0][:3, 3] for joint in ("shoulder", "elbow", "wrist")]
    np.testing.assert_allclose(Motion.load(tmp_path / "x.glb").positions[0], expected, atol=1e-4)


def test_matrices_and_scales_count(tmp_path):
    matrix = np.eye(4)
    matrix[:3, :3] = 0.01 * Rotation.from_euler("x", -90, degrees=True).as_matrix()
    matrix[:3, 3] = 5, 6, 7
    nodes = two_bones()
    nodes[0] = {"children": [1], "matrix": matrix.T.ravel().tolist()}
    channels = [*BENDING, (2, "scale", [0, 1], [[2, 2, 2]] * 2)]
    save_scene(tmp_path / "x.glb", nodes, channels, skins=SKIN)
    expected = [[5, 7.2, 7], [6, 7.2, 7], [8, 7.2, 7]]
    np.testing.assert_allclose(Motion.load(tmp_path / "x.glb").positions[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("nodes", "channels", "rest", "complaint"),
    [
        (two_bones(scale=[1, 2, 1]), BENDING, {"skins": SKIN}, "stretched"),
        (two_bones(scale=[-1, -1, -1]), BENDING, {"skins": SKIN}, "stretched"),
        (
            [{"matrix": np.diag([1, 2, 1, 1]).ravel().tolist(), "children": [1]}, *two_bones()[1:]],
            BENDING,
            {},
            "stretched",
        ),
        (two_bones(), [(2, "scale", [0, 1], [[1, 1, 1], [2, 2, 2]])], {}, "stretched"),
        (two_bones(), BENDING, {"animations": []}, "holds no animations"),
        (two_bones(), BENDING, {"animations": [{}, {}]}, "holds 2 animations"),
        (two_bones(), BENDING, {"extensionsRequired": ["EXT_meshopt_compression"]}, "EXT_meshopt_compression"),
        (two_bones(), [(0, "weights", [0, 1], [0, 1])], {"skins": SKIN}, "moves no joint"),
        (two_bones(children=[]), [*BENDING, (0, *BENDING[0][1:])], {}, "more than one skeleton"),
        (two_bones(), [(2, "rotation", [0, 1e9], [[0, 0, 0, 1]] * 2)], {}, "too long"),
        (two_bones(), [(2, "rotation", [0, 1, 1], BENDING[0][3])], {}, "malformed"),
        (two_bones(), [(2, "rotation", [0, np.nan, 1], BENDING[0][3])], {}, "malformed"),
        (two_bones(), [(2, "rotation", [0, 1], BENDING[0][3])], {}, "malformed"),
        (two_bones(), [(2, "rotation", [0], [[0, 0, 0, 0]])], {}, "malformed"),
        (two_bones(), [(2, "translation", [0], [[np.inf, 0, 0]])], {}, "nowhere"),
        (two_bones(), [(7, *BENDING[0][1:])], {}, "malformed"),
        (two_bones(), [(-1, *BENDING[0][1:])], {}, "malformed"),
        ([*two_bones()[:3], {"children": [0]}], BENDING, {}, "malformed"),  # a loop
        ([*two_bones(), {"children": [3]}], BENDING, {}, "malformed"),  # two parents
        (
            two_bones(name="wrist", children=[1]),
            [*BENDING, (0, *BENDING[0][1:]), (3, *BENDING[0][1:])],
            {},
            "same name",
        ),
    ],
)
def test_what_cannot_be_a_motion_is_refused(tmp_path, nodes, channels, rest, complaint):
    save_scene(tmp_path / "x.glb", nodes, channels, **rest)
    with pytest.raises(MotionError, match=complaint):
        Motion.load(tmp_path / "x.glb")


def test_the_pose_of_the_first_key_is_held_from_the_start(shared_data):
    late, plain = (
        Motion.load(shared_data / "cases" / "g01-glb-import" / f"{name}.glb") for name in ("late-start", "linear")
    )
    assert len(late) == len(plain) + 60  # the first key is at 2 s
    np.testing.assert_allclose(late.positions[60:], plain.positions, atol=1e-6)
    np.testing.assert_array_equal(late.positions[:60], np.repeat(late.positions[60:61], 60, 0))


def test_deep_trees_and_shared_keys_take_no_longer_than_they_are(tmp_path):
    chain = [{"children": [k + 1]} for k in range(3000)] + [{}]
    moving = [(3000, "rotation", [0, 1], [quaternion(0, 0, 0)] * 2)]
    save_scene(tmp_path / "x.glb", chain, moving, skins=[{"joints": list(range(3000, 0, -1))}])
    assert len(Motion.load(tmp_path / "x.glb").skeleton) == 3000
    save_scene(tmp_path / "x.glb", [{"children": [k + 1]} for k in range(20_000)] + [{}], [], skins=[
        {"joints": list(range(20_001))}
    ], animations=[{"samplers": [], "channels": []}])  # fmt: skip
    with pytest.raises(MotionError, match="moves no joint"):
        Motion.load(tmp_path / "x.glb")


def test_more_keys_than_the_file_has_bytes_are_refused(tmp_path):
    times = np.arange(60_000)
    save_scene(tmp_path / "x.glb", [{}] * 60, [(0, "rotation", times, np.tile(quaternion(0, 0, 0), (60_000, 1)))])
    data = (tmp_path / "x.glb").read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + size])
    channel = document["animations"][0]["channels"][0]
    document["animations"][0]["channels"] = [
        {**channel, "target": {"node": node, "path": "rotation"}} for node in range(60)
    ]
    text = json.dumps(document).encode()
    head = struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text) + len(data) - 20 - size, len(text), b"JSON")
    (tmp_path / "x.glb").write_bytes(head + text + data[20 + size :])
    with pytest.raises(MotionError, match="more keys than bytes"):
        Motion.load(tmp_path / "x.glb")


def test_cubic_splines_are_refused(tmp_path):
    save_scene(tmp_path / "x.glb", two_bones(), BENDING, mode="CUBICSPLINE", skins=SKIN)
    with pytest.raises(MotionError, match="export it sampled"):
        Motion.load(tmp_path / "x.glb")


@pytest.mark.parametrize(
    ("part", "change", "complaint"),
    [
        ("accessors", {"sparse": {}}, "sparse"),
        ("accessors", {"count": 10**12}, "malformed"),
        ("accessors", {"count": -1}, "malformed"),
        ("accessors", {"byteOffset": -4}, "malformed"),
        ("accessors", {"componentType": 1}, "malformed"),
        ("bufferViews", {"byteOffset": 10**12}, "malformed"),
        ("bufferViews", {"byteOffset": -4}, "malformed"),
        ("bufferViews", {"byteLength": 4}, "malformed"),
        ("bufferViews", {"byteStride": 32}, "interleaved"),
        ("bufferViews", {"extensions": {"EXT_meshopt_compression": {}}}, "compress"),
        ("buffers", {"uri": "motion.bin"}, "another file"),
        ("buffers", None, "malformed"),
        ("nodes", None, "malformed"),
        ("asset", {"extras": {"meta": 3}}, "meta"),
        ("asset", {"extras": {"fps": "fast"}}, "frames per second"),
        ("asset", {"extras": {"fps": 0}}, "frames per second"),
    ],
)
def test_a_malformed_document_is_refused(tmp_path, swing, random_body, part, change, complaint):
    swing(random_body(2), 2).save(tmp_path / "x.glb")
    data = (tmp_path / "x.glb").read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    document, tail = json.loads(data[20 : 20 + size]), data[20 + size :]
    if change is None:
        del document[part]
    else:
        for thing in document[part] if isinstance(document[part], list) else [document[part]]:
            thing.update(change)
    text = json.dumps(document).encode()
    head = struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text) + len(tail), len(text), b"JSON")
    (tmp_path / "x.glb").write_bytes(head + text + tail)
    with pytest.raises(MotionError, match=complaint):
        Motion.load(tmp_path / "x.glb")
