"""What words and signs mean."""

import numpy as np
import pytest

from ictus.scores.markings import (
    FASTER,
    LEVELS,
    SLOWER,
    Ramp,
    loudness_from_markings,
    ramp_direction,
    speed_of,
    tempo_from_markings,
    tempo_in_words,
)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("cresc.", 1),
        ("poco a poco cresc.", 1),
        ("più forte", 1),
        ("decresc.", -1),
        ("dim.", -1),
        ("dimin..", -1),
        ("morendo", -1),
        ("dolce", 0),
        ("Allegro", 0),
    ],
)
def test_ramp_meant(text: str, sign: int) -> None:
    assert ramp_direction(text) == sign


def loud(at: float, levels: list[tuple[float, float]], ramps: list[Ramp]) -> float:
    curve = loudness_from_markings(levels, ramps)
    assert (np.diff(curve[:, 0]) > 0).all()
    return float(np.interp(at, *curve.T))


def test_dynamics_are_steps() -> None:
    levels = [(0.0, LEVELS["p"]), (8.0, LEVELS["f"])]
    assert loud(7.9, levels, []) == LEVELS["p"]
    assert loud(8.0, levels, []) == LEVELS["f"]
    assert loud(99, levels, []) == LEVELS["f"]


def test_the_first_dynamic_holds_from_the_beginning() -> None:
    assert loud(0, [(4.0, LEVELS["pp"])], []) == LEVELS["pp"]


def test_a_hairpin_leads_to_the_next_dynamic() -> None:
    levels = [(0.0, LEVELS["p"]), (8.0, LEVELS["f"])]
    assert loud(6, levels, [Ramp(4, 8, 1)]) == pytest.approx((LEVELS["p"] + LEVELS["f"]) / 2, abs=0.01)


def test_a_word_leads_to_the_next_dynamic_however_far() -> None:
    levels = [(0.0, LEVELS["p"]), (24.0, LEVELS["ff"])]
    assert loud(14, levels, [Ramp(4, None, 1)]) == pytest.approx((LEVELS["p"] + LEVELS["ff"]) / 2, abs=0.01)


def test_a_hairpin_that_leads_nowhere_changes_a_little() -> None:
    end = loud(20, [(0.0, LEVELS["mf"])], [Ramp(4, 8, -1)])
    assert 0.3 < end < LEVELS["mf"] - 0.05


def test_swelling_and_falling() -> None:
    ramps = [Ramp(0, 4, 1), Ramp(4, 8, -1)]
    levels = [(0.0, LEVELS["p"]), (8.0, LEVELS["p"])]
    assert loud(3.9, levels, ramps) > loud(1, levels, ramps) > LEVELS["p"]
    assert loud(7.9, levels, ramps) == pytest.approx(LEVELS["p"], abs=0.02)


def tempo(at: float, marks: list[tuple[float, float]], words: list[tuple[float, str, float]]) -> float:
    curve = tempo_from_markings(marks, words)
    assert (np.diff(curve[:, 0]) > 0).all()
    return float(np.interp(at, *curve.T))


def test_numbers_go_before_words() -> None:
    assert tempo(0, [(0.0, 66)], [(0.0, "Allegro", 1.0)]) == 66


def test_words_count_beats() -> None:
    assert tempo(0, [], [(0.0, "Un poco Adagio", 1.5)]) == 56 * 1.5
    assert tempo(0, [], []) > 60


def test_a_word_in_a_long_sentence_is_none() -> None:
    assert tempo(10, [(0.0, 80)], [(8.0, "Melodie im gleichen Rhythmus, jedoch langsamer", 1.0)]) == 80


def test_slowing_until_the_tempo_returns() -> None:
    marks, words = [(0.0, 100.0)], [(8.0, "rit.", 1.0), (12.0, "a tempo", 1.0)]
    assert tempo(8, marks, words) == 100
    assert tempo(11.99, marks, words) == pytest.approx(100 * SLOWER, abs=0.5)
    assert tempo(12, marks, words) == 100


def test_hastening_that_nothing_ends() -> None:
    assert tempo(19.9, [(0.0, 100.0)], [(8.0, "accel.", 1.0)]) == pytest.approx(100 * FASTER, abs=0.5)
    assert tempo(30, [(0.0, 100.0)], [(8.0, "accel.", 1.0)]) == 100


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("c. 60", 60),
        ("(60)", 60),
        ("60-66", 60),
        ("ca. 72", 72),
        ("120.5", 120.5),
        ("76,5", 76.5),
        ("ca.", None),
        ("", None),
    ],
)
def test_the_first_number_counts(text: str, speed: float | None) -> None:
    assert speed_of(text) == speed


@pytest.mark.parametrize(
    ("words", "quarters"),
    [
        *(("♩ = 60", 60), ("Allegro (♩. = c. 60)", 90), ("𝅗𝅥=40-44", 80), ("\ueca7 = 120", 60), ("M.M. 50", 75)),
        *(
            ("dotted quarter = 60", 90),
            ("half note = 50", 100),
            ("<sym>metNoteQuarterUp</sym> = 80", 80),
            ("(= 40)", 60),
        ),
        *(("♩ = ♪", None), ("a 2", None), ("= ", None), ("Viol. 1 = 60", None), (" " * 5000, None)),
    ],
)
def test_metronome_marks_in_words(words: str, quarters: float | None) -> None:
    assert tempo_in_words(words, 1.5) == quarters


def test_tempo_primo_is_the_first() -> None:
    marks = [(0.0, 100.0), (8.0, 60.0)]
    assert tempo(20, marks, [(16.0, "Tempo I.", 1.0)]) == 100
    assert tempo(20, marks, [(16.0, "a tempo", 1.0)]) == 60
