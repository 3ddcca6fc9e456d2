"""Choreography: real dances on the beats of any music, without steps, in the layouts of the corpora."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from recorded_dances import arm_swings, write
from scipy.spatial.transform import Rotation

from ictus.beats.sections import Sections
from ictus.dance.data import synthetic
from ictus.dance.data.dataset import AIST, MELODY, motion_of, scan_dances
from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.data.repertoire import read_clip, read_clips
from ictus.dance.metrics import beat_alignment, foot_skating
from ictus.dance.motion_matching import assemble, plan_phrases
from ictus.dance.phrases import clips_by_genre, cut_phrases
from ictus.dance.quaternions import about_vertical, heading, inertialise, joint_positions
from ictus.errors import MotionError, UsageError


@pytest.fixture
def clip(tmp_path: Path) -> MotionClip:
    return read_clip(write(tmp_path))


def music(tempo: float, meter: int, seconds: float = 30.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    beats = np.arange(0.8, seconds, 60 / tempo)
    return beats, np.arange(len(beats)) % meter + 1, np.full(len(beats), 0.5)


def test_a_recording_is_mended(clip: MotionClip) -> None:
    points = joint_positions(clip.quaternions, clip.root)
    assert points[:, [10, 11], 1].min() == pytest.approx(0.02, abs=0.01)  # the floor is under the toes
    turn = Rotation.from_quat(clip.quaternions[:, 0]).magnitude()
    assert np.diff(turn).max() < np.deg2rad(3)  # the step of 10 degrees is gone
    assert turn[-1] == pytest.approx(np.deg2rad(10), abs=0.02)
    assert (clip.genre, clip.beats) == ("BR", 14)
    np.testing.assert_allclose(clip.times, 0.6 * np.arange(15), atol=0.06)  # the arms rest on the beat


def test_a_mirror_changes_sides(clip: MotionClip) -> None:
    mirrored = clip.mirrored()
    points = joint_positions(clip.quaternions, clip.root)
    seen = joint_positions(mirrored.quaternions, mirrored.root)
    np.testing.assert_allclose(seen[:, 16], points[:, 17] * (-1, 1, 1), atol=1e-6)
    np.testing.assert_allclose(seen[:, 0], points[:, 0] * (-1, 1, 1), atol=1e-6)


def test_between_frames(clip: MotionClip) -> None:
    beat = np.array([0.0, 1.37, 5.0])
    turns, root = clip.at(beat)
    place = np.interp(beat, np.arange(len(clip.times)), clip.times) * 60
    np.testing.assert_allclose(root[:, 0], np.interp(place, np.arange(len(clip.root)), clip.root[:, 0]), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(turns, axis=-1), 1)


@pytest.mark.parametrize(("tempo", "meter"), [(60, 4), (100, 3), (148, 4)])
def test_a_dance_is_on_the_beat_of_any_music(tempo: float, meter: int, clip: MotionClip) -> None:
    beats, places, lively = music(tempo, meter)
    plan = plan_phrases([clip], beats, places, lively, np.random.default_rng(0))
    assert plan[0].start == 0
    assert all(b.start == pytest.approx(a.end) for a, b in itertools.pairwise(plan))
    assert plan[-1].end >= len(beats) - 1
    points = joint_positions(*assemble(plan, beats, 1800))
    on, off = (beat_alignment(points, beats + shift * 60 / tempo) for shift in (0, 0.25))
    assert on > off + 0.2


@pytest.mark.parametrize(("meter", "bar"), [(1, 3), (2, 4), (3, 3), (4, 4), (5, 5), (6, 6)])
def test_phrases_change_at_bar_lines(meter: int, bar: int, clip: MotionClip) -> None:
    beats, places, lively = music(100, meter, 40)
    places = (places + meter - 2) % meter + 1  # an upbeat
    plan = plan_phrases([clip], beats, places, lively, np.random.default_rng(0))
    first = places.tolist().index(1)
    assert [placed.start for placed in plan] == list(range(first, len(beats), bar))
    assert all(placed.end == pytest.approx(after.start) for placed, after in itertools.pairwise(plan))


def test_a_bar_that_is_longer_is_filled(clip: MotionClip) -> None:
    beats, _, lively = music(100, 4, 30)
    places = np.array([*(1, 2, 3, 4) * 3, *(1, 2, 3, 4, 5, 6, 7), *(1, 2, 3, 4) * 20])[: len(beats)]
    plan = plan_phrases([clip], beats, places, lively, np.random.default_rng(0))
    assert [placed.start for placed in plan][:6] == [0, 4, 8, 12, 19, 23]
    assert joint_positions(*assemble(plan, beats, 1800)).shape == (1800, 24, 3)


def test_sections_that_are_alike_are_danced_alike(clip: MotionClip) -> None:
    beats, places, lively = music(100, 4, 60)
    sections = Sections(np.array([0, 24, 48, 72]), np.array([0, 1, 0, 1]))
    plan = plan_phrases([clip, clip.mirrored()], beats, places, lively, np.random.default_rng(0), sections)
    danced = [(placed.phrase.clip.name, placed.phrase.first) for placed in plan]
    assert danced[0:6] == danced[12:18]
    assert danced[6:12] == danced[18:24]
    assert danced[0:6] != danced[6:12]
    for seed in range(5):  # where a section begins, something else does
        plan = plan_phrases([clip], beats, places, lively, np.random.default_rng(seed), sections)
        assert not plan[6].phrase.follows(plan[5].phrase)


def test_a_dancer_faces_the_front(clip: MotionClip) -> None:
    """Even if the dance was recorded from behind; where a phrase ends is where the next one goes on."""
    beats, places, lively = music(100, 4, 60)
    away = replace(clip, quaternions=clip.quaternions.copy(), root=clip.root * (-1, 1, -1))
    away.quaternions[:, 0] = about_vertical(away.quaternions[:, 0], np.pi)
    quaternions, root = (
        assemble(plan_phrases([one], beats, places, lively, np.random.default_rng(0)), beats, 3000)
        for one in (clip, away)
    )
    np.testing.assert_allclose(np.abs(root[0]), np.abs(quaternions[0]), atol=1e-6)
    np.testing.assert_allclose(root[1], quaternions[1], atol=1e-6)
    assert np.abs([heading(turn) for turn in quaternions[0][:, 0]]).max() < np.radians(60)


def test_joins_have_no_step(clip: MotionClip) -> None:
    beats, places, lively = music(100, 4)
    plan = plan_phrases([clip], beats, places, lively, np.random.default_rng(1))
    turns, root = assemble(plan, beats, 1800)
    points = joint_positions(turns, root)
    own = np.linalg.norm(np.diff(joint_positions(clip.quaternions, clip.root), axis=0), axis=-1).max()
    assert np.linalg.norm(np.diff(points, axis=0), axis=-1).max() < 2 * own
    assert np.linalg.norm(root[:, [0, 2]], axis=1).max() < 1.0  # back to the middle


def test_a_difference_dies_away() -> None:
    turns = np.tile([0.0, 0, 0, 1], (40, 24, 1))
    turns[20:] = Rotation.from_euler("x", 40, degrees=True).as_quat()
    root = np.zeros((40, 3))
    root[20:] = (1, 0.2, 0)
    mended, path = inertialise(turns, root, 20, 10)
    angles = np.rad2deg(Rotation.from_quat(mended[:, 5]).magnitude())
    assert angles[20] == pytest.approx(0, abs=1e-6)
    assert angles[30:] == pytest.approx(40)
    np.testing.assert_allclose(path[:, 0], 0, atol=1e-9)  # where on the floor is taken over
    assert (path[20, 1], path[30, 1]) == (pytest.approx(0), pytest.approx(0.2))


def test_lively_music_is_danced_by_lively_phrases(tmp_path: Path) -> None:
    wild, calm = (
        read_clip(write(tmp_path / str(size), **arm_swings("gBR_sBM_c01_d01_mBR0_ch01", size=size)))
        for size in (0.9, 0.4)
    )
    beats, places, _ = music(100, 4, 60)

    def mean_speed(level: float) -> float:
        plan = plan_phrases([wild, calm], beats, places, np.full(len(beats), level), np.random.default_rng(2))
        return float(np.mean([placed.phrase.speed for placed in plan]))

    assert mean_speed(1.0) > 1.2 * mean_speed(0.0)


def test_what_cannot_be_danced(tmp_path: Path) -> None:
    still = read_clip(write(tmp_path, **arm_swings(size=0.0)))
    assert cut_phrases([still], 4) == []
    with pytest.raises(MotionError, match="lively"):
        plan_phrases([still], *music(100, 4), np.random.default_rng(0))
    broken = tmp_path / "gBR_sBM_c01_d01_mBR0_ch02.npz"
    np.savez(broken, rotations=np.zeros(3))
    with pytest.raises(MotionError, match=r"ch02\.npz: is no motion"):
        read_clip(broken)


def songs(root: Path) -> Path:
    for split in ("train", "val"):
        for number in range(2):
            folder = root / split / str(number)
            folder.mkdir(parents=True)
            beats, places, lively = music(100 + 10 * number, 4, 12.0)
            time = np.arange(12 * 22050) / 22050
            since = (time - beats[0]) % (60 / (100 + 10 * number))
            soundfile.write(folder / "music.flac", 0.5 * np.exp(-20 * since) * np.sin(1000 * time), 22050)
            np.savez(
                folder / "beats.npz", times=beats, loudness=lively, conducted_times=beats, conducted_positions=places
            )
    return root


@pytest.mark.parametrize(("form", "layout"), [("aist", AIST), ("melody", MELODY)])
def test_a_corpus(form: str, layout: object, tmp_path: Path) -> None:
    write(tmp_path / "real")
    out = tmp_path / "out"
    asked = {"form": form, "sound": True}
    jobs = synthetic.plan(songs(tmp_path / "songs"), tmp_path / "real", out, **asked)
    assert len(jobs) == 4
    assert [synthetic.prepare_dance(job).made for job in jobs[:3]] == [1, 1, 1]
    left = synthetic.plan(tmp_path / "songs", tmp_path / "real", out, **asked)
    assert [job.folder for job in left] == [jobs[3].folder]
    found = scan_dances(out, "train", layout)
    assert [dance.name for dance in found.dances] == ["train/gBR_0", "train/gBR_1"]
    assert found.dances[0].frames / layout.rate == pytest.approx(12, abs=0.1)
    assert (found.dances[0].folder / "music.flac").exists()
    assert "gBR_sBM_c01_d01_mBR0_ch01" in json.loads((out / "prepared.json").read_text())["dances"]
    if form == "aist":
        assert foot_skating(motion_of(found.dances[0].read("motion"))).speed < 0.1
    with pytest.raises(UsageError, match="another corpus"):
        synthetic.plan(tmp_path / "songs", tmp_path / "real", out, **asked, seed=3)


def test_broken_songs_are_named(tmp_path: Path) -> None:
    write(tmp_path / "real")
    root = songs(tmp_path / "songs")
    (root / "val" / "1" / "beats.npz").write_bytes(b"no")
    jobs = synthetic.plan(root, tmp_path / "real", tmp_path / "out", splits=("val",))
    done = [synthetic.prepare_dance(job) for job in jobs]
    assert [job.made for job in done] == [1, 0]
    assert str(root / "val" / "1" / "beats.npz") in done[1].failures[0]
    with pytest.raises(UsageError, match="holds no songs"):
        synthetic.plan(tmp_path / "none", tmp_path / "real", tmp_path / "else")
    with pytest.raises(UsageError, match="holds no dances"):
        synthetic.plan(root, tmp_path / "out", tmp_path / "else")


def test_real_dances(shared_data: Path) -> None:
    clips = read_clips(shared_data / "aist" / "test_dances_30fps")
    assert len(clips) == 17
    beats, places, lively = music(92, 4, 40)
    for genre in ("WA", "KR"):
        plan = plan_phrases(clips_by_genre(clips)[genre], beats, places, lively, np.random.default_rng(0))
        turns, root = assemble(plan, beats, 2400)
        points = joint_positions(turns, root)
        values = [beat_alignment(points, beats + shift * 60 / 92, "bailando") for shift in (0, 0.25, 0.5)]
        assert values[0] > max(values[1:]) + 0.05
        assert np.abs(np.diff(points, 2, axis=0)).max() * 3600 < 1000
