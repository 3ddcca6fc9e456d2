"""`ictus beats`: any music -> its beats."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictus.cli.batch import beats_found, plan_music, run_batch
from ictus.cli.known_beats import KnownBeats
from ictus.cli.options import Meter, Music, Outs, command

if TYPE_CHECKING:
    from ictus.beats.corrections import BeatCorrections
    from ictus.types import Progress

SUFFIXES = (".csv", ".txt", ".mid", ".json")


@command
def run(
    music: Music,
    /,
    out: Outs = (),
    meter: Meter = "auto",
    known: KnownBeats = KnownBeats(),  # noqa: B008
    json: bool = False,
) -> int:
    """Write the beats of any music: time in seconds, beat in the bar (1 is the downbeat).

    Args:
        music: Sound files, films or folders of them.
        out: .csv, .txt, .mid or .json; may be given several times; a folder takes .csv files. Without it: a .csv beside
            the music.
        meter: Beats in a bar, 1 to 7, or 3/4, 6/8 (beaten in two), 3+2 and the like; auto finds it.
        known: What is known of the beats.
        json: Report on stdout as JSON, beats included.
    """
    plans = plan_music(music, out, SUFFIXES, ".csv")
    listen = partial(_listen, corrections=known.corrections(music, meter))
    return run_batch(plans, listen, _described, json)


def _listen(
    file: Path, outs: Sequence[Path], progress: "Progress", *, corrections: "BeatCorrections | None"
) -> dict[str, Any]:
    from ictus.audio import Audio
    from ictus.beats.corrections import BeatCorrections
    from ictus.beats.tracker import BeatTracker
    from ictus.conducting import RATE

    audio = Audio.load(file, rate=RATE, mono=True)
    progress(0.3)
    beats = (corrections or BeatCorrections())(BeatTracker(), audio)
    for out in outs:
        beats.save(out)
    return {"out": [str(out) for out in outs], "tempo": round(beats.tempo, 1) or None, **beats.to_meta()}


def _described(report: dict[str, Any]) -> str:
    count, tempo = len(report["times"]), report["tempo"]
    found = beats_found(count, f" in {report['meter']}, {tempo or 0:.0f} a minute")
    return f"{report['music']} -> {', '.join(report['out'])} ({found})"
