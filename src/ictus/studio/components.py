"""What the tabs share: a form on the left, and on the right a panel where things appear as they are made."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio
from gradio.components import Component

from ictus.errors import UsageError
from ictus.studio.guard import cookie_of
from ictus.studio.jobs import RunningJob
from ictus.studio.limits import Limits, show_errors
from ictus.studio.models import ModelChoice
from ictus.studio.results import note
from ictus.studio.visitors import Visitors

PROGRESS = gradio.Progress()
DROP = 110  # pixels, the height of a place for a file
# On a phone the result lies below the form.
_TO_THE_RESULT = """() => {
    const panel = [...document.querySelectorAll(".result-panel")].find((one) => one.offsetParent);
    if (innerWidth <= 760) panel?.scrollIntoView({ behavior: "smooth" });
}"""
ONE_AT_A_TIME = "performances"  # all tabs wait in one queue, for they share one machine


@dataclass(frozen=True)
class StudioSettings:
    """What every tab is given.

    Attributes
    ----------
    folders : of models beside those that are shipped.
    """

    visitors: Visitors
    limits: Limits = field(default_factory=Limits)
    folders: Sequence[Path] = ()

    @contextmanager
    def job(self, request: gradio.Request, progress: gradio.Progress, *files: Path) -> Iterator[RunningJob]:
        """Run the job that a browser asks for, on its files. Raises gradio.Error for what goes wrong."""
        with show_errors(*files):
            cookie = None if request.request is None else cookie_of(request.request.scope, self.visitors)
            if cookie is None:
                raise UsageError("please let this page set its cookie, and load it again")
            visitor, tab = self.visitors.of(cookie), str(request.session_hash)
            with visitor.working(tab):
                yield RunningJob(visitor, tab, progress)


@dataclass(frozen=True)
class ResultPanel:
    """Where results appear."""

    said: Component
    live: Component
    film: Component
    plots: Component
    downloads: Component

    def shows(self, button: gradio.Button, make: Callable[..., Any], inputs: Sequence[Component]) -> None:
        """Let a button make something, and show it here."""
        button.click(
            make,
            list(inputs),
            [self.said, self.live, self.film, self.plots, self.downloads],
            show_progress_on=self.said,
            concurrency_limit=1,
            concurrency_id=ONE_AT_A_TIME,
            api_visibility="private",
        )
        button.click(None, js=_TO_THE_RESULT)


@contextmanager
def form(words: str) -> Iterator[None]:
    """Give the left side of a tab, which begins with a line about what it does."""
    with gradio.Column(elem_classes="ask", scale=0, min_width=320):
        gradio.HTML(f'<p class="about">{words}</p>')
        yield


def result_panel(drawing: str, words: str) -> ResultPanel:
    """Make the right side of a tab; until there is something, it shows a drawing and a line."""
    with gradio.Column(elem_classes="result-panel", min_width=320):
        with gradio.Tabs(elem_classes="views"):
            with gradio.Tab("Live"):
                live = gradio.HTML(f'<div class="empty">{drawing}<p>{words}</p></div>')
            with gradio.Tab("Film"):
                film = gradio.HTML(note("There is no film yet."))
            with gradio.Tab("Plots"):
                plots = gradio.HTML(note("There are no plots yet."))
            with gradio.Tab("Downloads"):
                downloads = gradio.HTML(note("There is nothing to download yet."))
        said = gradio.HTML(elem_classes="said", min_height=44)
    return ResultPanel(said, live, film, plots, downloads)


def music(settings: StudioSettings, example: Callable[[Path], Path], words: str) -> gradio.Audio:
    """Make the place for music, and a button below it that fills it with an example."""
    given = gradio.Audio(
        type="filepath",
        sources=["upload", "microphone"],
        label=f"Music, up to {settings.limits.minutes:g} minutes",
        buttons=[],
        elem_classes="given",
    )
    example_for(settings, example, words, given)
    return given


def example_for(settings: StudioSettings, example: Callable[[Path], Path], words: str, given: Component) -> None:
    """Make a button that fills a place with an example."""
    button = gradio.Button(words, size="sm", elem_classes="example")
    button.click(
        lambda: str(example(settings.visitors.examples)),
        None,
        given,
        concurrency_limit=1,
        api_visibility="private",
    )


def go(words: str, *, interactive: bool = True) -> gradio.Button:
    """Make the button that begins the work."""
    return gradio.Button(words, variant="primary", elem_classes="go", interactive=interactive)


@contextmanager
def more() -> Iterator[None]:
    """Give a place, closed at first, for what few need."""
    with gradio.Accordion("More choices", open=False, elem_classes="more"):
        yield


def seed() -> gradio.Number:
    """Make the field for the seed."""
    return gradio.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1)


def models(choices: Sequence[ModelChoice], words: str) -> gradio.Dropdown:
    """Make the choice of a model, with a line about the one that is chosen."""
    about = {one.name: one.what for one in choices}
    first = choices[0].name if choices else None
    model = gradio.Dropdown(
        [(one.title, one.name) for one in choices], value=first, label=words, info=about.get(first or "")
    )
    model.change(
        lambda name: gradio.Dropdown(info=about.get(name)),
        model,
        model,
        api_visibility="private",
        show_progress="hidden",
    )
    return model


def light() -> gradio.Radio:
    """Make the choice of the picture's background."""
    return gradio.Radio([("Dark", "dark"), ("Light", "light")], value="dark", label="Background")


def given_file(path: str | None, words: str) -> Path:
    """Return the file that was given. Raises gradio.Error if there is none."""
    if not path:
        raise gradio.Error(words, title="Nothing to work on yet", print_exception=False)
    return Path(path)
