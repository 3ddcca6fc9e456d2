"""The tab Conduct: any music -> a conductor."""

from collections.abc import Sequence
from typing import Any

import gradio

from ictus.conducting import RATE
from ictus.motion import Motion
from ictus.render.plots import conducting_pattern
from ictus.studio import drawings
from ictus.studio.models import ModelChoice
from ictus.studio.motion_tab import MotionTab

_METERS = [("As in the music", 0), *((str(meter), meter) for meter in range(1, 8))]


def _meter(choices: Sequence[ModelChoice], model: gradio.Dropdown) -> gradio.Dropdown:
    return gradio.Dropdown(_METERS, value=0, label="Metre")


def _lead() -> list[gradio.Slider]:
    return [gradio.Slider(0, 200, 0, step=10, label="Lead of the hands (ms)")]


def _options(meter: int, lead: float) -> dict[str, Any]:
    return ({"meter": meter} if meter else {}) | ({"lead": lead / 1000} if lead else {})


def _summary(motion: Motion) -> str:
    beats = motion.meta.get("beats")
    return f"{len(beats['times'])} beats, {beats['meter']} in a bar" if beats else str(motion.meta["model"])


CONDUCT = MotionTab(
    command="conduct",
    who="conductor",
    about="Any music gets a conductor, who follows its beats, bars and dynamics, and marks them.",
    drawing=drawings.CONDUCT,
    empty="Give it music, and somebody will step up here.",
    usual=_meter,
    more=_lead,
    options_of=_options,
    summary=_summary,
    plots=lambda motion: {"What the right hand draws, bar by bar": lambda: conducting_pattern(motion)},
    rate=RATE,
)
