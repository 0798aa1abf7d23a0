"""Sets uvicorn up: ``HttpConnection`` serves HTTP, and uvicorn's own protocol serves websockets within our limits."""

import asyncio
import logging
from functools import partial
from typing import Protocol

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from expediter.api.errors import RequestUnparsable, problem
from expediter.domain.errors import OrderError
from expediter.embedded.web.asgi import KNOWN, Message, Receive, Scope, Send
from expediter.embedded.web.connections import PATIENCE, Connections, peer_of
from expediter.embedded.web.http1.connection import HttpConnection
from expediter.embedded.web.http1.request_cycle import Application, Lines, last_answer
from expediter.embedded.web.http1.request_head import LARGEST_BODY

_UNPARSABLE = problem(RequestUnparsable("This is not a handshake of a websocket. Send it as RFC 6455 says."))


class WebApplication(Application, Protocol):
    """Answers requests, and takes websockets as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send, /) -> None: ...


class _Handshakes(ServerProtocol):
    """The library's protocol. The answer to each handshake has ``lines`` too. It compresses nothing: our messages are
    short, and its buffers cost 43 KB a connection.
    """

    def __init__(self, lines: Lines) -> None:
        super().__init__(max_size=LARGEST_BODY, logger=logging.getLogger("uvicorn.error"))
        self._lines = lines

    def send_response(self, response: Response) -> None:
        response.headers.update(self._lines)
        super().send_response(response)


class SocketConnection(WebSocketsSansIOProtocol):
    """One websocket. Its client has to send a handshake and then a token. After that it may be silent (uvicorn's pings
    find out whether it is there), but it has to read.
    """

    def __init__(
        self,
        bounds: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        lines: Lines,
    ) -> None:
        super().__init__(config, server_state, app_state)
        self.conn = _Handshakes(lines)
        self._lines = lines
        self._bounds = bounds
        self.peer = ""
        self.waiting = False
        self._known = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.peer = peer_of(transport)
        self._bounds.opened(self)
        self._bounds.owes(self)

    def handle_connect(self, event: Request) -> None:
        """Puts into the scope what the application calls once it knows the caller."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][KNOWN] = self._becomes_known  # type: ignore[assignment]  # no dictionary

    def _becomes_known(self) -> None:
        self._known = True
        if self.writable.is_set():
            self._bounds.owes_nothing(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._bounds.closed(self)
        super().connection_lost(exc)

    def send_receive_event_to_app(self) -> None:
        """Text that is not UTF-8 ends the websocket (RFC 6455, 8.1). Anybody can send such text, so it is no error for
        the log. What comes after the end is dropped.
        """
        if self.close_sent or self.transport.is_closing():
            self.frames = []
            return
        try:
            b"".join(self.frames).decode() if self.curr_msg_data_type == "text" else ""
        except UnicodeDecodeError:
            if self.conn.state is State.OPEN:  # no close frame before the handshake or after another one
                self.conn.send_close(1007)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """uvicorn expects a close frame. There is none when the handshake could not be read."""
        if self.conn.close_sent is None:
            self.transport.write(last_answer(_UNPARSABLE, self._lines))
            self.transport.close()
        else:
            super().handle_parser_exception()

    def give_up(self, _: OrderError, /) -> None:
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()  # each ping gets a pong, which waits here until the client reads
        self._bounds.owes(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()
        if self._known:
            self._bounds.owes_nothing(self)

    async def send(self, message: Message) -> None:  # type: ignore[override]  # the application knows it by this type
        """Raises ClientDisconnected once the websocket has ended. When a fault of the client ended it, uvicorn would
        log that as an error of the application.
        """
        await self.writable.wait()
        if self.close_sent or self.transport.is_closing():
            raise ClientDisconnected
        await super().send(message)  # type: ignore[arg-type]
        if self.close_sent:
            self.handshake_complete = True  # a refused handshake has ended too


def configuration(app: WebApplication, connections: Connections, grace: int) -> Config:
    """uvicorn's configuration.

    ``grace``: seconds that requests under way have to end when the server stops.
    """
    return Config(
        app,
        http=partial(HttpConnection, connections, app),  # type: ignore[arg-type]  # uvicorn only calls it, as a class
        ws=partial(SocketConnection, connections),  # type: ignore[arg-type]
        lifespan="off",
        log_config=None,
        log_level=logging.ERROR,  # anybody could fill the log with warnings of bad requests
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(PATIENCE),
        timeout_graceful_shutdown=grace,
    )
