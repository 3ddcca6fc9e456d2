"""Real scores: bars, beats and playing order as their corpus has them."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from ictus.scores.reader import read
from ictus.synthesis import tempo

MOVEMENTS = (
    "Bach_BWV.232_07b",  # 3/4
    "Brahms_Op.90_3",  # 3/8: one beat to the bar
    "Beethoven_Op.21_3",  # upbeats, four repeats, da capo al fine
)


@pytest.fixture
def openscore(shared_data: Path) -> Path:
    return shared_data / "openscore"


@pytest.mark.parametrize("name", MOVEMENTS)
def test_beats_and_bars(openscore: Path, name: str) -> None:
    score = read(openscore / f"{name}.mxl")
    with gzip.open(openscore / f"{name}.expanded.csv.gz", "rt") as source:
        rows = [(float(row["qstamp"]), float(row["tstamp"]), float(row["beat"])) for row in csv.DictReader(source)]
    ours = {round(row[0], 3): row[1] for row in score.beats.tolist()}
    for quarter, _, beat in rows:
        if abs(beat - round(beat)) < 1e-3:
            assert ours.get(round(quarter, 3)) == round(beat), quarter
        else:
            assert round(quarter, 3) not in ours
    quarters, seconds, _ = np.array(rows).T
    np.testing.assert_allclose(score.seconds(quarters), seconds, atol=0.5)


def test_every_note_falls_where_the_corpus_knows_an_event(openscore: Path) -> None:
    score = read(openscore / "Beethoven_Op.93_2.mxl")
    with gzip.open(openscore / "Beethoven_Op.93_2.expanded.csv.gz", "rt") as source:
        known = {round(float(row["qstamp"]), 2) for row in csv.DictReader(source)}
    onsets = {round(note.onset, 2) for part in score.parts for note in part.notes}
    assert len(onsets - known) < 0.02 * len(onsets)
    assert len(score.parts) == 15 + sum("pizzicato" in part.name for part in score.parts)


def test_a_recording_lends_its_tempo(openscore: Path) -> None:
    name = "Beethoven_Op.93_3"
    score = read(openscore / f"{name}.mxl")
    with np.load(openscore / f"{name}.alignment.npz") as file:
        seconds = file["tstamps"]
    for column in range(seconds.shape[1]):
        timing = tempo.recorded(score, openscore / f"{name}.alignment.npz", column)
        assert (np.diff(timing.seconds) > 0).all()
        last = float(timing.seconds_at(np.array([score.length]))[0])
        assert last == pytest.approx(seconds[-1, column] - seconds[0, column], rel=0.03)
        pace = 60 / np.diff(timing.seconds_at(score.beats[:, 0]))
        # No step of the alignment is left: from beat to beat the tempo hardly changes.
        assert np.percentile(np.abs(np.diff(np.log(pace))), 95) < 0.03


@pytest.mark.slow
def test_bars_of_many(openscore: Path) -> None:
    checked = 0
    scores = [openscore / file.name.replace(".mm.json", ".mxl") for file in openscore.glob("*.mm.json")]
    for score_file in sorted(scores, key=lambda file: file.stat().st_size)[:24]:  # short ones
        file = score_file.with_suffix(".mm.json")
        bars = json.loads(file.read_text())
        score = read(score_file)
        jumps = any(len(b["next"]) > 1 or b["next"][0] not in (b["count"] + 1, -1) for b in bars)
        if not jumps:
            last = bars[-1]
            end = last["qstamp"] + last["actual_length"]
            starts = score.beats[score.beats[:, 1] == 1, 0]
            assert starts[-1] < end
            assert score.beats[-1, 0] < end
            whole = {round(float(q), 3) for q in starts}
            for b in bars:
                if b["actual_length"] == b["nominal_length"]:
                    assert round(b["qstamp"], 3) in whole, (file.name, b["number"])
            checked += 1
    assert checked > 8
