"""One connection without a socket: bytes in, requests and answers out."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

from uvicorn.config import Config
from uvicorn.server import ServerState

from expediter.api.request import Response
from expediter.embedded.web.connections import Connections, FairQueue
from expediter.embedded.web.http1.connection import HttpConnection
from expediter.embedded.web.http1.request_cycle import Answer
from expediter.embedded.web.http1.request_head import RequestHead
from expediter.embedded.web.serving import configuration
from tests.embedded.web.wire import Echo


class Seen(NamedTuple):
    """The requests that a server saw, and whether what came behind them was refused, or became a websocket."""

    requests: list[tuple[str, bytes]]
    refused: bool
    websocket: bool
    answers: bytes


class FakeTransport(asyncio.Transport):
    """Keeps what is written; reads nothing by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = self.paused = self.websocket = False

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

    def set_protocol(self, _: asyncio.BaseProtocol) -> None:
        self.websocket = True


class _Websocket(asyncio.Protocol):
    """Takes the connection over and says nothing."""

    def __init__(self, **_: object) -> None: ...


class Feeder:
    """Feeds streams to connections of one server. Make it on a running loop; it needs none afterwards."""

    def __init__(self, echo: Echo | None = None) -> None:
        self._echo = echo or Echo()
        self._config: Config = configuration(self._echo, Connections(10), 1)
        self._config.load()
        self._config.ws_protocol_class = _Websocket
        self._state = ServerState()
        self._bounds = Connections(10)
        self._loop = _Calls()
        self._bounds.turns = FairQueue(self._loop)  # type: ignore[arg-type]  # it only calls soon

    def feed(self, segments: list[bytes]) -> Seen:
        """What the server makes of the segments and the end of the stream."""
        asked: list[tuple[str, bytes]] = []
        self._echo.asked = asked
        connection = HttpConnection(self._bounds, self._echo, self._config, self._state, {}, self._loop)  # type: ignore[arg-type]
        transport = FakeTransport()
        connection.connection_made(transport)
        for segment in segments:
            if transport.closing or transport.websocket:
                break
            connection.data_received(segment)
            self._loop.run()
        if not transport.closing and not transport.websocket:
            connection.eof_received()
            self._loop.run()
        last = transport.written.rpartition(b"HTTP/1.1 ")[2][:3]
        connection.connection_lost(None)
        return Seen(asked, last >= b"400", transport.websocket, transport.written)


class _Silent(Echo):
    """Answers without a body, so that every status in the answers is its own."""

    def answer(self, head: RequestHead, body: bytes) -> Answer:
        super().answer(head, body)
        return Response(204)


@cache
def silent_feeder() -> Feeder:
    async def made() -> Feeder:
        return Feeder(_Silent())

    with ThreadPoolExecutor(1) as thread:  # a loop of its own, also where one runs already
        return thread.submit(asyncio.run, made()).result()


class _Calls:
    """Runs what a loop would run in its next round."""

    def __init__(self) -> None:
        self._calls: list[Callable[[], object]] = []

    def call_soon(self, call: Callable[[], object]) -> None:
        self._calls.append(call)

    def run(self) -> None:
        while self._calls:
            self._calls.pop(0)()
