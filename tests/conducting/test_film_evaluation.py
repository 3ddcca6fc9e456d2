"""Hands in films against the beats of the films' own music."""

import itertools
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.beats import Beats
from ictus.cli import main
from ictus.conducting.film_evaluation import ALL, OTHER, evaluate_films
from ictus.errors import IctusError
from ictus.pose.watch import watch
from people_with_sound import clicks, conducting, nobody, use_boxes, write
from pose.people_on_film import BoxEngine

LOOK = partial(watch, engine=BoxEngine())
STEADY = np.arange(0.4, 10, 0.6)


def never(audio: Audio) -> Beats:
    raise AssertionError("the music was listened to, though its beats are there")


def tap(film: Path, beats: object) -> None:
    times = np.asarray(beats, float)
    Beats(times, np.ones(len(times), int), 1).save(film.with_suffix(".csv"))


def test_hands_on_the_tapped_beats_and_hands_that_come_too_early(tmp_path: Path) -> None:
    film = write(tmp_path / "a.mp4", conducting(10, STEADY), None)  # tapped beats need no sound
    tap(film, STEADY)
    (row,) = evaluate_films([film], LOOK, never)
    values = {name: value for name, (value, _, _) in row.values.items()}
    assert values["beat_f"] > 0.9 > 0.5 > values["chance"]
    assert abs(values["lag"]) <= 0.03
    assert values["seen"] == pytest.approx(1, abs=0.01)
    tap(film, STEADY + 0.2)
    (row,) = evaluate_films([film], LOOK, never)
    assert row.values["beat_f"][0] < 0.1
    assert row.values["lag"][0] == pytest.approx(-0.2, abs=0.03)
    assert row.values["lag_f"][0] > 0.9


def test_the_beats_are_predicted_from_the_films_sound(tmp_path: Path) -> None:
    film = write(tmp_path / "a.mp4", conducting(10, STEADY), clicks(10, STEADY))

    def tracker(audio: Audio) -> Beats:
        sound = np.abs(audio.samples[0])
        loud = np.flatnonzero(sound > 0.25) / audio.rate
        times = loud[np.diff(loud, prepend=-1) > 0.1]
        return Beats(times, np.ones(len(times), int), 1)

    (row,) = evaluate_films([film], LOOK, tracker)
    assert row.values["beat_f"][0] > 0.9


def test_only_what_shows_hands_counts(tmp_path: Path) -> None:
    """A cut, a hall without people, and the conductor again: the beats keep their places."""
    scenes = [conducting(10, STEADY), nobody(4), conducting(10, STEADY, background=150)]
    film = write(tmp_path / "a.mp4", itertools.chain(*scenes), None)
    tap(film, np.concatenate((STEADY, [11, 12, 13], 14 + STEADY)))
    (row,) = evaluate_films([film], LOOK, never)
    assert row.values["beat_f"][0] > 0.9
    assert row.values["seen"][0] == pytest.approx(20 / 24, abs=0.02)


def test_films_together_beside_the_beats_of_others_and_bad_ones_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_boxes(monkeypatch)
    other = np.cumsum([0.3, *np.random.default_rng(1).uniform(0.35, 0.9, 20)])
    other = other[other < 10]
    for name, beats in (("a", STEADY), ("b", other)):
        tap(write(tmp_path / f"{name}.mp4", conducting(10, beats), None), beats)
    write(tmp_path / "dumb.mp4", conducting(4), None)
    tap(write(tmp_path / "empty.mp4", nobody(4), None), [1, 2, 3])
    tap(write(tmp_path / "one.mp4", itertools.islice(conducting(1), 1), None), [1, 2, 3])
    table = tmp_path / "table.json"
    command = ["evaluate", "conducting", "--protocol", "beats", "--data", str(tmp_path)]
    assert main([*command, "-o", str(table)]) == 1
    said = capsys.readouterr()
    rows = {row["model"]: row["figures"] for row in json.loads(table.read_text())}
    assert list(rows) == ["a.mp4", "b.mp4", ALL, OTHER]
    assert rows[ALL]["beat_f"]["value"] > 0.85
    assert rows[OTHER]["beat_f"]["value"] < 0.6
    wanted = ("dumb.mp4: has no sound; lay its beats beside it as dumb.csv", "empty.mp4: nobody is seen", "one.mp4: ")
    lines = said.err.splitlines()
    assert len(lines) == len(wanted)
    for line, words in zip(lines, wanted, strict=True):
        assert words in line
    assert main([*command, "--model", "maestro"]) == 2
    assert main(["evaluate", "conducting", "--protocol", "beats", "--data", str(tmp_path / "empty.mp4")]) == 1
    assert "nobody is seen" in capsys.readouterr().err.splitlines()[-1]


def test_a_single_film_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IctusError, match=r"a\.mp4: has no sound"):
        evaluate_films([write(tmp_path / "a.mp4", conducting(4), None)], LOOK, never)
