"""One request on its way through an ASGI application, and its answer on the way out.

The answer's head goes out with the first bytes of its body, so that a short answer is one write.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Protocol, TypeAlias

from expediter.embedded.exchange import Application, Message, Scope

#: Lines of a head, their names in lower case.
Lines: TypeAlias = list[tuple[bytes, bytes]]

_STATUS = {it.value: f"HTTP/1.1 {it.value} {it.phrase}\r\n".encode() for it in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_WITHOUT_BODY = frozenset({204, 304})
_CLOSE = (b"connection", b"close")
_CHUNKED = (b"transfer-encoding", b"chunked")
_BROKEN = _STATUS[500] + b"content-length: 0\r\nconnection: close\r\n\r\n"
_log = logging.getLogger("expediter.http")


class Line(Protocol):
    """What a turn needs of its connection."""

    tasks: set[asyncio.Task[None]]
    #: Whether the client leaves too much unread of what was written.
    full: bool

    def always(self) -> Lines:
        """What every answer's head begins with."""

    def write(self, data: bytes) -> None: ...

    async def drained(self) -> None:
        """Returns once it is not ``full``, or the client is gone."""

    def read_on(self) -> None:
        """There is room for more of what the client sends."""

    def ended(self, turn: "Turn", /) -> None:
        """There will be no more of this answer."""


class Turn:
    """A request and its answer. ``expects``: the client waits for a word before it sends the body."""

    __slots__ = (
        *("_chunked", "_expects", "_gone", "_head", "_heard", "_line", "_told", "body", "keep_alive", "over"),
        *("scope", "task", "whole", "begun"),
    )

    def __init__(self, line: Line, scope: Scope, *, keep_alive: bool, expects: bool) -> None:
        self.scope = scope
        #: Whether the connection goes on after the answer.
        self.keep_alive = keep_alive
        self.task: asyncio.Task[None] | None = None
        #: What came of the body and was not taken yet; whether that is the rest, and whether the application knows.
        self.body = bytearray()
        self.whole = self._told = False
        #: Whether some of the answer was written, and all of it.
        self.begun = self.over = False
        self._line = line
        self._expects = expects
        self._gone = self._chunked = False
        self._head = b""
        self._heard: asyncio.Event | None = None

    async def run(self, app: Application) -> None:
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as error:  # noqa: BLE001  # whatever it is, only this request ends by it
            _log.error("a request ended in an error that nobody foresaw", exc_info=error)
        finally:
            if not self.over and not self._gone:
                self._break_off()
            self._line.tasks.discard(self.task)

    def hear(self, data: bytes) -> None:
        """More of the body; without anything: that was all of it."""
        if data:
            self.body += data
        else:
            self.whole = True
        if self._heard:
            self._heard.set()

    def leave(self) -> None:
        """The client is gone."""
        self._gone = True
        if self._heard:
            self._heard.set()

    # ── what the application asks for ─────────────────────────────────────────────────────────────────────────────

    async def receive(self) -> Message:
        """The body that came since, or that the client is gone (or answered)."""
        if self._expects and not self.body:
            self._line.write(_CONTINUE)
        self._expects = False
        while not (self.body or (self.whole and not self._told) or self.over or self._gone):
            self._line.read_on()
            self._heard = self._heard or asyncio.Event()
            self._heard.clear()
            await self._heard.wait()
        if self.over or self._gone:
            return {"type": "http.disconnect"}
        body, self.body, self._told = bytes(self.body), bytearray(), self.whole
        return {"type": "http.request", "body": body, "more_body": not self.whole}

    async def send(self, message: Message) -> None:
        """The start of the answer, or some of its body. Nothing is sent to who is gone."""
        line = self._line
        if line.full:
            await line.drained()
        if self._gone:
            return
        if self.over:
            raise RuntimeError("the answer was whole already")
        if message["type"] == "http.response.start":
            self._start(message["status"], message["headers"])
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if data := self._head + self._framed(body, more):
            line.write(data)
        self.begun, self._head = True, b""
        if not more:
            self.over = True
            line.ended(self)

    def _start(self, status: int, headers: Lines) -> None:
        lines = [*self._line.always(), *headers]
        names = dict(headers)
        if names.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(_CLOSE)
        if b"content-length" not in names and status not in _WITHOUT_BODY:
            # A client of HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
            self._chunked = self.scope["http_version"] != "1.0" and self.scope["method"] != "HEAD"
            lines += [_CHUNKED] * self._chunked
        head = b"".join([b"%b: %b\r\n" % line for line in lines])
        if not head.count(b"\n") == head.count(b"\r") == len(lines):
            raise ValueError("a header holds a line break")  # what comes after it would be another header
        self._head = _STATUS[status] + head + b"\r\n"

    def _framed(self, body: bytes, more: bool) -> bytes:
        if self._chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return chunk if more else chunk + b"0\r\n\r\n"
        return b"" if self.scope["method"] == "HEAD" else body

    def _break_off(self) -> None:
        """The application ended before its answer did: who asked sees that, because the connection ends too."""
        if not self.begun:
            self._line.write(_BROKEN)
        self.keep_alive, self.over = False, True
        self._line.ended(self)
