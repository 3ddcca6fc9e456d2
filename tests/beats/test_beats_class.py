"""Beats: the choice of the tactus, counting in another metre, files."""

from pathlib import Path

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.errors import IctusError, UsageError


def steady(bpm: float, meter: int, count: int = 24) -> Beats:
    place = np.arange(count)
    return Beats(1 + place * 60 / bpm, place % meter + 1, meter, accents=(place % meter == 0) * 1.0)


@pytest.mark.parametrize(
    ("bpm", "meter", "conducted_bpm", "conducted_meter"),
    [
        (100, 4, 100, 4),
        (149, 3, 149, 3),
        (180, 3, 60, 1),
        (200, 4, 100, 2),
        (160, 2, 80, 1),
        (220, 6, 220 / 3, 2),
        (40, 2, 80, 4),
        (40, 3, 80, 6),
        (40, 4, 40, 4),
    ],
)
def test_an_arm_conducts_between_48_and_150(bpm: float, meter: int, conducted_bpm: float, conducted_meter: int) -> None:
    beats = steady(bpm, meter).conducted()
    assert beats.tempo == pytest.approx(conducted_bpm)
    assert beats.meter == conducted_meter
    assert set(beats.positions) == set(range(1, conducted_meter + 1))
    # Bars stay where they are.
    np.testing.assert_allclose(beats.downbeats, steady(bpm, meter).downbeats[: len(beats.downbeats)])


def test_another_metre_puts_downbeats_on_accents() -> None:
    place = np.arange(24)
    beats = Beats(place * 0.5, place % 4 + 1, 4, accents=(place % 3 == 2) * 1.0)
    recounted = beats.with_meter(3)
    assert recounted.meter == 3
    assert list(recounted.positions[:6]) == [2, 3, 1, 2, 3, 1]
    with pytest.raises(UsageError, match="metre 7"):
        beats.with_meter(7)


def test_few_beats_are_fine() -> None:
    empty = Beats(np.zeros(0), np.zeros(0, int), 4)
    assert (len(empty), empty.tempo, len(empty.conducted()), len(empty.with_meter(3))) == (0, 0, 0, 0)
    assert Beats(np.array([1.0]), np.array([1]), 4).with_meter(3).meter == 3


@pytest.mark.parametrize(
    ("times", "positions", "message"),
    [
        ([1, 1], [1, 2], "increasing"),
        ([2, 1], [1, 2], "increasing"),
        ([1, np.nan], [1, 2], "finite"),
        ([1, 2], [1], "positions"),
    ],
)
def test_wrong_beats_are_refused(times: list[float], positions: list[int], message: str) -> None:
    with pytest.raises(IctusError, match=message):
        Beats(np.array(times), np.array(positions), 2)


def test_csv_and_txt(tmp_path: Path) -> None:
    beats = steady(120, 3, 4)
    beats.save(tmp_path / "b.csv")
    beats.save(tmp_path / "b.txt")
    assert (tmp_path / "b.csv").read_text() == "time,beat\n1.000,1\n1.500,2\n2.000,3\n2.500,1\n"
    table = np.loadtxt(tmp_path / "b.txt")
    np.testing.assert_allclose(table, [[1, 1], [1.5, 2], [2, 3], [2.5, 1]])
    with pytest.raises(UsageError, match=r"\.wav"):
        beats.save(tmp_path / "b.wav")


def test_midi_clicks_lie_on_the_beats(tmp_path: Path) -> None:
    times = np.array([0.8, 1.3, 1.9, 2.3, 3.1])
    Beats(times, np.array([1, 2, 3, 1, 2]), 3).save(tmp_path / "b.mid")
    clicks = read_midi_clicks((tmp_path / "b.mid").read_bytes())
    np.testing.assert_allclose([time for time, _ in clicks], times, atol=1e-4)
    assert [pitch for _, pitch in clicks] == [76, 77, 77, 76, 77]


def read_midi_clicks(content: bytes) -> list[tuple[float, int]]:
    """Read note-ons of a format-0 file: (seconds, pitch). A second reading of the format, independent of ours."""
    assert content[:4] == b"MThd"
    division = int.from_bytes(content[12:14], "big")
    assert int.from_bytes(content[18:22], "big") == len(content) - 22
    place, seconds, tempo, clicks = 22, 0.0, 500_000, []
    while place < len(content):
        delta = 0
        while content[place] & 0x80:
            delta = delta << 7 | content[place] & 0x7F
            place += 1
        delta = delta << 7 | content[place]
        seconds += delta * tempo / division / 1e6
        place += 1
        status = content[place]
        if status == 0xFF:
            kind, length = content[place + 1], content[place + 2]
            if kind == 0x51:
                tempo = int.from_bytes(content[place + 3 : place + 6], "big")
            place += 3 + length
        else:
            if status & 0xF0 == 0x90:
                clicks.append((seconds, content[place + 1]))
            place += 3
    return clicks
