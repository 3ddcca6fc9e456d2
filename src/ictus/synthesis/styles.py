"""Styles of popular music: what each player of a band plays in a bar, as text that a musician can read.

A pattern has one character for each sixteenth, and is one or more bars long. `-` is silence, `=` holds on what sounds.

    drums   x stroke, X accent, g ghost note (soft, played every other time), ? stroke that is played now and then
    bass    1 3 5 6 7 8: that degree of the chord; n: root of the chord that follows (anticipated); w: walks on to
            another tone of the chord; c: a semitone from the root that follows
    chords  x chord, X accent, n chord that follows (anticipated), a: next tone of the broken chord
    cells   rhythms of one beat from which melodies are made: x begins a note

A progression has a word for each bar, of Roman numerals over the major scale; `ii7,V7` are two chords in one bar.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sound:
    """What an instrument of the band is to an orchestra and to a synthesizer.

    Attributes
    ----------
    instrument : the nearest name of `ictus.synthesis.instruments`.
    number : General MIDI program, 0 to 127; of a drum its percussion key, which is also the pitch of its notes.
    level : how strong one part of it is beside a section of violins.
    drum : whether `number` is a percussion key.
    """

    instrument: str
    number: int
    level: float
    drum: bool = False


SOUNDS: dict[str, Sound] = {
    "kick": Sound("bass drum", 36, 1.3, drum=True),
    "snare": Sound("snare drum", 38, 0.55, drum=True),
    "side stick": Sound("snare drum", 37, 0.4, drum=True),
    "clap": Sound("snare drum", 39, 0.6, drum=True),
    "hi-hat": Sound("snare drum", 42, 0.22, drum=True),  # short and bright, which cymbals are not
    "pedal hi-hat": Sound("snare drum", 44, 0.18, drum=True),
    "open hi-hat": Sound("cymbals", 46, 0.2, drum=True),
    "ride": Sound("triangle", 51, 0.22, drum=True),
    "crash": Sound("cymbals", 49, 0.4, drum=True),
    "low tom": Sound("timpani", 45, 0.6, drum=True),
    "middle tom": Sound("timpani", 47, 0.6, drum=True),
    "high tom": Sound("timpani", 50, 0.6, drum=True),
    "tambourine": Sound("triangle", 54, 0.22, drum=True),
    "shaker": Sound("snare drum", 70, 0.14, drum=True),
    "cowbell": Sound("bells", 56, 0.4, drum=True),
    "conga": Sound("timpani", 63, 0.4, drum=True),
    "low conga": Sound("timpani", 64, 0.4, drum=True),
    "claves": Sound("triangle", 75, 0.3, drum=True),
    "piano": Sound("piano", 0, 0.6),
    "electric piano": Sound("bells", 4, 0.4),
    "vibraphone": Sound("bells", 11, 0.4),
    "drawbar organ": Sound("organ", 16, 0.35),
    "accordion": Sound("organ", 21, 0.4),
    "harmonica": Sound("oboe", 22, 0.35),
    "nylon guitar": Sound("guitar", 24, 0.6),
    "steel guitar": Sound("guitar", 25, 0.6),
    "clean guitar": Sound("guitar", 27, 0.55),
    "muted guitar": Sound("pizzicato", 28, 0.5),
    "distorted guitar": Sound("trombone", 30, 0.4),
    "banjo": Sound("harpsichord", 105, 0.4),
    "upright bass": Sound("pizzicato", 32, 0.9),
    "electric bass": Sound("guitar", 33, 0.9),
    "picked bass": Sound("guitar", 34, 0.9),
    "slap bass": Sound("guitar", 36, 0.9),
    "synth bass": Sound("bassoon", 38, 0.5),
    "fiddle": Sound("solo string", 110, 0.45),
    "string ensemble": Sound("strings", 48, 0.4),
    "synth strings": Sound("strings", 50, 0.35),
    "choir": Sound("choir", 52, 0.35),
    "voice": Sound("voice", 53, 0.6),
    "trumpet": Sound("trumpet", 56, 0.4),
    "trombone": Sound("trombone", 57, 0.45),
    "tuba": Sound("tuba", 58, 0.6),
    "brass section": Sound("trumpet", 61, 0.4),
    "alto saxophone": Sound("saxophone", 65, 0.45),
    "tenor saxophone": Sound("saxophone", 66, 0.45),
    "clarinet": Sound("clarinet", 71, 0.45),
    "flute": Sound("flute", 73, 0.4),
    "square lead": Sound("clarinet", 80, 0.35),
    "saw lead": Sound("violins", 81, 0.35),
    "warm pad": Sound("strings", 89, 0.35),
}

Lines = dict[str, str]  # sound -> pattern

_EVEN_FILLS: tuple[Lines, ...] = (
    {"snare": "x-x-xxxX"},
    {"snare": "xxxx", "kick": "x---"},
    {"snare": "X---X-X-", "kick": "--x--x-x"},
    {"high tom": "xx--", "low tom": "--xx"},
    {
        "snare": "xxxx------------",
        "high tom": "----xxxx--------",
        "middle tom": "--------xxxx----",
        "low tom": "-" * 12 + "xxxx",
    },
    {"snare": "--X---x-", "low tom": "x---x---", "kick": "x---x---"},
)
_SWUNG_FILLS: tuple[Lines, ...] = (
    {"snare": "x-x-X-x-"},
    {"snare": "--x---X-", "kick": "x---x---"},
    {"snare": "x-x-", "kick": "--x-"},
    {"high tom": "x-x-----", "low tom": "----x-x-"},
)
_COMPOUND_FILLS: tuple[Lines, ...] = (
    {"snare": "x-x-X-"},
    {"snare": "x-x---", "low tom": "----x-", "kick": "x-----"},
    {"snare": "xxxx--------", "high tom": "----xxxx----", "low tom": "--------xxxx"},
)
_SHORT_FILLS: tuple[Lines, ...] = ({"snare": "x-x-xxX-"}, {"snare": "xxxx"}, {"snare": "X---X---", "kick": "x---x---"})

_EVEN_CELLS = ("x===", "x===", "x=x=", "x=x=", "====", "====", "--x=", "----", "x=xx", "x==x", "==x=")
_BUSY_CELLS = ("x-x-", "x=x=", "--xx", "-x-x", "x--x", "x===", "====", "----", "x-xx", "==x=")
_SWUNG_CELLS = ("x=x=", "x=x=", "==x=", "--x=", "x===", "====", "----")
_PLAIN_CELLS = ("x===", "x===", "====", "x=x=", "----")
_COMPOUND_CELLS = ("x=====", "x===x=", "x===x=", "x=x=x=", "======", "----x=", "==x=x=")

_POP_MAJOR = ("I V vi IV", "I IV V V", "I vi IV V", "vi IV I V", "IV I V vi", "I iii IV V", "I bVII IV I", "ii V I vi")
_POP_MINOR = ("i bVI bIII bVII", "i bVII bVI bVII", "i iv bVII bIII", "i iv v i", "i bVI iv V", "i bIII bVII iv")
_FOUR_SQUARE = (
    "I I V V V V I I",
    "I IV V I I IV V I",
    "I I IV I V V I,V I",
    "I vi ii V I IV I,V I",
    "i i V V iv i V i",
)
_JAZZ = (
    "ii7 V7 Imaj7 Imaj7",
    "Imaj7,vi7 ii7,V7 iii7,vi7 ii7,V7",
    "iiø V7 i7 i7",
    "i7 iv7 iiø,V7 i7",
    "Imaj7 bVII7 Imaj7 vi7 ii7 V7 Imaj7 V7",
)
_BLUES = (
    "I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",
    "I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7,IV7 I7,V7",
    "i7 i7 i7 i7 iv7 iv7 i7 i7 bVI7 V7 i7 V7",
)
_VAMPS = ("i7 i7 i7 IV7", "i7 IV7", "I7 I7 I7 IV7", "i7 bVII i7 iv7", "i7 bVI7 i7 V7")


@dataclass(frozen=True)
class BandStyle:
    """How a band plays.

    Attributes
    ----------
    tempo : beats a minute, least and most.
    meter : beats in the bar; `division`: parts of a beat, 2, or 3 in compound metre, whose beat is a dotted quarter.
    swing : where the second half of `swung` quarters begins, least and most; 0.5 is straight.
    grooves, percussion : what the kit plays, and what others may beat besides.
    bass, chords : patterns. cells : of melodies. fills : what the kit plays at the end of a phrase.
    players : the sounds that may play the bass, the chords, the melody and the pad.
    drumless : how often a whole song does without drums.
    share : how often the style is played beside the others.
    """

    tempo: tuple[int, int]
    grooves: tuple[Lines, ...]
    bass: tuple[str, ...]
    chords: tuple[str, ...]
    progressions: tuple[str, ...]
    players: dict[str, tuple[str, ...]]
    percussion: tuple[Lines, ...] = ({"tambourine": "----x-------x---"}, {"shaker": "x-x-x-x-x-x-x-x-"})
    cells: tuple[str, ...] = _EVEN_CELLS
    fills: tuple[Lines, ...] = _EVEN_FILLS
    meter: int = 4
    division: int = 2
    swing: tuple[float, float] = (0.5, 0.5)
    swung: float = 1.0
    drumless: float = 0.05
    share: float = 1.0

    @property
    def beat(self) -> int:
        """Sixteenths in a beat."""
        return 2 * self.division if self.division == 3 else 4

    @property
    def bar(self) -> int:
        """Sixteenths in a bar."""
        return self.meter * self.beat


_ROCK_BAND = {
    "bass": ("picked bass", "electric bass"),
    "chords": ("distorted guitar", "clean guitar", "steel guitar", "piano", "drawbar organ"),
    "melody": ("voice", "distorted guitar", "saw lead", "alto saxophone"),
    "pad": ("drawbar organ", "string ensemble", "choir"),
}
_SOFT_BAND = {
    "bass": ("electric bass", "upright bass"),
    "chords": ("piano", "electric piano", "nylon guitar", "steel guitar"),
    "melody": ("voice", "flute", "alto saxophone", "clean guitar", "fiddle"),
    "pad": ("string ensemble", "warm pad", "choir"),
}
_CLUB = {
    "bass": ("synth bass", "electric bass"),
    "chords": ("piano", "electric piano", "saw lead", "clean guitar"),
    "melody": ("voice", "square lead", "saw lead", "brass section"),
    "pad": ("synth strings", "warm pad", "string ensemble"),
}
_FUNK_BAND = {
    "bass": ("slap bass", "electric bass", "synth bass"),
    "chords": ("muted guitar", "clean guitar", "electric piano", "drawbar organ"),
    "melody": ("voice", "brass section", "tenor saxophone", "square lead"),
    "pad": ("warm pad", "synth strings", "drawbar organ"),
}
_JAZZ_COMBO = {
    "bass": ("upright bass",),
    "chords": ("piano", "clean guitar", "vibraphone"),
    "melody": ("tenor saxophone", "alto saxophone", "trumpet", "vibraphone", "clarinet", "trombone", "voice"),
    "pad": ("string ensemble", "brass section"),
}
_VILLAGE_BAND = {
    "bass": ("tuba", "upright bass"),
    "chords": ("accordion", "trombone", "piano"),
    "melody": ("clarinet", "trumpet", "accordion", "fiddle", "flute"),
    "pad": ("accordion", "brass section"),
}
_COUNTRY_BAND = {
    "bass": ("upright bass", "electric bass"),
    "chords": ("steel guitar", "banjo", "piano"),
    "melody": ("voice", "fiddle", "harmonica", "clean guitar"),
    "pad": ("string ensemble", "drawbar organ"),
}

STYLES: dict[str, BandStyle] = {
    "rock": BandStyle(
        tempo=(96, 168),
        grooves=(
            {"kick": "x-------x-x-----", "snare": "----X-------X---", "hi-hat": "x-x-x-x-x-x-x-x-"},
            {"kick": "x-x-----x-x---?-", "snare": "----X-------X---", "hi-hat": "X-x-X-x-X-x-X-x-"},
            {"kick": "x--x--x---x-----", "snare": "----X--g-g--X---", "ride": "x-x-x-x-x-x-x-x-"},
            {"kick": "x-------x-------", "snare": "----X-------X---", "open hi-hat": "x---x---x---x---"},
            {
                "kick": "x-----x-x-----x-",
                "snare": "----X-------X--g",
                "hi-hat": "x-x-x-x-x-x-x---",
                "open hi-hat": "-" * 14 + "x-",
            },
            {"kick": "x-----x-x-----x-", "snare": "X---X---X---X---", "hi-hat": "x-x-x-x-x-x-x-x-"},
        ),
        bass=("1=1=1=1=1=1=1=1=", "1=====1=1=====1=", "1===--1=5===--1=", "====--1=1===--n=", "1=1=1=1=5=5=8=5="),
        chords=("x=======x=======", "x=x=x=x=x=x=x=x=", "x=====x===x=----", "======x=------n=", "x=-x=-x=x=-x=-x="),
        progressions=(*_POP_MAJOR, *_POP_MINOR),
        players=_ROCK_BAND,
        share=2.0,
    ),
    "pop ballad": BandStyle(
        tempo=(60, 88),
        grooves=(
            {"kick": "x-------x-------", "snare": "----x-------x---", "hi-hat": "x-x-x-x-x-x-x-x-"},
            {"kick": "x------xx-------", "side stick": "----x-------x---", "hi-hat": "x-g-x-g-x-g-x-g-"},
            {"kick": "x-----x---x-----", "snare": "--------X-------", "hi-hat": "x---x---x---x---"},
            {"kick": "x--x----x--x----", "snare": "----X--g----X--g", "ride": "x-x-x-x-x-x-x-x-"},
        ),
        bass=("1=======1=======", "1=====1=5===----", "1===========5===", "1=====1=1=====n="),
        chords=("x===============", "a=a=a=a=a=a=a=a=", "x===x===x===x===", "a===a===a===a===", "x=======x=====n="),
        progressions=(*_POP_MAJOR, *_POP_MINOR),
        players=_SOFT_BAND,
        drumless=0.25,
        share=1.5,
    ),
    "disco": BandStyle(
        tempo=(108, 130),
        grooves=(
            {"kick": "x---x---x---x---", "snare": "----X-------X---", "open hi-hat": "--x---x---x---x-"},
            {"kick": "x---x---x---x---", "clap": "----X-------X---", "hi-hat": "x-xxx-xxx-xxx-xx"},
            {
                "kick": "x---x---x---x---",
                "snare": "----X-------X---",
                "hi-hat": "xx-xxx-xxx-xxx-x",
                "open hi-hat": "--x---x---x---x-",
            },
        ),
        bass=("1-8-1-8-1-8-1-8-", "--1---1---1---1-", "1==1--8-1--1-5-8", "1-1-8-1-1-1-8-n="),
        chords=("--x---x---x---x-", "x==x==x=--x==x==", "x===============", "-xx--xx--xx--xx-", "x=-x=-x=-x=-x=n="),
        progressions=(*_POP_MINOR, *_POP_MAJOR[:4], "ii7 V7 Imaj7 vi7"),
        players=_CLUB,
        cells=_BUSY_CELLS,
        percussion=({"tambourine": "x-xxx-xxx-xxx-xx"}, {"cowbell": "x---x---x---x---"}, {"conga": "--x---xx--x---x-"}),
        share=1.5,
    ),
    "house": BandStyle(
        tempo=(118, 132),
        grooves=(
            {"kick": "X---X---X---X---", "clap": "----x-------x---", "open hi-hat": "--x---x---x---x-"},
            {"kick": "X---X---X---X---", "hi-hat": "--x---x---x---x-", "shaker": "xxxxxxxxxxxxxxxx"},
            {
                "kick": "X---X---X---X--?",
                "clap": "----x-------x---",
                "hi-hat": "--xx--x---xx--x-",
                "ride": "x---x---x---x---",
            },
        ),
        bass=("--1---1---1---1-", "1--1--1---1-1---", "-11--11--11--11-", "--1=--1=--1=--8="),
        chords=("x--x--x---x-x---", "--x---x---x---x-", "x==x==x==x==x=x=", "======----------x==x==x---------"),
        progressions=(*_POP_MINOR, "i7 i7 iv7 iv7", "i7 v7"),
        players=_CLUB,
        cells=_BUSY_CELLS,
        swing=(0.5, 0.56),
        swung=0.5,
    ),
    "funk": BandStyle(
        tempo=(88, 116),
        grooves=(
            {"kick": "x-x----x--x-----", "snare": "----X--g-g--X--g", "hi-hat": "x-x-x-x-x-x-x-x-"},
            {"kick": "x--x--x---x--x--", "snare": "----X--g-g-gX---", "hi-hat": "xxxxxxxxxxxxxxxx"},
            {
                "kick": "x-----x---x--x--",
                "snare": "----X--?----X-?-",
                "hi-hat": "x-xxx-xxx-xxx-x-",
                "open hi-hat": "-" * 15 + "x",
            },
        ),
        bass=("1--1--7-8---5-7-", "1-----1--7-8--c-", "1=-11---7=-88-n=", "1--8-7-5--1-7-8-"),
        chords=("--x-----x-x--x--", "----x--x----x--x", "x-xx-xx-x-xx-xx-", "---x------xx----"),
        progressions=_VAMPS,
        players=_FUNK_BAND,
        cells=_BUSY_CELLS,
        swing=(0.5, 0.58),
        swung=0.5,
        share=1.2,
    ),
    "hip-hop": BandStyle(
        tempo=(78, 104),
        grooves=(
            {"kick": "x------x--x-----", "snare": "----X-------X---", "hi-hat": "x-x-x-x-x-x-x-x-"},
            {"kick": "x--x---x-x------", "clap": "----X-------X---", "hi-hat": "x-x-x-xxx-x-x-x?"},
            {"kick": "x-----xx--x--x--", "snare": "----X-------X--g", "hi-hat": "x---x---x---x---"},
        ),
        bass=("1======1==1=----", "1==-----1==5====", "1===========8=7=", "1------1--1--c--"),
        chords=("x===============", "x=====x=========", "----x=------x=--", "a=-a=-a=a=-a=-a="),
        progressions=(*_VAMPS, *_POP_MINOR[:3]),
        players=_FUNK_BAND,
        cells=_BUSY_CELLS,
        swing=(0.5, 0.62),
        swung=0.5,
    ),
    "reggae": BandStyle(
        tempo=(66, 92),
        grooves=(
            {"kick": "--------X-------", "side stick": "--------X-------", "hi-hat": "x-x-x-x-x-x-x-x-"},  # one drop
            {"kick": "--------X-------", "snare": "--------X-----g-", "hi-hat": "x-x-x-x-x-x-x-x-"},
            {"kick": "x---x---x---x---", "side stick": "--------X-------", "hi-hat": "x-x-x-x-x-x-x-x-"},  # steppers
        ),
        bass=("1===--1=3===5===", "----1=3=5===--1=", "1=-1=-5=--3=1---", "1=====3=1---5-3-"),
        chords=("--x---x---x---x-", "----x=------x=--", "--xx--xx--xx--xx"),
        progressions=("I IV V IV", "I ii", "i bVII", "i iv i v", "I V vi IV", "i bVI bVII i"),
        players=_FUNK_BAND,
        percussion=({"shaker": "x-x-x-x-x-x-x-x-"}, {"conga": "--x---xx--x---x-"}),
        cells=_EVEN_CELLS,
        swing=(0.5, 0.6),
        swung=1.0,
    ),
    "bossa nova": BandStyle(
        tempo=(108, 148),
        grooves=(
            {
                "kick": "x-----x-x-----x-",
                "side stick": "x-----x-----x-------x-----x-----",
                "hi-hat": "x-x-x-x-x-x-x-x-",
            },
            {
                "kick": "x-----x-x-----x-",
                "side stick": "----x-----x-----x-----x-----x---",
                "shaker": "x-x-x-x-x-x-x-x-",
            },
        ),
        bass=("1=====5=5=====1=", "1=====5=5=====n=", "1=====1=5=====5="),
        chords=("x=----x=----x=------x=----x=----", "x=======--x=--x=", "x=--x=--x=--x=--x=--x=--x=----n="),
        progressions=(*_JAZZ, "Imaj7 Imaj7 II7 II7 ii7 V7 Imaj7 V7"),
        players=_SOFT_BAND,
        percussion=({"shaker": "x-x-x-x-x-x-x-x-"}, {"claves": "x-----x-----x-------x-----x-----"}),
        drumless=0.15,
    ),
    "latin": BandStyle(
        tempo=(88, 120),
        grooves=(
            {
                "kick": "x--x--x-x--x--x-",
                "cowbell": "X---X---X---X---",
                "conga": "x-x-x-xx",
                "low conga": "------------xx--",
            },
            {"kick": "x--xx--xx--xx--x", "side stick": "x--x--x---x-x---", "hi-hat": "x-x-x-x-x-x-x-x-"},
            {"kick": "x---x---x---x---", "snare": "---x--x----x--x-", "shaker": "x-xxx-xxx-xxx-xx"},
        ),
        bass=("1=----5=----n===", "===---5=----n===", "1==1==5=1==1==5=", "1==5====1==5===="),
        chords=("x=x--x-x-x-x-x--", "x-xx-x-xx-xx-x-x", "a-aa-a-aa-aa-a-a", "--x---x---x---x-"),
        progressions=("I IV V IV", "i iv V7 i", "ii7 V7 I I", "i bVII bVI V7", "I I IV V"),
        players={**_SOFT_BAND, "melody": ("brass section", "trumpet", "voice", "flute", "alto saxophone")},
        percussion=({"claves": "x--x--x---x-x---"}, {"conga": "x-x---xxx-x---xx"}),
        cells=_BUSY_CELLS,
    ),
    "swing": BandStyle(
        tempo=(104, 180),
        grooves=(
            {
                "ride": "X---x-x-X---x-x-",
                "pedal hi-hat": "----x-------x---",
                "kick": "g---g---g---g---",
                "snare": "------?-------?-",
            },
            {
                "ride": "x---X-x-x---X-x-",
                "pedal hi-hat": "----x-------x---",
                "snare": "--------------g-",
                "kick": "----------?-----",
            },
            {"hi-hat": "x---X-x-x---X-x-", "side stick": "------------x---", "kick": "x---g---x---g---"},
        ),
        bass=("1===w===w===c===", "1===w===5===c===", "1=======5=======", "1===3===5===c==="),
        chords=(
            "x=----x=--------",
            "------x=----x=--",
            "--x=------x=----",
            "x===--------x=--",
            "x---x---x---x---",
            "x=------------n=",
        ),
        progressions=_JAZZ,
        players=_JAZZ_COMBO,
        percussion=(),
        cells=_SWUNG_CELLS,
        fills=_SWUNG_FILLS,
        swing=(0.58, 0.68),
        drumless=0.12,
        share=1.5,
    ),
    "shuffle blues": BandStyle(
        tempo=(72, 132),
        grooves=(
            {"kick": "x-------x-------", "snare": "----X-------X---", "hi-hat": "x-x-x-x-x-x-x-x-"},
            {"kick": "x-x---x-x-x---x-", "snare": "----X-------X---", "ride": "x-x-x-x-x-x-x-x-"},
            {"kick": "x---x---x---x---", "snare": "--g-X-g---g-X-g-", "hi-hat": "x-x-x-x-x-x-x-x-"},
        ),
        bass=("1===3===5===6===", "1=1=3=3=5=5=6=6=", "1=======1===5=--", "1===3===5===6===8===7===6===5==="),
        chords=("x-x-x-x-x-x-x-x-", "----x=------x=--", "x=====x=--------", "--x---x---x---x-"),
        progressions=_BLUES,
        players={**_ROCK_BAND, "melody": ("clean guitar", "harmonica", "voice", "tenor saxophone", "distorted guitar")},
        cells=_SWUNG_CELLS,
        fills=_SWUNG_FILLS,
        swing=(0.61, 0.69),
        share=1.2,
    ),
    "country": BandStyle(
        tempo=(84, 156),
        grooves=(
            {"kick": "x-------x-------", "snare": "----x-------x---", "hi-hat": "x-x-x-x-x-x-x-x-"},
            {"kick": "x-------x-------", "snare": "g-g-X-g-g-g-X-g-"},
            {"kick": "x-------x-x-----", "side stick": "----X-------X---", "shaker": "x-x-x-x-x-x-x-x-"},
        ),
        bass=("1=======5=======", "1===--1=5===----", "1=======5===3=c="),
        chords=("----x-------x---", "----x-x-----x-x-", "x---x-x-x---x-x-", "a=a=a=a=a=a=a=a="),
        progressions=("I IV V I", "I I IV IV V V I I", "I V I IV I,V I V I", "I vi IV V", "I I V V IV V I I"),
        players=_COUNTRY_BAND,
        drumless=0.15,
    ),
    "waltz": BandStyle(
        tempo=(84, 180),
        meter=3,
        grooves=(
            {"kick": "x-----------", "snare": "----x---x---"},
            {"kick": "x-----------", "hi-hat": "----x---x---", "side stick": "----x---x---"},
            {"kick": "x-------?---", "snare": "--------x---", "ride": "x---x---x---"},
            {"kick": "X-----------", "snare": "----x---x-x-", "pedal hi-hat": "----x---x---"},
        ),
        bass=("1===--------", "1==========-1=======5===", "1===--------5===--------", "1=======c==="),
        chords=("----x---x---", "x===========", "----x=--x=--", "a===a===a==="),
        progressions=(*_FOUR_SQUARE, *_POP_MAJOR[:4], _POP_MINOR[0]),
        players={**_VILLAGE_BAND, "melody": (*_VILLAGE_BAND["melody"], "voice", "piano")},
        percussion=({"tambourine": "----x---x---"}, {"shaker": "x-x-x-x-x-x-"}),
        cells=_PLAIN_CELLS,
        fills=_SHORT_FILLS,
        drumless=0.3,
        share=1.5,
    ),
    "slow six-eight": BandStyle(
        tempo=(44, 70),
        meter=2,
        division=3,
        grooves=(
            {"kick": "x-----------", "snare": "------X-----", "hi-hat": "x-x-x-x-x-x-"},
            {"kick": "x---x-------", "snare": "------X-----", "ride": "x-x-x-x-x-x-"},
            {"kick": "x---------x-", "side stick": "------x-----", "hi-hat": "x-x-x-x-x-x-"},
        ),
        bass=("1===========", "1=====5=====", "1===1=5===5=", "1=====1===n="),
        chords=("a=a=a=a=a=a=", "x===========", "x=x=x=x=x=x=", "--x=x=--x=x=", "x=====x====="),
        progressions=(*_POP_MAJOR, *_POP_MINOR),
        players=_SOFT_BAND,
        percussion=({"tambourine": "------x-----"}, {"shaker": "x-x-x-x-x-x-"}),
        cells=_COMPOUND_CELLS,
        fills=_COMPOUND_FILLS,
        drumless=0.2,
        share=1.2,
    ),
    "jig": BandStyle(
        tempo=(84, 124),
        meter=2,
        division=3,
        grooves=(
            {"kick": "x-----x-----", "snare": "----x-----x-"},
            {"low tom": "X---x-X---x-", "tambourine": "x-x-x-x-x-x-"},
            {"kick": "x-----------", "snare": "------X-----", "hi-hat": "x---x-x---x-"},
        ),
        bass=("1=====5=====", "1===--1===--", "1===1=5===5="),
        chords=("x---x-x---x-", "----x-----x-", "x=====x====="),
        progressions=_FOUR_SQUARE,
        players={**_COUNTRY_BAND, "melody": ("fiddle", "flute", "accordion", "banjo")},
        percussion=({"shaker": "x-x-x-x-x-x-"},),
        cells=("x=x=x=", "x=x=x=", "x===x=", "x====="),
        fills=_COMPOUND_FILLS,
        drumless=0.3,
        share=0.7,
    ),
    "march": BandStyle(
        tempo=(100, 128),
        meter=2,
        grooves=(
            {"kick": "x---x---", "snare": "--x---x-", "crash": "x---x---"},
            {"kick": "x---x---", "snare": "X-xxX-x-"},
            {"kick": "x-------", "snare": "x-x-x-xxX-x-X---", "crash": "x---------------"},
        ),
        bass=("1===5===", "1---5---", "1===5===1===c==="),
        chords=("--x---x-", "x===x===", "--x---xx"),
        progressions=_FOUR_SQUARE,
        players={**_VILLAGE_BAND, "melody": ("trumpet", "clarinet", "flute", "brass section")},
        percussion=({"crash": "g-------"},),
        fills=_SHORT_FILLS,
        share=0.8,
    ),
    "polka": BandStyle(
        tempo=(104, 136),
        meter=2,
        grooves=(
            {"kick": "x---x---", "snare": "--x---x-"},
            {"kick": "X---x---", "hi-hat": "x-x-x-x-", "snare": "--x---xx"},
        ),
        bass=("1---5---", "1===5===", "1---5---1---c---"),
        chords=("--x---x-", "--xx--x-"),
        progressions=_FOUR_SQUARE,
        players=_VILLAGE_BAND,
        percussion=({"tambourine": "x-x-x-x-"},),
        cells=("x=x=", "x=xx", "xxxx", "x===", "x=x="),
        fills=_SHORT_FILLS,
        share=0.7,
    ),
    "five-four": BandStyle(
        tempo=(96, 168),
        meter=5,
        grooves=(
            {"kick": "x-----x-----x-------", "snare": "----x-------X---x---", "hi-hat": "x-x-x-x-x-x-x-x-x-x-"},
            {"kick": "x-----x---------x---", "snare": "------------X-------", "ride": "x---x---x---x---x---"},
            {"kick": "x---------x-x-------", "snare": "----X-----------X---", "hi-hat": "x-x-x-x-x-x-x-x-x-x-"},
        ),
        bass=("1=====5=====1===5===", "1=========1=5=======", "1===w===c===1===5==="),
        chords=("x=====x=====x===x===", "x===========x=======", "--x---x-----x---x---"),
        progressions=(*_POP_MINOR[:3], "i7 iv7", "i bVII", "I IV"),
        players=_JAZZ_COMBO,
        percussion=({"shaker": "x-x-x-x-x-x-x-x-x-x-"},),
        share=0.6,
    ),
    "swing in five": BandStyle(
        tempo=(112, 176),
        meter=5,
        grooves=(
            {"ride": "x---x-x-x---x---x-x-", "pedal hi-hat": "----x---x-------x---", "kick": "x-----------x-------"},
            {"ride": "x---x-x-x---X---x---", "snare": "------g-----x-----g-", "kick": "x-----g-----x-------"},
        ),
        bass=("1=====5=====1===5===", "1===w===w===1===c==="),
        chords=("x=----x=----x===x===", "x=----x=----x=------"),
        progressions=("i7 i7 iv7 i7", "i7 v7", "i7 iiø,V7"),
        players=_JAZZ_COMBO,
        percussion=(),
        cells=_SWUNG_CELLS,
        fills=_SWUNG_FILLS,
        swing=(0.6, 0.67),
        share=0.4,
    ),
}
