"""Words that say where to go."""

import pytest

from ictus.scores.navigation import pair_codas, read_words
from ictus.scores.repeats import ANY, NavigationMarks

CAPO, SEGNO = NavigationMarks(da_capo=True), NavigationMarks(dal_segno=ANY)
FINE, TO_CODA, CODA = NavigationMarks(fine=True), NavigationMarks(to_coda=ANY), NavigationMarks(coda=ANY)


@pytest.mark.parametrize(
    ("words", "marks"),
    [
        *((words, CAPO) for words in ("D.C.", "D.C. al Fine", "d. c. AL FINE", "DC", "Da Capo al Fine", "Da capo")),
        *(
            (words, CAPO)
            for words in ("D.C. al Coda", "D.C. senza replica", "<b>Menuetto D.C.</b> al Fine", "D.C. al 𝄌")
        ),
        *(
            (words, SEGNO)
            for words in ("D.S.", "D. S. al Coda", "Dal Segno", "dal segno al fine", "D.𝄋 al Fine", "DS al Fine")
        ),
        *((words, FINE) for words in ("Fine", "FINE.", "[Fine]", "il fine")),
        *((words, TO_CODA) for words in ("To Coda", "al Coda", "To <sym>\ue048</sym>", "to coda 𝄌"[:7])),
        *((words, CODA) for words in ("Coda", "CODA", "𝄌")),
        ("𝄋", NavigationMarks(segno=ANY)),
        *((words, NavigationMarks()) for words in ("dim. al Fine", "rall. poco a poco al fine", "finement", "codetta")),
        *((words, NavigationMarks()) for words in ("Allegro", "", "d", "x" * 10_000, "segno " * 5000)),
    ],
)
def test_what_words_ask_for(words: str, marks: NavigationMarks) -> None:
    found = NavigationMarks()
    assert not read_words(words, found)
    assert found == marks


@pytest.mark.parametrize("words", ["Menuetto D.C.", "M. D. C. ", "Scherzo da capo", "senza D.C.", "D.C. al Segno"])
def test_a_jump_of_which_too_little_is_said_is_left_out(words: str) -> None:
    found = NavigationMarks()
    assert read_words(words, found)
    assert found == NavigationMarks()


def test_labels_are_kept() -> None:
    found = NavigationMarks(dal_segno="a", to_coda="b")
    for words in ("D.S. al Coda", "To Coda"):
        read_words(words, found)
    assert (found.dal_segno, found.to_coda) == ("a", "b")


def test_of_two_coda_signs_the_first_calls_the_second() -> None:
    bars = [NavigationMarks(), NavigationMarks(coda=ANY), NavigationMarks(), NavigationMarks(coda=ANY)]
    pair_codas(bars)
    assert [(one.to_coda, one.coda) for one in bars] == [(None, None), (ANY, None), (None, None), (None, ANY)]
