"""Labels: beats as other programs and data sets write them, read.

A line has a time in seconds and a label, with a tab, blanks or a comma between; a line of Audacity has two times, of
which the first counts. What a label says:

1, 2, 3 ...        the place in the bar, 1 the downbeat; 0, or nothing, where it is not known
12.1, 12:1, 12|1   bar and place
downbeat, beat     and D, B, bar: the places are counted from each downbeat

Where the labels count on through the piece, or there are none, the bars are not known: all positions are 0.
"""

import csv
import re
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from ictus.beats.bars import meters_of, positions_from
from ictus.files import quoted
from ictus.scores.xml_stream import stream
from ictus.types import IntArray

_PLACE = re.compile(r"\d{1,3}(\.0*)?")
_BAR_AND_PLACE = re.compile(r"-?\d{1,6}[.:|](\d{1,2})")
_WORDS = {**dict.fromkeys(("downbeat", "bar", "d", "db"), True), **dict.fromkeys(("beat", "b", ""), False)}
_LONGEST = 32  # beats of a bar; labels that count farther count the beats of the piece
_USUAL = 4  # beats of a bar before the first downbeat, where nothing says it


def from_rows(content: bytes) -> dict[str, Any]:
    """Return the values of `Beats` of lines of times and labels; ValueError if they are none."""
    times, labels = list[float](), list[str]()
    for line in content.decode("utf-8-sig").splitlines():
        if not line.strip() or line.startswith(("#", "\\")):  # the latter: frequencies of a label of Audacity
            continue
        words = line.split("\t") if "\t" in line else line.replace(",", " ").split()
        times.append(float(words[0]))
        labels.append(words[-1].strip() if len(words) > 1 else "")
    return _values(times, labels)


def from_table(content: bytes) -> dict[str, Any]:
    """Return the values of `Beats` of a table with commas: time and beat, metre if it is there; ValueError if none."""
    rows = [row for row in csv.reader(content.decode("utf-8-sig").splitlines()) if row]
    if not rows:
        raise ValueError("it holds no rows")
    columns = {name.strip().lower(): number for number, name in enumerate(rows[0])}
    if "time" not in columns:
        return _values([float(row[0]) for row in rows], [row[-1].strip() if len(row) > 1 else "" for row in rows])
    place = next((columns[name] for name in ("beat", "label", "position") if name in columns), None)
    values = _values(
        [float(row[columns["time"]]) for row in rows[1:]],
        ["" if place is None else row[place].strip() for row in rows[1:]],
    )
    if "meter" in columns:
        values["meters"] = [int(row[columns["meter"]]) for row in rows[1:]]
    return values


def from_layer(content: bytes) -> dict[str, Any]:
    """Return the values of `Beats` of a layer of time instants of Sonic Visualiser (.svl); ValueError if it is none."""
    rate, points = 0.0, list[Element]()
    for *_, element in stream(content, "sv", ("model", "point")):
        if element.tag == "point":
            points.append(element)
        else:
            rate = rate or float(element.get("sampleRate", "0"))
    if not rate > 0 or not points:
        raise ValueError("it holds no time instants")
    return _values([int(p.get("frame", "")) / rate for p in points], [p.get("label", "").strip() for p in points])


def _values(times: list[float], labels: list[str]) -> dict[str, Any]:
    positions = _positions(labels)
    meters = np.maximum(meters_of(positions), 1) if positions.any() else _USUAL
    return {"times": times, "positions": positions, "meters": meters}


def _positions(labels: list[str]) -> IntArray:
    """Return the place in the bar that each label says, 0 for all if they say none."""
    unknown = np.zeros(len(labels), np.int64)
    if all(_PLACE.fullmatch(label) for label in labels):
        places = np.array([int(float(label)) for label in labels], np.int64)
        counted = len(labels) > _LONGEST and (np.diff(places) == 1).all()
        if counted or (places == 0).all():
            return unknown
        return places if places.all() else positions_from(places == 1, _USUAL)
    if all(found := [_BAR_AND_PLACE.fullmatch(label) for label in labels]):
        return np.array([int(one[1]) for one in found if one], np.int64)
    words = [_WORDS.get(label.lower()) for label in labels]
    if None in words:
        raise ValueError(f"the label {quoted(labels[words.index(None)])} is no beat: 1, 2, 3 ..., downbeat, beat")
    return positions_from(np.array(words, bool), _USUAL) if any(words) else unknown
