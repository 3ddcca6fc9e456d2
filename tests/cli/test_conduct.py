"""`ictus conduct`, as a person types it: results, and every kind of bad input."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from ictus.audio import Audio
from ictus.cli import main
from ictus.motion import Motion

from .conftest import pulse

SMALL = ("--size", "128x128", "--fps", "10")


def lines(captured: str) -> list[str]:
    return [line for line in captured.splitlines() if line]


def test_a_film_beside_the_music(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conduct", str(music), *SMALL]) == 0
    with av.open(str(music.with_suffix(".mp4"))) as film:
        assert {stream.type for stream in film.streams} == {"video", "audio"}
        assert film.duration / 1e6 == pytest.approx(3.0, abs=0.15)
    out = capsys.readouterr().out
    assert "song.wav -> " in out
    assert "3.0 s" in out


def test_every_format_at_once(music: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "out" / f"x{suffix}" for suffix in (".mp4", ".npz", ".npy", ".json", ".bvh", ".glb")]
    arguments = [word for out in outs for word in ("-o", str(out))]
    assert main(["conduct", str(music), *SMALL, *arguments]) == 0
    assert all(out.stat().st_size > 500 for out in outs)
    assert np.load(outs[2]).shape == (90, 13, 2)
    motion = Motion.load(outs[1])
    assert (motion.skeleton.name, motion.meta["model"]) == ("conductor-23", "maestro")
    assert motion.meta["beats"]["times"]
    np.testing.assert_allclose(Motion.load(outs[4]).positions, motion.positions, atol=1e-3)


def test_seeds(music: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(["conduct", str(music), "-o", str(tmp_path / f"{name}.npy"), "--seed", seed]) == 0
    a, b, c = (np.load(tmp_path / f"{name}.npy") for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).max() > 0.01


def test_lead_and_meter(music: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.npz"
    assert main(["conduct", str(music), "-o", str(out), "--meter", "3/4", "--lead", "80"]) == 0
    meta = Motion.load(out).meta
    assert (meta["beats"]["meter"], meta["lead"]) == (3, 0.08)


def test_a_folder_of_music_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    for name in ("a.wav", "b.flac"):
        pulse().save(folder / name)
    (folder / "notes.txt").write_text("no music")
    outs = ("-o", f"{tmp_path}/out/.npy", "-o", f"{tmp_path}/out/.bvh")
    assert main(["conduct", str(folder), *outs, "--json"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.bvh", "a.npy", "b.bvh", "b.npy"]
    reports = json.loads(capsys.readouterr().out)
    assert [Path(report["music"]).name for report in reports] == ["a.wav", "b.flac"]


def test_one_bad_file_leaves_the_others(music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = music.with_name("bad.mp3")
    bad.write_text("this is no music")
    assert main(["conduct", str(bad), str(music), "-o", f"{tmp_path}/out/.npy"]) == 1
    captured = capsys.readouterr()
    assert (tmp_path / "out" / "song.npy").exists()
    assert "song.wav -> " in captured.out
    assert len(lines(captured.err)) == 1
    assert "bad.mp3" in captured.err


def no_file(folder: Path) -> Path:
    return folder / "missing.mp3"


def empty(folder: Path) -> Path:
    (folder / "empty.mp3").touch()
    return folder / "empty.mp3"


def text(folder: Path) -> Path:
    (folder / "text.mp3").write_text("la la la\n" * 1000)
    return folder / "text.mp3"


def silence(folder: Path) -> Path:
    Audio(np.zeros((1, 66150), np.float32), 22050).save(folder / "silence.wav")
    return folder / "silence.wav"


def short(folder: Path) -> Path:
    pulse(0.2).save(folder / "short.wav")
    return folder / "short.wav"


def nan(folder: Path) -> Path:
    samples = pulse().samples[0].copy()
    samples[100:200] = np.nan
    soundfile.write(folder / "nan.wav", samples, 22050, subtype="FLOAT")
    return folder / "nan.wav"


def soundless_film(folder: Path) -> Path:
    with av.open(str(folder / "film.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        container.mux(stream.encode(None))
    return folder / "film.mp4"


def a_folder_as_music(folder: Path) -> Path:
    (folder / "folder.mp3").mkdir()
    return folder / "folder.mp3"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (no_file, "no such file"),
        (empty, "empty"),
        (text, "can be read"),
        (silence, "silent"),
        (short, "at least 1 s"),
        (nan, "not numbers"),
        (soundless_film, "no sound"),
    ],
)
def test_bad_music_ends_in_one_clear_line(
    make: Callable[[Path], Path], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = make(tmp_path)
    assert main(["conduct", str(bad), "-o", str(tmp_path / "out.npy")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(lines(captured.err)) == 1
    assert captured.err.startswith(f"ictus: {bad}: ")
    assert says in captured.err
    assert not (tmp_path / "out.npy").exists()


@pytest.mark.parametrize(
    "make",
    [lambda: pulse(3, 8000), lambda: pulse(3, 96000, 6), lambda: Audio(pulse().samples * 1e-3, 22050)],
    ids=["8 kHz mono", "96 kHz six channels", "very soft"],
)
def test_odd_but_good_music_works(make: Callable[[], Audio], tmp_path: Path) -> None:
    make().save(tmp_path / "a.wav")
    assert main(["conduct", str(tmp_path / "a.wav"), "-o", str(tmp_path / "a.mp4"), *SMALL]) == 0
    with av.open(str(tmp_path / "a.mp4")) as film:
        assert film.streams.audio[0].channels == 2


def test_a_truncated_mp3_is_conducted_as_far_as_it_goes(tmp_path: Path) -> None:
    pulse(8, 44100).save(tmp_path / "whole.mp3")
    content = (tmp_path / "whole.mp3").read_bytes()
    (tmp_path / "half.mp3").write_bytes(content[: len(content) // 2])
    assert main(["conduct", str(tmp_path / "half.mp3"), "-o", str(tmp_path / "half.npy")]) == 0
    assert 60 < len(np.load(tmp_path / "half.npy")) < 150


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-o", "x.xyz"], "x.xyz"),
        (["-o", "x"], "no suffix"),
        (["--size", "big"], "big"),
        (["--size", "127x127", "-o", "x.mp4"], "even"),
        (["--fps", "0"], "fps 0: choose between 1 and 240"),
        (["--model", "nobody"], "nobody"),
        (["--meter", "9"], "meter"),
        (["--frobnicate"], "frobnicate"),
    ],
)
def test_wrong_usage(
    words: list[str],
    says: str,
    music: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["conduct", str(music), *words])
    except SystemExit as stop:
        code = int(str(stop.code))
    captured = capsys.readouterr()
    assert code == (1 if "nobody" in words else 2)
    assert says in captured.err + captured.out
    assert "Traceback" not in captured.err
    assert sorted(path.name for path in music.parent.iterdir()) == ["song.wav"]


def test_no_music_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conduct"]) == 2
    assert main(["conduct", str(tmp_path)]) == 2
    assert "no music" in capsys.readouterr().err


def test_two_results_of_one_name_are_refused(music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other" / "song.wav"
    pulse().save(other)
    assert main(["conduct", str(music), str(other), "-o", str(tmp_path / "out") + "/"]) == 2
    assert main(["conduct", str(music), "-o", str(music)]) == 2
    assert "more than one result" in capsys.readouterr().err


def test_an_existing_result_is_replaced_only_by_a_whole_one(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "film.mp4"
    out.write_bytes(b"precious")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("ictus.render.scene.Scene.frames", full, raising=False)
        broken.setattr("av.container.OutputContainer", full, raising=False)
        broken.setattr("ictus.render.film.av.open", full)
        assert main(["conduct", str(music), "-o", str(out), *SMALL]) == 1
    assert out.read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["film.mp4"]
    assert "No space left" in capsys.readouterr().err
    assert main(["conduct", str(music), "-o", str(out), *SMALL]) == 0
    assert out.stat().st_size > 1000


def test_a_place_that_cannot_be_written_to(music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["conduct", str(music), "-o", str(tmp_path / "file" / "x.npy")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_as_a_program(music: Path) -> None:
    """The installed command, in a process of its own, with a bad and a good file: one line each, no traceback."""
    program = shutil.which("ictus", path=str(Path(sys.executable).parent))
    assert program is not None
    command = [program, "conduct", str(music), "nothing.mp3", "-o", str(music.parent) + "/.npy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert len(lines(done.stdout)) == 1
    assert done.stderr == "ictus: nothing.mp3: no such file; check the name\n"
