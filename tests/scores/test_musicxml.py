"""Reading MusicXML: everything that sounds is there, and every kind of broken file is refused in a sentence."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import IctusError, UsageError
from ictus.scores.markings import LEVELS
from ictus.scores.reader import read
from ictus.scores.score import Score
from tiny_scores import (
    attributes,
    bar,
    direction,
    dynamics,
    ending,
    midi,
    musicxml,
    note,
    repeat,
    save_mxl,
    waltz,
    words,
)


def reading(tmp_path: Path, bars: list[str], name: str = "Violin", **more: int) -> Score:
    file = tmp_path / "score.musicxml"
    file.write_text(musicxml({name: bars}, more))
    return read(file)


def played(score: Score, part: int = 0) -> list[tuple[float, float, int, str]]:
    return [(n.onset, n.length, n.pitch, n.mark) for n in score.parts[part].notes]


def test_notes_bars_and_beats(tmp_path: Path) -> None:
    score = reading(tmp_path, [bar(attributes(), note("c4", 2), note("d4", 1), note("e4", 3)), bar(note("r", 6))])
    assert played(score) == [(0, 1, 60, ""), (1, 0.5, 62, ""), (1.5, 1.5, 64, "")]
    np.testing.assert_array_equal(score.beats[:, :3], [[k, k % 3 + 1, 3] for k in range(6)])
    assert score.parts[0].instrument == "violins"
    assert score.title == "Tiny"


def test_compressed_and_plain_are_the_same(tmp_path: Path) -> None:
    save_mxl(tmp_path / "a.mxl", waltz(4))
    (tmp_path / "a.xml").write_text(waltz(4))
    plain, packed = read(tmp_path / "a.xml"), read(tmp_path / "a.mxl")
    assert plain.parts[0].notes == packed.parts[0].notes
    assert [part.name for part in packed.parts] == ["Violin", "Contrabass"]


def test_chords_voices_and_ties(tmp_path: Path) -> None:
    chord = note("c4", 2) + note("e4", 2, before="<chord/>")
    backup = "<backup><duration>4</duration></backup>"
    held = note("g3", 4, extra='<tie type="start"/>')
    on = note("g3", 2, extra='<tie type="stop"/>')
    score = reading(tmp_path, [bar(attributes(2), chord, note("d4", 2), backup, held), bar(on, note("r", 2))])
    assert sorted(played(score)) == [(0, 1, 60, ""), (0, 1, 64, ""), (0, 3, 55, ""), (1, 1, 62, "")]


def test_articulation(tmp_path: Path) -> None:
    slur = '<slur type="{}" number="1"/>'
    notes = [
        note("c4", 1, notations="<articulations><staccato/></articulations>"),
        note("c4", 1, notations="<articulations><accent/></articulations>"),
        note("c4", 1, notations=slur.format("start")),
        note("c4", 1),
        note("c4", 1, notations=slur.format("stop")),
        dynamics("sf"),
        note("c4", 1),
    ]
    marks = [mark for *_, mark in played(reading(tmp_path, [bar(attributes(), *notes)]))]
    assert marks == ["'", ">", "~", "~", "", ">"]


def test_a_slur_may_end_on_a_tied_note(tmp_path: Path) -> None:
    start, stop = '<slur type="start" number="1"/>', '<slur type="stop" number="1"/>'
    tie = '<tie type="{}"/>'
    bars = [
        bar(attributes(), note("c4", 2, notations=start), note("d4", 4, extra=tie.format("start"))),
        bar(note("d4", 2, extra=tie.format("stop"), notations=stop), note("e4", 4)),
    ]
    assert [(pitch, mark) for *_, pitch, mark in played(reading(tmp_path, bars))] == [(60, "~"), (62, ""), (64, "")]


def test_dynamics_and_hairpins(tmp_path: Path) -> None:
    opened, closed = direction('<wedge type="crescendo"/>'), direction('<wedge type="stop"/>')
    bars = [
        bar(attributes(), dynamics("p"), note("c4", 6)),
        bar(opened, note("c4", 6)),
        bar(closed, dynamics("f"), note("c4", 6)),
    ]
    score = reading(tmp_path, bars)
    loud = score.loudness(np.array([0.0, 2.9, 4.5, 6.0]), score.parts[0])
    np.testing.assert_allclose(loud, [0.36, 0.36, (LEVELS["p"] + LEVELS["f"]) / 2, 0.72], atol=0.01)


def test_pizzicato_is_a_part_of_its_own(tmp_path: Path) -> None:
    bars = [
        bar(attributes(), words("pizz."), note("c4", 6)),
        bar(words("arco"), note("d4", 6)),
        bar(words("(x)", '<sound pizzicato="yes"/>'), note("e4", 6)),
    ]
    score = reading(tmp_path, bars)
    assert {part.instrument: [n.pitch for n in part.notes] for part in score.parts} == {
        "violins": [62],
        "pizzicato": [60, 64],
    }


def test_transposing_instruments_sound_where_they_sound(tmp_path: Path) -> None:
    down = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic><octave-change>-1</octave-change></transpose>"
    score = reading(tmp_path, [bar(attributes(more=down), note("c5", 6))], "Bass Clarinet")
    assert played(score)[0][2] == 72 - 14


def test_tremolo_trill_and_grace_notes(tmp_path: Path) -> None:
    tremolo = '<ornaments><tremolo type="single">2</tremolo></ornaments>'
    trill = "<ornaments><trill-mark/></ornaments>"
    grace = note("b4", 0, before="<grace/>")
    score = reading(
        tmp_path,
        [
            bar(attributes(2), note("c4", 2, notations=tremolo), note("r", 2)),
            bar(note("d4", 2, notations=trill), note("r", 2)),
            bar(grace, grace, note("c5", 4)),
        ],
    )
    notes = played(score)
    assert [n[0] for n in notes if n[2] == 60] == [0, 0.25, 0.5, 0.75]
    assert [n[2] for n in notes if 2 <= n[0] < 3] == [62, 64] * 4
    assert [n[0] for n in notes if n[2] == 71] == [3.75, 3.875]


def test_fermata_and_tempo(tmp_path: Path) -> None:
    bars = [
        bar(attributes(), words("Allegro", '<sound tempo="90"/>'), note("c4", 6)),
        bar(note("c4", 2), note("d4", 4, notations="<fermata/>")),
        bar(direction("<metronome><beat-unit>half</beat-unit><per-minute>60</per-minute></metronome>"), note("c4", 6)),
    ]
    score = reading(tmp_path, bars)
    np.testing.assert_array_equal(score.fermatas, [[4, 6]])
    np.testing.assert_allclose(np.interp([0, 5, 6], *score.tempo.T), [90, 90, 120])
    np.testing.assert_array_equal(score.sections, [0, 6])


def test_upbeat_repeat_and_endings(tmp_path: Path) -> None:
    bars = [
        bar(attributes(), note("c4", 2), upbeat=True),
        bar(note("d4", 6)),
        bar(ending(1, "start"), note("e4", 4), ending(1, "stop")),
        bar(ending(2, "start"), note("f4", 6), ending(2, "stop")),
    ]
    score = reading(tmp_path, bars)
    assert [n[2] for n in played(score)] == [60, 62, 64, 60, 62, 65]
    assert [n[0] for n in played(score)] == [0, 1, 4, 6, 7, 10]
    np.testing.assert_array_equal(score.beats[:7, 1], [3, 1, 2, 3, 1, 2, 3])


def test_da_capo_al_fine(tmp_path: Path) -> None:
    bars = [
        bar(attributes(2), note("c4", 4), words("Fine", '<sound fine="yes"/>')),
        bar(repeat("forward"), note("d4", 4), repeat("backward")),
        bar(note("e4", 4), words("D.C.", '<sound dacapo="yes"/>')),
    ]
    assert [n[2] for n in played(reading(tmp_path, bars))] == [60, 62, 62, 64, 60]


def test_percussion_without_pitch(tmp_path: Path) -> None:
    hit = "<note><unpitched><display-step>E</display-step></unpitched><duration>6</duration><type>quarter</type></note>"
    score = reading(tmp_path, [bar(attributes(), hit)], "Bass Drum")
    assert score.parts[0].instrument == "bass drum"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"hello", "no MusicXML"),
        (waltz(3).encode()[:700], "no MusicXML"),
        (b"<html></html>", "'html', not 'score-partwise'"),
        (b"<score-timewise></score-timewise>", "by parts"),
        (b"<score-partwise></score-partwise>", "no notes"),
        (waltz(3).replace("<divisions>2", "<divisions>0").encode(), "cannot be played"),
        (waltz(3).replace("<octave>5", "<octave>x").encode(), "cannot be played"),
        (waltz(3).replace("<step>C", "<step>Q").encode(), "cannot be played"),
        (b"PK\x03\x04 and nothing", "no MusicXML"),
        (midi([[]]), "no MusicXML"),
    ],
)
def test_bad_files_are_refused_in_a_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "bad.mxl"
    file.write_bytes(content)
    with pytest.raises(IctusError, match=message) as caught:
        read(file)
    assert "bad.mxl" in str(caught.value)


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mxl"
    save_mxl(whole, waltz(40))
    data = whole.read_bytes()
    rng = np.random.default_rng(0)
    for k in range(60):
        cut = bytearray(data[: int(rng.integers(20, len(data)))] if k % 2 else data)
        for place in rng.integers(0, len(cut), 6):
            cut[place] = int(rng.integers(256))
        bad = tmp_path / "bad.mxl"
        bad.write_bytes(bytes(cut))
        with contextlib.suppress(IctusError):
            read(bad)


def test_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="suffix"):
        read(tmp_path / "a.pdf")
    with pytest.raises(IctusError, match="no such file"):
        read(tmp_path / "a.mxl")
