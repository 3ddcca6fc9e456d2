"""Studio: who plays an excerpt, on what, how high and how loud: what makes a corpus sound like a shelf of records."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ictus.audio import Audio
from ictus.errors import UsageError
from ictus.files import readable
from ictus.scores.instruments import UNPITCHED
from ictus.scores.score import Score
from ictus.synthesis import soundfont, synthesizer
from ictus.synthesis.performance import perform
from ictus.synthesis.session import Session
from ictus.synthesis.tempo import Timing

_HIGHEST = 3  # semitones by which a piece may be transposed, up or down
_SOFTEST = -15.0  # dB of the softest record's peak beside the loudest


@dataclass(frozen=True)
class Production:
    """How one excerpt comes about.

    Attributes
    ----------
    soundfont : that it is played with; None for the orchestra of `ictus.synthesis.synthesizer`.
    piano : whether a pianist plays it alone.
    freedom : how many times a pianist's departures from the tempo exceed an orchestra's.
    semitones : by which it is transposed.
    decibels : by which it is softer than it might be.
    """

    soundfont: Path | None = None
    piano: bool = False
    freedom: float = 1.0
    semitones: int = 0
    decibels: float = 0.0

    def play(
        self, score: Score, *, rate: int, seed: int, timing: Timing, span: tuple[float, float], session: Session
    ) -> Audio:
        """Render a passage; parameters and errors are those of `soundfont.play`."""
        players = soundfont.opened(self.soundfont, rate).players() if self.soundfont else synthesizer.played
        audio = perform(score, players, rate=rate, seed=seed, timing=timing, span=span, session=session)
        return Audio(audio.samples * np.float32(10 ** (self.decibels / 20)), audio.rate)

    def about(self) -> dict[str, Any]:
        """Return what to write down of it (JSON types)."""
        return {
            "renderer": "ictus.synthesis." + ("soundfont" if self.soundfont else "synthesizer"),
            "soundfont": self.soundfont and self.soundfont.name,
            "group": "piano" if self.piano else "orchestral",
            "semitones": self.semitones,
            "decibels": round(self.decibels, 2),
        }


@dataclass(frozen=True)
class Studio:
    """What a corpus may be played with; by default only the orchestra of `ictus.synthesis.synthesizer`.

    Attributes
    ----------
    soundfonts : SoundFonts; each plays as many excerpts as that orchestra.
    piano : share of the scores that a pianist plays alone, 0 to 1.
    songs : share of the excerpts that are songs, which a band invents, 0 to 1.
    music : whether the sound is kept.

    Raises
    ------
    IctusError
        If a SoundFont cannot be read, or there is nothing to play it with.
    """

    soundfonts: tuple[Path, ...] = ()
    piano: float = 0.0
    songs: float = 0.0
    music: bool = False

    def __post_init__(self) -> None:
        for name in ("piano", "songs"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"--{name} {getattr(self, name):g}: it is a share, 0 to 1")
        if len(self._sizes) < len(self.soundfonts):
            raise UsageError("two SoundFonts have the same name; rename one, or give it once")
        for path in self.soundfonts:
            soundfont.known(path)

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """Bytes of each SoundFont by its name."""
        return {path.name: readable(path).stat().st_size for path in self.soundfonts}

    def signature(self) -> dict[str, Any]:
        """Return what tells this studio's corpora from others' (JSON types); nothing where it is the default."""
        if self == Studio():
            return {}
        songs = {"songs": self.songs} if self.songs else {}
        return {"soundfonts": self._sizes, "piano": self.piano, **songs, "music": self.music}

    def production(self, rng: np.random.Generator) -> Production:
        """Draw how an excerpt comes about; a studio with one orchestra alone has one way only."""
        if not self.soundfonts and not self.piano and not self.songs:
            return Production()
        return Production(
            soundfont=(None, *self.soundfonts)[int(rng.integers(1 + len(self.soundfonts)))],
            piano=bool(rng.uniform() < self.piano),
            freedom=float(rng.uniform(1.2, 2.2)),
            semitones=int(rng.integers(-_HIGHEST, _HIGHEST + 1)),
            decibels=float(rng.uniform(_SOFTEST, 0.0)),
        )


def transposed(score: Score, semitones: int) -> Score:
    """Return a score in another key; drums stay as they are."""
    if not semitones:
        return score
    return replace(
        score,
        parts=tuple(
            part
            if part.instrument in UNPITCHED
            else replace(part, notes=tuple(replace(note, pitch=note.pitch + semitones) for note in part.notes))
            for part in score.parts
        ),
    )
