"""A client whose bytes are chosen one by one, and a server for any application and door."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import uvicorn

from expediter.embedded.web.asgi import Application, Receive, Scope, Send
from expediter.embedded.web.connections import Connections
from expediter.embedded.web.http1 import HttpConnection
from expediter.embedded.web.request_cycle import Door
from expediter.embedded.web.serving import configuration

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"


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
async def running(app: Application, door: Door | None = None) -> AsyncIterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connections = Connections(10)
        server = uvicorn.Server(configuration(app, connections, 1, door))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started)
        yield Running(server, connections, listening.getsockname()[1])
        server.should_exit = True
        await task


async def ok(send: Send, body: bytes = b"", **more: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body, **more})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the address, the headers' names and the body of the request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    names = b" ".join(name for name, _ in scope["headers"])
    await ok(send, b"|".join([scope["path"].encode(), scope["query_string"], names, body]))


async def asked(client: Client, request: bytes) -> str:
    """What ``echo`` says."""
    await client.says(request)
    head = await client.head()
    length = int(head.partition("content-length: ")[2].split()[0])
    return (await client.reader.readexactly(length)).decode()
