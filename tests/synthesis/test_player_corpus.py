"""Recitals: scores become soloists whose bodies, sound and notes agree; the same whatever way they are made."""

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ictus.errors import IctusError, UsageError
from ictus.scores.score import Note, Part, Score
from ictus.sound.data.dataset import WINDOW, find_performances
from ictus.synthesis.player_corpus import make_player_corpus, plan_player_corpus
from ictus.synthesis.players.performers import PLAYERS
from ictus.synthesis.players.repertoire import excerpt_of, render_solo, solo_part
from ictus.synthesis.players.solo import Solo
from ictus.synthesis.tempo import written


def midi(notes: list[tuple[int, int, int]], program: int, division: int = 480) -> bytes:
    """A Standard MIDI File of one track; notes are onset and length in ticks, and pitch."""
    events = [(0, bytes([0xC0, program]))]
    for onset, length, pitch in notes:
        events += [(onset, bytes([0x90, pitch, 80])), (onset + length, bytes([0x80, pitch, 0]))]
    body, now = b"", 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        step, now = tick - now, tick
        body += (bytes([step >> 7 | 0x80]) if step > 127 else b"") + bytes([step & 127]) + message
    body += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 1, 1, division) + b"MTrk" + struct.pack(">I", len(body)) + body


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pieces for strings and flute, two to train on and one to validate."""
    folder = tmp_path_factory.mktemp("scores")
    rng = np.random.default_rng(0)
    for k, program in enumerate((40, 73, 42)):
        steps = rng.choice([62, 64, 66, 67, 69, 71, 73, 74], 90)
        (folder / f"piece_{k}.mid").write_bytes(midi([(240 * n, 230, int(p)) for n, p in enumerate(steps)], program))
    rows = "movement_id,split\npiece_0,train\npiece_1,train\npiece_2,val\n"
    (folder / "splits.csv").write_text(rows)
    return folder


def make(scores: Path, out: Path, **choices: Any) -> list[str]:
    lines: list[str] = []
    make_player_corpus(
        plan_player_corpus(scores, out, **{"hours": 0.01, "split": "train", **choices}), report=lines.append
    )
    return lines


@pytest.fixture(scope="module")
def corpus(scores: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of six excerpts."""
    out, done = tmp_path_factory.mktemp("corpus"), list[float]()
    plan = plan_player_corpus(scores, out, hours=0.025, split="train")
    assert make_player_corpus(plan, progress=done.append) == 6
    assert done[-1] == 1
    return out


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_a_corpus(corpus: Path) -> None:
    folders = sorted((corpus / "train").iterdir())
    assert [folder.name for folder in folders] == [f"{k:05d}-{name}" for k, name in enumerate(PLAYERS)]
    for folder, (instrument, player) in zip(folders, PLAYERS.items(), strict=True):
        about = json.loads((folder / "about.json").read_text())
        assert about["instrument"] == instrument
        assert about["synthetic"] is True
        assert about["piece"] in ("piece_0", "piece_1")
        sound, rate = soundfile.read(folder / "sound.flac")
        assert rate == 22050
        assert sound.ndim == 1
        mel, keypoints, notes = (np.load(folder / f"{name}.npy") for name in ("mel", "keypoints", "notes"))
        seconds = len(sound) / rate
        assert 10 <= seconds <= 20
        assert mel.shape == (pytest.approx(seconds * 22050 / 256, abs=1.5), 80)
        assert keypoints.shape == (pytest.approx(seconds * 25, abs=1), 47, 3)
        assert 0.02 < mel.mean() < 0.7
        assert player.lowest <= notes[:, 2].min() <= notes[:, 2].max() <= player.highest
        assert (notes[:-1, 0] + notes[:-1, 1] <= notes[1:, 0] + 1e-3).all()
        assert notes[-1, 0] + notes[-1, 1] <= seconds + 1e-3
    assert not (corpus / ".unfinished").exists()


def test_the_corpus_is_read_as_any_other(corpus: Path) -> None:
    found = find_performances(corpus, "train", ("keypoints",))
    assert not found.broken
    assert [one.instrument for one in found.performances] == list(range(6))
    for one in found.performances:
        assert one.frames >= WINDOW
        assert one.features("keypoints", 0, WINDOW).shape == (246, 47, 3)


def test_it_goes_on_where_it_stopped(scores: Path, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(corpus, out)
    whole = content(corpus)
    shutil.rmtree(out / "train" / "00001-violin")
    kept = (out / "train" / "00000-cello" / "about.json").stat().st_mtime_ns
    make(scores, out, hours=0.025)
    assert content(out) == whole
    assert (out / "train" / "00000-cello" / "about.json").stat().st_mtime_ns == kept


def test_a_shorter_corpus_is_the_beginning_of_a_longer_one(scores: Path, corpus: Path, tmp_path: Path) -> None:
    make(scores, tmp_path / "out", hours=0.004)
    short, whole = content(tmp_path / "out"), content(corpus)
    assert len(short) == 6
    assert all(whole[name] == data for name, data in short.items())


def test_pieces_keep_to_their_split(scores: Path, tmp_path: Path) -> None:
    orders = plan_player_corpus(scores, tmp_path / "out", hours=1.0)
    assert {order.split: {piece.name for piece in order.pieces} for order in orders} == {
        "train": {"piece_0", "piece_1"},
        "val": {"piece_2"},
    }
    assert {order.split: order.count for order in orders} == {"train": 213, "val": 27}


def test_another_corpus_is_refused(scores: Path, tmp_path: Path) -> None:
    plan_player_corpus(scores, tmp_path / "out", hours=1.0)
    with pytest.raises(UsageError, match="another seed"):
        plan_player_corpus(scores, tmp_path / "out", hours=1.0, seed=1)
    with pytest.raises(UsageError, match="hours"):
        plan_player_corpus(scores, tmp_path / "out", hours=0.0)
    with pytest.raises(UsageError, match="no split"):
        plan_player_corpus(scores, tmp_path / "out", hours=1.0, split="training")


def test_scores_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    scores = tmp_path / "scores"
    scores.mkdir()
    (scores / "splits.csv").write_text("movement_id,split\npiece_0,train\npiece_1,train\n")
    (scores / "piece_0.mid").write_bytes(b"nothing of the kind")
    (scores / "piece_1.mid").write_bytes(midi([(0, 480, 60)], 40))
    lines = make(scores, tmp_path / "out")
    assert any("piece_0.mid" in line for line in lines)
    assert any("piece_1.mid" in line and "24 notes" in line for line in lines)
    assert any("none of the 2 scores" in line for line in lines)


def score_of(notes: list[Note], instrument: str = "violins") -> Score:
    part = Part("a part", instrument, tuple(notes))
    return Score("", np.array([[0.0, 120.0]]), np.array([[0.0, 0.5]]), (part,), np.zeros((0, 4)))


def test_of_chords_the_highest_note_is_played() -> None:
    chords = [Note(k, 0.95, 60 + k % 5 + third) for k in range(30) for third in (0, 4, 7)]
    score = score_of(chords)
    _, solo = solo_part(score, written(score), "violin", (55, 98), np.random.default_rng(0))
    assert len(solo.notes) == 30
    assert np.ptp(solo.pitches - (67 + np.arange(30) % 5)) == 0


def test_parts_are_moved_into_the_range() -> None:
    score = score_of([Note(k, 1, 30 + k % 12) for k in range(30)])
    for instrument, player in PLAYERS.items():
        limits = (player.lowest, player.highest)
        _, solo = solo_part(score, written(score), instrument, limits, np.random.default_rng(1))
        assert limits[0] <= solo.pitches.min() <= solo.pitches.max() <= limits[1]
        steps = np.diff(solo.pitches - np.arange(30) % 12)
        assert (steps % 12 == 0).all()  # by one interval, and whole octaves


def test_long_rests_are_cut_short_and_slurs_kept() -> None:
    notes = [Note(2 * k + 40 * (k > 14), 2, 60 + k % 7, "~" if k % 2 == 0 else "") for k in range(30)]
    score = score_of(notes)
    _, solo = solo_part(score, written(score), "violin", (55, 98), np.random.default_rng(0))
    rests = solo.onsets[1:] - solo.ends[:-1]
    assert rests.max() == pytest.approx(1.3, abs=0.15)
    assert solo.slurred is not None
    assert solo.slurred.tolist() == [k % 2 == 1 and k != 15 for k in range(30)]


def test_excerpts_hold_what_falls_into_them() -> None:
    rows = [(0.5 * k, 0.45, 60 + k % 7, 0.5) for k in range(60)]
    part, start = excerpt_of(Solo(np.array(rows), 31.0), 10.0, np.random.default_rng(0))
    assert part.duration == 10
    beats = 2 * (part.onsets + start)
    np.testing.assert_allclose(beats, np.round(beats), atol=1e-9)
    assert len(beats) >= 19
    assert part.ends.max() <= 10
    with pytest.raises(IctusError, match="lasts"):
        excerpt_of(Solo(np.array(rows), 31.0), 40.0, np.random.default_rng(0))


@pytest.mark.parametrize("instrument", PLAYERS)
def test_the_sound_is_that_of_the_notes(instrument: str) -> None:
    """Its pitch by autocorrelation, and silence before and between."""
    low = PLAYERS[instrument].lowest + 12
    solo = Solo(np.array([[0.5, 0.8, low, 0.7], [2.0, 0.8, low + 5, 0.7]]), 3.0)
    audio = render_solo(solo, instrument, None, np.random.default_rng(3))
    assert audio.samples.shape == (1, 3 * 22050)
    for onset, _, pitch, _ in solo.notes:
        tone = audio.samples[0, round((onset + 0.3) * 22050) :][:8192]
        match = np.fft.irfft(np.abs(np.fft.rfft(tone, 1 << 15)) ** 2)[:2000]
        lags = 22050 / (440 * 2 ** ((np.arange(pitch - 6, pitch + 7) - 69) / 12))
        assert np.argmax(match[np.round(lags).astype(int)]) == 6
    before, during = (np.abs(audio.samples[0, round(22050 * t) :][:4000]).mean() for t in (0.1, 0.8))
    assert during > 10 * before


def test_takes_are_other_players_of_the_same_notes(scores: Path, corpus: Path, tmp_path: Path) -> None:
    make(scores, tmp_path / "more", takes=2)
    folders = sorted((tmp_path / "more" / "train").iterdir())
    assert folders
    for folder in folders:
        first, takes = np.load(folder / "keypoints.npy"), np.load(folder / "takes.npy")
        np.testing.assert_array_equal(first, np.load(corpus / "train" / folder.name / "keypoints.npy"))
        assert takes.shape == (2, *first.shape)
        assert all(np.abs(one[..., :2] - other[..., :2]).mean() > 5 for one, other in ((first, takes[0]), takes))
    make(scores, tmp_path / "more", takes=2, split="val")  # what is measured is played once
    assert not [*(tmp_path / "more" / "val").rglob("takes.npy")]
    with pytest.raises(UsageError, match="other takes"):
        make(scores, tmp_path / "more", takes=1)
