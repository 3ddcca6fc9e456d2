"""One part of a MusicXML score: what its bars say, as notes and marks at places in bars."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from xml.etree.ElementTree import Element

from ictus import limits
from ictus.beats.meter import time_signature
from ictus.errors import IctusError
from ictus.files import short
from ictus.scores.bars import Bar
from ictus.scores.bounds import QUARTERS, TEMPI, Problems, check_size, number
from ictus.scores.instruments import PART_LEVELS, UNPITCHED, instrument_from_name
from ictus.scores.markings import (
    ACCENTS,
    LEVELS,
    Ramp,
    loudness_from_markings,
    ramp_direction,
    speed_of,
    tempo_in_words,
)
from ictus.scores.navigation import read_words
from ictus.scores.repeats import ANY
from ictus.scores.score import Note, Part
from ictus.scores.written import Mark, WrittenNote
from ictus.types import Float64Array

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LENGTHS = {
    **{"long": 16.0, "breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0},
    **{"eighth": 0.5, "16th": 0.25, "32nd": 0.125, "64th": 0.0625},
}
_FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}
_PITCH = ("step", "octave", "alter")
_STACCATO = {"staccato", "staccatissimo", "spiccato"}
_ACCENTED = {"accent", "strong-accent"}
_JUMPS = ("segno", "coda", "tocoda", "fine", "dacapo", "dalsegno")  # attributes of a sound
_GRACE = 0.125  # quarters that a grace note takes from what is before it
_TREMOLO = 8  # strokes through the stem, at most
_DIVISIONS = (0.01, 1e6)  # of a quarter
_TIMES = 64  # how often a passage may be repeated


@dataclass
class Piece:
    """What the parts of a score have in common: its bars, and what went wrong while reading it."""

    problems: Problems
    bars: list[Bar] = field(default_factory=list)
    marks: int = 0
    notes: int = 0
    unread: int = 0  # notes without a pitch
    metred: bool = False  # whether a time signature is written anywhere


def heading(element: Element, problems: Problems) -> tuple[str, str]:
    """Return the name of a part, and its instrument, of its heading (or of the part, where it has no heading)."""
    name = element.findtext("part-name") or element.get("id") or "part"
    sound, program = element.findtext(".//instrument-sound") or "", element.findtext(".//midi-program")
    played = number(program, 1, 128) if program else None
    if program and played is None:
        problems.add("part {}: MIDI program '{}' is no number from 1 to 128", name, program)
    return name, instrument_from_name(f"{name} {sound}".replace("\n", " "), int(played) - 1 if played else None)


@dataclass
class _Spanner:
    """A hairpin that is open."""

    bar: int
    at: float
    sign: int
    end: tuple[int, float] | None = None


class PartReader:
    """Reads one part, bar by bar; what concerns all parts goes into the piece."""

    def __init__(self, name: str, instrument: str, piece: Piece) -> None:
        self.name, self.instrument = name, instrument
        self.notes: list[WrittenNote] = []
        self.tempi: list[Mark] = []
        self.words: list[Mark] = []
        self.fermatas: list[Mark] = []
        self._levels: list[Mark] = []
        self._spanners: list[_Spanner] = []
        self._accents: set[tuple[int, float]] = set()
        self._open: dict[str, _Spanner] = {}
        self._tied: dict[int, WrittenNote] = {}
        self._slurs: set[str] = set()
        self._graces: list[tuple[WrittenNote, int]] = []  # with how many beats of graces come before it
        self._last_mark = ""
        self._divisions: float | None = None
        self._transposition, self._plucked = 0, False
        self._piece, self._k, self._ending = piece, -1, -1
        self._bar = Bar()

    # --- Reading -----------------------------------------------------------------------------------------------------

    def read_bar(self, measure: Element) -> None:
        """Read the next bar.

        Raises
        ------
        IctusError
            If nothing says how long notes are, or there is more than pieces have.
        """
        self._k += 1
        bars = self._piece.bars
        if self._k == len(bars):
            bars.append(Bar(bars[-1].time, free=bars[-1].free) if bars else Bar())
            bars[-1].number = short(measure.get("number") or len(bars))
        self._bar = bar = bars[self._k]
        now = before = furthest = 0.0
        earlier = len(self.notes)
        bar.upbeat |= measure.get("implicit") == "yes"
        for element in measure:
            if element.tag == "note":
                length = self._quarters(element)
                inside = {child.tag: child for child in reversed(element)}
                at = before if "chord" in inside else now
                self._read_note(at, length, element, inside)
                before, now = at, at + length
            elif element.tag in ("backup", "forward"):
                now += self._quarters(element) * (-1 if element.tag == "backup" else 1)
            elif element.tag == "attributes":
                self._read_attributes(element)
            elif element.tag == "direction":
                self._read_direction(max(0.0, now + self._quarters(element, "offset")), element)
            elif element.tag == "sound":
                self._read_sound(now, element)
            elif element.tag == "barline":
                self._read_barline(now, element)
            furthest = max(furthest, now)
        bar.actual = max(bar.actual, round(furthest, 6))
        self._piece.notes += len(self.notes) - earlier
        check_size(bars=len(bars), quarters=furthest, marks=self._piece.marks)
        check_size(notes=self._piece.notes + self._piece.unread)

    def _number(self, text: str | None, what: str, low: float, high: float) -> float | None:
        """Return the number that an element or attribute holds; None if it holds none, which is a problem."""
        value = number(text, low, high) if text else None
        if text and value is None:
            self._problem("{} '{}' is no number from {} to {}", what, text, f"{low:g}", f"{high:g}")
        return value

    def _problem(self, text: str, *values: object) -> None:
        self._piece.problems.add("part {}, bar {}: " + text, self.name, self._bar.number, *values)

    def _quarters(self, element: Element, what: str = "duration") -> float:
        divisions = self._divisions or 1.0
        low, high = 0 if what == "duration" else -QUARTERS * divisions, QUARTERS * divisions
        return (self._number(element.findtext(what), what, low, high) or 0.0) / divisions

    def _read_attributes(self, element: Element) -> None:
        if (divisions := element.find("divisions")) is not None:
            self._read_divisions(divisions.text or "")
        if (time := element.find("time")) is not None:
            self._read_time(time)
        if (transpose := element.find("transpose")) is not None:
            octaves = self._number(transpose.findtext("octave-change"), "octave change", -10, 10) or 0
            steps = self._number(transpose.findtext("chromatic"), "transposition", -60, 60) or 0
            self._transposition = int(steps) + 12 * int(octaves)

    def _read_divisions(self, text: str) -> None:
        divisions = self._number(text, "divisions", *_DIVISIONS)
        if divisions is None and self._divisions is None:
            raise IctusError(
                f"this MusicXML cannot be played (part {short(self.name)}, bar {self._bar.number}: divisions are "
                f"{short(text)!r}, so that nothing says how long notes are); correct it or export it again"
            )
        self._divisions = divisions or self._divisions

    def _read_time(self, time: Element) -> None:
        """Take the time signature: the sum of its terms, as in 3+2/8, and of its pairs, as in 3/8 + 2/4."""
        self._piece.metred = True
        if time.find("senza-misura") is not None:
            self._bar.free = True
            return
        counts, kinds = ([e.text or "" for e in time.iterfind(name)] for name in ("beats", "beat-type"))
        if summed := time_signature(counts, kinds):
            self._bar.time, self._bar.free = summed, False
        elif counts or kinds:
            written = " + ".join(f"{count}/{kind}" for count, kind in zip_longest(counts, kinds, fillvalue=""))
            self._problem("time '{}' is no time signature", written)

    def _read_note(self, at: float, length: float, element: Element, inside: dict[str, Element]) -> None:
        notations = inside.get("notations")
        marks = {e.tag for e in notations.iter()} if notations is not None else set()
        if "fermata" in marks:
            self.fermatas.append(Mark(self._k, at, length or _GRACE))
            self._piece.marks += 1
        if "rest" in inside or "cue" in inside:
            return
        pitch, chord = self._pitch(inside), "chord" in inside
        if pitch is None:
            self._piece.unread += 1
            return
        if "grace" in inside:
            place = (self._graces[-1][1] if self._graces else -1) + (not chord)
            self._graces.append((WrittenNote(self._k, at, _GRACE, pitch, "~", plucked=self._plucked), place))
            self.notes.append(self._graces[-1][0])
            return
        self._place_graces()
        self._last_mark = mark = self._last_mark if chord else self._mark(notations, marks)
        tied = {e.get("type") for e in element.iterfind("tie")} if "tie" in inside else set()
        if "stop" in tied and pitch in self._tied:
            note = self._tied.pop(pitch)
            note.length += length
            note.mark = mark + (">" if ">" in note.mark and ">" not in mark else "")  # it ends as its last part does
        else:
            note = WrittenNote(self._k, at, length, pitch, mark, plucked=self._plucked)
            note.stroke = self._tremolo(element, notations) if notations is not None else 0.0
            note.trill = 2 * ("trill-mark" in marks)
            self.notes.append(note)
        if "start" in tied:
            self._tied[pitch] = note

    def _place_graces(self) -> None:
        """Let grace notes follow each other up to the beat that comes now."""
        for grace, place in self._graces:
            grace.at -= _GRACE * (self._graces[-1][1] - place + 1)
        self._graces.clear()

    def _pitch(self, inside: dict[str, Element]) -> int | None:
        if "unpitched" in inside:
            return UNPITCHED.get(self.instrument, 60)
        pitch = inside.get("pitch")
        step, octave, altered = [pitch.findtext(name) or "" for name in _PITCH] if pitch is not None else ("", "", "")
        height = number(octave, -1, 10)
        if step not in _STEPS or height is None:
            self._problem("a note of step '{}' and octave '{}' has no pitch", step, octave)
            return None
        alter = self._number(altered, "alter", -4, 4) or 0.0
        return 12 * (int(height) + 1) + _STEPS[step] + round(alter) + self._transposition

    def _mark(self, notations: Element | None, marks: set[str]) -> str:
        if notations is not None:
            for slur in notations.iterfind("slur"):
                name = slur.get("number", "1")
                (self._slurs.add if slur.get("type") == "start" else self._slurs.discard)(name)
        return ("'" if marks & _STACCATO else "~" if self._slurs else "") + (">" if marks & _ACCENTED else "")

    def _tremolo(self, element: Element, notations: Element) -> float:
        """Return the quarters of each stroke of a note that is repeated; 0 where it is not."""
        tremolo = notations.find("ornaments/tremolo")
        if tremolo is None or tremolo.get("type", "single") != "single":
            return 0.0
        strokes = self._number(tremolo.text or "3", "tremolo", 0, _TREMOLO)
        return 0.0 if strokes is None else 0.5 ** (int(strokes) + _FLAGS.get(element.findtext("type") or "", 0))

    def _read_direction(self, at: float, element: Element) -> None:
        self._piece.marks += 1
        text = " ".join((e.text or "").strip() for e in element.iterfind("direction-type/words"))[: limits.TEXT]
        self._read_signs(element, text)
        for dynamics in element.iterfind("direction-type/dynamics"):
            for sign in dynamics:
                text += f" {sign.text or ''}" if sign.tag == "other-dynamics" else ""
                if sign.tag in LEVELS:
                    self._levels.append(Mark(self._k, at, LEVELS[sign.tag]))
                if sign.tag in ACCENTS:
                    self._accents.add((self._k, round(at, 6)))
        for wedge in element.iterfind("direction-type/wedge"):
            self._read_wedge(at, wedge)
        if text := text.strip():
            if direction := ramp_direction(text):
                self._spanners.append(_Spanner(self._k, at, direction))
            self.words.append(Mark(self._k, at, text=text))
            if "pizz" in text.lower():
                self._plucked = True
            elif "arco" in text.lower() or "gestrichen" in text.lower():
                self._plucked = False
        sound, metronomes = element.find("sound"), element.findall("direction-type/metronome")
        if sound is not None:
            self._read_sound(at, sound)
        if sound is None or not sound.get("tempo"):
            for metronome in metronomes:
                self._read_metronome(at, metronome)
            if not metronomes and (tempo := tempo_in_words(text, self._bar.beat[0])):
                self._take_tempo(at, tempo, text)

    def _read_metronome(self, at: float, metronome: Element) -> None:
        unit, speed = metronome.findtext("beat-unit"), metronome.findtext("per-minute")
        if unit in _LENGTHS and speed:
            dotted = 2.0 - 0.5 ** len(metronome.findall("beat-unit-dot"))
            self._take_tempo(at, (speed_of(speed) or 0.0) * _LENGTHS[unit] * dotted, speed)

    def _take_tempo(self, at: float, tempo: float, text: str) -> None:
        if TEMPI[0] <= tempo <= TEMPI[1]:
            self.tempi.append(Mark(self._k, at, tempo))
        else:
            self._problem("tempo '{}' is no number of beats a minute", text)

    def _read_wedge(self, at: float, wedge: Element) -> None:
        name = wedge.get("number", "1")
        if wedge.get("type") == "stop":
            if name in self._open:
                self._open.pop(name).end = (self._k, at)
        elif wedge.get("type") in ("crescendo", "diminuendo"):
            self._open[name] = _Spanner(self._k, at, 1 if wedge.get("type") == "crescendo" else -1)
            self._spanners.append(self._open[name])

    def _read_signs(self, element: Element, text: str) -> None:
        """Read words and signs that say where to go; where there is a sound that says so, it is believed instead."""
        sound, signs = element.find("sound"), self._bar.signs
        if sound is not None and any(sound.get(name) for name in _JUMPS):
            return
        if text and read_words(text, signs):
            self._problem("'{}' is not followed, as it does not say how far", text)
        if element.find("direction-type/segno") is not None:
            signs.segno = signs.segno or ANY
        if element.find("direction-type/coda") is not None and signs.to_coda is None:
            signs.coda = signs.coda or ANY

    def _read_sound(self, at: float, sound: Element) -> None:
        if tempo := sound.get("tempo"):
            self._take_tempo(at, speed_of(tempo) or 0.0, tempo)
        if plucked := sound.get("pizzicato"):
            self._plucked = plucked == "yes"
        signs = self._bar.signs
        signs.segno, signs.coda = sound.get("segno") or signs.segno, sound.get("coda") or signs.coda
        signs.to_coda = sound.get("tocoda") or signs.to_coda
        signs.dal_segno = sound.get("dalsegno") or signs.dal_segno
        signs.fine |= sound.get("fine") is not None
        signs.da_capo |= sound.get("dacapo") == "yes"

    def _read_barline(self, at: float, barline: Element) -> None:
        bar, left = self._bar, barline.get("location") == "left"
        repeat, ending = barline.find("repeat"), barline.find("ending")
        if repeat is not None and repeat.get("direction") == "forward":
            bar.signs.forward = True
        elif repeat is not None:
            times = self._number(repeat.get("times"), "number of times", 0, _TIMES)
            bar.signs.backward, bar.double = 2 if times is None else int(times), True
            if ending is None and self._ending >= 0:  # it ends an ending that nothing else does
                self._mark_endings(self._piece.bars[self._ending].signs.endings)
        if ending is not None:
            self._read_ending(ending)
        bar.double |= not left and barline.findtext("bar-style") in ("light-light", "light-heavy")
        if barline.find("fermata") is not None and self.notes and self.notes[-1].bar == self._k:
            last = self.notes[-1]
            self.fermatas.append(Mark(self._k, last.at, max(at - last.at, _GRACE)))

    def _read_ending(self, ending: Element) -> None:
        """Mark the bars of an ending, when it begins and when it ends; without a beginning or an end, this one."""
        numbers = set[int]()
        for first, last in re.findall(
            r"(\d{1,4})(?: ?[-\u2013] ?(\d{1,4}))?", (ending.get("number") or "")[: limits.TEXT]
        ):
            numbers.update(range(max(1, int(first)), min(int(last or first), _TIMES) + 1))
        if ending.get("type") == "start":
            self._ending = self._k
            self._bar.signs.endings = frozenset(numbers)
        else:
            self._mark_endings(frozenset(numbers))

    def _mark_endings(self, numbers: frozenset[int]) -> None:
        """Mark the bars since an ending began, or this one if none did."""
        for bar in self._piece.bars[self._ending if self._ending >= 0 else self._k : self._k + 1]:
            bar.signs.endings = numbers
        self._ending = -1

    # --- What was read -----------------------------------------------------------------------------------------------

    def parts(self, starts: Float64Array) -> Iterator[Part]:
        """Give what is bowed or blown, and what is plucked, as parts of their own, in written quarters."""
        self._place_graces()
        levels = [(float(starts[m.bar]) + m.at, m.value) for m in self._levels]
        ramps = []
        for spanner in self._spanners:
            end = None if spanner.end is None else float(starts[spanner.end[0]]) + spanner.end[1]
            ramps.append(Ramp(float(starts[spanner.bar]) + spanner.at, end, spanner.sign))
        dynamics = loudness_from_markings(levels, ramps)
        for plucked in (False, True):
            notes: list[Note] = []
            for note in self.notes:
                if note.plucked == plucked:
                    sharp = ">" if (note.bar, round(note.at, 6)) in self._accents and ">" not in note.mark else ""
                    notes += note.played(max(0.0, round(float(starts[note.bar]) + note.at, 6)), sharp)
            if notes:
                instrument = "pizzicato" if plucked else self.instrument
                name = f"{self.name} (pizzicato)" if plucked else self.name
                yield Part(name, instrument, tuple(notes), PART_LEVELS[instrument], dynamics)
