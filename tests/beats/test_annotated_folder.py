"""Recordings with tapped beats: what is beside what, in which words, and what trackers score on real ones."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.beats.annotated_folder import annotated_folder, read_beats
from ictus.beats.evaluation import PredictedBeats, evaluate_beats, predictor
from ictus.beats.metrics import level_f_measure, median_lag, phase_f_measure
from ictus.cli import main
from ictus.errors import IctusError, UsageError

BEATS = np.arange(0.5, 8, 0.5)


def put(folder: Path, name: str, beats: str, suffix: str = ".csv") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Audio(np.zeros((1, 8 * 8000), np.float32), 8000).save(folder / f"{name}.wav")
    (folder / f"{name}{suffix}").write_text(beats)


@pytest.mark.parametrize(
    ("suffix", "text", "positions"),
    [
        (".csv", "time,beat\n0.5,3\n1.0,1\n1.75,2\n", [3, 1, 2]),
        (".beats", "0.5\t3\n1.0\t1\n1.75\t2\n", [3, 1, 2]),
        (".txt", "# tapped\n0.5 3.0\n1.0 1.0\n1.75 2.0\n", [3, 1, 2]),
        (".txt", "0.5\n1.0\n1.75\n", [0, 0, 0]),
    ],
)
def test_the_forms_in_which_people_write_beats(tmp_path, suffix, text, positions):
    put(tmp_path, "song", text, suffix)
    (music,) = annotated_folder(tmp_path)
    assert (music.name, music.group) == ("song", "music")
    np.testing.assert_array_equal(music.times, [0.5, 1.0, 1.75])
    np.testing.assert_array_equal(music.positions, positions)


def test_groups_come_from_the_index_or_the_folder(tmp_path):
    put(tmp_path, "a", "0.5,1\n1,2\n")
    put(tmp_path / "waltzes", "b", "0.5,1\n1,2\n")
    Audio(np.zeros((1, 800), np.float32), 8000).save(tmp_path / "without.wav")
    assert [music.group for music in annotated_folder(tmp_path)] == ["music", "waltzes"]
    (tmp_path / "index.csv").write_text("name,group\na,march\n")
    assert [music.group for music in annotated_folder(tmp_path)] == ["march", "waltzes"]


def test_the_metre_is_that_of_most_bars(tmp_path):
    put(tmp_path, "a", "".join(f"{k / 2},{k % 3 + 1}\n" for k in range(10)))
    put(tmp_path, "b", "1,1\n2,2\n")
    assert [music.meter for music in annotated_folder(tmp_path)] == [3, None]


@pytest.mark.parametrize(
    "text",
    ["", "time,beat\n", "1,1\n0.5,2\n", "1,1\n1,2\n", "1,one\n", "1,1\nsoon,2\n", "nan,1\n1,1\n", "-1,1\n", "1,-1\n"],
)
def test_other_text_is_no_beats(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(IctusError, match=r"x\.csv"):
        read_beats(tmp_path / "x.csv")


def test_a_folder_without_beats(tmp_path, capsys):
    with pytest.raises(UsageError, match="no recordings with beats"):
        annotated_folder(tmp_path)
    assert main(["evaluate", "beats", "--data", str(tmp_path)]) != 0
    assert "no recordings with beats" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("found", "right", "level", "phase"),
    [
        (BEATS, 1, 1, 1),
        (np.arange(0.5, 7.6, 0.25), 2 / 3, 1, 2 / 3),  # twice as fast
        (BEATS[1::2], 14 / 22, 1, 14 / 22),  # half as fast
        (BEATS[2::3], 0.5, 1, 0.5),
        (BEATS[:-1] + 0.25, 0, 2 / 3, 1),  # off the beat: half of the beats twice as fast
    ],
)
def test_errors_of_level_and_phase_are_told_apart(tmp_path, found, right, level, phase):
    put(tmp_path, "a", "".join(f"{time},{k % 3 + 1}\n" for k, time in enumerate(BEATS)))
    (row,) = evaluate_beats({"x": lambda audio: PredictedBeats(found)}, annotated_folder(tmp_path))
    value = {metric: triple[0] for metric, triple in row.values.items()}
    assert value["beat_f"] == pytest.approx(right, abs=0.03)
    assert value["level_f"] == pytest.approx(level, abs=0.03)
    assert value["phase_f"] == pytest.approx(phase, abs=0.03)
    assert value["level_f"] == level_f_measure(BEATS, found)
    assert value["phase_f"] == phase_f_measure(BEATS, found)


def test_lag():
    assert median_lag(BEATS, BEATS + 0.03) == pytest.approx(0.03)
    assert median_lag(BEATS, BEATS - 0.02) == pytest.approx(-0.02)
    assert median_lag(BEATS, BEATS[:3] + 0.2) is None
    assert median_lag(BEATS, np.zeros(0)) is None


def test_what_is_not_told_is_not_counted(tmp_path):
    put(tmp_path, "a", "".join(f"{time}\n" for time in BEATS))
    put(tmp_path, "b", "".join(f"{time},{k % 4 + 1}\n" for k, time in enumerate(BEATS)))
    predict = {"x": lambda audio: PredictedBeats(BEATS, BEATS[::4], 4)}
    (row,) = evaluate_beats(predict, annotated_folder(tmp_path))
    assert [set(sample) & {"metre", "downbeat_f"} for sample in row.samples] == [set(), {"metre", "downbeat_f"}]
    assert row.values["metre"][0] == row.values["downbeat_f"][0] == 1


def test_madmom_where_it_is_installed(monkeypatch):
    with pytest.raises(UsageError, match="madmom is not installed"):
        predictor("madmom")
    module = types.ModuleType("madmom.features.downbeats")
    module.RNNDownBeatProcessor = lambda: lambda samples: len(samples)
    found = np.array([[0.5, 1], [1.0, 2], [1.5, 3], [2.0, 1]])
    module.DBNDownBeatTrackingProcessor = lambda beats_per_bar, fps: lambda length: found[: length // 44100]
    for name in ("madmom", "madmom.features"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "madmom.features.downbeats", module)
    predicted = predictor("madmom")(Audio(np.zeros((2, 4 * 8000), np.float32), 8000))
    np.testing.assert_array_equal(predicted.beats, found[:, 0])
    np.testing.assert_array_equal(predicted.downbeats, [0.5, 2.0])
    assert predicted.meter == 3


def test_real_recordings(shared_data, capsys):
    folder = shared_data / "real_beats"
    if not folder.is_dir():
        pytest.skip("needs real recordings with beats (../shared/data/real_beats)")
    recordings = [music for music in annotated_folder(folder) if music.group == "classical"][:6]
    rows = evaluate_beats({name: predictor(name) for name in ("beat-tracker", "classical")}, recordings)
    for row in rows:
        assert row.values["level_f"][0] > row.values["chance"][0] + 0.2
