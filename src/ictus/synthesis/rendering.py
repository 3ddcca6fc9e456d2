"""Rendering: by which instruments an excerpt is played, how high and how loud, so that a corpus is varied."""

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
from ictus.synthesis.grooves import find_takes
from ictus.synthesis.performance import PartRenderer, render_performance
from ictus.synthesis.recording_conditions import RecordingConditions
from ictus.synthesis.tempo import Timing

_MAX_SEMITONES = 3  # semitones by which a piece may be transposed, up or down
_MIN_DECIBELS = -15.0  # dB of the softest record's peak beside the loudest


@dataclass(frozen=True)
class Rendering:
    """How one excerpt is rendered.

    Attributes
    ----------
    soundfont : None for the orchestra of `ictus.synthesis.synthesizer`.
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

    def render(
        self,
        score: Score,
        *,
        rate: int,
        seed: int,
        timing: Timing,
        span: tuple[float, float],
        conditions: RecordingConditions,
    ) -> Audio:
        """Render a passage; parameters and errors are those of `render_performance` and `open_soundfont`."""
        audio = render_performance(
            score,
            part_renderer(self.soundfont, rate),
            rate=rate,
            seed=seed,
            timing=timing,
            span=span,
            conditions=conditions,
        )
        return Audio(audio.samples * np.float32(10 ** (self.decibels / 20)), audio.rate)

    def about(self) -> dict[str, Any]:
        """Return what is written into a corpus about it (JSON types)."""
        return {
            "renderer": "ictus.synthesis." + ("soundfont" if self.soundfont else "synthesizer"),
            "soundfont": self.soundfont and self.soundfont.name,
            "group": "piano" if self.piano else "orchestral",
            "semitones": self.semitones,
            "decibels": round(self.decibels, 2),
        }


@dataclass(frozen=True)
class SynthesisOptions:
    """How a corpus may be rendered; by default only by the orchestra of `ictus.synthesis.synthesizer`.

    Attributes
    ----------
    soundfonts : each plays as many excerpts as that orchestra.
    piano : share of the scores that a pianist plays alone, 0 to 1.
    songs : share of the excerpts that are songs, which a band invents, 0 to 1.
    music : whether the sound is kept.
    reorchestrated : share of the scores that others play than they were written for, 0 to 1.
    grooves : folder of real drummers' takes (see `ictus.synthesis.grooves`), who play in most of the songs.
    varied : whether tempo, rubato, metre and attacks are as various as in real recordings, rather than as in good ones.

    Raises
    ------
    IctusError
        If a SoundFont cannot be read, or there is nothing to play it with.
    """

    soundfonts: tuple[Path, ...] = ()
    piano: float = 0.0
    songs: float = 0.0
    music: bool = False
    varied: bool = False
    reorchestrated: float = 0.0
    grooves: Path | None = None

    def __post_init__(self) -> None:
        for name in ("piano", "songs", "reorchestrated"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} {getattr(self, name):g}: it is a share, 0 to 1")
        if len(self._sizes) < len(self.soundfonts):
            raise UsageError("two SoundFonts have the same name; rename one, or give it once")
        for path in self.soundfonts:
            soundfont.check_soundfont(path)
        if self.grooves:
            find_takes(self.grooves)

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """Bytes of each SoundFont by its name."""
        return {path.name: readable(path).stat().st_size for path in self.soundfonts}

    def signature(self) -> dict[str, Any]:
        """Return by what a corpus of these options can be recognised (JSON types); nothing for the default ones."""
        if self == SynthesisOptions():
            return {}
        songs = {"songs": self.songs} if self.songs else {}
        others = {"reorchestrated": self.reorchestrated, "grooves": bool(self.grooves), "varied": self.varied}
        given = {name: value for name, value in others.items() if value}
        return {"soundfonts": self._sizes, "piano": self.piano, **songs, "music": self.music, **given}

    def draw(self, rng: np.random.Generator) -> Rendering:
        """Draw how an excerpt is rendered; with the default options there is one way only."""
        if not self.soundfonts and not self.piano and not self.songs:
            return Rendering()
        return Rendering(
            soundfont=(None, *self.soundfonts)[int(rng.integers(1 + len(self.soundfonts)))],
            piano=bool(rng.uniform() < self.piano),
            freedom=float(rng.uniform(1.2, 2.2)),
            semitones=int(rng.integers(-_MAX_SEMITONES, _MAX_SEMITONES + 1)),
            decibels=float(rng.uniform(_MIN_DECIBELS, 0.0)),
        )


def part_renderer(path: Path | None, rate: int) -> PartRenderer:
    """Return what renders the parts of one performance: a SoundFont, or the package's own synthesizer."""
    return soundfont.open_soundfont(path, rate).part_renderer() if path else synthesizer.render_part


def transpose(score: Score, semitones: int) -> Score:
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
