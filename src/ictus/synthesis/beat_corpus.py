"""Beat corpus: music whose beats are known, as several recordings of it might sound, for the beat trackers to learn.

Each excerpt is one performance. Its sound is kept once as it was played, and as the features of some more recordings,
each of which went another way through rooms, tapes and codecs (see `ictus.synthesis.recording_chain`).
"""

import zlib
from typing import Any

import numpy as np

from ictus.audio import Audio
from ictus.errors import IctusError
from ictus.features import mel81
from ictus.synthesis.music_corpus import AnnotatedExcerpt
from ictus.synthesis.recording_chain import RecordingChain


def annotated_music(excerpt: AnnotatedExcerpt, *, recordings: int = 2) -> dict[str, Any]:
    """Return the files of one example of the corpus (see `ictus.beats.dataset`).

    Parameters
    ----------
    recordings : how many others of the same performance there shall be beside the clean one.

    Returns
    -------
    music.flac : mono.
    beats.npz : the annotation's arrays (see `BeatAnnotation`), `conducted_times` (N,), `conducted_positions` (N,),
        `conducted_meters` (N,) and `conducted_meter`, and in `about` a JSON text of what was played, how and whence.
    recordings.npy : (recordings, T, 81) float16, where there are any.

    Raises
    ------
    IctusError
        If the metre cannot be conducted.
    """
    try:
        beats = excerpt.annotation.conducted()
    except IctusError as error:
        raise IctusError(f"{excerpt.about['piece']}: {error}") from error
    music = excerpt.audio.mono()
    shown = {
        "conducted_times": beats.times,
        "conducted_positions": beats.positions,
        "conducted_meters": beats.meters,
        "conducted_meter": np.array(beats.meter),
    }
    files = {"music.flac": music, "beats.npz": {**excerpt.archive(), **shown}}
    if recordings:
        rng = np.random.default_rng(zlib.crc32(excerpt.annotation.times.tobytes()))  # one performance, one set of them
        files["recordings.npy"] = np.stack([_recorded(music, rng) for _ in range(recordings)])
    return files


def _recorded(music: Audio, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float16]]:
    """Return the mel81, (T, 81), of another recording of music."""
    samples = RecordingChain.draw(rng).apply(music.samples[0], music.rate)
    return np.asarray(mel81(Audio(samples[None], music.rate).resample(mel81.rate)), np.float16)
