"""A client whose bytes are chosen one by one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple


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
