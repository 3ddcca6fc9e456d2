import struct

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError
from ictus.formats import hierarchy
from ictus.formats.glb import Packer, Unpacker, item


def packed(tmp_path, packer, document=None):
    packer.save(tmp_path / "x.glb", document or {})
    return (tmp_path / "x.glb").read_bytes()


@pytest.mark.parametrize("shape", [(5,), (1, 3), (2, 4), (2, 4, 4)])
def test_arrays_come_back(tmp_path, shape):
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    packer = Packer()
    assert [packer.add(array), packer.add(-array)] == [0, 1]
    file = Unpacker(packed(tmp_path, packer, {"asset": {"version": "2.0"}}))
    np.testing.assert_array_equal(file.array(0), array)
    np.testing.assert_array_equal(file.array(1), -array)
    assert file.document["asset"] == {"version": "2.0"}


def test_everything_is_aligned_to_four_bytes(tmp_path):
    packer = Packer()
    packer.add(np.arange(3, dtype=np.uint16))
    packer.add(np.ones(1, np.float32))
    for filler in range(4):
        data = packed(tmp_path, packer, {"extras": "x" * filler})
        size = struct.unpack_from("<I", data, 12)[0]
        assert size % 4 == 0
        assert len(data) % 4 == 0
        file = Unpacker(data)
        assert file.document["bufferViews"][1]["byteOffset"] == 8
        np.testing.assert_array_equal(file.array(0), [0, 1, 2])
        np.testing.assert_array_equal(file.array(1), [1])


@pytest.mark.parametrize(
    ("dtype", "code", "stored", "meant"),
    [
        ("i1", 5120, [-128, -127, 0, 127], [-1, -1, 0, 1]),
        ("u1", 5121, [0, 255], [0, 1]),
        ("<i2", 5122, [-32768, 32767], [-1, 1]),
        ("<u2", 5123, [0, 65535], [0, 1]),
    ],
)
def test_normalised_integers_are_fractions(tmp_path, dtype, code, stored, meant):
    packer = Packer()
    packer.add(np.zeros(1, np.float32))
    file = Unpacker(packed(tmp_path, packer))
    array = np.array(stored, dtype)
    file.block = array.tobytes()
    file.document["bufferViews"][0]["byteLength"] = array.nbytes
    file.document["accessors"][0] |= {"componentType": code, "count": len(stored)}
    np.testing.assert_array_equal(file.array(0), stored)
    file.document["accessors"][0]["normalized"] = True
    np.testing.assert_allclose(file.array(0), meant)


def test_a_file_that_is_cut_short_says_so(tmp_path):
    packer = Packer()
    packer.add(np.ones(10, np.float32))
    data = packed(tmp_path, packer)
    for size in range(4, len(data)):
        with pytest.raises(MotionError, match="cut short"):
            Unpacker(data[:size])


def test_other_files_and_versions_are_refused():
    with pytest.raises(MotionError, match="no binary glTF"):
        Unpacker(b'{"asset": {}}')
    with pytest.raises(MotionError, match="version 1"):
        Unpacker(struct.pack("<4sII", b"glTF", 1, 12))


@pytest.mark.parametrize(
    "chunk", [b"", struct.pack("<II", 4, 0x4E4F534A) + b"[1] ", struct.pack("<II", 1, 0x4E4F534A) + b"\xff"]
)
def test_a_file_without_a_document_is_refused(chunk):
    with pytest.raises(MotionError, match="readable document"):
        Unpacker(struct.pack("<4sII", b"glTF", 2, 12 + len(chunk)) + chunk)


def test_items_are_not_counted_from_the_end():
    assert item(["a", "b"], 1) == "b"
    for number in (-1, 2):
        with pytest.raises(IndexError):
            item(["a", "b"], number)


def test_many_rotations_are_turned_piece_by_piece(monkeypatch):
    turns = Rotation.random(100, random_state=0)
    monkeypatch.setattr(hierarchy, "_PIECE", 7)
    np.testing.assert_array_equal(
        hierarchy.quaternions(turns.as_matrix()), Rotation.from_matrix(turns.as_matrix()).as_quat()
    )
