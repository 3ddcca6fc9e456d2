"""The door of the studio: who may ask for what. It stands before Gradio, whose file route knows no visitors.

Gradio gives any file that was ever sent or shown to whoever knows its address, made from its content rather than from
who sent it; and fetches what a request names by an address in the net. Here every file has an owner, files are asked
for by those who sent them, and only what the page itself uses is open.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from ictus.studio.addresses import check_address
from ictus.studio.limits import Limits
from ictus.studio.uploads import Message, Receive, Upload
from ictus.studio.visitors import RefusedError, Visitor, Visitors

Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Channels = tuple[Receive, Send]

COOKIE = "ictus_visitor"
_COOKIES = re.compile(rf"(?:^|;)\s*{COOKIE}=([0-9a-f]+)(?=\s*(?:;|$))")
_API = "/gradio_api/"
_FILE = _API + "file="
_OPEN = ("info", "app_id", "startup-events", "theme.css")  # what says nothing of anybody
_HEART = re.compile(r"heartbeat/(\w+)")
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
    """An ASGI application around another.

    Parameters
    ----------
    host : where the studio was asked to listen.
    costly : the numbers of the page's functions of which a visitor may ask for one at a time.
    """

    def __init__(self, app: App, visitors: Visitors, limits: Limits, host: str, costly: Collection[int]) -> None:
        self.app, self.visitors, self.limits, self.host, self.costly = app, visitors, limits, host, costly

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it: 403 for what is not theirs, 404 for what is not open, 429 for too much."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # the page opens no WebSocket
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        cookie = cookie_of(scope, self.visitors)
        newcomer = self.visitors.issue() if cookie is None and scope["path"] == "/" else None
        try:
            check_address(scope, self.host)
            async with self._admitted(scope, cookie, receive, send) as (receiving, sending):
                await self.app(scope, receiving, _dressed(sending, newcomer))
        except RefusedError as refused:
            await _answer(scope, send, refused)

    def _admitted(
        self, scope: Message, cookie: str | None, receive: Receive, send: Send
    ) -> AbstractAsyncContextManager[Channels]:
        """Return how a request is received and answered. Raises RefusedError, now or when that is entered."""
        path = unquote(scope["path"])
        call = path.removeprefix(_API)
        if call == path or call in _OPEN:
            return nullcontext((receive, send))
        if path.startswith(_FILE):
            if not (cookie and self.visitors.may_read(cookie, path.removeprefix(_FILE))):
                raise RefusedError("This file is not yours.", 403)
            return nullcontext((receive, send))
        heart = _HEART.fullmatch(call)
        if not heart and call not in ("upload", "upload_progress", "queue/join", "queue/data"):
            raise RefusedError("There is nothing here.", 404)
        if cookie is None:
            raise RefusedError("Please let this page set its cookie, and load it again.", 403)
        if call == "upload":
            return self.uploading(cookie, scope, receive, send)
        if call == "queue/join":
            return self.joining(cookie, receive, send)
        if call == "queue/data":
            return self.listening(cookie, scope, receive, send)
        return self.open_tab(cookie, heart[1], receive, send) if heart else nullcontext((receive, send))

    @asynccontextmanager
    async def uploading(self, cookie: str, scope: Message, receive: Receive, send: Send) -> AsyncIterator[Channels]:
        """Count what is sent, and note whose it is."""
        visitor = self.visitors.of(cookie)
        upload = Upload(visitor, self.limits, self.visitors.root, scope, receive)
        try:
            yield upload.receive, _noting(visitor, send)
        finally:
            upload.close()

    @asynccontextmanager
    async def joining(self, cookie: str, receive: Receive, send: Send) -> AsyncIterator[Channels]:
        """Read what is asked for, of which files, and by which tab."""
        body = await _whole(receive)
        event = _parsed(body)
        tab, function = event.get("session_hash"), event.get("fn_index")
        if not (isinstance(tab, str) and type(function) is int):
            raise RefusedError("This is nothing that the page asks for.", 400)
        if not all(self.visitors.may_read(cookie, named) for named in _files(event)):
            raise RefusedError("This file is not yours, or gone; give it again.", 403)
        self.visitors.check_tab(cookie, tab)
        if function in self.costly:
            visitor = self.visitors.of(cookie)
            visitor.begin(tab)
            send = _unless_refused(visitor, send)
        yield _again(body, receive), send

    @asynccontextmanager
    async def listening(self, cookie: str, scope: Message, receive: Receive, send: Send) -> AsyncIterator[Channels]:
        """Note who waits for news of a job."""
        tab = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[-1]
        self.visitors.check_tab(cookie, tab)
        visitor = self.visitors.of(cookie)
        visitor.streams[tab] += 1
        try:
            yield receive, send
        finally:
            visitor.streams -= Counter([tab])
            if tab not in visitor.streams:  # Gradio drops what still waited
                visitor.forget_waiting(tab)

    @asynccontextmanager
    async def open_tab(self, cookie: str, tab: str, receive: Receive, send: Send) -> AsyncIterator[Channels]:
        """Note that a tab of the browser is open for as long as its heart beats."""
        self.visitors.check_tab(cookie, tab)
        self.visitors.enter(cookie, tab)
        try:
            yield receive, send
        finally:
            await asyncio.to_thread(self.visitors.leave, cookie, tab)


def cookie_of(scope: Message, visitors: Visitors) -> str | None:
    """Return the visitor's cookie, or None if there is none that the studio has given."""
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    return next((one for text in given for one in _COOKIES.findall(text) if visitors.issued(one)), None)


def _noting(visitor: Visitor, send: Send) -> Send:
    """Note the files of an upload, as the answer to it names them, before the answer goes out."""
    parts: list[bytes] = []

    async def noting(message: Message) -> None:
        if message["type"] == "http.response.body":
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                visitor.uploads |= {Path(name).resolve() for name in _listed(b"".join(parts))}
        await send(message)

    return noting


def _unless_refused(visitor: Visitor, send: Send) -> Send:
    """Forget a job that the queue does not take."""

    async def sending(message: Message) -> None:
        if message.get("status", 200) >= 400:
            visitor.job = None
        await send(message)

    return sending


def _dressed(send: Send, newcomer: str | None) -> Send:
    """Add the headers of all answers, and to whoever opens the page for the first time a cookie."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            had = {name.lower() for name, _ in message["headers"]}
            extra = [header for header in _HEADERS if header[0] not in had]
            if newcomer is not None:
                extra.append((b"set-cookie", f"{COOKIE}={newcomer}; Path=/; HttpOnly; SameSite=Strict".encode()))
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return dressed


async def _whole(receive: Receive) -> bytes:
    """Read a request's body. Raises RefusedError if it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MOST:
            raise RefusedError("This is too long.", 413)
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


def _parsed(body: bytes) -> dict[str, Any]:
    """Return what a message says; nothing if it cannot be read."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _files(event: dict[str, Any]) -> Iterator[str]:
    """Yield every file that a message names, wherever in it."""
    waiting: list[Any] = [event]
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


async def _answer(scope: Message, send: Send, refused: RefusedError) -> None:
    """Refuse in a line; the page shows that of a job if it comes as `detail`."""
    joining = scope["path"] == _API + "queue/join"
    text = (json.dumps({"detail": str(refused)}) if joining else f"{refused}\n").encode()
    kind = b"application/json" if joining else b"text/plain"
    headers = [(b"content-type", kind), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
