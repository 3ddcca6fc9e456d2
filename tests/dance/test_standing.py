"""Dancers stay on their feet, whatever a network does to them; what stands already is left alone."""

import logging
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from prepared_dances import write_aist
from scipy.ndimage import minimum_filter1d
from scipy.spatial.transform import Rotation
from torch import Tensor

from ictus.audio import Audio
from ictus.beats import Beats
from ictus.dance.data.dataset import frames_of
from ictus.dance.data.repertoire import read_clip
from ictus.dance.frames import rest
from ictus.dance.models.fact import FACT, FACTConfig
from ictus.dance.pipeline import FACTDancer
from ictus.dance.quaternions import to_motion
from ictus.dance.standing import StandingRange, kept_standing
from ictus.dance.tasks.fact import FACTTask, FACTTaskConfig
from ictus.motion import Motion

SMALL = FACTConfig(219, 16, 2, 32, 1, 1, 2, relative=True)
STANDS = StandingRange()
MUSIC = Audio(np.sin(np.arange(6 * 22050) / 20).astype(np.float32)[None], 22050)
PELVIS, HIPS, KNEES = [0], [1, 2], [4, 5]


class Drifter(FACT):
    """A network that goes on from the last frame, further and further: joints turn about x, and the pelvis rises."""

    turning: tuple[list[int], float] = ([], 0.0)  # joints, radians a frame
    rising = 0.0  # metres a frame
    jumping = 0.0  # deviation of noise in place of frames

    def decode(self, motion: Tensor, audio_tokens: Tensor, tokens: slice) -> Tensor:
        frames = motion[:, -1:].repeat(1, tokens.stop - tokens.start, 1)
        joints, angle = self.turning
        for k in range(frames.shape[1]):
            turn = torch.from_numpy(Rotation.from_euler("x", (k + 1) * angle).as_matrix()).float()
            frames[:, k, 1] += (k + 1) * self.rising
            for joint in joints:
                row = slice(3 + 9 * joint, 12 + 9 * joint)
                frames[:, k, row] = (turn @ frames[:, k, row].view(-1, 3, 3)).flatten(1)
        return frames + self.jumping * torch.randn_like(frames)


def dancer(**habits: object) -> FACTDancer:
    network = Drifter(SMALL)
    for name, value in habits.items():
        setattr(network, name, value)
    steady = Beats(np.arange(0.2, 6, 0.5), np.arange(12) % 4 + 1, 4)
    return FACTDancer(network, "drifter", lambda audio: steady)


def lost(motion: Motion) -> int:
    """Frames that a viewer would call fallen, curled up, floating or sunk in."""
    wide = replace(STANDS, lowest=0.6, highest=1.0, tilt=35.0, balance=0.36)  # cleaning feet moves legs a little
    foot = motion.positions[:, [7, 8, 10, 11], 1].min(1)
    floats = (foot > STANDS.lift + 0.05) | (minimum_filter1d(foot, 120) > STANDS.hover + 0.05)
    return int((~wide.holds(torch.from_numpy(frames_of(motion))).numpy() | floats | (foot < -0.05)).sum())


@pytest.mark.parametrize(
    ("habits", "falls"),
    [
        ({"rising": 0.02}, False),
        ({"rising": -0.02}, False),
        ({"turning": (PELVIS, 0.02)}, True),
        ({"turning": (HIPS, -0.03)}, True),
        ({"turning": (KNEES, 0.1), "rising": 0.01}, True),
        ({"turning": (PELVIS, 0.5)}, True),  # at once, from any pose
        ({"jumping": 1.0}, True),
    ],
)
def test_a_drifting_network_stays_on_its_feet(
    habits: dict, falls: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    with caplog.at_level(logging.WARNING):
        motion = dancer(**habits)(MUSIC)
    assert lost(motion) == 0
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == falls, "a dance that fell says so once"
    assert not falls or said[0].startswith("drifter: the body would no longer have stood, ")
    monkeypatch.setattr("ictus.dance.standing.StandingGuard.watch", lambda guard, window, frames, *_: (window, frames))
    assert falls <= (lost(dancer(**habits)(MUSIC)) > 60), "without the guard it does not"


def test_a_dance_begins_anew_and_goes_on() -> None:
    """It falls every second or so, and is turning again right after; it does not stop where it fell."""
    motion = dancer(turning=(PELVIS, 0.008))(MUSIC)
    tilt = np.degrees(Rotation.from_matrix(motion.rotations[60:, 0]).magnitude())
    assert tilt.min() < 15 < 20 < tilt.max() < 33
    assert np.abs(np.diff(tilt)).mean() > 0.2


def test_what_stands_is_left_alone(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    swaying = dancer(turning=([16, 17], 0.02))  # shoulders
    motion = swaying(MUSIC)
    assert not caplog.records
    monkeypatch.setattr("ictus.dance.standing.StandingGuard.watch", lambda guard, window, frames, *_: (window, frames))
    np.testing.assert_allclose(swaying(MUSIC).positions, motion.positions, atol=1e-5)


def standing_up(lies: slice) -> Motion:
    """One who raises an arm, and lies for some of the 90 frames."""
    turned = np.zeros((90, 24, 3))
    turned[lies, 0] = (np.pi / 2, 0, 0)
    turned[60:, 16] = (0, 0, 1.0)
    quaternions = Rotation.from_rotvec(turned.reshape(-1, 3)).as_quat().reshape(90, 24, 4)
    return to_motion(quaternions, np.tile(rest()[:3].double().numpy(), (90, 1)))


@pytest.mark.parametrize(("lies", "number"), [(slice(30, 60), 30), (slice(90), 90), (slice(0), 0)])
def test_what_lies_is_bridged(lies: slice, number: int) -> None:
    motion, fallen = kept_standing(standing_up(lies), STANDS)
    assert (fallen, lost(motion)) == (number, 0)
    if number == 30:  # between two stands
        arm = Rotation.from_matrix(motion.rotations[:, 16]).magnitude()
        np.testing.assert_allclose(arm[[0, 29, 60, 89]], [0, 0, 1, 1], atol=1e-4)
        assert (np.diff(arm[29:61]) > 0).all()


def test_the_limits_are_those_of_real_dances(shared_data: Path) -> None:
    """And none of these would ever have been stopped."""
    files = sorted((shared_data / "aist" / "test_dances_30fps").glob("*.npz"))
    if not files:
        pytest.skip("needs the real dances (../shared/data/aist/test_dances_30fps)")
    clips = [read_clip(file) for file in files]
    dances = [frames_of(to_motion(clip.quaternions, clip.root)) for clip in clips]
    learned = StandingRange.of(dances)
    assert learned.tilt == pytest.approx(STANDS.tilt, abs=1)
    assert asdict(replace(learned, tilt=STANDS.tilt)) == pytest.approx(asdict(STANDS), abs=0.01)
    assert all(STANDS.holds(torch.from_numpy(frames)).all() for frames in dances)


def test_a_network_keeps_the_limits_of_its_training_set(tmp_path: Path) -> None:
    task = FACTTask(FACTTaskConfig(size="debug"), write_aist(tmp_path / "dances"))  # who bend a knee, and never tilt
    task.network.save_pretrained(tmp_path / "model")
    limits = FACT.from_pretrained(tmp_path / "model").config.standing
    assert (limits.tilt, limits.balance) == (5.0, pytest.approx(0.12, abs=0.02))  # toes point forwards
    assert limits.holds(torch.from_numpy(task.samples.dances[0].read("motion"))).all()
    tipped = rest().clone()
    tipped[3:12] = torch.from_numpy(Rotation.from_euler("x", 0.2).as_matrix()).flatten()
    assert not limits.holds(tipped)
    assert STANDS.holds(tipped)
