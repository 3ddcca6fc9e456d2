"""What every feature of sound promises."""

import re

import numpy as np
import pytest
from registered import features, line, lines, one_line

from ictus.audio import Audio
from ictus.errors import AudioError, IctusError

WHERE = "COLUMNS in tests/contract/test_contract_features.py"
COLUMNS = {"mel80": 80, "mel81": 81, "mel128": 128, "melody16": 16, "rhythm35": 35}

FEATURES = features()
SECONDS = 3.0


def clicks(rate: int = 22050, seconds: float = SECONDS) -> Audio:
    """A soft chord with a click twice a second."""
    time = np.arange(round(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 277, 330))
    sound = 0.1 * chord * np.exp(-8 * (time % 0.5))
    return Audio(sound.astype(np.float32), rate)


def test_every_feature_is_under_contract() -> None:
    lines(COLUMNS, FEATURES, WHERE)


@pytest.mark.parametrize("name", FEATURES)
def test_frames_come_at_the_frame_rate(name: str) -> None:
    feature = FEATURES[name]
    frames = feature(clicks())
    assert feature.frame_rate > 0
    assert frames.dtype == np.float32
    assert frames.shape[1:] == (line(COLUMNS, name, WHERE),)
    assert abs(len(frames) - SECONDS * feature.frame_rate) <= 1
    assert np.isfinite(frames).all()
    assert np.ptp(frames, axis=0).any()


@pytest.mark.parametrize("name", FEATURES)
def test_channels_and_rates_are_heard_alike_and_calls_repeat(name: str) -> None:
    feature, sound = FEATURES[name], clicks()
    frames = feature(sound)
    np.testing.assert_array_equal(feature(sound), frames)
    np.testing.assert_array_equal(feature(Audio(np.repeat(sound.samples, 2, 0), sound.rate)), frames)
    assert abs(len(feature(clicks(rate=44100))) - len(frames)) <= 1


@pytest.mark.filterwarnings("ignore:Trying to estimate tuning")  # librosa, of silence
@pytest.mark.parametrize("name", FEATURES)
def test_silence_is_finite(name: str) -> None:
    frames = FEATURES[name](Audio(np.zeros((1, round(SECONDS * 22050)), np.float32), 22050))
    assert abs(len(frames) - SECONDS * FEATURES[name].frame_rate) <= 1
    assert np.isfinite(frames).all()


@pytest.mark.parametrize("name", FEATURES)
def test_no_sound_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(IctusError) as refusal:
        FEATURES[name](Audio(np.zeros((1, 0), np.float32), 22050))
    assert one_line(refusal)


def test_sound_that_is_not_finite_never_reaches_a_feature() -> None:
    for value in (np.nan, np.inf):
        samples = clicks().samples.copy()
        samples[0, 100] = value
        with pytest.raises(AudioError) as refusal:
            Audio(samples, 22050)
        assert "not numbers" in one_line(refusal)


@pytest.mark.parametrize("name", FEATURES)
def test_docstrings_tell_shape_rate_and_source(name: str) -> None:
    said = type(FEATURES[name]).__doc__ or ""
    assert f"(T, {line(COLUMNS, name, WHERE)})" in said, f'{name}: its docstring must give its shape, "float32 (T, F)"'
    assert re.search(r"frames a second|times a second", said), f"{name}: its docstring must give its frame rate"
    assert re.search(r"Sources?:", said), f'{name}: its docstring must name its "Source: ..."'
