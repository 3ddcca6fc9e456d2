"""The tab Conduct: any music -> a conductor."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio

from ictus.audio import Audio
from ictus.cli.batch import SHOWN, Look
from ictus.cli.conduct import SUFFIXES, _save
from ictus.conducting import RATE
from ictus.features import mel128
from ictus.motion import Motion
from ictus.stage.plots import conducting_pattern, mel_and_motion
from ictus.studio import desk, drawings
from ictus.studio.examples import ode_to_joy
from ictus.studio.limits import spoken
from ictus.studio.models import chosen, loaded, offers
from ictus.studio.plots import beats_and_tempo
from ictus.studio.staging import Performed, Updates, staged, told

METERS = [("Listen for it", 0), *((str(meter), meter) for meter in range(1, 7))]
_FPS, _SIZE = 30, (720, 720)


def build(house: desk.House) -> None:
    """Fill the tab."""
    choices = offers("conduct", house.folders)
    with gradio.Row(elem_classes="desk"):
        with desk.form("Any music gets a conductor, who hears its beats, bars and dynamics, and marks them."):
            music = desk.music(house, ode_to_joy, "Take an Ode to Joy, played by Ictus")
            model = desk.models(choices, "Conductor")
            with gradio.Row(elem_classes="pair"):
                meter = gradio.Dropdown(METERS, value=0, label="Metre")
                seed = desk.seed()
            lead = gradio.Slider(0, 200, 0, step=10, label="Lead of the hands (ms)")
            theme = desk.light()
            button = gradio.Button("Conduct", variant="primary", elem_classes="go")
        stage = desk.stage(drawings.CONDUCT, "Give it music, and somebody will step up here.")

    def make(
        path: str | None,
        model: str,
        meter: int,
        lead: float,
        seed: float,
        theme: str,
        request: gradio.Request,
        progress: gradio.Progress = desk.PROGRESS,
    ) -> Iterator[Updates]:
        file = desk.given_file(path, "Drop some music first, record some, or take the example.")
        visitor, tab = house.visitor(request)
        with spoken(file):
            house.limits.check_music(file)
            told(progress, "Waking the conductor", 0.0, 0.1)
            conductor = loaded("conduct", chosen(choices, model))
            audio = Audio.load(file, rate=RATE, mono=True)
            asked = {"seed": int(seed or 0), "meter": meter or None, "lead": lead / 1000}
            motion = conductor(audio, **asked, progress=told(progress, "Listening and conducting", 0.1, 0.5))
            motion = replace(motion, meta={**motion.meta, "music": file.name})
            yield from staged(_performed(file, audio, motion, theme), visitor, tab, progress)

    stage.shows(button, make, [music, model, meter, lead, seed, theme])


def _performed(file: Path, audio: Audio, motion: Motion, theme: str) -> Performed:
    beats = motion.meta.get("beats", {"times": [], "positions": [], "meter": 0})
    heard = f"{len(beats['times'])} beats, {beats['meter']} in a bar" if beats["times"] else motion.meta["model"]
    look = Look(_FPS, _SIZE, theme)
    return Performed(
        title=file.stem,
        said=f"{audio.duration:.1f} seconds, {heard}",
        makers={
            suffix: lambda out, progress: _save(motion, file, out, look, progress) for suffix in (*SHOWN, *SUFFIXES)
        },
        plots={
            "Beats and tempo": lambda: beats_and_tempo(beats),
            "What the right hand draws, bar by bar": lambda: conducting_pattern(motion),
            "Sound and motion": lambda: mel_and_motion(mel128(audio), motion),
        },
    )
