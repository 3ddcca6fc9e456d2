"""`ictus conduct`: any music -> a conductor."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ictus import io, registry
from ictus.cli.batch import beats_found, named_meters, picture_size, plan_music, run_batch, shares
from ictus.cli.console import part
from ictus.cli.known_beats import KnownBeats
from ictus.cli.music_input import MusicInput, ScoreInput
from ictus.cli.options import FilmRate, Meter, Music, Outs, Range, Seed, command
from ictus.render.render_options import RenderOptions

if TYPE_CHECKING:
    from ictus.beats.corrections import BeatCorrections
    from ictus.conducting.pipeline import Conductor
    from ictus.types import Progress


@command
def run(
    music: Music,
    /,
    out: Outs = (),
    model: str = "maestro",
    seed: Seed = 0,
    meter: Meter = "auto",
    known: KnownBeats = KnownBeats(),  # noqa: B008
    score: ScoreInput = ScoreInput(),  # noqa: B008
    lead: Annotated[float, Range(-1000, 1000)] = 0.0,
    fps: FilmRate = 30,
    size: Annotated[str, tyro.conf.arg(metavar="WxH")] = "720x720",
    theme: Literal["dark", "light"] = "dark",
    json: bool = False,
) -> int:
    """Film a conductor for any music or score, or save the motion.

    Args:
        music: Sound files, films, scores (.mxl .musicxml .mid .json) or folders of them.
        out: What to make; may be given several times. The suffix says what comes out: .mp4 (film with sound),
            .html (a page that plays, with the motion in it), .npz .json (motion), .npy (ConductorMotion100 keypoints),
            .bvh .glb (3-D animation). A folder takes films; FOLDER/.bvh takes animations named after the music.
            Without it: a film beside the music.
        model: A conductor that `ictus models` lists, or the folder of a trained one.
        seed: Another seed is another performance.
        meter: Beats in a bar, 1 to 7, or 3/4, 6/8 (beaten in two), 3+2 and the like; auto finds it.
        known: What is known of the beats.
        score: Of scores.
        lead: Milliseconds by which the hands come before the sound (20 to 80 look natural on stage).
        fps: Frames a second of the film.
        size: Size of the film in pixels.
        theme: Colours of the film or page.
        json: Report on stdout as JSON.
    """
    plans = plan_music(music, out, io.FILES["conduct"], ".mp4")
    look = RenderOptions(fps, picture_size(size), theme)
    corrections = known.corrections(music)
    score.check(music, corrections)
    options: dict[str, Any] = ({} if meter == "auto" else {"meter": meter}) | ({"lead": lead / 1000} if lead else {})

    @lru_cache(maxsize=1)  # one for all files, but for scores, whose beats are known
    def conductor(known: "BeatCorrections | None") -> "Conductor":
        return registry.conductor(model, **options, **({"corrections": known} if known else {}))

    conductor(corrections)  # what is wrong with the model is said before anything is done

    def load(file: Path) -> "tuple[MusicInput, Conductor]":
        from ictus.conducting import RATE

        given = score.load(file, corrections, rate=RATE, meter=options.get("meter"))
        blind = given.score and corrections is None and not registry.takes(model, "corrections")
        return given, conductor(None if blind else given.corrections)

    conduct = partial(_conduct, load, seed=seed, look=look)
    return run_batch(plans, conduct, _described, json)


def _conduct(
    load: "Callable[[Path], tuple[MusicInput, Conductor]]",
    file: Path,
    outs: Sequence[Path],
    progress: "Progress",
    *,
    seed: int,
    look: RenderOptions,
) -> dict[str, Any]:
    start = time.perf_counter()
    given, conductor = load(file)
    motion = conductor(given.audio, seed=seed, progress=part(progress, 0.05, 0.4))
    motion = replace(motion, meta={**motion.meta, "music": file.name})
    seconds, sound = given.audio.duration, given.sound
    del given  # an hour of it is as large as what is to be written
    for out, share in zip(outs, shares(progress, 0.4, len(outs)), strict=True):
        io.save_motion(motion, sound, out, look, share)
    beats = motion.meta.get("beats")
    return {
        "out": [str(out) for out in outs],
        "seconds": round(seconds, 2),
        "beats": beats and len(beats["times"]),
        "meter": beats and beats["meter"],
        "meters": beats and beats.get("meters"),
        "took": round(time.perf_counter() - start, 2),
    }


def _described(report: dict[str, Any]) -> str:
    beats = "" if report["beats"] is None else ", " + beats_found(report["beats"], f" in {named_meters(report)}")
    outs, seconds, took = ", ".join(report["out"]), report["seconds"], report["took"]
    return f"{report['music']} -> {outs} ({seconds:.1f} s{beats}; took {took:.1f} s)"
