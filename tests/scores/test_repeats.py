"""In which order bars are played."""

import numpy as np
import pytest

from ictus.scores.repeats import NavigationMarks, playing_order, unfold
from ictus.scores.score import Note, Part, Score


def order(signs: str) -> str:
    """Play bars given as words: letters of their signs; the answer counts bars from a."""
    bars = []
    for word in signs.split():
        bars.append(
            NavigationMarks(
                forward="[" in word,
                backward=(3 if "3]" in word or "t" in word else 2) if "]" in word else 0,
                endings=frozenset(int(d) for d in word if d in "1234") if "e" in word else frozenset(),
                segno="s" if "S" in word else None,
                coda="c" if "C" in word else None,
                to_coda="c" if "T" in word else None,
                fine="F" in word,
                da_capo="D" in word,
                dal_segno="s" if "J" in word else None,
            )
        )
    return "".join(chr(97 + k) for k in playing_order(bars))


@pytest.mark.parametrize(
    ("signs", "played"),
    [
        (". . .", "abc"),
        (". .] .", "ababc"),
        (". [ ] .", "abcbcd"),
        (". [] [] .", "abbccd"),
        (".3] .", "aaab"),
        (". [ e1] e2 .", "abcbde"),
        ("[ . e1 e1] e2 e2 . ]", "abcdabefghgh"),  # what follows the last ending is a passage of its own
        (". .F . .D", "abcdab"),
        (". .]F [ .]D", "ababcdcdab"),
        (".S . .T . .J .C .", "abcdeabcfg"),
        (". .S e1] e2 .T . .D .C", "abcabdefgabdeh"),  # after da capo: no repeats, last ending
        ("[ e1] e2] e3 .", "abacade"),  # as often as the highest number says
        ("[ e12] e3 .", "ababacd"),
        ("[ e13] e24] .", "abacabacd"),
        ("[ e1 e2 . ] .", "abdeacdef"),  # endings within a passage
        ("[ . e1 e2 e3 . F e1] e2] .", "abcfghabdfgiabefgj"),
        ("[ ] e2 .", "ababcd"),  # the first ending is not marked
        ("[ e12t] e2 .", "ababacd"),  # nothing is left out, where numbers do not go as far as turns
        (". e1 e2 .", "abcd"),  # nothing leads back
        (". e1 e2 [ ] .", "abcdedef"),
        ("e2", "a"),
        ("e2]", "a"),
        (". e1 e2 D", "abdacd"),
        ("[ e1F] e2 .D", "abacdab"),  # the fine is not passed by
    ],
)
def test_playing_order(signs: str, played: str) -> None:
    assert order(signs) == played


def test_signs_that_lead_nowhere_are_passed_over() -> None:
    assert order(". .J .T") == "abc"


def test_unfolding_repeats_notes_curves_and_beats() -> None:
    notes = tuple(Note(q, 1, 60 + q) for q in range(4))
    beats = np.array([[q, q % 2 + 1, 2, 2] for q in range(4)], float)
    tempo, loud = np.array([[0.0, 60], [4, 100]]), np.array([[0.0, 0.2], [1.99, 0.2], [2, 0.9]])
    score = Score("x", tempo, loud, (Part("a", "flute", notes, 1.0, loud),), beats, np.array([[3.0, 4]]))
    played = unfold(score, np.array([0.0, 2, 4]), [0, 1, 1])
    assert [n.pitch for n in played.parts[0].notes] == [60, 61, 62, 63, 62, 63]
    assert [n.onset for n in played.parts[0].notes] == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(played.beats[:, 1], [1, 2, 1, 2, 1, 2])
    np.testing.assert_array_equal(played.fermatas, [[3, 4], [5, 6]])
    at = np.array([1.0, 2.5, 3.9, 4.1, 5.5])
    np.testing.assert_allclose(played.loudness(at, played.parts[0]), [0.2, 0.9, 0.9, 0.9, 0.9])
    np.testing.assert_allclose(np.interp(at, *played.tempo.T), [70, 85, 99, 81, 95], atol=0.1)
    np.testing.assert_array_equal(played.sections, [0, 4])
