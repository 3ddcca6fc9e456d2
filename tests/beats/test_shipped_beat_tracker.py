"""The shipped beat tracker on music that was held out: invented songs, and movements of the held-out works."""

from pathlib import Path

import numpy as np
import pytest
from beat_corpus import clicks

from ictus.audio import Audio
from ictus.beats.evaluation import online_predictor
from ictus.beats.tracker import BeatTracker
from ictus.conducting.metrics.ictus import f_measure, ictus_times, rolled
from ictus.conducting.pipeline import Maestro
from ictus.scores.reader import read
from ictus.synthesis.music_corpus import AnnotatedExcerpt, score_excerpt, song_excerpt
from ictus.synthesis.rendering import SynthesisOptions
from ictus.synthesis.score_collection import find_pieces


def scores(made: AnnotatedExcerpt) -> tuple[float, float, float, float]:
    """F-measures: of the predicted beats, of the hands' marks, of the downbeats, and of chance."""
    truth = made.annotation.conducted()
    predicted = BeatTracker()(made.audio).conducted()
    marks = ictus_times(Maestro()(made.audio))
    chance = np.mean([f_measure(truth.times, shifted) for shifted in rolled(predicted.times, made.audio.duration)])
    times = truth.times, truth.downbeats
    return (
        f_measure(times[0], predicted.times),
        f_measure(times[0], marks),
        f_measure(times[1], predicted.downbeats),
        float(chance),
    )


@pytest.fixture(scope="module")
def songs() -> list[AnnotatedExcerpt]:
    options = SynthesisOptions(songs=1)
    return [song_excerpt((0.0, 1.0), np.random.default_rng([77, k]), options) for k in range(4)]


@pytest.mark.slow
def test_songs(songs: list[AnnotatedExcerpt]) -> None:
    beats, hands, downbeats, chance = np.mean([scores(one) for one in songs], axis=0)
    assert beats > 0.85 > 2 * chance
    assert abs(beats - hands) < 0.04
    assert downbeats > 0.6


@pytest.mark.slow
def test_a_song_as_it_sounds(songs: list[AnnotatedExcerpt]) -> None:
    found = []
    for made in songs:
        marks = online_predictor("online-beat-tracker")(made.audio)
        found.append(f_measure(made.annotation.conducted().times, marks.beats))
        assert marks.downbeats is not None
        assert set(marks.downbeats) < set(marks.beats)
    assert np.mean(found) > 0.7


@pytest.mark.slow
def test_held_out_works(shared_data: Path) -> None:
    pieces = [piece for piece in find_pieces(shared_data / "openscore") if piece.split == "val"][1::2]
    made = [
        score_excerpt(piece, read(piece.file), (0.2, 0.8), np.random.default_rng([78, k]))
        for k, piece in enumerate(pieces)
    ]
    beats, hands, downbeats, chance = np.mean([scores(one) for one in made], axis=0)
    assert beats > 0.75 > 2 * chance
    assert abs(beats - hands) < 0.04
    assert downbeats > 0.4


def test_tones_and_noises_without_a_pulse_have_no_beats() -> None:
    time = np.arange(8 * 22050) / 22050
    for wave in (np.sin(2 * np.pi * 440 * time), np.ones(len(time)), 2 * (110 * time % 1) - 1):
        for after in (0, 22050):  # seconds of silence at the end
            assert len(BeatTracker()(Audio(np.pad(0.3 * wave, (0, after)).astype(np.float32), 22050))) == 0


def test_music_from_the_first_sample_on() -> None:
    positions = np.arange(16) % 4 + 1
    beats = BeatTracker()(clicks(np.arange(16) / 2, positions, 8.0))
    np.testing.assert_allclose(beats.times, np.arange(16) / 2, atol=0.02)
    np.testing.assert_array_equal(beats.positions, positions)
