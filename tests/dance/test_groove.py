"""Grooves: a beat over and over, of a genre for some seconds, large where the music is loud."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recorded_dances import arm_swings, write
from scipy.spatial.transform import Rotation

from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.data.repertoire import read_clip
from ictus.dance.data.synthetic import plan
from ictus.dance.groove import find_grooves, plan_groove
from ictus.dance.motion_matching import assemble
from ictus.dance.quaternions import joint_positions
from ictus.errors import MotionError


def circles(folder: Path, genre: str) -> MotionClip:
    """Return a dancer whose arms circle once in every beat, and are slowest on the beat."""
    dance = arm_swings(f"g{genre}_sBM_c01_d01_m{genre}0_ch01")
    turn = 2 * np.pi * np.arange(len(dance["root"])) / 30 * 100 / 60
    around = turn - 0.8 * np.sin(turn)
    for joint, sign in ((16, 1), (17, -1)):
        vectors = np.stack([np.zeros_like(around), sign * np.cos(around), sign * np.sin(around)], axis=1)
        dance["rotations"][:, joint] = Rotation.from_rotvec(0.7 * vectors).as_matrix()
    return read_clip(write(folder, **dance))


def test_place_and_loudness_decide(tmp_path: Path) -> None:
    circling, other = circles(tmp_path, "BR"), circles(tmp_path, "WA")
    grooves = find_grooves([other, circling])
    assert [groove.clip for groove in grooves] == [circling, other]
    beats = np.arange(0.8, 30, 0.6)
    loud = np.where(np.arange(len(beats)) % 4 == 3, 0.9, 0.4)
    plan = plan_groove(grooves, beats, loud)
    assert [placed.start for placed in plan] == list(range(len(beats) - 1))
    for placed, time in zip(plan, beats[:-1], strict=True):
        assert placed.phrase.beats == 1
        assert placed.phrase.clip.genre == ("WA" if 8 <= time < 16 or time >= 24 else "BR")
    points = joint_positions(*assemble(plan, beats, 1800))
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1).mean(1)
    within = [speed[round(start * 60) :][:36].mean() for start in beats[4:40]]  # a beat each
    quiet, large = (np.mean(np.array(within)[loud[4:40] == level]) for level in (0.4, 0.9))
    assert 0.5 < quiet / large < 0.8
    on, between = (np.round((beats[5:40] + shift) * 60).astype(int) for shift in (0, 0.15))
    assert speed[on].mean() < 0.3 * speed[between].mean()


def test_what_does_not_mark_the_beat_is_no_groove(tmp_path: Path) -> None:
    circling = circles(tmp_path, "BR")
    late = replace(circling, times=circling.times + 0.3 * 0.6)
    still = read_clip(write(tmp_path / "still", **arm_swings(size=0.0)))
    with pytest.raises(MotionError, match="marks the music's"):
        find_grooves([late, still])


def test_a_corpus_of_grooves_dances_all_genres(tmp_path: Path) -> None:
    for genre in ("BR", "WA"):
        circles(tmp_path / "real", genre)
    (tmp_path / "songs" / "val" / "7").mkdir(parents=True)
    asked = {"form": "melody", "splits": ("val",), "steady": True}
    (job,) = plan(tmp_path / "songs", tmp_path / "real", tmp_path / "out", **asked)
    assert (job.folder.name, [groove.clip.genre for groove in job.grooves]) == ("groove_7", ["BR", "WA"])
    (chosen,) = plan(tmp_path / "songs", tmp_path / "real", tmp_path / "other", genres=("WA",), **asked)
    assert [groove.clip.genre for groove in chosen.grooves] == ["WA"]
