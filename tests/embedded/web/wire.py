"""A client whose bytes are chosen one by one, and a server for any application."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import uvicorn

from expediter.api.request import Headers, Response
from expediter.embedded.web.asgi import Receive, Scope, Send
from expediter.embedded.web.connections import Connections
from expediter.embedded.web.http1.connection import HttpConnection
from expediter.embedded.web.http1.request_cycle import Answer, Lines
from expediter.embedded.web.http1.request_head import RequestHead
from expediter.embedded.web.serving import WebApplication, configuration

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
DRAFT = b'{"user_id":"Burger_20","quantity":"3","restaurant_id":"Restaurant 4"}'
#: The head of an order but for the empty line, without its length and with it; and the whole order.
POST = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SIZED = POST + b"Content-Length: %d\r\n" % len(DRAFT)
ORDER = SIZED + b"\r\n" + DRAFT


class Client(NamedTuple):
    """A connection whose bytes are chosen one by one."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def says(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hears(self, count: int = 1) -> list[int]:
        """The statuses of so many answers; their bodies are read too."""
        return [await self._answer() for _ in range(count)]

    async def head(self) -> str:
        """The next answer's head, in lower case."""
        async with asyncio.timeout(30):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()

    async def rest(self) -> bytes:
        """Whatever still comes until the server closes the connection."""
        with suppress(ConnectionError):
            async with asyncio.timeout(30):
                return await self.reader.read()
        return b""

    async def is_refused(self) -> int:
        """The status of the only answer that still comes; the connection is closed behind it, and this client's too."""
        answer = await self.rest()
        self.writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        assert "connection: close" in lines, answer
        assert f"content-length: {len(body)}" in lines, answer
        return int(lines[0].split()[1])

    async def _answer(self) -> int:
        head = await self.head()
        if "content-length: " in head:
            async with asyncio.timeout(30):
                await self.reader.readexactly(int(head.partition("content-length: ")[2].split()[0]))
        return int(head.split()[1])


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # bounded by the timeout
            await asyncio.sleep(0.005)


class Running(NamedTuple):
    server: uvicorn.Server
    connections: Connections
    port: int

    @property
    def only(self) -> HttpConnection:
        (connection,) = self.connections._open
        assert isinstance(connection, HttpConnection)
        return connection


@asynccontextmanager
async def running(app: WebApplication) -> AsyncIterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connections = Connections(10)
        server = uvicorn.Server(configuration(app, connections, 1))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started)
        yield Running(server, connections, listening.getsockname()[1])
        server.should_exit = True
        await task


class Echo:
    """Answers with the path, the query, the headers' names and the body of the request, and remembers them.

    It answers once it ``may``; at once when it may already.
    """

    sockets = frozenset({"/", "/graphql"})

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.may.set()
        self.asked: list[tuple[str, bytes]] = []

    def answer(self, head: RequestHead, body: bytes) -> Answer:
        self.asked.append((f"{head.method} {head.path}", body))
        said = b"|".join([head.path.encode(), head.query.encode(), " ".join(head.headers).encode(), body])
        response = Response(200, (), said)
        return response if self.may.is_set() else asyncio.create_task(self._later(response))

    def lines(self, _peer: str, _headers: Headers, /) -> Lines:
        return ()

    def seconds_to_wait(self, _: RequestHead, /) -> float:
        return 0

    def refusal(self, error: BaseException, /) -> Response:
        return Response(418, (), str(error).encode())

    async def _later(self, response: Response) -> Response:
        await self.may.wait()
        return response

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        self.asked.append((f"websocket {scope['path']}", b""))
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})


class Says(Echo):
    """Answers with this body and header."""

    def __init__(self, body: bytes = b"", value: str = "1") -> None:
        super().__init__()
        self._response = Response(200, (("X-Said", value),), body)

    def answer(self, _: RequestHead, __: bytes) -> Answer:
        return self._response if self.may.is_set() else asyncio.create_task(self._later(self._response))


async def asked(client: Client, request: bytes) -> str:
    """The body of the answer."""
    await client.says(request)
    head = await client.head()
    length = int(head.partition("content-length: ")[2].split()[0])
    return (await client.reader.readexactly(length)).decode()
