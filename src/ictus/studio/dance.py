"""The tab Dance: any music -> a dance."""

from collections.abc import Sequence
from typing import Any

import gradio

from ictus.dance.data.aist import GENRES
from ictus.dance.metrics.beats import motion_beats
from ictus.motion import Motion
from ictus.render.dance_plots import speed_and_beats
from ictus.studio import drawings
from ictus.studio.limits import show_errors
from ictus.studio.models import ModelChoice, chosen, loaded
from ictus.studio.motion_tab import MotionTab, Plots

_ANY = "any"


def genres(model: str) -> list[tuple[str, str]]:
    """Return what a dancer can be asked for, as it is shown and as it is meant."""
    codes = getattr(loaded(model), "genres", [])
    return [("Any" if codes else "As it learnt", _ANY), *((GENRES[code], code) for code in codes)]


def _genre(choices: Sequence[ModelChoice], model: gradio.Dropdown) -> gradio.Dropdown:
    genre = gradio.Dropdown(genres(choices[0].name), value=_ANY, label="Genre")

    def known(name: str) -> gradio.Dropdown:
        with show_errors():
            return gradio.Dropdown(genres(chosen(choices, name)), value=_ANY)

    model.change(known, model, genre, api_visibility="private", show_progress="hidden")
    return genre


def _options(genre: str) -> dict[str, Any]:
    return {} if genre == _ANY else {"genre": genre}


def _summary(motion: Motion) -> str:
    genre = motion.meta.get("genre")
    return f"{len(motion.meta['beats']['times'])} beats" + (f", {GENRES[genre]}" if genre else "")


def _plots(motion: Motion) -> Plots:
    beats = motion.meta["beats"]["times"]
    return {
        "How fast the dance moves, and where the beats are": lambda: speed_and_beats(
            {"": motion}, {"": motion_beats(motion)}, beats
        )
    }


DANCE = MotionTab(
    command="dance",
    who="dancer",
    about="Any music gets a dancer, whose steps fall on its beats and whose feet stay on the floor.",
    drawing=drawings.DANCE,
    empty="Give it music, and somebody will dance here.",
    usual=_genre,
    more=list,
    options_of=_options,
    summary=_summary,
    plots=_plots,
)
