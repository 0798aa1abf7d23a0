"""One connection without a socket: bytes in, requests and answers out."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from uvicorn.config import Config
from uvicorn.server import ServerState

from expediter.embedded.web.connections import Connections
from expediter.embedded.web.http1.connection import HttpConnection
from expediter.embedded.web.serving import configuration
from tests.embedded.web.wire import Echo


class Seen(NamedTuple):
    """What a server made of a stream: the requests, and whether it refused what came behind them."""

    requests: list[tuple[str, bytes]]
    refused: bool
    answers: bytes = b""


class FakeTransport(asyncio.Transport):
    """Keeps what is written; reads nothing by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = self.paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def write_eof(self) -> None:
        self.paused = False

    def close(self) -> None:
        self.closing = True

    abort = close

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def set_protocol(self, _: asyncio.BaseProtocol) -> None: ...


class _Websocket(asyncio.Protocol):
    """Takes the connection over and says nothing."""

    def __init__(self, **_: object) -> None: ...


class Feeder:
    """Feeds streams to connections of one server. Make it on a running loop."""

    def __init__(self) -> None:
        self._echo = Echo()
        self._config: Config = configuration(self._echo, Connections(10), 1)
        self._config.load()
        self._config.ws_protocol_class = _Websocket
        self._state = ServerState()
        self._bounds = Connections(10)
        self._loop = _Calls()

    def feed(self, segments: list[bytes]) -> Seen:
        """What the server makes of the segments and the end of the stream."""
        asked: list[tuple[str, bytes]] = []
        self._echo.asked = asked
        connection = HttpConnection(self._bounds, self._echo, self._config, self._state, {}, self._loop)  # type: ignore[arg-type]
        transport = FakeTransport()
        connection.connection_made(transport)
        for segment in segments:
            if transport.closing:
                break
            connection.data_received(segment)
            self._loop.run()
        if not transport.closing:
            connection.eof_received()
            self._loop.run()
        last = transport.written.rpartition(b"HTTP/1.1 ")[2][:3]
        connection.connection_lost(None)
        return Seen(asked, last >= b"400", transport.written)


class _Calls:
    """Runs what a loop would run in its next round."""

    def __init__(self) -> None:
        self._calls: list[Callable[[], object]] = []

    def call_soon(self, call: Callable[[], object]) -> None:
        self._calls.append(call)

    def run(self) -> None:
        while self._calls:
            self._calls.pop(0)()
