"""Dance with Melody -> the prepared corpus that its LSTM autoencoder learns from.

    <out>/{train,val,test}/<dance>/motion.npy  (T, 63) float32, 25 fps: melody-21 in metres, y up, facing the front (+z)
                                  /audio.npy   (T, 16) float32, melody16
                                  /beats.npy   (K,) seconds, of the beat tracker
                                  /music.flac  the sound, if it is asked for
         /prepared.json                        what it was made of, and how much there is

The motion is brought from its true frame rate to 25 fps on the time line of the music; of the two, the shorter counts.
Both are cut to the first and the last beat that is danced; most recordings begin in the dance, waltzes on one of two
poses, and there the first frame stays, so that the place in the song is that in the dance. Where a joint leaps, faster
than any hand moves, the dance is cut into pieces, whose names have a number: T_5, T_5-2, T_5-3.
The recordings drift upwards as their clips follow each other: the floor is put level where the lower foot is.
Then the dancer is shown in one of two views:

    room   turned and centred once, by the means of heading and place: as an audience sees it
    body   turned and centred in every frame, with the hips facing the front: as the paper's network sees it
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter, uniform_filter1d

from ictus.audio import Audio
from ictus.beats.tracker import BeatTracker
from ictus.corpora import SPLITS, PreparationResult, begin_preparation, shorten_list
from ictus.dance.data import dance_with_melody
from ictus.dance.data.dance_with_melody import Kind, MelodyRecording
from ictus.dance.data.preparation import save_dance
from ictus.errors import IctusError, MotionError
from ictus.features import melody16
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

View = Literal["room", "body"]

RATE = 25  # frames a second
ABOUT = {
    "corpus": "Dance with Melody",
    "motion": "(T, 63) at 25 fps: melody-21, metres, y up, facing +z; sides as named in the corpus",
    "audio": "(T, 16) melody16 at 25 fps",
    "beats": "of the beat tracker",
    "source": "Tang, Jia & Mao, Dance with Melody (ACM Multimedia 2018)",
    "licence": "none is stated, and the songs are commercial recordings: not to be passed on",
}

_BODY = get_skeleton("melody-21")
_MARKER_HEIGHT = 0.052  # metres by which the lowest point of a foot lies above the floor where most dances begin
_SETTLING = 1.0  # seconds over which the floor may change
_LEAP = 12.5  # m/s that no joint of a dancer reaches: there the recording jumps
_MOVES = 0.25  # m/s, mean speed of the joints over a second: below it, the dancer stands


@dataclass(frozen=True)
class MelodyJob:
    """A dance that is to be made of a recording: where, in which view, at which true frame rate, whether with sound."""

    recording: MelodyRecording
    folder: Path
    view: View
    rate: float | None
    sound: bool


def plan(
    root: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    kind: Kind = "all",
    view: View = "body",
    waltz_rate: float = dance_with_melody.RATES["waltz"],
    splits: Sequence[str] = SPLITS,
    sound: bool = False,
) -> tuple[list[MelodyJob], list[str]]:
    """List the dances that are to be made, and begin or resume the corpus.

    Parameters
    ----------
    kind : of dance; the paper trains a network for each.
    view : "room" or "body", see above.
    waltz_rate : true frames a second of the waltzes.
    sound : keep the sound as music.flac.

    Returns
    -------
    The dances that are not there yet; and a line for each whose song is missing, and for those whose split is unknown.

    Raises
    ------
    UsageError
        If `root` holds no dances, its splits.csv is damaged, or `out` holds another corpus.
    """
    found, lacking = dance_with_melody.find_recordings(root, kind)
    split_of = dance_with_melody.splits(root)
    unknown = [recording.name for recording in found if recording.name not in split_of]
    lines = list(lacking)
    if unknown:
        lines.append(
            f"{root}: no split is known of {shorten_list(unknown)}, left out; add them to splits.csv (dance_id, split)"
        )
    about = {**ABOUT, "kind": kind, "view": view, "waltz_rate": round(waltz_rate, 4), "sound": sound}
    begin_preparation(Path(out), about)
    jobs = []
    for recording in found:
        split = split_of.get(recording.name)
        folder = Path(out) / str(split) / recording.name
        if split in splits and not folder.is_dir():
            jobs.append(MelodyJob(recording, folder, view, waltz_rate if recording.kind == "waltz" else None, sound))
    return jobs, lines


def prepare_recording(job: MelodyJob) -> PreparationResult:
    """Make a dance, in pieces if it leaps; if it cannot be made, say why in a line."""
    recording = job.recording
    try:
        motion = recording.motion(job.rate).resample(RATE)
        audio = recording.audio()
        features = melody16(audio)
        count = min(len(motion), len(features))
        points = motion.positions[:count, : len(_BODY)].astype(np.float64)
        beats = BeatTracker()(audio).times  # as the dancer will; librosa's took many waltzes at twice their tempo
        pieces = danced_pieces(points, beats)
        if not pieces:
            raise MotionError(f"{recording.motion_file}: no two beats of the song while the dancer moves")
        seen = face_front(points, job.view).reshape(count, -1).astype(np.float32)
        for number, (start, end) in reversed(list(enumerate(pieces, 1))):  # the first one last: then all are there
            inside = beats[(np.round(beats * RATE) >= start) & (np.round(beats * RATE) < end)]
            at = slice(round(start / RATE * audio.rate), round(end / RATE * audio.rate))
            save_dance(
                job.folder if number == 1 else job.folder.with_name(f"{job.folder.name}-{number}"),
                {
                    "motion": seen[start:end],
                    "audio": features[start:end],
                    "beats": np.maximum(inside - start / RATE, 0),
                    **({"music": Audio(audio.samples[:, at], audio.rate)} if job.sound else {}),
                },
            )
    except IctusError as error:
        line = str(error)
        named = line.startswith((str(recording.motion_file.parent), str(job.folder)))
        return PreparationResult(0, (line if named else f"{recording.music_file}: {line}",))
    return PreparationResult(1)


def danced_pieces(points: Float64Array, beats: Float64Array) -> list[tuple[int, int]]:
    """Return (first frame, frame after the last) of each piece without a leap, from a danced beat to a danced beat.

    The first one begins with the beat before the dancer moves, or with the recording if there is none.

    Parameters
    ----------
    points : (T, J, 3) metres at 25 fps.
    beats : (K,) seconds.
    """
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1) * RATE  # (T - 1, J)
    moves = np.flatnonzero(uniform_filter1d(speed.mean(1), RATE, mode="nearest") >= _MOVES)
    if not len(moves):
        return []
    marked = np.unique(np.round(beats * RATE).astype(int))
    begins = int(marked[marked <= moves[0]].max(initial=0))
    marked = marked[(marked >= begins) & (marked <= moves[-1] + 1)]
    borders = [0, *(np.flatnonzero((speed > _LEAP).any(1)) + 1).tolist(), len(points)]
    inside = ((a, marked[(marked >= a) & (marked < b)]) for a, b in pairwise(borders))
    return [(int(some[0]) if a else begins, int(some[-1]) + 1) for a, some in inside if len(some) > 1]


def face_front(points: Float64Array, view: View) -> Float64Array:
    """Put a dance of melody-21, (T, 21, 3) metres at 25 fps, on a level floor, into its middle, and face the front."""
    points = points.copy()
    points[..., 1] -= _floor(points)[:, None]
    waist = points[:, _BODY.index("waist")]
    middle, turn = waist, heading(points)
    if view == "room":
        middle = waist.mean(0, keepdims=True)
        turn = np.angle(np.exp(1j * turn).mean(keepdims=True))
    points -= middle[:, None] * (1, 0, 1)
    sine, cosine = np.sin(turn)[:, None], np.cos(turn)[:, None]
    x, z = points[..., 0], points[..., 2]
    return np.stack([x * cosine - z * sine, points[..., 1], x * sine + z * cosine], axis=-1)


def heading(points: Float64Array) -> Float64Array:
    """Return where the hips face in each frame, (T,) radians: 0 to the front (+z), positive towards +x.

    The corpus's `_l` lies on the dancer's right, as the toes show.
    """
    across = points[:, _BODY.index("waist_r")] - points[:, _BODY.index("waist_l")]  # to the dancer's own left
    return np.asarray(np.arctan2(-across[:, 2], across[:, 0]), np.float64)


def _floor(points: Float64Array) -> Float64Array:
    """Return the height of the floor in each frame, (T,) metres: the lower foot's, without what it does quickly."""
    feet = [_BODY.index(f"{point}_{side}") for point in ("ankle", "heel", "toe") for side in "lr"]
    lowest = points[:, feet, 1].min(1)
    steady = median_filter(lowest, round(_SETTLING * RATE), mode="nearest")
    return np.asarray(gaussian_filter1d(steady, _SETTLING / 2 * RATE, mode="nearest") - _MARKER_HEIGHT, np.float64)
