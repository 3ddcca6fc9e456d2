"""What a command takes as music: sound, films, and scores, which Ictus plays or finds in a recording of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ictus.cli.batch import SCORES
from ictus.cli.options import check_values, quiet
from ictus.errors import UsageError

if TYPE_CHECKING:
    from ictus.audio import Audio
    from ictus.beats.corrections import BeatCorrections


@dataclass(frozen=True)
class MusicInput:
    """Music as it is worked on.

    Attributes
    ----------
    audio : mono, or whatever a score's sound has.
    sound : what is put beside the result: the file, or what was played.
    corrections : what is known of its beats.
    score : whether it was a score, of which all beats are known.
    """

    audio: "Audio"
    sound: "Audio | Path"
    corrections: "BeatCorrections | None"
    score: bool


@dataclass(frozen=True)
class ScoreInput:
    """Of scores, whose beats, metres, tempo and fermatas are taken as they are written."""

    recording: Annotated[Path | None, quiet, tyro.conf.arg(metavar="FILE")] = None
    """A recording of the score, which is followed in place of Ictus playing it."""
    soundfont: Annotated[Path | None, quiet, tyro.conf.arg(metavar="FILE")] = None
    """An .sf2 or .sf3 that plays the score, in place of Ictus' own orchestra."""

    def check(self, music: Sequence[Path], corrections: "BeatCorrections | None") -> None:
        """Raise UsageError if what is given does not belong together."""
        check_values(self)
        scores = [path for path in music if is_score(path)]
        if not scores and (self.recording or self.soundfont):
            option = "recording" if self.recording else "soundfont"
            raise UsageError("is for a score, and none is given: .mxl, .musicxml, .mid or .json", option=option)
        if self.recording and len(music) != 1:
            raise UsageError("a recording is of one score; give that one with it", option="recording")
        if self.recording and self.soundfont:
            raise UsageError("a score is played, or found in a recording; give one of them", option="recording")
        if scores and corrections and (corrections.beats is not None or corrections.tempo is not None):
            option = "tempo" if corrections.beats is None else "beats"
            raise UsageError(f"{scores[0]}: a score has beats and a tempo of its own", option=option)

    def load(
        self, file: Path, corrections: "BeatCorrections | None", *, rate: int | None = None, meter: str | None = None
    ) -> MusicInput:
        """Load a file; a score is played.

        Parameters
        ----------
        rate : of the samples of what is no score.
        meter : in which a score is conducted, if not in its own.

        Raises
        ------
        IctusError
            If the file is missing or damaged, or the recording is not of the score.
        """
        from ictus.audio import Audio

        if not is_score(file):
            return MusicInput(Audio.load(file, rate=rate, mono=True), file, corrections, False)
        from ictus.beats.corrections import BeatCorrections
        from ictus.scores.reader import read
        from ictus.synthesis.score_performance import follow_recording, play_score

        score = read(file)
        known = corrections or BeatCorrections()
        counted = known.meter if meter is None else meter
        if self.recording is None:
            played = play_score(score, self.soundfont, meter=counted)
        else:
            played = follow_recording(score, Audio.load(self.recording), meter=counted)
        known = replace(known, beats=played.beats, level=known.level or "same")
        return MusicInput(played.audio, self.recording or played.audio, known, True)


def is_score(path: Path) -> bool:
    """Whether a file is a score, by its suffix."""
    return path.suffix.lower() in SCORES
