"""Reading MIDI."""

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
