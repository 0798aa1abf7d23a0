"""HTTP/1.1 on one connection. It reads one request after the other, and answers each before it reads the next.

Rules:
 - the application gets a request when it is whole, and submits it to the writer in the same call;
 - the bytes after a request are not read until it is answered, so every accepted request is answered, whatever follows
   it;
 - anything that is not plain HTTP/1.1 is refused with an answer, and no request is read after it;
 - a client that has shut down its sending side still gets its answers.

It replaces uvicorn's own protocol (docs/decisions/0025). uvicorn still runs the server: it listens, keeps the Date
header, and stops.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from expediter.api.errors import BodyTooLarge, RequestUnparsable, problem
from expediter.domain.errors import OrderError
from expediter.embedded.web.connections import Connections, peer_of, subscriber
from expediter.embedded.web.http1.request_body import BodyReader
from expediter.embedded.web.http1.request_cycle import CONTINUE, Application, RequestCycle, last_answer
from expediter.embedded.web.http1.request_head import (
    LARGEST_HEAD,
    RequestHead,
    asks_for_websocket,
    check_handshake,
    check_part,
    largest_body,
    parse_head,
    readable_headers,
)

#: Bytes of a whole request on the wire. In chunks it is longer than its body.
LARGEST_REQUEST = 1024 * 1024
#: Bytes that are read and dropped after the last answer. If the connection were closed while the client still sends,
#: the client might not see that answer.
DISCARDED = 1024 * 1024


class HttpConnection(asyncio.Protocol):
    """One connection that brings requests, within the limits of all connections."""

    #: The bytes that came after the request under way, or the first part of a head.
    _buffer = b""
    #: The address at the other end, and the caller that it belongs to.
    peer = _caller = ""
    #: The request whose body is not yet whole.
    _head: RequestHead | None = None
    _body: BodyReader | None = None
    #: The request that is being answered.
    _cycle: RequestCycle | None = None
    #: Bytes of the request that is not whole, and bytes that were dropped.
    _received = _dropped = 0
    #: Whether there was a request, whether the last answer is written, whether the client has stopped sending.
    _used = _closing = _ended = False
    #: Whether a request waits for its turn to be read.
    waiting = False
    _reading = True
    full = False
    _always: tuple[object, bytes] = None, b""

    def __init__(
        self,
        bounds: Connections,
        app: Application,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._bounds = bounds
        self._app = app
        self._config, self._state, self._app_state = config, server_state, app_state
        self._loop = _loop or asyncio.get_running_loop()
        self.transport: asyncio.Transport
        self.tasks: set[asyncio.Future[Any]] = server_state.tasks  # type: ignore[assignment]  # waited for and cancelled
        self._room = asyncio.Event()

    # ── the connection begins and ends ────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's transport
        self.peer = peer_of(transport)
        self._caller = subscriber(self.peer)
        self._state.connections.add(self)  # type: ignore[arg-type]  # uvicorn only asks them to shut down
        self._bounds.opened(self)
        self._judge()

    def connection_lost(self, _: Exception | None) -> None:
        self._state.connections.discard(self)
        self._bounds.closed(self)
        self._forget()
        cycle, self._cycle, self._buffer = self._cycle, None, b""
        if cycle:
            cycle.leave()
        self._room.set()

    def eof_received(self) -> bool:
        """The client sends nothing more. Returns whether the connection stays open for its answers."""
        self._ended = True
        if self._cycle:
            self._cycle.end_stream()
        elif self._received and not self._closing and not self.waiting:
            self._refuse(RequestUnparsable("The request ends in its middle. Send all of it."), self._buffer)
        return self._cycle is not None or self.waiting

    def shutdown(self) -> None:
        """The server stops. The request under way is the last one."""
        if self._cycle:
            self._cycle.keep_alive = False
            self._cycle.hurry()
        else:
            self.transport.close()

    def give_up(self, error: OrderError, /) -> None:
        begun = self._cycle is not None and self._cycle.begun
        if begun or self._closing or self.transport.get_write_buffer_size():
            self.transport.abort()  # close() would wait until the client has read everything
            return
        if self._cycle or self._received or not self._used:
            self._write_last(error, self._buffer)
        self._closing = True
        self.transport.close()

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        if self._closing:
            self._discard(len(data))
        elif self._cycle or self.waiting:
            self._buffer += data
            self._stop_reading()
        else:
            held, self._buffer = self._buffer, b""
            self._read_in_turn(held + data if held else data, len(data))

    def _read_in_turn(self, data: bytes, count: int) -> None:
        """Reads ``data`` now, or when it is its caller's turn. ``count``: how many of its bytes are new."""
        if self._bounds.turns.take(self._caller):
            self._read(data, count)
            return
        self.waiting = True
        self._buffer = data
        self._stop_reading()
        self._received += count
        self._bounds.hold(self, count)
        self._bounds.turns.wait(self._caller, self)

    def turn(self) -> None:
        """It is its turn: reads what waited."""
        self.waiting = False
        data, self._buffer = self._buffer, b""
        if not self._closing and not self.transport.is_closing():
            self._bounds.owes_nothing(self)  # the time for the rest of it begins now
            self._judge()
            self._read(data, 0)

    def _read(self, data: bytes, count: int) -> None:
        """Reads the next request and begins its answer. ``count``: how many of its bytes are new."""
        try:
            whole = self._rest_of_body(data) if self._body else self._begin(data)
            if not whole:
                self._hold(count)
        except OrderError as error:
            self._refuse(error, data)

    def _begin(self, data: bytes) -> bool:
        """Reads a request from its first byte. Returns whether it is whole."""
        end = data.find(b"\r\n\r\n") + 4
        if end < 4 or end > LARGEST_HEAD:
            self._buffer = data
            check_part(data)
            return False
        head = parse_head(data[:end], self.peer)
        if "upgrade" in head.headers and head.path in self._app.sockets and asks_for_websocket(head):
            check_handshake(head, data[:end])
            self._become_websocket(head, data)
            return True
        length = head.length
        if length is None or len(data) < end + length:
            body = BodyReader(length, largest_body(head.path))
            self._head, self._body, self._buffer = head, body, b""
            if len(data) == end and not head.http10 and head.headers.get("expect", "").lower() == "100-continue":
                self.transport.write(CONTINUE)
            return self._rest_of_body(data[end:])
        self._buffer = data[end + length :]
        self._run(head, data[end : end + length])
        return True

    def _rest_of_body(self, data: bytes) -> bool:
        """Reads more of a body. Returns whether the request is whole."""
        if self._body is None or self._head is None:
            raise LookupError("no body is coming")
        rest = self._body.feed(data)
        if rest is None:
            return False
        head, body = self._head, self._body.body
        self._head, self._body, self._buffer = None, None, rest
        self._run(head, body)
        return True

    def _run(self, head: RequestHead, body: bytes) -> None:
        """Begins the answer to a whole request."""
        self._used = True
        if self._received:
            self._forget()
        if self._buffer:
            self._stop_reading()
        self._cycle = RequestCycle(self, self._app, head)
        self._bounds.owes_nothing(self)
        self._cycle.run(body)

    def _hold(self, count: int) -> None:
        """Counts the bytes of a request that is not whole. Raises BodyTooLarge."""
        self._received += count
        self._bounds.hold(self, count)
        if self._received > LARGEST_REQUEST:
            raise BodyTooLarge
        if self._ended and not self._closing:
            raise RequestUnparsable("The request ends in its middle. Send all of it.")
        self._resume_reading()

    def _forget(self) -> None:
        self._bounds.held -= self._received
        self._received = 0

    # ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _refuse(self, error: OrderError, data: bytes) -> None:
        """Answers a request with a refusal and reads no more. What the client still sends is dropped. ``data``: the
        bytes of its head, unless that was read before.
        """
        if self._closing:
            return
        self._closing = True
        self._write_last(error, data)
        self._forget()
        self._buffer, self._head, self._body = b"", None, None
        if self._ended:
            self.transport.close()
        else:
            self.transport.write_eof()
            self._resume_reading()
        self._judge()

    def _write_last(self, error: OrderError, data: bytes) -> None:
        """Writes the last answer. ``data`` as for ``_refuse``."""
        head = self._cycle.head if self._cycle else self._head
        lines = self._app.lines(self.peer, head.headers if head else readable_headers(data))
        self.transport.write(last_answer(problem(error), lines))

    def _discard(self, count: int) -> None:
        self._dropped += count
        if self._dropped > DISCARDED:
            self.transport.abort()

    # ── another protocol ──────────────────────────────────────────────────────────────────────────────────────────

    def _become_websocket(self, head: RequestHead, data: bytes) -> None:
        """Passes the connection to uvicorn's protocol for websockets, which reads the request again."""
        self._state.connections.discard(self)
        self._bounds.closed(self)
        self._forget()
        protocol = self._config.ws_protocol_class(  # type: ignore[misc, call-arg]  # as uvicorn calls it
            lines=self._app.lines(self.peer, head.headers),
            config=self._config,
            server_state=self._state,
            app_state=self._app_state,
        )
        self.transport.set_protocol(protocol)
        self._resume_reading()
        protocol.connection_made(self.transport)
        protocol.data_received(data)

    # ── what goes out ─────────────────────────────────────────────────────────────────────────────────────────────

    def always(self) -> bytes:
        lines = self._state.default_headers
        if lines is not self._always[0]:  # uvicorn replaces the list once a second
            self._always = lines, b"".join([b"%b: %b\r\n" % line for line in lines])
        return self._always[1]

    def refused(self, *, later: bool) -> None:
        self._bounds.turns.refused(self._caller)
        if later:  # it may be closed to make room, as an idle one
            self._bounds.owes(self)

    def answered(self, *, keep_alive: bool) -> None:
        self._cycle = None
        if self.transport.is_closing():
            return
        if not keep_alive or (self._ended and not self._buffer):
            self._closing = True
            self.transport.close()
        elif self._buffer:
            self._loop.call_soon(self._read_on)  # not now: other connections come first
        elif not self._reading:
            self._resume_reading()
        self._bounds.owes(self)

    def _read_on(self) -> None:
        """Reads the bytes that came after the request that was answered. They need a turn as those that come now do."""
        if self._cycle or self._closing or self.transport.is_closing():
            return
        data, self._buffer = self._buffer, b""
        self._read_in_turn(data, len(data))

    def pause_writing(self) -> None:
        self.full = True
        self._room.clear()
        self._judge()

    def resume_writing(self) -> None:
        self.full = False
        self._room.set()
        self._bounds.owes_nothing(self)
        self._judge()

    async def drained(self) -> None:
        await self._room.wait()

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self.transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._reading and not self.transport.is_closing():
            self._reading = True
            self.transport.resume_reading()

    def _judge(self) -> None:
        """The client has to send the next request or the rest of one, or to read the answers that wait for it."""
        if self.full or self._cycle is None:
            self._bounds.owes(self)
        else:
            self._bounds.owes_nothing(self)
