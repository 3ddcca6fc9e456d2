"""Scores where music goes in: `ictus conduct`, `dance` and `beats` of what is written."""

import json
from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.cli import main
from ictus.motion import Motion
from ictus.scores.reader import read
from ictus.synthesis.synthesizer import synthesize
from tiny_scores import attributes, bar, midi, musicxml, note, words

SMALL = ("--size", "128x128", "--fps", "10")


def tune(seed: int, bars: int = 10) -> list[str]:
    """Bars of 3/4, of which the last two are of 4/4."""
    rng = np.random.default_rng(seed)
    made = []
    for k in range(bars):
        count = 3 if k < bars - 2 else 4
        start = [attributes(count)] if k in (0, bars - 2) else []
        start += [words("Allegretto", '<sound tempo="100"/>')] if k == 0 else []
        made.append(bar(*start, *[note(str(rng.choice(list("cdefgab"))) + "5", 2) for _ in range(count)]))
    return made


@pytest.fixture
def piece(tmp_path: Path) -> Path:
    (tmp_path / "piece.musicxml").write_text(musicxml({"Violin": tune(1), "Cello": tune(2)}))
    return tmp_path / "piece.musicxml"


def test_a_score_is_conducted_danced_to_and_clicked(piece: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outs = {command: piece.with_name(f"{command}.npz") for command in ("conduct", "dance")}
    for command, out in outs.items():
        assert main([command, str(piece), "-o", str(out)]) == 0
        beats = Motion.load(out).meta["beats"]
        assert beats["meters"] == [3] * 24 + [4] * 8
        np.testing.assert_allclose(beats["times"], 1.5 + 0.6 * np.arange(32), atol=3e-3)
    arguments = ["-o", str(piece.with_suffix(".csv")), "-o", str(piece.with_suffix(".wav")), "--count-in", "1"]
    assert main(["beats", str(piece), *arguments]) == 0
    assert Beats.load(piece.with_suffix(".csv")).meters.tolist() == [3] * 24 + [4] * 8
    assert Audio.load(piece.with_suffix(".wav")).duration == pytest.approx(1.5 + 32 * 0.6 + 2.5 + 0.3, abs=0.05)
    assert "(32 beats in 3 and 4, 100 a minute)" in capsys.readouterr().out


def test_a_film_of_a_score_has_its_sound(piece: Path) -> None:
    assert main(["conduct", str(piece), *SMALL]) == 0
    film = Audio.load(piece.with_suffix(".mp4"))
    assert film.duration == pytest.approx(1.5 + 32 * 0.6 + 2.5, abs=0.2)
    assert np.abs(film.samples).max() > 0.1


def test_networks_conduct_the_sound_of_a_score(piece: Path) -> None:
    assert main(["conduct", str(piece), "--model", "plain", "-o", str(piece.with_suffix(".npy"))]) == 0


def test_midi_and_json_are_scores_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = [(480 * k, b"\x90\x40\x60") for k in range(9)] + [(480 * k + 400, b"\x80\x40\x00") for k in range(9)]
    (tmp_path / "a.mid").write_bytes(midi([[(0, b"\xff\x58\x04\x03\x02\x18\x08"), *notes]]))
    written = {"title": "a", "meter": 3, "tempo": [[0, 120]], "dynamics": [[0, 0.5]]}
    written["parts"] = [{"name": "tune", "instrument": "violins", "music": "C5 D5 E5 | C5 D5 E5 | E5 D5 C5"}]
    (tmp_path / "b.json").write_text(json.dumps(written))
    for name in ("a.mid", "b.json"):
        assert main(["beats", str(tmp_path / name), "-o", str(tmp_path / "x.csv")]) == 0
        beats = Beats.load(tmp_path / "x.csv")
        assert (len(beats), beats.meter) == (9, 3)
        np.testing.assert_allclose(np.diff(beats.times), 0.5, atol=2e-3)
    assert main(["beats", str(tmp_path), "-o", str(tmp_path / "out/")]) == 2, (
        "results of before are no music of a folder"
    )
    assert "no music in this folder" in capsys.readouterr().err


def test_a_recording_of_a_score_is_conducted(piece: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synthesize(read(piece), rate=22050, span=(-0.8, 21)).save(piece.with_name("recording.flac"))
    arguments = ["--recording", str(piece.with_name("recording.flac"))]
    assert main(["conduct", str(piece), *arguments, "-o", str(piece.with_suffix(".npz"))]) == 0
    beats = Motion.load(piece.with_suffix(".npz")).meta["beats"]
    assert np.median(np.abs(np.array(beats["times"]) - 0.8 - 0.6 * np.arange(32))) < 0.04
    assert beats["meters"] == [3] * 24 + [4] * 8
    other = piece.with_name("other.musicxml")
    other.write_text(musicxml({"Violin": tune(5), "Cello": tune(6)}))
    capsys.readouterr()
    assert main(["conduct", str(other), *arguments, "-o", str(piece.with_suffix(".npz"))]) == 1
    error = capsys.readouterr().err
    assert f"{other}: the recording is not of this score" in error
    assert error.endswith("(--recording)\n")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["song.wav", "--recording", "x.wav"], "is for a score, and none is given"),
        (["song.wav", "--soundfont", "x.sf2"], "is for a score, and none is given"),
        (["piece.musicxml", "piece.musicxml", "--recording", "x.wav"], "a recording is of one score"),
        (["piece.musicxml", "--recording", "x.wav", "--soundfont", "x.sf2"], "give one of them"),
        (["piece.musicxml", "--tempo", "100"], "a score has beats and a tempo of its own (--tempo)"),
    ],
)
def test_what_does_not_belong_together(
    arguments: list[str], said: str, piece: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(piece.parent)
    assert main(["conduct", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_scores_that_cannot_be_conducted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    free = "<attributes><divisions>2</divisions><time><senza-misura/></time></attributes>"
    pieces = {
        "free": musicxml({"Violin": [bar(free, *[note("c5", 2)] * 37)]}),
        "empty": musicxml({"Violin": [bar(attributes(), note("r", 6))]}),
        "damaged": "<score-partwise>",
    }
    said = {
        "free": "has 37 beats, for which there is no conducting pattern; write another metre into it",
        "empty": "this MusicXML holds no notes",
        "damaged": "damaged.musicxml: ",
    }
    for name, text in pieces.items():
        (tmp_path / f"{name}.musicxml").write_text(text)
        assert main(["conduct", str(tmp_path / f"{name}.musicxml"), *SMALL]) == 1
        error = capsys.readouterr().err
        assert said[name] in error
        assert len(error.splitlines()) == 1
    assert main(["beats", str(tmp_path / "free.musicxml"), "--meter", "4"]) == 0
    assert set(Beats.load(tmp_path / "free.csv").meters.tolist()) == {4}
