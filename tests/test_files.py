"""What every reader stands on: one line for whatever goes wrong, and no more unpacked than is promised."""

import zipfile
from pathlib import Path

import pytest

from ictus.errors import AudioError, IctusError, MotionError
from ictus.files import reading, short, unpacked


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "walk.bvh"
    path.write_text("something")
    return path


@pytest.mark.parametrize("error", [KeyError("x"), ZeroDivisionError(), RecursionError("deep"), AssertionError()])
def test_what_nobody_thought_of_is_a_line_with_its_cause(file: Path, error: Exception) -> None:
    with (
        pytest.raises(MotionError, match=r"walk\.bvh: damaged \(.+\); fetch or export it again") as caught,
        reading(file, MotionError),
    ):
        raise error
    assert caught.value.__cause__ is error


def test_an_error_of_our_own_keeps_its_words_and_gets_the_name(file: Path) -> None:
    with pytest.raises(AudioError, match=rf"^{file}: has no frames$"), reading(file, MotionError):
        raise AudioError("has no frames")
    with pytest.raises(AudioError, match=rf"^{file}: has no frames$"), reading(file, MotionError):
        raise AudioError(f"{file}: has no frames")


def test_want_of_memory_is_said(file: Path) -> None:
    with pytest.raises(MotionError, match="more memory"), reading(file, MotionError):
        raise MemoryError


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="no such file"), reading(tmp_path / "none.bvh", MotionError):
        pass


def test_words_from_a_file_are_harmless_and_short() -> None:
    assert short("a\x1b[31m\nb" + "c" * 5000).startswith("a [31m bcc")
    assert len(short("c" * 5000)) == 200
    assert short(ZeroDivisionError()) == "ZeroDivisionError"


def test_a_member_that_promises_too_much_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100_000))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert unpacked(archive, "zeros") == bytes(100_000)
        with pytest.raises(IctusError, match="zeros unpacks to 0 MB"):
            unpacked(archive, "zeros", 99_999)
