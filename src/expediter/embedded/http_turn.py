"""One request whose turn it is on its connection, and its answer on the way out."""

import asyncio
import logging
from http import HTTPStatus
from typing import Protocol

from expediter.doors.request import Response
from expediter.embedded.exchange import Asked, Body, head_of

STATUS_LINES = {it.value: f"HTTP/1.1 {it.value} {it.phrase}\r\n".encode() for it in HTTPStatus}
_BROKEN = STATUS_LINES[500] + b"content-length: 0\r\nconnection: close\r\n\r\n"
_log = logging.getLogger("expediter.http")


class Line(Protocol):
    """What a turn needs of its connection."""

    tasks: set[asyncio.Task[None]]
    #: Whether the client leaves too much unread of what was written.
    full: bool

    def always(self) -> bytes:
        """The lines that every answer's head begins with."""

    def write(self, data: bytes) -> None: ...

    async def drained(self) -> None:
        """Returns once it is not ``full``, or the client is gone."""

    def read_on(self) -> None:
        """There is room for more of what the client sends."""

    def ended(self, turn: "Turn", /) -> None:
        """There will be no more of this answer."""


class Door(Protocol):
    """Answers whole requests, each with one answer."""

    def answers(self, path: str) -> bool: ...

    async def answer(self, asked: Asked, body: Body) -> Response: ...


class Turn:
    """A request and its answer. ``keep_alive``: the connection goes on after it."""

    __slots__ = ("begun", "gone", "keep_alive", "line", "over", "task")

    def __init__(self, line: Line, *, keep_alive: bool) -> None:
        self.line = line
        self.keep_alive = keep_alive
        #: Whether some of the answer was written, and all of it.
        self.begun = self.over = False
        #: Whether the client went away before that.
        self.gone = False
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Answers the request."""
        try:
            await self.respond()
        except Exception as error:  # noqa: BLE001  # whatever it is, only this request ends by it
            _log.error("a request ended in an error that nobody foresaw", exc_info=error)
        finally:
            if not self.over and not self.gone:
                self._break_off()
            self.line.tasks.discard(self.task)

    async def respond(self) -> None:
        raise NotImplementedError

    def leave(self) -> None:
        """The client is gone."""
        self.gone = True

    def end(self) -> None:
        """The whole answer was written."""
        self.over = True
        self.line.ended(self)

    def _break_off(self) -> None:
        """Who asked sees that this is no whole answer, because the connection ends too."""
        if not self.begun:
            self.line.write(_BROKEN)
        self.keep_alive = False
        self.end()


class DoorTurn(Turn):
    """A whole request to a door."""

    __slots__ = ("_asked", "_body", "_door")

    def __init__(self, line: Line, door: Door, asked: Asked, body: bytes, *, keep_alive: bool) -> None:
        super().__init__(line, keep_alive=keep_alive)
        self._door = door
        self._asked = asked
        self._body = body

    async def respond(self) -> None:
        response = await self._door.answer(self._asked, self._body)
        line = self.line
        if line.full:
            await line.drained()
        if self.gone:
            return
        head = head_of(response) + ("\r\n" if self.keep_alive else "connection: close\r\n\r\n")
        body = b"" if self._asked.method == "HEAD" else response.body
        line.write(STATUS_LINES[response.status] + line.always() + head.encode() + body)
        self.end()
