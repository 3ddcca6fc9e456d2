"""Played notes: their checks, their sound, their MIDI and their page."""

from pathlib import Path

import mido
import numpy as np
import pytest
from scipy import signal

from ictus.cli import main
from ictus.errors import MotionError, UsageError
from ictus.sound.notes_midi import QUARTER, load_notes, save_midi
from ictus.sound.piano_roll import piano_roll_html
from ictus.sound.played_notes import PlayedNotes
from ictus.sound.voice import PROGRAMS, RATE, unplayed, voice, voice_blocks


def line(*pitches: float, seconds: float = 0.5, gap: float = 0.0, instrument: str = "violin") -> PlayedNotes:
    onsets = 0.2 + np.arange(len(pitches)) * (seconds + gap)
    rows = [[onset, seconds, pitch, 0.7] for onset, pitch in zip(onsets, pitches, strict=True)]
    total = float(onsets[-1] + seconds + 0.5)
    return PlayedNotes(np.array(rows), total, instrument, np.full(round(total * 100), 0.7))


def envelope(sound: np.ndarray) -> np.ndarray:
    """Root mean square at 100 a second."""
    whole = sound[: len(sound) // 441 * 441].astype(float)
    return np.sqrt((whole.reshape(-1, 441) ** 2).mean(1))


@pytest.mark.parametrize(
    ("notes", "says"),
    [
        (np.zeros((2, 3)), "shape"),
        (np.array([[0.5, 1, 60, 0.5], [0.1, 1, 60, 0.5]]), "begins before"),
        (np.array([[0, 1, 60, 1.5]]), "loudness"),
        (np.array([[9.0, 1, 60, 0.5]]), "outside a take"),
        (np.array([[0, 1, np.nan, 0.5]]), "finite"),
    ],
)
def test_wrong_notes_are_refused(notes: np.ndarray, says: str) -> None:
    with pytest.raises(MotionError, match=says):
        PlayedNotes(notes, 3.0, "violin")


def test_a_take_is_kept(tmp_path: Path) -> None:
    played = line(60, 64)
    played.save(tmp_path / "take.npz")
    again = PlayedNotes.load(tmp_path / "take.npz")
    np.testing.assert_array_equal(again.notes, played.notes)
    assert again.instrument == "violin"


@pytest.mark.parametrize("instrument", PROGRAMS)
def test_pitch_is_within_ten_cents(instrument: str) -> None:
    sound = voice(line(64, seconds=2.0, instrument=instrument)).samples[0][RATE // 2 : 2 * RATE]
    spectrum = abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 20))
    asked = 440 * 2 ** ((64 - 69) / 12)
    near = np.arange(int(0.94 * asked * (1 << 20) / RATE), int(1.06 * asked * (1 << 20) / RATE))
    found = near[spectrum[near].argmax()] * RATE / (1 << 20)
    assert abs(1200 * np.log2(found / asked)) < 10


def test_vibrato_has_the_rate_of_its_curve() -> None:
    bend = 0.3 * np.sin(2 * np.pi * 6 * np.arange(400) / 100)
    played = PlayedNotes(np.array([[0.1, 3.8, 69, 0.7]]), 4.0, "violin", np.full(400, 0.7), bend)
    band = signal.butter(4, (380, 520), "bandpass", fs=RATE, output="sos")
    tone = signal.hilbert(signal.sosfiltfilt(band, voice(played).samples[0].astype(float)))
    hertz = np.diff(np.unwrap(np.angle(tone))) * RATE / (2 * np.pi)
    cents = 1200 * np.log2(hertz[RATE // 2 : 7 * RATE // 2] / 440)
    assert abs(np.fft.rfft(cents - cents.mean())).argmax() / 3.0 == pytest.approx(6, abs=0.4)
    assert cents.std() * 2**0.5 == pytest.approx(30, abs=6)


def test_loudness_follows_the_curve() -> None:
    time = np.arange(600) / 100
    curve = 0.5 + 0.35 * np.sin(2 * np.pi * time / 3)
    sound = voice(PlayedNotes(np.array([[0.1, 5.8, 62, 0.5]]), 6.0, "cello", curve)).samples[0]
    assert np.corrcoef(envelope(sound)[30:570], curve[30:570])[0, 1] > 0.9


def test_bound_notes_have_no_attack_and_detached_ones_do() -> None:
    bound, detached = (envelope(voice(line(60, 64, gap=gap)).samples[0]) for gap in (0.0, 0.25))
    steady = np.median(bound[30:60])
    assert bound[60:80].min() > 0.7 * steady  # over the second onset, at 0.7 s
    assert detached[85:92].min() < 0.1 * steady  # in the gap before it, at 0.95 s


def test_a_repeated_pitch_turns_the_bow() -> None:
    sound = envelope(voice(line(62, 62)).samples[0])
    assert sound[66:74].min() < 0.6 * np.median(sound[30:60])


def test_there_are_no_clicks() -> None:
    sound = voice(line(60, 72, 72, 55, 67, seconds=0.15, gap=0.02, instrument="flute")).samples[0]
    steps, usual = abs(np.diff(sound)), abs(np.diff(voice(line(72, instrument="flute")).samples[0])).max()
    assert steps.max() < 2 * usual


def test_silence_where_no_note_is_and_blocks_are_small() -> None:
    played = PlayedNotes(np.array([[0.0, 0.5, 60, 0.8], [599.0, 0.5, 60, 0.8]]), 600.0, "horn")
    loud = [float(abs(block).max()) for block in voice_blocks(played)]
    assert len(loud) == 600
    assert loud[0] > 0.01
    assert loud[599] > 0.01
    assert max(loud[2:598]) == 0


def test_midi_is_read_back_to_a_tick(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    onsets = np.cumsum(rng.uniform(0.1, 0.6, 40))
    lengths = np.minimum(rng.uniform(0.08, 0.4, 40), np.append(np.diff(onsets), 1))
    notes = np.stack([onsets, lengths, rng.integers(50, 80, 40), rng.uniform(0.1, 1, 40)], 1)
    played = PlayedNotes(notes, 30.0, "cello", bend=np.sin(np.arange(3000) / 5))
    save_midi(played, tmp_path / "take.mid", tempo=90)
    again = load_notes(tmp_path / "take.mid")
    tick = 60 / 90 / QUARTER
    assert again.instrument == "cello"
    np.testing.assert_allclose(again.notes[:, :2], notes[:, :2], atol=1.01 * tick)
    np.testing.assert_array_equal(again.notes[:, 2], notes[:, 2])
    kinds = {message.type for message in mido.MidiFile(tmp_path / "take.mid").tracks[0]}
    assert {"pitchwheel", "control_change"} <= kinds


def test_curves_and_length_are_read_back_from_midi(tmp_path: Path) -> None:
    time = np.arange(600) / 100
    bend = 0.3 * np.sin(2 * np.pi * 6 * time) + np.clip(time - 4, 0, 1)
    loudness = 0.5 + 0.4 * np.sin(time)
    played = PlayedNotes(np.array([[0.5, 4.5, 60, 0.5]]), 6.0, "violin", loudness, bend)
    save_midi(played, tmp_path / "take.mid")
    again = load_notes(tmp_path / "take.mid")
    assert again.duration == pytest.approx(6.0, abs=1e-3)
    np.testing.assert_allclose(again.bend[:-1], bend[:-1], atol=0.03)  # a value each 20 ms
    np.testing.assert_allclose(again.loudness, loudness, atol=0.012)
    save_midi(again, tmp_path / "again.mid")
    np.testing.assert_allclose(load_notes(tmp_path / "again.mid").notes, again.notes, atol=1e-3)


def test_a_fifth_note_at_once_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chord = PlayedNotes(np.array([[0.1, 1, pitch, 0.5] for pitch in (55, 60, 64, 67, 72)]), 2.0, "violin")
    assert unplayed(chord) == 1
    save_midi(chord, tmp_path / "chord.mid")
    assert main(["sound", str(tmp_path / "chord.mid"), "-o", str(tmp_path / "x.wav")]) == 0
    assert "1 of them are not heard" in capsys.readouterr().out


def test_an_unknown_instrument_is_refused_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"piano.*cello, violin"):
        voice(line(60, instrument="piano"))


def test_the_page_holds_the_notes_and_asks_nobody() -> None:
    page = piano_roll_html(line(60, 64), "</script><b>")
    assert '"notes":[[0.2,0.5,60,0.7]' in page
    assert "</script><b>" not in page
    assert "http" not in page


def test_the_command_plays_notes(tmp_path: Path) -> None:
    save_midi(line(60, 64), tmp_path / "a.mid")
    outs = [tmp_path / name for name in ("a.wav", "b.mid", "a.html")]
    assert main(["sound", str(tmp_path / "a.mid"), *(word for out in outs for word in ("-o", str(out)))]) == 0
    assert load_notes(outs[1]).pitches.tolist() == [60, 64]
    assert all(out.stat().st_size for out in outs)
