"""Dances of the user's own: whatever a folder holds, in whatever rig, unit, axes and frame rate."""

import logging
from pathlib import Path

import numpy as np
import pytest
from recorded_dances import arm_swings, write
from rigged_dances import save_rig, saved, swings
from scipy.spatial.transform import Rotation

from ictus import registry
from ictus.audio import Audio
from ictus.dance.data.repertoire import read_repertoire
from ictus.dance.kinematic_beats import marked_beats
from ictus.dance.metrics import beat_alignment
from ictus.dance.quaternions import joint_positions
from ictus.errors import MotionError, UsageError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

SMPL = get_skeleton("smpl-24")
KINDS = ("bvh", "24 fps", "metres", "inches", "millimetres", "z up", "glb", "amass", "aist", "own")


@pytest.mark.parametrize("kind", KINDS)
def test_a_dance_of_any_file(kind: str, tmp_path: Path) -> None:
    saved(tmp_path, kind)
    (recording,) = read_repertoire(tmp_path).recordings
    (clip,) = recording.clips
    points = joint_positions(clip.quaternions, clip.root)
    wanted = swings().positions[: len(points)]
    assert np.linalg.norm(points - wanted[: len(points)], axis=-1)[5:-5].max() < 0.06
    np.testing.assert_allclose(clip.times, 0.6 * np.round(clip.times / 0.6), atol=0.06)  # the arms rest on the beat
    assert (clip.beats, clip.name, clip.genre) == (14, "dance", "")
    table = {} if kind in ("amass", "aist", "own") else {"lhip": "mixamorig:LeftUpLeg", "neck": "mixamorig:Neck"}
    assert {joint: recording.joints.get(joint) for joint in table} == table


def test_a_broken_file_a_walk_and_a_body_without_legs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    saved(tmp_path, "bvh")
    (tmp_path / "broken.bvh").write_text("HIERARCHY\nROOT Hips\n{")
    (tmp_path / "notes.txt").write_text("not a dance")
    bust = get_skeleton("conductor-23")
    still = np.tile(np.eye(3), (60, len(bust), 1, 1))
    Motion(np.tile(bust.rest, (60, 1, 1)), 30, bust, still, np.tile(bust.rest[0], (60, 1))).save(tmp_path / "bust.glb")
    walk = swings()
    time = np.arange(len(walk)) / 60
    steady = Rotation.from_euler("y", 0.6 * time[:, None]).as_matrix()
    walk.rotations[:, 0], walk.rotations[:, 16:20] = steady, np.eye(3)
    (tmp_path / "walks").mkdir()
    save_rig(tmp_path / "walks" / "walk.bvh", walk)
    with caplog.at_level(logging.WARNING):
        repertoire = read_repertoire(tmp_path)
    assert [(clip.name, clip.genre) for clip in repertoire.clips] == [("dance", ""), ("walk", "walks")]
    said = "\n".join(record.message for record in caplog.records)
    for words in (
        "broken.bvh: ",
        "bust.glb: has no legs: none of its joints is a left knee",
        "walk.bvh: has few beats",
    ):
        assert words in said
    assert len(repertoire.broken) == 2
    for folder, words in (
        (tmp_path / "none", "no such folder"),
        (tmp_path / "empty", "holds no dances; it may hold .bvh"),
    ):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match=words):
            read_repertoire(folder)
    with pytest.raises(UsageError, match=r"none of its 1 files can be danced; .*broken.bvh: "):
        read_repertoire(tmp_path / "broken.bvh")


def test_where_a_body_leaps_a_dance_is_cut(tmp_path: Path) -> None:
    """As in files that begin with a T-pose, or were put together of takes."""
    motion = swings()
    motion.root[300:, 0] += 3
    motion.rotations[0], motion.root[0, 1] = np.eye(3), 0
    motion.rotations[0, 16:18] = Rotation.from_euler("z", [[90], [-90]], degrees=True).as_matrix()
    motion.save(tmp_path / "a.npz")
    clips = read_repertoire(tmp_path).clips
    assert [(clip.name, round(clip.seconds)) for clip in clips] == [("a 1", 5), ("a 2", 4)]
    assert all(np.linalg.norm(np.diff(clip.root, axis=0), axis=1).max() < 0.05 for clip in clips)


@pytest.mark.parametrize("tempo", [70, 95, 130])
def test_the_tempo_of_a_dance_is_found(tempo: float) -> None:
    found = marked_beats(swings(tempo=tempo).positions.astype(np.float64)).times
    np.testing.assert_allclose(np.diff(found), 60 / tempo, atol=0.06)
    assert 60 / np.diff(found).mean() == pytest.approx(tempo, rel=0.02)


def test_a_repertoire_is_danced(tmp_path: Path) -> None:
    saved(tmp_path, "bvh")
    write(tmp_path, **arm_swings(size=0.6))
    times = np.arange(0.3, 12, 0.55)

    def find_beats(audio: Audio):
        from ictus.beats import Beats

        return Beats(times, np.arange(len(times)) % 4 + 1, 4, loudness=np.full(len(times), 0.6))

    sound = Audio(np.zeros((1, 12 * 22050), np.float32), 22050)
    dancer = registry.load("choreographer", repertoire=tmp_path)
    dancer.tracker = find_beats
    assert len(dancer.clips) == 2
    motion = dancer(sound, seed=1)
    on, off = (beat_alignment(motion, times + shift * 0.55) for shift in (0, 0.25))
    assert on > off + 0.2
    assert motion.meta["genre"] is None
    dancer = registry.load("choreographer", repertoire=tmp_path, genre="break")
    dancer.tracker = find_beats
    assert dancer(sound).meta["genre"] == "BR"
    with pytest.raises(UsageError, match="knows no genre 'waack'; it knows "):
        registry.load("choreographer", repertoire=tmp_path, genre="waack")
    saved(tmp_path, "bvh").unlink()
    for file in tmp_path.glob("*.npz"):
        file.unlink()
    swings(size=0.0).save(tmp_path / "still.npz")
    dancer = registry.load("choreographer", repertoire=tmp_path)
    dancer.tracker = find_beats
    with pytest.raises(MotionError, match="lively"):
        dancer(sound)
