"""The tab Dance: any music -> a dance."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio

from ictus.audio import Audio
from ictus.cli.batch import SHOWN, Look
from ictus.cli.dance import SUFFIXES
from ictus.dance.aist import GENRES
from ictus.dance.metrics.beats import motion_beats
from ictus.features import mel128
from ictus.motion import Motion
from ictus.stage.dance_plots import speed_and_beats
from ictus.stage.plots import mel_and_motion
from ictus.studio import desk, drawings
from ictus.studio.examples import ode_to_joy
from ictus.studio.limits import spoken
from ictus.studio.models import chosen, loaded, offers
from ictus.studio.plots import beats_and_tempo
from ictus.studio.staging import Performed, Progress, Updates, staged, told

ANY = "any"
_FPS, _SIZE = 30, (720, 720)


def build(house: desk.House) -> None:
    """Fill the tab."""
    choices = offers("dance", house.folders)
    with gradio.Row(elem_classes="desk"):
        with desk.form("Any music gets a dancer, whose steps fall on its beats and whose feet stay on the floor."):
            music = desk.music(house, ode_to_joy, "Take an Ode to Joy, played by Ictus")
            model = desk.models(choices, "Dancer")
            with gradio.Row(elem_classes="pair"):
                genre = gradio.Dropdown(genres(choices[0].name), value=ANY, label="Genre")
                seed = desk.seed()
            theme = desk.light()
            button = gradio.Button("Dance", variant="primary", elem_classes="go")
        stage = desk.stage(drawings.DANCE, "Give it music, and somebody will dance here.")

    def make(
        path: str | None,
        model: str,
        genre: str,
        seed: float,
        theme: str,
        request: gradio.Request,
        progress: gradio.Progress = desk.PROGRESS,
    ) -> Iterator[Updates]:
        file = desk.given_file(path, "Drop some music first, record some, or take the example.")
        visitor, tab = house.visitor(request)
        with spoken(file):
            house.limits.check_music(file)
            told(progress, "Waking the dancer", 0.0, 0.1)
            dancer = loaded("dance", chosen(choices, model))
            audio = Audio.load(file, mono=True)
            asked = {"seed": int(seed or 0), "genre": None if genre == ANY else genre}
            motion = dancer(audio, **asked, progress=told(progress, "Listening and dancing", 0.1, 0.5))
            motion = replace(motion, meta={**motion.meta, "music": file.name})
            yield from staged(_performed(file, audio, motion, theme), visitor, tab, progress)

    def known(model: str) -> gradio.Dropdown:
        with spoken():
            return gradio.Dropdown(genres(chosen(choices, model)), value=ANY)

    model.change(known, model, genre, api_visibility="private", show_progress="hidden")
    stage.shows(button, make, [music, model, genre, seed, theme])


def genres(model: str) -> list[tuple[str, str]]:
    """Return what a dancer can be asked for, as it is shown and as it is meant."""
    codes = getattr(loaded("dance", model), "genres", [])
    return [("Any" if codes else "As it learnt", ANY), *((GENRES[code], code) for code in codes)]


def _performed(file: Path, audio: Audio, motion: Motion, theme: str) -> Performed:
    beats = motion.meta["beats"]
    look = Look(_FPS, _SIZE, theme)
    genre = f", {GENRES[motion.meta['genre']]}" if motion.meta.get("genre") else ""

    def make(out: Path, progress: Progress) -> None:
        if out.suffix in SHOWN:
            look.show(motion, file, out, progress)
        else:
            motion.save(out)

    return Performed(
        title=file.stem,
        said=f"{audio.duration:.1f} seconds, {len(beats['times'])} beats{genre}",
        makers=dict.fromkeys((*SHOWN, *SUFFIXES), make),
        plots={
            "Beats and tempo": lambda: beats_and_tempo(beats),
            "How fast the dance moves, and where the beats are": lambda: speed_and_beats(
                {"": motion}, {"": motion_beats(motion)}, beats["times"]
            ),
            "Sound and motion": lambda: mel_and_motion(mel128(audio), motion),
        },
    )
