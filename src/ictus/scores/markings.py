"""What the words and signs in a score mean: dynamics as loudness, tempo words as quarters a minute."""

import contextlib
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ictus.types import Float64Array

LEVELS = {
    **{"pppp": 0.06, "ppp": 0.12, "pp": 0.22, "p": 0.36, "mp": 0.47, "mf": 0.58, "f": 0.72, "ff": 0.88},
    **{"fff": 0.97, "ffff": 1.0, "fp": 0.36, "sfp": 0.36, "sfpp": 0.22, "pf": 0.6},
}
ACCENTS = {"sf", "sfz", "sff", "sffz", "fz", "rf", "rfz", "fp", "sfp", "sfpp"}
_UNMARKED = 0.55  # loudness until something is written
_STEP = 0.16  # how far a hairpin leads that no dynamic follows
_REACH = 48.0  # quarters for which "cresc." goes on looking for the next dynamic
_JUST_BEFORE = 1 / 1024  # quarters: a step is two corners, this far apart

_FORMATTING = re.compile(r"<[^<>]*>")  # which some programs leave in words
_GROWING = re.compile(r"\bcresc|\bcrescendo|più forte|rinforz")
_FADING = re.compile(r"\b(de)cresc|\bdim(in)?\b|\bdimin|\bdecresc|diminuendo|morendo|perdendo|smorz|calando")

# Beats a minute, as editors and metronomes have them on average; the first word of this list that heads a text counts.
_WORDS = (
    *(("prestissimo", 200), ("presto", 176), ("vivacissimo", 168), ("allegrissimo", 160)),
    *(("allegretto", 108), ("allegro", 132), ("vivace", 152), ("vivo", 152), ("schnell", 150), ("vite", 150)),
    *(("larghetto", 60), ("larghissimo", 36), ("largo", 46), ("grave", 42), ("lento", 52)),
    *(("adagietto", 66), ("adagio", 56), ("andantino", 84), ("andante", 76), ("moderato", 100), ("langsam", 54)),
    *(("lent", 54), ("mässig", 92), ("modéré", 92)),
)
_HEADS = tuple(re.compile(rf"\W*+(?:\S++\s++){{{skipped}}}\W*+") for skipped in range(3))

# A metronome mark in words, such as "(♩. = c. 60)", and the quarters of what it counts; "M.M. 60" counts beats.
_NOTES = {
    **{"𝅗𝅥": 2.0, "\ueca3": 2.0, "metnotehalfup": 2.0, "half": 2.0, "minim": 2.0, "h": 2.0},
    **{"♩": 1.0, "𝅘𝅥": 1.0, "\ueca5": 1.0, "metnotequarterup": 1.0, "quarter": 1.0, "crotchet": 1.0, "q": 1.0},
    **{"♪": 0.5, "𝅘𝅥𝅮": 0.5, "\ueca7": 0.5, "metnote8thup": 0.5, "eighth": 0.5, "quaver": 0.5, "e": 0.5},
}
_NOTE = rf"(?P<dotted>dotted )?(?<![^\W_])(?P<note>{'|'.join(map(re.escape, _NOTES))})(?:[ -]note)?"
_METRONOME = re.compile(
    rf"(?:{_NOTE} ?(?P<dot>[.·\uecb7])? ?=|\bm\.? ?m\.? ?=?|^\W*=) ?(?P<speed>[^=\d]{{0,12}}\d+(?:[.,]\d+)?)"
)
_NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?")
_SLOWING = re.compile(r"\brit(\.|ard|en)|\brall|\bslent|\ballarg|zurückh|\bcéd")
_HASTENING = re.compile(r"\baccel|string(\.|endo)|\bpressez|beschleun")
_BACK = re.compile(r"\ba tempo|in tempo|tempo primo|tempo i\b|tempo 1|au mouv")
_DEFAULT_TEMPO = 92.0
_LONGEST_CHANGE = 12.0  # quarters over which rit. and accel. work where nothing ends them
FASTER, SLOWER = 1.2, 0.75


@dataclass(frozen=True)
class Ramp:
    """A hairpin, or a word such as cresc.: from a quarter to another (None: until something else is written)."""

    start: float
    end: float | None
    sign: int


def ramp_direction(words: str) -> int:
    """Return 1 where words ask for more sound, -1 for less, 0 for neither."""
    low = words.lower()
    if _FADING.search(low):
        return -1
    return 1 if _GROWING.search(low) else 0


def speed_of(text: str) -> float | None:
    """Return the number that a text is, or the first in one such as "c. 60", "(60)" or "60-66"; None if it has none."""
    with contextlib.suppress(ValueError):
        return float(text)
    found = _NUMBER.search(text)
    return float(found[0].replace(",", ".")) if found else None


def tempo_in_words(words: str, beat: float) -> float | None:
    """Return the quarters a minute of a metronome mark in words, if there is one; a beat has `beat` quarters."""
    if not _NUMBER.search(words):
        return None
    if not (found := _METRONOME.search(" ".join(_FORMATTING.sub("", words).lower().split()))):
        return None
    dotted = 1.5 if found["dot"] or found["dotted"] else 1.0
    return (speed_of(found["speed"]) or 0.0) * (dotted * _NOTES[found["note"]] if found["note"] else beat)


def loudness_from_markings(levels: Sequence[tuple[float, float]], ramps: Sequence[Ramp]) -> Float64Array:
    """Return (K, 2) corners of loudness over quarters, from dynamics and what lies between them."""
    levels = sorted(dict(levels).items())
    starts = np.array([quarter for quarter, _ in levels] + [np.inf])
    events = sorted([(q, 0, k) for k, (q, _) in enumerate(levels)] + [(r.start, 1, k) for k, r in enumerate(ramps)])
    now = _UNMARKED
    corners = [(0.0, levels[0][1] if levels and levels[0][0] < _REACH else now)]
    now = corners[0][1]
    for number, (quarter, kind, k) in enumerate(events):
        if kind == 0:
            corners += [(quarter - _JUST_BEFORE, now), (quarter, levels[k][1])]
            now = levels[k][1]
            continue
        following = int(np.searchsorted(starts, quarter, "right"))
        coming, ramp = float(starts[following]), ramps[k]
        end = ramp.end if ramp.end is not None else coming if coming - quarter < _REACH else quarter + 16
        end = min([end, coming] + [q for q, other, _ in events[number + 1 : number + 2] if other == 1 and q > quarter])
        goal = now + ramp.sign * _STEP
        if coming - end <= 4 and (levels[following][1] - now) * ramp.sign > 0.02:
            goal = levels[following][1]
        if end > quarter:
            corners += [(quarter, now), (end - _JUST_BEFORE, goal := float(np.clip(goal, 0.05, 1.0)))]
            now = goal
    return np.array(_in_order(corners))


def _usual_speed(text: str) -> int | None:
    """Return the beats a minute of the tempo word that is the first, second or third of a text."""
    places = [found.end() for head in _HEADS if (found := head.match(text))]
    return next((speed for word, speed in _WORDS if any(text.startswith(word, at) for at in places)), None)


def tempo_from_markings(
    marks: Sequence[tuple[float, float]], words: Sequence[tuple[float, str, float]]
) -> Float64Array:
    """Return (K, 2) corners of quarters a minute.

    Parameters
    ----------
    marks : quarter and quarters a minute, where a number is written.
    words : quarter, what is written there, and the beat's length in quarters (words count beats, not quarters).
    """
    steady = dict(marks)
    order = sorted(steady)
    changes: list[tuple[float, float]] = []
    for quarter, text, beat in sorted(words):
        low, k = text.lower(), bisect_left(order, quarter)
        if _SLOWING.search(low) or _HASTENING.search(low):
            changes.append((quarter, SLOWER if _SLOWING.search(low) else FASTER))
        elif all(abs(quarter - q) > 1 for q in order[max(0, k - 1) : k + 1]):
            if _BACK.search(low) and k:
                first = "tempo i" in low or "primo" in low or "1" in low
                steady[quarter] = steady[order[0 if first else k - 1]]
            elif usual := _usual_speed(low):
                steady[quarter] = usual * beat
            if quarter in steady:
                order.insert(k, quarter)
    if not order or order[0] > 1:
        steady[0.0] = steady[order[0]] if order else _DEFAULT_TEMPO
        order.insert(0, 0.0)
    corners: list[tuple[float, float]] = []
    for quarter, until in zip(order, [*order[1:], np.inf], strict=True):
        speed = steady[quarter]
        corners.append((max(quarter, 0.0), speed))
        for start, factor in changes[bisect_left(changes, (quarter,)) : bisect_left(changes, (until,))]:
            if start >= corners[-1][0]:
                end = min(until, start + _LONGEST_CHANGE)
                corners += [(start, speed), (end - _JUST_BEFORE, speed * factor)]
                if end < until:  # nothing ends it: the old tempo returns by itself
                    corners.append((end, speed))
        if until < np.inf:
            corners.append((until - _JUST_BEFORE, corners[-1][1]))
    return np.array(_in_order(corners))


def _in_order(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Drop corners that go back, so that the curve is a function of the quarter."""
    kept = corners[:1]
    for quarter, value in corners[1:]:
        if quarter > kept[-1][0]:
            kept.append((quarter, value))
        elif quarter == kept[-1][0]:
            kept[-1] = (quarter, value)
    return kept
