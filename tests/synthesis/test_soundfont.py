"""SoundFonts: every part on its beat, in tune, in balance, and the same whenever it is asked for."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.errors import IctusError, UsageError
from ictus.scores.score import Note, Part, Score
from ictus.synthesis import soundfont
from ictus.synthesis.performance import PerformanceContext, render_performance
from ictus.synthesis.recording_conditions import RecordingConditions
from ictus.synthesis.tempo import written
from tiny_scores import score_of, solo
from tiny_soundfont import ATTACK, save_soundfont

pytest.importorskip("fluidsynth", reason="needs the scores extra and libfluidsynth", exc_type=ImportError)

RATE = 22050
DRY = RecordingConditions(wet=0.0, looseness=0.0)


@pytest.fixture(scope="module")
def font(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_soundfont(tmp_path_factory.mktemp("sounds") / "tiny.sf2")


def line(font: Path, of: Score, seconds: float) -> np.ndarray:
    """Return what the first part plays, before the hall and the microphones."""
    context = PerformanceContext(of, written(of), DRY, 0.0, RATE, RATE)
    render_part = soundfont.open_soundfont(font, RATE).part_renderer()
    return render_part(of.parts[0], context, int(seconds * RATE), np.random.default_rng(0))


def synthesize(score: Score, font: Path, **options: Any) -> Audio:
    return render_performance(score, soundfont.open_soundfont(font, RATE).part_renderer(), rate=RATE, **options)


def envelope(samples: np.ndarray) -> np.ndarray:
    """Return the root mean square of each 2 ms."""
    frame = RATE // 500
    return np.sqrt((samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(1))


def strength(samples: np.ndarray) -> float:
    return float(np.sqrt((samples**2).mean()))


def test_slow_strings_and_a_piano_sound_together(font: Path) -> None:
    librosa = pytest.importorskip("librosa")
    delays = {}
    for instrument in ("strings", "piano"):
        sound = line(font, solo(instrument, *(Note(k, 0.5, 60) for k in range(1, 9))), 9.0)
        loud = librosa.amplitude_to_db(librosa.feature.rms(y=sound, frame_length=128, hop_length=32)[0], top_db=60)
        onsets = []
        for k in range(1, 9):
            begin = round((k - 0.2) * RATE / 32)
            rise = loud[begin : begin + round(0.4 * RATE / 32)]
            onsets.append((begin + int(np.argmax(rise > rise.max() - 6))) * 32 / RATE - k)
        delays[instrument] = np.array(onsets)
    assert np.abs(delays["piano"]).max() < 0.006
    assert np.abs(delays["strings"] - delays["piano"]).max() < 0.008


def test_slow_strings_begin_early(font: Path) -> None:
    sound = envelope(line(font, solo("strings", Note(1, 2, 60)), 3.0))
    begins = float(np.argmax(sound > 1e-3 * sound.max())) / 500
    assert begins == pytest.approx(1 - ATTACK / 2, abs=0.008)  # when a linear rise passes -6 dB


def test_a_weak_sound_is_as_strong_as_another(font: Path) -> None:
    piano = line(font, solo("piano", Note(0, 1, 60)), 1.0)[: RATE // 10]
    strings = line(font, solo("strings", Note(0, 1, 60)), 1.0)[RATE // 4 : RATE // 2]
    assert 20 * np.log10(strength(piano) / strength(strings)) == pytest.approx(0, abs=3)


def test_pitch_and_tuning(font: Path) -> None:
    for cents in (0.0, 40.0):
        conditions = replace(DRY, tuning=cents)
        audio = synthesize(solo("strings", Note(0, 4, 69)), font, conditions=conditions, span=(0.5, 3.5))
        assert audio.samples.shape == (2, 3 * RATE)
        spectrum = np.abs(np.fft.rfft(audio.samples[0] * np.hanning(3 * RATE)))
        assert (900 + int(np.argmax(spectrum[900:1800]))) / 3 == pytest.approx(440 * 2 ** (cents / 1200), abs=0.6)


def test_loud_is_louder_by_as_much_as_for_any_orchestra(font: Path) -> None:
    soft, loud = (strength(line(font, solo("strings", Note(0, 2, 60), loud=v), 2.0)) for v in (0.3, 0.8))
    assert 20 * np.log10(loud / soft) == pytest.approx(26 * 0.5 * 1.12, abs=1.5)  # the stress of a downbeat


def test_a_hairpin_within_a_note_that_is_held_but_not_in_one_that_is_struck(font: Path) -> None:
    growth = {}
    for instrument in ("strings", "piano"):
        growing = replace(solo(instrument, Note(0, 4, 60)), dynamics=np.array([[0, 0.2], [4, 0.9]]))
        loud = envelope(line(font, growing, 3.5))
        growth[instrument] = loud[1200:1500].mean() / loud[100:300].mean()
    assert growth["strings"] > 2
    assert growth["piano"] < 1


def test_staccato_is_short(font: Path) -> None:
    def silence(mark: str) -> float:
        loud = envelope(line(font, solo("strings", *(Note(k, 1, 60, mark) for k in range(4))), 4.0))
        return float((loud < 0.05 * loud.max()).mean())

    assert silence("'") > 0.25 > 0.1 > silence("~")


def test_a_passage_begins_within_what_is_held(font: Path) -> None:
    long = solo("strings", Note(0, 8, 60), Note(8, 1, 64))
    part = synthesize(long, font, conditions=DRY, span=(5.0, 7.0)).samples
    assert part.shape == (2, 2 * RATE)
    loud = envelope(part.mean(0))
    assert loud[:20].mean() == pytest.approx(loud[-20:].mean(), rel=0.1)


def test_drums(font: Path) -> None:
    sound = envelope(line(font, solo("snare drum", *(Note(k, 0.2, 55) for k in range(1, 4))), 4.0))
    for k in range(1, 4):
        assert sound[500 * k - 50 : 500 * k - 4].max() < 1e-3 * sound.max()
        assert sound[500 * k + 2 : 500 * k + 10].max() > 0.5 * sound.max()


def test_the_same_whatever_was_played_before(font: Path) -> None:
    two = score_of(Part("a", "strings", (Note(0, 2, 60), Note(1, 2, 67))), Part("b", "piano", (Note(0, 1, 48),)))
    sounds = []
    for seed in (1, 2, 1):
        sounds.append(synthesize(two, font, seed=seed, conditions=RecordingConditions()).samples)
        synthesize(solo("snare drum", Note(0, 1, 55)), font)
    np.testing.assert_array_equal(sounds[0], sounds[2])
    assert np.abs(sounds[0] - sounds[1]).max() > 0.01


def test_no_recording_clips(font: Path) -> None:
    rng = np.random.default_rng(0)
    chord = score_of(
        *(Part("a", "strings", tuple(Note(k, 1, p) for k in range(4))) for p in (36, 48, 60, 64, 67)), loud=1
    )
    for _ in range(5):
        sound = synthesize(chord, font, conditions=RecordingConditions.draw(rng), span=(0.0, 4.0)).samples
        assert np.isfinite(sound).all()
        assert 0.3 < np.abs(sound).max() <= 1.0


def test_a_key_has_one_note_at_a_time() -> None:
    first, last = np.array([0, 5, 5, 20]), np.array([10, 8, 30, 25])
    events = soundfont._events(first, last, np.array([60, 60, 60, 61]), np.array([70, 80, 90, 50]))
    expected = {0: [(70, 60)], 5: [(0, 60), (90, 60)], 30: [(0, 60)], 20: [(50, 61)], 25: [(0, 61)]}
    assert {at: sorted(what) for at, what in events.items()} == expected


def test_an_instrument_that_is_not_there(font: Path) -> None:
    with pytest.raises(IctusError, match=r"tiny\.sf2: has no flute; give a General MIDI SoundFont"):
        synthesize(solo("flute", Note(0, 1, 60)), font)
    with pytest.raises(IctusError, match="there is no instrument 'kazoo'"):
        synthesize(solo("kazoo", Note(0, 1, 60)), font)


def test_what_is_no_soundfont(tmp_path: Path) -> None:
    (tmp_path / "song.sf2").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    with pytest.raises(IctusError, match=r"song\.sf2: no SoundFont"):
        soundfont.check_soundfont(tmp_path / "song.sf2")
    with pytest.raises(IctusError, match=r"none\.sf2: no such file"):
        soundfont.check_soundfont(tmp_path / "none.sf2")
    (tmp_path / "half.sf2").write_bytes(b"RIFF\0\0\0\0sfbk")
    with pytest.raises(IctusError, match=r"half\.sf2: FluidSynth cannot read it"):
        soundfont.open_soundfont(tmp_path / "half.sf2", RATE)


def test_without_fluidsynth(font: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfont._fluidsynth.cache_clear()
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(UsageError, match=r"pip install 'ictus\[scores\]'"):
        soundfont.check_soundfont(font)


def test_slurred_tones_grow_about_their_beat(font: Path) -> None:
    score = solo("strings", *(Note(k, 1.0, 60) for k in range(1, 7)))

    def played(onset: float) -> np.ndarray:
        conditions = replace(DRY, onset=onset)
        context = PerformanceContext(score, written(score), conditions, 0.0, RATE, RATE)
        render_part = soundfont.open_soundfont(font, RATE).part_renderer()
        return render_part(score.parts[0], context, 7 * RATE, np.random.default_rng(0))

    sharp, slurred = envelope(played(0.0)), envelope(played(0.12))
    ratio = slurred / np.maximum(sharp, 1e-6)
    beat = round(2.0 * 500 * 60 / float(score.tempo[0, 1]))  # of 2 ms, of the second quarter
    assert ratio[beat - 60] > 0.9, "the tone before is untouched"
    assert 0.2 < ratio[beat - 44] < 0.5, "it begins softly"
    assert ratio[beat] > 0.8, "and is perceived on the beat, as a sharp one is"
    assert ratio[beat + 40] > 0.95
