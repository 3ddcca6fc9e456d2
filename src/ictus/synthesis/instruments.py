"""Instruments: how the synthesizer makes their sound, where they sit, and which General MIDI programs play them."""

from dataclasses import dataclass, replace

from ictus.scores.instruments import PART_LEVELS


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
    level : how strong one part of it is beside a section of violins, as scores have it.
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


_STRINGS = Sustained((1, 0.9, 0.6, 0.55, 0.4, 0.35), 9, 0.055, 0.12, 4, 9, 11, 0.010, place=-0.2)
_OBOE = Sustained((0.6, 0.8, 1, 0.7, 0.4, 0.3), 12, 0.03, 0.06, 1, 0, 8, 0.006, place=0.05)
_BASSOON = Sustained((0.7, 1, 0.9, 0.6, 0.35, 0.2), 12, 0.035, 0.07, 1, 0, 3, 0.006, place=0.15)
_TROMBONE = Sustained((0.9, 1, 0.9, 0.7, 0.5, 0.4, 0.25), 10, 0.04, 0.09, 1, 0, 2, 0.004, place=0.45)
_PIZZICATO = Struck(_string_of(9, 12), 0.22, 0.6, noise=0.15, place=-0.2)
_VOICES = Sustained((1, 0.8, 0.5, 0.55, 0.5, 0.2, 0.1), 13, 0.07, 0.12, 5, 14, 18, 0.012, place=0.0)
_MEMBRANE = ((1.0, 1.6), (1.504, 1.12), (1.742, 0.48), (2.0, 0.64), (2.245, 0.4), (2.494, 0.32))

_SOUNDS: dict[str, Instrument] = {
    "strings": _STRINGS,
    "violins": replace(_STRINGS, place=-0.45),
    "violas": replace(_STRINGS, overtones=(1, 0.95, 0.7, 0.45, 0.4, 0.25), slope=10, place=0.2),
    "cellos": replace(_STRINGS, overtones=(0.9, 1, 0.7, 0.5, 0.4, 0.25), slope=10, place=0.4),
    "basses": replace(_STRINGS, overtones=(0.8, 1, 0.8, 0.5, 0.3, 0.2), slope=11, attack=0.07, detune=6, place=0.55),
    "solo string": replace(_STRINGS, voices=1, detune=0, vibrato=16, attack=0.04, place=-0.15),
    "pizzicato": _PIZZICATO,
    "flute": Sustained((1, 0.35, 0.12, 0.04), 18, 0.045, 0.08, 1, 0, 12, 0.03, place=-0.1),
    "oboe": _OBOE,
    "english horn": replace(_OBOE, overtones=(0.8, 1, 0.8, 0.5, 0.3), slope=13),
    "clarinet": Sustained((1, 0.06, 0.7, 0.08, 0.4, 0.1, 0.25), 12, 0.035, 0.07, 1, 0, 2, 0.008, place=0.1),
    "bassoon": _BASSOON,
    "saxophone": replace(_BASSOON, overtones=(0.8, 1, 0.9, 0.8, 0.5, 0.4), slope=9, vibrato=9, noise=0.012),
    "horn": Sustained((1, 0.8, 0.5, 0.3, 0.15), 14, 0.05, 0.10, 2, 4, 2, 0.004, place=-0.35),
    "trumpet": Sustained((0.8, 1, 0.95, 0.8, 0.6, 0.45, 0.3), 8, 0.025, 0.06, 2, 3, 4, 0.004, place=0.35),
    "trombone": _TROMBONE,
    "tuba": replace(_TROMBONE, overtones=(1, 0.8, 0.5, 0.3, 0.15), slope=14, attack=0.05, place=0.55),
    "choir": _VOICES,
    "voice": replace(_VOICES, voices=1, detune=0, vibrato=28, attack=0.05),
    "organ": Sustained((1, 0.7, 0.3, 0.45, 0.1, 0.2, 0.05, 0.3), 12, 0.02, 0.06, 2, 2, 0, 0.004),
    "timpani": Struck(_MEMBRANE, 0.55, 1.3, noise=0.8, place=0.3),
    "harp": Struck(_string_of(10), 0.8, 0.7, noise=0.05, place=-0.55),
    "harpsichord": Struck(_string_of(4, 24), 0.7, 0.4, noise=0.2, release=0.06, place=0.1),
    "piano": Struck(_string_of(8), 1.1, 0.5, noise=0.1, noise_band=(0, 1500), release=0.12),
    "guitar": Struck(_string_of(8, 14), 0.6, 0.6, noise=0.1, release=0.1),
    "bells": Struck(((1, 1), (2.76, 0.6), (5.4, 0.25)), 0.9, 0.7, noise=0.1),
    "bass drum": Struck(((1.0, 2.0), (1.6, 0.6)), 0.25, 1.2, noise=0.6, noise_band=(20, 300), place=0.4),
    "snare drum": Struck(((1.0, 0.4),), 0.08, 1, 1.2, 0.09, (900, 9000), place=0.4),
    "cymbals": Struck((), 0.3, noise=1.2, noise_decay=0.6, noise_band=(2500, 16000), place=0.45),
    "triangle": Struck((), 0.3, noise=0.8, noise_decay=0.4, noise_band=(4500, 9000), place=0.45),
}
INSTRUMENTS = {name: replace(sound, level=PART_LEVELS[name]) for name, sound in _SOUNDS.items()}
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
