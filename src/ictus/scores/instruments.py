"""Instruments: what scores call them, and how loud each is among the others."""

import re

PART_LEVELS = {  # how strong one part of each is beside a section of violins
    "strings": 0.9,
    "violins": 0.9,
    "violas": 0.9,
    "cellos": 0.9,
    "basses": 0.9,
    "solo string": 0.45,
    "pizzicato": 0.8,
    "flute": 0.35,
    "oboe": 0.35,
    "english horn": 0.35,
    "clarinet": 0.4,
    "bassoon": 0.4,
    "saxophone": 0.4,
    "horn": 0.4,
    "trumpet": 0.4,
    "trombone": 0.5,
    "tuba": 0.5,
    "choir": 0.7,
    "voice": 0.5,
    "organ": 0.5,
    "timpani": 0.7,
    "harp": 0.6,
    "harpsichord": 0.35,
    "piano": 0.7,
    "guitar": 0.6,
    "bells": 0.35,
    "bass drum": 0.7,
    "snare drum": 0.4,
    "cymbals": 0.4,
    "triangle": 0.25,
}
UNPITCHED = {"bass drum": 33, "snare drum": 55, "cymbals": 60, "triangle": 72}  # with the pitch they are played at

# What a part is called, most telling first; then the General MIDI families, by program number from 0.
_NAMES = [
    (pattern, instrument)
    for instrument, pattern in (
        ("timpani", r"timp|pauken|kettle"),
        ("bass drum", r"bass drum|gran cassa|grosse caisse|bass-drum|kick"),
        ("snare drum", r"snare|tambour|side drum|caisse|drum|tom"),
        ("cymbals", r"cymbal|becken|piatti|hi-?hat|tam-?tam|gong"),
        ("triangle", r"triang"),
        ("bells", r"celesta|glocken|vibra|xylo|marimba|bell|chime"),
        ("english horn", r"english.?horn|cor anglais|corno inglese|englischhorn"),
        ("bassoon", r"bassoon|fagott|sarrus"),
        ("flute", r"flute|fl.te|flauto|traverso|piccolo|recorder"),
        ("oboe", r"oboe|hautb"),
        ("clarinet", r"clarinet|klarinette|basset"),
        ("saxophone", r"\bsax"),
        ("trombone", r"trombon|posaune"),
        ("tuba", r"tuba|ophicleide|serpent|sousaphone"),
        ("trumpet", r"trumpet|trompete|tromba|cornet|clarino"),
        ("horn", r"horn|corn[oi]\b"),
        ("harpsichord", r"harpsichord|cembalo|clavecin|continuo"),
        ("organ", r"organ|orgel|harmonium|accord"),
        ("piano", r"piano|klavier|keyboard"),
        ("harp", r"harp|harfe|arpa"),
        ("guitar", r"guitar|lute|mandolin|theorbo"),
        ("solo string", r"(violin|viola|cello).*solo"),
        ("basses", r"contrabass|kontrabass|double bass|violone|\bbass[ei]\b|string bass|electric bass"),
        ("cellos", r"cello"),
        ("violas", r"viola\b|violas|bratsche"),
        ("violins", r"violin|violine"),
        ("voice", r"(soprano|alto|tenor|baritone|bass|voice).*solo"),
        ("choir", r"soprano|alto|tenor|bass\b|choir|chor|voice|vocal"),
        ("strings", r"string"),
    )
]
_FAMILIES = (
    *((8, "piano"), (16, "bells"), (24, "organ"), (32, "guitar"), (40, "basses"), (41, "violins"), (42, "violas")),
    *((43, "cellos"), (44, "basses"), (45, "strings"), (46, "pizzicato"), (47, "harp"), (48, "timpani")),
    *((52, "strings"), (55, "choir"), (56, "strings"), (57, "trumpet"), (58, "trombone"), (59, "tuba")),
    *((60, "trumpet"), (61, "horn"), (64, "trumpet"), (68, "saxophone"), (69, "oboe"), (70, "english horn")),
    *((71, "bassoon"), (72, "clarinet"), (80, "flute"), (104, "strings"), (112, "guitar"), (128, "bells")),
)


def instrument_from_name(name: str, program: int | None = None) -> str:
    """Return the instrument that a part's name means, or else its General MIDI program (0 to 127), or else strings."""
    for pattern, instrument in _NAMES:
        if re.search(pattern, name.lower()):
            return instrument
    if program is None:
        return "strings"
    return next(instrument for end, instrument in _FAMILIES if program < end)
