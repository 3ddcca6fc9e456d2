"""The studio as an application: the page, its door, and the addresses of what is made."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

# Gradio reads these when it is imported: nothing is sent to anybody.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio
from fastapi import FastAPI
from starlette.middleware import Middleware

from ictus.studio import pose, sound
from ictus.studio.components import ONE_AT_A_TIME, StudioSettings
from ictus.studio.conduct import CONDUCT
from ictus.studio.dance import DANCE
from ictus.studio.guard import Guard
from ictus.studio.limits import Limits
from ictus.studio.routes import add_results
from ictus.studio.theme import style, theme
from ictus.studio.visitors import Visitors

_HEAD = '<header class="masthead"><h1>Ictus<i></i></h1><p>Music and human motion turn into each other.</p></header>'
_TABS = (("Conduct", CONDUCT.build), ("Dance", DANCE.build), ("Sound", sound.build), ("Pose", pose.build))
_SWEEP = 300.0  # seconds between two rounds of the broom
_FOLDER = "GRADIO_TEMP_DIR"  # where Gradio lays what is sent


@contextmanager
def studio(limits: Limits, folders: Sequence[Path] = (), host: str = "127.0.0.1") -> Iterator[FastAPI]:
    """Give the studio, ready to be served; its files are gone afterwards.

    Parameters
    ----------
    folders : of trained models, to be offered beside those that are shipped.
    host : where it will listen; it answers under this name, and those of this machine.

    Raises
    ------
    ModelError
        If a folder is no checkpoint.
    """
    before = os.environ.get(_FOLDER)
    with Visitors.opened() as visitors:
        os.environ[_FOLDER] = str(visitors.root)
        try:
            yield _application(StudioSettings(visitors, limits, folders), host)
        finally:
            del os.environ[_FOLDER]
            if before is not None:
                os.environ[_FOLDER] = before


def page(settings: StudioSettings) -> gradio.Blocks:
    """Build the page."""
    blocks: gradio.Blocks
    with gradio.Blocks(title="Ictus studio", analytics_enabled=False, fill_width=True) as blocks:
        gradio.HTML(_HEAD)
        with gradio.Tabs(elem_classes="arts"):
            for name, build in _TABS:
                with gradio.Tab(name):
                    build(settings)

        # A page's heart beats from its first event on, if somebody listens for its end; the guard hears it.
        blocks.load(lambda: None, api_visibility="private", show_progress="hidden")
        blocks.unload(lambda: None)
    blocks.queue(max_size=settings.limits.waiting, api_open=False)
    return blocks


def _application(settings: StudioSettings, host: str) -> FastAPI:
    @asynccontextmanager
    async def sweeping(app: FastAPI) -> AsyncIterator[None]:
        async def sweep() -> None:
            while True:
                await asyncio.sleep(_SWEEP)
                await asyncio.to_thread(settings.visitors.sweep)

        broom = asyncio.create_task(sweep())
        yield
        broom.cancel()
        with suppress(asyncio.CancelledError):
            await broom

    blocks = page(settings)
    costly = {number for number, function in blocks.fns.items() if function.concurrency_id == ONE_AT_A_TIME}
    guard = Middleware(Guard, visitors=settings.visitors, limits=settings.limits, host=host, costly=costly)
    app = FastAPI(
        lifespan=sweeping,
        middleware=[guard],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    add_results(app, settings.visitors)
    mounted: FastAPI = gradio.mount_gradio_app(
        app,
        blocks,
        path="/",
        theme=theme(),
        css=style(),
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=f"{settings.limits.megabytes}mb",
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    return mounted
