"""MusicXML: full scores, plain (.musicxml, .xml) or compressed (.mxl), as `Score`s with their repeats played.

Read is what sounds, and not how it is printed: notes with ties, slurs, articulations, tremolos, trills and grace
notes; dynamics, hairpins, tempo marks and words; pizzicato; fermatas; time signatures, repeats, endings and jumps.
Source of the format: W3C MusicXML 4.0 (score-partwise).
"""

import logging
import zipfile
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from ictus import limits
from ictus.errors import IctusError
from ictus.files import reading, unpacked
from ictus.scores.bars import beats_of, movements
from ictus.scores.bounds import Problems, check_size, content
from ictus.scores.markings import tempo_from_markings
from ictus.scores.musicxml_part import PartReader, Piece, heading
from ictus.scores.navigation import pair_codas
from ictus.scores.repeats import playing_order, unfold
from ictus.scores.score import Score, check_playable, joint_loudness
from ictus.scores.xml_stream import stream
from ictus.types import Float64Array

_log = logging.getLogger(__name__)

_XML = limits.MEMORY // 4  # bytes: five times the longest symphony
_ARCHIVE = 1 << 24  # bytes of an .mxl
_CONTAINER = 1 << 20  # bytes
_WANTED = ("work-title", "movement-title", "score-part", "measure")


def read(path: Path) -> Score:
    """Read a score; what it cannot mean is passed over, with a line in the log.

    Raises
    ------
    IctusError
        If the file is no MusicXML, is damaged, or holds no notes, or more than any piece.
    """
    with reading(path) as file:
        piece = Piece(Problems())
        score = check_playable(_score(_xml_of(file), file.stem, piece))
        piece.problems.warn(file)
        if not piece.metred:
            _log.warning("%s: no metre is written; its bars are taken as 4/4; if they are others, write it in", path)
        return score


def _xml_of(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        return content(path, _XML)
    with zipfile.ZipFile(BytesIO(content(path, _ARCHIVE))) as archive:
        return unpacked(archive, _main_file(archive), _XML)


def _main_file(archive: zipfile.ZipFile) -> str:
    """Return the name of the score in an archive: what its container says, or else the only XML file."""
    names, container = archive.namelist(), "META-INF/container.xml"
    if container in names:
        roots = list(stream(unpacked(archive, container, _CONTAINER), "container", ["rootfile"]))
        name = roots[0][-1].get("full-path", "") if roots else ""
        if name in names:
            return name
    scores = [name for name in names if name.lower().endswith((".xml", ".musicxml")) and name != container]
    if len(scores) != 1:
        raise IctusError(f"holds {len(scores)} XML files and does not say which is the score; export it again")
    return scores[0]


def _score(text: bytes, stem: str, piece: Piece) -> Score:
    titles, readers = _parts(text, piece)
    bars, notes = piece.bars, sum(len(reader.notes) for reader in readers)
    if piece.unread > max(1, notes // 10) or (piece.unread and not notes):
        first = f"{piece.problems.first}; {piece.unread} of {piece.unread + notes} notes cannot be read"
        raise IctusError(f"this MusicXML cannot be played ({first}); correct it or export it again")
    if not notes:
        raise IctusError("this MusicXML holds no notes; export it again")
    check_size(notes=sum(note.strokes for reader in readers for note in reader.notes))
    starts, beats = beats_of(bars)
    end = float(starts[-1])

    def unit(quarter: float) -> float:
        return bars[min(int(np.searchsorted(starts, quarter + 1e-6, "right")) - 1, len(bars) - 1)].beat[0]

    marks = sorted({(float(starts[m.bar]) + m.at, m.value) for reader in readers for m in reader.tempi})
    words = sorted({(float(starts[w.bar]) + w.at, w.text) for reader in readers for w in reader.words})
    held = sorted({(float(starts[f.bar]) + f.at, f.value) for reader in readers for f in reader.fermatas})
    parts = tuple(part for reader in readers for part in reader.parts(starts))
    doubles = [float(starts[k + 1]) for k, bar in enumerate(bars) if bar.double]
    written = Score(
        title=" ".join(filter(None, (titles.get("work-title"), titles.get("movement-title")))) or stem,
        tempo=tempo_from_markings(marks, [(quarter, text, unit(quarter)) for quarter, text in words]),
        dynamics=joint_loudness(parts, beats[:, 0]),
        parts=parts,
        beats=beats,
        fermatas=_joined(held),
        sections=np.unique(np.round([0.0, *(q for q in doubles if q < end), *(q for q, _ in marks)], 6)),
    )
    order: list[int] = []
    for movement in movements(bars):
        signs = [bar.signs for bar in bars[movement]]
        pair_codas(signs)
        order += [movement.start + k for k in playing_order(signs)]
    for k in sorted(set(range(len(bars))).difference(order)):
        piece.problems.add("bar {}: repeats and jumps never lead to it", bars[k].number)
    return unfold(written, starts, order)


def _parts(text: bytes, piece: Piece) -> tuple[dict[str, str], list[PartReader]]:
    """Read the titles, by their elements, and the parts."""
    titles, headings, readers = dict[str, str](), dict[str | None, tuple[str, str]](), list[PartReader]()
    now: Element | None = None
    for *above, element in stream(text, "score-partwise", _WANTED):
        if element.tag == "score-part":
            headings.setdefault(element.get("id"), heading(element, piece.problems))
            check_size(parts=len(headings))
        elif element.tag != "measure":
            titles.setdefault(element.tag, element.text or "")
        elif len(above) == 2:
            if above[1] is not now:
                now = above[1]
                readers.append(PartReader(*headings.get(now.get("id"), heading(now, piece.problems)), piece))
                check_size(parts=len(readers))
            readers[-1].read_bar(element)
    return titles, readers


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
