"""What open pages cost a server: processor time of its own process, with real tabs and without, in one run.

Processor time per order says what throughput a server has left when it is the bottleneck, and, unlike orders per
second, it is not moved by whatever else a shared machine is doing.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.console.browser.visitor import Visitor
from tests.console.shop import environment

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.heavy,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processor time from /proc"),
]
BODY = b'{"user_id":"Burger_20","quantity":"3","restaurant_id":"Restaurant 4"}'
REQUEST = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A server as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def order(self, count: int, connections: int = 16, pause: float = 0) -> float:
        """Places orders over that many connections; seconds of the server's processor time that they took."""
        before = self.cpu()
        await asyncio.gather(*(self._order(count // connections, pause) for _ in range(connections)))
        await asyncio.sleep(0.5)  # the last ones are on their way through the workflow
        return self.cpu() - before

    async def _order(self, count: int, pause: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.url.rpartition(":")[2]))
        for _ in range(count):
            writer.write(REQUEST % (len(BODY), BODY))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
            await asyncio.sleep(pause)
        writer.close()


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Server]:
    given = {**os.environ, **environment(folder, {"PORT": "0", "HOLD_SECONDS": "0"})}
    command = (sys.executable, "-m", "expediter", "serve")
    process = await asyncio.create_subprocess_exec(*command, env=given, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    greeting = (await process.stdout.readline()).decode()
    url = re.search(r"http://\S+", greeting)
    assert url, greeting
    try:
        yield Server(process, url[0])
    finally:
        process.terminate()
        await process.wait()


async def tabs(visitor: Visitor, server: Server, count: int) -> list[Page]:
    """So many open pages with the list of orders, each live."""
    opened = []
    for _ in range(count):
        page = await visitor.browser.new_page()
        await page.goto(server.url + "/console")
        await expect(page.locator("[data-link=live]").first).to_be_visible()
        opened.append(page)
    return opened


async def test_one_tab_costs_a_server_little_at_ten_updates_a_second(visitor: Visitor, tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        await server.order(100, connections=1)
        loop = asyncio.get_running_loop()
        shares = []
        for count in (0, 1):
            opened = await tabs(visitor, server, count)
            await asyncio.sleep(1)
            begun, used = loop.time(), await server.order(100, connections=1, pause=0.1)
            shares.append(used / (loop.time() - begun))
            for page in opened:
                await page.close()
        print(f"server at 10 orders/s: {shares[0]:.1%} of a core without a tab, {shares[1]:.1%} with one")
        assert shares[1] - shares[0] <= 0.02


async def test_five_tabs_leave_nine_tenths_of_the_throughput(visitor: Visitor, tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        await server.order(3200)
        costs: dict[int, list[float]] = {0: [], 5: []}
        for _ in range(3):
            for count, found in costs.items():
                opened = await tabs(visitor, server, count)
                found.append(await server.order(3200) / 3200)
                for page in opened:
                    await page.close()
        without, with_five = min(costs[0]), min(costs[5])  # what else the machine did only ever adds
        print(f"server time per order: {without * 1e6:.0f} µs without a tab, {with_five * 1e6:.0f} µs with five")
        assert without / with_five >= 0.9


async def test_a_tab_in_the_background_costs_a_server_nothing(visitor: Visitor, tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        (page,) = await tabs(visitor, server, 1)
        await page.evaluate(
            """() => { Object.defineProperty(document, "hidden", {value: true, configurable: true});
                       document.dispatchEvent(new Event("visibilitychange")); }"""
        )
        await asyncio.sleep(0.5)
        await server.order(100, connections=1)
        assert await page.locator("#rows tr").count() == 0
        await page.evaluate(
            """() => { Object.defineProperty(document, "hidden", {value: false, configurable: true});
                       document.dispatchEvent(new Event("visibilitychange")); }"""
        )
        await expect(page.locator("#rows tr")).to_have_count(100)
