"""Beats as other programs read them: tempo maps through two readers of MIDI, projects, labels, practice tracks."""

import json
import re
from pathlib import Path

import mido
import numpy as np
import pytest
import symusic

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.practice import PracticeTrack, stretched
from ictus.beats.sound_features import FPS, compute_sound_features
from ictus.errors import IctusError, UsageError
from ictus.scores import midi
from ictus.scores.score import Score
from ictus.synthesis.synthesizer import synthesize


def rubato(meters: list[int], first: int = 1, start: float = 1.7) -> Beats:
    """Bars of some metres in a tempo that comes and goes, from the position `first` of the first one on."""
    positions = np.concatenate([np.arange(meter) + 1 for meter in meters])[first - 1 :]
    steps = 0.55 * np.exp(0.2 * np.sin(np.arange(len(positions)) / 4))
    times = start + np.concatenate([[0.0], np.cumsum(steps[:-1])])
    return Beats(times, positions, meters, duration=float(times[-1]) + 2)


PIECES = [rubato([4] * 12), rubato([3] * 4 + [4, 5, 7, 2, 3, 3], first=3), rubato([2] * 9, start=0.0)]


def by_mido(file: Path) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Seconds of the quarters, and quarter and numerator of the time signatures, by the tempi alone."""
    (track,) = mido.MidiFile(file).tracks
    tick, seconds, tempo, quarters, signatures = 0, 0.0, 500_000, [], []
    for message in track:
        seconds += message.time / 480 * tempo / 1e6
        tick += message.time
        if message.type == "set_tempo":
            tempo = message.tempo
            quarters.append(seconds)
        elif message.type == "time_signature":
            signatures.append((tick // 480, message.numerator))
    return np.array(quarters), signatures


@pytest.mark.parametrize("beats", PIECES)
def test_a_tempo_map_is_the_same_through_two_readers_of_midi(beats: Beats, tmp_path: Path) -> None:
    beats.save(tmp_path / "map.mid")
    quarters, signatures = by_mido(tmp_path / "map.mid")
    lead = len(quarters) - len(beats)
    np.testing.assert_allclose(quarters[lead:], beats.times, atol=2e-6)
    score = midi.read(tmp_path / "map.mid")  # a reader of its own, which knows nothing of mido
    grid = score.beats[score.beats[:, 0] >= lead - 1e-6][: len(beats)]
    np.testing.assert_allclose(score.seconds(grid[:, 0]), beats.times, atol=0.01)
    np.testing.assert_array_equal(grid[:, 1] == 1, beats.positions == 1)
    begins = {quarter + lead for quarter in np.flatnonzero(beats.positions == 1).tolist()}
    assert {quarter for quarter, _ in signatures if quarter > lead} <= begins, "metres change on downbeats alone"


@pytest.mark.parametrize("beats", PIECES)
def test_a_tempo_map_is_the_same_through_mido_and_symusic(beats: Beats, tmp_path: Path) -> None:
    beats.save(tmp_path / "map.mid")
    quarters, signatures = by_mido(tmp_path / "map.mid")
    score = symusic.Score(tmp_path / "map.mid")
    ticks = np.array([change.time for change in score.tempos])
    steps = np.array([change.mspq for change in score.tempos]) / 1e6 / score.tpq  # seconds a tick
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(ticks) * steps[:-1])])
    starts = np.interp(quarters, seconds, ticks)  # ticks at which mido hears the quarters
    np.testing.assert_allclose(starts, np.arange(len(quarters)) * score.tpq, atol=1)
    changes = [(change.time // score.tpq, change.numerator) for change in score.time_signatures]
    assert changes == signatures
    lead = len(quarters) - len(beats)
    np.testing.assert_allclose(seconds[lead:], beats.times, atol=steps.min())


def test_a_long_tempo_map_does_not_drift(tmp_path: Path) -> None:
    times = np.arange(5000) * (1 / 3 + 4e-7)
    Beats(times, np.arange(5000) % 4 + 1, 4).save(tmp_path / "map.mid")
    np.testing.assert_allclose(by_mido(tmp_path / "map.mid")[0], times, atol=2e-6)


@pytest.mark.parametrize("beats", PIECES)
def test_a_reaper_project(beats: Beats, tmp_path: Path) -> None:
    music = tmp_path / 'a "song".mp3'
    beats.save(tmp_path / "projects" / "song.rpp", music)
    text = (tmp_path / "projects" / "song.rpp").read_text()
    depth = 0
    for line in text.splitlines():
        depth += line.strip().startswith("<") - (line.strip() == ">")
        assert depth >= 0
    assert depth == 0
    points = [line.split()[1:] for line in text.splitlines() if line.strip().startswith("PT ")]
    times, tempi = (np.array([float(point[k]) for point in points]) for k in (0, 1))
    lead = len(times) - len(beats)
    np.testing.assert_allclose(times[lead:], beats.times, atol=1e-9)
    played = np.concatenate([[0.0], np.cumsum(60 / tempi[:-1])])  # a quarter at each tempo, as Reaper counts
    np.testing.assert_allclose(played, times, atol=1e-7)
    markers = re.findall(r'MARKER \d+ (\S+) "bar \d+" 0', text)
    np.testing.assert_allclose(np.array(markers, float), beats.downbeats, atol=1e-8)
    bar, count, found = 0, 0, []
    for k, point in enumerate(points):  # bar lines, as the time signatures set them
        if len(point) > 3:
            assert int(point[3]) >> 16 == 4
            bar, count = k, int(point[3]) & 0xFFFF
        if (k - bar) % count == 0 and k >= lead:
            found.append(times[k])
    np.testing.assert_allclose(found, beats.downbeats, atol=1e-8)
    assert "FILE '../a \"song\".mp3'" in text
    assert "<SOURCE MP3" in text


@pytest.mark.parametrize("suffix", [".lab", ".svl"])
def test_labels_and_layers_come_back(suffix: str, tmp_path: Path) -> None:
    for beats in PIECES:
        beats.save(tmp_path / f"b{suffix}")
        again = Beats.load(tmp_path / f"b{suffix}")
        np.testing.assert_allclose(again.times, beats.times, atol=2e-5)
        np.testing.assert_array_equal(again.positions, beats.positions)


def test_a_layer_counts_in_the_frames_of_its_music(tmp_path: Path) -> None:
    Audio(np.zeros((1, 16000), np.float32), 8000).save(tmp_path / "song.wav")
    Beats([0.5, 1.0], [1, 2], 2).save(tmp_path / "b.svl", tmp_path / "song.wav")
    assert 'sampleRate="8000"' in (tmp_path / "b.svl").read_text()
    assert 'frame="4000" label="1"' in (tmp_path / "b.svl").read_text()
    np.testing.assert_allclose(Beats.load(tmp_path / "b.svl").times, [0.5, 1.0])


def test_json_has_the_tempo_curve(tmp_path: Path) -> None:
    PIECES[0].save(tmp_path / "b.json")
    held = json.loads((tmp_path / "b.json").read_text())
    np.testing.assert_allclose(held["tempo_curve"][:-1], 60 / np.diff(PIECES[0].times))
    assert len(held["confidence"]) == len(held["tempo_curve"]) == len(PIECES[0])


# --- Practice tracks -------------------------------------------------------------------------------------------------

RATE = 22050


def strikes(audio: Audio) -> tuple[np.ndarray, list[float]]:
    """Seconds at which clicks begin, and the hertz of each."""
    line = np.abs(audio.samples[0])
    sounding = np.flatnonzero(line > 0.02)
    begins = sounding[np.diff(sounding, prepend=-audio.rate) > 0.1 * audio.rate]
    pitches = []
    for begin in begins:
        part = audio.samples[0, begin : begin + 1024] * np.hanning(1024)
        pitches.append(float(np.abs(np.fft.rfft(part)).argmax() * audio.rate / 1024))
    return begins / audio.rate, pitches


@pytest.mark.parametrize("speed", [1.0, 0.75, 0.3])
def test_clicks_lie_on_the_beats_and_downbeats_are_higher(speed: float) -> None:
    beats = PIECES[1]
    silence = Audio(np.zeros((1, round(beats.duration * RATE)), np.float32), RATE)
    track = PracticeTrack(clicks_only=True, speed=speed)(silence, beats)
    assert track.duration == pytest.approx(beats.duration / speed, abs=1e-3)
    found, pitches = strikes(track)
    np.testing.assert_allclose(found, beats.times / speed, atol=1e-3)
    np.testing.assert_array_equal(np.array(pitches) > 1500, beats.positions == 1)


@pytest.mark.parametrize("bars", [1, 2])
def test_a_count_in_leads_to_the_first_beat(bars: int) -> None:
    beats = Beats(0.2 + 0.5 * np.arange(10), np.arange(10) % 3 + 1, 3, duration=6)
    upbeat = Beats(beats.times, (np.arange(10) + 2) % 3 + 1, 3, duration=6)
    silence = Audio(np.zeros((2, 6 * RATE), np.float32), RATE)
    for piece, counted in ((beats, 3 * bars), (upbeat, 3 * bars + 2)):
        track = PracticeTrack(bars, clicks_only=True)(silence, piece)
        found, pitches = strikes(track)
        assert len(found) == 10 + counted
        np.testing.assert_allclose(np.diff(found), 0.5, atol=1e-3)
        assert found[counted] == pytest.approx(0.5 * counted, abs=1e-3)
        downbeats = (np.arange(len(found)) + piece.positions[0] - 1 - counted) % 3 == 0
        np.testing.assert_array_equal(np.array(pitches) > 1500, downbeats)


def test_music_and_clicks_do_not_clip() -> None:
    loud = Audio(np.float32(0.99) * np.sign(np.sin(np.arange(6 * RATE) / 20)).astype(np.float32), RATE)
    track = PracticeTrack()(loud, Beats([1.0, 2.0], [1, 2], 2, duration=6))
    assert np.abs(track.samples).max() <= 1
    with pytest.raises(IctusError, match="nothing can be counted in"):
        PracticeTrack(1)(loud, Beats([], [], 4, duration=6))
    with pytest.raises(UsageError, match=r"speed 9: choose between 0\.25 and 4"):
        PracticeTrack(speed=9)


def onsets_near(audio: Audio, times: np.ndarray) -> np.ndarray:
    strength = compute_sound_features(audio.mono().resample(RATE)).onsets
    around = np.arange(-8, 9)  # less than to the next note
    rows = strength[np.clip(np.round(times * FPS).astype(int)[:, None] + around, 0, len(strength) - 1)]
    return around[rows.argmax(1)] / FPS


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.5])
def test_a_slower_piece_keeps_its_pitch_and_its_onsets_in_place(speed: float) -> None:
    tone = Audio(np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE).astype(np.float32) * 0.3, RATE)
    slower = stretched(tone, speed)
    assert slower.samples.shape[1] == round(4 * RATE / speed)
    middle = slower.samples[0, RATE : RATE + 16384]
    assert np.abs(np.fft.rfft(middle * np.hanning(16384))).argmax() * RATE / 16384 == pytest.approx(440, abs=2)
    score = Score.ode_to_joy()
    audio = synthesize(score, rate=RATE, span=(0.0, 20.0))
    times = score.seconds(np.arange(1.0, 36))
    before = onsets_near(audio, times)
    late = onsets_near(stretched(audio, speed), (times + before) / speed)
    assert np.median(np.abs(late)) <= 0.021
    assert np.percentile(np.abs(late), 80) <= 0.04
    control = onsets_near(stretched(audio, speed), (times + before) / speed + 0.17)  # times that are none of onsets
    assert np.median(np.abs(control)) > 0.03
