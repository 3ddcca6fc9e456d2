"""Grooves: a beat over and over, of a genre for some seconds, calm or lively as the music is loud."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recorded_dances import arm_swings, write
from scipy.spatial.transform import Rotation

from ictus.dance.data.motion_clips import MotionClip, read_clip
from ictus.dance.data.synthetic import plan
from ictus.dance.groove import marking_beats, plan_groove
from ictus.dance.motion_matching import assemble
from ictus.dance.quaternions import joint_positions
from ictus.errors import MotionError


def nods(folder: Path, genre: str, size: float) -> MotionClip:
    """Return a dancer whose arms go out and come back in every beat, and pause where it begins."""
    dance = arm_swings(f"g{genre}_sBM_c01_d01_m{genre}0_ch01")
    angle = size * (1 - np.cos(2 * np.pi * np.arange(len(dance["root"])) / 30 * 100 / 60)) ** 2
    for joint, sign in ((16, 1), (17, -1)):
        dance["rotations"][:, joint] = Rotation.from_euler("z", sign * angle[:, None]).as_matrix()
    return read_clip(write(folder, **dance))


def test_place_and_loudness_decide(tmp_path: Path) -> None:
    calm, lively, other = nods(tmp_path / "a", "BR", 0.3), nods(tmp_path / "b", "BR", 0.5), nods(tmp_path, "WA", 0.4)
    beats = np.arange(0.8, 30, 0.6)
    loud = np.where(np.arange(len(beats)) % 4 == 3, 0.9, 0.4)
    plan = plan_groove([lively, other, calm], beats, loud)
    assert [placed.start for placed in plan] == list(range(len(beats) - 1))
    assert {placed.phrase.beats for placed in plan} == {1}
    for placed, time, level in zip(plan, beats[:-1], loud[:-1], strict=True):
        expected = other if 8 <= time < 16 or time >= 24 else lively if level == 0.9 else calm
        assert placed.phrase.clip is expected
    points = joint_positions(*assemble(plan_groove([calm], beats, loud), beats, 1800))
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1).mean(1)
    on, between = (np.round((beats[5:40] + shift) * 60).astype(int) for shift in (0, 0.15))
    assert speed[on].mean() < 0.2 * speed[between].mean()


def test_what_does_not_return_or_rest_is_no_groove(tmp_path: Path) -> None:
    standing = np.tile([0, 1.15, 0], (270, 1))
    swings = read_clip(write(tmp_path / "b", **{**arm_swings(size=0.5), "root": standing}))  # comes back in two beats
    nodding = nods(tmp_path / "c", "BR", 0.5)
    late = replace(nodding, first=nodding.first + 0.3 * 0.6)
    assert marking_beats([nodding])
    assert not marking_beats([swings, late])
    with pytest.raises(MotionError, match="returns to where it began"):
        plan_groove([swings], np.arange(20.0), np.ones(20))


def test_a_corpus_of_grooves_dances_all_genres(tmp_path: Path) -> None:
    for genre in ("BR", "WA"):
        write(tmp_path / "real", **arm_swings(f"g{genre}_sBM_c01_d01_m{genre}0_ch01"))
    (tmp_path / "songs" / "val" / "7").mkdir(parents=True)
    asked = {"form": "melody", "splits": ("val",), "steady": True}
    (job,) = plan(tmp_path / "songs", tmp_path / "real", tmp_path / "out", **asked)
    assert (job.folder.name, {clip.genre for clip in job.clips}) == ("groove_7", {"BR", "WA"})
    (chosen,) = plan(tmp_path / "songs", tmp_path / "real", tmp_path / "other", genres=("WA",), **asked)
    assert {clip.genre for clip in chosen.clips} == {"WA"}
