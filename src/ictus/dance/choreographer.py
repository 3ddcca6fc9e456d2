"""The choreographer: a dancer who knows real dances by heart, and sets their phrases on the beats of any music."""

import os
from dataclasses import replace

import numpy as np

from ictus.audio import Audio
from ictus.dance.choreography import RATE, choreograph, danced, perform, phrases
from ictus.dance.dancer import Array, Hear, Heard, Progress, genre_code, refuse, told, unknown_genre
from ictus.dance.footing import clean
from ictus.dance.repertoire import Repertoire
from ictus.errors import AudioError
from ictus.motion import Motion

_SHORTEST = 2.0  # seconds
_PULSE = 0.5  # seconds from beat to beat where none are heard
_FEWEST = 4  # beats that make a pulse


class Choreographer:
    """A repertoire as a dancer; see `ictus.dance.dancer.Dancer`.

    Parameters
    ----------
    hear : tells the beats of music.
    """

    def __init__(self, network: Repertoire, name: str | os.PathLike[str], hear: Hear) -> None:
        self.name, self.hear = os.fspath(name), hear
        self.dances = network.eval().dances()

    @property
    def genres(self) -> list[str]:
        """Genres that can be asked for, as in `ictus.dance.aist.GENRES`: those with phrases for any metre."""
        known = {dance.genre: [other for other in self.dances if other.genre == dance.genre] for dance in self.dances}
        return sorted(genre for genre, dances in known.items() if phrases(dances, 4) and phrases(dances, 3))

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        seed_motion: Motion | None = None,
        stride: int | None = None,
        genre: str | None = None,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance; see `ictus.dance.dancer.Dancer`."""
        refuse(self.name, {"a seed motion": seed_motion, "a stride": stride})
        if audio.duration < _SHORTEST:
            raise AudioError(f"the sound lasts {audio.duration:.2f} s; to dance to it, it must last {_SHORTEST:g}")
        rng = np.random.default_rng(seed)
        chosen = str(rng.choice(self.genres)) if genre is None else genre_code(genre)
        if chosen is None or chosen not in self.genres:
            raise unknown_genre(self.name, str(genre), self.genres)
        dances = [dance for dance in self.dances if dance.genre == chosen]
        heard = self.hear(audio)
        times, places, loudness = _pulse(heard, audio.duration)
        plan = choreograph(dances, times, places, loudness, rng)
        turns, root = perform(plan, times, 1 + round(audio.duration * RATE))
        if progress is not None:
            progress(1.0)
        meta = {"model": self.name, "seed": seed, "genre": chosen, "beats": told(heard)}
        return clean(replace(danced(turns, root), meta=meta))


def _pulse(heard: Heard, duration: float) -> tuple[Array, "np.ndarray[tuple[int], np.dtype[np.int64]]", Array]:
    """Return times, places in the bar and loudness of the beats, or of a steady pulse where hardly any are heard."""
    if len(heard.times) >= _FEWEST:
        return heard.times, heard.positions, heard.loudness
    times = np.arange(0.0, max(duration, _FEWEST * _PULSE), _PULSE)
    return times, np.arange(len(times), dtype=np.int64) % 4 + 1, np.full(len(times), 0.5)
