"""Features of a sound, against what was put into it."""

import numpy as np
import pytest
from beat_corpus import clicks

from ictus.audio import Audio
from ictus.beats.sound_features import FPS, compute_sound_features, describe_beats, drop_silent
from ictus.errors import AudioError

RATE = 22050


def test_loudness_in_decibels() -> None:
    time = np.arange(4 * RATE) / RATE
    level = np.where(time < 2, 0.5, 0.05)
    features = compute_sound_features(Audio((level * np.sin(2 * np.pi * 441 * time)).astype(np.float32), RATE))
    assert features.decibels[100] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)
    assert features.decibels[300] == pytest.approx(20 * np.log10(0.05 / np.sqrt(2)), abs=0.1)
    assert len(features.decibels) == len(features.onsets) == len(features.colours)


def test_onsets_are_where_something_is_struck() -> None:
    times = np.arange(0.5, 9.5, 0.75)
    features = compute_sound_features(clicks(times, np.ones(len(times)), 10))
    strongest = np.sort(np.argsort(features.onsets.reshape(-1))[::-1][: len(times)])
    assert np.abs(strongest[:, None] / FPS - times).min(1).max() < 0.03


def test_beats_in_silence_and_outside_the_music_are_dropped() -> None:
    kept = np.concatenate([np.arange(3, 10, 0.5), np.arange(16, 25, 0.5)])
    samples = clicks(kept, np.ones(len(kept)), 30).samples.copy()
    for start, end in ((0, 2.9), (10, 15.9), (25, 30)):
        samples[0, int(start * RATE) : int(end * RATE)] = 0
    found = drop_silent(np.arange(0, 30, 0.5), compute_sound_features(Audio(samples, RATE)))
    np.testing.assert_array_equal(found[found != 10], kept)  # at 10 s the last click still rings


def test_a_beat_on_the_first_sample_is_one() -> None:
    """It has no rise that leads up to it; a network puts it a frame late."""
    kept = np.arange(0, 6, 0.5)
    struck = compute_sound_features(clicks(kept, np.ones(len(kept)), 6))
    np.testing.assert_array_equal(drop_silent(np.append(0.02, kept[1:]), struck), kept)
    later = compute_sound_features(clicks(kept[1:], np.ones(len(kept) - 1), 6))
    np.testing.assert_array_equal(drop_silent(np.append(0.02, kept[1:]), later), kept[1:])


def test_single_events_are_no_beats() -> None:
    """A network marks where a tone begins or stops; none of these marks follows another as beats do."""
    time = np.arange(10 * RATE) / RATE
    features = compute_sound_features(Audio((0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), RATE))
    for times in ([9.98], [0.02, 9.98], [1.0, 4.0, 8.0]):
        beats = describe_beats(found := drop_silent(np.array(times), features), np.zeros(0, int), 4, features, 10.0)
        assert len(found) == len(beats) == 0
        assert (beats.duration, beats.tempo) == (10.0, 0.0)


def test_beats_are_described() -> None:
    times = np.arange(1, 19, 0.5)
    samples = clicks(times, np.where(np.arange(len(times)) % 4 == 0, 2, 3), 20).samples.copy()
    samples[0, : 10 * RATE] *= 0.2
    features = compute_sound_features(Audio(samples, RATE))
    beats = describe_beats(times, np.arange(len(times)) % 4 + 1, 4, features, 20.0)
    assert beats.loudness[:14].max() < beats.loudness[-14:].min() - 0.2
    assert beats.articulation[:-5].min() > 0.8, "clicks are as short as can be"
    assert beats.duration == 20


def test_too_short_or_silent() -> None:
    with pytest.raises(AudioError, match=r"0\.50 s"):
        compute_sound_features(Audio(np.ones((1, RATE // 2), np.float32), RATE))
    with pytest.raises(AudioError, match="silent"):
        compute_sound_features(Audio(np.zeros((1, 2 * RATE), np.float32), RATE))
