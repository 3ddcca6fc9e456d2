"""Files of beats that other programs and data sets write."""

import struct
from pathlib import Path

import mido
import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.errors import IctusError

TIMES = [0.5, 1.0, 1.5, 2.0, 2.5]
LAYER = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE sonic-visualiser>
<sv><data>
<model id="1" name="" sampleRate="44100" type="sparse" dimensions="1" resolution="1" notifyOnAdd="true" dataset="0" />
<dataset id="0" dimensions="1">POINTS</dataset></data>
<display><layer id="2" type="timeinstants" name="beats" model="1" /></display></sv>
"""


def layer(labels: list[str]) -> str:
    points = zip(TIMES, labels, strict=True)
    return LAYER.replace("POINTS", "".join(f'<point frame="{round(t * 44100)}" label="{n}" />' for t, n in points))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("audacity.txt", "".join(f"{t:.6f}\t{t:.6f}\t{n}\n" for t, n in zip(TIMES, "34123", strict=True))),
        (
            "audacity-bars.txt",
            "".join(f"{t}\t{t}\t{n}\n" for t, n in zip(TIMES, list("bbDbb"), strict=True)),
        ),
        ("visualiser.csv", "".join(f"{t:.9f},{n}\n" for t, n in zip(TIMES, "34123", strict=True))),
        ("headed.csv", "TIME,LABEL\n" + "".join(f"{t},{n}\n" for t, n in zip(TIMES, "34123", strict=True))),
        ("bars.csv", "".join(f"{t},{n}\n" for t, n in zip(TIMES, ["1.3", "1.4", "2.1", "2.2", "2.3"], strict=True))),
        ("gtzan.beats", "".join(f"{t}\t{n}\n" for t, n in zip(TIMES, "34123", strict=True))),
        ("ballroom.beats", "".join(f"{t} {n}\n" for t, n in zip(TIMES, "34123", strict=True))),
        ("madmom.txt", "".join(f"{t}\t{n}.0\n" for t, n in zip(TIMES, "34123", strict=True))),
        ("downbeats.csv", "time,beat\n" + "".join(f"{t},{n}\n" for t, n in zip(TIMES, "00100", strict=True))),
        ("beats.lab", "".join(f"{t} {t + 0.5} {n}\n" for t, n in zip(TIMES, "34123", strict=True))),
        ("layer.svl", layer(list("34123"))),
    ],
)
def test_what_others_write(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    beats = Beats.load(tmp_path / name)
    np.testing.assert_allclose(beats.times, TIMES, atol=1e-4)
    assert beats.positions.tolist() == [3, 4, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("times.txt", "".join(f"{t}\n" for t in TIMES)),
        ("times.csv", "".join(f"{t}\n" for t in TIMES)),
        ("unknown.csv", "time,beat\n" + "".join(f"{t},0\n" for t in TIMES)),
        ("beats.txt", "".join(f"{t}\t{t}\tbeat\n" for t in TIMES)),
        ("counted.txt", "".join(f"{0.5 * k}\t{k}\n" for k in range(1, 80))),
        ("layer.svl", layer([""] * 5)),
    ],
)
def test_bars_that_nothing_says(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    beats = Beats.load(tmp_path / name)
    np.testing.assert_allclose(beats.times[:5], TIMES, atol=1e-4)
    assert not beats.positions.any()
    assert len(beats.downbeats) == 0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("song.txt", "0.5\t0.9\tchorus\n", "label 'chorus' is no beat"),
        ("song.txt", "1.5\t1\n0.5\t2\n", "beat 2, at 0.500 s, comes after 1.500 s"),
        ("song.svl", "<sv><data/></sv>", "no time instants"),
        ("song.svl", '<!DOCTYPE a [<!ENTITY b "c">]><sv/>', "no file of beats"),
        ("song.csv", "", "empty"),
        ("song.csv", "time,beat\n\n", r"^"),
    ],
)
def test_what_is_none_is_refused(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    if message == "^":
        assert len(Beats.load(tmp_path / name)) == 0
        return
    with pytest.raises(IctusError, match=message) as caught:
        Beats.load(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))


def test_a_tempo_map_without_clicks(tmp_path: Path) -> None:
    track = mido.MidiTrack(
        [
            mido.MetaMessage("time_signature", numerator=3, denominator=4),
            mido.MetaMessage("set_tempo", tempo=500_000),
            mido.MetaMessage("set_tempo", tempo=1_000_000, time=96 * 5),  # within the second bar
            mido.MetaMessage("time_signature", numerator=6, denominator=8, time=96),
            mido.MetaMessage("end_of_track", time=96 * 6),
        ]
    )
    notes = mido.MidiTrack([mido.Message("note_on", channel=9, note=36, velocity=90, time=48)])  # drums, not clicks
    mido.MidiFile(ticks_per_beat=96, tracks=[track, notes]).save(tmp_path / "map.mid")
    beats = Beats.load(tmp_path / "map.mid")
    np.testing.assert_allclose(beats.times, [0, 0.5, 1, 1.5, 2, 2.5, 3.5, 5, 6.5, 8])
    assert beats.positions.tolist() == [1, 2, 3, 1, 2, 3, 1, 2, 1, 2]
    assert beats.meters.tolist() == [3] * 6 + [2] * 4


def test_an_endless_tempo_map_is_refused(tmp_path: Path) -> None:
    events = b"\x00\xff\x58\x04\x80\x07\x18\x08" + b"\xff\xff\xff\x7f\xff\x51\x03\x07\xa1\x20" * 3 + b"\x00\xff\x2f\x00"
    data = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1) + b"MTrk" + struct.pack(">I", len(events)) + events
    (tmp_path / "map.mid").write_bytes(data)
    with pytest.raises(IctusError, match="more than 100000 beats"):
        Beats.load(tmp_path / "map.mid")
