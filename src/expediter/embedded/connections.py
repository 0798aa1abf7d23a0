"""Connections as uvicorn makes them, with the bounds that it does not set: none of them can stop the others.

Rules:
 - a connection has PATIENCE seconds to bring its next whole request, and as many to take what is sent to it; one that
   brings a byte a second, or reads nothing, is closed;
 - a request's head and body are counted as they come, before anything is kept of them, and requests that are not yet
   whole hold at most HELD bytes in all;
 - few requests may wait on one connection for the answer to the first (pipelining);
 - when there are as many connections as descriptors, the one that has owed us something longest makes room.

uvicorn keeps a connection that says nothing for ever, takes a head of any length, and queues pipelined requests without
a bound (https://uvicorn.dev/settings/#resource-limits).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from itertools import takewhile
from typing import Protocol

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from expediter.domain.errors import OrderError, TooBusy
from expediter.doors.errors import BodyTooLarge, HeadersTooLarge, RequestTooSlow, RequestUnparsable, problem
from expediter.doors.request import Response
from expediter.embedded.exchange import LARGEST_BODY, LARGEST_HEADERS, LONGEST_ADDRESS, READ_ALL_THE_SAME

#: Seconds that a connection may owe us the rest of a request, or leave what was sent to it unread.
PATIENCE = 30.0
#: Bytes of a request's address and headers, of a whole request as it comes in (in chunks it is longer than its body),
#: and of all requests that are not yet whole.
HEAD = LARGEST_HEADERS + LONGEST_ADDRESS
REQUEST = 2 * READ_ALL_THE_SAME
HELD = 64 * 1024 * 1024
#: Headers of one request, and requests that wait on one connection for the answer to an earlier one.
HEADERS = 100
AHEAD = 64


class Connection(Protocol):
    """What the bounds ask of a connection."""

    def give_up(self, error: OrderError, /) -> None:
        """Closes it; who waits for an answer to a request that he has begun is told the error."""


class Connections:
    """The open connections, at most ``most``, and those among them that owe us something: the longest owing first.

    Use it on the event loop's thread.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._open: set[Connection] = set()
        self._owing: dict[Connection, float] = {}
        #: Bytes that came in of requests that are not yet whole.
        self.held = 0

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, connection: Connection) -> None:
        self._open.add(connection)
        if len(self._open) > self._most:
            self._make_room(connection)

    def closed(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._owing.pop(connection, None)

    def owes(self, connection: Connection) -> None:
        """It has to do something before anything can go on there."""
        if connection in self._open:
            self._owing.setdefault(connection, self._loop.time())

    def owes_nothing(self, connection: Connection) -> None:
        self._owing.pop(connection, None)

    def sweep(self) -> None:
        """Gives up those that have owed us something for too long. Call it once a second."""
        late = self._loop.time() - PATIENCE
        for connection, _ in list(takewhile(lambda entry: entry[1] <= late, self._owing.items())):
            self._give_up(connection, RequestTooSlow())

    def hold(self, connection: Connection, count: int) -> None:
        """So many more bytes are held of a request that is not yet whole."""
        self.held += count
        if self.held > HELD:
            self._make_room(connection)

    def _make_room(self, newest: Connection) -> None:
        """Gives up the one that has owed us something longest; when none does, who needs the room."""
        self._give_up(next(iter(self._owing), newest), TooBusy())

    def _give_up(self, connection: Connection, error: OrderError) -> None:
        self.closed(connection)
        connection.give_up(error)


class HttpConnection(HttpToolsProtocol):
    """One connection over which requests come."""

    def __init__(
        self,
        bounds: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = bounds
        self._running: RequestResponseCycle | None = None
        self._received = 0
        self._in_head = True
        self._fault: OrderError | None = None

    # ── its life ──────────────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # a stream's transport
        self._bounds.opened(self)
        self._bounds.owes(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._bounds.closed(self)
        self._forget()
        self.pipeline.clear()
        super().connection_lost(exc)
        if self._running and self._under_way:
            # uvicorn tells the newest request only: a stream that another one waits behind would go on for ever.
            self._running.disconnected = True
            self._running.message_event.set()

    def handle_websocket_upgrade(self) -> None:
        self._bounds.closed(self)
        self._forget()
        super().handle_websocket_upgrade()

    def give_up(self, error: OrderError, /) -> None:
        begun = self._running is not None and self._under_way and self._running.response_started
        if begun or self.transport.get_write_buffer_size():
            self.transport.abort()  # to close would be to wait until everything is read
            return
        if self._received or self.cycle is None:
            self.transport.write(answer(problem(error)))
        self.transport.close()

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        self._bounds.hold(self, len(data))
        super().data_received(data)
        if self._received > (HEAD if self._in_head else REQUEST) and not self.transport.is_closing():
            self._refuse(HeadersTooLarge() if self._in_head else BodyTooLarge())

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > HEADERS:
            self._fault = HeadersTooLarge()
            raise self._fault  # the parser stops, and send_400_response is called

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.pipeline) >= AHEAD:
            self._fault = TooBusy()
            raise self._fault
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._forget()
        self._judge()

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._fault or RequestUnparsable(f"{msg} Send it as RFC 9112 says."))

    def _refuse(self, error: OrderError) -> None:
        """Closes the connection, with an answer if it is this request's turn."""
        if not self._under_way:
            self.transport.write(answer(problem(error)))
        self.transport.close()

    def _forget(self) -> None:
        self._bounds.held -= self._received
        self._received = 0

    # ── what goes out ─────────────────────────────────────────────────────────────────────────────────────────────

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._judge()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._judge()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._bounds.owes_nothing(self)
        self._judge()

    @property
    def _under_way(self) -> bool:
        """A request is being answered."""
        return self._running is not None and not self._running.response_complete

    def _judge(self) -> None:
        """It owes us the next request when none is under way, and reading when its answers pile up."""
        if self.flow.write_paused or not self._under_way:
            self._bounds.owes(self)
        else:
            self._bounds.owes_nothing(self)


class SocketConnection(WebSocketsSansIOProtocol):
    """One websocket. It may say nothing (uvicorn asks with a ping whether it is there), but it has to read."""

    def __init__(
        self,
        bounds: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = bounds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._bounds.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._bounds.closed(self)
        super().connection_lost(exc)

    def give_up(self, _: OrderError, /) -> None:
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()  # every ping is answered with a pong, which would wait here for a reader
        self._bounds.owes(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()
        self._bounds.owes_nothing(self)


def configuration(app: Callable[..., Awaitable[None]], connections: Connections, grace: int) -> Config:
    """How uvicorn serves our application; ``grace``: seconds that requests under way get to end when it stops."""
    return Config(
        app,
        http=partial(HttpConnection, connections),  # type: ignore[arg-type]  # called as a class, and never looked into
        ws=partial(SocketConnection, connections),  # type: ignore[arg-type]
        ws_max_size=LARGEST_BODY,
        ws_per_message_deflate=False,  # our messages are short, and its buffers cost 43 KB a connection
        lifespan="off",
        log_config=None,
        log_level=logging.ERROR,  # a warning for every request that is none would let anybody fill the log
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(PATIENCE),
        timeout_graceful_shutdown=grace,
    )


def answer(response: Response) -> bytes:
    """The last answer on a connection, as it goes over the wire."""
    status = HTTPStatus(response.status)
    headers = (*response.headers, ("Content-Length", str(len(response.body))), ("Connection", "close"))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{head}\r\n".encode() + response.body
