"""`ictus beats`, `ictus models`, `ictus convert`."""

import json
from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.cli import main
from ictus.conducting.pipeline import Maestro
from ictus.motion import Motion


@pytest.fixture
def motion() -> Motion:
    beats = Beats(0.5 + 0.5 * np.arange(6), np.arange(6) % 3 + 1, 3)
    return Maestro().perform(beats, 4)


def test_beats_in_every_format(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["beats", str(music), "-o", f"{music.parent}/.mid", "-o", f"{music.parent}/.txt"]) == 0
    assert main(["beats", str(music), "-o", str(music.with_suffix(".json"))]) == 0
    assert main(["beats", str(music)]) == 0
    table = np.loadtxt(music.with_suffix(".csv"), delimiter=",", skiprows=1)
    assert np.abs(table[:, 0, None] - (0.25 + 0.5 * np.arange(6))).min(1).max() < 0.03
    np.testing.assert_array_equal(np.loadtxt(music.with_suffix(".txt")), table)
    for suffix in (".mid", ".json"):
        np.testing.assert_allclose(Beats.load(music.with_suffix(suffix)).times, table[:, 0], atol=1e-3)
    assert "beats in" in capsys.readouterr().out


def test_beats_as_json(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["beats", str(music), "--meter", "6/8", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)[0]
    assert report["meter"] == 2
    assert len(report["times"]) == len(report["positions"]) > 3


def test_corrected_beats_go_in(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = music.with_suffix(".csv")
    table.write_text("time,beat\n" + "".join(f"{0.25 + 0.5 * k},{k % 3 + 1}\n" for k in range(6)))
    for command in ("beats", "conduct", "dance"):
        out = music.with_suffix(".json" if command == "beats" else ".npz")
        assert main([command, str(music), "--beats", str(table), "--downbeat", "0.7", "-o", str(out)]) == 0
        found = Beats.load(out).to_meta() if command == "beats" else Motion.load(out).meta["beats"]
        assert found["times"] == [0.25, 0.75, 1.25, 1.75, 2.25, 2.75]
        assert found["positions"] == [3, 1, 2, 3, 1, 2]
    capsys.readouterr()
    for level, count in (("half", 3), ("double", 11)):
        assert main(["beats", str(music), "--beats", str(table), "--level", level, "-o", f"{music.parent}/.txt"]) == 0
        assert f"({count} beats" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--tempo", "0"], 2, "tempo 0: give beats a minute, 24 to 300, or a range such as 80..120 (--tempo)"),
        (["--downbeat", "-1"], 2, "--downbeat -1: choose between 0 and 86400"),
        (["--level", "triple"], 2, ""),
        (["--meter", "9"], 2, "metre 9 is not conducted"),
        (["--beats", "none.csv"], 1, "none.csv: no such file"),
        (["--beats", "minutes.csv"], 1, "song.wav: the beats come 7200 a minute; are their times in minutes? give sec"),
        (["--beats", "backwards.csv"], 1, "backwards.csv: no file of beats (the times of the beats must be finite"),
        (["--beats", "long.csv"], 1, "they are of other music, or not in seconds (--beats)"),
    ],
)
def test_corrections_that_are_none(
    arguments: list[str], code: int, said: str, music: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(music.parent)
    for name, times in {"minutes": [1, 2, 3], "backwards": [120, 60], "long": [60, 120, 900]}.items():
        rows = [f"{time / (120 if name == 'minutes' else 60)},1\n" for time in times]
        Path(f"{name}.csv").write_text("time,beat\n" + "".join(rows))
    if arguments[0] == "--level":
        with pytest.raises(SystemExit) as end:
            main(["beats", "song.wav", *arguments])
        assert end.value.code == code
        return
    assert main(["beats", "song.wav", *arguments]) == code
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


def test_beats_of_one_piece_are_not_for_several(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = music.with_suffix(".csv")
    table.write_text("time,beat\n0.25,1\n")
    for given in ([str(music.parent)], [str(music), str(music)]):
        assert main(["conduct", *given, "--beats", str(table)]) == 2
        assert "beats are of one piece; give one file of music with them (--beats)" in capsys.readouterr().err


def test_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "maestro" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    assert {"name", "size", "licence", "scores"} <= set(json.loads(capsys.readouterr().out)[0])


def test_convert_between_motion_formats(motion: Motion, tmp_path: Path) -> None:
    motion.save(tmp_path / "a.npz")
    for source, target in (
        ("a.npz", "b.bvh"),
        ("b.bvh", "c.glb"),
        ("c.glb", "d.json"),
        ("a.npz", "e.npy"),
        ("e.npy", "f.bvh"),
    ):
        assert main(["convert", str(tmp_path / source), str(tmp_path / target)]) == 0
    np.testing.assert_allclose(Motion.load(tmp_path / "d.json").positions, motion.positions, atol=1e-3)
    assert Motion.load(tmp_path / "f.bvh").skeleton.name == "conductor-23"


@pytest.mark.parametrize(("target", "code"), [("x.xyz", 2), ("x.npy", 1)])
def test_convert_refuses(target: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.bvh").write_text("HIERARCHY nonsense")
    assert main(["convert", str(tmp_path / "bad.bvh"), str(tmp_path / target)]) == code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_convert_official_weights_and_conduct_with_them(shared_data: Path, music: Path, tmp_path: Path) -> None:
    official = shared_data / "virtualconductor" / "M2SGAN_official_pretrained.pt"
    folder = tmp_path / "m2s-gan"
    assert main(["convert", str(official), str(folder)]) == 0
    assert main(["conduct", str(music), "--model", str(folder), "-o", str(tmp_path / "a.npy")]) == 0
    assert np.load(tmp_path / "a.npy").shape == (90, 13, 2)
    assert main(["conduct", str(music), "--model", str(folder), "-o", str(tmp_path / "a.npy"), "--meter", "3"]) == 2


def test_convert_a_judge_cannot_conduct(
    shared_data: Path, music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    official = shared_data / "virtualconductor" / "M2SNet_official_pretrained.pt"
    assert main(["convert", str(official), str(tmp_path / "judge")]) == 0
    assert main(["conduct", str(music), "--model", str(tmp_path / "judge")]) == 1
    assert "makes no motion" in capsys.readouterr().err


def test_beats_go_out_as_sound_and_projects(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outs = [str(music.with_name(f"out{suffix}")) for suffix in (".wav", ".flac", ".mp3", ".rpp", ".svl", ".lab")]
    arguments = [word for out in outs for word in ("-o", out)]
    assert (
        main(
            [
                "beats",
                str(music),
                *arguments,
                "--count-in",
                "1",
                "--speed",
                "0.75",
                "--meter",
                "3",
                "--downbeat",
                "0.25",
            ]
        )
        == 0
    )
    for out in outs[:3]:
        sound = Audio.load(out)
        assert sound.duration == pytest.approx((3 + 3 * 0.5 - 0.25) / 0.75, abs=0.15)
    assert 'FILE "song.wav"' in Path(outs[3]).read_text()
    assert len(Beats.load(outs[4])) == len(Beats.load(outs[5])) > 3
    capsys.readouterr()
    assert main(["beats", str(music), "-o", outs[5], "--clicks-only"]) == 2
    assert "are of sound; ask for a .wav" in capsys.readouterr().err
    assert main(["beats", str(music), "-o", outs[0], "--speed", "0"]) == 2
    assert "--speed 0: choose between 0.25 and 4" in capsys.readouterr().err
