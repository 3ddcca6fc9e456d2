"""The classical beat tracker against music whose beats are known."""

import json
from pathlib import Path

import mir_eval
import numpy as np
import pytest

from ictus.audio import Audio
from ictus.beats.classical import ClassicalBeatTracker
from ictus.errors import AudioError
from ictus.scores.score import Score
from ictus.synthesis.synthesizer import synthesize

RATE = 22050


def clicks(times: np.ndarray, accented: np.ndarray, seconds: float) -> Audio:
    samples = np.zeros(int(seconds * RATE), np.float32)
    ring = np.exp(-np.arange(4000) / 800)
    for time, strong in zip(times, accented, strict=True):
        start = int(time * RATE)
        wave = (1.0 if strong else 0.4) * ring * np.sin(2 * np.pi * (330 if strong else 440) * np.arange(4000) / RATE)
        samples[start : start + 4000] += wave[: len(samples) - start].astype(np.float32)
    return Audio(samples / 2, RATE)


@pytest.mark.parametrize("meter", [2, 3, 4])
@pytest.mark.parametrize("bpm", [70, 120])
def test_clicks(meter: int, bpm: int) -> None:
    times = np.arange(0.5, 29, 60 / bpm)
    beats = ClassicalBeatTracker()(clicks(times, np.arange(len(times)) % meter == 0, 30))
    assert mir_eval.beat.f_measure(times, beats.times, f_measure_threshold=0.03) > 0.97
    assert beats.meter == meter or (meter, beats.meter) == (2, 4)
    downbeats = times[:: beats.meter]
    assert mir_eval.beat.f_measure(downbeats, beats.downbeats) > 0.9


def test_a_crescendo_shows_in_the_loudness() -> None:
    beats = ClassicalBeatTracker()(synthesize(Score.ode_to_joy(), rate=RATE))
    assert beats.loudness[:20].mean() < 0.35 < 0.75 < beats.loudness[-20:].mean()


def played(bar: str, folder: Path) -> Audio:
    """Play a bar six times, on a clarinet."""
    part = {"name": "p", "instrument": "clarinet", "music": " | ".join([bar] * 6)}
    score = {"title": "t", "meter": 4, "tempo": [[0, 100]], "dynamics": [[0, 0.7]], "parts": [part]}
    (folder / "score.json").write_text(json.dumps(score))
    return synthesize(Score.load(folder / "score.json"), rate=RATE)


def test_staccato_and_legato_differ(tmp_path: Path) -> None:
    short = ClassicalBeatTracker()(played("C4:1' E4:1' G4:1' E4:1'", tmp_path))
    long = ClassicalBeatTracker()(played("C4:1~ E4:1~ G4:1~ E4:1~", tmp_path))
    assert short.articulation.mean() > long.articulation.mean() + 0.15


def test_silence_inside_music_has_no_beats() -> None:
    times = np.arange(0.5, 29, 0.5)
    kept = times[(times < 10) | (times > 16)]
    beats = ClassicalBeatTracker()(clicks(kept, np.zeros(len(kept), bool), 30))
    assert not ((beats.times > 11) & (beats.times < 15.4)).any()
    assert mir_eval.beat.f_measure(kept, beats.times) > 0.9


def test_too_short_and_silent_sounds_are_refused() -> None:
    with pytest.raises(AudioError, match=r"0\.20 s"):
        ClassicalBeatTracker()(Audio(np.ones((1, 4410), np.float32) * 0.1, RATE))
    with pytest.raises(AudioError, match="silent"):
        ClassicalBeatTracker()(Audio(np.zeros((1, 10 * RATE), np.float32), RATE))


def test_the_metre_can_be_told() -> None:
    times = np.arange(0.5, 20, 0.5)
    beats = ClassicalBeatTracker()(clicks(times, np.arange(len(times)) % 4 == 0, 21), meter=5)
    assert beats.meter == 5
    assert set(beats.positions) == {1, 2, 3, 4, 5}


def test_sound_without_any_beat_still_gives_an_answer() -> None:
    drone = np.sin(2 * np.pi * 220 * np.arange(5 * RATE) / RATE).astype(np.float32) * 0.3
    beats = ClassicalBeatTracker()(Audio(drone, RATE))
    assert (np.diff(beats.times) > 0).all()
