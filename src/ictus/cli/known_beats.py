"""The options by which commands are given what is known of the beats of music: the same for all that take music."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ictus.cli.options import Range, check_values, quiet
from ictus.errors import UsageError

if TYPE_CHECKING:
    from ictus.beats.corrections import BeatCorrections

_DAY = 86400


@dataclass(frozen=True)
class KnownBeats:
    """What is known of the beats, where that is better than what the beat tracker finds."""

    beats: Annotated[Path | None, quiet, tyro.conf.arg(metavar="FILE")] = None
    """Beats of your own, in place of those that the tracker finds: .csv .json .txt .beats .lab .svl, labels of Audacity
    or Sonic Visualiser, or the tempo map of a .mid."""
    tempo: Annotated[str | None, quiet, tyro.conf.arg(metavar="BPM|LOW..HIGH")] = None
    """Beats a minute, or their range: 112, 80..120."""
    downbeat: Annotated[float | None, Range(0, _DAY), quiet, tyro.conf.arg(metavar="SECONDS")] = None
    """A time at which a bar begins."""
    level: Annotated[Literal["half", "same", "double"] | None, quiet] = None
    """double, where what comes out has half the right tempo; half, where it has twice as much; same to keep the level
    that was found even if an arm would beat another."""

    def corrections(self, music: Sequence[Path], meter: str = "auto") -> "BeatCorrections | None":
        """Return what is known, None if nothing is.

        Raises
        ------
        UsageError
            If the values are none, or beats of one piece are given to several.
        IctusError
            If the file of beats is missing or damaged.
        """
        check_values(self)
        known: dict[str, Any] = {"downbeat": self.downbeat, "level": self.level}
        if meter != "auto":
            known["meter"] = meter
        if self.beats is not None:
            from ictus.beats.beats import Beats

            if len(music) != 1 or music[0].is_dir():
                raise UsageError("beats are of one piece; give one file of music with them", option="beats")
            known["beats"] = Beats.load(self.beats)
        if self.tempo is not None:
            from ictus.beats.corrections import tempo_range

            known["tempo"] = tempo_range(self.tempo)
        known = {name: value for name, value in known.items() if value is not None}
        if not known:
            return None
        from ictus.beats.corrections import BeatCorrections

        return BeatCorrections(**known)
