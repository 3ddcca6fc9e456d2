"""Feet that stand, on made-up steps whose ground truth is known, and on real dances spoilt on purpose."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus.dance import foot_cleanup
from ictus.dance.foot_cleanup import clean_feet, fit_root, foot_contacts, keep_on_stage, plant_feet, smooth_rotations
from ictus.dance.metrics import foot_skating
from ictus.errors import MotionError, UsageError
from ictus.kinematics import bone_lengths, forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from real_dances import read_real_dances

SMPL = get_skeleton("smpl-24")
FEET = np.array([[SMPL.index("lankle"), SMPL.index("ltoes")], [SMPL.index("rankle"), SMPL.index("rtoes")]])
LEGS = [SMPL.index(f"{side}{joint}") for side in "lr" for joint in ("hip", "knee", "ankle")]


def about(axis: str, degrees) -> np.ndarray:
    """(...) degrees -> (..., 3, 3)."""
    angles = np.radians(np.asarray(degrees, np.float64))
    vectors = angles[..., None] * np.eye(3)["xyz".index(axis)]
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(*angles.shape, 3, 3)


def dancer(rotations, root, fps=60.0, **meta) -> Motion:
    return Motion(forward_kinematics(SMPL, rotations, root), fps, SMPL, rotations, root, meta)


def crouching(seconds=4.0, fps=60.0, sway=0.0) -> Motion:
    """Standing on both feet with bent knees, arms waving; the whole body sways along the floor, feet and all."""
    times = np.arange(round(seconds * fps)) / fps
    turns = np.tile(np.eye(3), (len(times), 24, 1, 1))
    for side in "lr":
        for joint, angle in (("hip", -40), ("knee", 80), ("ankle", -40)):
            turns[:, SMPL.index(side + joint)] = about("x", angle)
    wave = about("z", 60 * np.sin(2 * np.pi * times))
    turns[:, SMPL.index("lshoulder")] = wave
    root = np.tile([0.0, 0.75, 0.0], (len(times), 1))
    root[:, 0] += sway * np.sin(2 * np.pi * 0.4 * times)
    return dancer(turns, root, fps, seed=3)


def walking(seconds=8.0, fps=60.0, slide=0.0) -> Motion:
    """Steps on the spot: each foot is up for half a second, then down for one and a half; all slides at `slide` m/s."""
    dance = crouching(seconds, fps)
    times = dance.times
    turns = dance.rotations.astype(np.float64)
    for start, side in ((0.0, "l"), (1.0, "r")):
        phase = np.mod(times - start, 2.0)
        lift = np.where(phase < 0.5, np.sin(np.pi * phase / 0.5) ** 2, 0.0) * 30
        for joint, share in (("hip", -1), ("knee", 2), ("ankle", -1)):
            turn = about("x", lift * share)
            turns[:, SMPL.index(side + joint)] = turns[:, SMPL.index(side + joint)] @ turn
    root = dance.root.astype(np.float64)
    root[:, 2] += slide * times
    return dancer(turns, root, fps)


def noisy(motion: Motion, degrees=1.0, metres=0.004, seed=0) -> Motion:
    rng = np.random.default_rng(seed)
    count = len(motion)
    shake = Rotation.from_rotvec(rng.normal(0, np.radians(degrees), (count * 24, 3))).as_matrix()
    turns = motion.rotations.astype(np.float64) @ shake.reshape(count, 24, 3, 3)
    return dancer(turns, motion.root + rng.normal(0, metres, (count, 3)), motion.fps)


def acceleration(motion: Motion) -> np.ndarray:
    """(T - 2, 6) rad/s^2, of the legs' joints."""
    turns = motion.rotations[:, LEGS].astype(np.float64)
    steps = (np.swapaxes(turns[:-1], -1, -2) @ turns[1:]).reshape(-1, 3, 3)
    speed = Rotation.from_matrix(steps).as_rotvec().reshape(len(turns) - 1, 6, 3) * motion.fps
    return np.linalg.norm(np.diff(speed, axis=0), axis=-1) * motion.fps


@pytest.fixture(scope="module")
def real_dances(shared_data) -> list[Motion]:
    return [dance.resample(60) for _, dance, _ in read_real_dances(shared_data, every=3)]


def sliding(motion: Motion, speed: float) -> Motion:
    way = motion.times[:, None] * speed * np.array([0.8, 0, 0.6])
    return dancer(motion.rotations.astype(np.float64), motion.root + way, motion.fps)


# ------------------------------------------------------------------------------------------------------------ standing


def test_what_stands():
    feet = walking().positions[:, FEET].astype(np.float64)
    feet[..., 1] -= feet[..., 1].min((0, 1)) - [0.07, 0.02]
    flags = foot_contacts(feet, 60.0)
    times = np.arange(len(feet)) / 60
    for foot, start in ((0, 0.0), (1, 1.0)):
        phase = np.mod(times - start, 2.0)
        assert flags[(phase > 0.6) & (phase < 1.95), foot].all()
        assert not flags[(phase > 0.15) & (phase < 0.35), foot].any()


def test_the_top_of_a_hop_is_no_stand():
    times = np.arange(120) / 60
    feet = np.tile(SMPL.rest[FEET].astype(np.float64), (120, 1, 1, 1))
    feet[..., 1] += np.maximum(0.1 - 9.81 / 2 * (times - 1) ** 2, 0)[:, None, None]  # 10 cm high
    flags = foot_contacts(feet, 60.0, foot_cleanup._ROUGH)
    assert not flags[np.abs(times - 1) < 0.05].any()
    assert flags[np.abs(times - 1) > 0.25].all()


@pytest.mark.parametrize("fps", [12.0, 24.0, np.nextafter(25.0, 0), 24.98, 25.0, 30.0, 60.0])
def test_feet_that_sway_with_the_body_are_fixed(fps):
    dance = crouching(fps=fps, sway=0.05)
    steady = clean_feet(dance)
    feet = steady.positions[:, FEET]
    assert np.ptp(dance.positions[:, FEET], axis=0).max() > 0.09
    assert np.ptp(feet, axis=0).max() < 1e-4
    np.testing.assert_allclose(feet[:, :, 1, 1], 0.02, atol=1e-3)
    np.testing.assert_allclose(bone_lengths(SMPL, steady.positions), np.tile(_lengths(), (len(dance), 1)), atol=1e-5)
    assert (steady.fps, steady.meta) == (fps, {"seed": 3})
    # What no foot demands remains: the arms, to within what the smoothing takes.
    arm = SMPL.index("lshoulder")
    np.testing.assert_allclose(steady.rotations[:, arm], dance.rotations[:, arm], atol=0.05)


def test_a_sliding_walk_gets_steps_that_hold():
    dance = walking(slide=0.2)
    steady = clean_feet(dance)
    before, after = foot_skating(dance), foot_skating(steady)
    assert before.speed == pytest.approx(0.2, abs=0.02)
    assert after.speed < 0.01
    assert after.share < 0.02
    assert after.standing > 0.95
    lifted = steady.positions[:, FEET[0, 1], 1]
    assert lifted.max() > 0.8 * np.ptp(dance.positions[:, FEET[0, 1], 1])  # it still steps


def test_knees_point_where_they_pointed():
    dance = plant_feet(fit_root(crouching(sway=0.05)))
    for side in "lr":
        hip, knee, ankle = (dance.positions[:, SMPL.index(side + joint)] for joint in ("hip", "knee", "ankle"))
        forwards = knee[:, 2] - (hip + ankle)[:, 2] / 2
        assert (forwards > 0.1).all()


def test_straight_legs_do_not_snap():
    times = np.arange(240) / 60
    turns = np.tile(np.eye(3), (240, 24, 1, 1))
    # Knees that come to their full length and 8 degrees beyond, as fits to films have them.
    bend = about("x", -8 * np.sin(np.pi * times) ** 2)
    turns[:, [SMPL.index("lknee"), SMPL.index("rknee")]] = bend[:, None]
    dance = clean_feet(dancer(turns, np.tile([0, 0.94, 0], (240, 1))))
    for side in "lr":
        hip, knee, ankle = (dance.positions[:, SMPL.index(side + joint)] for joint in ("hip", "knee", "ankle"))
        assert (knee[:, 2] > (hip + ankle)[:, 2] / 2).all()
    assert acceleration(dance).max() < 40
    assert np.ptp(dance.positions[:, FEET], axis=0).max() < 2e-3


def test_no_foot_is_below_the_floor():
    dance = walking()
    root = dance.root.astype(np.float64)
    root[:, 1] -= 0.06 * np.sin(2 * np.pi * 0.9 * dance.times)
    steady = clean_feet(dancer(dance.rotations.astype(np.float64), root))
    assert steady.positions[:, FEET[:, 1], 1].min() > 0.0199
    assert steady.positions[:, FEET[:, 0], 1].min() > 0.0599


# ------------------------------------------------------------------------------------------------- the path, the stage


def test_the_floor_is_found_and_slow_sinking_is_taken_back():
    dance = walking(20.0)
    root = dance.root.astype(np.float64)
    root[:, 1] += 0.3 - 0.02 * dance.times  # 40 cm in all
    level = fit_root(dancer(dance.rotations.astype(np.float64), root))
    lowest = (level.positions[:, FEET, 1] - [0.07, 0.02]).min((1, 2))
    assert np.abs(lowest[30:-30]).max() < 0.02
    np.testing.assert_array_equal(level.rotations, dance.rotations)


def test_a_jump_remains():
    dance = crouching(4.0)
    root = dance.root.astype(np.float64)
    jump = np.maximum(0.3 - 9.81 / 2 * (dance.times - 2) ** 2, 0)
    root[:, 1] += jump
    path = clean_feet(dancer(dance.rotations.astype(np.float64), root)).root[:, 1]
    assert path[120] - path[30] == pytest.approx(0.3, abs=0.06)


def test_a_dance_that_stays_is_not_centred():
    dance = walking(slide=0.2)
    assert keep_on_stage(dance) is dance


@pytest.mark.parametrize(("slide", "radius"), [(0.2, 2.5), (1.0, 2.5), (0.3, 1.0)])
def test_the_stage_is_never_left(slide, radius):
    dance = walking(120.0, 30.0, slide)
    stays = keep_on_stage(dance, radius)
    path = np.linalg.norm((stays.root - stays.root[0])[:, [0, 2]], axis=1)
    assert path.max() <= radius
    assert np.abs(np.diff(path)).max() * 30 < slide * 1.5 + 0.1
    np.testing.assert_array_equal(stays.root[:, 1], dance.root[:, 1])


def test_what_happens_within_a_second_remains():
    dance = walking(60.0, 30.0, slide=0.3)
    root = dance.root.astype(np.float64)
    root[:, 0] += 0.1 * np.sin(2 * np.pi * 2 * dance.times)  # swaying twice a second
    stays = keep_on_stage(dancer(dance.rotations.astype(np.float64), root, 30.0))
    late = dance.times > 30
    spectrum = np.abs(np.fft.rfft(stays.root[late, 0] - stays.root[late, 0].mean()))
    frequency = np.fft.rfftfreq(late.sum(), 1 / 30)
    assert frequency[spectrum.argmax()] == pytest.approx(2, abs=0.1)
    assert np.ptp(stays.root[late, 0]) == pytest.approx(0.2, abs=0.03)


# ----------------------------------------------------------------------------------------------------------- smoothing


def test_smoothing_takes_jitter_and_leaves_accents():
    dance = crouching()
    calm = smooth_rotations(noisy(dance))
    arm = SMPL.index("lshoulder")

    def wrong(motion):
        turn = np.swapaxes(motion.rotations[:, arm], -1, -2) @ dance.rotations[:, arm]
        return Rotation.from_matrix(turn).magnitude().mean()

    assert wrong(calm) < 0.65 * wrong(noisy(dance))
    # A movement of 5 Hz keeps 0.9 of its size, and one of 9 Hz 0.71.
    for frequency, share in ((1, 0.996), (5, 0.9), (9, 0.707)):
        angles = 0.2 * np.sin(2 * np.pi * frequency * dance.times)
        turns = np.tile(np.eye(3), (len(angles), 24, 1, 1))
        turns[:, arm] = Rotation.from_rotvec(angles[:, None] * [0, 0, 1.0]).as_matrix()
        after = Rotation.from_matrix(smooth_rotations(dancer(turns, dance.root)).rotations[:, arm]).as_rotvec()[:, 2]
        assert np.std(after[30:-30]) / np.std(angles[30:-30]) == pytest.approx(share, abs=0.02)
    square = np.swapaxes(calm.rotations, -1, -2) @ calm.rotations
    np.testing.assert_allclose(square, np.broadcast_to(np.eye(3), square.shape), atol=1e-5)


# ---------------------------------------------------------------------------------------------------------- real dances


@pytest.mark.parametrize("slide", [0.0, 0.1, 0.2])
def test_real_dances_that_slide(real_dances, slide):
    before = [foot_skating(sliding(dance, slide)) for dance in real_dances]
    after = [foot_skating(clean_feet(sliding(dance, slide))) for dance in real_dances]
    assert np.mean([skating.speed for skating in after]) < 0.4 * np.mean([skating.speed for skating in before])
    assert np.mean([skating.share for skating in after]) < 0.25 * np.mean([skating.share for skating in before])


def test_real_dances_stay_themselves(real_dances):
    for dance in real_dances:
        steady = clean_feet(dance)
        moved = (steady.positions - steady.root[:, None]) - (dance.positions - dance.root[:, None])
        assert np.linalg.norm(moved, axis=-1).mean() < 0.03
        assert np.linalg.norm(moved, axis=-1).max() < 0.35
        others = [j for j in range(24) if j not in LEGS]
        np.testing.assert_array_equal(steady.rotations[:, others], smooth_rotations(dance).rotations[:, others])


def test_noise_becomes_no_pops(real_dances):
    for dance in real_dances:
        spoilt = noisy(dance)
        before, after = acceleration(spoilt), acceleration(clean_feet(spoilt))
        assert np.median(after) < 0.5 * np.median(before)
        assert np.percentile(after, 99) < np.percentile(before, 99)


# -------------------------------------------------------------------------------------------------------- what is given


def test_short_and_still_dances():
    for frames in (1, 2, 5):
        dance = crouching()
        short = dancer(dance.rotations[:frames], dance.root[:frames])
        assert len(clean_feet(short)) == frames
    flying = crouching()
    turned = np.tile(about("x", 180), (len(flying), 1, 1))
    turns = flying.rotations.copy()
    turns[:, 0] = turned  # a handstand: no foot ever stands
    assert np.isfinite(clean_feet(dancer(turns, flying.root)).positions).all()


def test_rotations_that_leap_half_a_turn_are_smoothed_too():
    dance = crouching()
    turns = dance.rotations.astype(np.float64)
    turns[::2, SMPL.index("neck")] = about("x", 180)
    assert np.isfinite(clean_feet(dancer(turns, dance.root)).positions).all()


def test_what_has_no_feet_to_plant():
    dance = crouching()
    for step in (clean_feet, smooth_rotations, fit_root, keep_on_stage, plant_feet):
        with pytest.raises(MotionError, match="give smpl-24 with rotations"):
            step(Motion(dance.positions, 60.0, SMPL))
    for step in (fit_root, keep_on_stage, plant_feet):
        with pytest.raises(MotionError, match=r"24\.97 fps, too few to see feet stand: give 25 or more"):
            step(dancer(dance.rotations, dance.root, 24.97))
    with pytest.raises(MotionError, match="4 fps, too few to see feet stand: give 5 or more"):
        clean_feet(dancer(dance.rotations, dance.root, 4.0))
    with pytest.raises(UsageError, match="radius of the stage is 0 m"):
        clean_feet(dance, 0)
    with pytest.raises(UsageError, match="cut-off is -1 Hz"):
        smooth_rotations(dance, -1)


def _lengths():
    return bone_lengths(SMPL, SMPL.rest[None])[0]


def test_runs():
    flags = np.array([True, False, True, True, False, True])
    assert foot_cleanup._runs(flags) == [(0, 1), (2, 4), (5, 6)]
    assert foot_cleanup._runs(np.zeros(3, bool)) == []
