"""What open pages of the console cost a server: processor time of its own process, with tabs and without, in turns.

Processor time per order says what throughput is left when the server is the bottleneck, and, unlike orders per second,
it is moved little by what else a shared machine is doing. Also the time to the first paint of an empty browser.

    python -m bench.console [--rounds 3]      needs chromium, or the browser that CHROMIUM names, and Linux's /proc
"""

import argparse
import asyncio
import os
import shutil
import statistics

from playwright.async_api import Browser, Page, async_playwright, expect

from bench.path import ACCEPTED, REST
from bench.rig.server import Server, serving

TABS, ORDERS = 5, 3_200
#: Nothing of the browser's own goes over the network.
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


#: Resolves with the milliseconds to the first contentful paint, also when it was before.
PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
    const [paint] = list.getEntriesByName("first-contentful-paint");
    if (paint) done(paint.startTime);
}).observe({type: "paint", buffered: true}))"""


async def order(server: Server, count: int, connections: int = 16, pause: float = 0) -> float:
    """Places orders over that many connections; seconds of the server's processor time that they took."""
    before = server.cpu()
    await asyncio.gather(*(_order(server, count // connections, pause) for _ in range(connections)))
    await asyncio.sleep(0.5)  # the last ones are on their way through the workflow
    return server.cpu() - before


async def _order(server: Server, count: int, pause: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for _ in range(count):
        writer.write(REST)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(ACCEPTED):
            raise RuntimeError(f"an order was not accepted: {answer!r}")
        await asyncio.sleep(pause)
    writer.close()


def address(server: Server) -> str:
    """Of the list of orders."""
    return f"http://127.0.0.1:{server.port}/console"


async def tabs(browser: Browser, server: Server, count: int) -> list[Page]:
    """So many open pages with the list of orders, each live."""
    opened = []
    for _ in range(count):
        page = await browser.new_page()
        await page.goto(address(server))
        await expect(page.locator("[data-link=live]").first).to_be_visible()
        opened.append(page)
    return opened


async def close(pages: list[Page]) -> None:
    for page in pages:
        await page.close()


async def share_of_one_tab(browser: Browser, server: Server) -> float:
    """Of one core, what one open tab costs at ten orders a second."""
    loop, shares = asyncio.get_running_loop(), []
    for count in (0, 1):
        opened = await tabs(browser, server, count)
        await asyncio.sleep(1)
        begun, used = loop.time(), await order(server, 100, connections=1, pause=0.1)
        shares.append(used / (loop.time() - begun))
        await close(opened)
    return shares[1] - shares[0]


async def seconds_per_order(browser: Browser, server: Server, count: int) -> float:
    """Of the server's processor time, with so many tabs open."""
    opened = await tabs(browser, server, count)
    used = await order(server, ORDERS)
    await close(opened)
    return used / ORDERS


async def first_paint(browser: Browser, address: str) -> float:
    """Milliseconds, in a browser that has nothing of the page."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(address)
    painted = await page.evaluate(PAINTED)
    await context.close()
    return float(painted)


async def measure(rounds: int) -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        with serving({}) as server:
            await order(server, ORDERS)
            paints = [await first_paint(browser, address(server)) for _ in range(2 * rounds)]
            print(f"first paint of 100 orders: {shown(paints)} ms")
            one = [100 * await share_of_one_tab(browser, server) for _ in range(rounds)]
            print(f"one tab at 10 orders a second: {shown(one)} % of a core")
            costs: dict[int, list[float]] = {0: [], TABS: []}
            for _ in range(rounds):
                for count, found in costs.items():
                    found.append(1e6 * await seconds_per_order(browser, server, count))
            ratios = [100 * without / having for without, having in zip(*costs.values(), strict=True)]
            print(f"server time per order: {shown(costs[0])} µs, with {TABS} tabs {shown(costs[TABS])} µs")
            print(f"throughput left with {TABS} tabs: {shown(ratios)} %, pair by pair")
        await browser.close()


def shown(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="times that everything is measured (3)")
    asyncio.run(measure(parser.parse_args().rounds))
