"""What visitors send, counted while it comes in: nobody fills the disk, or the memory, of the machine."""

import shutil
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException

from ictus.studio.limits import Limits
from ictus.studio.visitors import RefusedError, Visitor

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

FILES = 4  # of a request
_MOST = 100  # files of a visitor
_FREE = 1 << 30  # bytes of the disk that stay free


class Upload:
    """A request that sends files, as it is received.

    What is too much is refused by the exception that Gradio's own parser raises: Gradio then removes what it has laid
    down of the request, and answers 413 for what exceeds the "maximum allowed size", 400 for all else.

    Raises
    ------
    RefusedError
        If there is no room for files now.
    """

    def __init__(self, visitor: Visitor, limits: Limits, root: Path, scope: Message, receive: Receive) -> None:
        if shutil.disk_usage(root).free < _FREE + (limits.visitor_megabytes << 20):
            raise RefusedError("There is no room for files now; come again later.", 507)
        if len(visitor.uploads) >= _MOST:
            raise RefusedError(f"You have sent {_MOST} files; {limits.CURE}.", 413)
        self._visitor, self._limits, self._receive = visitor, limits, receive
        self._size = self._files = 0
        self._header = self._disposition = b""
        _, options = parse_options_header(Headers(scope=scope).get("content-type"))
        self._parser = MultipartParser(
            options.get(b"boundary", b"-"),  # without one, Gradio reads nothing
            {
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
            },
        )

    async def receive(self) -> Message:
        """Receive the next part of the body. Raises MultiPartException if it is too much, or has broken off."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise MultiPartException("broken off")
        body = message.get("body", b"")
        self._size += len(body)
        self._visitor.sending += len(body)
        if self._visitor.held() > self._limits.visitor_megabytes << 20:
            most = f"maximum allowed size of {self._limits.visitor_megabytes} MB"
            raise MultiPartException(f"All your files together exceed the {most}; {self._limits.CURE}.")
        self._parser.write(body)
        return message

    def close(self) -> None:
        """Stop counting what came as on its way."""
        self._visitor.sending -= self._size

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition += data[start:end]

    def _on_header_end(self) -> None:
        self._header = b""

    def _on_headers_finished(self) -> None:
        """Count a file; what is none would be held in memory, however long."""
        if b"filename" not in parse_options_header(self._disposition)[1]:
            raise MultiPartException("only files are taken")
        self._disposition = b""
        self._files += 1
        if self._files > FILES:
            raise MultiPartException(f"Send at most {FILES} files at a time.")
