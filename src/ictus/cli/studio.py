"""`ictus studio`: all of it as a page in the browser."""

import logging
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import tyro

from ictus.cli.console import say
from ictus.errors import UsageError


def run(
    port: int = 7860,
    host: str = "127.0.0.1",
    limit: Annotated[float, tyro.conf.arg(metavar="MINUTES")] = 10.0,
    size: Annotated[int, tyro.conf.arg(metavar="MEGABYTES")] = 200,
    model: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction, tyro.conf.arg(aliases=["-m"], metavar="FOLDER")] = (),
) -> int:
    """Open the studio: conduct, dance and play in the browser.

    Args:
        port: Where the page is.
        host: Who may see it: 127.0.0.1 is this machine alone, 0.0.0.0 everybody who can reach it.
        limit: Minutes of music, or of a performance, that are taken.
        size: Megabytes of a file that are taken.
        model: The folder of a trained model, to be offered as well; may be given several times.
    """
    if find_spec("gradio") is None:
        raise UsageError('the studio needs Gradio, which is not installed; run: pip install "ictus[studio]"')
    import uvicorn

    from ictus.studio.app import studio
    from ictus.studio.limits import Limits

    if not 0 < port < 65536:
        raise UsageError(f"--port {port}: choose between 1 and 65535")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # files are removed on the way out
    with studio(Limits(limit, size), model) as app:
        say(f"the studio is open at http://{host}:{port}; Ctrl+C closes it, and removes all files of its visitors")
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    return 0
