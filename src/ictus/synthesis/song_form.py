"""Song forms: what a band agrees on before it plays: style, key, tempo, sections, and their chords."""

import re
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np

from ictus.errors import UsageError
from ictus.synthesis.styles import STYLES, BandStyle, Lines
from ictus.types import IntArray

# How loud each section is played, 0 to 1.
ENERGY = {"upbeat": 0.55, "count-in": 0.6, "intro": 0.55, "verse": 0.6, "chorus": 0.78, "bridge": 0.65, "break": 0.5}
ENERGY |= {"solo": 0.7, "end": 0.75}

_MIN_SECONDS, _MAX_SECONDS = 110.0, 150.0  # seconds after which a song turns to its end
_NUMERALS = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}  # semitones above the tonic
_CHORD = re.compile(r"(b?)([iv]+|[IV]+)(maj7|7|ø)?")
_TONES = {"maj7": (0, 4, 7, 11), "ø": (0, 3, 6, 10)}


@dataclass(frozen=True)
class Section:
    """A part of a song's form: its progression, its bars, who plays in it, and how loud (0 to 1)."""

    name: str
    progression: str
    bars: int
    layers: frozenset[str]
    energy: float


@dataclass(frozen=True)
class SongForm:
    """What a band agrees on before it plays: its lead sheet.

    Attributes
    ----------
    style : a name of `STYLES`.
    tonic : pitch class, 0 is C. minor: whether the scale is.
    tempo : beats a minute.
    swing : where in the beat (or half beat) its second half begins; 0.5 is straight.
    upbeat : beats before the first full bar.
    """

    style: str
    tonic: int
    minor: bool
    tempo: float
    swing: float
    upbeat: int
    sections: tuple[Section, ...]

    @property
    def definition(self) -> BandStyle:
        """The metre, grooves and patterns of the style."""
        return STYLES[self.style]

    @property
    def starts(self) -> IntArray:
        """The sixteenths at which the sections begin, and the last one ends, (sections + 1,)."""
        return np.cumsum([0] + [section.bars * self.definition.bar for section in self.sections])

    @property
    def first(self) -> int:
        """The sixteenth at which it begins: those of the first bar before an upbeat are not played."""
        return (self.definition.meter - self.upbeat) * self.definition.beat if self.upbeat else 0

    @property
    def title(self) -> str:
        """The song in a line."""
        about = self.about()
        return f"{about['style']} in {about['key']}, {about['bpm']:g} beats a minute, {about['metre']}"

    def about(self) -> dict[str, Any]:
        """Return style, key, tempo, metre and form as JSON types."""
        style = self.definition
        key = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")[self.tonic]
        return {
            "style": self.style,
            "key": f"{key} {'minor' if self.minor else 'major'}",
            "bpm": round(self.tempo, 2),
            "metre": f"{3 * style.meter}/8" if style.division == 3 else f"{style.meter}/4",
            "swing": round(self.swing, 3),
            "form": [section.name for section in self.sections],
        }


def draw_song_form(rng: np.random.Generator, style: str | None = None) -> SongForm:
    """Draw a style, key, tempo and form; see `ictus.synthesis.band.compose_song`.

    Raises
    ------
    UsageError
        If there is no such style.
    """
    if style is not None and style not in STYLES:
        raise UsageError(f"there is no style {style!r}; there are {', '.join(STYLES)}")
    shares = np.array([one.share for one in STYLES.values()])
    name = style or str(rng.choice(list(STYLES), p=shares / shares.sum()))
    chosen = STYLES[name]
    tempo = float(np.exp(rng.uniform(*np.log(chosen.tempo))))
    tempo = float(round(tempo)) if rng.uniform() < 0.5 else tempo
    first = str(rng.choice(chosen.progressions))
    related = [one for one in chosen.progressions if _is_minor(one) == _is_minor(first)]
    progressions = {part: str(rng.choice(related)) for part in ("chorus", "bridge")} | {"verse": first}
    sections = _draw_sections(chosen, progressions, tempo, rng)
    upbeat = int(rng.integers(1, chosen.meter)) if sections[0].name == "upbeat" else 0
    tonic, swing = int(rng.integers(12)), float(rng.uniform(*chosen.swing))
    return SongForm(name, tonic, _is_minor(first), tempo, swing, upbeat, sections)


def _is_minor(progression: str) -> bool:
    return any(match[2] == "i" for match in _CHORD.finditer(progression))


def _draw_sections(
    style: BandStyle, progressions: Lines, tempo: float, rng: np.random.Generator
) -> tuple[Section, ...]:
    """Draw the sections of a song: who plays where."""
    absent = {"drums", "percussion"} if rng.uniform() < style.drumless else set[str]()
    least = 8 * (2 if style.bar < 12 else 1)  # bars of a section
    wanted = rng.uniform(_MIN_SECONDS, _MAX_SECONDS)
    sections: list[Section] = []

    def add(name: str, layers: set[str], bars: int | None = None) -> None:
        progression = progressions.get(name, progressions["verse"])
        words = len(progression.split())
        playing = frozenset(layers - absent) or frozenset({"chords"})
        energy = ENERGY[name] + rng.normal(0, 0.05)
        sections.append(Section(name, progression, bars or words * -(-least // words), playing, energy))

    opening = rng.uniform()
    if opening < 0.2:
        add("count-in", {"drums"} if "drums" not in absent else {"chords"}, 1)
    elif opening < 0.4:
        add("upbeat", {"melody"}, 1)
    if rng.uniform() < 0.8:
        add(
            "intro",
            _draw_layers(rng, "drums", "drums bass", "chords", "chords pad", "chords melody", "drums bass chords"),
        )
    for name in cycle(("verse", "chorus", "verse", "chorus", str(rng.choice(["bridge", "break", "solo"])), "chorus")):
        add(name, _players(name, rng))
        if sum(section.bars for section in sections) * style.meter * 60 / tempo > wanted:
            break
    add("end", {"drums", "bass", "chords", "melody", "pad"}, 1)
    return tuple(sections)


def _players(section: str, rng: np.random.Generator) -> set[str]:
    if section == "break":
        return _draw_layers(
            rng, "drums", "chords", "drums bass", "pad melody", "melody", "drums percussion", "bass chords"
        )
    often = {"percussion": 0.35, "pad": 0.25}
    if section == "chorus":
        often = {"drums": 0.97, "bass": 0.97, "melody": 0.95, "percussion": 0.6, "pad": 0.7}
    elif section == "bridge":
        often = {"drums": 0.6, "bass": 0.8, "pad": 0.7}
    usual = {"drums": 0.85, "bass": 0.9, "chords": 0.95, "melody": 0.85}
    return {layer for layer, share in (usual | often).items() if rng.uniform() < share}


def _draw_layers(rng: np.random.Generator, *choices: str) -> set[str]:
    return set(str(rng.choice(choices)).split())


# --- Harmony ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chord:
    """A root (pitch class) and the semitones of the tones above it, the root's 0 among them."""

    root: int
    tones: tuple[int, ...]

    def classes(self) -> set[int]:
        """Return the pitch classes."""
        return {(self.root + tone) % 12 for tone in self.tones}


def _chord(word: str, tonic: int) -> Chord:
    match = _CHORD.fullmatch(word)
    if not match:
        raise ValueError(f"{word!r} is no chord")
    flat, numeral, kind = match.groups()
    root = (tonic + _NUMERALS[numeral.lower()] - len(flat)) % 12
    triad = (0, 4, 7) if numeral.isupper() else (0, 3, 7)
    return Chord(root, _TONES.get(kind or "", (*triad, 10) if kind else triad))


def harmony(song: SongForm) -> list[Chord]:
    """Return the chord of every beat."""
    chords: list[Chord] = []
    meter = song.definition.meter
    for section in song.sections:
        words = cycle(section.progression.split())
        for _ in range(section.bars):
            bar = "i" if song.minor else "I"
            bar = bar if section.name == "end" else next(words)
            here = [_chord(word, song.tonic) for word in bar.split(",")]
            chords += [here[beat * len(here) // meter] for beat in range(meter)]
    return chords
