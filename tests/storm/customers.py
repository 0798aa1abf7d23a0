"""Customers of a server under load: as many as wanted, each with a connection of its own, on loopback only."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import httpx

BODY = b'{"user_id":"Burger_20","quantity":"3","restaurant_id":"Restaurant 4"}'
#: Seconds until something that does not happen fails the test.
PATIENCE = 90.0


class Answer(NamedTuple):
    """An answer's status, its headers by lower-case name, and its body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Customer:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def order(self) -> Answer:
        return await self.ask("POST", "/orders", BODY)

    async def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return await self._answer()

    async def _answer(self) -> Answer:
        async with asyncio.timeout(PATIENCE):
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, body)

    def leave(self) -> None:
        self._writer.transport.abort()


async def customer(url: str, address: str = "127.0.0.1") -> Customer:
    """One who comes from this address."""
    port = int(url.rpartition(":")[2])
    return Customer(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))


class Tally:
    """What a crowd was answered. ``without_a_time``: refusals that do not say when to come again."""

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.without_a_time = 0
        self.longest = 0.0

    def note(self, answer: Answer, seconds: float) -> None:
        self.statuses[answer.status] += 1
        self.longest = max(self.longest, seconds)
        if answer.status == 204:
            self.accepted.append(answer.headers["order-id"])
        elif answer.status in {429, 503} and not answer.headers.get("retry-after", "").isdigit():
            self.without_a_time += 1


async def crowd(url: str, count: int, seconds: float) -> Tally:
    """So many customers place one order after the other for a while, whatever they are answered."""
    tally = Tally()
    customers = [await customer(url) for _ in range(count)]
    end = time.monotonic() + seconds

    async def orders(who: Customer) -> None:
        while (begun := time.monotonic()) < end:
            tally.note(await who.order(), time.monotonic() - begun)
        who.leave()

    await asyncio.gather(*map(orders, customers))
    return tally


def until(condition: Callable[[], bool], what: str) -> None:
    """Looks every few milliseconds whether something is so by now."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never happened: {what}"
        time.sleep(0.02)


def ended(url: str) -> int:
    """Orders that ended since the server started, whatever as."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith("expediter_orders_ended_total{")))
