"""NumPy's files within bounds: what is promised is checked first, and only what is asked for is read."""

import io
import resource
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from ictus.arrays import archive, load, mapped
from ictus.errors import IctusError, MotionError
from ictus.formats import read_keypoints
from ictus.motion import Motion


def bomb(path: Path, name: str, shape: tuple[int, ...], megabytes: int, compression: int = 8) -> Path:
    """Write a zip file with one array of zeros, so many megabytes, which takes no more than some of them on disk."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": shape})
    packer, block = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(1 << 20)
    first = packer.compress(head.getvalue()) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = first + again * megabytes + packer.flush()
    size = len(head.getvalue()) + (megabytes << 20)
    facts = struct.pack("<HHHIIIIHH", 20, 0, compression, 0, 0, len(packed), size, len(name), 0)
    entry = b"PK\x03\x04" + facts + name.encode() + packed
    line = b"PK\x01\x02\x14\0" + facts + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode()
    path.write_bytes(entry + line + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(line), len(entry), 0))
    return path


@pytest.mark.parametrize(
    ("name", "read"), [("positions.npy", Motion.load), ("pose.npy", read_keypoints), ("pose.npy", Motion.load)]
)
def test_a_member_of_gigabytes_is_refused_without_growth(tmp_path: Path, name: str, read) -> None:
    path = bomb(tmp_path / "x.npz", name, (2500 << 16, 2, 2), 2500)
    with zipfile.ZipFile(path, "a") as members:
        for other, value in (("fps", 30.0), ("skeleton", "coco-17"), ("left_hand", 0.0), ("right_hand", 0.0)):
            np.save(content := io.BytesIO(), value)
            members.writestr(f"{other}.npy", content.getvalue())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MotionError, match=r"x\.npz: .*(too large|holds pose)"):
        read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_only_what_is_asked_for_is_read_and_counts(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.arange(6).reshape(2, 3), b=np.ones(1000), text=np.array(["é", "b"]), n=[3.5])
    with archive(tmp_path / "x.npz", limit=400) as held:
        assert list(held) == ["a", "b", "text", "n"]
        assert held.numbers("a", 2).tolist() == [[0, 1, 2], [3, 4, 5]]
        assert held.text("text", 1) == ["é", "b"]
        assert held.number("n") == 3.5
        held["a"][0] = 7  # may be written to
    for ask, says in (
        (lambda held: held["b"], "b of shape (1000,) is too large"),
        (lambda held: [held["a"] for _ in range(10)], "a of shape (2, 3) is too large"),
        (lambda held: held["c"], "holds a, b, text, n, but no c"),
        (lambda held: held.numbers("a", 1), "a is of type int64 and shape (2, 3)"),
        (lambda held: held.indices("n"), "n is of type float64"),
        (lambda held: held.numbers("text"), "text is of type <U1"),
        (lambda held: held.text("a", 2), "a is of type int64"),
        (lambda held: held.number("a"), "a is of type int64 and shape (2, 3), it must be one number"),
    ):
        with pytest.raises(MotionError) as caught, archive(tmp_path / "x.npz", MotionError, limit=400) as held:
            ask(held)
        assert str(caught.value).startswith(f"{tmp_path / 'x.npz'}: {says}")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["f4", ">f8", "i1", "U3", "?"])
def test_arrays_come_back(tmp_path: Path, order: str, kind: str) -> None:
    array = np.asarray(np.arange(24).reshape(2, 3, 4).astype(kind), order=order)
    np.save(tmp_path / "x.npy", array)
    np.savez_compressed(tmp_path / "x.npz", x=array, empty=np.zeros((0, 3)))
    with archive(tmp_path / "x.npz") as held:
        for found in (load(tmp_path / "x.npy"), mapped(tmp_path / "x.npy"), held["x"]):
            np.testing.assert_array_equal(found, array)
            assert found.dtype == array.dtype
        assert held["empty"].shape == (0, 3)


def test_a_larger_array_than_is_allowed_is_refused_or_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((100, 3), np.int8))
    with pytest.raises(MotionError, match=r"x\.npy: has shape \(100, 3\), which is too large"):
        load(tmp_path / "x.npy", MotionError, limit=1000)  # four bytes a number, as which it is worked with
    assert mapped(tmp_path / "x.npy").shape == (100, 3)


def test_what_is_no_archive(tmp_path: Path) -> None:
    np.savez(good := tmp_path / "good.npz", a=np.arange(100.0), objects=np.array([{}, []], object))
    whole = good.read_bytes()
    with zipfile.ZipFile(tmp_path / "packed.npz", "w", zipfile.ZIP_LZMA) as members:
        np.save(source := io.BytesIO(), np.zeros(3))
        members.writestr("a.npy", source.getvalue())
    lies = bomb(tmp_path / "lies.npz", "a.npy", (1 << 20,), 1)  # 1 MB of 4
    crowd = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 9, 9, 99_999_999, 0, 0)
    for name, content, says in (
        ("text.npz", b"hello", "is no NumPy archive"),
        ("cut.npz", whole[: len(whole) // 2], "is no NumPy archive"),
        ("crowd.npz", whole[:-22] + crowd, "a directory of 100 MB"),
        ("lies.npz", lies.read_bytes(), "damaged: a promises 4194304 bytes"),
        ("packed.npz", (tmp_path / "packed.npz").read_bytes(), "packed in a way that NumPy does not use"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(IctusError, match=rf"{name}: .*{says}"), archive(tmp_path / name) as held:
            _ = held["a"]
    says = "is no NumPy archive of numbers: objects is damaged or no array"
    with pytest.raises(IctusError, match=says), archive(good) as held:
        _ = held["objects"]
