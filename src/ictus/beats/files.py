"""Files of beats: what is saved is loaded again.

.json   everything that `Beats` holds, and its tempo from beat to beat
.csv    `time,beat` with a heading: seconds, and place in the bar (1 is the downbeat); a third column `meter` where the
        positions alone do not show how many beats a bar has
.txt    time and place in the bar with a tab between, without a heading: what other beat trackers write
.mid    a tempo map for any sequencer: tempo, time signatures, and wood blocks on the beats
.lab    labels of Audacity: twice the time, and the place in the bar, with tabs between
.svl    a layer of time instants of Sonic Visualiser
.rpp    a Reaper project: tempo and metre, a marker for each bar, and the music; it is not read

Others are read, too: labels of Audacity and Sonic Visualiser in .txt and .csv, .beats and .txt of data sets
(`ictus.beats.labels`), and the tempo and metres of any MIDI file.

Beats that are no .json have neutral loudness, articulation and accents, and a confidence of 1. Where no metre is
written, that of a bar is its last position; of the last bar, which may be incomplete, at least that of the one before.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ictus.beats.bars import BeatValues, meters_of
from ictus.beats.labels import from_layer, from_rows, from_table
from ictus.beats.projects import to_labels, to_layer, to_reaper
from ictus.beats.tempo_map import from_midi, to_midi
from ictus.documents import parse_json
from ictus.errors import IctusError, UsageError
from ictus.files import reading, short, writing

_VALUES = (  # of `Beats`
    *("times", "positions", "meters", "loudness", "articulation", "accents", "duration", "confidence", "holds"),
)
_LARGEST = 1 << 25  # bytes of a file


def save(beats: BeatValues, path: str | os.PathLike[str], music: Path | None = None) -> None:
    """Write beats; the suffix chooses the format. Raises UsageError if it is none of those above.

    Parameters
    ----------
    music : the file of which they are, for what shows both.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".rpp":
        content = to_reaper(beats, Path(path).parent, music)
    elif suffix == ".svl":
        content = to_layer(beats, music)
    elif suffix in _WRITERS:
        content = _WRITERS[suffix](beats)
    else:
        raise _unknown(path, "saved", SAVED)
    with writing(path) as temporary:
        temporary.write_bytes(content)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the values of `Beats` by name.

    Raises
    ------
    UsageError
        If the suffix is none of those above.
    IctusError
        If the file is missing or damaged.
    """
    read = _READERS.get(Path(path).suffix.lower())
    if read is None:
        raise _unknown(path, "loaded", _READERS)
    with reading(path) as file:
        if file.stat().st_size > _LARGEST:
            raise IctusError(f"is larger than {_LARGEST / 1e6:.0f} MB, as no file of beats is")
        try:
            return read(file.read_bytes())
        except Exception as error:  # what is damaged fails in any way
            raise IctusError(f"no file of beats ({short(error)})") from error


def _unknown(path: str | os.PathLike[str], what: str, known: Iterable[str]) -> UsageError:
    return UsageError(f"{os.fspath(path)}: beats cannot be {what} as {Path(path).suffix!r}; choose {', '.join(known)}")


# --- Text ------------------------------------------------------------------------------------------------------------


def _to_json(beats: BeatValues) -> bytes:
    values = {name: getattr(beats, name) for name in _VALUES}
    steps = np.diff(beats.times)
    values["tempo_curve"] = 60 / np.append(steps, steps[-1:])  # beats a minute from each beat to the next
    return json.dumps({name: np.asarray(value).tolist() for name, value in values.items()}).encode()


def _from_json(content: bytes) -> dict[str, Any]:
    values = parse_json(content)
    if not isinstance(values, dict):
        raise ValueError("it holds no table of values by name")
    meters = values.get("meters", values.get("meter", 4))  # what a motion carries has one metre
    return {**{name: values[name] for name in values.keys() & set(_VALUES)}, "meters": meters}


def _to_csv(beats: BeatValues) -> bytes:
    rows: list[tuple[Any, ...]] = [("time", "beat"), *_rows(beats)]
    if not np.array_equal(meters_of(beats.positions), beats.meters):
        rows = [(*row, meter) for row, meter in zip(rows, ["meter", *beats.meters.tolist()], strict=True)]
    return _table(rows, ",")


def _to_txt(beats: BeatValues) -> bytes:
    return _table(_rows(beats), "\t")


def _rows(beats: BeatValues) -> list[tuple[Any, ...]]:
    return [(f"{time:.3f}", int(place)) for time, place in zip(beats.times, beats.positions, strict=True)]


def _table(rows: list[tuple[Any, ...]], between: str) -> bytes:
    return "".join(between.join(map(str, row)) + "\n" for row in rows).encode()


_WRITERS = {".csv": _to_csv, ".txt": _to_txt, ".mid": to_midi, ".json": _to_json, ".lab": to_labels}
SAVED = (*_WRITERS, ".svl", ".rpp")
_READERS = {
    ".csv": from_table,
    ".txt": from_rows,
    ".beats": from_rows,
    ".lab": from_rows,
    ".svl": from_layer,
    ".mid": from_midi,
    ".midi": from_midi,
    ".json": _from_json,
}
