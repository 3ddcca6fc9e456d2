"""Reading MusicXML: everything that sounds is there, and every kind of broken file is refused in a sentence."""

import contextlib
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import IctusError, UsageError
from ictus.scores import bounds
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


def metronome(speed: str) -> str:
    return direction(f"<metronome><beat-unit>quarter</beat-unit><per-minute>{speed}</per-minute></metronome>")


def whole(*names: str, before: str = "", after: str = "") -> list[str]:
    """Write bars of a note each, in 4/4; `before` begins the first, `after` ends the last."""
    bars = [[note(name, 8)] for name in names]
    bars[0] = [attributes(4), before, *bars[0]]
    bars[-1].append(after)
    return [bar(*content) for content in bars]


@pytest.mark.parametrize(
    ("bars", "pitches"),
    [
        ([*whole("c4", "d4", after=words("Fine")), *whole("e4", after=words("D.C. al Fine"))], [60, 62, 64, 60, 62]),
        (
            [
                *whole("c4", before=words("𝄋"), after=words("To Coda")),
                *whole("d4", after=words("D.S. al Coda")),
                *whole("e4", before=direction("<coda/>")),
            ],
            [60, 62, 60, 64],
        ),
        (
            [
                bar(repeat("forward"), attributes(4), note("c4", 8)),
                bar(note("d4", 8)),
                bar(note("e4", 8), ending(1, "stop")),  # which never began: one bar
                bar(ending(2, "start"), note("f4", 8), ending(2, "discontinue")),
                bar(note("g4", 8)),
            ],
            [60, 62, 64, 60, 62, 65, 67],
        ),
        (
            [
                bar(repeat("forward"), attributes(4), note("c4", 8)),
                bar(ending(1, "start"), note("d4", 8)),
                bar(note("e4", 8), repeat("backward")),  # which ends the first ending
                bar(note("f4", 8)),
            ],
            [60, 62, 64, 60, 65],
        ),
        (
            [
                *whole("c4", before=direction("<coda/>") + words("To Coda")),
                *whole("d4", after=words("D.C. al Coda")),
                *whole("e4", before=words("Coda")),
            ],
            [60, 62, 60, 64],
        ),
    ],
)
def test_words_and_endings_lead_on(tmp_path: Path, bars: list[str], pitches: list[int]) -> None:
    assert [n[2] for n in played(reading(tmp_path, bars))] == pitches


def test_movements_have_their_own_repeats_and_jumps(tmp_path: Path) -> None:
    fine, capo = words("Fine", '<sound fine="yes"/>'), words("D.C.", '<sound dacapo="yes"/>')
    jump = [*whole("e4", after=fine), *whole("f4", after=capo)]
    bars = [*whole("c4", "d4"), *jump, *whole("g4", after=repeat("backward"))]

    def numbered(bars: list[str], *numbers: int) -> list[str]:
        return [one.replace("<measure", f'<measure number="{n}"') for one, n in zip(bars, numbers, strict=True)]

    assert [n[2] for n in played(reading(tmp_path, numbered(bars, 1, 2, 1, 2, 1)))] == [60, 62, 64, 65, 64, 67, 67]
    trio = numbered(bars[1:4], 1, 2, 1)
    assert [n[2] for n in played(reading(tmp_path, trio))] == [62, 64, 65, 62, 64]


@pytest.mark.parametrize(
    ("mark", "speed"),
    [
        *((metronome(text), 60) for text in ("60", "c. 60", "(60)", "60-66", "ca. 60")),
        (words("♩ = 60"), 60),
        (words("Adagio (♩ = c. 60)"), 60),
        (words("Grave", '<sound tempo="60"/>'), 60),
        (metronome("ca."), 92),
        (words("", '<sound tempo="Allegro"/>'), 92),
        *((words("", f'<sound tempo="{bad}"/>'), 92) for bad in ("nan", "1e300", "-60", "0")),
    ],
)
def test_tempo_texts(tmp_path: Path, mark: str, speed: float) -> None:
    assert float(np.interp(0, *reading(tmp_path, whole("c4", before=mark)).tempo.T)) == speed


def test_metres_are_summed_and_may_be_free(tmp_path: Path) -> None:
    pairs = "<time><beats>3</beats><beat-type>8</beat-type><beats>2</beats><beat-type>4</beat-type></time>"
    free = "<attributes><time><senza-misura/></time></attributes>"
    summed = f"<attributes><divisions>2</divisions>{pairs}</attributes>"
    beats = reading(tmp_path, [bar(summed, note("c4", 7)), bar(free, note("c4", 4))]).beats[:, :3]
    np.testing.assert_array_equal(beats, [*([k / 2, k + 1, 7] for k in range(7)), [3.5, 1, 2], [4.5, 2, 2]])


@pytest.mark.parametrize(
    ("before", "after", "warning"),
    [
        ("<beats>3</beats>", "<beats>2.5</beats>", "part Violin, bar 2: time '2.5/4' is no time signature"),
        ("<beats>3</beats>", "<beats>1000000000</beats>", "part Violin, bar 2: time '1000000000/4' is no time"),
        ('tempo="60"', 'tempo="Allegro"', "part Violin, bar 2: tempo 'Allegro' is no number"),
        ("<octave>5</octave>", "", "part Violin, bar 2: a note of step 'D' and octave '' has no pitch"),
        ("<alter>0</alter>", "<alter>x</alter>", "part Violin, bar 2: alter 'x' is no number from -4 to 4"),
        ("<duration>1</duration>", "<duration>1e9</duration>", "part Violin, bar 2: duration '1e9' is no number"),
        ("<divisions>2</divisions>", "<divisions>0</divisions>", "part Violin, bar 2: divisions '0' is no number"),
        (">3</tremolo>", ">40</tremolo>", "part Violin, bar 2: tremolo '40' is no number from 0 to 8"),
        ("<chromatic>0</chromatic>", "<chromatic>&lt;b</chromatic>", "part Violin, bar 2: transposition '<b' is no"),
        ('times="2"', 'times="1000000"', "part Violin, bar 2: number of times '1000000' is no number from 0 to 64"),
        ("Fine", "Minuet D.C.", "part Violin, bar 2: 'Minuet D.C.' is not followed"),
        (">41</midi-program>", ">900</midi-program>", "part Violin: MIDI program '900' is no number from 1 to 128"),
    ],
)
def test_one_bad_value_does_not_cost_the_score(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, before: str, after: str, warning: str
) -> None:
    tremolo = '<ornaments><tremolo type="single">3</tremolo></ornaments>'
    pitch = "<note><pitch><step>D</step><alter>0</alter><octave>5</octave></pitch><duration>1</duration></note>"
    second = (attributes(more="<transpose><chromatic>0</chromatic></transpose>"), words("Fine", '<sound tempo="60"/>'))
    again = '<barline><repeat direction="backward" times="2"/></barline>'
    bars = [bar(attributes(), note("c4", 6)), bar(*second, pitch, note("e4", 5, notations=tremolo), again)]
    good = musicxml({"Violin": bars}, {"Violin": 41})
    assert good.count(before) >= 1
    head, tail = good.rsplit(before, 1)
    file = tmp_path / "score.musicxml"
    for text, told in ((good, 0), (head + after.replace("", "") + tail, 1)):
        file.write_text(text)
        score = read(file)
        assert (0.0, 3.0, 60, "") in played(score)
        assert any(n[2] == 64 for n in played(score))
        assert [record.message.startswith(f"{file}: {warning}") for record in caplog.records] == [True] * told


def test_a_metre_that_is_not_written_is_four_quarters_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "score.musicxml"
    file.write_text(musicxml({"Violin": [bar("<attributes><divisions>2</divisions></attributes>", note("c4", 8))] * 2}))
    assert read(file).beats[:, 2].tolist() == [4] * 8
    assert [record.message for record in caplog.records] == [
        f"{file}: no metre is written; its bars are taken as 4/4; if they are others, write it in"
    ]


def test_what_nothing_leads_to_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    jump = [*whole("c4", after=words("To Coda")), *whole("d4", after=words("D.C."))]
    reading(tmp_path, [*jump, *whole("e4"), *whole("f4", before=words("Coda"))])
    assert "bar 3: repeats and jumps never lead to it" in caplog.text


def test_namespaces_do_not_matter(tmp_path: Path) -> None:
    plain = waltz(2)
    for spaced in (
        plain.replace("<score-partwise", '<score-partwise xmlns="http://example.org/ns"'),
        re.sub(r"<(/?)(?=[a-z])", r"<\1m:", plain),
    ):
        (tmp_path / "a.xml").write_text(spaced)
        assert len(read(tmp_path / "a.xml").parts) == 2


def test_archives_without_a_container(tmp_path: Path) -> None:
    for names, error in (
        (("s.musicxml", "b.png"), None),
        (("a.xml", "b.xml"), "holds 2 XML files"),
        (("a.png",), "holds 0"),
    ):
        with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
            for name in names:
                archive.writestr(name, waltz(2))
        with pytest.raises(IctusError, match=error) if error else contextlib.nullcontext():
            assert len(read(tmp_path / "a.mxl").parts) == 2


HUGE = "x" * (5 << 20)
SHAKEN = "<ornaments><tremolo>8</tremolo></ornaments>"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<score-partwise>" + "<a>" * 100, "64 in each other"),
        (f"<score-partwise><!--{HUGE}--></score-partwise>", "too long ones"),
        ("<score-partwise>" + "".join(f"<a{k}/>" for k in range(30_000)), "too many names"),
        ("<score-partwise><part><measure>" + f'<a b="{HUGE[: 1 << 20]}"/>' * 5, "has a measure of more than 4 MiB"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><score-partwise/>', "declares entities"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "b.txt">]><score-partwise>&b;</score-partwise>', "declares entities"),
        ('<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><score-partwise/>', "declares entities"),
        (musicxml({"a": whole(*["c4"] * 21)}), "more than 20 bars"),
        (musicxml({"a": [*whole(*["c4"] * 11, after=repeat("backward"))]}), "more than 20 bars"),
        (musicxml({f"part {k}": [] for k in range(4)}), "more than 3 parts"),
        (musicxml({"a": [bar(attributes(128, 4), note("c4", 256))] * 2}), "more than 200 quarters"),
        (musicxml({"a": [bar(attributes(128, 128), note("c4", 8))] * 2}), "more than 150 beats"),
        (musicxml({"a": [bar(attributes(4), "<direction/>" * 6, note("c4", 8))]}), "more than 5 marks"),
        (musicxml({"a": [bar(attributes(), note("c4", 8, notations=SHAKEN))]}), "more than 100 notes"),
        (musicxml({"a": [bar(attributes(4), note("c4", 1) * 101)]}), "more than 100 notes"),
        (musicxml({"a": [bar(attributes(4), note("c4", 1) * 8, repeat("backward"))] * 7}), "more than 100 notes"),
        (musicxml({"a": [bar('<sound tempo="3"/>', attributes(4), note("c4", 8))] * 20}), "lasts 0 hours"),
    ],
    ids=lambda value: value if len(value) < 40 else "",
)
def test_what_no_piece_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    small = {"bars": 20, "parts": 3, "quarters": 200, "beats": 150, "marks": 5, "notes": 100}
    monkeypatch.setattr(bounds, "MOST", small)
    monkeypatch.setattr("ictus.scores.score.SECONDS", 1500)
    save_mxl(tmp_path / "a.mxl", text)
    with pytest.raises(IctusError, match=message):
        read(tmp_path / "a.mxl")


def test_archives_unpack_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "a.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", b" " * (2 << 20))
        archive.writestr("score.xml", waltz(2))
    with pytest.raises(IctusError, match=r"container.xml unpacks to 2 MB; at most 1 MB"):
        read(tmp_path / "a.mxl")
    save_mxl(tmp_path / "a.mxl", waltz(40))
    monkeypatch.setattr("ictus.scores.musicxml._XML", 10_000)
    with pytest.raises(IctusError, match=r"score.xml unpacks to"):
        read(tmp_path / "a.mxl")


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
