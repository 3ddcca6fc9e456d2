"""The engine of rtmlib, with tiny networks of our own: a detector that always sees two people, and points on a line."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ictus.errors import IctusError, ModelError
from ictus.pose import track
from ictus.pose.engines import get_engine
from ictus.pose.rtm import places
from ictus.skeleton import get_skeleton
from pose.people_on_film import SIZE, walking, write_people

BODY = get_skeleton("blaze-75")
PEOPLE = [(0, 0, 64, 96, 0.9), (80, 0, 160, 96, 0.8), (0, 0, 9, 9, 0.1)]  # of a picture of 160 x 96, and how sure
WIDE, HIGH = 48, 64  # of the picture that the points are looked for in


def save_constants(file: Path, shape: list[int], arrays: list[np.ndarray[Any, Any]]) -> None:
    """Write a network that gives the same whatever it sees: its picture, times nothing, added to each array."""
    onnx = pytest.importorskip("onnx")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    zero = onnx.numpy_helper.from_array(np.zeros((), np.float32), "zero")
    kept = [onnx.numpy_helper.from_array(a.astype(np.float32), f"kept{n}") for n, a in enumerate(arrays)]
    nodes = [
        helper.make_node("ReduceMax", ["picture"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "zero"], ["no"]),
    ]
    nodes += [helper.make_node("Add", [f"kept{n}", "no"], [f"out{n}"]) for n in range(len(arrays))]
    outputs = [helper.make_tensor_value_info(f"out{n}", number, a.shape) for n, a in enumerate(arrays)]
    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info("picture", number, shape)], outputs, [zero, *kept]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    file.write_bytes(model.SerializeToString())


def save_networks(folder: Path, points: int = 133) -> Path:
    """Point n lies n / 4 pixels to the right and 20 down in the small picture; point 7 is not seen."""
    pytest.importorskip("rtmlib", reason="needs rtmlib (pip install rtmlib)")
    folder.mkdir()
    save_constants(folder / "detection.onnx", [1, 3, 96, 160], [np.array(PEOPLE)[None]])
    across, down = np.zeros((1, points, 2 * WIDE)), np.zeros((1, points, 2 * HIGH))
    for number in range(points):
        seen = 0 if number == 7 else 1.5  # RTMW's scores may be above 1
        across[0, number, min(number // 2, 2 * WIDE - 1)] = seen
        down[0, number, 40] = seen
    save_constants(folder / "pose.onnx", [1, 3, HIGH, WIDE], [across, down])
    return folder


def test_each_point_has_its_place_in_coco_wholebody() -> None:
    found = dict(zip(BODY.joints, places().tolist(), strict=True))
    assert len(set(BODY.joints[33:])) == 42
    assert [found[f"left_{name}"] for name in ("shoulder", "wrist", "heel", "foot_index")] == [5, 9, 19, 17]
    assert [found[f"right_{name}"] for name in ("shoulder", "wrist", "heel", "foot_index")] == [6, 10, 22, 20]
    assert [found["left_hand_wrist"], found["left_pinky_4"], found["right_hand_wrist"], found["right_pinky_4"]] == [
        *(91, 111, 112, 132)
    ]
    assert places().max() < 133


@pytest.mark.parametrize(("person", "left", "right"), [("left", 0, 64), ("right", 80, 160)])
def test_the_person_that_is_followed_has_the_points(tmp_path: Path, person: str, left: int, right: int) -> None:
    film = write_people(tmp_path / "a.mp4", walking(5))
    found = track(film, engine=get_engine("rtm", save_networks(tmp_path / "nets")), person=person)
    assert (len(found), found.skeleton.name, found.world, found.size) == (5, "blaze-75", None, SIZE)
    # rtmlib widens a box by 1.25, and to the shape of the network's picture
    wide = max(1.25 * (right - left), 1.25 * 96 * WIDE / HIGH)
    across = (left + right) / 2 - wide / 2 + np.minimum(places() // 2, 2 * WIDE - 1) / 2 * wide / WIDE
    steady = places() != 7
    np.testing.assert_allclose(found.points[2, steady, 0], across[steady], atol=0.01)
    inside = (found.points[2] >= 0).all(-1) & (found.points[2] < SIZE).all(-1)
    assert found.confidence[2, steady & inside].min() == 1
    assert found.confidence[2, BODY.index("left_elbow")] == 0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "pose.onnx").unlink(), r"pose\.onnx: missing; the engine rtm wants a folder of"),
        (lambda folder: (folder / "pose.onnx").write_text("no network"), r"pose\.onnx: no network of a fixed size"),
        (lambda folder: (folder / "pose.onnx").write_bytes(b""), r"pose\.onnx: no network of a fixed size"),
        (
            lambda folder: (folder / "pose.onnx").write_bytes((folder / "detection.onnx").read_bytes()),
            "nets: other networks than rtmlib's",
        ),
    ],
)
def test_networks_that_are_none(tmp_path: Path, spoil: Any, message: str) -> None:
    folder = save_networks(tmp_path / "nets")
    spoil(folder)
    film = write_people(tmp_path / "a.mp4", walking(3))
    with pytest.raises(ModelError, match=message):
        track(film, engine="rtm", networks=folder)


def test_a_network_of_the_body_alone(tmp_path: Path) -> None:
    film = write_people(tmp_path / "a.mp4", walking(3))
    with pytest.raises(ModelError, match="a network of 17 points; give one of the whole body, which has 133"):
        track(film, engine="rtm", networks=save_networks(tmp_path / "nets", 17))


def test_nothing_is_written_on_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    get_engine("rtm", save_networks(tmp_path / "nets"))
    assert capsys.readouterr().out == ""


def test_without_rtmlib_a_line_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmlib", None)
    with pytest.raises(IctusError, match="needs rtmlib, which is not installed; type: pip install rtmlib"):
        get_engine("rtm")
