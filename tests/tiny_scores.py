"""Scores small enough to be written out in a test."""

import struct
import zipfile
from pathlib import Path

import numpy as np

from ictus.scores.score import Note, Part, Score

STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def note(name: str, length: int, extra: str = "", notations: str = "", before: str = "") -> str:
    """Write a MusicXML note, its length in eighths (2 divisions a quarter); "r" is a rest."""
    kind = {1: "eighth", 2: "quarter", 3: "quarter", 4: "half", 8: "whole"}.get(length, "quarter")
    pitch = f"<step>{name[0].upper()}</step><octave>{name[1:]}</octave>"
    head = "<rest/>" if name == "r" else f"<pitch>{pitch}</pitch>"
    marks = f"<notations>{notations}</notations>" if notations else ""
    return f"<note>{before}{head}<duration>{length}</duration>{extra}<voice>1</voice><type>{kind}</type>{marks}</note>"


def direction(inside: str, sound: str = "") -> str:
    return f"<direction><direction-type>{inside}</direction-type>{sound}</direction>"


def dynamics(sign: str) -> str:
    return direction(f"<dynamics><{sign}/></dynamics>")


def words(text: str, sound: str = "") -> str:
    return direction(f"<words>{text}</words>", sound)


def attributes(beats: int = 3, kind: int = 4, more: str = "") -> str:
    return (
        f"<attributes><divisions>2</divisions><time><beats>{beats}</beats><beat-type>{kind}</beat-type></time>"
        f"{more}</attributes>"
    )


def repeat(way: str) -> str:
    return f'<barline location="{"left" if way == "forward" else "right"}"><repeat direction="{way}"/></barline>'


def ending(number: int, kind: str) -> str:
    side = "left" if kind == "start" else "right"
    again = '<repeat direction="backward"/>' if number == 1 and kind == "stop" else ""
    return f'<barline location="{side}"><ending number="{number}" type="{kind}"/>{again}</barline>'


def bar(*content: str, upbeat: bool = False) -> str:
    return f"<measure{' implicit=' + chr(34) + 'yes' + chr(34) if upbeat else ''}>{''.join(content)}</measure>"


def musicxml(parts: dict[str, list[str]], programs: dict[str, int] | None = None) -> str:
    """Write a score: the bars of each part by its name."""
    headings, music = "", ""
    for k, (name, bars) in enumerate(parts.items()):
        program = (programs or {}).get(name)
        midi = f"<midi-instrument><midi-program>{program}</midi-program></midi-instrument>" if program else ""
        headings += f'<score-part id="P{k}"><part-name>{name}</part-name>{midi}</score-part>'
        music += f'<part id="P{k}">{"".join(bars)}</part>'
    return (
        '<?xml version="1.0"?><score-partwise version="4.0"><work><work-title>Tiny</work-title></work>'
        f"<part-list>{headings}</part-list>{music}</score-partwise>"
    )


def save_mxl(path: Path, text: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>',
        )
        archive.writestr("score.xml", text)


def waltz(bars: int, tempo: int = 120) -> str:
    """Write a waltz for violin and bass: a tune in quarters and eighths over a bass note and two chords."""
    tune, bass = [], []
    for k in range(bars):
        start = (attributes(), words("Allegro", f'<sound tempo="{tempo}"/>'), dynamics("mf")) if k == 0 else ()
        steps = "cegdfaebgfdb"
        a, b, c = (f"{steps[(3 * k + j) % 12]}5" for j in range(3))
        tune.append(bar(*start, note(a, 2), note(b, 1), note(c, 1), note(a, 2)))
        low = ("c3", "g2")[k % 2]
        bass.append(bar(*(start[:1]), note(low, 2), note("e3", 2), note("e3", 2)))
    return musicxml({"Violin": tune, "Contrabass": bass})


def midi(tracks: list[list[tuple[int, bytes]]], division: int = 480) -> bytes:
    """Write a Standard MIDI File of events at absolute ticks."""

    def number(value: int) -> bytes:
        digits = [value & 0x7F]
        while value := value >> 7:
            digits.append(value & 0x7F | 0x80)
        return bytes(reversed(digits))

    data = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), division)
    for events in tracks:
        body, now = b"", 0
        for tick, message in [*sorted(events, key=lambda event: event[0])]:
            body += number(tick - now) + message
            now = tick
        body += b"\x00\xff\x2f\x00"
        data += b"MTrk" + struct.pack(">I", len(body)) + body
    return data


def score_of(*parts: Part, loud: float = 0.7) -> Score:
    """Return a score in 4/4, a quarter a second, of one loudness."""
    end = max(note.onset + note.length for part in parts for note in part.notes)
    beats = np.array([[q, q % 4 + 1, 4, 2] for q in range(int(np.ceil(end)))], float)
    return Score("x", np.array([[0.0, 60]]), np.array([[0.0, loud], [end, loud]]), parts, beats)


def solo(instrument: str, *notes: Note, loud: float = 0.7) -> Score:
    return score_of(Part("a", instrument, notes), loud=loud)
