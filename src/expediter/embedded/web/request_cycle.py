"""One request whose turn it is on its connection, and its answer on the way out."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Protocol

from expediter.api.request import Response
from expediter.embedded.web.asgi import Answer, Asked, head_of

STATUS_LINES = {it.value: f"HTTP/1.1 {it.value} {it.phrase}\r\n".encode() for it in HTTPStatus}
_BROKEN = STATUS_LINES[500] + b"content-length: 0\r\nconnection: close\r\n\r\n"
_log = logging.getLogger("expediter.http")


class Line(Protocol):
    """What a turn needs of its connection."""

    #: What answers wait for: the server does not stop before it is done, or cancelled by the server.
    tasks: set[asyncio.Future[Any]]
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

    def answer(self, asked: Asked, body: bytes) -> Answer: ...

    def refusal(self, error: BaseException, /) -> Response:
        """The answer to who was to be told this error."""


class Turn:
    """A request and its answer. ``keep_alive``: the connection goes on after it."""

    __slots__ = ("begun", "gone", "keep_alive", "line", "over")

    def __init__(self, line: Line, *, keep_alive: bool) -> None:
        self.line = line
        self.keep_alive = keep_alive
        #: Whether some of the answer was written, and all of it.
        self.begun = self.over = False
        #: Whether the client went away before that.
        self.gone = False

    def run(self) -> None:
        """Has the request answered."""
        raise NotImplementedError

    def wait_for(self, task: asyncio.Future[Any]) -> None:
        """``take`` gets it once it is done."""
        self.line.tasks.add(task)
        task.add_done_callback(self._done)

    def take(self, task: asyncio.Future[Any]) -> None:
        """What was waited for is done."""
        raise NotImplementedError

    def leave(self) -> None:
        """The client is gone."""
        self.gone = True

    def end(self) -> None:
        """The whole answer was written."""
        self.over = True
        self.line.ended(self)

    def break_off(self) -> None:
        """Who has no whole answer sees that there will be none, because the connection ends too."""
        if self.over or self.gone:
            return
        if not self.begun:
            self.line.write(_BROKEN)
        self.keep_alive = False
        self.end()

    def fail(self, error: Exception) -> None:
        """Only this request ends by it."""
        _log.error("a request ended in an error that nobody foresaw", exc_info=error)
        self.break_off()

    def _done(self, task: asyncio.Future[Any]) -> None:
        self.line.tasks.discard(task)
        if task.cancelled():  # the server stops, and waited long enough
            self.break_off()
            return
        try:
            self.take(task)
        except Exception as error:  # noqa: BLE001  # whatever it is, the others' answers go on
            self.fail(error)


class DoorTurn(Turn):
    """A whole request to a door."""

    __slots__ = ("_asked", "_body", "_door")

    def __init__(self, line: Line, door: Door, asked: Asked, body: bytes, *, keep_alive: bool) -> None:
        super().__init__(line, keep_alive=keep_alive)
        self._door = door
        self._asked = asked
        self._body = body

    def run(self) -> None:
        try:
            answer = self._door.answer(self._asked, self._body)
            if isinstance(answer, Response):
                self._say(answer)
            else:
                self.wait_for(answer)
        except Exception as error:  # noqa: BLE001  # whatever it is, what else was read is answered
            self.fail(error)

    def take(self, task: asyncio.Future[Response]) -> None:
        error = task.exception()
        self._say(task.result() if error is None else self._door.refusal(error))

    def _say(self, response: Response) -> None:
        line = self.line
        if self.gone:
            return
        if line.full:
            self.wait_for(asyncio.create_task(self._once_there_is_room(response)))
            return
        head = head_of(response) + ("\r\n" if self.keep_alive else "connection: close\r\n\r\n")
        body = b"" if self._asked.method == "HEAD" else response.body
        line.write(STATUS_LINES[response.status] + line.always() + head.encode() + body)
        self.end()

    async def _once_there_is_room(self, response: Response) -> Response:
        await self.line.drained()
        return response
