"""Reading MIDI."""

import struct
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import IctusError
from ictus.scores.reader import read
from tiny_scores import midi

METER = (0, b"\xff\x58\x04\x03\x02\x18\x08")  # 3/4
TEMPO = (0, b"\xff\x51\x03\x07\xa1\x20")  # 120 a minute
SLOWER = (1440, b"\xff\x51\x03\x0f\x42\x40")  # 60


def save(tmp_path: Path, *tracks: list[tuple[int, bytes]]) -> Path:
    file = tmp_path / "song.mid"
    file.write_bytes(midi(list(tracks)))
    return file


def test_notes_metre_tempo_and_velocity(tmp_path: Path) -> None:
    flute = [
        (0, b"\xff\x03\x05tune "),
        (0, b"\xc0\x49"),
        (0, b"\x90\x3c\x40"),
        (480, b"\x80\x3c\x00"),
        (480, b"\x90\x3e\x7f"),
        (1440, b"\x90\x3e\x00"),  # a note-on of velocity 0 ends a note
        (1440, b"\x90\x40\x20"),  # never ended
        (2880, b"\xff\x01\x01x"),
    ]
    score = read(save(tmp_path, [METER, TEMPO, SLOWER], flute))
    (part,) = score.parts
    assert (part.name, part.instrument) == ("tune", "flute")
    assert [(n.onset, n.length, n.pitch) for n in part.notes] == [(0, 1, 60), (1, 2, 62), (3, 3, 64)]
    np.testing.assert_allclose(score.loudness(np.array([0.0, 1, 3]), part), np.array([64, 127, 32]) / 127)
    np.testing.assert_array_equal(score.beats[:, 1], [1, 2, 3, 1, 2, 3])
    np.testing.assert_allclose(np.interp([0, 2.9, 3], *score.tempo.T), [120, 120, 60])
    assert score.title == "song"


def test_running_status_and_drums(tmp_path: Path) -> None:
    # The second and third event go without a status byte; sysex and pitch bend are passed over.
    events = [
        (0, b"\xf0\x03\x01\x02\xf7"),
        (0, b"\xe9\x00\x40"),
        (0, b"\x99\x24\x60"),
        (240, b"\x24\x00"),
        (240, b"\x26\x60"),
        (480, b"\x26\x00"),
        (480, b"\x99\x2a\x60"),
        (600, b"\x89\x2a\x00"),
    ]
    score = read(save(tmp_path, events))
    assert {part.instrument: part.notes[0].onset for part in score.parts} == {
        "bass drum": 0,
        "snare drum": 0.5,
        "cymbals": 1,
    }
    assert set(score.beats[:, 2]) == {4}


def played(file: Path) -> list[list[tuple[float, float, int]]]:
    return [[(n.onset, n.length, n.pitch) for n in part.notes] for part in read(file).parts]


def quarters(first: float, count: int, pitch: int) -> list[tuple[float, float, int]]:
    return [(first + k, 1, pitch + k) for k in range(count)]


@pytest.mark.parametrize(
    ("case", "parts"),
    [
        ("m01-running-status-across-meta", [[(0, 1, 60), (1, 1, 62), (2, 1, 64)]]),
        ("m02-alien-chunk", [quarters(0, 8, 60), quarters(0, 8, 48)]),
        ("m03-type-2", [quarters(0, 8, 60), quarters(8, 8, 72)]),
        ("m06-realtime-byte", [quarters(0, 8, 60)]),
        ("m09-tempo-zero", [quarters(0, 8, 60)]),
        ("m13-garbage-after-end-of-track", [quarters(0, 8, 60)]),
    ],
)
def test_unusual_files(shared_data: Path, case: str, parts: list[list[tuple[float, float, int]]]) -> None:
    file = shared_data / "cases" / case / "in.mid"
    assert played(file) == parts
    np.testing.assert_array_equal(read(file).tempo[:, 1], 120)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("m11-truncated/in.mid", "track 2: breaks off; export it again"),
        ("red/delta160.mid", "track 1: lasts more than 20000 quarters"),
        ("red/delta1m.mid", "track 1: holds a number without an end"),
    ],
)
def test_damaged_files_are_refused_at_once(shared_data: Path, case: str, message: str) -> None:
    with pytest.raises(IctusError, match=message):
        read(shared_data / "cases" / case)


def test_what_does_not_matter_is_passed_over(tmp_path: Path) -> None:
    strange_key, two = (0, b"\xff\x59\x02\x09\x07"), [(0, b"\x90\x3c\x40"), (480, b"\x80\x3c\x00")]
    assert played(save(tmp_path, [strange_key, *two])) == [[(0, 1, 60)]]
    rubbish = (480, b"\xff\x2f\x00\xf4\x01")  # after the end of the track
    assert played(save(tmp_path, [*two, rubbish])) == [[(0, 1, 60)]]
    assert played(save(tmp_path, [(0, b"\xc0\xa8"), *two])) == [[(0, 1, 60)]]  # no such program


TWO = b"\x00\x90\x3c\x40\x83\x60\x3c\x00\x00\x3e\x40\x83\x60\x3e\x00"  # C and D, in running status
END = b"\x00\xff\x2f\x00"


def raw(*tracks: bytes, kind: int = 1, count: int | None = None) -> bytes:
    head = b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks) if count is None else count, 480)
    return head + b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)


@pytest.mark.parametrize(
    "track",
    [
        *(
            TWO[:8] + between + TWO[8:] + END
            for between in (
                *(
                    b"\x00\xf8",
                    b"\x00\xfe",
                    b"\x00\xf6",
                    b"\x00\xf4",
                    b"\x00\xf1\x05",
                    b"\x00\xf2\x05\x05",
                    b"\x00\xf3\x01",
                ),
                *(b"\x00\xf0\x02\x01\xf7", b"\x00\xf7\x01\xf8", b"\x00\xff\x60\x01\x00", b"\x00\xff\x59\x02\x09\x07"),
                *(
                    b"\x00\xff\x90\x02\x3c\x40",
                    b"\x00\xff\x51\x00",
                    b"\x00\xff\x58\x00",
                    b"\x00\xff\x58\x04\x00\x02\x18\x08",
                ),
            )
        ),
        TWO[:4] + b"\x83\x60\xff\x60\x00\x00\x3c\x00" + TWO[8:] + END,  # the time of what is unknown counts
        TWO + END + b"\x00\x90\x40",
        TWO,
    ],
)
def test_events_have_their_own_lengths(tmp_path: Path, track: bytes) -> None:
    file = tmp_path / "a.mid"
    file.write_bytes(raw(track))
    assert played(file) == [[(0, 1, 60), (1, 1, 62)]]


@pytest.mark.parametrize(
    "content",
    [
        raw(TWO + END)[:14] + b"XYZZ\x00\x00\x00\x03abc" + raw(TWO + END)[14:],
        raw(TWO + END, count=0),
        raw(TWO + END)[:18] + b"\x7f\xff\xff\xff" + raw(TWO + END)[22:],  # a length beyond the end
        raw(b"", TWO + END, kind=2),
    ],
)
def test_chunks_are_found(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mid").write_bytes(content)
    (tmp_path / "b.mid").write_bytes(content + b"MTrk" + struct.pack(">I", len(TWO + END)) + TWO + END)
    assert len(played(tmp_path / "a.mid")) == 1
    assert len(played(tmp_path / "b.mid")) == 2


def test_what_cannot_be_meant_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tempo = b"\x00\xff\x51\x03\x00\x00\x01"  # 60 million beats a minute
    (tmp_path / "a.mid").write_bytes(raw(tempo + TWO + END, count=3))
    np.testing.assert_array_equal(read(tmp_path / "a.mid").tempo, [[0, 120]])
    (record,) = caplog.records
    assert "track 1, quarter 0: 00 00 01 is no tempo; passed over, and 1 more like it" in record.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (raw(TWO[:9]), "at quarter 1, track 1: breaks off; export it again"),
        (raw(TWO + END, TWO)[:-3], "at quarter 1, track 2: breaks off"),
        (raw(TWO + END, TWO[:8] + b"\x00\x90")[:-1], "track 2: breaks off"),
        (raw(TWO + END, TWO)[:-7], "at quarter 1, track 2: breaks off"),  # between two events
        (raw(TWO[:4] + b"\x00\xf0\xff\xff\xff\x7f"), "track 1: breaks off"),
        (raw(b"\x00\x3c\x40" + TWO), "track 1: begins in the middle"),
        (raw(TWO[:4] + b"\xff\xff\xff\x7f\x3c\x00"), "lasts more than 20000 quarters"),
        (raw(TWO[:4] + b"\x81\x80\x80\x80\x00\x3c\x00"), "lasts more than 20000 quarters"),
        (raw(TWO[:4] + b"\xff" * 5000 + b"\x00\x3c\x00"), "a number without an end"),
        (raw(b"\x00\xff\x58\x04\x01\x07\x18\x08" + TWO + b"\xff\x7f\x3c\x40" * 40), "more than 20000 bars"),
        (raw(*[b""] * 1001, TWO), "more than 1000 tracks"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.mid").write_bytes(content)
    with pytest.raises(IctusError, match=message):
        read(tmp_path / "a.mid")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFFxxxxWAVE", "does not begin"),
        (b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\xe7\x28MTrk\x00\x00\x00\x00", "film frames"),
        (midi([[TEMPO]]), "no notes"),
        (midi([[(0, b"\x90\x3c\x40"), (480, b"\x80\x3c\x00")]])[:24], "no MIDI"),
        (b"MThd", "no MIDI"),
        (b"", "empty"),
    ],
)
def test_bad_files_are_refused_in_a_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "bad.mid"
    file.write_bytes(content)
    with pytest.raises(IctusError, match=message):
        read(file)


def test_damaged_files_never_crash(tmp_path: Path) -> None:
    notes = [(480 * k, bytes((0x90, 60 + k % 12, 64))) for k in range(30)]
    ends = [(480 * k + 400, bytes((0x80, 60 + k % 12, 0))) for k in range(30)]
    data = midi([[METER, TEMPO, SLOWER], notes + ends])
    rng, file = np.random.default_rng(0), tmp_path / "bad.mid"
    for _ in range(100):
        cut = bytearray(data)
        for place in rng.integers(10, len(cut), 4):
            cut[place] = int(rng.integers(256))
        file.write_bytes(bytes(cut))
        try:
            score = read(file)
        except IctusError:
            continue
        assert np.isfinite(score.beats).all()
