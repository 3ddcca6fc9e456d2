"""`ictus beats`: any music -> its beats."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ictus.cli.batch import beats_found, named_meters, plan_music, run_batch
from ictus.cli.known_beats import KnownBeats
from ictus.cli.music_input import MusicInput, ScoreInput
from ictus.cli.options import Meter, Music, Outs, Range, command
from ictus.errors import UsageError

if TYPE_CHECKING:
    from ictus.types import Progress

TABLES = (".csv", ".txt", ".mid", ".json", ".lab", ".svl", ".rpp")
SOUNDS = (".wav", ".flac", ".mp3", ".ogg")


@command
def run(
    music: Music,
    /,
    out: Outs = (),
    meter: Meter = "auto",
    known: KnownBeats = KnownBeats(),  # noqa: B008
    score: ScoreInput = ScoreInput(),  # noqa: B008
    count_in: Annotated[int, Range(0, 16), tyro.conf.arg(metavar="BARS")] = 0,
    clicks_only: bool = False,
    speed: Annotated[float, Range(0.25, 4)] = 1.0,
    json: bool = False,
) -> int:
    """Write the beats of any music, or the music with clicks on them.

    Args:
        music: Sound files, films, scores (.mxl .musicxml .mid .json) or folders of them.
        out: What to make; may be given several times. .csv .txt (seconds, and the place in the bar, 1 the downbeat),
            .json (tempo curve and confidence, too), .mid (tempo map), .lab (labels of Audacity), .svl (layer of Sonic
            Visualiser), .rpp (Reaper project), .wav .flac .mp3 .ogg (the music with clicks). A folder takes .csv files.
            Without it: a .csv beside the music.
        meter: Beats in a bar, 1 to 7, or 3/4, 6/8 (beaten in two), 3+2 and the like; auto finds it.
        known: What is known of the beats.
        score: Of scores.
        count_in: Bars of clicks before the music, in a file of sound.
        clicks_only: No music in a file of sound, but the clicks.
        speed: 0.75 to practise at three quarters of the tempo: files of sound are stretched, at their pitch.
        json: Report on stdout as JSON, beats included.
    """
    if (count_in or clicks_only or speed != 1) and not any(one.lower().endswith(SOUNDS) for one in out):
        raise UsageError("count-in, clicks only and speed are of sound; ask for a .wav, .flac, .mp3 or .ogg with -o")
    plans = plan_music(music, out, (*TABLES, *SOUNDS), ".csv")
    corrections = known.corrections(music, meter)
    score.check(music, corrections)

    def load(file: Path) -> MusicInput:
        from ictus.conducting import RATE

        return score.load(file, corrections, rate=RATE)

    listen = partial(_listen, load, practice=(count_in, clicks_only, speed))
    return run_batch(plans, listen, _described, json)


def _listen(
    load: Callable[[Path], MusicInput],
    file: Path,
    outs: Sequence[Path],
    progress: "Progress",
    *,
    practice: tuple[int, bool, float],
) -> dict[str, Any]:
    from ictus.audio import Audio
    from ictus.beats.corrections import BeatCorrections
    from ictus.beats.tracker import BeatTracker

    music = load(file)
    progress(0.3)
    beats = (music.corrections or BeatCorrections())(BeatTracker(), music.audio)
    recording = music.sound if isinstance(music.sound, Path) else None
    if any(out.suffix.lower() in SOUNDS for out in outs):
        from ictus.beats.practice import PracticeTrack

        whole = music.sound if isinstance(music.sound, Audio) else Audio.load(music.sound)
        track = PracticeTrack(*practice)(whole, beats)
    for out in outs:
        if out.suffix.lower() in SOUNDS:
            track.save(out)
        else:
            beats.save(out, music=recording)
    return {"out": [str(out) for out in outs], "tempo": round(beats.tempo, 1) or None, **beats.to_meta()}


def _described(report: dict[str, Any]) -> str:
    count, tempo = len(report["times"]), report["tempo"]
    found = beats_found(count, f" in {named_meters(report)}, {tempo or 0:.0f} a minute")
    return f"{report['music']} -> {', '.join(report['out'])} ({found})"
