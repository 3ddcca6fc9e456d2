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

from ictus.studio import sound
from ictus.studio.components import StudioSettings, cookie_behind
from ictus.studio.conduct import CONDUCT
from ictus.studio.dance import DANCE
from ictus.studio.guard import Guard
from ictus.studio.limits import Limits
from ictus.studio.routes import add_results
from ictus.studio.theme import style, theme
from ictus.studio.visitors import Visitors

_HEAD = '<header class="masthead"><h1>Ictus<i></i></h1><p>Music and human motion turn into each other.</p></header>'
_SWEEP = 300.0  # seconds between two rounds of the broom
_FOLDER = "GRADIO_TEMP_DIR"  # where Gradio lays what is sent


@contextmanager
def studio(limits: Limits, folders: Sequence[Path] = ()) -> Iterator[FastAPI]:
    """Give the studio, ready to be served; its files are gone afterwards.

    Parameters
    ----------
    folders : of trained models, to be offered beside those that are shipped.

    Raises
    ------
    ModelError
        If a folder is no checkpoint.
    """
    before = os.environ.get(_FOLDER)
    with Visitors.opened() as visitors:
        os.environ[_FOLDER] = str(visitors.root)
        try:
            yield _application(StudioSettings(visitors, limits, folders))
        finally:
            del os.environ[_FOLDER]
            if before is not None:
                os.environ[_FOLDER] = before


def page(settings: StudioSettings) -> gradio.Blocks:
    """Build the page."""
    visitors = settings.visitors
    blocks: gradio.Blocks
    with gradio.Blocks(title="Ictus studio", analytics_enabled=False, fill_width=True) as blocks:
        gradio.HTML(_HEAD)
        with gradio.Tabs(elem_classes="arts"):
            for name, build in (("Conduct", CONDUCT.build), ("Dance", DANCE.build), ("Sound", sound.build)):
                with gradio.Tab(name):
                    build(settings)

        def enter(request: gradio.Request) -> None:
            if cookie := cookie_behind(request):
                visitors.enter(cookie, str(request.session_hash))

        def leave(request: gradio.Request) -> None:
            if cookie := cookie_behind(request):
                visitors.leave(cookie, str(request.session_hash))

        blocks.load(enter, api_visibility="private", show_progress="hidden")
        blocks.unload(leave)
    blocks.queue(max_size=settings.limits.waiting, api_open=False)
    return blocks


def _application(settings: StudioSettings) -> FastAPI:
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

    app = FastAPI(
        lifespan=sweeping,
        middleware=[Middleware(Guard, visitors=settings.visitors)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    add_results(app, settings.visitors)
    mounted: FastAPI = gradio.mount_gradio_app(
        app,
        page(settings),
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
