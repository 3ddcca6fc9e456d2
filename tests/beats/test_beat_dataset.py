"""Music whose beats are known, as the beat network gets it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from beat_corpus import write_recording

from ictus.audio import Audio
from ictus.beats.annotation import BeatAnnotation
from ictus.beats.augmentation import Augmentation
from ictus.beats.dataset import AnnotatedRecording, BeatDataset, beat_targets, place_targets
from ictus.beats.decoding import PLACES
from ictus.errors import IctusError, UsageError
from ictus.features import mel81


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for number, (bpm, meter) in enumerate([(100, 3), (120, 4)]):
        write_recording(tmp_path / "train" / str(number), bpm, meter)
    return tmp_path


def test_a_window_and_its_beats(corpus: Path) -> None:
    samples = BeatDataset(corpus, "train", seconds=10)
    assert len(samples) == 2
    item = samples[1]
    assert (item["mel"].shape, item["beats"].shape, item["name"]) == ((500, 81), (500, 2), "train/1@0.0")
    assert item["mel"].dtype == item["beats"].dtype == np.float32
    np.testing.assert_array_equal(np.flatnonzero(item["beats"][:, 0]), np.arange(20, 500, 25))
    np.testing.assert_array_equal(np.flatnonzero(item["beats"][:, 1]), np.arange(20, 500, 100))
    rise = np.diff(item["mel"].sum(1), prepend=0)
    assert all(rise[f - 1 : f + 2].max() > 20 for f in np.arange(20, 495, 25)), "sound and beats fall together"


def test_the_places_of_beats_in_their_bars(corpus: Path) -> None:
    places = BeatDataset(corpus, "train", seconds=10)[0]["places"]  # three in a bar, a beat every 30 frames from 20 on
    assert [PLACES[places[frame]] for frame in (20, 50, 80, 110)] == [(3, 1), (3, 2), (3, 3), (3, 1)]
    assert places[17:24].tolist() == [-1, *[PLACES.index((3, 1))] * 5, -1]


def waltz(bpm: float) -> BeatAnnotation:
    times = 0.4 + np.arange(60) * 60 / bpm
    ones = {name: np.ones(60) for name in ("tempo", "loudness", "articulation", "accents")}
    counts = {"positions": np.arange(60) % 3 + 1, "meters": np.full(60, 3), "divisions": np.full(60, 2)}
    return BeatAnnotation(times=times, **counts, **ones, entries=np.zeros(0), duration=times[-1] + 1)


def test_a_fast_waltz_is_counted_in_three_and_conducted_in_one(corpus: Path) -> None:
    truth = waltz(180)
    assert (truth.counted().meter, truth.conducted().meter) == (3, 1)
    assert (waltz(240).counted().meter, waltz(240).conducted().meter) == (1, 1)
    recording = replace(AnnotatedRecording.open(corpus / "train" / "0"), notated=truth)
    times, positions, meters = recording.beats_in(1.0, 1.0, "counted")
    np.testing.assert_allclose(times, truth.times - 1)
    assert (set(meters.tolist()), positions.max()) == ({3}, 3)
    times, positions, meters = recording.beats_in(1.0, 1.0, "conducted")
    np.testing.assert_allclose(times, truth.times[::3] - 1)
    assert (set(meters.tolist()), set(positions.tolist())) == ({1}, {1})


def test_at_another_pace_other_beats_may_be_taken(corpus: Path) -> None:
    recording = replace(AnnotatedRecording.open(corpus / "train" / "0"), notated=waltz(200))
    times, positions, meters = recording.beats_in(1.0, 1.1, "counted")  # 220 beats a minute: in one
    np.testing.assert_allclose(times, (waltz(200).times[::3] - 1) / 1.1)
    assert (set(meters.tolist()), set(positions.tolist())) == ({1}, {1})


def test_bars_may_change(corpus: Path) -> None:
    truth = waltz(100)
    positions = np.array([*[1, 2, 3] * 8, *[1, 2, 3, 4] * 9])
    changing = replace(truth, positions=positions, meters=np.repeat([3, 4], [24, 36]))
    shown = changing.conducted()
    np.testing.assert_array_equal(shown.meters, changing.meters)
    times, places, meters = replace(AnnotatedRecording.open(corpus / "train" / "0"), notated=changing).beats_in(
        0.0, 1.0, "counted"
    )
    targets = place_targets(times, places, meters, 2000)
    frames = np.round(changing.times * 50).astype(int)
    assert [PLACES[k] for k in targets[frames]] == list(zip(changing.meters, positions, strict=True))


def test_each_epoch_hears_other_recordings(corpus: Path) -> None:
    folder = corpus / "train" / "1"
    mel = AnnotatedRecording.open(folder).mel()
    loud = (np.stack([np.full_like(mel, 7), np.full_like(mel, 9)])).astype(np.float16)
    np.save(folder / "recordings.npy", loud)
    still = Augmentation(pace=0, bands=0, gain=0, colour=0, noise=0, masks=0)
    samples = BeatDataset(corpus, "train", seconds=10, augmentation=still)
    torch.manual_seed(0)
    heard = {round(float(np.median(samples[1]["mel"])), 1) for _ in range(24)}
    assert len(heard) == 3
    np.testing.assert_array_equal(
        BeatDataset(corpus, "train", seconds=10)[1]["mel"], mel[:500].astype(np.float32)
    )  # what is not augmented is the music itself


def test_beats_follow_the_augmentation(corpus: Path) -> None:
    samples = BeatDataset(
        corpus, "train", seconds=10, augmentation=Augmentation(pace=0.3, noise=0, masks=0, gain=0, colour=0)
    )
    torch.manual_seed(0)
    for _ in range(8):
        item = samples[1]
        rise = np.diff(item["mel"].sum(1), prepend=0)
        frames = np.flatnonzero(item["beats"][5:-5, 0]) + 5
        near = np.stack([rise[frames + k] for k in (-1, 0, 1)]).max(0)
        assert np.median(near) > 0.5 * np.sort(rise)[-len(frames) :].mean()
    torch.manual_seed(0)
    np.testing.assert_array_equal(samples[0]["mel"], (torch.manual_seed(0), samples[0]["mel"])[1])


def test_a_short_piece_ends_in_silence(corpus: Path) -> None:
    item = BeatDataset(corpus, "train", seconds=30)[0]
    assert len(item["mel"]) == 1500
    assert item["mel"][1010:].max() == 0


def test_what_is_heard_is_kept_until_the_music_changes(corpus: Path) -> None:
    recording = AnnotatedRecording.open(corpus / "train" / "0")
    mel = recording.mel()
    kept = corpus / "train" / "0" / "mel81.npy"
    assert kept.is_file()
    assert (recording.meter, recording.group, recording.name) == (3, "pop", "train/0")
    np.testing.assert_allclose(mel, mel81(Audio.load(corpus / "train/0/music.flac")), atol=0.01)
    stamp = kept.stat().st_mtime_ns
    recording.mel()
    assert kept.stat().st_mtime_ns == stamp
    Audio(np.zeros((1, 22050), np.float32), 22050).save(corpus / "train" / "0" / "music.flac")
    os.utime(corpus / "train/0/music.flac", ns=(stamp + 10**9, stamp + 10**9))
    assert len(recording.mel()) == 51


def test_a_corpus_that_cannot_be_written_to(corpus: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    mel = AnnotatedRecording.open(corpus / "train" / "0").mel()
    assert len(mel) == 1001
    assert not (corpus / "train" / "0" / "mel81.npy").exists()
    assert len(list((tmp_path / "cache" / "ictus").iterdir())) == 1
    assert len(AnnotatedRecording.open(corpus / "train" / "0").mel()) == 1001


def test_beats_outside_the_window_are_left_out() -> None:
    beats = beat_targets(np.array([-0.1, 0.0, 0.5, 1.99, 2.0]), np.array([1, 1, 2, 1, 1]), 100)
    assert np.flatnonzero(beats[:, 0]).tolist() == [0, 25]
    assert np.flatnonzero(beats[:, 1]).tolist() == [0]


def test_what_is_broken_is_named(corpus: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        BeatDataset(corpus, "val")
    (corpus / "train" / "0" / "music.flac").unlink()
    (corpus / "train" / "1" / "beats.npz").write_bytes(b"no archive")
    with pytest.raises(UsageError, match=r"music\.flac.*1 more"):
        BeatDataset(corpus, "train")
    with pytest.raises(IctusError, match=r"beats\.npz: is no NumPy archive"):
        AnnotatedRecording.open(corpus / "train" / "1")


def test_beats_that_go_back_in_time_are_refused(corpus: Path) -> None:
    file = corpus / "train" / "0" / "beats.npz"
    shown = {"conducted_times": [1.0, 0.5], "conducted_positions": [1, 2], "conducted_meter": 2}
    np.savez(file, **shown, about=np.array(json.dumps({})))
    with pytest.raises(IctusError, match="increasing"):
        AnnotatedRecording.open(file.parent)
