"""The door of the studio: who may ask for what. It stands before Gradio, whose file route knows no visitors.

Gradio gives any file that was ever sent or shown to whoever knows its address, made from its content rather than from
who sent it; and fetches what a request names by an address in the net. Here every file has an owner, files are asked
for by those who sent them, and only what the page itself uses is open.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ictus.studio.visitors import Visitors

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

COOKIE = "ictus_visitor"
_API = "/gradio_api/"
_FILE = _API + "file="
_OPEN = re.compile(r"(upload|upload_progress|queue/(join|data)|heartbeat/\w+|info|app_id|startup-events|theme\.css)/?")
_MOST = 1 << 20  # bytes of a message that is no file
_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: App, visitors: Visitors) -> None:
        self.app, self.visitors = app, visitors

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it: 403 for what is not theirs, 404 for what is not open."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, cookie = unquote(scope["path"]), cookie_of(scope)
        if path.startswith(_API):
            if path.startswith(_FILE):
                refused = 0 if cookie and self.visitors.may_read(cookie, path.removeprefix(_FILE)) else 403
            else:
                refused = 0 if _OPEN.fullmatch(path.removeprefix(_API)) else 404
            if not refused and path.startswith((_API + "upload", _API + "queue")) and not cookie:
                refused = 403
            if not refused and path.startswith(_API + "queue/join"):
                body = await _whole(receive)
                if body is None or not all(self.visitors.may_read(str(cookie), named) for named in _files(body)):
                    refused = 403
                receive = _again(body or b"", receive)
            if refused:
                await _answer(send, refused)
                return
        if path == _API + "upload" and cookie:
            send = self._noting(cookie, send)
        await self.app(scope, receive, _dressed(send, None if cookie else scope))

    def _noting(self, cookie: str, send: Send) -> Send:
        """Note the files of an upload, as the answer to it names them, before the answer goes out."""
        parts: list[bytes] = []

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    visitor = self.visitors.of(cookie)
                    visitor.uploads |= {Path(name).resolve() for name in _listed(b"".join(parts))}
            await send(message)

        return noting


def cookie_of(scope: Message) -> str | None:
    """Return the visitor's cookie, or None if there is none that the studio could have given."""
    jar: SimpleCookie = SimpleCookie()
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                jar.load(value.decode("latin-1"))
            except CookieError:
                continue
    found = jar[COOKIE].value if COOKIE in jar else ""
    return found if re.fullmatch(r"[\w-]{43}", found) else None


def _dressed(send: Send, newcomer: Message | None) -> Send:
    """Add the headers of all answers, and to whoever opens the page for the first time a cookie."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            had = {name.lower() for name, _ in message["headers"]}
            extra = [header for header in _HEADERS if header[0] not in had]
            if newcomer is not None and newcomer["path"] == "/":
                given = f"{COOKIE}={secrets.token_urlsafe(32)}; Path=/; HttpOnly; SameSite=Strict"
                extra.append((b"set-cookie", given.encode()))
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return dressed


async def _whole(receive: Receive) -> bytes | None:
    """Read a request's body; None if it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MOST:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that has been read once more, then whatever comes."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def _files(body: bytes) -> Iterator[str]:
    """Yield every file that a message names, wherever in it; "" (which is nobody's) if it cannot be read."""
    try:
        waiting = [json.loads(body)]
    except (ValueError, RecursionError):
        yield ""
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "path" in value:
                yield str(value["path"])
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _listed(answer: bytes) -> list[str]:
    try:
        found = json.loads(answer)
    except ValueError:
        return []
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


async def _answer(send: Send, status: int) -> None:
    text = b"not yours, or not there\n"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
