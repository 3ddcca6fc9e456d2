"""The addresses of what was made: `/results/NAME/SUFFIX`, for the browser that it was made for."""

import re
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response

from ictus.errors import IctusError
from ictus.render.render_options import FILM, PAGE
from ictus.studio.guard import cookie_of
from ictus.studio.visitors import ResultFiles, Visitors

_PLOT = re.compile(r"\.\d\.png")
_TYPES = {
    ".html": "text/html", ".mp4": "video/mp4", ".png": "image/png", ".wav": "audio/wav", ".flac": "audio/flac",
    ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".glb": "model/gltf-binary", ".json": "application/json",
}  # fmt: skip
_ALONE = {"content-security-policy": "sandbox allow-scripts allow-downloads"}  # a page must not act for its visitor


def add_results(app: FastAPI, visitors: Visitors) -> None:
    """Let an application answer for results: 404 for whatever is not the visitor's, as if it were not there."""

    @app.get("/results/{name}/{suffix}")
    def result(name: str, suffix: str, request: Request) -> Response:
        cookie = cookie_of(request.scope, visitors)
        visitor = visitors.find(cookie) if cookie else None
        found = visitor.results.get(name) if visitor else None
        if visitor is None or found is None:
            return PlainTextResponse("This is gone; make it again.", 404)
        if not visitor.hands.acquire(blocking=False):
            return PlainTextResponse("Too much at a time; wait for what you asked for before.", 429)
        try:
            path = _file(found, suffix)
        except (IctusError, OSError) as error:
            return PlainTextResponse(" ".join(str(error).replace(str(found.folder), "").split()), 422)
        finally:
            visitor.hands.release()
        kind = path.suffix
        return FileResponse(
            path,
            media_type=_TYPES.get(kind, "application/octet-stream"),
            filename=found.title + suffix,
            content_disposition_type="inline" if kind in (PAGE, FILM, ".png") else "attachment",
            headers={"cache-control": "no-store", **(_ALONE if kind == PAGE else {})},
        )


def _file(result: ResultFiles, suffix: str) -> Path:
    plot = result.folder / f"result{suffix}"
    return plot if _PLOT.fullmatch(suffix) and plot.exists() else result.file(suffix)
