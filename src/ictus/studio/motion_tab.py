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
from ictus.studio.limits import spoken
from ictus.studio.models import Offer, chosen, loaded, offers
from ictus.studio.staging import Performed, Updates, staged, told

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Plots = Mapping[str, "Callable[[], Figure]"]

_NO_BEATS: dict[str, list[float]] = {"times": [], "positions": []}


@dataclass(frozen=True)
class Art:
    """What is different in each.

    Attributes
    ----------
    command : of `ictus`, and what stands on the button, with a capital.
    who : performs: "conductor", "dancer".
    about : a line over the form.
    drawing, empty : what stands on the stage before anybody does.
    usual : make the field that this art has beside music and model, given the models and the place where one is chosen.
    more : make the fields of this art that few need.
    asked : turn the values of both, in this order, into the options of the model.
    heard : say in a few words what was heard in the music.
    plots : by caption, those of this art alone.
    rate : hertz at which the music is read; None leaves it as it is.
    """

    command: Literal["conduct", "dance"]
    who: str
    about: str
    drawing: str
    empty: str
    usual: Callable[[Sequence[Offer], gradio.Dropdown], Component]
    more: Callable[[], Sequence[Component]]
    asked: Callable[..., dict[str, Any]]
    heard: Callable[[Motion], str]
    plots: Callable[[Motion], Plots]
    rate: int | None = None

    def build(self, house: components.House) -> None:
        """Fill the tab."""
        choices = offers(self.command, house.folders)
        with gradio.Row(elem_classes="desk"):
            with components.form(self.about):
                music = components.music(house, ode_to_joy, "or take an Ode to Joy, played by Ictus")
                model = components.models(choices, self.who.capitalize())
                usual = self.usual(choices, model)
                button = components.go(self.command.capitalize())
                with components.more():
                    more = self.more()
                    seed, theme = components.seed(), components.light()
            stage = components.stage(self.drawing, self.empty)

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
            visitor, tab = house.visitor(request)
            with spoken(file):
                house.limits.check_music(file)
                told(progress, f"Waking the {self.who}", 0.0, 0.1)
                performer = loaded(chosen(choices, model), **self.asked(*options))
                audio = Audio.load(file, rate=self.rate, mono=True)
                working = told(progress, f"The {self.who} is listening", 0.1, 0.5)
                motion = performer(audio, seed=int(seed or 0), progress=working)
                motion = replace(motion, meta={**motion.meta, "music": file.name})
                yield from staged(
                    self._performed(file, audio, motion, RenderOptions(theme=theme)), visitor, tab, progress
                )

        stage.shows(button, make, [music, model, seed, theme, usual, *more])

    def _performed(self, file: Path, audio: Audio, motion: Motion, look: RenderOptions) -> Performed:
        def make(out: Path, progress: Callable[[float], None]) -> None:
            io.save_motion(motion, file, out, look, progress)

        return Performed(
            title=file.stem,
            said=f"{audio.duration:.1f} seconds, {self.heard(motion)}",
            makers=dict.fromkeys(io.FILES[self.command], make),
            plots={
                "Beats and tempo": lambda: beats_and_tempo(motion.meta.get("beats", _NO_BEATS)),
                **self.plots(motion),
                "Sound and motion": lambda: mel_and_motion(mel128(audio), motion),
            },
        )
