"""Words that say where to go: Fine, To Coda, D.C. al Fine, Dal Segno and their other spellings."""

import re
from collections.abc import Sequence

from ictus import limits
from ictus.scores.repeats import ANY, NavigationMarks

_SIGNS = str.maketrans({"𝄋": " segno ", "\ue047": " segno ", "𝄌": " coda ", "\ue048": " coda "})
_FORMATTING = re.compile(r"<[^<>]*>")  # which some programs leave in the text
_WORD = re.compile(r"[^\W\d_]+")
_JUMP = re.compile(r"(?:(?P<head>\w+) )?(?P<to>d c|dc|da capo|d s|ds|d segno|d[ae]l? segno)(?P<tail> .*)?")
_FINE = re.compile(r"(?:il )?fine?")
_TO_CODA = re.compile(r"(?:go |jump )?(?:to|al|alla|zur) (?:the )?coda")


def read_words(words: str, marks: NavigationMarks) -> bool:
    """Add what words ask for to the marks of their bar; return whether they ask for a jump that is not taken.

    A jump to the sign from the beginning ("D.C. al Segno") is not, nor one of a single movement ("Menuetto D.C.") if it
    is not said how far ("al Fine"): it would lead on into the trio.
    """
    if len(words) > limits.TEXT:
        return False
    text = " ".join(_WORD.findall(_FORMATTING.sub(" ", words.translate(_SIGNS)).lower()))
    if _FINE.fullmatch(text):
        marks.fine = True
    elif _TO_CODA.fullmatch(text):
        marks.to_coda = marks.to_coda or ANY
    elif text == "coda":
        marks.coda = marks.coda or ANY
    elif text == "segno":
        marks.segno = marks.segno or ANY
    elif jump := _JUMP.fullmatch(text):
        tail, from_start = jump["tail"] or "", jump["to"] in ("d c", "dc", "da capo")
        if (jump["head"] and not re.search("fine|coda", tail)) or (from_start and "segno" in tail):
            return True
        marks.da_capo |= from_start
        if not from_start:
            marks.dal_segno = marks.dal_segno or ANY
    return False


def pair_codas(bars: Sequence[NavigationMarks]) -> None:
    """Let the first of several signs of the coda call the last, where nothing else says from where to go there.

    A sign beside "To Coda" belongs to these words.
    """
    for marks in bars:
        marks.coda = None if marks.to_coda is not None and marks.coda == ANY else marks.coda
    signs = [marks for marks in bars if marks.coda == ANY]
    if len(signs) > 1 and all(marks.to_coda is None for marks in bars):
        signs[0].coda, signs[0].to_coda = None, ANY
        for marks in signs[1:-1]:
            marks.coda = None
