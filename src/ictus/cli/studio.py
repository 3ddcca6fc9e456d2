"""`ictus studio`: all of it as a page in the browser."""

import logging
import socket
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import tyro

from ictus.cli.console import say
from ictus.cli.options import Range, command
from ictus.errors import UsageError


@command
def run(
    port: Annotated[int, Range(1, 65535)] = 7860,
    host: str = "127.0.0.1",
    limit: Annotated[float, tyro.conf.arg(metavar="MINUTES")] = 10.0,
    size: Annotated[int, Range(1, 100_000), tyro.conf.arg(metavar="MEGABYTES")] = 200,
    model: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction, tyro.conf.arg(aliases=["-m"], metavar="FOLDER")] = (),
) -> int:
    """Open the studio: conduct, dance and play in the browser.

    Args:
        port: Where the page is.
        host: Who may see it: 127.0.0.1 is this machine alone, 0.0.0.0 everybody who can reach it.
        limit: Minutes of music, or of a performance, that are taken.
        size: Megabytes of a file that are taken; a visitor may have sent four times as much.
        model: The folder of a trained model, to be offered as well; may be given several times.
    """
    if find_spec("gradio") is None:
        raise UsageError('the studio needs Gradio, which is not installed; run: pip install "ictus[studio]"')
    from ictus.studio.limits import Limits

    limits = Limits(limit, size)
    with _listening(host, port) as door:
        say(f"opening the studio at http://{f'[{host}]' if ':' in host else host}:{port}")  # what follows takes seconds
        import uvicorn

        from ictus.studio.app import studio

        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        with studio(limits, model, host) as app, suppress(KeyboardInterrupt):
            say("the studio is open; Ctrl+C closes it, and removes all files of its visitors")
            config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=2)
            uvicorn.Server(config).run(sockets=[door])
    return 0


def _listening(host: str, port: int) -> socket.socket:
    """Take the address, so that whoever opens the page early has to wait only. Raises UsageError if that fails."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise UsageError(
            f"--host {host} --port {port}: {str(error.strerror).partition(' (')[0]}; choose another"
        ) from error
