"""Tables: the truth is perfect, chance is not, intervals hold the value, and a better model has better figures."""

from pathlib import Path

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.conducting.data.conductor_motion import ConductorMotion
from ictus.conducting.evaluation import CHANCE, TRUTH, evaluate
from ictus.conducting.pipeline import Maestro
from ictus.errors import UsageError
from ictus.retargeting.projection import project


@pytest.fixture(scope="module")
def conducted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four recordings of 30 s, conducted at four tempi; column 0 of the mel says which recording it is."""
    root = tmp_path_factory.mktemp("conducted")
    for number, bpm in enumerate((70, 90, 110, 130)):
        times = np.arange(1, 29, 60 / bpm)
        motion = project(Maestro().perform(Beats(times, np.arange(len(times)) % 4 + 1, 4), 30, seed=number))
        folder = root / "val" / str(number)
        folder.mkdir(parents=True)
        np.save(folder / "motion.npy", motion.positions)
        np.save(folder / "mel.npy", np.full((2700, 128), number / 10, np.float32))
        np.savez(folder / "beats.npz", conducted_times=times)
    return root


def test_rows(conducted: Path) -> None:
    corpus = ConductorMotion(conducted, "val", seconds=30)
    real = {round(float(corpus[k]["mel"][0, 0]), 1): corpus[k]["motion"] for k in range(4)}

    def nearly(mel: np.ndarray, seed: int) -> np.ndarray:
        return real[round(float(mel[0, 0]), 1)] + np.float32(0.002)

    def still(mel: np.ndarray, seed: int) -> np.ndarray:
        return np.full((900, 13, 2), 0.5, np.float32)

    rows = {row.name: row for row in evaluate({"nearly": nearly, "still": still}, corpus)}
    assert list(rows) == [TRUTH, CHANCE, "nearly", "still"]
    for name, row in rows.items():
        for metric, (value, low, high) in row.values.items():
            assert low <= value <= high, (name, metric)
    value = {name: {metric: triple[0] for metric, triple in row.values.items()} for name, row in rows.items()}
    assert value[TRUTH]["rde"] == value[TRUTH]["sce"] == value[TRUTH]["mse"] == 0
    assert value[TRUTH]["sdp"] == value[CHANCE]["sdp"] == pytest.approx(100)
    assert value["still"]["sdp"] == 0
    for metric in ("rde", "sce", "mse"):
        assert value["nearly"][metric] < value["still"][metric]
        assert value["nearly"][metric] < value[CHANCE][metric]
    assert value[TRUTH]["beat_f"] > 0.97
    assert value[CHANCE]["beat_f"] < 0.5 > value[TRUTH]["beat_chance"]
    assert value["still"]["beat_f"] == 0
    assert value["nearly"]["seconds"] > 0
    assert "seconds" not in value[TRUTH]
    assert [sample["name"] for sample in rows["still"].samples] == [f"val/{k}@0" for k in range(4)]


def test_windows_of_one_take_do_not_narrow_the_interval(conducted: Path) -> None:
    def shifted(mel: np.ndarray, seed: int) -> np.ndarray:
        """Err by the number of the recording: all its windows alike."""
        return np.full((30 * len(mel) // 90, 13, 2), mel[0, 0], np.float32)

    widths = []
    for seconds in (30, 10):  # one window of each recording, and three
        windows = ConductorMotion(conducted, "val", seconds=seconds)
        _, low, high = evaluate({"shifted": shifted}, windows)[-1].values["mse"]
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0], rel=0.02)


def test_shuffled_pairs_are_of_other_recordings(tmp_path: Path) -> None:
    """Whatever the number of windows of each: one, three, two and four; a motion keeps to its recording's place."""
    for number, windows in enumerate((1, 3, 2, 4)):
        folder = tmp_path / "val" / str(number)
        folder.mkdir(parents=True)
        drift = np.random.default_rng(number).normal(0, 1e-4, (windows * 300, 13, 2)).cumsum(0)
        np.save(folder / "motion.npy", (drift + 10 * number).astype(np.float32))
        np.save(folder / "mel.npy", np.zeros((windows * 900, 128), np.float32))
    chance = evaluate({}, ConductorMotion(tmp_path, "val", seconds=10))[1]
    assert len(chance.samples) == 10
    assert min(float(sample["mse"]) for sample in chance.samples) > 50


def test_the_value_of_a_set_is_the_mean_over_its_windows(conducted: Path) -> None:
    """RDE and SCE of each window are logarithms, as in the authors' evaluation."""
    row = evaluate({"m": lambda mel, seed: np.full((900, 13, 2), mel[0, 0])}, ConductorMotion(conducted, "val"))[-1]
    for metric in ("rde", "sce"):
        parts = np.array([float(sample[metric]) for sample in row.samples])
        value, low, high = row.values[metric]
        assert value == pytest.approx(parts.mean(), rel=1e-9)
        assert value != pytest.approx(np.log1p(np.expm1(parts).mean()), rel=1e-4)
        assert parts.min() <= low < value < high <= parts.max()


def test_the_competition_asks_for_four_figures(conducted: Path) -> None:
    corpus = ConductorMotion(conducted, "val", seconds=30)
    rows = evaluate({"m": lambda mel, seed: np.full((900, 13, 2), 0.5, np.float32)}, corpus, protocol="prospective-cup")
    assert list(rows[-1].values) == ["rde", "sce", "sdp", "seconds"]


def test_wrong_use(conducted: Path) -> None:
    with pytest.raises(UsageError, match="protocol 'mine'"):
        evaluate({}, ConductorMotion(conducted, "val"), protocol="mine")
    with pytest.raises(UsageError, match="at least two"):
        evaluate({}, ConductorMotion(conducted, "val", limit_hours=0.001))
