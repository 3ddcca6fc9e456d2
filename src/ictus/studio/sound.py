"""The tab Sound: a performer's motion -> the instrument's sound."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import gradio

from ictus import io
from ictus.pose.engines import get_engine
from ictus.render.plots import mel_and_motion
from ictus.sound import INSTRUMENTS, MEL_RATE
from ictus.sound.data.video_index import POSES
from ictus.sound.performance import Performance
from ictus.sound.pipeline import SAMPLING
from ictus.studio import components, drawings
from ictus.studio.examples import player
from ictus.studio.models import chosen, loaded, model_choices
from ictus.studio.results import TabResult, Updates, show_results
from ictus.types import Progress
from ictus.video_io import SUFFIXES as FILMS
from ictus.video_io import probe

if TYPE_CHECKING:
    from ictus.sound.pipeline import SoloistResult

_AUTO = "auto"


def build(settings: components.StudioSettings) -> None:
    """Fill the tab."""
    choices = model_choices("sound", settings.folders)
    with gradio.Row(elem_classes="columns"):
        with components.form(
            "A player is seen but makes no sound: from the movement alone, the instrument is played again."
        ):
            keypoints = gradio.File(
                label="Keypoints of the player", file_types=list(POSES), height=components.DROP, elem_classes="given"
            )
            components.example_for(settings, player, "or take a cellist, invented by Ictus", keypoints)
            film = gradio.File(
                label="The film they are of; without keypoints, the player is found in it",
                file_types=list(FILMS),
                height=components.DROP,
                elem_classes="given",
            )
            model = components.models(choices, "Soloist")
            instrument = gradio.Dropdown(
                [("By its looks", _AUTO), *((name.capitalize(), name) for name in INSTRUMENTS)],
                value=_AUTO,
                label="Instrument",
            )
            button = components.go("Play", interactive=bool(choices))
            with components.more():
                temperature = gradio.Slider(0, 1.5, SAMPLING.temperature, step=0.05, label="Freedom (temperature)")
                seed, theme = components.seed(), components.light()
        words = (
            "Give it the movement of a player, and its sound will come here."
            if choices
            else "No soloist is here yet: start the studio with the folder of a trained one."
        )
        panel = components.result_panel(drawings.SOUND, words)

    def make(
        given: str | None,
        filmed: str | None,
        model: str,
        instrument: str,
        seed: float,
        temperature: float,
        theme: str,
        request: gradio.Request,
        progress: gradio.Progress = components.PROGRESS,
    ) -> Iterator[Updates]:
        first = components.given_file(given or filmed, "Drop the keypoints or a film of a player, or take the example.")
        film = Path(filmed) if filmed else None
        with settings.job(request, progress, first, film or first) as job:
            job.reporter("Waking the soloist", 0.0, 0.1)
            soloist = loaded(chosen(choices, model))
            if given:
                performance = Performance.load(first, film)
            else:
                settings.limits.check(probe(first, silent=True).seconds)
                performance = Performance.watch(first, get_engine("blaze"), progress=job.reporter("Looking", 0.1, 0.3))
            settings.limits.check(performance.track.duration)
            played = soloist(
                performance.track,
                instrument=None if instrument == _AUTO else instrument,
                seed=int(seed or 0),
                sampling=replace(SAMPLING, temperature=temperature),
                progress=job.reporter("Playing", 0.1 if given else 0.3, 0.5),
            )
            yield from show_results(_tab_result(performance, played, Path(model).name, theme), job)

    panel.shows(button, make, [keypoints, film, model, instrument, seed, temperature, theme])


def _tab_result(performance: Performance, played: "SoloistResult", model: str, theme: str) -> TabResult:
    def make(out: Path, progress: Progress) -> None:
        io.save_sound(played, performance, model, out, theme, progress)

    return TabResult(
        title=performance.file.stem,
        said=_said(performance.track.duration, played),
        makers=dict.fromkeys(io.FILES["sound"], make),
        plots={
            "Sound and motion": lambda: mel_and_motion(played.mel[:, ::-1], performance.motion(model), rate=MEL_RATE)
        },
    )


def _said(seconds: float, played: "SoloistResult") -> str:
    notes = [f"{seconds:.1f} seconds", played.instrument or "instrument unknown"]
    if played.instrument is not None and played.instrument in played.probabilities:
        notes.append(f"which the movement makes {100 * played.probabilities[played.instrument]:.0f} % likely")
    if len(played.silent):
        notes.append(f"silent for {(played.silent[:, 1] - played.silent[:, 0]).sum():.1f} s, where no hand is seen")
    return ", ".join(notes)
