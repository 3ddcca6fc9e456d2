"""Dances as places of joints: there and back, at slower rates."""

import numpy as np
import pytest
from prepared_dances import write_aist

from ictus.dance.data.dataset import motion_of
from ictus.dance.data.slower_windows import SlowerWindows
from ictus.dance.joints import frames_in_one, motion_of_points, points_of, points_on_stage, slower
from ictus.errors import UsageError
from ictus.retargeting.pose_fitting import posed_joints
from tolerance import close


def test_there_and_back(tmp_path) -> None:
    frames = np.load(write_aist(tmp_path) / "train" / "dance0" / "motion.npy")
    points = points_of(frames)
    assert points.shape == (len(frames), 72)
    assert points[:, :3] == pytest.approx(frames[:, :3])
    back = posed_joints(motion_of_points(points, 60))
    assert back.positions == pytest.approx(motion_of(frames).positions, abs=1e-5)


def test_a_slower_rate_keeps_onsets_and_beats() -> None:
    assert [frames_in_one(rate) for rate in (60, 20, 15)] == [1, 3, 4]
    with pytest.raises(UsageError, match="rate is 25"):
        frames_in_one(25)
    audio = np.arange(10 * 35, dtype=np.float32).reshape(10, 35)
    audio[:, 33:] = 0
    audio[5, 33], audio[9, 34] = 1, 1
    joined = slower(audio, 4)
    assert joined.shape == (3, 35)
    assert joined[0, :33] == pytest.approx(audio[:4, :33].mean(0))
    assert joined[2, :33] == pytest.approx(audio[[8, 9, 9, 9], :33].mean(0))
    assert joined[:, 33:].tolist() == [[0, 0], [1, 0], [0, 1]]
    assert np.array_equal(slower(audio, 1), audio)


def test_windows_begin_in_the_middle_of_the_stage(tmp_path) -> None:
    root = write_aist(tmp_path, frames=420)
    windows = SlowerWindows(root, "train", points_on_stage, rate=15, frames=60, hop=30)
    assert len(windows) == 4 * 2
    window = windows[1]
    assert window["name"] == "train/dance0@120"
    assert (window["motion"].shape, window["audio"].shape) == ((60, 72), (60, 35))
    frames = np.load(root / "train" / "dance0" / "motion.npy")
    places = motion_of(frames).positions[120:360:4]
    found = motion_of_points(window["motion"], 15).positions
    close(found, places - places[0, 0] * (1, 0, 1), layers=24)
    motion, audio = windows.all_frames()
    assert (motion.shape, audio.shape) == ((4 * 60, 72), (4 * 60, 35))
