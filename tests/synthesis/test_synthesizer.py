"""The small orchestra: every instrument, in time, in tune, at its strength."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ictus.errors import IctusError
from ictus.scores.score import Note, Score
from ictus.synthesis.instruments import INSTRUMENTS
from ictus.synthesis.recording_conditions import RecordingConditions
from ictus.synthesis.synthesizer import synthesize
from tiny_scores import solo

RATE = 22050
DRY = RecordingConditions(wet=0.0, looseness=0.0)


def rendered(score: Score, conditions: RecordingConditions | None = DRY, **options: Any) -> np.ndarray:
    return synthesize(score, rate=RATE, conditions=conditions, **options).samples


def envelope(samples: np.ndarray) -> np.ndarray:
    frame = RATE // 200  # 5 ms
    mono = samples.mean(0)
    return np.sqrt((mono[: len(mono) // frame * frame].reshape(-1, frame) ** 2).mean(1))


@pytest.mark.parametrize("instrument", sorted(INSTRUMENTS))
def test_every_instrument_speaks_on_the_beat(instrument: str) -> None:
    pitch = 36 if instrument in ("basses", "tuba", "timpani", "bass drum") else 60
    samples = rendered(solo(instrument, *(Note(k, 0.8, pitch + k % 3) for k in range(1, 5))))
    loud = envelope(samples)
    assert np.abs(samples).max() == pytest.approx(0.89, abs=0.01)
    for k in range(1, 5):
        before, rise = loud[k * 200 - 20 : k * 200 - 12], loud[k * 200 - 12 : k * 200 + 30]
        half = (before.mean() + rise.max()) / 2
        assert abs(int(np.argmax(rise > half)) - 12) * 5 <= 25, f"beat {k}"


def test_pitch_and_tuning() -> None:
    for cents in (0.0, 40.0):
        samples = rendered(solo("clarinet", Note(0, 4, 69)), replace(DRY, tuning=cents), span=(0.5, 3.5))
        assert samples.shape[1] == 3 * RATE
        spectrum = np.abs(np.fft.rfft(samples[0] * np.hanning(3 * RATE)))
        peak = 60 + int(np.argmax(spectrum[60:1600])) + 0.0
        assert peak / 3 == pytest.approx(440 * 2 ** (cents / 1200), abs=0.6)


def test_loud_is_louder_and_brighter() -> None:
    def centre(loud: float) -> float:
        spectrum = np.abs(np.fft.rfft(rendered(solo("violins", Note(0, 2, 60), loud=loud), None)[0]))
        return float((spectrum * np.arange(len(spectrum))).sum() / spectrum.sum())

    assert centre(1.0) > 1.2 * centre(0.2)
    notes = (Note(0, 1, 60), Note(2, 1, 60))
    swelling = replace(solo("violins", *notes), dynamics=np.array([[0, 0.2], [1.9, 0.2], [2, 0.9]]))
    loud = envelope(rendered(swelling))
    assert loud[400:600].mean() > 3 * loud[0:200].mean()


def test_a_hairpin_within_a_note() -> None:
    growing = replace(solo("horn", Note(0, 4, 55)), dynamics=np.array([[0, 0.2], [4, 0.9]]))
    loud = envelope(rendered(growing))
    assert loud[600:700].mean() > 2 * loud[60:160].mean()


def test_staccato_is_short_and_legato_runs_on() -> None:
    def silence(mark: str) -> float:
        loud = envelope(rendered(solo("oboe", *(Note(k, 1, 60, mark) for k in range(4)))))
        return float((loud[:780] < 0.05 * loud.max()).mean())

    assert silence("'") > 0.25 > 0.05 > silence("~")


def test_a_passage_is_what_the_whole_has_there() -> None:
    score = solo("harp", *(Note(q / 2, 0.5, 50 + q % 20) for q in range(24)))
    whole = rendered(score, span=(0.0, 12.0))
    part = rendered(score, span=(4.0, 9.0))
    assert part.shape == (2, 5 * RATE)
    there = whole[:, 4 * RATE : 9 * RATE]
    np.testing.assert_allclose(part / np.abs(part).max(), there / np.abs(there).max(), atol=1e-5)


def test_a_passage_is_as_long_as_asked() -> None:
    score = solo("harp", Note(0, 1, 60), Note(9, 1, 60))
    for start in np.random.default_rng(0).uniform(-1, 5, 30):
        conditions = replace(DRY, tuning=float(10 * start))
        assert rendered(score, conditions=conditions, span=(start, start + 3.0)).shape == (2, 3 * RATE)


def test_music_may_begin_after_a_silence() -> None:
    loud = envelope(rendered(solo("flute", Note(0, 2, 72)), span=(-1.0, 2.0)))
    assert loud[:190].max() < 1e-3 * loud.max()
    assert loud[200:].max() == pytest.approx(loud.max())


def test_seeds() -> None:
    score = Score.ode_to_joy()
    rng = np.random.default_rng(0)
    conditions = RecordingConditions.draw(rng)
    a, b, c = (rendered(score, seed=s, conditions=conditions, span=(0, 4.0)) for s in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).max() > 0.01


def test_recordings_differ_and_never_clip() -> None:
    score, rng = Score.ode_to_joy(), np.random.default_rng(0)
    sounds = [rendered(score, conditions=RecordingConditions.draw(rng), span=(52, 56.0)) for _ in range(8)]
    for sound in sounds:
        assert np.isfinite(sound).all()
        assert 0.3 < np.abs(sound).max() <= 1.0
    bright = [float(np.abs(np.diff(sound[0])).mean() / np.abs(sound[0]).mean()) for sound in sounds]
    assert max(bright) > 1.3 * min(bright)


def test_an_instrument_that_is_not_there() -> None:
    with pytest.raises(IctusError, match="there is no instrument 'kazoo'"):
        synthesize(solo("kazoo", Note(0, 1, 60)))
