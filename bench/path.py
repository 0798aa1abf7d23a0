"""The order path over HTTP: a server process of its own, keep-alive connections in a closed loop, accept to end.

Every answer (204) is sent after the fsync that holds the order. The clock stops when the last order's workflow ended.
Parties are simulated and there is no hold, so what is measured is ours.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from bench.floor import BODY

#: Seconds for the server to come up, and for the last order to end.
PATIENCE = 60.0


class Figure(NamedTuple):
    """Orders a second from the first request to the last end, and milliseconds to the answer: median and 99th."""

    completed: float
    accept_p50: float
    accept_p99: float


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """A fresh server; gives its port."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "EXPEDITER_DATA": folder, "EXPEDITER_HOLD_SECONDS": "0", "EXPEDITER_PORT": "0"}
        command = (sys.executable, "-m", "expediter", "serve")
        server = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
        try:
            assert server.stdout
            greeting = (await asyncio.wait_for(server.stdout.readline(), PATIENCE)).decode()
            yield int(greeting.split("localhost:")[1].split()[0])
        finally:
            server.send_signal(signal.SIGTERM)
            await server.communicate()


async def measured(connections: int, count: int) -> Figure:
    """``count`` orders over ``connections`` connections."""
    async with serving() as port:
        request = _request(port)
        latencies: list[float] = []
        begin = time.perf_counter()
        left = iter(range(count))
        await asyncio.gather(*(_customer(port, request, left, latencies) for _ in range(connections)))
        await _ended(port, count)
        seconds = time.perf_counter() - begin
    latencies.sort()
    return Figure(count / seconds, latencies[count // 2] * 1000, latencies[count * 99 // 100] * 1000)


def _request(port: int) -> bytes:
    lines = ["POST /orders HTTP/1.1", f"Host: localhost:{port}", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {len(BODY)}", "", ""]).encode() + BODY


async def _customer(port: int, request: bytes, left: Iterator[int], latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in left:
        begin = time.perf_counter()
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        latencies.append(time.perf_counter() - begin)
        if b" 204 " not in answer:
            raise RuntimeError(f"an order was not accepted: {answer!r}")
    writer.close()
    await writer.wait_closed()


async def _ended(port: int, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while _succeeded(port) < count:
        if time.monotonic() > deadline:
            raise TimeoutError("not every order ended")
        await asyncio.sleep(0.02)


def _succeeded(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:  # our own server
        lines = response.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("expediter_orders_ended_total{"))
