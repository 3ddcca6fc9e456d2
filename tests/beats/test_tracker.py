"""The beat tracker: what it makes of activations, and what is shipped against music whose beats are known."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import librosa
import mir_eval
import numpy as np
import pytest
from beat_corpus import clicks

from ictus.audio import Audio
from ictus.beats import tracker as tracker_module
from ictus.beats.classical import ClassicalBeatTracker
from ictus.beats.dataset import beat_targets
from ictus.beats.decoding import PLACES
from ictus.beats.network import BeatNetwork
from ictus.beats.tracker import BeatTracker
from ictus.errors import AudioError, ModelError, UsageError
from ictus.scores.score import Score
from ictus.synthesis.synthesizer import synthesize

RATE = 22050


class Perfect(BeatTracker):
    """A beat tracker whose network is always right."""

    def __init__(self, times: np.ndarray, positions: np.ndarray) -> None:
        super().__init__("perfect")
        self.times, self.positions = times, positions
        bars = np.split(positions, np.flatnonzero(positions == 1)[1:])
        self.meters = np.concatenate([np.full(len(bar), bar.max()) for bar in bars])

    def activations(self, audio: Audio) -> np.ndarray:
        rng = np.random.default_rng(0)
        beats = beat_targets(self.times, self.positions, 1 + audio.samples.shape[1] // 441)
        places = np.zeros((len(beats), len(PLACES)))
        for time, *place in zip(self.times, self.meters.astype(int), self.positions.astype(int), strict=True):
            places[round(time * 50) - 2 : round(time * 50) + 3, PLACES.index(tuple(place))] = 8
        logits = np.column_stack([8 * beats - 4, places])
        return logits + rng.normal(0, 0.5, logits.shape)


def test_activations_become_beats_and_bars() -> None:
    times = np.arange(0.5, 29, 0.61)
    positions = np.arange(len(times)) % 3 + 1
    sound = clicks(times, positions, 30)
    beats = Perfect(times, positions)(sound)
    assert mir_eval.beat.f_measure(times, beats.times, f_measure_threshold=0.02) > 0.97
    assert beats.meter == 3
    assert mir_eval.beat.f_measure(times[positions == 1], beats.downbeats) > 0.97
    assert beats.duration == pytest.approx(30)
    assert np.median(beats.confidence) > 0.9
    for values in (beats.loudness, beats.articulation, beats.accents, beats.confidence):
        assert 0 <= values.min() <= values.max() <= 1


def test_a_change_of_metre_is_followed_and_conducted() -> None:
    times = np.arange(0.5, 49, 0.5)
    positions = np.concatenate([np.arange(60) % 3, np.arange(len(times) - 60) % 4]) + 1
    beats = Perfect(times, positions)(clicks(times, positions, 50))
    assert mir_eval.beat.f_measure(times[positions == 1], beats.downbeats) > 0.97
    assert (beats.meters[:56] == 3).all()
    assert (beats.meters[-30:] == 4).all()
    shown = beats.conducted()
    np.testing.assert_array_equal(shown.meters, beats.meters)
    np.testing.assert_array_equal(shown.times, beats.times)


def test_the_metre_can_be_given() -> None:
    times = np.arange(0.5, 20, 0.5)
    positions = np.arange(len(times)) % 4 + 1
    beats = Perfect(times, positions)(clicks(times, positions, 21), meter=5)
    assert beats.meter == 5
    assert set(beats.positions) == {1, 2, 3, 4, 5}
    with pytest.raises(UsageError, match="metre 9"):
        BeatTracker()(clicks(times, positions, 21), meter=9)


def test_silence_inside_music_has_no_beats() -> None:
    times = np.arange(0.5, 29, 0.5)
    kept = times[(times < 10) | (times > 16)]
    positions = np.ones(len(kept))
    samples = clicks(kept, positions, 30).samples.copy()
    samples[0, int(10.3 * RATE) : int(15.9 * RATE)] = 0
    beats = Perfect(kept, positions)(Audio(samples, RATE))
    assert not ((beats.times > 11) & (beats.times < 15.4)).any()
    assert mir_eval.beat.f_measure(kept, beats.times) > 0.95


def test_too_short_and_silent_sounds_are_refused() -> None:
    for tracker in (BeatTracker(), Perfect(np.ones(1), np.ones(1))):
        with pytest.raises(AudioError, match=r"0\.20 s"):
            tracker(Audio(np.ones((1, 4410), np.float32) * 0.1, RATE))
        with pytest.raises(AudioError, match="silent"):
            tracker(Audio(np.zeros((1, 10 * RATE), np.float32), RATE))


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    BeatNetwork.from_config("debug").save_pretrained(tmp_path / "folder")
    times = np.arange(0.5, 9, 0.5)
    beats = BeatTracker(tmp_path / "folder")(clicks(times, np.ones(len(times)), 10))
    assert len(beats)
    assert (np.diff(beats.times) > 0).all()
    with pytest.raises(ModelError, match="no such folder"):
        BeatTracker(tmp_path / "none")(clicks(times, np.ones(len(times)), 10))


def test_without_weights_the_classical_tracker_is_used(monkeypatch) -> None:
    monkeypatch.setattr(tracker_module, "shipped_folders", list)
    times = np.arange(0.5, 9, 0.5)
    sound = clicks(times, np.arange(len(times)) % 4 + 1, 10)
    np.testing.assert_array_equal(BeatTracker()(sound).times, ClassicalBeatTracker()(sound).times)


def test_torch_waits_until_beats_are_asked_for() -> None:
    code = "import sys; from ictus.beats.tracker import BeatTracker; BeatTracker(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("tracker", "meters"), [(BeatTracker(), (2, 4)), (ClassicalBeatTracker(), (4,))])
def test_a_score_with_rubato_is_followed_better_than_by_librosa(tracker, meters: tuple[int, ...]) -> None:
    score = Score.ode_to_joy()
    corners = np.array([[0, 92], [24, 112], [40, 84], [60, 104], [84, 120], [110, 100], [128, 76]], float)
    score = dataclasses.replace(score, tempo=corners)
    audio = synthesize(score, rate=RATE)
    truth = score.seconds(np.arange(0.0, 129))
    ours = tracker(audio)
    _, theirs = librosa.beat.beat_track(y=audio.mono().samples[0], sr=RATE, units="time")
    steady = np.arange(truth[0], truth[-1], np.median(np.diff(truth)))  # control: a metronome at the right tempo
    figures = [mir_eval.beat.f_measure(truth, found) for found in (ours.times, theirs, steady)]
    assert figures[0] > 0.9
    assert figures[0] > max(figures[1:]) + 0.2
    assert ours.meter in meters
    assert mir_eval.beat.f_measure(truth[:: ours.meter], ours.downbeats) > 0.85


def test_a_steady_score_keeps_its_beat_to_the_end() -> None:
    score = Score.ode_to_joy()
    truth = score.seconds(np.arange(0.0, 129))
    assert mir_eval.beat.f_measure(truth, BeatTracker()(synthesize(score, rate=RATE)).times) > 0.95


def test_sound_without_any_beat_still_gives_an_answer() -> None:
    drone = np.sin(2 * np.pi * 220 * np.arange(5 * RATE) / RATE).astype(np.float32) * 0.3
    beats = BeatTracker()(Audio(drone, RATE))
    assert (np.diff(beats.times) > 0).all()
