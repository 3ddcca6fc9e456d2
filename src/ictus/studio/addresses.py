"""Under which address the studio answers, and whom.

A page elsewhere may give its own name the address of this machine, and would then read the studio as if it were its own
(DNS rebinding): a request has to name this machine. And what changes anything has to come from the studio's own page.
"""

import re
import socket
from collections.abc import MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ictus.studio.visitors import RefusedError

_HERE = ("127.0.0.1", "localhost", "::1")
_EVERYWHERE = ("0.0.0.0", "::")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:\d+)?", re.ASCII | re.IGNORECASE)


def check_address(scope: MutableMapping[str, Any], host: str) -> None:
    """Raise RefusedError unless a request names this machine, and comes from the studio's page or from no page.

    Parameters
    ----------
    host : where the studio was asked to listen.
    """
    named = _all(scope, b"host")
    found = _HOST.fullmatch(named[0]) if len(named) == 1 else None
    if found is None or not _is_here(found[1].lower().strip("[]"), host.lower()):
        raise RefusedError("The studio does not answer under this name.", 421)
    if scope.get("method") in ("GET", "HEAD"):
        return
    sites, origins = _all(scope, b"sec-fetch-site"), _all(scope, b"origin")
    if sites != ["same-origin"] if sites else any(urlsplit(one).netloc != named[0] for one in origins):
        raise RefusedError("This comes from a page that is not the studio's.", 403)


def _is_here(name: str, host: str) -> bool:
    """Whether a name is this machine's; where the studio listens everywhere, so is every number, and its own name."""
    if name in (*_HERE, host):
        return True
    own = socket.gethostname().lower()
    return host in _EVERYWHERE and (name in (own, f"{own}.local") or _is_number(name))


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _all(scope: MutableMapping[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
