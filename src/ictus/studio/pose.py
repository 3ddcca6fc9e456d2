"""The tab Pose: a film of somebody -> body and hands in every picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import gradio

from ictus import io
from ictus.pose import track
from ictus.pose.engines import get_engine
from ictus.studio import components, drawings
from ictus.studio.results import TabResult, Updates, show_results
from ictus.types import Progress
from ictus.video_io import SUFFIXES as FILMS
from ictus.video_io import probe

if TYPE_CHECKING:
    from ictus.pose import Track

_PEOPLE = [("The largest", "largest"), ("The one on the left", "left"), ("The one on the right", "right")]
_BODIES = [
    ("Body and hands (75 points)", "blaze-75"),
    ("A player (47)", "solos-47"),
    ("A body (17)", "coco-17"),
    ("A conductor (13)", "conductor-13"),
]


def build(settings: components.StudioSettings) -> None:
    """Fill the tab."""
    with gradio.Row(elem_classes="columns"):
        with components.form("A film of somebody goes in; body and hands come out, over the film and in space."):
            film = gradio.File(
                label=f"Film, up to {settings.limits.minutes:g} minutes",
                file_types=list(FILMS),
                height=components.DROP,
                elem_classes="given",
            )
            person = gradio.Dropdown(_PEOPLE, value="largest", label="Who, where several are seen")
            button = components.go("Find")
            with components.more():
                body = gradio.Dropdown(_BODIES, value="blaze-75", label="Points in the files of keypoints")
        panel = components.result_panel(drawings.POSE, "Give it a film of somebody, and the movement will come here.")

    def make(
        given: str | None,
        person: str,
        body: str,
        request: gradio.Request,
        progress: gradio.Progress = components.PROGRESS,
    ) -> Iterator[Updates]:
        file = components.given_file(given, "Drop a film first.")
        with settings.job(request, progress, file) as job:
            settings.limits.check(probe(file, silent=True).seconds)
            job.reporter("Waking the eye", 0.0, 0.1)
            watching = job.reporter("Looking", 0.1, 0.5)
            found = track(file, engine=get_engine("blaze"), person=person, progress=watching)
            yield from show_results(_tab_result(file, found, body), job)

    panel.shows(button, make, [film, person, body])


def _tab_result(file: Path, found: "Track", body: str) -> TabResult:
    def make(out: Path, progress: Progress) -> None:
        io.save_track(found, out, body, None, progress)

    return TabResult(file.stem, _said(found), dict.fromkeys(io.FILES["pose"], make), plots={})


def _said(found: "Track") -> str:
    notes = [f"{found.duration:.1f} seconds", f"somebody in {found.seen.mean():.0%} of the pictures"]
    if found.nobody:
        gaps = ", ".join(f"{first:.1f} to {last:.1f} s" for first, last in found.nobody[:3])
        notes.append(f"nobody at {gaps}{' and more' if len(found.nobody) > 3 else ''}")
    return ", ".join(notes)
