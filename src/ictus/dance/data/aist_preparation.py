"""AIST++ and its songs -> the prepared corpus that FACT learns from.

    <out>/{train,val,test}/<sequence>/motion.npy  (T, 219) float32, 60 fps: translation (metres) | 24 matrices, by rows
                                     /audio.npy   (T, 35) float32, rhythm35 of the song from its beginning
                                     /beats.npy   (K,) seconds: where rhythm35 marks beats
                                     /music.flac  that part of the song, if it is asked for
         /music/<song>.npy                        (T', 35) rhythm35 of each whole song, to dance beyond the recording
         /prepared.json                           what it was made of, and how much there is

As in FACT, motion frame 0 is second 0 of the song, the shorter of the two counts, and beats are sought near the tempo
that the song's name states. Source: Li, Yang, Ross & Kanazawa, AI Choreographer (ICCV 2021).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ictus.arrays import load
from ictus.audio import Audio
from ictus.corpora import SPLITS, PreparationResult, begin_preparation, shorten_list
from ictus.dance.data import aist
from ictus.dance.data.dataset import frames_of
from ictus.dance.data.preparation import beat_times, save_dance
from ictus.errors import IctusError, UsageError
from ictus.features import rhythm35
from ictus.files import writing
from ictus.motion import Motion
from ictus.types import Float32Array

ABOUT = {
    "corpus": "AIST++",
    "motion": "(T, 219) at 60 fps: translation, smpl_trans / smpl_scaling, metres | 24 rotation matrices, row by row",
    "audio": "(T, 35) rhythm35 at 60 fps; beats near the tempo of the song's name",
    "source": "Li, Yang, Ross & Kanazawa, AI Choreographer (ICCV 2021); music: AIST Dance Video Database",
    "licence": "annotations CC BY 4.0; music under the AIST terms of use, not to be passed on",
}
WHERE_MUSIC_IS = (
    "AIST++ comes without its music: fetch the songs (mBR0 to mJB5) from the AIST Dance Video Database, "
    "aistdancedb.ongaaccel.jp, whose terms of use allow research only and no passing on; give their folder"
)


@dataclass(frozen=True)
class AISTSongJob:
    """A song, and the dances to it that are to be made: the file and the folder of each."""

    name: str
    file: Path
    dances: tuple[tuple[Path, Path], ...]
    out: Path
    sound: bool = False


def plan(
    root: str | os.PathLike[str],
    music: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    splits: Sequence[str] = SPLITS,
    sound: bool = False,
) -> tuple[list[AISTSongJob], list[str]]:
    """List what is to be made of AIST++'s crossmodal splits, and begin or resume the corpus.

    Parameters
    ----------
    music : folder of the songs.
    out : the corpus to make or to go on with.
    sound : keep the sound of each dance as music.flac.

    Returns
    -------
    The songs with dances that are not there yet; and a line for each split of which motions are missing, for each song
    that is, and for each name that is none.

    Raises
    ------
    UsageError
        If `root` is not AIST++, a split is missing, there is no such folder of music, or `out` holds another corpus.
    """
    out, there, ignored, known = Path(out), aist.motion_files(root), aist.ignore_list(root), aist.songs(music)
    wanted: dict[str, list[tuple[Path, Path]]] = {}
    lacking: list[str] = []
    for split in splits:
        names = [name for name in aist.split_names(root, split) if name not in ignored]
        if absent := [name for name in names if name not in there]:
            lacking.append(f"{split}: {len(absent)} of {len(names)} motions are not there: {shorten_list(absent)}")
        for name in (name for name in names if name in there):
            try:
                song = aist.SequenceName.parse(name).music
            except UsageError as error:
                lacking.append(f"{there[name]}: {error}")
                continue
            wanted.setdefault(song, []).append((there[name], out / split / name))
    for song in sorted(wanted.keys() - known):
        lacking.append(f"{Path(music) / song}: no such song; {len(wanted.pop(song))} dances to it are left out")
    begin_preparation(out, {**ABOUT, "sound": sound})
    songs = []
    for song, dances in sorted(wanted.items()):
        missing = tuple((file, folder) for file, folder in dances if not folder.is_dir())
        if missing:
            songs.append(AISTSongJob(song, known[song], missing, out, sound))
    return songs, lacking


def prepare_song(song: AISTSongJob) -> PreparationResult:
    """Make the dances to a song; one that cannot be made, or the song if it cannot be read, is reported in a line."""
    try:
        sound = Audio.load(song.file) if song.sound else None
        rhythm = _rhythm(song, sound)
    except IctusError as error:
        line = str(error)
        named = line if line.startswith(str(song.file)) else f"{song.file}: {line}"
        return PreparationResult(0, (f"{named}; {len(song.dances)} dances to it are left out",))
    made, failures = 0, []
    for file, folder in song.dances:
        try:
            frames = frames_of(Motion.load(file))[: len(rhythm)]
            seconds = len(frames) / aist.RATE
            files = {"motion": frames, "audio": rhythm[: len(frames)]}
            kept = (
                {} if sound is None else {"music": Audio(sound.samples[:, : round(seconds * sound.rate)], sound.rate)}
            )
            save_dance(folder, {**files, "beats": beat_times(rhythm, rhythm35.frame_rate, seconds), **kept})
            made += 1
        except IctusError as error:
            failures.append(str(error))
    return PreparationResult(made, tuple(failures))


def _rhythm(song: AISTSongJob, sound: Audio | None) -> Float32Array:
    """Return rhythm35 of the whole song, (T, 35), which is computed once and kept."""
    file = song.out / "music" / f"{song.name}.npy"
    if file.is_file():
        try:
            return load(file).astype(np.float32)
        except IctusError as error:
            raise IctusError(f"{error}; delete it to compute it anew") from error
    audio = Audio.load(song.file, rate=rhythm35.rate, mono=True) if sound is None else sound
    rhythm = rhythm35(audio, tempo=aist.song_tempo(song.name))
    with writing(file) as temporary:
        np.save(temporary, rhythm, allow_pickle=False)
    return rhythm
