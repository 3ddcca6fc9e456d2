"""The shipped soloist and instrument classifier: they know what is played, and play as long as it is played."""

import numpy as np
import pytest

import ictus
from ictus.features import mel80
from ictus.nn.folder import shipped_folders
from ictus.sound import INSTRUMENTS
from ictus.sound.evaluation import FeatureExtractor
from ictus.sound.models.instrument_classifier import InstrumentClassifier
from ictus.sound.pipeline import Soloist, SoloistResult
from ictus.sound.pose_normalization import PoseTrack
from ictus.synthesis.players.performers import PLAYERS, perform_solo
from ictus.synthesis.players.solo import Solo


@pytest.fixture(scope="module")
def soloist() -> Soloist:
    found = ictus.load("soloist")
    assert isinstance(found, Soloist)
    return found


def filmed(instrument: str, seed: int) -> PoseTrack:
    """A player that it has never seen, with eight seconds of notes of a scale."""
    player = PLAYERS[instrument]
    lowest = max(player.lowest, 55)
    pitches = lowest + np.array([0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2, 0, 4])
    notes = np.stack([0.5 * np.arange(16), np.full(16, 0.45), pitches, np.full(16, 0.7)], 1)
    return PoseTrack.of(perform_solo(Solo(notes, 8.0), instrument, seed=seed).keypoints)


@pytest.fixture(scope="module")
def played(soloist: Soloist) -> dict[str, SoloistResult]:
    return {instrument: soloist(filmed(instrument, 900 + k)) for k, instrument in enumerate(INSTRUMENTS)}


def test_it_sees_what_is_played(played: dict[str, SoloistResult]) -> None:
    right = [instrument for instrument, one in played.items() if one.instrument == instrument]
    assert len(right) >= 5, {instrument: one.instrument for instrument, one in played.items()}


def test_it_makes_sound(played: dict[str, SoloistResult]) -> None:
    for one in played.values():
        assert abs(one.audio.duration - 8) < 0.01
        assert 0.05 < np.abs(one.audio.samples).max() < 1
        assert np.abs(mel80(one.audio)[: len(one.mel)] - one.mel).mean() < 0.06


def test_the_classifier_finds_the_instrument_that_was_asked_for(soloist: Soloist) -> None:
    extractor = FeatureExtractor.from_classifier(InstrumentClassifier.from_pretrained("instrument-classifier"))
    predicted = []
    for k, instrument in enumerate(INSTRUMENTS):
        one = soloist(filmed(instrument, 950 + k), instrument=instrument)
        predicted.append(extractor.classes[int(np.argmax(extractor.extract(one.mel)[1]))])
    right = sum(one == instrument for one, instrument in zip(predicted, INSTRUMENTS, strict=True))
    assert right >= 4, predicted


def test_what_is_shipped_stays_small() -> None:
    sizes = {str(f): f.stat().st_size for folder in shipped_folders() for f in folder.rglob("*") if f.is_file()}
    assert max(sizes.values()) <= 10_000_000
    assert sum(sizes.values()) <= 60_000_000
