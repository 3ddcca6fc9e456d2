"""Reading scores of any kind: MusicXML, MIDI, and the package's own JSON."""

import os
from pathlib import Path

from ictus.errors import UsageError
from ictus.scores import midi, musicxml
from ictus.scores.score import Score

SUFFIXES = (".mxl", ".musicxml", ".xml", ".mid", ".midi")


def read(path: str | os.PathLike[str]) -> Score:
    """Read a score; the suffix names the format.

    Raises
    ------
    UsageError
        If the suffix is of no known format.
    IctusError
        If the file is missing, damaged or holds no notes.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix == ".json":
        return Score.load(file)
    if suffix not in SUFFIXES:
        raise UsageError(f"{file}: no score has the suffix {suffix!r}; known are {' '.join(SUFFIXES)} .json")
    return midi.read(file) if suffix in (".mid", ".midi") else musicxml.read(file)
