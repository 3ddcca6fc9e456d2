"""Choreography: a synthetic corpus of paired music and dance that anyone can make.

Songs whose beats are known (`ictus.synthesis`) and some real dances become hours of dance on the
beat, in the prepared layout of either published system (see `ictus.dance.data.dataset`). The name of a dance, gBR_17,
holds its genre, as AIST++'s do, and the number of its music.
"""

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ictus.arrays import archive
from ictus.audio import Audio
from ictus.beats.sections import Sections, find_sections
from ictus.corpora import SPLITS, PreparationResult, begin_preparation
from ictus.dance.data.dataset import frames_of
from ictus.dance.data.melody_preparation import face_front
from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.data.preparation import save_dance
from ictus.dance.data.repertoire import read_clips
from ictus.dance.foot_cleanup import clean_feet
from ictus.dance.groove import find_grooves, plan_groove
from ictus.dance.motion_matching import PlacedPhrase, assemble, plan_phrases
from ictus.dance.phrases import Phrase, clips_by_genre, danceable_genres
from ictus.dance.quaternions import RATE, to_motion
from ictus.errors import IctusError, UsageError
from ictus.features.melody16 import melody16
from ictus.features.rhythm35 import rhythm35
from ictus.files import readable
from ictus.motion import Motion
from ictus.pose.watch import Watch
from ictus.pose.watch import watch as watch_film
from ictus.retargeting.body_conversion import convert
from ictus.types import Float32Array, Float64Array, IntArray

Form = Literal["aist", "melody"]


@dataclass(frozen=True)
class AnnotatedSong:
    """Music whose beats are known.

    Attributes
    ----------
    folder : that holds music.flac.
    times, positions : (N,) seconds of the beats as an arm conducts them, and their places in the bar.
    loudness : (N,) 0 to 1, at each beat.
    """

    folder: Path
    times: Float64Array
    positions: IntArray
    loudness: Float64Array

    @classmethod
    def open(cls, folder: Path) -> "AnnotatedSong":
        """Read its beats. Raises IctusError if a file is missing or damaged."""
        readable(folder / "music.flac")
        file = readable(folder / "beats.npz")
        with archive(file) as held:
            times, places = held.numbers("conducted_times", 1), held.indices("conducted_positions", 1)
            loudness = np.interp(times, held.numbers("times", 1), held.numbers("loudness", 1))
        if len(times) < 8:
            raise IctusError(f"{file}: {len(times)} beats; to dance, there must be 8")
        return cls(folder, times, places, loudness)


@dataclass(frozen=True)
class ChoreographyJob:
    """A dance to make: to which music, with clips of one genre or with grooves, into which folder; see `plan`."""

    music: Path
    clips: tuple[MotionClip, ...]
    folder: Path
    form: Form
    seed: int
    sound: bool
    grooves: tuple[Phrase, ...] = ()


def plan(
    music: str | os.PathLike[str],
    recordings: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    form: Form = "aist",
    genres: Sequence[str] = (),
    splits: Sequence[str] = SPLITS,
    hours: float | None = None,
    seed: int = 0,
    sound: bool = False,
    steady: bool = False,
    watch: Watch = watch_film,
) -> list[ChoreographyJob]:
    """List the dances that are to be made, and begin or resume the corpus.

    Parameters
    ----------
    music : corpus of songs, `<music>/<split>/<number>/{music.flac, beats.npz}`, of a minute each.
    recordings : folder of real dances, or of films of them (see `ictus.dance.data.repertoire`).
    form : "aist", 60 fps with rhythm35; "melody", 25 fps with melody16. The dances are the same.
    genres : that are danced, as in `ictus.dance.data.aist.GENRES`; all without any.
    hours : of each split, at most, evenly from all its songs.
    seed : another seed is another corpus.
    sound : keep the sound as music.flac.
    steady : whether a beat is danced over and over, in all genres by turns (see `ictus.dance.groove`).
    watch : finds the dancer in films.

    Returns
    -------
    Those that are not there yet.

    Raises
    ------
    UsageError
        If there are no songs or no dances, none of a genre that moves, or `out` holds another corpus.
    MotionError
        If a recording is damaged.
    """
    clips = read_clips(Path(recordings), watch)
    by_genre, lively = clips_by_genre(clips), danceable_genres(clips)
    if lacking := sorted(set(genres) - set(lively)):
        raise UsageError(f"{recordings}: no lively dances of {', '.join(lacking)}; there are {', '.join(lively)}")
    lively = sorted(genres) or lively
    names = sorted(clip.name for clip in clips)
    grooves = tuple(find_grooves([clip for genre in lively for clip in by_genre[genre]])) if steady else ()
    jobs = []
    about = {"corpus": "choreography", "form": form, "seed": seed, "dances": names, "genres": lively, "sound": sound}
    begin_preparation(Path(out), {**about, "steady": steady})
    for split in splits:
        folders = sorted(p for p in (Path(music) / split).glob("*") if p.is_dir())
        folders.sort(key=lambda folder: (len(folder.name), folder.name))
        wanted = len(folders) if hours is None else min(len(folders), max(1, round(hours * 60)))
        for folder in (folders[k * len(folders) // wanted] for k in range(wanted)):
            dance_seed = _dance_seed(seed, split, folder)
            genre = lively[dance_seed % len(lively)]
            there = Path(out) / split / (f"groove_{folder.name}" if steady else f"g{genre}_{folder.name}")
            if not there.is_dir():
                jobs.append(ChoreographyJob(folder, tuple(by_genre[genre]), there, form, dance_seed, sound, grooves))
    if not any((Path(music) / split).is_dir() for split in splits):
        raise UsageError(f"{music}: holds no songs; make some with `ictus data prepare synthetic`", option="music")
    return jobs


def prepare_dance(job: ChoreographyJob) -> PreparationResult:
    """Make a dance; if it cannot be made, say why in a line."""
    try:
        song = AnnotatedSong.open(job.music)
        audio = Audio.load(job.music / "music.flac", mono=True)
        features = rhythm35(audio, beats=song.times) if job.form == "aist" else melody16(audio)
        length = round(audio.duration * RATE)
        if job.grooves:
            motion = _placed(plan_groove(job.grooves, song.times, song.loudness), song, length)
        else:
            sections = find_sections(audio, song.times, song.positions)
            motion = dance_to(song, job.clips, length, np.random.default_rng(job.seed), sections)
        frames = frames_of(motion) if job.form == "aist" else _points(motion)
        count = min(len(frames), len(features))
        kept = {"music": audio} if job.sound else {}
        save_dance(
            job.folder,
            {"motion": frames[:count].reshape(count, -1), "audio": features[:count], "beats": song.times, **kept},
        )
    except IctusError as error:
        line = str(error)
        return PreparationResult(0, (line if line.startswith(str(job.music)) else f"{job.music}: {line}",))
    return PreparationResult(1)


def dance_to(
    song: AnnotatedSong,
    clips: Sequence[MotionClip],
    frames: int,
    rng: np.random.Generator,
    sections: Sections | None = None,
) -> Motion:
    """Dance to a song with phrases of these clips of one genre: smpl-24 at 60 fps, feet kept on the floor."""
    return _placed(plan_phrases(clips, song.times, song.positions, song.loudness, rng, sections), song, frames)


def _placed(phrases: Sequence[PlacedPhrase], song: AnnotatedSong, frames: int) -> Motion:
    return clean_feet(to_motion(*assemble(phrases, song.times, frames)))


def _dance_seed(seed: int, split: str, folder: Path) -> int:
    return zlib.crc32(os.fsencode(f"{seed} {split} {folder.name}"))


def _points(motion: Motion) -> Float32Array:
    """Return (T, 21, 3): melody-21 at 25 fps, turned to the front and centred in every frame, as in the paper."""
    points = convert(motion.resample(25), "melody-21").positions
    turned = face_front(points.astype(np.float64), "body") * (-1, 1, -1)  # the corpus calls right what is left here
    return turned.astype(np.float32)
