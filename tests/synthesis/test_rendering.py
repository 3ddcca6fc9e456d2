"""Renderings: how often each is drawn, and that corpora of different options are not mixed."""

from pathlib import Path

import numpy as np
import pytest

from ictus.errors import UsageError
from ictus.scores.score import Note, Part, Score
from ictus.synthesis import soundfont
from ictus.synthesis.rendering import Rendering, SynthesisOptions, transpose


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ...]:
    """Two files that pass for SoundFonts where nothing is played."""
    monkeypatch.setattr(soundfont, "check_soundfont", lambda path: None)
    paths = (tmp_path / "a.sf2", tmp_path / "b.sf3")
    for path in paths:
        path.write_bytes(b"12345")
    return paths


def test_one_orchestra_alone_has_one_way() -> None:
    rng = np.random.default_rng(0)
    assert {SynthesisOptions(music=True).draw(rng) for _ in range(20)} == {Rendering()}


def test_everyone_has_a_turn(fonts: tuple[Path, ...]) -> None:
    rng = np.random.default_rng(0)
    drawn = [SynthesisOptions(fonts, piano=0.25).draw(rng) for _ in range(600)]
    for orchestra in (None, *fonts):
        assert np.mean([one.soundfont == orchestra for one in drawn]) == pytest.approx(1 / 3, abs=0.06)
    assert np.mean([one.piano for one in drawn]) == pytest.approx(0.25, abs=0.06)
    assert {one.semitones for one in drawn} == set(range(-3, 4))
    assert all(one.decibels <= 0 for one in drawn)


def test_what_is_written_down(fonts: tuple[Path, ...]) -> None:
    about = Rendering(fonts[0], piano=True, semitones=2).about()
    assert about["renderer"] == "ictus.synthesis.soundfont"
    assert (about["soundfont"], about["group"], about["semitones"]) == ("a.sf2", "piano", 2)
    assert Rendering().about()["group"] == "orchestral"
    assert SynthesisOptions().signature() == {}
    assert SynthesisOptions(fonts, 0.5).signature() == {
        "soundfonts": {"a.sf2": 5, "b.sf3": 5},
        "piano": 0.5,
        "music": False,
    }


def test_options_that_make_no_sense(fonts: tuple[Path, ...]) -> None:
    with pytest.raises(UsageError, match=r"piano 1\.5: it is a share"):
        SynthesisOptions(piano=1.5)
    with pytest.raises(UsageError, match="the same name"):
        SynthesisOptions((fonts[0], fonts[0]))


def test_transposed() -> None:
    parts = (Part("a", "horn", (Note(0, 1, 60),)), Part("b", "snare drum", (Note(0, 1, 55),)))
    score = Score("x", np.array([[0.0, 60]]), np.array([[0.0, 0.5]]), parts, np.zeros((0, 4)))
    assert [part.notes[0].pitch for part in transpose(score, -2).parts] == [58, 55]
    assert transpose(score, 0) is score
