"""A soloist plays what a camera saw: as long as the performance, silent where no hand is seen, by what it is given."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.errors import ModelError, MotionError, UsageError
from ictus.sound import INSTRUMENTS
from ictus.sound.models.soloist import RAW_KEYPOINTS, SoloistConfig, SoloistTransformer
from ictus.sound.pipeline import Soloist
from ictus.sound.pose_normalization import WRISTS, PoseTrack
from ictus.sound.sampling import Sampling
from sound.small_soloist import save_soloist


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A soloist that has learnt nothing, but listens: its weights are far from zero."""
    root = tmp_path_factory.mktemp("soloist")
    torch.manual_seed(0)
    small: SoloistConfig = SoloistTransformer.sizes["debug"]
    network = SoloistTransformer(replace(small, keypoints=RAW_KEYPOINTS, alignment="joined", moments=3))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    assert network.projection is not None
    with torch.no_grad():
        network.projection.weight[:, network.parts["instrument"]] *= 50  # one number beside so many
    return save_soloist(root, network)


def player(seconds: float = 4.0, fps: float = 25.0, seed: int = 0) -> PoseTrack:
    random = np.random.default_rng(seed)
    frames = round(seconds * fps)
    rest = random.uniform(100, 500, (47, 2))
    sway = 20 * np.sin(np.arange(frames) / fps * 7)[:, None, None] * random.normal(size=(47, 2))
    return PoseTrack(rest + sway, np.full((frames, 47), 0.9), fps)


def test_sound_is_as_long_as_the_performance_at_any_frame_rate(folder: Path) -> None:
    soloist = Soloist.from_folder(folder)
    for seconds, fps in ((0.5, 25.0), (3.2, 29.97), (12.0, 10.0)):
        track = player(seconds, fps)
        played = soloist(track)
        assert played.audio.rate == 22050
        assert abs(played.audio.duration - track.duration) < 1e-4
        assert np.isfinite(played.audio.samples).all()
        assert np.abs(played.audio.samples).max() < 1
        assert abs(len(played.mel) - track.duration * 86.13) <= 1


def test_the_seed_the_movement_and_the_instrument_decide(folder: Path) -> None:
    soloist = Soloist.from_folder(folder)
    first = soloist(player(), instrument="horn", seed=3)
    again = soloist(player(), instrument="horn", seed=3)
    np.testing.assert_array_equal(first.audio.samples, again.audio.samples)
    for other in (
        soloist(player(), instrument="horn", seed=4),
        soloist(player(seed=1), instrument="horn", seed=3),
        soloist(player(), instrument="cello", seed=3),
    ):
        assert not np.array_equal(first.mel, other.mel)
    coolest = Sampling(temperature=0)
    one, two = (soloist(player(), seed=seed, sampling=coolest) for seed in (1, 2))
    np.testing.assert_array_equal(one.mel, two.mel)


def test_the_instrument_is_what_the_movement_looks_like(folder: Path) -> None:
    soloist = Soloist.from_folder(folder)
    assert soloist.encoder is not None
    with torch.no_grad():
        soloist.encoder.head.weight.zero_()
        bias = soloist.encoder.head.bias
        assert bias is not None
        bias.copy_(torch.tensor([0.0, 0, 0, 2, 0, 0]))
    played = soloist(player(1))
    assert played.instrument == INSTRUMENTS[3]
    assert sum(played.probabilities.values()) == pytest.approx(1)
    assert max(played.probabilities, key=played.probabilities.__getitem__) == "flute"
    assert soloist(player(1), instrument="cello").instrument == "cello"


def test_without_an_encoder_nobody_knows_the_instrument(folder: Path) -> None:
    whole = Soloist.from_folder(folder)
    played = Soloist(whole.network, whole.codebook)(player(1))
    assert played.instrument is None
    assert not played.probabilities


def test_where_no_hand_is_seen_there_is_silence_and_it_is_said(folder: Path) -> None:
    track = player(4)
    hidden = track.confidence.copy()
    hidden[25:75, WRISTS] = 0  # second 1 to 3
    hidden[85:88, WRISTS] = 0  # too short to matter
    played = Soloist.from_folder(folder)(replace(track, confidence=hidden))
    np.testing.assert_allclose(played.silent, [[1, 3]])
    samples = played.audio.samples[0]
    assert not samples[int(1.05 * 22050) : int(2.95 * 22050)].any()
    assert np.abs(samples[: int(0.9 * 22050)]).max() > 0
    assert np.abs(samples[int(3.1 * 22050) :]).max() > 0
    edges = [int(second * 22050) for second in (1, 3)]
    assert all(np.abs(samples[edge - 3 : edge + 3]).max() < 0.999 for edge in edges)
    inside = [
        np.abs(samples[slice(*ends)]).max() for ends in ((22050 + 600, 22050 + 650), (3 * 22050 - 650, 3 * 22050 - 600))
    ]
    assert max(inside) < 0.2  # it fades, and does not click
    assert played.filled > 0
    assert played.guessed > 0


def test_progress_runs_to_the_end(folder: Path) -> None:
    seen: list[float] = []
    Soloist.from_folder(folder)(player(1), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_what_cannot_be_played(folder: Path, tmp_path: Path) -> None:
    soloist = Soloist.from_folder(folder)
    with pytest.raises(UsageError, match="'kazoo' is no instrument"):
        soloist(player(1), instrument="kazoo")
    with pytest.raises(MotionError, match="no point is ever seen"):
        soloist(replace(player(1), confidence=np.zeros((25, 47))))
    pictures = SoloistTransformer(replace(soloist.network.config, conditions=("rgb",)))
    with pytest.raises(UsageError, match="needs rgb of"):
        Soloist(pictures, soloist.codebook)(player(1))
    SoloistTransformer.from_config("debug").save_pretrained(tmp_path / "alone", {"art": "sound"})
    soloist.codebook.save_pretrained(tmp_path / "alone" / "codebook")
    with pytest.raises(ModelError, match="no encoder/"):
        Soloist.from_folder(tmp_path / "alone")
    with pytest.raises(ModelError):
        Soloist.from_folder(tmp_path / "nowhere")
