"""Dancers: whole dances out of untrained networks, as long as the music, repeatable, and clear about bad input."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ictus import registry
from ictus.audio import Audio
from ictus.beats import Beats
from ictus.dance.frames import rest
from ictus.dance.joints import points_of
from ictus.dance.models.fact import FACT, FACTConfig
from ictus.dance.models.melody import MelodyAutoencoder
from ictus.dance.moves import moves_of
from ictus.dance.pipeline import (
    DanceNetDancer,
    DanceRevolutionDancer,
    FACTDancer,
    MelodyDancer,
    TwoStreamMotionTransformerDancer,
)
from ictus.errors import AudioError, ModelError, MotionError, UsageError
from ictus.kinematics import bone_lengths
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

BEATS = np.arange(0.2, 100, 0.5)


def find_beats(audio: Audio) -> Beats:
    beats = BEATS[audio.duration > BEATS]
    return Beats(beats, np.arange(len(beats)) % 4 + 1, 4, loudness=np.full(len(beats), 0.6))


def pulse(seconds: float) -> Audio:
    time = np.arange(round(seconds * 22050)) / 22050
    return Audio((0.5 * np.exp(-9 * ((time - 0.2) % 0.5)) * np.sin(2000 * time)).astype(np.float32)[None], 22050)


@pytest.fixture(scope="module")
def fact() -> FACT:
    torch.manual_seed(0)
    sizes = FACTConfig(219, 16, 2, 32, 1, 1, 2, relative=True, starts=("BR", "WA", "WA"))
    network = FACT(sizes)
    network.start.copy_(rest())
    network.start[:, 12:21] = torch.from_numpy(np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]).flatten()
    return network


@pytest.fixture(scope="module")
def melody() -> MelodyAutoencoder:
    torch.manual_seed(0)
    network = MelodyAutoencoder.from_config("debug")
    points = get_points()
    network.fit_scales(torch.rand(50, 16), torch.rand(50, 3) * 1500, points.flatten(1), 120)
    return network


def get_points() -> torch.Tensor:
    """A dancer who sways, melody-21, (50, 21, 3)."""
    from ictus.kinematics import forward_kinematics
    from ictus.retargeting.body_conversion import convert

    body = get_skeleton("smpl-24")
    turned = np.tile(np.eye(3, dtype=np.float32), (50, 24, 1, 1))
    root = np.column_stack([0.2 * np.sin(np.arange(50) / 8), np.full(50, 0.92), np.zeros(50)]).astype(np.float32)
    return torch.from_numpy(
        convert(Motion(forward_kinematics(body, turned, root), 25, body, turned, root), "melody-21").positions
    )


def test_a_whole_dance(fact: FACT) -> None:
    dancer, shares = FACTDancer(fact, "fact", find_beats), []
    motion = dancer(pulse(6), seed=1, progress=shares.append)
    assert (motion.skeleton.name, motion.fps, len(motion)) == ("smpl-24", 60, 361)
    lengths = bone_lengths(motion.skeleton, motion.positions)
    assert np.ptp(lengths, axis=0).max() < 1e-4
    assert motion.positions[:, [10, 11], 1].min() > 0
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert motion.meta["beats"]["times"][:2] == [0.2, 0.7]
    assert (motion.meta["model"], motion.meta["seed"], motion.meta["genre"] in ("BR", "WA")) == ("fact", 1, True)


def test_seeds_and_genres(fact: FACT) -> None:
    dancer = FACTDancer(fact, "fact", find_beats)
    a, b, c = (dancer(pulse(3), seed=seed).positions for seed in (4, 4, 5))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).max() > 0.01
    waacking = FACTDancer(fact, "fact", find_beats, genre="waack")
    assert {waacking(pulse(2.5), seed=seed).meta["genre"] for seed in range(3)} == {"WA"}
    assert dancer.genres == ["BR", "WA"]
    with pytest.raises(UsageError, match=r"no genre 'polka'; it knows BR \(break\), WA \(waack\)"):
        FACTDancer(fact, "fact", find_beats, genre="polka")
    with pytest.raises(UsageError, match="no genre 'krump'"):
        FACTDancer(fact, "fact", find_beats, genre="krump")


def test_a_seed_motion_begins_the_dance(fact: FACT) -> None:
    dancer = FACTDancer(fact, "fact", find_beats)
    begun = dancer(pulse(4), seed=2)
    motion = FACTDancer(fact, "fact", find_beats, seed_motion=begun.resample(30))(pulse(5))
    assert len(motion) == 301
    assert motion.meta["genre"] is None
    body = slice(12, 24)  # above the hips, which feet do not change
    np.testing.assert_allclose(motion.rotations[20:100, body], begun.rotations[20:100, body], atol=0.1)


def test_wrong_seed_motions(fact: FACT) -> None:
    dancer = FACTDancer(fact, "fact", find_beats)
    body = get_skeleton("conductor-13")
    with pytest.raises(MotionError, match="is conductor-13; give smpl-24"):
        FACTDancer(fact, "fact", find_beats, seed_motion=Motion(np.zeros((200, 13, 2)), 30, body))
    begun = dancer(pulse(4))
    short = Motion(begun.positions[:60], 60, begun.skeleton, begun.rotations[:60], begun.root[:60])
    with pytest.raises(MotionError, match=r"lasts 1\.00 s"):
        FACTDancer(fact, "fact", find_beats, seed_motion=short)
    with pytest.raises(MotionError, match="has 10 frames a second"):
        FACTDancer(fact, "fact", find_beats, seed_motion=begun.resample(10))
    with pytest.raises(AudioError, match=r"lasts 1\.50 s"):
        dancer(pulse(1.5))
    with pytest.raises(UsageError, match="stride 21"):
        FACTDancer(fact, "fact", find_beats, stride=21)(pulse(3))


def test_the_autoencoder_dances(melody: MelodyAutoencoder) -> None:
    dancer = MelodyDancer(melody, "melody", find_beats)
    a, b, c = (dancer(pulse(4), seed=seed) for seed in (0, 0, 1))
    assert (a.skeleton.name, a.fps) == ("smpl-24", 60)
    assert a.duration == pytest.approx(4, abs=0.1)
    np.testing.assert_array_equal(a.positions, b.positions)
    assert np.abs(a.positions - c.positions).max() > 1e-4
    assert np.ptp(bone_lengths(a.skeleton, a.positions), axis=0).max() < 1e-4


FORMS = {DanceNetDancer: moves_of, DanceRevolutionDancer: points_of, TwoStreamMotionTransformerDancer: points_of}


@pytest.fixture(scope="module", params=FORMS, ids=lambda dancer: dancer.__name__)
def baseline(request: pytest.FixtureRequest):
    """A dancer whose untrained network has seen one that sways."""
    torch.manual_seed(0)
    network = request.param.network_class.from_config("debug")
    motion = np.tile(rest().numpy(), (60, 1))
    motion[:, 0] = 0.1 * np.sin(np.arange(60) / 8)
    network.fit_scales(torch.from_numpy(FORMS[request.param](motion)), torch.randn(60, 35))
    return request.param(network, "baseline", find_beats)


def test_baselines_dance(baseline) -> None:
    shares = []
    a, b, c = (baseline(pulse(4), seed=seed, progress=shares.append) for seed in (0, 0, 1))
    assert (a.skeleton.name, a.fps) == ("smpl-24", 60)
    assert a.duration == pytest.approx(4, abs=0.1)
    np.testing.assert_array_equal(a.positions, b.positions)
    assert np.abs(a.positions - c.positions).max() > 1e-4
    assert np.ptp(bone_lengths(a.skeleton, a.positions), axis=0).max() < 1e-4
    assert shares[-1] == 1
    assert a.meta["model"] == "baseline"


def test_the_registry_knows_the_baselines(baseline, tmp_path: Path) -> None:
    baseline.network.save_pretrained(tmp_path / "folder")
    assert type(registry.dancer(tmp_path / "folder")) is type(baseline)


def test_the_registry_knows_who_dances(fact: FACT, melody: MelodyAutoencoder, tmp_path: Path) -> None:
    fact.save_pretrained(tmp_path / "fact")
    melody.save_pretrained(tmp_path / "melody")
    assert isinstance(registry.load(tmp_path / "fact"), FACTDancer)
    assert isinstance(registry.dancer(tmp_path / "melody"), MelodyDancer)
    for asked in ({"genre": "BR"}, {"stride": 2}, {"seed_motion": None}):
        with pytest.raises(UsageError, match=r"melody cannot be given a .*fact.* can"):
            registry.dancer(tmp_path / "melody", **asked)
    with pytest.raises(ModelError, match="dances, and does not conduct"):
        registry.conductor(tmp_path / "fact")
    for name in ("maestro", "plain"):
        with pytest.raises(ModelError, match="conducts, and does not dance"):
            registry.dancer(name)
