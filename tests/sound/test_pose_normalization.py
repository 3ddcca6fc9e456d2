"""Gaps, rates, and a place and size that the camera does not decide."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ictus.errors import MotionError
from ictus.sound.models.keypoint_encoder import normalised_points
from ictus.sound.pose_normalization import (
    BODY,
    FOUND_CONFIDENCE,
    WRISTS,
    PoseTrack,
    fill_gaps,
    mirror_track,
    resample_track,
)
from tolerance import close

RIGHT, LEFT = BODY.index("right_shoulder"), BODY.index("left_shoulder")
ELBOW, WRIST, TIP = BODY.index("left_elbow"), BODY.index("left_wrist"), BODY.index("left_index_4")


def swaying(frames: int = 100, fps: float = 25.0, seed: int = 0) -> PoseTrack:
    """A player whose every joint moves along slow waves, all seen."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(200, 600, (1, 47, 2))
    places[0, :7] = [(400, 300), (300, 300), (280, 400), (350, 450), (500, 310), (520, 400), (460, 440)]
    times = np.arange(frames)[:, None, None] / fps
    waves = 30 * np.sin(rng.uniform(0.5, 2, (1, 47, 2)) * times + rng.uniform(0, 6, (1, 47, 2)))
    sure = rng.uniform(0.5, 1, (frames, 47))
    return PoseTrack((places + waves).astype(np.float32), sure.astype(np.float32), fps)


def hidden(track: PoseTrack, *gaps: tuple[int, int, int]) -> PoseTrack:
    """Lose joints: (joint, first frame, frame after the last)."""
    points = track.points.copy()
    for joint, first, last in gaps:
        points[first:last, joint] = 0
    return PoseTrack.of(points, track.fps)


def normalised(points: np.ndarray) -> np.ndarray:
    """(T, 47, 3) -> the same, as the networks take it; and normalising it again changes nothing."""
    batch = torch.from_numpy(points)[None]
    once = normalised_points(batch)
    close(normalised_points(once), once, layers=8)
    return once[0].numpy()


def test_what_is_seen_stays_and_short_gaps_are_filled() -> None:
    track = swaying()
    whole = fill_gaps(hidden(track, (TIP, 20, 30), (WRIST, 60, 64)), limit=0.4)
    gap = np.zeros((100, 47), bool)
    gap[20:30, TIP] = gap[60:64, WRIST] = True
    np.testing.assert_array_equal(whole.track.points[~gap], track.points[~gap])
    assert (whole.track.confidence[gap] == np.float32(FOUND_CONFIDENCE)).all()
    assert (whole.filled, whole.guessed) == (pytest.approx(14 / 4700), 0)
    assert not len(whole.silent)
    again = fill_gaps(whole.track)
    np.testing.assert_allclose(again.track.points, whole.track.points, atol=1e-3)


def test_a_gap_is_filled_relative_to_the_joint_above() -> None:
    """A hand that is carried along while it is not seen keeps its shape."""
    places = np.random.default_rng(0).uniform(0, 300, (1, 47, 2)) + np.arange(50.0)[:, None, None] ** 2
    track = PoseTrack(places, np.ones((50, 47)), 25.0)
    whole = fill_gaps(hidden(track, *((joint, 20, 30) for joint in range(27, 47))), limit=0.4)
    np.testing.assert_allclose(whole.track.positions, track.positions, atol=1e-2)


def test_the_ends_keep_the_next_sight_and_what_is_never_seen_lies_above() -> None:
    track = swaying(30)
    whole = fill_gaps(hidden(track, (0, 0, 4), (0, 27, 30), (TIP, 0, 30))).track
    np.testing.assert_array_equal(whole.positions[:4, 0], np.repeat(track.positions[4:5, 0], 4, 0))
    np.testing.assert_array_equal(whole.positions[27:, 0], np.repeat(track.positions[26:27, 0], 3, 0))
    np.testing.assert_array_equal(whole.positions[:, TIP], whole.positions[:, BODY.index("left_index_3")])
    assert not whole.confidence[:, TIP].any()


def test_long_gaps_are_reported() -> None:
    right, left = WRISTS
    found = fill_gaps(hidden(swaying(), (right, 10, 70), (left, 30, 60), (left, 90, 95)), limit=0.4)
    np.testing.assert_allclose(found.silent, [[1.2, 2.4]])  # neither wrist in frames 30 to 59
    assert found.guessed == pytest.approx(90 / 4700)
    assert not found.track.confidence[10:70, right].any()
    assert np.isfinite(found.track.positions).all()
    assert not len(fill_gaps(hidden(swaying(), (right, 10, 20), (left, 10, 20)), limit=0.4).silent)
    with pytest.raises(MotionError, match="no point is ever seen"):
        fill_gaps(PoseTrack(np.zeros((3, 47, 2)), np.full((3, 47), FOUND_CONFIDENCE), 25.0))


def test_a_player_whose_neck_is_never_seen() -> None:
    track = swaying(20)
    whole = fill_gaps(hidden(track, (0, 0, 20))).track
    assert whole.positions[:, 0].min() > 200
    np.testing.assert_array_equal(whole.points[:, 1:], track.points[:, 1:])


@pytest.mark.parametrize("fps", [12.5, 24.0, 29.97, 30.0, 60.0])
def test_resampling_keeps_the_time(fps: float) -> None:
    track = swaying(round(4 * fps), fps)
    at_25 = resample_track(track)
    assert at_25.fps == 25
    assert at_25.duration == pytest.approx(track.duration, abs=0.04)
    expected = swaying(len(at_25), 25.0)
    inside = slice(0, int((len(track) - 1) / fps * 25))
    np.testing.assert_allclose(at_25.positions[inside], expected.positions[inside], atol=0.5)
    np.testing.assert_array_equal(at_25.positions[0], track.positions[0])
    assert resample_track(at_25) is at_25


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    x=st.floats(-2000, 2000),
    y=st.floats(-2000, 2000),
    zoom=st.floats(0.1, 10),
    seed=st.integers(0, 9),
)
def test_the_camera_does_not_leak(x: float, y: float, zoom: float, seed: int) -> None:
    track = hidden(swaying(40, seed=seed), (TIP, 0, 40), (RIGHT, 5, 9), (WRIST, 3, 30))
    places = np.where(track.confidence[..., None] > 0, zoom * track.positions + np.float32([x, y]), 0)
    elsewhere = PoseTrack(places.astype(np.float32), track.confidence, 25.0)
    before, after = normalised(track.points), normalised(elsewhere.points)
    np.testing.assert_allclose(after, before, atol=5e-3)
    np.testing.assert_array_equal(before[..., 2], track.confidence)


def test_the_player_stands_in_the_middle_a_shoulder_width_being_one() -> None:
    track = swaying()
    points = normalised(hidden(track, (TIP, 0, 50)).points)
    middles = points[:, [RIGHT, LEFT], :2].mean(1)
    np.testing.assert_allclose(np.median(middles, 0), 0, atol=1e-5)
    assert middles.std() > 0.01  # swaying is kept
    assert not points[:50, TIP].any()
    width = np.median(np.linalg.norm(points[:, RIGHT, :2] - points[:, LEFT, :2], axis=1))
    assert width == pytest.approx(1, abs=1e-4)


def test_a_player_seen_from_the_side_is_no_giant() -> None:
    points = swaying().points
    points[:, :7, :2] = [[0, 0], [-1, 0], [-30, 100], [40, 150], [1, 0], [-30, 100], [50, 160]]
    arm = np.hypot(31, 100) + np.hypot(80, 60)
    found = normalised(points)
    np.testing.assert_allclose(found[0, 5, :2], np.array([-30, 100]) / (arm / 2), rtol=1e-4)


def test_shoulders_that_are_never_seen_leave_nothing_to_measure_by() -> None:
    points = normalised(hidden(swaying(), (RIGHT, 0, 60), (LEFT, 60, 100)).points)
    assert not points[..., :2].any()
    assert points[..., 2].any()


def test_a_mirror_swaps_the_hands() -> None:
    track = swaying()
    twice = mirror_track(mirror_track(track))
    np.testing.assert_array_equal(twice.points, track.points)
    once = mirror_track(track)
    np.testing.assert_array_equal(once.positions[:, LEFT], track.positions[:, RIGHT] * [-1, 1])
    np.testing.assert_array_equal(once.confidence[:, LEFT], track.confidence[:, RIGHT])


def test_a_track_checks_itself() -> None:
    good = swaying(3)
    motion = good.motion()
    assert (motion.skeleton, motion.fps) == (BODY, 25)
    np.testing.assert_array_equal(motion.positions, good.positions)
    nan = good.positions.copy()
    nan[2, 3, 1] = np.nan
    for change, complaint in (
        ((good.positions[:, :46], good.confidence, 25), r"shape \(3, 46, 2\) and confidence \(3, 47\)"),
        ((good.positions[:0], good.confidence[:0], 25), "no frames"),
        ((nan, good.confidence, 25), "not finite .first in frame 2"),
        ((good.positions, good.confidence + 1, 25), "outside"),
        ((good.positions, good.confidence, np.nan), "fps is nan"),
    ):
        with pytest.raises(MotionError, match=complaint):
            PoseTrack(*change)
    with pytest.raises(MotionError, match=r"points have shape \(3, 47, 2\)"):
        PoseTrack.of(good.positions)
    with pytest.raises(MotionError, match="fps is 0"):
        resample_track(good, 0)


def test_files(tmp_path: Path) -> None:
    track = swaying(5)
    np.save(tmp_path / "x.npy", track.points)
    np.testing.assert_array_equal(PoseTrack.load(tmp_path / "x.npy").points, track.points)
    assert PoseTrack.load(tmp_path / "x.npy").fps == 25
    assert PoseTrack.load(tmp_path / "x.npy", fps=30).fps == 30
    with pytest.raises(MotionError, match=r"x\.npy: fps is 0"):
        PoseTrack.load(tmp_path / "x.npy", fps=0)
    with pytest.raises(MotionError, match="no such file"):
        PoseTrack.load(tmp_path / "none.npy")
    np.savez(
        tmp_path / "x.npz", pose=np.full((2, 33, 2), 9.0), left_hand=np.ones((2, 21, 2)), right_hand=np.ones((2, 21, 2))
    )
    with pytest.raises(MotionError, match=r"x\.npz: holds no frame rate"):
        PoseTrack.load(tmp_path / "x.npz")


def test_a_real_player(shared_data: Path) -> None:
    track = PoseTrack.load(shared_data / "solos" / "skeleton_npy_test.npy")
    whole = fill_gaps(track)
    np.testing.assert_allclose(whole.silent, [[0, 89 / 25]])  # its frames 0 to 88 show nobody
    seen = track.confidence > FOUND_CONFIDENCE
    np.testing.assert_array_equal(whole.track.positions[seen], track.positions[seen])
    # Its source has filled the gaps in the same way; it knows of the film before and after.
    unseen = ~seen
    unseen[:100] = unseen[-100:] = False
    apart = np.abs(whole.track.positions - track.positions).max(-1)[unseen]
    assert np.median(apart) < 0.01
    points = normalised(whole.track.points)[89:1618]
    assert np.abs(points[..., :2]).max() < 2
    wrists, elbows = points[:, WRISTS], points[:, BODY.index("left_elbow")]
    assert (wrists[wrists[..., 2] > 0][:, 1] > 0.2).all()  # below the shoulders
    assert (elbows[elbows[:, 2] > 0][:, 0] > 0).all()  # the player's left is at the picture's right
