"""Tables of dancers: the ground truth is as by hand, controls are worse where they should be, the broken are named."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from prepared_dances import write_aist

from ictus.dance import metrics
from ictus.dance.controls import BEAT_CONTROLS, BLEND, CONTROLS, beats_of_other_music, join_dances, shifted_beats
from ictus.dance.data.samples import SEED, DanceSample, DanceSamples, positions_of_frames
from ictus.dance.evaluation import GROUND_TRUTH, MEANING, Reference, Row, caveats, evaluate
from ictus.errors import IctusError, UsageError
from ictus.kinematics import bone_lengths
from ictus.metrics import bootstrap
from ictus.metrics.frechet import Normal
from ictus.motion import Motion
from ictus.render.dance_plots import speed_and_beats
from ictus.skeleton import get_skeleton
from real_dances import read_real_dances

SMPL = get_skeleton("smpl-24")
STILL, PHRASES, NOISE = CONTROLS


def write_real(shared_data: Path, root: Path) -> Path:
    """The seventeen real dances at 60 fps, with the beats of their music in the last column of the audio."""
    for name, motion, tempo in read_real_dances(shared_data):
        dance = motion.resample(60)
        audio = np.zeros((len(dance), 35), np.float32)
        audio[np.round(np.arange(0, dance.duration - 0.02, 60 / tempo) * 60).astype(int), 34] = 1
        folder = root / "val" / name
        folder.mkdir(parents=True)
        np.save(folder / "audio.npy", audio)
        np.save(folder / "motion.npy", np.concatenate([dance.root, dance.rotations.reshape(len(dance), -1)], 1))
    return root


OF_MODELS = ("seconds",)


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_real(shared_data, tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def table(real: Path) -> dict[str, Row]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "_DRAWS", 200)
        return {row.name: row for row in evaluate({}, DanceSamples(real, "val"), Reference.of(real, ["val"]))}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus in small, for which intervals are drawn in haste."""
    monkeypatch.setattr(bootstrap, "_DRAWS", 20)
    return write_aist(tmp_path / "corpus")


def value(row: Row, metric: str) -> float:
    return row.values[metric][0]


def test_rows_and_figures(table: dict[str, Row]) -> None:
    assert list(table) == [GROUND_TRUTH, *BEAT_CONTROLS, *CONTROLS]
    assert list(table[GROUND_TRUTH].values) == [metric for metric in MEANING if metric not in OF_MODELS]
    for name in BEAT_CONTROLS:
        assert list(table[name].values) == ["beat_fact", "beat_bailando"]
    for name, row in table.items():
        assert len(row.samples) == 17
        for metric, (figure, low, high) in row.values.items():
            assert low - 1e-9 <= figure <= high + 1e-9, (name, metric)


def test_the_ground_truth_is_what_the_metrics_say_by_hand(real: Path, table: dict[str, Row]) -> None:
    fact, bailando, contact, kinetic, geometric, whole = [], [], [], [], [], []
    for folder in sorted((real / "val").iterdir()):
        positions = positions_of_frames(np.load(folder / "motion.npy"))
        beats = np.flatnonzero(np.load(folder / "audio.npy")[:, 34]) / 60
        after = positions[SEED:]
        fact.append(metrics.beat_alignment(after, beats[beats >= 2] - 2))
        bailando.append(metrics.beat_alignment(positions, beats, "bailando"))
        contact.append(metrics.physical_foot_contact(after))
        kinetic.append(metrics.kinetic_features(after))
        geometric.append(metrics.geometric_features(positions))
        whole.append(metrics.kinetic_features(positions))
    ground_truth = table[GROUND_TRUTH]
    assert value(ground_truth, "beat_fact") == pytest.approx(np.mean(fact))
    assert value(ground_truth, "beat_bailando") == pytest.approx(np.mean(bailando))
    assert value(ground_truth, "pfc") == pytest.approx(np.mean(contact))
    assert [sample["pfc"] for sample in ground_truth.samples] == pytest.approx(contact)
    first, second = metrics.normalised(np.stack(whole), np.stack(kinetic))
    assert value(ground_truth, "fid_k_fact") == pytest.approx(metrics.frechet_distance(first, second))
    assert value(ground_truth, "dist_k_fact") == pytest.approx(metrics.diversity(second))
    same, _ = metrics.normalised(np.stack(geometric), np.stack(geometric), 1e-5)
    assert value(ground_truth, "dist_g_bailando") == pytest.approx(metrics.diversity(same))


def test_real_dances_are_at_no_distance_from_themselves(table: dict[str, Row]) -> None:
    assert value(table[GROUND_TRUTH], "fid_k_bailando") == pytest.approx(0, abs=1e-9)
    assert value(table[GROUND_TRUTH], "fid_g_bailando") == pytest.approx(0, abs=1e-9)
    # Only the seed is missing.
    assert 0 < value(table[GROUND_TRUTH], "fid_k_fact") < 0.2 * value(table[PHRASES], "fid_k_fact")


def test_controls_are_worse_where_they_should_be(table: dict[str, Row]) -> None:
    ground_truth = table[GROUND_TRUTH]
    for name in (*BEAT_CONTROLS, PHRASES):
        assert value(table[name], "beat_fact") < value(ground_truth, "beat_fact") - 0.05
    assert value(ground_truth, "beat_other") == value(table["truth to other music"], "beat_fact")
    for metric in ("dist_k_fact", "dist_g_fact", "dist_k_bailando", "dist_g_bailando"):
        assert (
            value(table[STILL], metric) == pytest.approx(0, abs=1e-9) == min(value(table[n], metric) for n in CONTROLS)
        )
    assert value(table[STILL], "beat_fact") == value(table[STILL], "beat_bailando") == value(table[STILL], "pfc") == 0
    assert value(table[STILL], "fid_k_fact") > 2 * value(table[PHRASES], "fid_k_fact")
    assert value(table[NOISE], "pfc") > 2 * value(ground_truth, "pfc")
    assert value(table[NOISE], "fsr") > 3 * value(ground_truth, "fsr")


def test_the_same_seed_gives_the_same_table(corpus: Path) -> None:
    def dancer(sample: DanceSample, seed: int) -> np.ndarray:
        return sample.positions + np.random.default_rng(seed).normal(0, 0.1, sample.positions.shape)

    def rows(seed: int) -> list[Row]:
        samples, reference = DanceSamples(corpus, "val"), Reference.of(corpus, ["train", "val"])
        return evaluate({"drunk": dancer}, samples, reference, seed=seed, protocol="fact")

    first, again, other = ({row.name: row.values for row in rows(seed)} for seed in (0, 0, 1))
    for table in (first, again, other):
        assert table["drunk"].pop("seconds")[0] > 0
        assert "seconds" not in table[GROUND_TRUTH]
    assert first == again
    assert first[GROUND_TRUTH] == other[GROUND_TRUTH]
    assert first["drunk"] != other["drunk"]
    assert first[PHRASES] != other[PHRASES]


def test_what_comes_before_the_end_of_the_seed_does_not_count_for_fact(corpus: Path) -> None:
    def with_seed(sample: DanceSample, seed: int) -> np.ndarray:
        return sample.positions

    def with_other_seed(sample: DanceSample, seed: int) -> np.ndarray:
        made = sample.positions.copy()
        made[:SEED] = 7.0
        return np.concatenate([made, made])  # and it dances on after the music

    models = {"with_seed": with_seed, "with_other_seed": with_other_seed}
    rows = evaluate(models, DanceSamples(corpus, "val"), Reference.of(corpus, ["val"]))
    row_with_seed, row_with_other_seed = rows[-2:]
    for metric in ("fid_k_fact", "fid_g_fact", "dist_k_fact", "beat_fact", "pfc", "drift"):
        assert row_with_seed.values[metric] == row_with_other_seed.values[metric] == rows[0].values[metric]
    assert value(row_with_seed, "fid_k_bailando") < value(row_with_other_seed, "fid_k_bailando")


def test_models_dance_to_other_music_too(corpus: Path) -> None:
    rows = evaluate(
        {"true": lambda sample, seed: sample.positions}, DanceSamples(corpus, "val"), Reference.of(corpus, ["val"])
    )
    by_name = {row.name: row for row in rows}
    assert by_name["true"].values["beat_other"] == by_name["truth to other music"].values["beat_fact"]
    assert by_name["true"].values["beat_fact"] == by_name[GROUND_TRUTH].values["beat_fact"]


def test_a_protocol_has_its_five_figures(corpus: Path) -> None:
    for protocol in ("fact", "bailando"):
        rows = evaluate({}, DanceSamples(corpus, "val"), Reference.of(corpus, ["train"]), protocol=protocol)
        names = ["fid_k", "fid_g", "dist_k", "dist_g", "beat"]
        assert list(rows[0].values) == [f"{name}_{protocol}" for name in names]
    with pytest.raises(UsageError, match="protocol 'mine'"):
        evaluate({}, DanceSamples(corpus, "val"), Reference.of(corpus, ["val"]), protocol="mine")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (np.full((420, 24, 3), np.nan), "not finite"),
        (np.zeros((SEED, 24, 3)), "0 frames"),
        (np.zeros((420, 13, 3)), r"\(300, 13, 3\)"),
    ],
)
def test_dances_that_cannot_be_measured_are_named(made: np.ndarray, says: str, corpus: Path) -> None:
    with pytest.raises(IctusError, match=f"wild, val/dance0: .*{says}"):
        evaluate({"wild": lambda sample, seed: made}, DanceSamples(corpus, "val"), Reference.of(corpus, ["val"]))


def damage(folder: Path, kind: str) -> None:
    motion = np.load(folder / "motion.npy")
    if kind == "missing":
        (folder / "motion.npy").unlink()
    elif kind == "not finite":
        motion[100, 7] = np.nan
        np.save(folder / "motion.npy", motion)
    elif kind == "3 are needed":
        np.save(folder / "motion.npy", motion[:150])
        np.save(folder / "audio.npy", np.load(folder / "audio.npy")[:150])
    elif kind == "rising order":
        np.save(folder / "beats.npy", np.array([2.0, 1.0, 3.0]))
    elif kind == "has 0 beats":
        np.save(folder / "audio.npy", np.zeros((len(motion), 35), np.float32))


@pytest.mark.parametrize("kind", ["missing", "not finite", "3 are needed", "rising order", "has 0 beats"])
def test_a_broken_dance_is_named_and_left_out(kind: str, corpus: Path) -> None:
    damage(corpus / "train" / "dance1", kind)
    samples = DanceSamples(corpus, "train")
    assert samples.names == ("train/dance0", "train/dance2", "train/dance3")
    (line,) = samples.broken
    assert str(corpus / "train" / "dance1") in line
    assert kind in line
    reference = Reference.of(corpus, ["train"])
    beats_only = kind in ("rising order", "has 0 beats", "3 are needed")  # FID needs no music, and no seed
    assert len(reference) == (4 if beats_only else 3)
    assert len(reference.broken) == (0 if beats_only else 1)
    assert len(evaluate({}, samples, reference)[0].samples) == 3


def test_too_few_dances(corpus: Path) -> None:
    samples, reference = DanceSamples(corpus, "val"), Reference.of(corpus, ["val"])
    few, constant, *_ = caveats(len(samples), reference)
    assert "FID of 2 dances against 2: too few for the covariance of 72 features" in few
    assert "same in all real dances" in constant
    many = Reference({"k_fact": np.random.default_rng(0).normal(size=(73, 72))})
    assert caveats(73, many) == []
    assert len(caveats(72, many)) == 1
    shutil.rmtree(corpus / "val" / "dance0")
    with pytest.raises(UsageError, match="two are needed"):
        DanceSamples(corpus, "val")
    with pytest.raises(UsageError, match="1 real dances to compare with"):
        Reference.of(corpus, ["val"])
    with pytest.raises(UsageError, match="no such folder"):
        Reference.of(corpus, ["nowhere"])


def test_how_much_is_used(corpus: Path) -> None:
    assert len(DanceSamples(corpus, "train", seconds=2)[0].motion) == SEED + 120
    assert DanceSamples(corpus, "train")[0].seconds == 7
    assert len(DanceSamples(corpus, "train", limit_hours=8 / 3600)) == 2
    with pytest.raises(UsageError, match="0 seconds"):
        DanceSamples(corpus, "train", seconds=0)
    with pytest.raises(UsageError, match="two are needed"):
        DanceSamples(corpus, "train", limit_hours=0.001)


def test_true_beats_come_before_beats_of_the_audio(corpus: Path) -> None:
    np.save(corpus / "val" / "dance0" / "beats.npy", np.array([-0.5, 0.25, 0.75, 99.0]))
    samples = DanceSamples(corpus, "val")
    np.testing.assert_array_equal(samples.beats[0], [0.25, 0.75])
    from_audio = np.flatnonzero(np.load(corpus / "val" / "dance1" / "audio.npy")[:, 34] > 0.5) / 60
    np.testing.assert_array_equal(samples.beats[1], from_audio)


def test_beats_that_the_music_does_not_have() -> None:
    beats = [np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.01, 4.0]), np.array([0.5, 1.0, 1.5])]
    np.testing.assert_allclose(shifted_beats(0.5)(beats, 0), [0.5, 1.5, 3.0, 5.0])
    np.testing.assert_allclose(shifted_beats(0.25)(beats, 0), [0.25, 1.25, 2.5, 4.5])
    assert beats_of_other_music(beats, 0) is beats[2]  # the next one has the same beats, but for rounding
    assert beats_of_other_music(beats, 2) is beats[0]
    assert beats_of_other_music(beats[:2], 0) is beats[1]


def test_phrases_go_on_where_the_last_one_was(real: Path) -> None:
    samples = DanceSamples(real, "val")
    before, after = samples[0].positions[:120], samples[8].positions[60:180]
    both = join_dances(before, after)
    assert len(both) == 240 - BLEND
    np.testing.assert_array_equal(both[: 120 - BLEND], before[: 120 - BLEND])
    lengths = bone_lengths(SMPL, both[120:]), bone_lengths(SMPL, after[BLEND:])
    np.testing.assert_allclose(*lengths, atol=1e-5)  # turned and moved, not bent
    np.testing.assert_allclose(both[120:, :, 1], after[BLEND:, :, 1], atol=1e-6)  # and not lifted
    step = np.linalg.norm(np.diff(both, axis=0), axis=-1).max(1)
    assert step[120 - BLEND - 1 : 122].max() < 0.1  # no joint leaps
    hips = both[120 - BLEND, SMPL.index("lhip")] - both[120 - BLEND, SMPL.index("rhip")]
    wanted = before[-BLEND, SMPL.index("lhip")] - before[-BLEND, SMPL.index("rhip")]
    assert np.degrees(np.arccos(hips @ wanted / np.linalg.norm(hips) / np.linalg.norm(wanted))) < 5


def test_a_fitted_distribution_measures_as_its_features_do() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(30, 5)), rng.normal(1, 2, (20, 5))
    assert metrics.frechet_distance(Normal.of(first), second) == metrics.frechet_distance(first, second)
    with pytest.raises(UsageError, match="5 features and the estimate 4"):
        metrics.frechet_distance(Normal.of(first), second[:, :4])


def test_curves_of_speed(tmp_path: Path) -> None:
    time = np.arange(120) / 60
    moving = np.tile(SMPL.rest, (120, 1, 1))
    moving[..., 0] += (1.5 * time)[:, None]
    dances = {name: Motion(places, 60.0, SMPL) for name, places in (("real", moving), ("made", moving * 0))}
    figure = speed_and_beats(dances, {"real": np.array([0.5]), "made": np.zeros(0)}, np.array([0.4, 0.9]))
    above, below = figure.axes
    assert (above.get_title("left"), below.get_title("left")) == ("real", "made")
    curve, dots = above.lines
    np.testing.assert_allclose(curve.get_ydata()[1:], 1.5, rtol=1e-3)
    np.testing.assert_allclose(dots.get_ydata(), [1.5], rtol=1e-3)
    assert len(above.collections[0].get_segments()) == 2
    assert below.lines[0].get_ydata().max() == 0
    figure.savefig(tmp_path / "curves.pdf")
    with pytest.raises(UsageError, match="two frames or more"):
        speed_and_beats({}, {}, np.zeros(0))
