"""The score that the package holds, and the text notation."""

import json
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import IctusError
from ictus.scores.score import Score
from ictus.synthesis.instruments import INSTRUMENTS


def test_ode_to_joy_is_whole() -> None:
    score = Score.ode_to_joy()
    assert score.length == 132
    assert {part.instrument for part in score.parts} <= set(INSTRUMENTS)
    np.testing.assert_array_equal(score.beats[:5, 1], [1, 2, 3, 4, 1])
    assert len(score.beats) == 132
    assert set(score.beats[:, 2]) == {4}
    assert score.seconds(np.array([0.0, 128.0]))[1] == pytest.approx(65.6, abs=0.5)


def write(path: Path, **changes: object) -> Path:
    content = {
        "title": "x",
        "meter": 3,
        "tempo": [[0, 60]],
        "dynamics": [[0, 0.2], [3, 0.8]],
        "parts": [{"name": "a", "instrument": "flute", "music": "C4:1.5~ D4:0.5' - | C4+E4:3>"}],
    }
    path.write_text(json.dumps({**content, **changes}))
    return path


def test_the_notation(tmp_path: Path) -> None:
    score = Score.load(write(tmp_path / "a.json"))
    notes = [(n.onset, n.length, n.pitch, n.mark) for n in score.parts[0].notes]
    assert notes == [(0, 1.5, 60, "~"), (1.5, 0.5, 62, "'"), (3, 3, 60, ">"), (3, 3, 64, ">")]
    np.testing.assert_array_equal(score.beats[:, 1], [1, 2, 3, 1, 2, 3])
    np.testing.assert_allclose(score.loudness(np.array([0.0, 1.5, 9.0])), [0.2, 0.5, 0.8])
    np.testing.assert_allclose(score.seconds(np.array([0.0, 2.5])), [0, 2.5], atol=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parts": [{"name": "a", "instrument": "flute", "music": "C4 H4 C4"}]}, "'H4' is no note"),
        ({"parts": [{"name": "a", "instrument": "flute", "music": "C4:3 | C4:2"}]}, "bar 2: holds 2 of 3"),
        ({"meter": "x"}, "not a score"),
        ({"tempo": [1, 2, 3]}, "not a score"),
        *(({"meter": meter}, "meter '.*' is none; write one such as 4") for meter in (0, -3, 2.5, 1e9, "3/0", [3])),
        *(({"tempo": tempo}, "tempo has to be pairs") for tempo in ([], [[0, 0]], [[0, 1e9]], [[0, float("nan")]])),
        ({"tempo": [[3, 60], [0, 60]]}, "tempo has to be pairs"),
        ({"dynamics": [[0, 2]]}, "dynamics has to be pairs"),
        ({"parts": [{"name": "a", "instrument": "flute"}]}, "'music' is missing"),
        ({"parts": [{"name": "a", "instrument": "kazoo", "music": ""}]}, "part a: 'kazoo' is no instrument"),
        ({"parts": [{"name": "a", "instrument": "flute", "from": 1e12, "music": "C4:3"}]}, "part a: begins"),
        ({"parts": [{"name": "a", "instrument": "flute", "music": "C4:" + "9" * 400}]}, "bar 1: holds inf of 3"),
        (
            {"parts": [{"name": "a", "instrument": "flute", "music": "C4:3|" * 6_666 + "C4:9"}]},
            "bar 6667: holds 9 of 3",
        ),
        ({"meter": 100, "parts": [{"name": "a", "instrument": "flute", "music": "C4:100|" * 200 + "C4:100"}]}, "20000"),
        (
            {"tempo": [[0, 3]], "parts": [{"name": "a", "instrument": "flute", "music": "C4:3|" * 5000 + "-:3"}]},
            "83 hours",
        ),
        ({"parts": 5}, "not a score"),
        (
            {"parts": [{"name": "\x1b]0;" * 999, "instrument": "flute", "music": "\x1b[31m" * 999}]},
            r"\.\.\. is no note|part \]0",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(IctusError, match=message) as caught:
        Score.load(write(tmp_path / "a.json", **changes))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_a_time_signature_as_meter(tmp_path: Path) -> None:
    parts = [{"name": "a", "instrument": "flute", "music": "C4:3 | C4:1.5 D4:1.5"}]
    beats = Score.load(write(tmp_path / "a.json", meter="6/8", parts=parts)).beats
    np.testing.assert_array_equal(beats, [[0, 1, 2, 3], [1.5, 2, 2, 3], [3, 1, 2, 3], [4.5, 2, 2, 3]])


@pytest.mark.parametrize(
    ("content", "message"), [(b"\xe9", "save it as UTF-8"), (b"[" * 100_000, "damaged"), (b"3", "not a")]
)
def test_other_texts_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(IctusError, match=message):
        Score.load(tmp_path / "a.json")
