"""MusicXML: full scores, plain (.musicxml, .xml) or compressed (.mxl), as `Score`s with their repeats played.

Read is what sounds, and not how it is printed: notes with ties, slurs, articulations, tremolos, trills and grace
notes; dynamics, hairpins, tempo marks and words; pizzicato; fermatas; time signatures, repeats, endings and jumps.
Source of the format: W3C MusicXML 4.0 (score-partwise).
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ictus.errors import IctusError
from ictus.files import readable
from ictus.scores.bars import Bar, beats_of
from ictus.scores.instruments import PART_LEVELS, UNPITCHED, instrument_from_name
from ictus.scores.markings import ACCENTS, LEVELS, Ramp, loudness_from_markings, ramp_direction, tempo_from_markings
from ictus.scores.repeats import playing_order, unfold
from ictus.scores.score import Note, Part, Score, joint_loudness
from ictus.types import Float64Array

Element = ElementTree.Element

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LENGTHS = {"breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25, "32nd": 0.125}
_FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}
_STACCATO = {"staccato", "staccatissimo", "spiccato"}
_ACCENTED = {"accent", "strong-accent"}
_GRACE = 0.125  # quarters that a grace note takes from what is before it
_TRILL = 0.125  # quarters of each note of a trill
_DAMAGE = (
    *(ElementTree.ParseError, zipfile.BadZipFile, zlib.error, StopIteration),
    *(EOFError, LookupError, OSError, RuntimeError, ValueError),
)
_LARGEST = 1 << 29  # bytes of XML: ten times the longest symphony


def read(path: Path) -> Score:
    """Read a score.

    Raises
    ------
    IctusError
        If the file is no MusicXML, is damaged, or holds no notes.
    """
    try:
        root = ElementTree.fromstring(_xml_of(readable(path)))
    except _DAMAGE as error:
        raise IctusError(f"{path}: no MusicXML, or a damaged one ({error})") from error
    if root.tag != "score-partwise":
        raise IctusError(f"{path}: is {root.tag!r}, not 'score-partwise'; export it again as MusicXML by parts")
    try:
        return _score(root, path.stem)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise IctusError(f"{path}: this MusicXML cannot be played ({error})") from error


def _xml_of(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
        name = next(e.get("full-path", "") for e in container.iter() if e.tag.endswith("rootfile"))
        if archive.getinfo(name).file_size > _LARGEST:
            raise ValueError("unpacks to more than half a gigabyte")
        return archive.read(name)


def _score(root: Element, stem: str) -> Score:
    headings = {e.get("id"): e for e in root.iterfind("part-list/score-part")}
    bars: list[Bar] = []
    readers = [_PartReader(part, headings.get(part.get("id")), bars) for part in root.iterfind("part")]
    if not any(reader.notes for reader in readers):
        raise ValueError("it holds no notes")
    starts, beats = beats_of(bars)
    end = float(starts[-1])

    def unit(quarter: float) -> float:
        return bars[min(int(np.searchsorted(starts, quarter + 1e-6, "right")) - 1, len(bars) - 1)].unit

    marks = sorted({(float(starts[m.bar]) + m.at, m.value) for reader in readers for m in reader.tempi})
    words = sorted({(float(starts[w.bar]) + w.at, w.text) for reader in readers for w in reader.words})
    held = sorted({(float(starts[f.bar]) + f.at, f.value) for reader in readers for f in reader.fermatas})
    parts = tuple(part for reader in readers for part in reader.parts(starts))
    doubles = [float(starts[k + 1]) for k, bar in enumerate(bars) if bar.double]
    written = Score(
        title=" ".join(filter(None, (root.findtext("work/work-title"), root.findtext("movement-title")))) or stem,
        tempo=tempo_from_markings(marks, [(quarter, text, unit(quarter)) for quarter, text in words]),
        dynamics=joint_loudness(parts, beats[:, 0]),
        parts=parts,
        beats=beats,
        fermatas=_joined(held),
        sections=np.unique(np.round([0.0, *(q for q in doubles if q < end), *(q for q, _ in marks)], 6)),
    )
    return unfold(written, starts, playing_order([bar.signs for bar in bars]))


def _joined(held: list[tuple[float, float]]) -> Float64Array:
    """Return (F, 2) beginnings and ends of holds: what the parts hold together, until the first of them goes on."""
    rows: list[tuple[float, float]] = []
    for start, length in held:
        if rows and start < rows[-1][1] - 1e-6:
            # A hold on a later note within a longer one: the moment that is held is the later one.
            rows[-1] = (start, min(rows[-1][1], start + length)) if start > rows[-1][0] + 1e-6 else rows[-1]
        else:
            rows.append((start, start + length))
    return np.array(rows).reshape(-1, 2)


@dataclass(frozen=True)
class _Mark:
    """Something at a place in a bar: a number, a text, or both."""

    bar: int
    at: float
    value: float = 0.0
    text: str = ""


@dataclass
class _WrittenNote:
    """A note as written; `stroke` is the length of a tremolo's notes, 0 where it is held."""

    bar: int
    at: float
    length: float
    pitch: int
    mark: str
    stroke: float = 0.0
    trill: int = 0
    plucked: bool = False


@dataclass
class _Spanner:
    """A hairpin that is open."""

    bar: int
    at: float
    sign: int
    end: tuple[int, float] | None = None


class _PartReader:
    """Reads one part, bar by bar; what concerns all parts goes into the common bars."""

    def __init__(self, part: Element, heading: Element | None, bars: list[Bar]) -> None:
        self.name = (heading.findtext("part-name") if heading is not None else None) or part.get("id") or "part"
        program = heading.findtext(".//midi-program") if heading is not None else None
        sound = (heading.findtext(".//instrument-sound") if heading is not None else None) or ""
        called = f"{self.name} {sound}".replace("\n", " ")
        self.instrument = instrument_from_name(called, int(program) - 1 if program else None)
        self.notes: list[_WrittenNote] = []
        self.tempi: list[_Mark] = []
        self.words: list[_Mark] = []
        self.fermatas: list[_Mark] = []
        self._levels: list[_Mark] = []
        self._spanners: list[_Spanner] = []
        self._accents: set[tuple[int, float]] = set()
        self._open: dict[str, _Spanner] = {}
        self._tied: dict[int, _WrittenNote] = {}
        self._slurs: set[str] = set()
        self._graces: list[_WrittenNote] = []
        self._last_mark = ""
        self._divisions, self._transposition, self._plucked = 1.0, 0, False
        self._bars, self._ending = bars, 0
        for number, measure in enumerate(part.iterfind("measure")):
            if number == len(bars):
                bars.append(Bar(time=bars[-1].time if bars else (4, 4)))
            self._read_bar(number, measure, bars[number])

    # --- Reading -----------------------------------------------------------------------------------------------------

    def _read_bar(self, number: int, measure: Element, bar: Bar) -> None:
        now = before = furthest = 0.0
        bar.upbeat |= measure.get("implicit") == "yes"
        for element in measure:
            if element.tag == "note":
                length = self._quarters(element)
                at = before if element.find("chord") is not None else now
                self._read_note(number, at, length, element)
                before, now = at, at + length
            elif element.tag in ("backup", "forward"):
                now += self._quarters(element) * (-1 if element.tag == "backup" else 1)
            elif element.tag == "attributes":
                self._read_attributes(element, bar)
            elif element.tag == "direction":
                offset = float(element.findtext("offset") or 0) / self._divisions
                self._read_direction(number, max(0.0, now + offset), element, bar)
            elif element.tag == "sound":
                self._read_sound(number, now, element, bar)
            elif element.tag == "barline":
                self._read_barline(number, now, element, bar)
            furthest = max(furthest, now)
        bar.actual = max(bar.actual, round(furthest, 6))

    def _quarters(self, element: Element) -> float:
        return float(element.findtext("duration") or 0) / self._divisions

    def _read_attributes(self, element: Element, bar: Bar) -> None:
        if divisions := element.findtext("divisions"):
            self._divisions = float(divisions)
        count, kind = element.findtext("time/beats"), element.findtext("time/beat-type")
        if count and kind:
            bar.time = (sum(int(term) for term in count.split("+")), int(kind))
        if (transpose := element.find("transpose")) is not None:
            octaves = int(transpose.findtext("octave-change") or 0)
            self._transposition = int(float(transpose.findtext("chromatic") or 0)) + 12 * octaves

    def _read_note(self, number: int, at: float, length: float, element: Element) -> None:
        notations = element.find("notations")
        marks = {e.tag for e in notations.iter()} if notations is not None else set()
        if "fermata" in marks:
            self.fermatas.append(_Mark(number, at, length or _GRACE))
        if element.find("rest") is not None or element.find("cue") is not None:
            return
        pitch, chord = self._pitch(element), element.find("chord") is not None
        if element.find("grace") is not None:
            for earlier in self._graces if not chord else ():  # they follow each other up to the beat
                earlier.at -= _GRACE
            self._graces.append(_WrittenNote(number, at - _GRACE, _GRACE, pitch, "~", plucked=self._plucked))
            self.notes.append(self._graces[-1])
            return
        self._graces.clear()
        self._last_mark = mark = self._last_mark if chord else self._mark(notations, marks)
        tied = {e.get("type") for e in element.iterfind("tie")}
        if "stop" in tied and pitch in self._tied:
            note = self._tied.pop(pitch)
            note.length += length
            note.mark = mark + (">" if ">" in note.mark and ">" not in mark else "")  # it ends as its last part does
        else:
            note = _WrittenNote(number, at, length, pitch, mark, plucked=self._plucked)
            note.stroke = _tremolo(element, notations) if notations is not None else 0.0
            note.trill = 2 * ("trill-mark" in marks)
            self.notes.append(note)
        if "start" in tied:
            self._tied[pitch] = note

    def _pitch(self, element: Element) -> int:
        if element.find("unpitched") is not None:
            return UNPITCHED.get(self.instrument, 60)
        step, octave = element.findtext("pitch/step") or "", element.findtext("pitch/octave") or ""
        alter = float(element.findtext("pitch/alter") or 0)
        return 12 * (int(octave) + 1) + _STEPS[step] + round(alter) + self._transposition

    def _mark(self, notations: Element | None, marks: set[str]) -> str:
        if notations is not None:
            for slur in notations.iterfind("slur"):
                name = slur.get("number", "1")
                (self._slurs.add if slur.get("type") == "start" else self._slurs.discard)(name)
        return ("'" if marks & _STACCATO else "~" if self._slurs else "") + (">" if marks & _ACCENTED else "")

    def _read_direction(self, number: int, at: float, element: Element, bar: Bar) -> None:
        text = " ".join((e.text or "").strip() for e in element.iterfind("direction-type/words"))
        for dynamics in element.iterfind("direction-type/dynamics"):
            for sign in dynamics:
                text += f" {sign.text or ''}" if sign.tag == "other-dynamics" else ""
                if sign.tag in LEVELS:
                    self._levels.append(_Mark(number, at, LEVELS[sign.tag]))
                if sign.tag in ACCENTS:
                    self._accents.add((number, round(at, 6)))
        for wedge in element.iterfind("direction-type/wedge"):
            self._read_wedge(number, at, wedge)
        if text.strip():
            if direction := ramp_direction(text):
                self._spanners.append(_Spanner(number, at, direction))
            self.words.append(_Mark(number, at, text=text.strip()))
            if "pizz" in text.lower():
                self._plucked = True
            elif "arco" in text.lower() or "gestrichen" in text.lower():
                self._plucked = False
        if (sound := element.find("sound")) is not None:
            self._read_sound(number, at, sound, bar)
            if sound.get("tempo"):
                return
        for metronome in element.iterfind("direction-type/metronome"):
            unit, speed = metronome.findtext("beat-unit"), metronome.findtext("per-minute")
            if unit in _LENGTHS and speed and speed.replace(".", "", 1).isdecimal():
                dotted = 1.5 if metronome.find("beat-unit-dot") is not None else 1.0
                self.tempi.append(_Mark(number, at, float(speed) * _LENGTHS[unit] * dotted))

    def _read_wedge(self, number: int, at: float, wedge: Element) -> None:
        name = wedge.get("number", "1")
        if wedge.get("type") == "stop":
            if name in self._open:
                self._open.pop(name).end = (number, at)
        elif wedge.get("type") in ("crescendo", "diminuendo"):
            self._open[name] = _Spanner(number, at, 1 if wedge.get("type") == "crescendo" else -1)
            self._spanners.append(self._open[name])

    def _read_sound(self, number: int, at: float, sound: Element, bar: Bar) -> None:
        if (tempo := sound.get("tempo")) and float(tempo) > 0:
            self.tempi.append(_Mark(number, at, float(tempo)))
        if plucked := sound.get("pizzicato"):
            self._plucked = plucked == "yes"
        signs = bar.signs
        signs.segno, signs.coda = sound.get("segno") or signs.segno, sound.get("coda") or signs.coda
        signs.to_coda = sound.get("tocoda") or signs.to_coda
        signs.dal_segno = sound.get("dalsegno") or signs.dal_segno
        signs.fine |= sound.get("fine") is not None
        signs.da_capo |= sound.get("dacapo") == "yes"

    def _read_barline(self, number: int, at: float, barline: Element, bar: Bar) -> None:
        signs, left = bar.signs, barline.get("location") == "left"
        repeat, ending = barline.find("repeat"), barline.find("ending")
        if repeat is not None and repeat.get("direction") == "forward":
            signs.forward = True
        elif repeat is not None:
            signs.backward, bar.double = int(repeat.get("times") or 2), True
        if ending is not None:
            self._read_ending(number, ending)
        bar.double |= not left and barline.findtext("bar-style") in ("light-light", "light-heavy")
        if barline.find("fermata") is not None and self.notes and self.notes[-1].bar == number:
            last = self.notes[-1]
            self.fermatas.append(_Mark(number, last.at, max(at - last.at, _GRACE)))

    def _read_ending(self, number: int, ending: Element) -> None:
        turns = frozenset(int(digits) for digits in re.findall(r"\d+", ending.get("number") or ""))
        if ending.get("type") == "start":
            self._ending = number
        for bar in self._bars[self._ending : number + 1]:  # one that is never closed is one bar long
            bar.signs.endings = turns

    # --- What was read -----------------------------------------------------------------------------------------------

    def parts(self, starts: Float64Array) -> Iterator[Part]:
        """Give what is bowed or blown, and what is plucked, as parts of their own, in written quarters."""
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
                    notes += _strokes(note, max(0.0, round(float(starts[note.bar]) + note.at, 6)), sharp)
            if notes:
                instrument = "pizzicato" if plucked else self.instrument
                name = f"{self.name} (pizzicato)" if plucked else self.name
                yield Part(name, instrument, tuple(notes), PART_LEVELS[instrument], dynamics)


def _tremolo(element: Element, notations: Element) -> float:
    """Return the quarters of each stroke of a note that is repeated; 0 where it is not."""
    tremolo = notations.find("ornaments/tremolo")
    if tremolo is None or tremolo.get("type", "single") != "single":
        return 0.0
    return float(0.5 ** (int(tremolo.text or 3) + _FLAGS.get(element.findtext("type") or "", 0)))


def _strokes(note: _WrittenNote, onset: float, sharp: str) -> Iterator[Note]:
    """Give the notes that are played: one, or the many of a tremolo or trill, the first with the accent."""
    step = note.stroke or (_TRILL if note.trill else 0.0)
    if not step or note.length < 1.5 * step:
        yield Note(onset, note.length, note.pitch, note.mark + sharp)
        return
    for k in range(round(note.length / step)):
        mark = note.mark or ("~" if note.trill else "")
        yield Note(onset + k * step, step, note.pitch + note.trill * (k % 2), mark + (sharp if k == 0 else ""))
