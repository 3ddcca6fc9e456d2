"""Real drummers: in a song's bars, on its beats, and with the swing that they have."""

from pathlib import Path
from zipfile import ZipFile

import mido
import numpy as np
import pytest

from ictus.errors import IctusError, UsageError
from ictus.synthesis import band
from ictus.synthesis.grooves import Take, draw_take, find_takes, measured_swing, read_hits, with_drummer
from ictus.synthesis.song_form import draw_song_form

REAL = Path(__file__).parents[3] / "shared" / "data" / "groove"
HEAD = "midi_filename,bpm,beat_type,time_signature,split\n"


def write_take(folder: Path, bars: int = 4, swing: float = 0.5, first: int = 36) -> Path:
    """Write a groove in four: bass drum, hi-hat, bass drum, hi-hat, and hi-hats between; and the list that names it."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(120))])
    hits = []
    for quarter in range(4 * bars):
        hits += [(quarter, first if quarter % 2 == 0 else 38), (quarter, 22), (quarter + swing, 22)]
    now = 0
    for place, key in hits:
        tick = round(480 * place)
        track.append(mido.Message("note_on", channel=9, note=key, velocity=100, time=tick - now))
        now = tick
    file = mido.MidiFile(ticks_per_beat=480, tracks=[track])
    file.save(folder / "take.mid")
    (folder / "info.csv").write_text(HEAD + "take.mid,120,beat,4-4,train\ngone.mid,120,beat,4-4,train\n")
    return folder / "take.mid"


def a_song(style: str = "rock"):
    rng = np.random.default_rng(2)
    form = draw_song_form(rng, style)
    return band.arrange(form, rng)


def test_the_drummer_plays_in_the_songs_bars(tmp_path: Path) -> None:
    write_take(tmp_path)
    (take,) = find_takes(tmp_path)
    assert take == Take(tmp_path / "take.mid", 120, 4, "train")
    song = a_song()
    played = with_drummer(song, take, np.random.default_rng(0))
    kit = {part.program: part for part in played.parts if part.drum}
    assert {36, 38, 42} <= set(kit), "the hi-hat's edge is a hi-hat"
    assert 22 not in kit
    beats = {round(float(quarter), 3): place for quarter, place in song.beats[:, :2]}
    assert {beats[round(note.onset, 3)] for note in kit[36].notes} == {1, 3}
    assert {beats[round(note.onset, 3)] for note in kit[38].notes} == {2, 4}
    np.testing.assert_array_equal(played.beats, song.beats)
    again = with_drummer(song, take, np.random.default_rng(0))
    assert again.parts[-1].notes == played.parts[-1].notes


def test_the_band_takes_over_the_swing(tmp_path: Path) -> None:
    write_take(tmp_path, swing=2 / 3)
    (take,) = find_takes(tmp_path)
    assert measured_swing(read_hits(take)[:, 0]) == pytest.approx(2 / 3, abs=0.03)
    song = a_song()
    played = with_drummer(song, take, np.random.default_rng(0))
    before, after = (
        np.array([note.onset for part in one.parts if not part.drum for note in part.notes]) % 1
        for one in (song, played)
    )
    assert (np.abs(before - 0.5) < 0.01).sum() > 10
    assert (np.abs(after - 0.5) < 0.01).sum() == 0
    assert (np.abs(after - 2 / 3) < 0.01).sum() >= (np.abs(before - 0.5) < 0.01).sum()


def test_a_take_must_fit(tmp_path: Path) -> None:
    write_take(tmp_path)
    takes, rng = find_takes(tmp_path), np.random.default_rng(0)
    song = a_song()
    assert draw_take(takes, song, "val", rng) is None
    far = (Take(takes[0].path, 3 * float(song.tempo[0, 1]), 4, "train"), Take(takes[0].path, 120, 3, "train"))
    assert draw_take(far, song, "train", rng) is None
    near = (Take(takes[0].path, float(song.tempo[0, 1]), 4, "train"),)
    assert draw_take(near, song, "train", rng) == near[0]


def test_what_is_no_groove_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"info\.csv"):
        find_takes(tmp_path)
    file = write_take(tmp_path, bars=1)
    with pytest.raises(IctusError, match="before its second bar"):
        read_hits(Take(file, 120, 4, "train"))
    write_take(tmp_path, first=38)
    with pytest.raises(IctusError, match="do not begin with the bass drum"):
        read_hits(Take(file, 120, 4, "train"))
    file.write_bytes(b"MThd and no more")
    with pytest.raises(IctusError, match=r"take\.mid.*no MIDI file"):
        read_hits(Take(file, 120, 4, "train"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "info.csv").write_text(HEAD + "gone.mid,120,beat,4-4,train\n")
    with pytest.raises(UsageError, match="unpack them beside it"):
        find_takes(other)
    (other / "info.csv").write_text(HEAD + "gone.mid,fast,beat,4-4,train\n")
    with pytest.raises(UsageError, match="no list of grooves"):
        find_takes(other)


@pytest.mark.skipif(not (REAL / "midi.zip").is_file(), reason="needs ../shared/data/groove")
def test_real_drummers_keep_the_songs_time(tmp_path: Path) -> None:
    with ZipFile(REAL / "midi.zip") as archive:
        archive.extractall(tmp_path)
    (tmp_path / "info.csv").write_bytes((REAL / "info.csv").read_bytes())
    takes, rng = find_takes(tmp_path), np.random.default_rng(0)
    assert len(takes) == 503
    assert not {one.path for one in takes if one.split == "train"} & {one.path for one in takes if one.split == "test"}
    song, offs = a_song(), []
    for _ in range(30):
        take = draw_take(takes, song, "train", rng)
        assert take is not None
        try:
            played = with_drummer(song, take, rng)
        except IctusError:
            continue
        strokes = np.array([n.onset for part in played.parts if part.drum for n in part.notes if n.pitch in (38, 40)])
        offs.append(np.abs(strokes * 4 - np.round(strokes * 4)) / 4 * 60 / take.bpm)  # seconds from the sixteenths
    assert len(offs) >= 6
    assert float(np.median(np.concatenate(offs))) < 0.03
