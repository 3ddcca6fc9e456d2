"""The choreographer: a dancer who knows real dances by heart, and sets their phrases on the beats of any music."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.tracker import BeatTracker
from ictus.dance.foot_cleanup import clean
from ictus.dance.models.motion_memory import MotionMemory
from ictus.dance.motion_matching import RATE, choreograph, danced, perform, phrases
from ictus.dance.pipeline import Array, Progress, genre_code, unknown_genre
from ictus.errors import AudioError
from ictus.motion import Motion

_SHORTEST = 2.0  # seconds
_PULSE = 0.5  # seconds from beat to beat where none are found
_FEWEST = 4  # beats that make a pulse


class Choreographer:
    """A repertoire as a dancer; see `ictus.dance.pipeline.Dancer`.

    Parameters
    ----------
    tracker : predicts the beats of music; without it, `BeatTracker`.
    genre : of the dance, by its letters or its name in `ictus.dance.data.aist.GENRES`; None leaves it to the seed.

    Raises
    ------
    UsageError
        If it knows no phrases of the genre.
    """

    def __init__(
        self,
        network: MotionMemory,
        name: str | os.PathLike[str],
        tracker: Callable[[Audio], Beats] | None = None,
        *,
        genre: str | None = None,
    ) -> None:
        self.name, self.tracker = os.fspath(name), tracker or BeatTracker()
        self.dances = network.eval().dances()
        self.genre = None if genre is None else genre_code(genre)
        if genre is not None and self.genre not in self.genres:
            raise unknown_genre(self.name, genre, self.genres)

    @classmethod
    def from_folder(cls, name: str | os.PathLike[str], **options: Any) -> "Choreographer":
        """Load one by name or folder. Raises ModelError if it is missing or damaged."""
        return cls(MotionMemory.from_pretrained(name), name, **options)

    @property
    def genres(self) -> list[str]:
        """Genres that can be asked for, as in `ictus.dance.data.aist.GENRES`: those with phrases for any metre."""
        known = {dance.genre: [other for other in self.dances if other.genre == dance.genre] for dance in self.dances}
        return sorted(genre for genre, dances in known.items() if phrases(dances, 4) and phrases(dances, 3))

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance; see `ictus.dance.pipeline.Dancer`."""
        if audio.duration < _SHORTEST:
            raise AudioError(f"the sound lasts {audio.duration:.2f} s; to dance to it, it must last {_SHORTEST:g}")
        rng = np.random.default_rng(seed)
        chosen = self.genre or str(rng.choice(self.genres))
        dances = [dance for dance in self.dances if dance.genre == chosen]
        beats = self.tracker(audio)
        times, places, loudness = _pulse(beats, audio.duration)
        plan = choreograph(dances, times, places, loudness, rng)
        turns, root = perform(plan, times, 1 + round(audio.duration * RATE))
        if progress is not None:
            progress(1.0)
        meta = {"model": self.name, "seed": seed, "genre": chosen, "beats": beats.to_meta()}
        return clean(replace(danced(turns, root), meta=meta))


def _pulse(beats: Beats, duration: float) -> tuple[Array, "np.ndarray[tuple[int], np.dtype[np.int64]]", Array]:
    """Return times, places in the bar and loudness of the beats, or of a steady pulse where hardly any were found."""
    if len(beats) >= _FEWEST:
        return beats.times, beats.in_one_meter().positions, beats.loudness
    times = np.arange(0.0, max(duration, _FEWEST * _PULSE), _PULSE)
    return times, np.arange(len(times), dtype=np.int64) % 4 + 1, np.full(len(times), 0.5)
