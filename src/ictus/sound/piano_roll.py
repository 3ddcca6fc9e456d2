"""Piano roll: one HTML file in which notes are seen, dragged, played again and saved, with no network."""

import html
import json
import os
from importlib.resources import files
from pathlib import Path

import numpy as np

from ictus.files import writing
from ictus.sound.played_notes import CURVE_RATE, PlayedNotes
from ictus.sound.voice import PROGRAMS, check_instrument

_EVERY = 2  # values of the curves, of which the page takes one


def save_piano_roll(played: PlayedNotes, out: str | os.PathLike[str], title: str = "") -> None:
    """Write the page.

    Parameters
    ----------
    title : of the page; without one, the file's name.

    Raises
    ------
    UsageError
        If the instrument is none that is known.
    IctusError
        If the file cannot be written.
    """
    text = piano_roll_html(played, title or Path(out).stem)
    with writing(out) as temporary:
        temporary.write_text(text, "utf-8", "replace")


def piano_roll_html(played: PlayedNotes, title: str) -> str:
    """Return the page that `save_piano_roll` writes, to be shown within another."""
    check_instrument(played.instrument)
    notes = np.column_stack([played.notes[:, 0], played.ends - played.notes[:, 0], played.pitches, played.notes[:, 3]])
    take = {
        "duration": round(played.duration, 3),
        "rate": CURVE_RATE / _EVERY,
        "program": PROGRAMS[played.instrument],
        "file": "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in title) or "notes",
        "notes": [[round(a, 4), round(b, 4), int(c), round(d, 3)] for a, b, c, d in notes.tolist()],
        "loudness": np.round(np.asarray(played.loudness)[::_EVERY], 2).tolist(),
        "bend": np.round(np.asarray(played.bend)[::_EVERY], 2).tolist(),
        "silences": np.round(np.asarray(played.silences), 2).tolist(),
    }
    parts = {
        "title": html.escape(title),
        "about": html.escape(f"{played.instrument}, {len(played)} notes, {played.duration:.1f} s"),
        "take": json.dumps(take, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
    }
    first, *pieces = (files("ictus.sound") / "piano_roll.html").read_text("utf-8").split("{{")
    return first + "".join(parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces))
