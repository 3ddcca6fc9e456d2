"""The tab Sound: a performer's motion -> the instrument's sound."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import gradio

from ictus.cli.batch import SHOWN, Look
from ictus.cli.sound import SUFFIXES, Performance, _seen
from ictus.sound import INSTRUMENTS, MEL_RATE
from ictus.sound.films import SUFFIXES as FILMS
from ictus.sound.films import pictures, write
from ictus.sound.poses import filled
from ictus.sound.sampling import Sampling
from ictus.sound.videos import POSES
from ictus.stage.plots import mel_and_motion
from ictus.studio import desk, drawings
from ictus.studio.examples import player
from ictus.studio.limits import spoken
from ictus.studio.models import chosen, loaded, offers
from ictus.studio.staging import FILM, Performed, Progress, Updates, staged, told

if TYPE_CHECKING:
    from ictus.sound.films import Film
    from ictus.sound.player import Played
    from ictus.sound.poses import PoseTrack

AUTO = "auto"
_DROP = 120  # pixels
_TEMPERATURE, _TOP = 0.7, 0.9
_FPS, _SIZE = 60, (600, 600)


def build(house: desk.House) -> None:
    """Fill the tab."""
    choices = offers("sound", house.folders)
    with gradio.Row(elem_classes="desk"):
        with desk.form("A player is seen and not heard: from the movement alone, the instrument is played again."):
            keypoints = gradio.File(
                label="Keypoints of the player", file_types=list(POSES), height=_DROP, elem_classes="given"
            )
            desk.example_for(house, player, "Take a cellist, invented by Ictus", keypoints)
            film = gradio.File(
                label="The film they are of (may be left out)",
                file_types=list(FILMS),
                height=_DROP,
                elem_classes="given",
            )
            model = desk.models(choices, "Soloist")
            with gradio.Row(elem_classes="pair"):
                instrument = gradio.Dropdown(
                    [("By its looks", AUTO), *((name.capitalize(), name) for name in INSTRUMENTS)],
                    value=AUTO,
                    label="Instrument",
                )
                seed = desk.seed()
            temperature = gradio.Slider(0, 1.5, _TEMPERATURE, step=0.05, label="Freedom (temperature)")
            theme = desk.light()
            button = gradio.Button("Play", variant="primary", elem_classes="go", interactive=bool(choices))
        words = (
            "Give it the movement of a player, and it will be heard here."
            if choices
            else "No soloist is here yet: start the studio with <code>--model FOLDER</code> of a trained one."
        )
        stage = desk.stage(drawings.SOUND, words)

    def make(
        given: str | None,
        filmed: str | None,
        model: str,
        instrument: str,
        seed: float,
        temperature: float,
        theme: str,
        request: gradio.Request,
        progress: gradio.Progress = desk.PROGRESS,
    ) -> Iterator[Updates]:
        points = desk.given_file(given, "Drop the keypoints of a player first, or take the example.")
        source = Path(filmed) if filmed else points
        visitor, tab = house.visitor(request)
        with spoken(points, source):
            told(progress, "Waking the soloist", 0.0, 0.1)
            soloist = loaded("sound", chosen(choices, model))
            seen, track = _seen(Performance(source, bool(filmed), points), None)
            house.limits.check(track.duration)
            played = soloist(
                track,
                instrument=None if instrument == AUTO else instrument,
                seed=int(seed or 0),
                sampling=Sampling(temperature, top_p=_TOP),
                progress=told(progress, "Playing", 0.1, 0.5),
            )
            look = Look(min(round(track.fps), _FPS), _SIZE, theme)
            yield from staged(_performed(source, seen, track, played, look), visitor, tab, progress)

    stage.shows(button, make, [keypoints, film, model, instrument, seed, temperature, theme])


def _performed(source: Path, film: "Film | None", track: "PoseTrack", played: "Played", look: Look) -> Performed:
    motion = replace(filled(track).track.motion(), meta={"model": "soloist", "music": source.name})

    def make(out: Path, progress: Progress) -> None:
        if out.suffix not in SHOWN:
            played.audio.save(out)
        elif film is not None and out.suffix == FILM:
            write(out, pictures(film, film.rate), film.rate, played.audio)
        else:
            look.show(motion, played.audio, out, progress)

    return Performed(
        title=source.stem,
        said=_said(track.duration, played),
        makers=dict.fromkeys((*SHOWN, *SUFFIXES), make),
        plots={"Sound and motion": lambda: mel_and_motion(played.mel[:, ::-1], motion, rate=MEL_RATE)},
    )


def _said(seconds: float, played: "Played") -> str:
    notes = [f"{seconds:.1f} seconds", played.instrument or "instrument unknown"]
    if played.instrument is not None and played.instrument in played.chances:
        notes.append(f"which the movement makes {100 * played.chances[played.instrument]:.0f} % likely")
    if len(played.silent):
        notes.append(f"silent for {(played.silent[:, 1] - played.silent[:, 0]).sum():.1f} s, where no hand is seen")
    return ", ".join(notes)
