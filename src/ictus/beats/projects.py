"""Beats for programs in which people work with sound: labels of Audacity, layers of Sonic Visualiser, Reaper projects.

Sources of the formats: the manuals of Audacity (importing and exporting labels) and Sonic Visualiser (annotation
layers), and projects that Reaper 6 has saved.
"""

import os
from pathlib import Path

import numpy as np

from ictus.beats.bars import BeatValues
from ictus.beats.tempo_map import quarters

_RATE = 44100  # frames a second of a layer whose music is not known
_LAYER = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE sonic-visualiser>
<sv>
  <data>
    <model id="1" name="beats" sampleRate="{rate}" type="sparse" dimensions="1" resolution="1" notifyOnAdd="true" \
dataset="0" />
    <dataset id="0" dimensions="1">
{points}
    </dataset>
  </data>
  <display>
    <layer id="2" type="timeinstants" name="beats" model="1" plotStyle="0" colourName="Purple" colour="#c832ff" \
darkBackground="false" />
  </display>
</sv>
"""
_SOURCES = {".wav": "WAVE", ".mp3": "MP3", ".flac": "FLAC", ".ogg": "VORBIS", ".opus": "VORBIS", ".aif": "WAVE"}


def to_labels(beats: BeatValues) -> bytes:
    """Return labels that Audacity imports: twice the time, for a point, and the place in the bar."""
    rows = zip(beats.times.tolist(), beats.positions.tolist(), strict=True)
    return "".join(f"{time:.6f}\t{time:.6f}\t{place}\n" for time, place in rows).encode()


def to_layer(beats: BeatValues, music: Path | None = None) -> bytes:
    """Return a layer of time instants of Sonic Visualiser, in the frames of the music."""
    rate = _RATE
    if music is not None:
        from ictus.decoding import blocks

        rate = blocks(music, warn=False)[0]
    rows = zip(beats.times.tolist(), beats.positions.tolist(), strict=True)
    points = "\n".join(f'      <point frame="{round(time * rate)}" label="{place}" />' for time, place in rows)
    return _LAYER.format(rate=rate, points=points).encode()


def to_reaper(beats: BeatValues, folder: Path, music: Path | None = None) -> bytes:
    """Return a Reaper project: tempo and metre of every beat, a marker for every bar, and the music in a track.

    Parameters
    ----------
    folder : of the project, from which it finds the music.
    """
    starts, signatures = quarters(beats)
    tempi = 60 / np.diff(np.append(starts, starts[-1:] + 0.5))
    changes = dict(signatures)
    points = list[str]()
    for k, (time, tempo) in enumerate(zip(starts.tolist(), tempi.tolist(), strict=True)):
        metre = f" {4 << 16 | changes[k]}" if k in changes else ""
        points.append(f"    PT {time:.12f} {tempo:.10f} 1{metre}")
    first = tempi[0] if len(tempi) else 120.0
    lines = [
        '<REAPER_PROJECT 0.1 "6.0" 0',
        f"  TEMPO {first:.10f} {changes.get(0, 4)} 4",
        *_markers(beats),
        "  <TEMPOENVEX\n    ACT 1 -1\n    VIS 1 0 1\n    DEFSHAPE 1 -1 -1",
        *points,
        "  >",
        *([] if music is None else _track(beats, music, folder)),
        ">",
    ]
    return ("\n".join(lines) + "\n").encode()


def _markers(beats: BeatValues) -> list[str]:
    times = beats.times[beats.positions == 1].tolist()
    return [f'  MARKER {bar} {time:.9f} "bar {bar}" 0' for bar, time in enumerate(times, 1)]


def _track(beats: BeatValues, music: Path, folder: Path) -> list[str]:
    try:
        name = os.path.relpath(music, folder)
    except ValueError:  # another drive
        name = str(music.resolve())
    kind = _SOURCES.get(music.suffix.lower(), "VIDEO")
    return [
        f"  <TRACK\n    NAME {_text(music.stem)}",
        f"    <ITEM\n      POSITION 0\n      LENGTH {beats.duration:.6f}\n      NAME {_text(music.name)}",
        f"      <SOURCE {kind}\n        FILE {_text(name)}\n      >\n    >\n  >",
    ]


def _text(words: str) -> str:
    """Return words as a Reaper project quotes them: by a mark that they do not hold."""
    words = " ".join(words.split())
    mark = next((one for one in "\"'`" if one not in words), None)
    return f"{mark}{words}{mark}" if mark else '"' + words.replace('"', "'") + '"'
