"""What scores call their instruments."""

import pytest

from ictus.scores.instruments import PART_LEVELS, UNPITCHED, instrument_from_name
from ictus.synthesis.instruments import INSTRUMENTS


@pytest.mark.parametrize(
    ("name", "instrument"),
    [
        ("Violin 1", "violins"),
        ("Viola", "violas"),
        ("Violoncello", "cellos"),
        ("Contrabass", "basses"),
        ("Violin solo", "solo string"),
        ("Flauto traverso", "flute"),
        ("Oboe d'amore 2", "oboe"),
        ("English Horn", "english horn"),
        ("Bb basso Horn 1", "horn"),
        ("Bb Clarinet 2", "clarinet"),
        ("A Bass Clarinet", "clarinet"),
        ("Contrabassoon", "bassoon"),
        ("F Trumpet", "trumpet"),
        ("Tromba 3", "trumpet"),
        ("Bass Trombone", "trombone"),
        ("Bass Tuba", "tuba"),
        ("Pauken", "timpani"),
        ("Bass Drum", "bass drum"),
        ("Triangle", "triangle"),
        ("Cymbals", "cymbals"),
        ("Tambourine", "snare drum"),
        ("Harpsichord", "harpsichord"),
        ("Continuo", "harpsichord"),
        ("Harp", "harp"),
        ("Celesta", "bells"),
        ("Soprano", "choir"),
        ("Tenor solo", "voice"),
        ("Bass", "choir"),
    ],
)
def test_names(name: str, instrument: str) -> None:
    assert instrument_from_name(name) == instrument


def test_programs_where_names_mean_nothing() -> None:
    found = [instrument_from_name("x", program) for program in range(128)]
    assert set(found) <= set(INSTRUMENTS)
    assert [found[k] for k in (0, 40, 42, 43, 45, 47, 56, 60, 68, 71, 73)] == [
        *("piano", "violins", "cellos", "basses", "pizzicato", "timpani", "trumpet", "horn", "oboe", "clarinet"),
        "flute",
    ]
    assert instrument_from_name("x") == "strings"


def test_unpitched_instruments_exist() -> None:
    assert set(UNPITCHED) <= set(INSTRUMENTS) == set(PART_LEVELS)
