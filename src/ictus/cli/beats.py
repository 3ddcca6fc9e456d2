"""`ictus beats`: any music -> its beats."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from ictus.cli.batch import beats_found, destinations, music_files, run_batch
from ictus.cli.console import Progress

SUFFIXES = (".csv", ".txt", ".mid", ".json")


def run(
    music: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="MUSIC")],
    /,
    out: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = (),
    meter: Literal["auto", "1", "2", "3", "4", "5", "6"] = "auto",
    json: bool = False,
) -> int:
    """Write the beats of any music: time in seconds, beat in the bar (1 is the downbeat).

    Args:
        music: Sound files, films or folders of them.
        out: .csv, .txt, .mid or .json; may be given several times; a folder takes .csv files. Without it: a .csv beside
            the music.
        meter: Beats in a bar; auto finds it.
        json: Report on stdout as JSON, beats included.
    """
    files = music_files(music)
    plans = destinations(out, files, SUFFIXES, ".csv")
    chosen = None if meter == "auto" else int(meter)
    jobs = [(file, partial(_listen, file, plan, chosen)) for file, plan in zip(files, plans, strict=True)]
    return run_batch(jobs, _described, json)


def _listen(file: Path, outs: Sequence[Path], meter: int | None, progress: Progress) -> dict[str, Any]:
    from ictus.audio import Audio
    from ictus.beats.tracker import BeatTracker
    from ictus.conducting import RATE

    audio = Audio.load(file, rate=RATE, mono=True)
    progress(0.3)
    beats = BeatTracker()(audio, meter=meter)
    for out in outs:
        beats.save(out)
    return {"out": [str(out) for out in outs], "tempo": round(beats.tempo, 1) or None, **beats.to_meta()}


def _described(report: dict[str, Any]) -> str:
    count, tempo = len(report["times"]), report["tempo"]
    found = beats_found(count, f" in {report['meter']}, {tempo or 0:.0f} a minute")
    return f"{report['music']} -> {', '.join(report['out'])} ({found})"
