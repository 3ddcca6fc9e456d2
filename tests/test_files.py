"""What every reader stands on: one line for whatever goes wrong, and no more unpacked than is promised."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ictus.errors import AudioError, IctusError, MotionError
from ictus.files import reading, short, unpacked, writing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "walk.bvh"
    path.write_text("something")
    return path


@pytest.mark.parametrize(
    "name", ["a" * 250 + ".csv", "100 %s %d.csv", "a\nb\x1b[31m.csv", os.fsdecode(b"caf\xe9.csv"), "-o.csv"]
)
def test_any_name_that_the_system_takes_can_be_written(tmp_path: Path, name: str) -> None:
    with writing(tmp_path / name) as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    link, target = tmp_path / "link.csv", tmp_path / "elsewhere" / "target"
    link.symlink_to(target)
    for text in ("first", "second"):  # to where there is no file yet, and where there is one
        with writing(link) as temporary:
            assert temporary.suffix == ".csv"
            temporary.write_text(text)
        assert target.read_text() == text
        assert link.is_symlink()


def test_what_cannot_be_replaced_is_refused_before_the_work(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name, says in (("pipe.csv", "is no file"), ("", "is a folder"), ("b" * 300, "too long")):
        with pytest.raises(IctusError, match=says), writing(tmp_path / name):
            pytest.fail("begun")


def test_what_killed_processes_have_left_is_removed_at_the_next_write(tmp_path: Path) -> None:
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import os; from ictus.files import writing\nwith writing({str(tmp_path / 'a.csv')!r}): os._exit(9)",
        ]
    )
    assert killed.returncode == 9
    (left,) = tmp_path.iterdir()
    gone, machine = left.name.split("-")[2], left.name.split("-")[1]
    theirs = [
        ".ictus-notes.csv",
        f".ictus-{machine}-{gone}-abcdefgh-mine",
        f".ictus-{machine}-1-abcdefgh.csv",
        f".ictus-00000000-{gone}-abcdefgh.csv",
    ]
    old = f".ictus-00000000-{gone}-12345678.csv"
    for name in [*theirs, old]:
        (tmp_path / name).touch()
    os.utime(tmp_path / old, (0, 0))
    with writing(tmp_path / "b.csv"), writing(tmp_path / "c.csv"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {*theirs, "b.csv", "c.csv"}


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
