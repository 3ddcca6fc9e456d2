"""The band: its songs are what they say, and their beats are where they say."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import signal

from ictus.errors import UsageError
from ictus.scores.score import Part, Score
from ictus.synthesis.band import arrange, band_timing, compose_song
from ictus.synthesis.instruments import INSTRUMENTS
from ictus.synthesis.song_form import draw_song_form
from ictus.synthesis.styles import SOUNDS, STYLES
from ictus.synthesis.synthesizer import synthesize
from ictus.synthesis.tempo import written

FOUR_ON_THE_FLOOR = ("disco", "house")
SWUNG = ("swing", "shuffle blues", "swing in five")
STRAIGHT = ("rock", "disco", "waltz", "polka", "country", "jig")


def drawn(seed: int, style: str | None = None) -> Score:
    return compose_song(np.random.default_rng(seed), style)


def onsets(score: Score, *names: str) -> np.ndarray:
    return np.array([note.onset for part in score.parts if part.name in names for note in part.notes])


def places(score: Score, *names: str) -> Counter[float]:
    """How often sounds are struck at each place of the bar, in quarters."""
    bars = score.beats[score.beats[:, 1] == 1, 0]
    struck = onsets(score, *names)
    struck = struck[struck >= bars[0] - 1e-6]
    since = struck - bars[np.searchsorted(bars, struck + 1e-6, "right") - 1]
    return Counter(np.round(since, 3).tolist())


def test_the_same_seed_gives_the_same_song() -> None:
    one, same, other = drawn(1), drawn(1), drawn(2)
    assert one.title == same.title != other.title
    assert one.parts[0].notes == same.parts[0].notes
    for left, right in zip(one.parts, same.parts, strict=True):
        assert left.notes == right.notes
        np.testing.assert_array_equal(left.dynamics, right.dynamics)
    times = [band_timing(one, np.random.default_rng(3)).seconds for _ in range(2)]
    np.testing.assert_array_equal(*times)


def test_every_style_is_drawn() -> None:
    styles = Counter(draw_song_form(np.random.default_rng(seed)).style for seed in range(600))
    assert set(styles) == set(STYLES)
    assert styles["rock"] > styles["swing in five"]


def test_an_unknown_style_is_refused_in_one_line() -> None:
    with pytest.raises(UsageError, match=r"there is no style 'gamelan'; there are rock") as refused:
        drawn(0, "gamelan")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", STYLES)
def test_patterns_fit_their_bars(name: str) -> None:
    style = STYLES[name]
    lines = [text for groove in (*style.grooves, *style.percussion) for text in groove.values()]
    for text in (*lines, *style.bass, *style.chords):
        assert len(text) % style.bar == 0 or style.bar % len(text) == 0, text
    assert set("".join(lines)) <= set("-xXg?")
    assert set("".join(style.bass)) <= set("-=135678nwc")
    assert set("".join(style.chords)) <= set("-=xXna")
    assert {len(cell) for cell in style.cells} == {style.beat}
    for fill in style.fills:
        assert len({len(text) for text in fill.values()}) == 1
        assert max(map(len, fill.values())) <= 2 * style.bar
    sounds = {sound for lines in (*style.grooves, *style.percussion, *style.fills) for sound in lines}
    assert all(SOUNDS[sound].drum for sound in sounds)
    assert set(style.players) == {"bass", "chords", "melody", "pad"}
    assert not any(SOUNDS[sound].drum for sounds in style.players.values() for sound in sounds)


def test_sounds_can_be_played() -> None:
    for sound in SOUNDS.values():
        assert sound.instrument in INSTRUMENTS
        assert 0 <= sound.number <= 127
        assert 27 <= sound.number <= 87 or not sound.drum


@pytest.mark.parametrize("name", STYLES)
def test_every_style_sounds(name: str) -> None:
    for seed in range(2):
        score = drawn(seed, name)
        assert 100 < float(written(score).seconds_at(np.array([score.length]))[0]) < 240
        assert len(score.parts) >= 3
        for part in score.parts:
            sound = SOUNDS[part.name]
            assert part.instrument == sound.instrument
            assert part.notes
            for note in part.notes:
                assert note.pitch == sound.number if sound.drum else 26 <= note.pitch <= 88
                assert note.onset >= -1e-6
                assert note.length > 0
            assert 0 <= part.dynamics[:, 1].min() <= part.dynamics[:, 1].max() <= 1
            assert (np.diff(part.dynamics[:, 0]) > 0).all()


@pytest.mark.parametrize("name", STYLES)
def test_beats_are_regular_and_keep_the_metre(name: str) -> None:
    style = STYLES[name]
    for seed in range(2):
        plan = draw_song_form(np.random.default_rng(seed), name)
        score = arrange(plan, np.random.default_rng(seed))
        np.testing.assert_allclose(np.diff(score.beats[:, 0]), style.beat / 4)
        assert score.beats[0, 0] == 0
        assert {(before % style.meter) + 1 == after for before, after in pairwise(score.beats[:, 1])} == {True}
        assert (score.beats[:, 2:] == (style.meter, style.division)).all()
        steps = np.diff(written(score).seconds_at(score.beats[:, 0]))
        np.testing.assert_allclose(60 / steps, plan.tempo, rtol=1e-6)
        assert style.tempo[0] - 0.5 <= plan.tempo <= style.tempo[1] + 0.5
        assert score.length == pytest.approx(score.beats[-1, 0] + style.beat / 4)
        assert set(score.sections) <= set(score.beats[:, 0]) | {0.0}


def test_about() -> None:
    plan = draw_song_form(np.random.default_rng(0), "jig")
    about = plan.about()
    assert (about["style"], about["metre"]) == ("jig", "6/8")
    assert about["bpm"] == pytest.approx(plan.tempo, abs=0.01)
    assert about["form"][-1] == "end"
    assert plan.title.startswith("jig in ")
    assert plan.title.endswith("6/8")


@pytest.mark.parametrize("name", FOUR_ON_THE_FLOOR)
def test_four_on_the_floor(name: str) -> None:
    kicks = sum((places(drawn(seed, name), "kick") for seed in range(4)), Counter[float]())
    on = sum(kicks[float(beat)] for beat in range(4))
    assert on / sum(kicks.values()) > 0.95
    assert min(kicks[float(beat)] for beat in range(4)) > 0.8 * max(kicks.values())


@pytest.mark.parametrize("name", ["disco", "funk", "country", "shuffle blues"])
def test_backbeat(name: str) -> None:
    struck = sum((places(drawn(seed, name), "snare", "clap", "side stick") for seed in range(6)), Counter[float]())
    two, four = struck[1.0], struck[3.0]
    assert min(two, four) > 2 * max(struck[0.0], struck[2.0])


def test_one_drop_and_skank() -> None:
    scores = [drawn(seed, "reggae") for seed in range(6)]
    kicks = sum((places(score, "kick") for score in scores), Counter[float]())
    assert kicks[2.0] == max(kicks.values())


def test_waltz_and_compound_metre() -> None:
    waltz = sum((places(drawn(seed, "waltz"), "kick") for seed in range(4)), Counter[float]())
    assert waltz[0.0] > 0.8 * sum(waltz.values())
    slow = sum((places(drawn(seed, "slow six-eight"), "snare", "side stick") for seed in range(4)), Counter[float]())
    assert slow[1.5] > 3 * slow[0.0]


@pytest.mark.parametrize("name", SWUNG)
def test_swing_moves_what_is_off_the_beat(name: str) -> None:
    plan = draw_song_form(np.random.default_rng(1), name)
    assert plan.swing > 0.55
    score = arrange(plan, np.random.default_rng(1))
    late = np.concatenate([onsets(score, part.name) for part in score.parts]) % 1
    between = late[(late > 0.3) & (late < 0.9)]
    assert len(between) > 100
    assert np.median(between) == pytest.approx(plan.swing, abs=1e-6)
    assert not (np.abs(late - 0.5) < 1e-3).any()


@pytest.mark.parametrize("name", STRAIGHT)
def test_straight_styles_stay_on_the_sixteenths(name: str) -> None:
    score = drawn(2, name)
    every = np.concatenate([onsets(score, part.name) for part in score.parts]) * 4
    np.testing.assert_allclose(every, np.round(every), atol=1e-6)


def test_the_bass_plays_roots_on_downbeats() -> None:
    above = {
        "I": 0,
        "i": 0,
        "ii": 2,
        "II": 2,
        "iii": 4,
        "IV": 5,
        "iv": 5,
        "V": 7,
        "v": 7,
        "vi": 9,
        "bVI": 8,
        "bVII": 10,
    }
    for seed in range(5):
        plan = draw_song_form(np.random.default_rng(seed), "country")
        score = arrange(plan, np.random.default_rng(seed))
        words = [
            word for s in plan.sections for word, _ in zip(s.progression.split() * s.bars, range(s.bars), strict=False)
        ]
        bars = plan.sections[0].bars if plan.upbeat else 0
        downbeats = score.beats[score.beats[:, 1] == 1, 0]
        bass = next(part for part in score.parts if part.name in STYLES["country"].players["bass"])
        roots = {
            float(start): (plan.tonic + above[word.split(",")[0].rstrip("7")]) % 12
            for start, word in zip(downbeats[:-1], words[bars:-1], strict=True)
        }
        found = [note.pitch % 12 == roots[note.onset] for note in bass.notes if note.onset in roots]
        assert len(found) > 20
        assert all(found)


def test_the_bass_walks_into_the_next_chord() -> None:
    steps: list[int] = []
    for seed in range(6):
        score = drawn(seed, "swing")
        bars = set(score.beats[score.beats[:, 1] == 1, 0])
        walking = next(part for part in score.parts if part.name == "upright bass").notes
        steps += [abs(b.pitch - a.pitch) for a, b in pairwise(walking) if b.onset in bars and a.length == 1]
    assert np.mean(np.array(steps) == 1) > 0.5


def test_choruses_repeat_their_tune() -> None:
    plan = draw_song_form(np.random.default_rng(4), "pop ballad")
    score = arrange(plan, np.random.default_rng(4))
    starts = plan.starts / 4 - (score.beats[0, 1] - 1)
    sung: list[list[tuple[float, int]]] = []
    tune = next(p for p in score.parts if p.name in STYLES["pop ballad"].players["melody"] and not has_chords(p))
    for section, start in zip(plan.sections, starts, strict=False):
        if section.name == "chorus" and "melody" in section.layers:
            middle = start + 4, start + 12  # an upbeat to what follows may change the end
            sung.append([(n.onset - start, n.pitch) for n in tune.notes if middle[0] <= n.onset < middle[1]])
    assert len(sung) >= 2
    assert sung[0]
    assert all(other == sung[0] for other in sung)


def has_chords(part: Part) -> bool:
    return max(Counter(note.onset for note in part.notes).values()) > 1


def test_songs_begin_in_many_ways() -> None:
    plans = [draw_song_form(np.random.default_rng(seed)) for seed in range(80)]
    first = Counter(plan.sections[0].name for plan in plans)
    assert {"count-in", "upbeat", "intro", "verse"} <= set(first)
    upbeats = [(seed, plan) for seed, plan in enumerate(plans) if plan.upbeat]
    for seed, plan in upbeats[:6]:
        score = arrange(plan, np.random.default_rng(seed))
        assert score.beats[0, 1] == plan.definition.meter - plan.upbeat + 1
        assert min(note.onset for part in score.parts for note in part.notes) == pytest.approx(0, abs=1e-6)


def test_some_sections_do_without_drums() -> None:
    plans = [draw_song_form(np.random.default_rng(seed), "rock") for seed in range(20)]
    without = [("drums" not in section.layers) for plan in plans for section in plan.sections]
    assert 0.1 < np.mean(without) < 0.5


def test_bands_keep_time_each_in_its_way() -> None:
    score = drawn(3, "funk")
    nominal = np.diff(written(score).seconds_at(score.beats[:, 0]))
    found: dict[str, list[float]] = {}
    for seed in range(40):
        played = band_timing(score, np.random.default_rng(seed))
        assert (np.diff(played.seconds) > 0).all()
        steps = np.diff(played.seconds_at(score.beats[:, 0]))
        assert np.median(steps / nominal) == pytest.approx(1, abs=0.08)
        found.setdefault(played.source, []).append(float(np.std(steps[:-8] / nominal[:-8])))
    machine, click, live, loose = (
        np.mean(found[f"a band, {name}"]) for name in ("machine", "to a click", "live", "loose")
    )
    assert machine < 1e-6 < click < live < loose < 0.08


def test_beats_are_in_the_sound() -> None:
    score = drawn(1, "house")
    score = replace(score, parts=tuple(part for part in score.parts if SOUNDS[part.name].drum))
    played = band_timing(score, np.random.default_rng(1))
    kicks = onsets(score, "kick")
    begin = float(played.seconds_at(kicks[len(kicks) // 2 :][:1])[0]) - 0.2
    audio = synthesize(score, rate=11025, timing=played, span=(begin, begin + 6))
    low = signal.sosfilt(signal.butter(4, 120, fs=audio.rate, output="sos"), audio.samples.mean(0))
    power = np.add.reduceat(low**2, np.arange(0, len(low), 110))  # 10 ms
    rising = np.maximum(np.diff(power), 0)
    beats = played.seconds_at(score.beats[:, 0]) - begin
    beats = beats[(beats > 0.1) & (beats < 5.2)]
    half = 0.5 * float(np.median(np.diff(beats)))

    def rise(at: np.ndarray) -> float:
        return float(np.mean([rising[round(100 * t) - 2 : round(100 * t) + 4].sum() for t in at]))

    assert rise(beats) > 3 * rise(beats + half)
