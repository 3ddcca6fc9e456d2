"""The online beat tracker: the same whatever the chunks, in time, and by the decoder's rules."""

from pathlib import Path

import mir_eval
import numpy as np
import pytest
import torch
from beat_corpus import clicks

from ictus.beats.decoding import PLACES
from ictus.beats.network import BeatNetwork
from ictus.beats.online_tracker import Measure, OnlineBeatTracker, Pulse
from ictus.errors import AudioError, ModelError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal network whose beat logit is how much louder a frame is than the last, more or less."""
    torch.manual_seed(0)
    network = BeatNetwork.from_config("debug-live").train()
    with torch.no_grad():
        for _ in range(20):
            network(2 * torch.rand(2, 200, 81))
    network.heads.bias.data.zero_()
    network.heads.weight.data.mul_(20)
    network.save_pretrained(folder := tmp_path_factory.mktemp("folder"))
    return folder


@pytest.mark.parametrize("size", [441, 300, 5000])
def test_the_chunks_do_not_matter(size: int, folder: Path) -> None:
    times = np.arange(0.3, 8, 0.5)
    samples = clicks(times, np.ones(len(times)), 8).samples[0]
    whole = OnlineBeatTracker(folder).stream(samples)
    tracker = OnlineBeatTracker(folder)
    parts = [beat for k in range(0, len(samples), size) for beat in tracker.stream(samples[k : k + size])]
    assert [(b.time, b.position, b.meter) for b in parts] == [(b.time, b.position, b.meter) for b in whole]
    assert len(whole) > 3


def test_no_beat_comes_later_than_100_ms(folder: Path) -> None:
    times = np.arange(0.3, 8, 0.5)
    samples = clicks(times, np.ones(len(times)), 8).samples[0]
    tracker = OnlineBeatTracker(folder)
    for start in range(0, len(samples), 220):
        for beat in tracker.stream(samples[start : start + 220]):
            assert 0 <= (start + 220) / 22050 - beat.time <= 0.1


def test_silence_has_no_beats(folder: Path) -> None:
    times = np.arange(0.3, 6, 0.5)
    samples = np.pad(clicks(times, np.ones(len(times)), 6).samples[0], (0, 220500))
    predicted = [beat.time for beat in OnlineBeatTracker(folder).stream(samples)]
    assert len(predicted) > 3
    assert max(predicted) < 6.6


def pulses(logits: np.ndarray) -> np.ndarray:
    pulse = Pulse()
    return np.array([frame for logit in logits.tolist() if (frame := pulse.update(logit)) is not None]) / 50


@pytest.mark.parametrize("bpm", [52, 90, 150])
def test_a_pulse_is_followed_at_once(bpm: float) -> None:
    rng = np.random.default_rng(0)
    times = np.arange(1, 30, 60 / bpm)
    logits = rng.normal(-5, 1, 1500)
    frames = np.round(times * 50).astype(int)
    logits[frames] = np.where(rng.uniform(size=len(frames)) < 0.1, -2.0, 4.0)
    assert mir_eval.beat.f_measure(times, pulses(logits)) > 0.9


def test_noise_without_a_pulse_is_left_alone() -> None:
    assert len(pulses(np.full(500, -9.0))) < 3


@pytest.mark.parametrize("meter", [None, 3])
def test_a_measure_is_found(meter: int | None) -> None:
    measure, predicted = Measure(meter), []
    for k in range(30):
        predicted.append(measure.next())
        measure.update(5.0 * (np.array(PLACES) == (3, (k - 1) % 3 + 1)).all(1))
    assert predicted[-6:] == [(3, 3), (1, 3), (2, 3)] * 2


def test_what_cannot_be_followed(folder: Path, tmp_path: Path) -> None:
    BeatNetwork.from_config("debug").save_pretrained(tmp_path / "whole")
    with pytest.raises(ModelError, match="causal"):
        OnlineBeatTracker(tmp_path / "whole")
    with pytest.raises(ModelError, match="no such folder"):
        OnlineBeatTracker(tmp_path / "none")
    tracker = OnlineBeatTracker(folder)
    with pytest.raises(AudioError, match="finite samples"):
        tracker.stream(np.zeros((2, 100), np.float32))
    with pytest.raises(AudioError, match="finite samples"):
        tracker.stream(np.full(100, np.nan, np.float32))
