"""HTTP/1.1 on one connection: httptools reads the requests, and each is one turn of an ASGI application.

Rules:
 - requests are answered in the order in which they came: the first runs, the others wait, and nothing is read while
   one does;
 - what the application leaves unread of a body stops the reading; what a client leaves unread of an answer stops the
   application;
 - headers behind a body (trailers) are counted and never shown.

It takes the place of uvicorn's own protocol, which was the dearest part of taking an order in (docs/decisions/0025).
uvicorn still runs the server: it listens, keeps the date, and stops in good order.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from expediter.domain.errors import OrderError, TooBusy
from expediter.doors.errors import BodyTooLarge, HeadersTooLarge, RequestUnparsable, problem
from expediter.embedded.connections import AHEAD, HEAD, HEADERS, REQUEST, Connections, answer
from expediter.embedded.exchange import Scope
from expediter.embedded.http_turn import Lines, Turn

#: Bytes of a body that wait for the application before reading stops.
UNREAD = 64 * 1024

_ASGI = {"version": "3.0", "spec_version": "2.3"}


class HttpConnection(asyncio.Protocol):
    """One connection over which requests come, within the bounds that all connections share."""

    def __init__(
        self,
        bounds: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._bounds = bounds
        self._config, self._state, self._app_state = config, server_state, app_state
        self._app = config.loaded_app
        self._loop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        # A request with Connection: close is answered although more comes after it.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.transport: asyncio.Transport
        self.tasks = server_state.tasks
        #: Requests without a whole answer: the first runs, the others wait.
        self.turns: list[Turn] = []
        #: Of the request that is coming in:
        self._received = 0
        self._in_head = True
        self._url = b""
        self._headers: Lines = []
        self._expects = False
        self._fault: OrderError | None = None
        #: Whether there was a request at all.
        self._used = False
        self._reading = True
        self.full = False
        self._room = asyncio.Event()

    # ── its life ──────────────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's transport
        self._state.connections.add(self)  # type: ignore[arg-type]  # they are asked to shut down, and nothing else
        self._bounds.opened(self)
        self._bounds.owes(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._state.connections.discard(self)
        self._bounds.closed(self)
        self._forget()
        turns, self.turns = self.turns, []
        if turns:
            turns[0].leave()
        self._room.set()

    def shutdown(self) -> None:
        """The server stops: what has come is answered, then the connection closes."""
        if self.turns:
            self.turns[-1].keep_alive = False
        else:
            self.transport.close()

    def give_up(self, error: OrderError, /) -> None:
        begun = bool(self.turns) and self.turns[0].begun
        if begun or self.transport.get_write_buffer_size():
            self.transport.abort()  # to close would be to wait until everything is read
            return
        if self._received or not self._used:
            self.transport.write(answer(problem(error)))
        self.transport.close()

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        self._bounds.hold(self, len(data))
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._asks_for_websocket() and self.turns:
                self._refuse(RequestUnparsable("A websocket begins on a connection without requests under way."))
            elif self._asks_for_websocket():
                self._become_websocket()
        except httptools.HttpParserError:
            self._refuse(self._fault or RequestUnparsable("Invalid HTTP request received. Send it as RFC 9112 says."))
        if self._received > (HEAD if self._in_head else REQUEST) and not self.transport.is_closing():
            self._refuse(HeadersTooLarge() if self._in_head else BodyTooLarge())

    def on_message_begin(self) -> None:
        self._used = True
        self._url, self._headers, self._expects = b"", [], False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self._headers.append((name, value))
        if name == b"expect":
            self._expects = value.lower() == b"100-continue"
        if len(self._headers) > HEADERS:
            self._stop(HeadersTooLarge())

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.turns) > AHEAD:
            self._stop(TooBusy())
        if self._parser.should_upgrade() and self._asks_for_websocket():
            return
        version = self._parser.get_http_version()
        keep_alive = version != "1.0" and self._parser.should_keep_alive()
        turn = Turn(self, self._scope(version), keep_alive=keep_alive, expects=self._expects)
        self.turns.append(turn)
        if len(self.turns) == 1:
            self._begin(turn)
        else:
            self._stop_reading()

    def on_body(self, body: bytes) -> None:
        if self.turns:  # else it is answered already: nobody wants the rest
            self.turns[-1].hear(body)
            if len(self.turns[-1].body) > UNREAD:
                self._stop_reading()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._forget()
        if self.turns:
            self.turns[-1].hear(b"")
        self._judge()

    def _scope(self, version: str) -> Scope:
        url = self._url
        if url.startswith(b"/") and url.isascii() and b"#" not in url:
            path, _, query = url.partition(b"?")
        else:
            parsed = httptools.parse_url(url)
            path, query = parsed.path or b"", parsed.query or b""
        name = path.decode("ascii")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": self._parser.get_method().decode("ascii"),
            "scheme": "http",
            "path": unquote(name) if "%" in name else name,
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": tuple(self._headers),
        }

    def _stop(self, error: OrderError) -> None:
        """Has the parser stop: ``data_received`` refuses the request with this error then. Call it while it parses."""
        self._fault = error
        raise error

    def _refuse(self, error: OrderError) -> None:
        """Closes the connection, with an answer if it is this request's turn."""
        if not self.turns:
            self.transport.write(answer(problem(error)))
        self.transport.close()

    def _forget(self) -> None:
        self._bounds.held -= self._received
        self._received = 0

    # ── another protocol ──────────────────────────────────────────────────────────────────────────────────────────

    def _asks_for_websocket(self) -> bool:
        return (b"upgrade", b"websocket") in [(name, value.lower()) for name, value in self._headers]

    def _become_websocket(self) -> None:
        """Hands the connection over to uvicorn's protocol for websockets, which reads the request again."""
        self._state.connections.discard(self)
        self._bounds.closed(self)
        self._forget()
        head = b"".join([b"%b: %b\r\n" % line for line in self._headers])
        protocol = self._config.ws_protocol_class(  # type: ignore[misc, call-arg]  # as uvicorn calls it
            config=self._config, server_state=self._state, app_state=self._app_state
        )
        protocol.connection_made(self.transport)
        protocol.data_received(b"%b %b HTTP/1.1\r\n%b\r\n" % (self._parser.get_method(), self._url, head))
        self.transport.set_protocol(protocol)

    # ── what goes out ─────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, turn: Turn) -> None:
        turn.task = self._loop.create_task(turn.run(self._app))
        self.tasks.add(turn.task)

    def always(self) -> Lines:
        return self._state.default_headers

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def ended(self, turn: Turn) -> None:
        self.turns.remove(turn)
        if not turn.keep_alive:
            self.transport.close()
        if self.transport.is_closing():
            return
        if self.turns:
            self._begin(self.turns[0])
        self.read_on()
        self._judge()

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

    def read_on(self) -> None:
        if not self._reading and len(self.turns) < 2 and not self.transport.is_closing():
            self._reading = True
            self.transport.resume_reading()

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self.transport.pause_reading()

    def _judge(self) -> None:
        """It owes us the next request, or the rest of the one that runs, and reading when its answers pile up."""
        if self.full or not self.turns or not self.turns[0].whole:
            self._bounds.owes(self)
        else:
            self._bounds.owes_nothing(self)
