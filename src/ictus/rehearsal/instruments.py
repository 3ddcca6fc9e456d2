"""Instruments: how each family sounds, where it sits, and what scores call it."""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sustained:
    """An instrument that is blown, bowed or sung.

    Attributes
    ----------
    overtones : relative strength of the first partials; beyond them it falls by `slope` dB an octave.
    slope : how dark it is; loud notes are brighter.
    attack, release : seconds.
    voices, detune : players in unison, and their spread in cents.
    vibrato : depth in cents.
    noise : breath or bow noise beside the tone.
    place : seat, -1 (left) to 1 (right).
    level : how strong one part of it is beside a section of violins.
    """

    overtones: tuple[float, ...]
    slope: float
    attack: float
    release: float
    voices: int = 1
    detune: float = 0.0
    vibrato: float = 0.0
    noise: float = 0.0
    place: float = 0.0
    level: float = 0.5


@dataclass(frozen=True)
class Struck:
    """An instrument that is plucked or beaten.

    Attributes
    ----------
    partials : frequency ratio and strength of each partial; none where there is no pitch.
    decay : seconds in which the first partial falls to 1/e; a partial of ratio r takes r**damping times less.
    noise, noise_decay, noise_band : strength, seconds and hertz (lowest, highest) of the stroke itself.
    release : seconds of its end where the player stops it; 0 where it rings on.
    """

    partials: tuple[tuple[float, float], ...]
    decay: float
    damping: float = 1.0
    noise: float = 0.0
    noise_decay: float = 0.012
    noise_band: tuple[float, float] = (0.0, 20000.0)
    release: float = 0.0
    place: float = 0.0
    level: float = 0.5


Instrument = Sustained | Struck


def _string_of(slope: float, count: int = 16) -> tuple[tuple[float, float], ...]:
    """Partials of a plucked string: harmonic, falling by `slope` dB an octave."""
    return tuple((float(k), k ** (-slope / 6)) for k in range(1, count + 1))


_STRINGS = Sustained((1, 0.9, 0.6, 0.55, 0.4, 0.35), 9, 0.055, 0.12, 4, 9, 11, 0.010, place=-0.2, level=0.9)
_OBOE = Sustained((0.6, 0.8, 1, 0.7, 0.4, 0.3), 12, 0.03, 0.06, 1, 0, 8, 0.006, place=0.05, level=0.35)
_BASSOON = Sustained((0.7, 1, 0.9, 0.6, 0.35, 0.2), 12, 0.035, 0.07, 1, 0, 3, 0.006, place=0.15, level=0.4)
_TROMBONE = Sustained((0.9, 1, 0.9, 0.7, 0.5, 0.4, 0.25), 10, 0.04, 0.09, 1, 0, 2, 0.004, place=0.45, level=0.5)
_PIZZICATO = Struck(_string_of(9, 12), 0.22, 0.6, noise=0.15, place=-0.2, level=0.8)
_VOICES = Sustained((1, 0.8, 0.5, 0.55, 0.5, 0.2, 0.1), 13, 0.07, 0.12, 5, 14, 18, 0.012, place=0.0, level=0.7)
_MEMBRANE = ((1.0, 1.6), (1.504, 1.12), (1.742, 0.48), (2.0, 0.64), (2.245, 0.4), (2.494, 0.32))

INSTRUMENTS: dict[str, Instrument] = {
    "strings": _STRINGS,
    "violins": replace(_STRINGS, place=-0.45),
    "violas": replace(_STRINGS, overtones=(1, 0.95, 0.7, 0.45, 0.4, 0.25), slope=10, place=0.2),
    "cellos": replace(_STRINGS, overtones=(0.9, 1, 0.7, 0.5, 0.4, 0.25), slope=10, place=0.4),
    "basses": replace(_STRINGS, overtones=(0.8, 1, 0.8, 0.5, 0.3, 0.2), slope=11, attack=0.07, detune=6, place=0.55),
    "solo string": replace(_STRINGS, voices=1, detune=0, vibrato=16, attack=0.04, place=-0.15, level=0.45),
    "pizzicato": _PIZZICATO,
    "flute": Sustained((1, 0.35, 0.12, 0.04), 18, 0.045, 0.08, 1, 0, 12, 0.03, place=-0.1, level=0.35),
    "oboe": _OBOE,
    "english horn": replace(_OBOE, overtones=(0.8, 1, 0.8, 0.5, 0.3), slope=13),
    "clarinet": Sustained((1, 0.06, 0.7, 0.08, 0.4, 0.1, 0.25), 12, 0.035, 0.07, 1, 0, 2, 0.008, place=0.1, level=0.4),
    "bassoon": _BASSOON,
    "saxophone": replace(_BASSOON, overtones=(0.8, 1, 0.9, 0.8, 0.5, 0.4), slope=9, vibrato=9, noise=0.012),
    "horn": Sustained((1, 0.8, 0.5, 0.3, 0.15), 14, 0.05, 0.10, 2, 4, 2, 0.004, place=-0.35, level=0.4),
    "trumpet": Sustained((0.8, 1, 0.95, 0.8, 0.6, 0.45, 0.3), 8, 0.025, 0.06, 2, 3, 4, 0.004, place=0.35, level=0.4),
    "trombone": _TROMBONE,
    "tuba": replace(_TROMBONE, overtones=(1, 0.8, 0.5, 0.3, 0.15), slope=14, attack=0.05, place=0.55),
    "choir": _VOICES,
    "voice": replace(_VOICES, voices=1, detune=0, vibrato=28, attack=0.05, level=0.5),
    "organ": Sustained((1, 0.7, 0.3, 0.45, 0.1, 0.2, 0.05, 0.3), 12, 0.02, 0.06, 2, 2, 0, 0.004, level=0.5),
    "timpani": Struck(_MEMBRANE, 0.55, 1.3, noise=0.8, place=0.3, level=0.7),
    "harp": Struck(_string_of(10), 0.8, 0.7, noise=0.05, place=-0.55, level=0.6),
    "harpsichord": Struck(_string_of(4, 24), 0.7, 0.4, noise=0.2, release=0.06, place=0.1, level=0.35),
    "piano": Struck(_string_of(8), 1.1, 0.5, noise=0.1, noise_band=(0, 1500), release=0.12, level=0.7),
    "guitar": Struck(_string_of(8, 14), 0.6, 0.6, noise=0.1, release=0.1, level=0.6),
    "bells": Struck(((1, 1), (2.76, 0.6), (5.4, 0.25)), 0.9, 0.7, noise=0.1, level=0.35),
    "bass drum": Struck(((1.0, 2.0), (1.6, 0.6)), 0.25, 1.2, noise=0.6, noise_band=(20, 300), place=0.4, level=0.7),
    "snare drum": Struck(((1.0, 0.4),), 0.08, 1, 1.2, 0.09, (900, 9000), place=0.4, level=0.4),
    "cymbals": Struck((), 0.3, noise=1.2, noise_decay=0.6, noise_band=(2500, 16000), place=0.45, level=0.4),
    "triangle": Struck((), 0.3, noise=0.8, noise_decay=0.4, noise_band=(4500, 9000), place=0.45, level=0.25),
}
# The General MIDI programs, from 0, that each may be played by, the best first.
PROGRAMS = {
    "strings": (48, 49, 50),
    "violins": (48, 49, 40),
    "violas": (48, 49, 41),
    "cellos": (48, 49, 42),
    "basses": (48, 43),
    "solo string": (40, 41, 42),
    "pizzicato": (45,),
    "flute": (73,),
    "oboe": (68,),
    "english horn": (69,),
    "clarinet": (71,),
    "bassoon": (70,),
    "saxophone": (65, 66, 64),
    "horn": (60,),
    "trumpet": (56, 61),
    "trombone": (57, 61),
    "tuba": (58,),
    "choir": (52, 53),
    "voice": (53, 52),
    "organ": (19, 16, 20),
    "timpani": (47,),
    "harp": (46,),
    "harpsichord": (6,),
    "piano": (0, 1),
    "guitar": (24, 25),
    "bells": (14, 9, 11),
}
DRUM_KITS = (48, 0)  # in the percussion bank: the orchestra's, or else the standard one
DRUM_KEYS = {"bass drum": (36, 35), "snare drum": (38, 40), "cymbals": (49, 57), "triangle": (81,)}
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


def instrument_called(name: str, program: int | None = None) -> str:
    """Return the instrument that a part's name means, or else its General MIDI program (0 to 127), or else strings."""
    for pattern, instrument in _NAMES:
        if re.search(pattern, name.lower()):
            return instrument
    if program is None:
        return "strings"
    return next(instrument for end, instrument in _FAMILIES if program < end)
