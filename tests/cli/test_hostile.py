"""The command line in clumsy and hostile hands: wrong options and files, odd names, and a program that is stopped."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ictus.cli import main, tables
from ictus.cli.batch import plan_files, plan_music, run_batch
from ictus.corpora import SPLITS, hashed_split, write_json
from ictus.errors import IctusError, UsageError
from ictus.metrics.tables import Row
from ictus.motion import Motion
from ictus.render.page import page
from ictus.skeleton import get_skeleton

ODD = [
    "a\x1b[31mb\x1b]0;c\x07.wav",
    "two\nlines.wav",
    os.fsdecode(b"caf\xe9.wav"),
    "100% %s {0}.wav",
    "[red]x[bold].wav",
]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("conduct x.wav --seed -1", "--seed -1: choose between 0 and 4294967295"),
        ("conduct x.wav --lead 5000", "--lead 5000: choose between -1000 and 1000"),
        ("conduct x.wav --fps 100000", "--fps 100000: choose between 1 and 240"),
        ("conduct x.wav --size 100000x64", "--size 100000x64: give width and height"),
        ("conduct x.wav --size 64x65", "both sides must be even, at least 64 and at most 8192 (--size)"),
        ("dance x.wav --stride 0", "--stride 0: choose"),
        ("sound x.npy --temperature nan", "--temperature nan: give 0 or more"),
        ("sound x.npy --temperature inf", "--temperature inf: give 0 or more"),
        ("sound x.npy --keypoint-fps 1e9", "--keypoint-fps 1e+09: choose between 0.001 and 10000"),
        ("evaluate conducting --data . --seeds 0", "--seeds 0: choose"),
        ("evaluate conducting --data . --protocol beats --seconds 9", "--seconds and --seeds are not of beats"),
        ("evaluate beats --data . --limit-hours nan", "--limit-hours nan: give more than 0"),
        ("data prepare synthetic --data . -o y --workers 0", "--workers 0: choose between 1 and 1024"),
        ("data prepare solos --data . -o y --feature-rate 0", "--feature-rate 0: choose"),
        ("train x.yaml --devices 0", "--devices 0: choose"),
        ("studio --size 0", "--size 0: choose"),
        ("beats  -o x.csv", "an argument is empty"),
        ("beats https://a.org/b.mp3", "https://a.org/b.mp3: nothing is downloaded"),
        ("dance x.wav --model HTTP://a.org/b", "HTTP://a.org/b: nothing is downloaded"),
    ],
)
def test_options_are_checked_before_work_starts(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split(" ")) == 2
    out, err = capsys.readouterr()
    assert says in err
    assert len(err.splitlines()) == 1
    assert not out


@pytest.mark.parametrize(
    ("command", "name", "says"),
    [
        ("conduct", "a.bvh", "this is a motion: `ictus convert` takes it"),
        ("beats", "a.yaml", "this is a recipe: `ictus train` takes it"),
        ("sound", "a.wav", "this is music: `ictus conduct`"),
        ("convert", "a.mp3", "this is music: `ictus conduct`"),
        ("train", "a.npz", "this is a motion: `ictus convert` takes it"),
        ("conduct --model nope", "a.mp3", "models by name: maestro, cnn-lstm, m2s-gan, plain;"),
        ("sound --model nope", "a.npy", "models by name: soloist;"),
    ],
)
def test_the_right_command_is_told(
    command: str, name: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text("x")
    assert main([*command.split(), str(tmp_path / name), *(["x.bvh"] if command == "convert" else [])]) == 1
    assert says in capsys.readouterr().err


def test_files_that_differ_in_their_suffix_alone_are_told_apart(tmp_path: Path) -> None:
    for name in ("song.mp3", "song.flac", "other.wav", ".song.wav", "._song.mp3", "notes.txt"):
        (tmp_path / name).touch()
    (other := tmp_path / "more").mkdir()
    (other / "song.mp3").touch()
    plans = plan_music([tmp_path, tmp_path / "song.mp3"], ["out/", "out/.bvh"], [".mp4", ".bvh"], ".mp4")
    assert {file.name: [str(path) for path in paths] for file, paths in plans} == {
        "other.wav": ["out/other.mp4", "out/other.bvh"],
        "song.flac": ["out/song-flac.mp4", "out/song-flac.bvh"],
        "song.mp3": ["out/song-mp3.mp4", "out/song-mp3.bvh"],
    }
    beside = plan_files([tmp_path / "song.mp3", other / "song.mp3"], [], [".csv"], ".csv")
    assert [path for _, paths in beside for path in paths] == [tmp_path / "song.csv", other / "song.csv"]
    (loop := tmp_path / "loop.wav").symlink_to(loop)
    assert plan_files([loop, loop], [], [".csv"], ".csv") == [(loop, [tmp_path / "loop.csv"])]
    with pytest.raises(UsageError, match="more than one result"):
        plan_files([tmp_path / "song.mp3", other / "song.mp3"], ["out/"], [".csv"], ".csv")


@pytest.mark.parametrize("name", ODD)
def test_names_are_printed_harmlessly(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def work(file: Path, outs: Any, progress: Any) -> dict[str, Any]:
        if file.name.startswith("bad"):
            raise IctusError(f"{file}: is bad")
        return {}

    plans = [(tmp_path / name, []), (tmp_path / f"bad{name}", [])]
    for as_json in (False, True):
        assert run_batch(plans, work, lambda report: f"{report['music']} -> done", as_json) == 1
        out, err = capsys.readouterr()
        assert all(line.isprintable() for line in (out + err).splitlines())
        assert err.count("\n") == 1
        if as_json:
            assert [report["music"] for report in json.loads(out)] == [str(path) for path, _ in plans]
        else:
            assert out.count("\n") == 1


def test_names_that_are_no_text_go_into_files_and_seeds(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    assert hashed_split(name) in SPLITS
    write_json(tmp_path / "a.json", {"name": name, "other": "café"})
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"name": name, "other": "café"}
    assert "café" in (tmp_path / "a.json").read_text("utf-8")
    tables.give(
        [Row(name, {"x": (1.0, 1.0, 1.0)}, [])], name, {"x": name}, (tmp_path / "a.md", tmp_path / "a.csv"), False
    )
    still = Motion(np.zeros((2, 13, 2), np.float32), 30, get_skeleton("conductor-13"), meta={"music": f"{name}.wav"})
    page(still, None, tmp_path / "a.html")
    assert "<title>caf?" in (tmp_path / "a.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KeyError("x"), "unforeseen: KeyError, 'x' (ICTUS_TRACEBACK=1"),
        (MemoryError(), "needs more memory than there is"),
        (PermissionError(13, "Permission denied", "y"), "y: Permission denied"),
        (RecursionError("deep\x1b"), "unforeseen: RecursionError, deep"),
    ],
)
def test_whatever_fails_is_a_line_of_its_file(
    error: Exception, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(file: Path, outs: Any, progress: Any) -> dict[str, Any]:
        if file.name == "bad":
            raise error
        return {}

    plans = [(Path(name), []) for name in ("bad", "good")]
    assert run_batch(plans, work, lambda report: report["music"], False) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("good\n", 1)
    assert err.startswith("ictus: bad: ")
    assert says in err

    def fail() -> None:
        raise error

    monkeypatch.setattr("ictus.registry.shipped", fail)  # of a command without files
    assert main(["models"]) == 1
    assert says in capsys.readouterr().err
    monkeypatch.setenv("ICTUS_TRACEBACK", "1")
    assert main(["models"]) == 1
    assert "in fail" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_stops_a_program_is_its_exit_code(
    number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    before = signal.signal(number, usual)  # whoever runs the tests may ignore it
    try:
        monkeypatch.setattr("ictus.registry.shipped", lambda: os.kill(os.getpid(), number))
        assert main(["models"]) == 128 + number
        assert capsys.readouterr().err == "ictus: stopped\n"
        assert signal.getsignal(number) == usual
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize(("stdout", "code", "says"), [("pipe", 141, ""), ("/dev/full", 1, "No space left on device")])
def test_a_stdout_that_takes_nothing_is_not_the_musics_fault(stdout: str, code: int, says: str) -> None:
    if stdout == "pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(stdout, os.O_WRONLY)
    done = subprocess.run([sys.executable, "-m", "ictus", "models", "--json"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.returncode == code
    assert done.stderr.decode() == (f"ictus: stdout: {says}\n" if says else "")
