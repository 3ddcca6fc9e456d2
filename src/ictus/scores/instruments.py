"""Instruments: what scores call them, and how loud a part of each is among the others."""

import re

from ictus import limits

# How strong one part of each is beside a section of violins, and what it is called (a pattern), the most telling first.
_INSTRUMENTS = {
    "timpani": (0.7, r"timp|pauken|kettle"),
    "bass drum": (0.7, r"bass drum|gran cassa|grosse caisse|bass-drum|kick"),
    "snare drum": (0.4, r"snare|tambour|side drum|caisse|drum|tom"),
    "cymbals": (0.4, r"cymbal|becken|piatti|hi-?hat|tam-?tam|gong"),
    "triangle": (0.25, r"triang"),
    "bells": (0.35, r"celesta|glocken|vibra|xylo|marimba|bell|chime"),
    "english horn": (0.35, r"english.?horn|cor anglais|corno inglese|englischhorn"),
    "bassoon": (0.4, r"bassoon|fagott|sarrus"),
    "flute": (0.35, r"flute|fl.te|flauto|traverso|piccolo|recorder"),
    "oboe": (0.35, r"oboe|hautb"),
    "clarinet": (0.4, r"clarinet|klarinette|basset"),
    "saxophone": (0.4, r"\bsax"),
    "trombone": (0.5, r"trombon|posaune"),
    "tuba": (0.5, r"tuba|ophicleide|serpent|sousaphone"),
    "trumpet": (0.4, r"trumpet|trompete|tromba|cornet|clarino"),
    "horn": (0.4, r"horn|corn[oi]\b"),
    "harpsichord": (0.35, r"harpsichord|cembalo|clavecin|continuo"),
    "organ": (0.5, r"organ|orgel|harmonium|accord"),
    "piano": (0.7, r"piano|klavier|keyboard"),
    "harp": (0.6, r"harp|harfe|arpa"),
    "guitar": (0.6, r"guitar|lute|mandolin|theorbo"),
    "solo string": (0.45, r"(violin|viola|cello).*solo"),
    "basses": (0.9, r"contrabass|kontrabass|double bass|violone|\bbass[ei]\b|string bass|electric bass"),
    "cellos": (0.9, r"cello"),
    "violas": (0.9, r"viola\b|violas|bratsche"),
    "violins": (0.9, r"violin|violine"),
    "voice": (0.5, r"(soprano|alto|tenor|baritone|bass|voice).*solo"),
    "choir": (0.7, r"soprano|alto|tenor|bass\b|choir|chor|voice|vocal"),
    "strings": (0.9, r"string"),
    "pizzicato": (0.8, None),  # a way of playing, which parts are not named after
}
PART_LEVELS = {name: level for name, (level, _) in _INSTRUMENTS.items()}
UNPITCHED = {"bass drum": 33, "snare drum": 55, "cymbals": 60, "triangle": 72}  # with the pitch they are played at

# The General MIDI families: the program number, from 0, before which each ends.
_FAMILIES = (
    *((8, "piano"), (16, "bells"), (24, "organ"), (32, "guitar"), (40, "basses"), (41, "violins"), (42, "violas")),
    *((43, "cellos"), (44, "basses"), (45, "strings"), (46, "pizzicato"), (47, "harp"), (48, "timpani")),
    *((52, "strings"), (55, "choir"), (56, "strings"), (57, "trumpet"), (58, "trombone"), (59, "tuba")),
    *((60, "trumpet"), (61, "horn"), (64, "trumpet"), (68, "saxophone"), (69, "oboe"), (70, "english horn")),
    *((71, "bassoon"), (72, "clarinet"), (80, "flute"), (104, "strings"), (112, "guitar"), (128, "bells")),
)


def instrument_from_name(name: str, program: int | None = None) -> str:
    """Return the instrument that a part's name means, or else its General MIDI program (0 to 127), or else strings."""
    called = name[: limits.TEXT].lower()
    for instrument, (_, pattern) in _INSTRUMENTS.items():
        if pattern and re.search(pattern, called):
            return instrument
    if program is None:
        return "strings"
    return next(instrument for end, instrument in _FAMILIES if program < end)
