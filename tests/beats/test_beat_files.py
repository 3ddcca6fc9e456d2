"""Files of beats: what is saved is loaded again, and other programs find what they expect."""

import io
import json
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictus.beats.beats import Beats
from ictus.errors import IctusError, UsageError

SUFFIXES = (".csv", ".txt", ".mid", ".json")
MIXED = Beats(
    [0.8, 1.3, 1.9, 2.3, 3.1, 3.6, 4.0, 5.0, 5.5],
    [4, 1, 2, 3, 1, 2, 3, 4, 1],
    [4, 3, 4, 4],
    confidence=np.linspace(0, 1, 9),
    duration=7,
)


def bars(meters: list[int], first: int) -> Beats:
    """Whole bars of these metres, but for the beats before the position `first` of the first one."""
    positions = np.concatenate([np.arange(meter) + 1 for meter in meters])[first - 1 :]
    return Beats(0.25 + 0.5 * np.arange(len(positions)), positions, meters)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=6), st.integers(1, 7), st.floats(0, 40))
def test_what_is_saved_is_loaded(suffix: str, tmp_path_factory, meters: list[int], first: int, silence: float) -> None:
    whole = bars(meters, min(first, meters[0]))
    beats = Beats(whole.times + silence, whole.positions, whole.meters)
    file = tmp_path_factory.getbasetemp() / f"b{suffix}"
    beats.save(file)
    again = Beats.load(file)
    np.testing.assert_allclose(again.times, beats.times, atol=6e-4)
    assert again.positions.tolist() == beats.positions.tolist()
    known = slice(None) if suffix in (".csv", ".json", ".mid") else slice(0, len(beats) - meters[-1])
    assert again.meters[known].tolist() == beats.meters[known].tolist()


def test_json_holds_everything(tmp_path: Path) -> None:
    MIXED.save(tmp_path / "b.json")
    again = Beats.load(tmp_path / "b.json")
    for name in ("times", "positions", "meters", "loudness", "articulation", "accents", "confidence", "duration"):
        np.testing.assert_array_equal(getattr(again, name), getattr(MIXED, name))
    (tmp_path / "b.json").write_text(json.dumps({"times": [1, 2], "positions": [1, 2], "meter": 2}))
    assert Beats.load(tmp_path / "b.json").meters.tolist() == [2, 2]


def test_csv_and_txt(tmp_path: Path) -> None:
    beats = Beats(1 + 0.5 * np.arange(4), [1, 2, 3, 1], 3)
    for suffix in (".csv", ".txt"):
        beats.save(tmp_path / f"b{suffix}")
    assert (tmp_path / "b.csv").read_text() == "time,beat\n1.000,1\n1.500,2\n2.000,3\n2.500,1\n"
    np.testing.assert_allclose(np.loadtxt(tmp_path / "b.txt"), [[1, 1], [1.5, 2], [2, 3], [2.5, 1]])
    beats = Beats(beats.times, [1, 2, 1, 2], 4)  # bars that lack beats: their positions do not show the metre
    beats.save(tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text().startswith("time,beat,meter\n1.000,1,4\n")
    assert Beats.load(tmp_path / "b.csv").meters.tolist() == [4, 4, 4, 4]


def test_midi_clicks_lie_on_the_beats_and_bar_lines_on_downbeats(tmp_path: Path) -> None:
    MIXED.save(tmp_path / "b.mid")
    file = mido.MidiFile(tmp_path / "b.mid")
    now, clicks = 0.0, []
    for message in file:
        now += message.time
        if message.type == "note_on":
            clicks.append((now, message.note))
    np.testing.assert_allclose([time for time, _ in clicks], MIXED.times, atol=1e-4)
    assert [note for _, note in clicks] == [76 if position == 1 else 77 for position in MIXED.positions]
    tick, signatures, downbeats = 0, [], []
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "time_signature":
            signatures.append((tick // 480, message.numerator))
        elif message.type == "note_on" and message.note == 76:
            downbeats.append(tick // 480)
    assert downbeats == [4, 7, 11]
    assert signatures == [(0, 4), (4, 3), (7, 4)]


def test_midi_bars_begin_on_the_first_downbeat(tmp_path: Path) -> None:
    Beats(3.2 + 0.5 * np.arange(8), [1, 2, 3, 4] * 2, 4).save(tmp_path / "b.mid")
    (track,) = mido.MidiFile(tmp_path / "b.mid").tracks
    ticks = np.cumsum([message.time for message in track])
    found = [
        (int(tick) // 480, m.numerator) for tick, m in zip(ticks, track, strict=True) if m.type == "time_signature"
    ]
    assert found == [(0, 2), (2, 4)]  # six quarters of silence at about the tempo: half a bar, and a whole one


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.csv", b"second;beat\n1;2\n"),
        ("b.csv", b"time,beat\n1,one\n"),
        ("b.txt", b"1.0\tchorus\n"),
        ("b.json", b"[1, 2]"),
        ("b.json", b'{"times": [1, 1], "positions": [1, 2], "meters": 2}'),
        ("b.mid", b"no midi"),
        ("b.mid", b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\x0f\xff\xff" + b"\xff" * 1_000_000),
        ("b.csv", b"time,beat\n1,1\n2," + b"9" * 5000),
        ("b.csv", b"time,beat\n1,1\n\x1b[31m,2"),
        ("b.txt", b"1.0\t1\n1e999\t2\n"),
        ("b.txt", b"1.0\tinf\n"),
        ("b.txt", b"1.0\t1\n1e300\t2\n"),
        ("b.txt", b"1.0\t2000000000\n"),
        ("b.json", b'{"times": [1, 2], "positions": [1, -2], "meters": 2}'),
        ("b.json", b'{"times": [1, 2], "positions": [1, 2], "meters": 99999999}'),
        ("b.json", b'{"times": [1, 2], "positions": [1, 2], "meters": 2, "duration": 1e300}'),
        ("b.json", b'{"times": [1, 2], "positions": [1, 1' + b"0" * 400 + b'], "meters": 2}'),
        ("b.json", b'{"times": [[[]]], "positions": {}, "meters": null}'),
    ],
)
def test_damaged_files_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(IctusError, match=rf"^{tmp_path / name}: no file of beats \(.+\)$") as refusal:
        Beats.load(tmp_path / name)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < len(str(tmp_path)) + 300


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(file=(music := io.BytesIO()))
    (tmp_path / "b.mid").write_bytes(music.getvalue())
    with pytest.raises(IctusError, match="no clicks, and neither tempo nor metre"):
        Beats.load(tmp_path / "b.mid")
    with pytest.raises(IctusError, match=r"none\.csv"):
        Beats.load(tmp_path / "none.csv")
    for work in (MIXED.save, Beats.load):
        with pytest.raises(UsageError, match=r"\.wav"):
            work(tmp_path / "b.wav")
