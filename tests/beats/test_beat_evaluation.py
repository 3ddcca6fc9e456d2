"""Beats in comparison: the annotation is perfect, half tempo is forgiven by AMLt alone, no beats score nothing."""

import json
from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.dataset import BeatDataset
from ictus.beats.evaluation import PredictedBeats, evaluate_beats, offline_predictor
from ictus.cli import main
from ictus.conducting.evaluation import hands
from ictus.conducting.pipeline import Maestro
from ictus.errors import UsageError

RATE = 22050


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pieces of 20 s, clicks in 3/4 and 4/4; two of one group, one of another."""
    root = tmp_path_factory.mktemp("corpus")
    for number, (bpm, meter, group) in enumerate([(72, 3, "march"), (96, 4, "march"), (120, 4, "waltz")]):
        folder = root / "val" / str(number)
        folder.mkdir(parents=True)
        times = np.arange(0.5, 19.5, 60 / bpm)
        positions = np.arange(len(times)) % meter + 1
        samples = np.zeros(20 * RATE, np.float32)
        click = np.exp(-np.arange(2000) / 200) * np.sin(np.arange(2000) * 0.6)
        for time, position in zip(times, positions, strict=True):
            at = round(time * RATE)
            samples[at : at + 2000] += (0.9 if position == 1 else 0.4) * click
        Audio(samples[None], RATE).save(folder / "music.flac")
        np.savez(
            folder / "beats.npz",
            conducted_times=times,
            conducted_positions=positions,
            conducted_meter=np.array(meter),
            about=np.array(json.dumps({"group": group})),
        )
    return root


def beats_of(corpus: Path, audio: Audio) -> Beats:
    """The true beats of a piece, known by its sound."""
    for recording in BeatDataset(corpus, "val").recordings:
        if np.array_equal(Audio.load(recording.folder / "music.flac").samples, audio.samples):
            return Beats(recording.times, recording.positions, recording.meter)
    raise AssertionError


def test_rows(corpus: Path) -> None:
    def truth(audio: Audio) -> Beats:
        return beats_of(corpus, audio)

    predictors = {
        "truth": offline_predictor(truth),
        "half": lambda audio: PredictedBeats(truth(audio).times[::2]),
        "nothing": lambda audio: PredictedBeats(np.zeros(0)),
        "hands": hands(Maestro(lambda audio, meter=None: truth(audio))),
    }
    rows = {row.name: row for row in evaluate_beats(predictors, BeatDataset(corpus, "val").recordings)}
    assert list(rows)[:3] == ["truth, march", "truth, waltz", "truth, all"]
    assert [len(rows[f"truth, {group}"].samples) for group in ("march", "waltz", "all")] == [2, 1, 3]
    value = {name: {metric: triple[0] for metric, triple in row.values.items()} for name, row in rows.items()}
    perfect = dict.fromkeys(("beat_f", "cmlt", "amlt", "downbeat_f", "metre"), 1.0)
    assert value["truth, all"].items() >= perfect.items()
    assert value["truth, all"]["chance"] < 0.5
    assert value["half, all"]["cmlt"] < 0.1
    assert value["half, all"]["amlt"] > 0.9
    assert "downbeat_f" not in value["half, all"]
    assert value["nothing, all"]["beat_f"] == value["nothing, all"]["amlt"] == 0
    assert value["hands, all"]["beat_f"] > 0.97
    low, high = rows["half, march"].values["beat_f"][1:]
    assert low <= value["half, march"]["beat_f"] <= high


def test_no_music(corpus: Path) -> None:
    with pytest.raises(UsageError, match="no music"):
        evaluate_beats({}, [])


def test_the_command(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "conducting", "--data", str(corpus), "--protocol", "beats", "--limit-hours", "0.02"]
    assert main([*words, "--model", "classical", "--model", "maestro", "-o", str(tmp_path / "t.md")]) == 0
    assert "classical, march" in capsys.readouterr().out
    assert (tmp_path / "t.md").read_text().startswith("|  | beat_f | chance |")
    assert main([*words, "--model", "classical", "--show", str(tmp_path / "shown"), "--shown", "1"]) == 0
    assert sorted(path.name for path in (tmp_path / "shown").iterdir()) == ["val-0.mp4", "val-0.png"]
    assert main([*words, "--model", "nobody"]) == 1
    assert "nobody" in capsys.readouterr().err
