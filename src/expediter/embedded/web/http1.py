"""HTTP/1.1 on one connection: httptools reads the requests, and each gets its turn.

Rules:
 - a request that is whole when it is read goes to the door in the same call, and so is at the writer before the writer
   takes whoever is there; what comes in pieces, or is not for the door, is answered by an ASGI application;
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

from expediter.api.errors import BodyTooLarge, HeadersTooLarge, RequestUnparsable, problem
from expediter.domain.errors import OrderError, TooBusy
from expediter.embedded.web.asgi import LARGEST_BODY, Asked
from expediter.embedded.web.asgi_cycle import AsgiTurn
from expediter.embedded.web.connections import AHEAD, HEAD, HEADERS, REQUEST, Connections, answer
from expediter.embedded.web.request_cycle import Door, DoorTurn, Turn

#: Bytes of a body that wait for the application before reading stops.
UNREAD = 64 * 1024


class HttpConnection(asyncio.Protocol):
    """One connection over which requests come, within the bounds that all connections share."""

    # Of the request that is coming in; ``_whole``: it ended with the bytes that are being read.
    _received = 0
    _in_head, _whole = True, False
    _url, _version = b"", ""
    _keep_alive = True
    #: What it asks for, until it is known who answers; how it asks for a websocket; why it is refused.
    _asked: Asked | None = None
    _handshake = b""
    _fault: OrderError | None = None
    #: The turn that gets the rest of its body.
    _incoming: AsgiTurn | None = None

    #: Whether there was a request at all.
    _used = False
    _reading = True
    full = False
    _always: tuple[object, bytes] = None, b""

    def __init__(
        self,
        bounds: Connections,
        door: Door | None,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._bounds = bounds
        self._door = door
        self._config, self._state, self._app_state = config, server_state, app_state
        self._app = config.loaded_app
        self._loop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        # A request with Connection: close is answered although more comes after it.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.transport: asyncio.Transport
        self.tasks: set[asyncio.Future[Any]] = server_state.tasks  # type: ignore[assignment]  # waited for and cancelled
        #: Requests without a whole answer: the first runs, the others wait.
        self.turns: list[Turn] = []
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
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
        if self.turns or self._received or not self._used:
            self.transport.write(answer(problem(error)))
        self.transport.close()

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        self._whole, idle = False, not self.turns
        fault = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._handshake:
                self._become_websocket()
                return
        except httptools.HttpParserError:
            fault = self._fault or RequestUnparsable("Invalid HTTP request received. Send it as RFC 9112 says.")
        if self._asked and not fault:
            self._add_turn(self._asked, whole=False)
        if idle:
            self._begin()
        if fault:
            self._refuse(fault)
        elif not self._whole:
            self._hold(len(data))

    def _hold(self, count: int) -> None:
        """So many more bytes came of a request that is not whole."""
        self._received += count
        self._bounds.hold(self, count)
        if self._received > (HEAD if self._in_head else REQUEST) and not self.transport.is_closing():
            self._refuse(HeadersTooLarge() if self._in_head else BodyTooLarge())

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        headers = self._headers
        headers.append((name.lower(), value))
        if len(headers) > HEADERS:
            self._stop(HeadersTooLarge())

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.turns) > AHEAD:
            self._stop(TooBusy())
        if self._parser.should_upgrade() and self._asks_for_websocket():
            if self.turns:
                self._stop(RequestUnparsable("A websocket begins on a connection without a request under way."))
            head = b"".join([b"%b: %b\r\n" % line for line in self._headers])
            self._handshake = b"%b %b HTTP/1.1\r\n%b\r\n" % (self._parser.get_method(), self._url, head)
            return
        path, query = _parts(self._url)
        name = path.decode("ascii")
        self._asked = Asked(
            method=self._parser.get_method().decode("ascii"),
            path=unquote(name) if "%" in name else name,
            raw_path=path,
            query=query,
            lines=tuple(self._headers),
        )
        self._version = self._parser.get_http_version()
        self._keep_alive = self._version != "1.0" and self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        if self._asked:
            self._body.append(body)
        elif self._incoming and not self._incoming.over:  # else nobody wants the rest
            self._incoming.hear(body, whole=False)
            if len(self._incoming.body) > UNREAD:
                self._stop_reading()

    def on_message_complete(self) -> None:
        self._in_head = self._whole = self._used = True
        if self._received:
            self._forget()
        if self._asked:
            self._add_turn(self._asked, whole=True)
        elif self._incoming:
            self._incoming.hear(b"", whole=True)
            self._incoming = None
        self._url, self._headers = b"", []
        self._judge()

    def _add_turn(self, asked: Asked, *, whole: bool) -> None:
        """Has the request answered: by the door when it is whole and the door's, else by the application."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._asked, self._body = None, []
        turn: Turn
        if self._door and whole and len(body) <= LARGEST_BODY and self._door.answers(asked.path):
            turn = DoorTurn(self, self._door, asked, body, keep_alive=self._keep_alive)
        else:
            turn = incoming = AsgiTurn(self, self._app, asked, self._version, keep_alive=self._keep_alive)
            incoming.hear(body, whole=whole)
            self._incoming = None if whole else incoming
        self.turns.append(turn)
        if len(self.turns) > 1:
            self._stop_reading()

    def _stop(self, error: OrderError) -> None:
        """Has the parser stop: ``data_received`` refuses the request with this error then. Call it while it parses."""
        self._fault = error
        raise error

    def _refuse(self, error: OrderError) -> None:
        """Closes the connection, with an answer if it is this request's turn and the one before was not the last."""
        if not self.turns and not self.transport.is_closing():
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
        protocol = self._config.ws_protocol_class(  # type: ignore[misc, call-arg]  # as uvicorn calls it
            config=self._config, server_state=self._state, app_state=self._app_state
        )
        protocol.connection_made(self.transport)
        protocol.data_received(self._handshake)
        self.transport.set_protocol(protocol)

    # ── what goes out ─────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        """Has the first request answered, unless nobody would hear it."""
        if self.turns and not self.transport.is_closing():
            self.turns[0].run()

    def always(self) -> bytes:
        lines = self._state.default_headers
        if lines is not self._always[0]:  # uvicorn replaces the list once a second
            self._always = lines, b"".join([b"%b: %b\r\n" % line for line in lines])
        return self._always[1]

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def ended(self, turn: Turn) -> None:
        self.turns.remove(turn)
        if not turn.keep_alive:
            self.transport.close()
        if self.transport.is_closing():
            return
        if self.turns:
            self._loop.call_soon(self._begin)  # not at once: other connections come in between
        if not self._reading:
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
        if self.full or not self.turns or self.turns[0] is self._incoming:
            self._bounds.owes(self)
        else:
            self._bounds.owes_nothing(self)


def _parts(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of an address. Raises HttpParserInvalidURLError."""
    if url.startswith(b"/") and url.isascii() and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path or b"", parsed.query or b""
