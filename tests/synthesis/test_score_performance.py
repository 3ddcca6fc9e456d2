"""Scores as music: their beats are exact, and a recording of one is followed, and of another refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.errors import IctusError
from ictus.scores.reader import read
from ictus.scores.score import Note, Part, Score
from ictus.synthesis.recording_conditions import RecordingConditions
from ictus.synthesis.score_alignment import align
from ictus.synthesis.score_performance import follow_recording, play_score
from ictus.synthesis.synthesizer import synthesize
from ictus.synthesis.tempo import Timing, held, humanised, imagined
from tiny_scores import attributes, bar, dynamics, musicxml, note, words

LEAD = 1.5


def changing(path: Path, tempo: int = 70) -> Score:
    """Two bars each of 3/4, 5/8 and 4/4."""
    bars = []
    for number, (count, kind) in enumerate([(3, 4), (3, 4), (5, 8), (5, 8), (4, 4), (4, 4)]):
        start = [attributes(count, kind)] if number % 2 == 0 else []
        start += [words("Moderato", f'<sound tempo="{tempo}"/>'), dynamics("p")] if number == 0 else []
        length = 1 if kind == 8 else 2
        ending = "<fermata/>" if number == 5 else ""
        notes = [note("cdefgab"[k] + "5", length, notations=ending * (k == count - 1)) for k in range(count)]
        bars.append(bar(*start, *notes))
    path.write_text(musicxml({"Violin": bars}))
    return read(path)


def test_beats_and_metres_of_a_score_are_exact(tmp_path: Path) -> None:
    played = play_score(changing(tmp_path / "a.musicxml"))
    beats, quarter = played.beats, 60 / 70
    assert beats.meters.tolist() == [3] * 6 + [5] * 10 + [4] * 8
    assert beats.positions.tolist() == [1, 2, 3] * 2 + [1, 2, 3, 4, 5] * 2 + [1, 2, 3, 4] * 2
    steps = np.repeat([quarter, quarter / 2, quarter], [6, 10, 7])
    np.testing.assert_allclose(np.diff(beats.times), steps, atol=2e-3)
    assert beats.times[0] == pytest.approx(LEAD)
    assert beats.duration == pytest.approx(played.audio.duration)
    assert played.audio.duration > beats.times[-1] + 2 * quarter + 2, "the fermata is held"
    np.testing.assert_allclose(beats.holds, (2.5 * quarter) * (np.arange(24) == 23), atol=2e-3)
    onsets = np.abs(played.audio.mono().samples[0, : round((LEAD - 0.05) * 44100)])
    assert onsets.max() < 1e-3, "silence, in which the first beat is prepared"


def test_fast_bars_of_five_are_beaten_in_two(tmp_path: Path) -> None:
    beats = play_score(changing(tmp_path / "a.musicxml", tempo=110)).beats
    assert beats.meters.tolist() == [3] * 6 + [2] * 4 + [4] * 8
    assert sorted(np.round(np.diff(beats.times)[6:10] * 110 / 60, 2).tolist()) == [1, 1, 1.5, 1.5]


def test_tempo_marks_begin_passages_of_their_own(tmp_path: Path) -> None:
    tune = [bar(note("c5", 4), note("e5", 4)) for _ in range(8)]
    for k, (name, tempo) in {0: ("Adagio", 40), 4: ("Allegro", 120)}.items():
        first = attributes(2, 2) if k == 0 else ""
        tune[k] = bar(first, words(name, f'<sound tempo="{tempo}"/>'), note("c5", 4), note("e5", 4))
    (tmp_path / "a.musicxml").write_text(musicxml({"Violin": tune}))
    beats = play_score(read(tmp_path / "a.musicxml")).beats
    assert beats.meters.tolist()[0] == 4, "20 halves a minute are divided"
    assert beats.meters.tolist()[-1] == 2, "60 are beaten as they are"
    assert np.diff(beats.times).max() < 1.6


def test_loudness_follows_the_dynamics(tmp_path: Path) -> None:
    bars = [bar(attributes(4, 4), dynamics("pp"), *[note("c5", 2)] * 4), bar(*[note("c5", 2)] * 4)]
    bars += [bar(dynamics("ff"), *[note("c5", 2)] * 4), bar(*[note("c5", 2)] * 4)]
    (tmp_path / "a.musicxml").write_text(musicxml({"Violin": bars}))
    loudness = play_score(read(tmp_path / "a.musicxml")).beats.loudness
    assert loudness[8:].min() > loudness[:7].max() + 0.2


def score(seed: int) -> Score:
    """Half a minute of chance: a tune over chords."""
    rng = np.random.default_rng(seed)
    scale = np.array([0, 2, 4, 5, 7, 9, 11]) + int(rng.integers(12))
    tune = tuple(Note(k / 2, 0.5, 60 + int(rng.choice(scale)), "") for k in range(96))
    chords = [scale[(int(root) + np.array([0, 2, 4])) % 7] for root in rng.integers(0, 7, 24)]
    low = tuple(Note(2.0 * k, 2.0, 48 + int(pitch), "") for k, chord in enumerate(chords) for pitch in chord)
    parts = (Part("Tune", "violins", tune), Part("Chords", "strings", low))
    beats = np.array([[q, q % 4 + 1, 4, 2] for q in range(48)], float)
    return Score(f"chance {seed}", np.array([[0.0, 96]]), np.array([[0.0, 0.6]]), parts, beats)


def test_a_performance_of_a_score_is_followed() -> None:
    piece, rng = score(1), np.random.default_rng(3)
    timing = humanised(imagined(piece, rng), piece, rng, scale=1.15)
    end = float(timing.seconds_at(np.array([piece.length]))[0])
    conditions = RecordingConditions.draw(rng)
    sound = synthesize(piece, rate=22050, seed=5, timing=timing, span=(-2.0, end + 1), conditions=conditions)
    found = follow_recording(piece, sound).beats
    truth = timing.seconds_at(piece.beats[:, 0]) + 2.0
    error = np.abs(found.times - truth)
    assert np.median(error) < 0.04
    assert np.percentile(error, 90) < 0.1
    control = 2.0 + held(piece).seconds_at(piece.beats[:, 0]) * (truth[-1] - 2.0) / held(piece).seconds_at(
        piece.beats[-1:, 0]
    )
    assert np.median(np.abs(control - truth)) > 3 * np.median(error), "a metronome of the same length"
    assert found.duration == pytest.approx(sound.duration)


def test_another_key_by_a_semitone_is_the_same_piece() -> None:
    piece = score(2)
    lower = tuple(replace(p, notes=tuple(replace(n, pitch=n.pitch - 1) for n in p.notes)) for p in piece.parts)
    sound = synthesize(replace(piece, parts=lower), rate=22050)
    times = align(piece, sound).seconds_at(piece.beats[:, 0])
    np.testing.assert_allclose(np.median(times - held(piece).seconds_at(piece.beats[:, 0])), 0, atol=0.03)


@pytest.mark.parametrize("other", [7, 8, 9])
def test_a_recording_of_another_piece_is_refused(other: int) -> None:
    with pytest.raises(IctusError, match="the recording is not of this score: it fits") as caught:
        align(score(1), synthesize(score(other), rate=22050))
    assert caught.value.option == "recording"


def test_recordings_of_nothing() -> None:
    with pytest.raises(IctusError, match="silent"):
        align(score(1), Audio(np.zeros((1, 22050 * 5), np.float32), 22050))
    noise = np.random.default_rng(0).normal(0, 0.1, 22050 * 30).astype(np.float32)
    with pytest.raises(IctusError, match="not of this score"):
        align(score(1), Audio(noise, 22050))


def test_holds_last_at_least_twice_as_long() -> None:
    piece = replace(score(1), fermatas=np.array([[4.0, 5.0]]))
    timing: Timing = held(piece)
    steps = np.diff(timing.seconds_at(np.array([3.0, 4.0, 5.0, 6.0])))
    assert steps[1] == pytest.approx(2.5 * steps[0], rel=0.05)
    assert steps[2] == pytest.approx(steps[0], rel=0.05)


# --- Scores that are unlike scores -----------------------------------------------------------------------------------


def test_a_score_without_metre_needs_one(tmp_path: Path) -> None:
    free = "<attributes><divisions>2</divisions><time><senza-misura/></time></attributes>"
    (tmp_path / "a.musicxml").write_text(musicxml({"Violin": [bar(free, *[note("c5", 2)] * 37)]}))
    piece = read(tmp_path / "a.musicxml")
    with pytest.raises(IctusError, match=r"the bar at 1\.5 s has 37 beats, for which there is no conducting pattern"):
        play_score(piece)
    beats = play_score(piece, meter=4).beats
    assert set(beats.meters.tolist()) == {4}


def test_bars_of_four_seconds_are_divided(tmp_path: Path) -> None:
    for count, kind, meter in ((1, 4, 4), (4, 4, 4), (1, 1, 4)):
        length = 2 if kind == 4 else 8
        first = (attributes(count, kind), words("", f'<sound tempo="{60 * count * 4 / kind / 4:g}"/>'))
        bars = [bar(*(first if k == 0 else ()), *[note("c5", length)] * count) for k in range(4)]
        (tmp_path / "a.musicxml").write_text(musicxml({"Violin": bars}))
        beats = play_score(read(tmp_path / "a.musicxml")).beats
        assert beats.meter == meter
        np.testing.assert_allclose(np.diff(beats.downbeats), 4.0, atol=0.01)


def test_forty_parts(tmp_path: Path) -> None:
    bars = [bar(attributes(2, 4), note("c5", 2), note("e5", 2)), bar(note("c5", 2), note("e5", 2))]
    (tmp_path / "a.musicxml").write_text(musicxml({f"Violin {k}": bars for k in range(40)}))
    played = play_score(read(tmp_path / "a.musicxml"))
    assert len(played.beats) == 4
    assert np.abs(played.audio.samples).max() <= 1


def test_one_note(tmp_path: Path) -> None:
    (tmp_path / "a.musicxml").write_text(musicxml({"Violin": [bar(attributes(4, 4), note("c5", 2))]}))
    assert len(play_score(read(tmp_path / "a.musicxml")).beats) == 1
