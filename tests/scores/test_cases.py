"""Inputs that once were misread, hung or crashed: what is right for each."""

import re
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import IctusError
from ictus.scores import reader
from ictus.scores.score import Score

PITCHES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


@pytest.mark.parametrize(
    ("case", "notes"),
    [
        ("x01-three-endings", "C D C E C F G"),
        ("x04-ending-without-start", "C D E C D F G"),
        ("x05-dc-al-fine-words", "C D E C D"),
        *((case, "C D") for case in ("x07c-time-in-two-pairs", "x08b-per-minute-text", "x46-metronome-parentheses")),
        *((case, "C") for case in ("x10-namespace", "x12-mxl-no-container")),
    ],
)
def test_music_is_read_as_written(shared_data: Path, caplog: pytest.LogCaptureFixture, case: str, notes: str) -> None:
    (file,) = (shared_data / "cases" / case).iterdir()
    score = reader.read(file)
    assert " ".join(PITCHES[note.pitch % 12] for note in score.parts[0].notes) == notes
    assert len(caplog.records) == 0
    if "minute" in case or "metronome" in case:
        np.testing.assert_array_equal(score.tempo[:, 1], 60)
    if "pairs" in case:
        assert len(score.beats) == 14


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("x07d-time-fraction/in.musicxml", "part Violin, bar 1: time '2.5/4' is no time signature; passed over"),
        ("x08-tempo-not-a-number/in.musicxml", "part Violin, bar 1: tempo 'Allegro' is no number"),
        ("x15-empty-divisions/in.musicxml", "part Violin, bar 1: divisions are '0'.* correct it or export it again"),
        ("x19-octave-missing/in.musicxml", "part Violin, bar 1: a note of step 'C' and octave ''.* correct it or"),
        ("red/elements500m.mxl", "s.xml unpacks to 524 MB; at most 134 MB are read"),
        ("red/beats.musicxml", "part Violin, bar 1: time '1000000000/4' is no time signature"),
        ("red/tremolo.musicxml", "part Violin, bar 1: tremolo '40' is no number from 0 to 8"),
        ("red/trill.musicxml", "part Violin, bar 1: divisions are '1e-9'"),
        ("red/long-message.mxl", "damaged"),
        ("red/latin1.json.score", "it is no text in UTF-8"),
        ("m09-tempo-zero/in.mid", "track 1, quarter 0: 00 00 00 is no tempo"),
    ],
)
def test_what_is_wrong_is_said(shared_data: Path, caplog: pytest.LogCaptureFixture, case: str, message: str) -> None:
    file = shared_data / "cases" / case
    error = ""
    try:
        assert (Score.load if file.suffix == ".score" else reader.read)(file).parts
    except IctusError as caught:
        error = str(caught)
    assert re.search(f"^{file}: .*{message}", error or caplog.messages[0])
    assert error.isprintable()
    assert len(error) < len(str(file)) + 300
