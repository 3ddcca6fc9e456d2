"""`ictus dance`: any music -> a dance."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ictus import io, registry
from ictus.cli.batch import beats_found, picture_size, plan_music, run_batch, shares
from ictus.cli.console import part
from ictus.cli.known_beats import KnownBeats
from ictus.cli.music_input import MusicInput, ScoreInput
from ictus.cli.options import FilmRate, Meter, Music, Outs, Range, Seed, command
from ictus.render.render_options import RenderOptions

if TYPE_CHECKING:
    from ictus.beats.corrections import BeatCorrections
    from ictus.dance.pipeline import Dancer
    from ictus.types import Progress


@command
def run(
    music: Music,
    /,
    out: Outs = (),
    model: str | None = None,
    seed: Seed = 0,
    seed_motion: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    genre: str | None = None,
    repertoire: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None,
    dancers: Annotated[int, Range(1, 8)] = 1,
    mirror: bool = False,
    stride: Annotated[int | None, Range(1, 240)] = None,
    meter: Meter = "auto",
    known: KnownBeats = KnownBeats(),  # noqa: B008
    score: ScoreInput = ScoreInput(),  # noqa: B008
    fps: FilmRate = 30,
    size: Annotated[str, tyro.conf.arg(metavar="WxH")] = "720x720",
    theme: Literal["dark", "light"] = "dark",
    json: bool = False,
) -> int:
    """Dance to any music or score: film the dance, or save the motion.

    Args:
        music: Sound files, films, scores (.mxl .musicxml .mid .json) or folders of them.
        out: What to make; may be given several times. The suffix says what comes out: .mp4 (film with sound),
            .html (a page that plays, with the motion in it), .npz .json (motion), .pkl (as AIST++ has it), .bvh .glb
            (3-D animation). A folder takes films; FOLDER/.bvh takes animations named after the music. Without it: a
            film beside the music.
        model: A dancer that `ictus models` lists, or the folder of a trained one. Without it: choreographer; fact, if
            a seed motion or a stride is given.
        seed: Another seed is another dance.
        seed_motion: Of fact: a motion that the dance begins with, two seconds or more of smpl-24 with rotations.
        genre: What is danced, by AIST++'s letters or names, such as WA or waack; without it, the seed decides.
        repertoire: Of choreographer: a folder of your own dances to dance with (.bvh .glb .npz .pkl) of whatever rig,
            or of films of dancers; a folder in it is a genre.
        dancers: How many dance, side by side on one stage, each another dance; files of motion are one for each.
        mirror: All dance alike, every second one with left and right exchanged.
        stride: Of fact: frames kept of each prediction; 1 as published, more to be as many times faster.
        meter: Beats in a bar, 1 to 7, or 3/4, 6/8 (in two), 3+2 and the like; auto finds it.
        known: What is known of the beats.
        score: Of scores.
        fps: Frames a second of the film.
        size: Size of the film in pixels.
        theme: Colours of the film or page.
        json: Report on stdout as JSON.
    """
    plans = plan_music(music, out, io.FILES["dance"], ".mp4")
    look = RenderOptions(fps, picture_size(size), theme)
    from ictus.motion import Motion

    begun = None if seed_motion is None else Motion.load(seed_motion)
    given: dict[str, Any] = {"seed_motion": begun, "genre": genre, "stride": stride, "repertoire": repertoire}
    corrections = known.corrections(music, meter)
    score.check(music, corrections)
    options = {name: value for name, value in given.items() if value is not None}
    usual = "choreographer" if seed_motion is None and stride is None else "fact"

    @lru_cache(maxsize=1)  # one for all files, but for scores, whose beats are known
    def dancer(known: "BeatCorrections | None") -> "Dancer":
        return registry.dancer(model or usual, **options, **({"corrections": known} if known else {}))

    dancer(corrections)  # what is wrong with the model is said before anything is done

    def load(file: Path) -> "tuple[MusicInput, Dancer]":
        given = score.load(file, corrections)
        return given, dancer(given.corrections)

    dance = partial(_dance, load, dancers, mirror=mirror, seed=seed, look=look)
    return run_batch(plans, dance, _described, json)


def _dance(
    load: "Callable[[Path], tuple[MusicInput, Dancer]]",
    dancers: int,
    file: Path,
    outs: Sequence[Path],
    progress: "Progress",
    *,
    mirror: bool,
    seed: int,
    look: RenderOptions,
) -> dict[str, Any]:
    from ictus.dance.group import dance_together

    start = time.perf_counter()
    music, dancer = load(file)
    shown = part(progress, 0.1, 0.6)
    motions = dance_together(dancer, music.audio, dancers, mirror=mirror, seed=seed, progress=shown)
    motions = [replace(motion, meta={**motion.meta, "music": file.name}) for motion in motions]
    motion = motions[0]
    written = [
        io.save_motion(motions, music.sound, out, look, share)
        for out, share in zip(outs, shares(progress, 0.6, len(outs)), strict=True)
    ]
    return {
        "out": [str(path) for paths in written for path in paths],
        "seconds": round(music.audio.duration, 2),
        "genre": motion.meta.get("genre"),
        "beats": len(motion.meta["beats"]["times"]),
        "took": round(time.perf_counter() - start, 2),
    }


def _described(report: dict[str, Any]) -> str:
    genre = f"{report['genre']}, " if report["genre"] else ""
    outs, seconds, took = ", ".join(report["out"]), report["seconds"], report["took"]
    return f"{report['music']} -> {outs} ({seconds:.1f} s, {genre}{beats_found(report['beats'])}; took {took:.1f} s)"
