"""A repertoire: a folder of recorded dances of whatever origin, as clips that can be danced.

Taken are motions of rigs and bodies that `ictus.retargeting.humanoid` knows (.bvh, .glb, .npz), SMPL's (AMASS's
.npz, AIST++'s and EDGE's .pkl), and recordings of AIST++ in pieces:

| `.npz` | |
|---|---|
| `rotations`, `root` | (T, 22 or 24, 3, 3), smpl-24; (T, 3) metres, y up |
| `fps`, `bpm` | frames a second; beats a minute of the music, which begins with the dance |
| `joins` | frames at which pieces were joined |

Films (.mp4 and its like) are dances, too: the dancer is looked for in them, between cuts, and put in space. A film
beside a motion of the same name is left alone.

The genre is what a name of AIST++ says, or the folder within the repertoire that a file lies in.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ictus.arrays import archive
from ictus.dance.data.aist import GENRES, SequenceName
from ictus.dance.data.motion_clips import SHORTEST, MotionClip, make_clips
from ictus.errors import IctusError, MotionError, UsageError
from ictus.files import reading
from ictus.motion import Motion
from ictus.pose import Track
from ictus.pose.gaps import FILLED
from ictus.pose.space import in_space
from ictus.pose.watch import Watch, passages
from ictus.pose.watch import watch as watch_film
from ictus.retargeting.humanoid import as_dancer, joint_numbers
from ictus.skeleton import get_skeleton
from ictus.types import AnyArray
from ictus.video_io import SUFFIXES as FILMS

SUFFIXES = (".bvh", ".glb", ".npz", ".pkl")
_RECORDED = ("rotations", "root", "fps", "bpm", "joins")
_FILM_RATE = 30.0  # frames a second, about, in which a dancer is looked for
_FEW = 0.25  # clear beats a second, of which every dance has more
_BODY = get_skeleton("smpl-24")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """What a file holds.

    Attributes
    ----------
    clips : one, or several where the body leaps.
    joints : names of smpl-24 -> names in the file, of those that were retargeted.
    notes : a line for what the user should know.
    """

    path: Path
    clips: tuple[MotionClip, ...]
    joints: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repertoire:
    """Recordings of a folder, and a line for each file that cannot be used: motions, and films that show no dance."""

    recordings: tuple[Recording, ...]
    broken: tuple[str, ...]
    without_dance: tuple[str, ...] = ()

    @property
    def clips(self) -> list[MotionClip]:
        """All clips."""
        return [clip for recording in self.recordings for clip in recording.clips]


def read_repertoire(folder: Path, watch: Watch = watch_film) -> Repertoire:
    """Read all recordings of a folder and of those in it, in the order of their names; or one file.

    What cannot be used, or is no dance, is said as a warning.

    Parameters
    ----------
    watch : finds the dancer in films.

    Raises
    ------
    UsageError
        If there are none, or none that can be used.
    """
    if not folder.exists():
        raise UsageError(f"{folder}: no such folder; give one with recorded dances", option="repertoire")
    files = _dances(folder) if folder.is_dir() else [folder]
    if not files:
        kinds = " ".join((*SUFFIXES, *FILMS))
        raise UsageError(f"{folder}: holds no dances; it may hold {kinds}", option="repertoire")
    recordings: list[Recording] = []
    broken: list[str] = []
    without_dance: list[str] = []
    for file in files:
        try:
            recordings.append(read_recording(file, folder, watch))
        except IctusError as error:
            (without_dance if file.suffix.lower() in FILMS else broken).append(str(error))
    for line in (*broken, *without_dance, *(note for recording in recordings for note in recording.notes)):
        _log.warning(line)
    if not recordings:
        raise UsageError(
            f"{folder}: none of its {len(files)} files can be danced; {(broken + without_dance)[0]}",
            option="repertoire",
        )
    return Repertoire(tuple(recordings), tuple(broken), tuple(without_dance))


def read_clips(folder: Path, watch: Watch = watch_film) -> list[MotionClip]:
    """Read all recordings of a folder, no motion of which may be broken; films that show no dance are left out.

    Parameters
    ----------
    watch : finds the dancer in films.

    Raises
    ------
    UsageError
        If there are none, or one is damaged.
    """
    repertoire = read_repertoire(folder, watch)
    if repertoire.broken:
        raise UsageError(repertoire.broken[0])
    return repertoire.clips


def read_clip(path: Path) -> MotionClip:
    """Read the first clip of a file; raises as `read_recording`."""
    return read_recording(path).clips[0]


def read_recording(path: Path, folder: Path | None = None, watch: Watch = watch_film) -> Recording:
    """Read one file; `folder` is the repertoire that it is part of, and `watch` finds the dancer if it is a film.

    Raises
    ------
    MotionError
        If it is damaged, or of a body that cannot dance, or a film in which nobody dances.
    IctusError
        If what finds people in films is not there.
    """
    name, genre, tempo = path.stem, "" if folder is None else _genre_of_folder(path, folder), None
    try:
        sequence = SequenceName.parse(name)
        genre, tempo = sequence.genre, sequence.tempo
    except UsageError:
        pass
    with reading(path, MotionError):
        if path.suffix.lower() in FILMS:
            clips = _clips_of_film(name, genre, tempo, watch(path, _FILM_RATE))
            return Recording(path, tuple(clips), notes=_notes(path, clips))
        arrays = _recorded(path)
        if arrays is not None:
            clips = _clips_of_pieces(name, genre, arrays)
            return Recording(path, tuple(clips), notes=_notes(path, clips))
        given = Motion.load(path)
        motion = as_dancer(given)
        if motion.rotations is None or motion.root is None:
            raise MotionError("holds no rotations")
        clips = make_clips(name, genre, motion.rotations, motion.root, motion.fps, tempo)
        names = given.skeleton.joints
        foreign = given.skeleton.name != _BODY.name and given.rotations is not None
        joints = {joint: names[number] for joint, number in joint_numbers(given.skeleton).items()} if foreign else {}
        return Recording(path, tuple(clips), joints, _notes(path, clips))


def _dances(folder: Path) -> list[Path]:
    """Return the motions in a folder and in those in it, and the films that no motion of the same name lies beside."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (*SUFFIXES, *FILMS))
    moving = {p.with_suffix("") for p in found if p.suffix.lower() in SUFFIXES}
    return [p for p in found if p.suffix.lower() in SUFFIXES or p.with_suffix("") not in moving]


def _clips_of_film(name: str, genre: str, tempo: float | None, found: Track) -> list[MotionClip]:
    """Return the clips of the passages of a film in which a whole body is seen."""
    ankles = [found.skeleton.index(f"{side}_ankle") for side in ("left", "right")]
    clips: list[MotionClip] = []
    why = f"shows nobody for {SHORTEST:g} s without a cut"
    for passage in passages(found):
        if passage.duration < SHORTEST:
            continue
        if np.median(passage.confidence[:, ankles].min(1)) <= FILLED + 1e-3:
            why = "does not show the legs; film the whole body"
            continue
        motion = in_space(passage)
        if motion.rotations is None or motion.root is None:
            raise MotionError("holds no rotations")
        called = name if not clips else f"{name} from {passage.start:.0f} s"
        with suppress(MotionError):  # a passage that leaps about is none
            begins = tempo if not passage.start else None
            clips += make_clips(called, genre, motion.rotations, motion.root, motion.fps, begins)
    if not clips:
        raise MotionError(why)
    return clips


def _recorded(path: Path) -> dict[str, AnyArray] | None:
    """Return the arrays of a recording in pieces, if a file is one."""
    if path.suffix.lower() != ".npz":
        return None
    with archive(path, MotionError) as held:
        if not set(_RECORDED) <= set(held):
            return None
        return {key: held.numbers(key) for key in _RECORDED}


def _clips_of_pieces(name: str, genre: str, arrays: Mapping[str, AnyArray]) -> list[MotionClip]:
    rotations, root = arrays["rotations"], arrays["root"]
    if rotations.ndim != 4 or rotations.shape[1:] not in ((22, 3, 3), (24, 3, 3)) or root.shape != (len(rotations), 3):
        raise MotionError(f"rotations of shape {rotations.shape} and root of {root.shape} are no dance of smpl-24")
    hands = np.tile(np.eye(3), (len(root), len(_BODY) - rotations.shape[1], 1, 1))  # those of 22 joints lack them
    whole, fps, tempo, joins = np.concatenate([rotations, hands], 1), arrays["fps"], arrays["bpm"], arrays["joins"]
    if tempo.size != 1 or fps.size != 1 or not 1 <= tempo.item() <= 1000 or not np.isfinite(joins).all():
        raise MotionError("holds no single fps, a bpm that no music has, or joins that are not finite")
    Motion(np.zeros((*whole.shape[:2], 3), np.float32), fps.item(), _BODY, whole, root)  # refuses what is none
    return make_clips(name, genre, whole, root, fps.item(), tempo.item(), joins.ravel().tolist())


def _notes(path: Path, clips: list[MotionClip]) -> tuple[str, ...]:
    few = [clip for clip in clips if clip.clear < _FEW]
    return (f"{path}: has few beats, as a walk has; it is danced all the same",) if len(few) == len(clips) else ()


def _genre_of_folder(path: Path, folder: Path) -> str:
    """Return the letters of the genre that the innermost folder is called, or its name; "" right in the repertoire."""
    inner = path.parent.name if path.parent != folder and folder.is_dir() else ""
    return next((code for code, name in GENRES.items() if inner.lower() in (code.lower(), name.lower())), inner)
