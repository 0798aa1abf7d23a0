"""One request cycle: the answer to a request is made and written to its connection."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol, TypeAlias

from expediter.api.request import Headers, Response
from expediter.embedded.web.http1.request_head import RequestHead

_log = logging.getLogger("expediter.http")

STATUS_LINES = {it.value: f"HTTP/1.1 {it.value} {it.phrase}\r\n".encode() for it in HTTPStatus}
#: Asks a client that waits to send its body (RFC 9110 10.1.1).
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
#: The answer when no other one can be made.
BROKEN = Response(500)
#: The end of an answer in chunks.
LAST_CHUNK = b"0\r\n\r\n"
#: On every answer: browsers must not guess its type.
_ALWAYS = "x-content-type-options: nosniff\r\n"
#: On every answer without a Cache-Control of its own: caches must not store it.
_FRESH = f"{_ALWAYS}cache-control: no-store\r\n"


#: Names and values of header lines.
Lines: TypeAlias = tuple[tuple[str, str], ...]


class Stream(NamedTuple):
    """An answer without an end: its body is what ``events`` yields. Its ``headers`` hold Cache-Control."""

    headers: Lines
    events: AsyncGenerator[bytes]


#: The answer of an application, now or later.
Answer: TypeAlias = "Response | asyncio.Future[Response] | asyncio.Future[Response | Stream]"


class Application(Protocol):
    """Answers whole requests."""

    #: The paths on which websockets are taken; elsewhere their handshake is an ordinary request.
    sockets: frozenset[str]

    def answer(self, head: RequestHead, body: bytes, /) -> Answer: ...

    def lines(self, peer: str, headers: Headers, /) -> Lines:
        """The header lines of whatever is answered to a request with these headers."""

    def refusal(self, error: BaseException, /) -> Response:
        """The answer to a request that ended in this error."""

    def seconds_to_wait(self, head: RequestHead, /) -> float:
        """Counts a request that is answered 429. Returns the seconds after which its answer is sent."""


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

    def refused(self, *, later: bool) -> None:
        """This answer is 429: the caller asks for too much. ``later``: it is sent after a while."""

    def answered(self, *, keep_alive: bool) -> None:
        """This answer has ended."""


class RequestCycle:
    """``keep_alive``: the connection stays open after the answer. ``begun``: part of the answer was written."""

    __slots__ = (
        "_app",
        "_connection",
        "_over",
        "_refusal",
        "_stream",
        "_streams",
        "_timer",
        "begun",
        "gone",
        "head",
        "keep_alive",
    )

    def __init__(self, connection: Connection, app: Application, head: RequestHead) -> None:
        self._connection = connection
        self._app = app
        self.head = head
        self.keep_alive = head.keep_alive
        self.begun = self._over = False
        #: Whether the client went away before the answer was whole.
        self.gone = False
        #: Whether the answer may be a stream, and the stream that is the answer.
        self._streams = True
        self._stream: asyncio.Task[None] | None = None
        #: The answer of 429 that is sent later, and what sends it then.
        self._refusal: Response | None = None
        self._timer: asyncio.TimerHandle | None = None

    def run(self, body: bytes) -> None:
        """Gets the answer from the application and writes it."""
        try:
            answer = self._app.answer(self.head, body)
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
        """The client sends nothing more. It still gets an answer, but no endless stream. A refusal is sent at once,
        because the client may have gone away.
        """
        self._streams = False
        self.hurry()
        if self._stream:
            self._stream.cancel()

    def hurry(self) -> None:
        """A refusal that waits is sent at once."""
        timer, self._timer = self._timer, None
        if timer and self._refusal:
            timer.cancel()
            self._write(self._refusal)

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
        if connection.full:
            self._wait_for(asyncio.create_task(self._once_there_is_room(response)))
        elif response.status == 429:
            self._refuse(response)
        else:
            self._write(response)

    def _refuse(self, response: Response) -> None:
        """Sends an answer of 429, now or later. Until then nothing more is read on this connection."""
        seconds = self._app.seconds_to_wait(self.head)
        later = seconds > 0 and self._streams
        self._connection.refused(later=later)
        if later:
            self._refusal = response
            self._timer = asyncio.get_running_loop().call_later(seconds, self.hurry)
        else:
            self._write(response)

    def _write(self, response: Response) -> None:
        if self.gone:
            return
        connection, head = self._connection, self.head
        lines = head_of(response, self._app.lines(head.peer, head.headers))
        lines += "\r\n" if self.keep_alive else "connection: close\r\n\r\n"
        body = b"" if head.method == "HEAD" else response.body
        connection.transport.write(STATUS_LINES[response.status] + connection.always() + lines.encode() + body)
        self._end()

    async def _once_there_is_room(self, response: Response) -> Response:
        await self._connection.drained()
        return response

    async def _follow(self, stream: Stream) -> None:
        """Writes the stream as it comes, and only its head for HEAD. A client of HTTP/1.0 knows no chunks."""
        connection, head = self._connection, self.head
        chunked = not head.http10
        async with aclosing(stream.events) as events:
            lines = self._app.lines(head.peer, head.headers)
            opening = stream_head(stream, lines, chunked=chunked, keep_alive=self.keep_alive)
            connection.transport.write(STATUS_LINES[200] + connection.always() + opening)
            self.begun = True
            if head.method == "HEAD":
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
            self._connection.transport.write(last_answer(BROKEN, self._app.lines(self.head.peer, self.head.headers)))
        self.keep_alive = False
        self._end()

    def _fail(self, error: BaseException) -> None:
        """Ends this request with an error. The server goes on."""
        _log.error("a request ended in an unexpected error", exc_info=error)
        self._break_off()


# --- the bytes of answers ---------------------------------------------------------------------------------------


def head_of(response: Response, more: Lines = ()) -> str:
    """The header lines of an answer, its own and ``more``.

    Raises ValueError for a line break in a value: what comes after it would be another header.
    """
    head = _fields(response.headers + more)
    return head if response.status == 204 else f"{head}content-length: {len(response.body)}\r\n"


def stream_head(stream: Stream, more: Lines, *, chunked: bool, keep_alive: bool) -> bytes:
    """The header lines of an answer in chunks, and the empty line. Raises ValueError as ``head_of``."""
    framing = "transfer-encoding: chunked\r\n" if chunked else ""
    closing = "" if keep_alive else "connection: close\r\n"
    return f"{_fields(stream.headers + more)}{framing}{closing}\r\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_answer(response: Response, more: Lines) -> bytes:
    """The last answer on a connection, with ``more`` header lines."""
    head = f"{head_of(response, more)}connection: close\r\n\r\n"
    return STATUS_LINES[response.status] + head.encode() + response.body


def _fields(headers: Lines) -> str:
    fields, always = "", _FRESH
    for name, value in headers:
        if "\n" in value or "\r" in value:
            raise ValueError("a header holds a line break")
        if name == "Cache-Control":
            always = _ALWAYS
        fields += f"{name.lower()}: {value}\r\n"
    return always + fields
