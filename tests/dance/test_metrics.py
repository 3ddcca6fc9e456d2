"""Metrics of dance: golden values of the public codes, definitions frame by frame, and what they must not do."""

import json

import numpy as np
import pytest
import scipy.linalg
from golden_dance import (
    BAILANDO_ALIGNMENT,
    BAILANDO_BEATS,
    DIST,
    FACT_ALIGNMENT,
    FACT_BEATS,
    FID,
    GEOMETRIC,
    KINETIC,
    KINETIC_ANCHORED,
    MUSIC_BEATS,
    PFC,
    motion,
)

from ictus.dance import metrics
from ictus.errors import MotionError, UsageError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from real_dances import read_real_dances

SMPL = get_skeleton("smpl-24")


@pytest.fixture(scope="module")
def dance() -> np.ndarray:
    return motion()


def wander(frames: int = 40, seed: int = 0) -> np.ndarray:
    """A body at rest that shakes and walks at random."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 0.02, (frames, 1, 3)), axis=0)
    return SMPL.rest + walk + np.cumsum(rng.normal(0, 0.01, (frames, 24, 3)), axis=0)


# ---------------------------------------------------------------------------------------------------- golden values


def test_kinetic_golden(dance):
    np.testing.assert_allclose(metrics.kinetic_features(dance), KINETIC.ravel(), rtol=1e-6)
    anchored = metrics.kinetic_features(dance, "bailando").reshape(24, 3)
    np.testing.assert_allclose(anchored[:, 2], KINETIC_ANCHORED, rtol=1e-6)
    np.testing.assert_allclose(anchored[:, :2], KINETIC[:, :2], rtol=1e-6)
    assert anchored.sum() == pytest.approx(50301.6258, abs=1e-3)


def test_geometric_golden(dance):
    wanted = np.zeros(32)
    wanted[list(GEOMETRIC)] = list(GEOMETRIC.values())
    found = metrics.geometric_features(dance)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert found.sum() == pytest.approx(11.615063, abs=1e-6)


def test_beats_golden(dance):
    np.testing.assert_allclose(metrics.motion_beats(dance) * 60, FACT_BEATS)
    np.testing.assert_allclose(metrics.motion_beats(dance, "bailando") * 60, BAILANDO_BEATS)
    assert metrics.beat_alignment(dance, MUSIC_BEATS) == pytest.approx(FACT_ALIGNMENT, rel=1e-6)
    assert metrics.beat_alignment(dance, MUSIC_BEATS, "bailando") == pytest.approx(BAILANDO_ALIGNMENT, rel=1e-6)


def test_foot_contact_golden(dance):
    assert metrics.physical_foot_contact(dance) == pytest.approx(PFC, rel=1e-9)
    assert metrics.physical_foot_contact(dance[::2], fps=30) == pytest.approx(PFC, rel=1e-9)


def test_frechet_and_diversity_golden():
    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(200, 8)), 1.3 * rng.normal(size=(50, 8)) + 0.2
    real, made = metrics.normalised(real, made)
    assert metrics.frechet_distance(real, made) == pytest.approx(FID, rel=1e-9)
    assert metrics.diversity(made) == pytest.approx(DIST, rel=1e-9)


def test_the_golden_values_are_those_of_the_data_pack(shared_data, dance):
    golden = json.loads((shared_data / "aist" / "golden.json").read_text())["full_precision"]
    np.testing.assert_allclose(metrics.kinetic_features(dance), golden["kinetic_72_float32"], rtol=1e-6)
    anchored = golden["kinetic_root_anchored_72_float32"]
    np.testing.assert_allclose(metrics.kinetic_features(dance, "bailando"), anchored, rtol=1e-6)
    np.testing.assert_allclose(metrics.geometric_features(dance), golden["manual_32_float32"], atol=1e-7)
    assert tuple(golden[key] for key in ("fact_beat_align", "pfc", "fid")) == (FACT_ALIGNMENT, PFC, FID)


# -------------------------------------------------------------------------------------- definitions, frame by frame


def test_kinetic_features_by_their_definition():
    places, rate = wander(12), 60.0
    squared, upwards, accelerations = np.zeros(24), np.zeros(24), np.zeros(24)
    for i in range(1, 12):
        near = [k for k in range(i - 2, i + 3) if 1 <= k < 12]
        velocity = np.mean([(places[k] - places[k - 1]) * rate for k in near], axis=0)
        squared += velocity[:, 0] ** 2 + velocity[:, 2] ** 2
        upwards += velocity[:, 1] ** 2
        near = [k for k in near if k + 1 < 12]
        bend = np.mean([(places[k + 1] - 2 * places[k] + places[k - 1]) * rate**2 for k in near], axis=0)
        accelerations += np.linalg.norm(bend, axis=1)
    wanted = np.stack([squared, upwards, accelerations], axis=1) / 11
    np.testing.assert_allclose(metrics.kinetic_features(places, "corrected"), wanted.ravel(), rtol=1e-9)


def test_the_published_acceleration_measures_the_distance_to_the_origin():
    still = np.tile(SMPL.rest.astype(np.float64), (30, 1, 1))
    found = metrics.kinetic_features(still).reshape(24, 3)
    np.testing.assert_allclose(found[:, 2], 3540 * np.linalg.norm(SMPL.rest, axis=1), rtol=1e-6)
    np.testing.assert_allclose(metrics.kinetic_features(still, "corrected"), 0, atol=1e-9)


def test_only_published_kinetic_features_depend_on_the_place():
    places = wander()
    moved = places + np.array([3.0, 1.0, -2.0])
    for protocol in ("bailando", "corrected"):
        np.testing.assert_allclose(
            metrics.kinetic_features(places, protocol), metrics.kinetic_features(moved, protocol), rtol=1e-6
        )
    assert np.abs(metrics.kinetic_features(places) - metrics.kinetic_features(moved)).max() > 100


def test_geometric_features_do_not_depend_on_the_place_or_the_heading():
    places = wander(200)
    turn = np.array([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]])
    np.testing.assert_allclose(
        metrics.geometric_features(places @ turn.T + [3.0, 1.0, -2.0]), metrics.geometric_features(places), atol=0.011
    )


def test_geometric_features_of_poses_that_show_them():
    def pose(**places: tuple[float, float, float]) -> np.ndarray:
        body = SMPL.rest.astype(np.float64).copy()
        for joint, place in places.items():
            body[SMPL.index(joint)] = place
        return np.tile(body, (3, 1, 1))

    rest = metrics.geometric_features(pose())
    assert rest[[12, 13, 21, 22, 31]].sum() == 0  # nothing is fast
    assert rest[8] == 1  # hands wide apart
    raised = metrics.geometric_features(pose(rwrist=(-0.2, 1.9, 0)))
    assert (raised[2], raised[3], rest[2]) == (1, 0, 0)
    bent = metrics.geometric_features(pose(lwrist=(0.45, 1.38, 0.25)))
    assert (bent[6], bent[7], rest[7]) == (0, 1, 0)
    kicked = metrics.geometric_features(pose(lankle=(0.09, 0.6, 0.4)))
    assert (kicked[17], kicked[20], rest[17]) == (1, 1, 0)
    assert kicked[16] == 0


def test_the_paper_looked_at_the_first_thirtieth_only(dance):
    # 239 frames after the first, in steps of 30: eight are looked at, and they are frames 1 to 8
    np.testing.assert_array_equal(
        metrics.geometric_features(dance, "paper"), metrics.geometric_features(dance[:9], "released")
    )
    for frames, looked_at in ((2, 1), (31, 1), (32, 2), (61, 2), (62, 3)):
        np.testing.assert_array_equal(
            metrics.geometric_features(motion(frames), "paper"), metrics.geometric_features(motion(looked_at + 1))
        )


def test_frechet_distance_of_known_distributions():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 6))
    assert metrics.frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(x, x + 2) == pytest.approx(6 * 4, rel=1e-9)
    deviation = np.linalg.eigvalsh(np.cov(x, rowvar=False)).sum()
    assert metrics.frechet_distance(x, 3 * x - 2 * x.mean(0)) == pytest.approx(4 * deviation, rel=1e-9)


def test_frechet_distance_agrees_with_sqrtm():
    rng = np.random.default_rng(2)
    a = rng.normal(size=(90, 10)) @ rng.normal(size=(10, 10))
    b = rng.normal(size=(70, 10)) @ rng.normal(size=(10, 10)) + 0.3
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second).real
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root)
    assert metrics.frechet_distance(a, b) == pytest.approx(wanted, rel=1e-8)


def test_frechet_distance_of_few_motions_is_finite_and_symmetric():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(40, 72)), rng.normal(size=(30, 72))
    assert metrics.frechet_distance(a, b) == pytest.approx(metrics.frechet_distance(b, a), rel=1e-6)
    assert metrics.frechet_distance(a[:, :1], b[:, :1]) > 0


def test_diversity_is_the_mean_distance_of_pairs():
    points = np.array([[0.0, 0], [3, 4], [0, 0]])
    assert metrics.diversity(points) == pytest.approx(10 / 3)


def test_normalised_leaves_the_real_set_standard():
    rng = np.random.default_rng(0)
    real, made = metrics.normalised(rng.normal(3, 2, (50, 4)), rng.normal(size=(9, 4)), eps=0)
    np.testing.assert_allclose(real.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(real.std(0), 1)
    assert made.shape == (9, 4)


# ----------------------------------------------------------------------------------------------------------- beats


def stop_and_go(period: int = 30, frames: int = 600) -> np.ndarray:
    """All joints go and stop together: they stand still every `period` frames."""
    speed = 0.01 * (1 - np.cos(2 * np.pi * np.arange(frames) / period))
    path = np.cumsum(speed)[:, None, None] * np.array([1.0, 0, 0])
    return SMPL.rest + path


def test_a_dance_on_the_beat_is_aligned_and_one_off_it_is_not():
    places, beats = stop_and_go(), np.arange(0.5, 9.6, 0.5)
    for protocol in ("fact", "bailando"):
        assert metrics.beat_alignment(places, beats, protocol) > 0.9
        assert metrics.beat_alignment(places, beats + 0.25, protocol) < 0.01


def test_bailando_punishes_beats_that_are_left_out():
    places, beats = stop_and_go(60), np.arange(0.5, 9.6, 0.5)
    assert metrics.beat_alignment(places, beats, "fact") > 0.9
    assert metrics.beat_alignment(places, beats, "bailando") == pytest.approx(0.5, abs=0.06)


def test_music_beyond_the_dance_counts_for_nobody():
    places, beats = stop_and_go(), np.arange(0.5, 9.6, 0.5)
    assert metrics.beat_alignment(places, [*beats, 11.0, 12.0], "bailando") == metrics.beat_alignment(
        places, beats, "bailando"
    )


def test_a_dance_without_beats_is_aligned_with_nothing():
    still = np.tile(SMPL.rest, (100, 1, 1))
    assert metrics.beat_alignment(still, [0.5, 1.0]) == 0
    assert metrics.beat_alignment(still, [0.5, 1.0], "bailando") == 0
    assert len(metrics.motion_beats(still)) == 0


# ---------------------------------------------------------------------------------------------------- floor and stage


def test_foot_contact_by_its_definition():
    places = wander(20)
    root = places[:, 0]
    total, pushes = 0.0, []
    for k in range(18):
        push = root[k + 2] - 2 * root[k + 1] + root[k]
        push[1] = max(push[1], 0)
        pushes.append(np.linalg.norm(push))
        moved = np.linalg.norm((places[k + 2] - places[k + 1])[:, [0, 2]], axis=1)
        total += min(moved[7], moved[10]) * min(moved[8], moved[11]) * pushes[-1]
    wanted = 1e4 * total / max(pushes) / 18
    assert metrics.physical_foot_contact(places, fps=30) == pytest.approx(wanted, rel=1e-9)


def test_planted_feet_push_as_they_like():
    places = wander(30)
    places[:, [7, 10]] = SMPL.rest[[7, 10]]
    assert metrics.physical_foot_contact(places, fps=30) == 0
    assert metrics.physical_foot_contact(np.tile(SMPL.rest, (9, 1, 1)), fps=30) == 0


def test_skating():
    still = np.tile(SMPL.rest.astype(np.float64), (61, 1, 1))
    assert metrics.foot_skating_ratio(still, fps=30) == 0
    slide = np.arange(61)[:, None, None] * np.array([0.03, 0, 0])
    assert metrics.foot_skating_ratio(still + slide, fps=30) == pytest.approx(60 / 61)
    assert metrics.foot_skating_ratio(still + slide / 2, fps=30) == 0  # 0.75 cm a frame, as it is measured
    one = still.copy()
    one[:, [7, 10]] += slide  # the left foot alone
    assert metrics.foot_skating_ratio(one, fps=30) == pytest.approx(60 / 61 / 2)
    lifted = one.copy()
    lifted[1:, [7, 10], 1] += 0.2
    assert metrics.foot_skating_ratio(lifted, fps=30) == pytest.approx(0.5)  # of one frame on the floor it skates
    assert metrics.foot_skating_ratio(still + np.array([0, 5.0, 0]), fps=30) == 0  # the floor is under the first frame
    tiptoe = still.copy()
    tiptoe[:, [7, 8], 1] += 0.2
    assert np.isnan(metrics.foot_skating_ratio(tiptoe, fps=30))


def test_freezing():
    places = wander(1800)
    assert metrics.freeze_ratio(places, 10) == pytest.approx(1, abs=0.1)
    frozen = places.copy()
    frozen[600:] = frozen[600]
    frozen[600:] += np.arange(1200)[:, None, None] * 0.01  # drifting is no dance
    assert metrics.freeze_ratio(frozen, 10) == pytest.approx(0, abs=1e-9)
    assert metrics.freeze_ratio(frozen[::-1], 10) > 1e9
    assert metrics.freeze_ratio(np.concatenate([places[:900:2], places[900::4]]), 3) == pytest.approx(2, rel=0.15)
    assert metrics.freeze_ratio(np.tile(SMPL.rest, (60, 1, 1))) == 0
    assert metrics.freeze_ratio(wander(8)) > 0  # shorter than it looks at


def test_drifting():
    places = np.tile(SMPL.rest.astype(np.float64), (121, 1, 1)) + 5.0
    assert metrics.root_drift(places) == 0
    places[60, 0] += [3.0, 9.0, -4.0]  # 5 m along the floor, and back
    assert metrics.root_drift(places) == pytest.approx(5)


# ------------------------------------------------------------------------------------------------------ what is given


ALONE = [
    metrics.kinetic_features,
    metrics.geometric_features,
    metrics.motion_beats,
    metrics.physical_foot_contact,
    metrics.foot_skating_ratio,
    metrics.freeze_ratio,
    metrics.root_drift,
]


@pytest.mark.parametrize("metric", ALONE, ids=lambda metric: metric.__name__)
def test_motions_and_arrays_agree(metric):
    places = wander(90).astype(np.float32)
    alone = metric(places)
    np.testing.assert_array_equal(metric(Motion(places, 60.0, SMPL)), alone)
    twice = np.repeat(places, 2, axis=0)  # 120 frames a second: every second one is looked at
    np.testing.assert_array_equal(metric(Motion(twice, 120.0, SMPL)), alone)
    np.testing.assert_array_equal(metric(twice, fps=120), alone)


@pytest.mark.parametrize("metric", ALONE, ids=lambda metric: metric.__name__)
def test_what_cannot_be_measured_is_refused(metric):
    places = wander(20)
    rate = 30 if metric in ALONE[3:] else 60
    with pytest.raises(UsageError, match=rf"25 fps; this metric is defined at {rate}: resample\({rate}\)"):
        metric(Motion(places, 25.0, SMPL))
    with pytest.raises(MotionError, match=r"is of coco-17; .* smpl-24"):
        metric(Motion(np.zeros((20, 17, 3)), 60.0, get_skeleton("coco-17")))
    with pytest.raises(UsageError, match=r"shape \(20, 23, 3\)"):
        metric(places[:, :23])
    with pytest.raises(UsageError, match="leave it out"):
        metric(Motion(places, 60.0, SMPL), fps=30)
    with pytest.raises(UsageError, match="needs at least"):
        metric(places[:1])
    places[7, 3] = np.nan
    with pytest.raises(MotionError, match="first in frame 7"):
        metric(places)


def test_unknown_protocols(dance):
    for metric in (metrics.kinetic_features, metrics.geometric_features, metrics.motion_beats):
        with pytest.raises(UsageError, match="no protocol 'mine'; known are"):
            metric(dance, "mine")
    with pytest.raises(UsageError, match="no protocol 'mine'"):
        metrics.beat_alignment(dance, MUSIC_BEATS, "mine")


def test_beats_that_are_none(dance):
    for beats in ([], [[1.0]], [np.nan], 1.0):
        with pytest.raises(UsageError, match="beats"):
            metrics.beat_alignment(dance, beats)
    with pytest.raises(UsageError, match="no beats of music within"):
        metrics.beat_alignment(dance, [4.0, 5.0], "bailando")


@pytest.mark.parametrize("features", [np.zeros(3), np.zeros((1, 3)), np.zeros((3, 0)), np.full((3, 2), np.nan)])
def test_features_that_are_none(features):
    with pytest.raises(UsageError):
        metrics.diversity(features)
    with pytest.raises(UsageError):
        metrics.frechet_distance(features, np.zeros((3, 3)))
    with pytest.raises(UsageError, match="the reference has 2 features and the estimate 3"):
        metrics.frechet_distance(np.ones((3, 2)), np.ones((3, 3)))


# ------------------------------------------------------------------------------------------------------------- at once


def test_evaluate():
    real, made = [wander(60, seed) for seed in range(6)], [wander(60, seed) for seed in range(10, 14)]
    beats = [np.arange(0.1, 1, 0.3)] * 4
    scores = metrics.evaluate(real, made, music_beats=beats)
    assert set(scores) == {
        *("fid_k", "fid_g", "dist_k", "dist_g", "beat_alignment"),
        *("physical_foot_contact", "foot_skating_ratio", "freeze_ratio", "root_drift"),
    }
    first, second = metrics.normalised(
        np.stack([metrics.kinetic_features(m) for m in real]), np.stack([metrics.kinetic_features(m) for m in made])
    )
    assert scores["fid_k"] == pytest.approx(metrics.frechet_distance(first, second))
    assert scores["dist_k"] == pytest.approx(metrics.diversity(second))
    alone = np.mean([metrics.beat_alignment(m, b) for m, b in zip(made, beats, strict=True)])
    assert scores["beat_alignment"] == pytest.approx(alone)
    other = metrics.evaluate(real, made, protocol="bailando")
    assert "beat_alignment" not in other
    assert other["fid_k"] != scores["fid_k"]
    assert metrics.evaluate(real, real)["fid_k"] == pytest.approx(0, abs=1e-9)


def test_evaluate_needs_sets():
    dances = [wander(60, seed) for seed in range(3)]
    with pytest.raises(UsageError, match="two motions or more"):
        metrics.evaluate(dances, dances[:1])
    with pytest.raises(UsageError, match="beats of 1 songs were given for 3"):
        metrics.evaluate(dances, dances, music_beats=[MUSIC_BEATS])
    with pytest.raises(UsageError, match="no protocol is called 'mine'"):
        metrics.evaluate(dances, dances, protocol="mine")


def test_real_dances_beat_the_same_dances_out_of_time(shared_data):
    aligned, shifted = [], []
    for _, real, tempo in read_real_dances(shared_data):
        dance = real.resample(60)
        period = 60 / tempo
        beats = np.arange(0, dance.duration, period)
        aligned.append(metrics.beat_alignment(dance, beats))
        shifted.append(metrics.beat_alignment(dance, beats + period / 4))
    assert np.mean(aligned) > np.mean(shifted) + 0.02
