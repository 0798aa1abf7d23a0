"""One request cycle: the answer to a request is made and written to its connection."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol, TypeAlias

from expediter.api.request import Response
from expediter.embedded.web.http1.request_head import RequestHead

_log = logging.getLogger("expediter.http")

STATUS_LINES = {it.value: f"HTTP/1.1 {it.value} {it.phrase}\r\n".encode() for it in HTTPStatus}
#: Asks a client that waits to send its body (RFC 9110 10.1.1).
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
#: The answer when no other one can be made.
BROKEN = STATUS_LINES[500] + b"content-length: 0\r\nconnection: close\r\n\r\n"
#: The end of an answer in chunks.
LAST_CHUNK = b"0\r\n\r\n"
#: On every answer: browsers must not guess its type.
_ALWAYS = "x-content-type-options: nosniff\r\n"
#: On every answer without a Cache-Control of its own: caches must not store it.
_FRESH = f"{_ALWAYS}cache-control: no-store\r\n"


class Stream(NamedTuple):
    """An answer without an end: its body is what ``events`` yields. Its ``headers`` hold Cache-Control."""

    headers: tuple[tuple[str, str], ...]
    events: AsyncGenerator[bytes]


#: The answer of an application, now or later.
Answer: TypeAlias = "Response | asyncio.Future[Response] | asyncio.Future[Response | Stream]"


class Application(Protocol):
    """Answers whole requests."""

    #: The paths on which websockets are taken; elsewhere their handshake is an ordinary request.
    sockets: frozenset[str]

    def answer(self, head: RequestHead, body: bytes, /) -> Answer: ...

    def lines(self, head: RequestHead, /) -> bytes:
        """The header lines of whatever is answered to this request."""

    def refusal(self, error: BaseException, /) -> Response:
        """The answer to a request that ended in this error."""


class Connection(Protocol):
    """What a request cycle needs of its connection."""

    transport: asyncio.Transport
    #: The tasks of answers. Before it stops, the server waits for them and then cancels them.
    tasks: set[asyncio.Future[Any]]
    #: Whether the client has left too much of the answers unread.
    full: bool

    def always(self) -> bytes:
        """The lines that every answer's head begins with."""

    async def drained(self) -> None:
        """Returns once it is not ``full``, or the client is gone."""

    def refused(self) -> None:
        """This answer is 429: the caller asks for too much."""

    def answered(self, *, keep_alive: bool) -> None:
        """This answer has ended."""


class RequestCycle:
    """``keep_alive``: the connection stays open after the answer. ``begun``: part of the answer was written."""

    __slots__ = ("_app", "_connection", "_head", "_over", "_stream", "_streams", "begun", "gone", "keep_alive")

    def __init__(self, connection: Connection, app: Application, head: RequestHead) -> None:
        self._connection = connection
        self._app = app
        self._head = head
        self.keep_alive = head.keep_alive
        self.begun = self._over = False
        #: Whether the client went away before the answer was whole.
        self.gone = False
        #: Whether the answer may be a stream, and the stream that is the answer.
        self._streams = True
        self._stream: asyncio.Task[None] | None = None

    def run(self, body: bytes) -> None:
        """Gets the answer from the application and writes it."""
        try:
            answer = self._app.answer(self._head, body)
            if isinstance(answer, Response):
                self._respond(answer)
            else:
                self._wait_for(answer)
        except Exception as error:  # noqa: BLE001  # other connections go on after any error
            self._fail(error)

    def leave(self) -> None:
        """The client has gone away."""
        self.gone = True
        self.end_stream()

    def end_stream(self) -> None:
        """The client sends nothing more. It still gets an answer, but no endless stream."""
        self._streams = False
        if self._stream:
            self._stream.cancel()

    def _wait_for(self, future: asyncio.Future[Any]) -> None:
        self._connection.tasks.add(future)
        future.add_done_callback(self._done)

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._connection.tasks.discard(future)
        if future.cancelled():  # the server has waited long enough for its stop, or the client sends nothing more
            self._break_off()
            return
        try:
            self._take(future)
        except Exception as error:  # noqa: BLE001  # as in run()
            self._fail(error)

    def _take(self, future: asyncio.Future[Response | Stream | None]) -> None:
        error = future.exception()
        answer = future.result() if error is None else None if self.begun else self._app.refusal(error)
        if isinstance(answer, Response):
            self._respond(answer)
        elif isinstance(answer, Stream):
            self._stream = asyncio.create_task(self._follow(answer), name="stream")
            self._wait_for(self._stream)
            if not self._streams:
                self._stream.cancel()
        elif error:
            self._fail(error)
        else:
            self._end()

    def _respond(self, response: Response) -> None:
        connection = self._connection
        if self.gone:
            return
        if response.status == 429:
            connection.refused()
        if connection.full:
            self._wait_for(asyncio.create_task(self._once_there_is_room(response)))
            return
        head = head_of(response) + ("\r\n" if self.keep_alive else "connection: close\r\n\r\n")
        body = b"" if self._head.method == "HEAD" else response.body
        always = connection.always() + self._app.lines(self._head)
        connection.transport.write(STATUS_LINES[response.status] + always + head.encode() + body)
        self._end()

    async def _once_there_is_room(self, response: Response) -> Response:
        await self._connection.drained()
        return response

    async def _follow(self, stream: Stream) -> None:
        """Writes the stream as it comes, and only its head for HEAD. A client of HTTP/1.0 knows no chunks."""
        connection, chunked = self._connection, not self._head.http10
        async with aclosing(stream.events) as events:
            always = connection.always() + self._app.lines(self._head)
            connection.transport.write(stream_head(stream, always, chunked=chunked, keep_alive=self.keep_alive))
            self.begun = True
            if self._head.method == "HEAD":
                return
            async for event in events:
                connection.transport.write(chunk(event) if chunked else event)
                if connection.full:
                    await connection.drained()
        if chunked and not self.gone:
            connection.transport.write(LAST_CHUNK)

    def _end(self) -> None:
        """The whole answer was written."""
        self._over = True
        self._connection.answered(keep_alive=self.keep_alive)

    def _break_off(self) -> None:
        """Closes the connection, so that the client sees that its answer is not whole."""
        if self._over or self.gone:
            return
        if not self.begun:
            self._connection.transport.write(BROKEN)
        self.keep_alive = False
        self._end()

    def _fail(self, error: BaseException) -> None:
        """Ends this request with an error. The server goes on."""
        _log.error("a request ended in an unexpected error", exc_info=error)
        self._break_off()


# --- the bytes of answers ---------------------------------------------------------------------------------------


def head_of(response: Response) -> str:
    """The header lines of an answer.

    Raises ValueError for a line break in a value: what comes after it would be another header.
    """
    head = _fields(response.headers)
    return head if response.status == 204 else f"{head}content-length: {len(response.body)}\r\n"


def stream_head(stream: Stream, always: bytes, *, chunked: bool, keep_alive: bool) -> bytes:
    """The whole head of an answer in chunks. Raises ValueError as ``head_of``."""
    framing = "transfer-encoding: chunked\r\n" if chunked else ""
    closing = "" if keep_alive else "connection: close\r\n"
    return STATUS_LINES[200] + always + f"{_fields(stream.headers)}{framing}{closing}\r\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_answer(response: Response) -> bytes:
    """The last answer on a connection."""
    return STATUS_LINES[response.status] + f"{head_of(response)}connection: close\r\n\r\n".encode() + response.body


def _fields(headers: tuple[tuple[str, str], ...]) -> str:
    fields, always = "", _FRESH
    for name, value in headers:
        if "\n" in value or "\r" in value:
            raise ValueError("a header holds a line break")
        if name == "Cache-Control":
            always = _ALWAYS
        fields += f"{name.lower()}: {value}\r\n"
    return always + fields
