"""What Conduct and Dance share: a tab in which music goes in, and a motion comes out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import gradio
from gradio.components import Component

from ictus import io
from ictus.audio import Audio
from ictus.features import mel128
from ictus.motion import Motion
from ictus.render.plots import beats_and_tempo, mel_and_motion
from ictus.render.render_options import RenderOptions
from ictus.studio import components
from ictus.studio.examples import ode_to_joy
from ictus.studio.models import ModelChoice, chosen, loaded, model_choices
from ictus.studio.results import TabResult, Updates, show_results
from ictus.types import Progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Plots = Mapping[str, "Callable[[], Figure]"]

_NO_BEATS: dict[str, list[float]] = {"times": [], "positions": []}


@dataclass(frozen=True)
class MotionTab:
    """What is different in each.

    Attributes
    ----------
    command : of `ictus`, and what stands on the button, with a capital.
    who : performs: "conductor", "dancer".
    about : a line over the form.
    drawing, empty : what stands in the panel before there is a result.
    usual : make the field that this art has beside music and model, given the models and the place where one is chosen.
    more : make the fields of this art that few need.
    options_of : turn the values of both, in this order, into the options of the model.
    summary : state in a few words what was found in the music.
    plots : by caption, those of this art alone.
    rate : hertz at which the music is read; None leaves it as it is.
    """

    command: Literal["conduct", "dance"]
    who: str
    about: str
    drawing: str
    empty: str
    usual: Callable[[Sequence[ModelChoice], gradio.Dropdown], Component]
    more: Callable[[], Sequence[Component]]
    options_of: Callable[..., dict[str, Any]]
    summary: Callable[[Motion], str]
    plots: Callable[[Motion], Plots]
    rate: int | None = None

    def build(self, settings: components.StudioSettings) -> None:
        """Fill the tab."""
        choices = model_choices(self.command, settings.folders)
        with gradio.Row(elem_classes="columns"):
            with components.form(self.about):
                music = components.music(settings, ode_to_joy, "or take an Ode to Joy, played by Ictus")
                model = components.models(choices, self.who.capitalize())
                usual = self.usual(choices, model)
                button = components.go(self.command.capitalize())
                with components.more():
                    more = self.more()
                    seed, theme = components.seed(), components.light()
            panel = components.result_panel(self.drawing, self.empty)

        def make(
            path: str | None,
            model: str,
            seed: float,
            theme: str,
            request: gradio.Request,
            progress: gradio.Progress = components.PROGRESS,
            *options: Any,
        ) -> Iterator[Updates]:
            file = components.given_file(path, "Drop some music first, record some, or take the example.")
            with settings.job(request, progress, file) as job:
                settings.limits.check_music(file)
                job.reporter(f"Waking the {self.who}", 0.0, 0.1)
                performer = loaded(chosen(choices, model), **self.options_of(*options))
                audio = Audio.load(file, rate=self.rate, mono=True)
                working = job.reporter(f"The {self.who} is at work", 0.1, 0.5)
                motion = performer(audio, seed=int(seed or 0), progress=working)
                motion = replace(motion, meta={**motion.meta, "music": file.name})
                yield from show_results(self._tab_result(file, audio, motion, RenderOptions(theme=theme)), job)

        panel.shows(button, make, [music, model, seed, theme, usual, *more])

    def _tab_result(self, file: Path, audio: Audio, motion: Motion, options: RenderOptions) -> TabResult:
        def make(out: Path, progress: Progress) -> None:
            io.save_motion(motion, file, out, options, progress)

        return TabResult(
            title=file.stem,
            said=f"{audio.duration:.1f} seconds, {self.summary(motion)}",
            makers=dict.fromkeys(io.FILES[self.command], make),
            plots={
                "Beats and tempo": lambda: beats_and_tempo(motion.meta.get("beats", _NO_BEATS)),
                **self.plots(motion),
                "Sound and motion": lambda: mel_and_motion(mel128(audio), motion),
            },
        )
