"""Clients that people use, as they are by default, against the running server: each places orders and reads them."""

import asyncio
import shutil
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.embedded.web.conftest import PLAIN, Opened
from tests.embedded.web.http1.proxy import proxied
from tests.embedded.web.wire import DRAFT

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parent / "clients"
#: Each prints the statuses of two orders and of one list. ``curl`` asks before it sends, and asks for HTTP/2.
COMMANDS: dict[str, list[str]] = {
    "java": ["java", str(FOLDER / "Orders.java")],
    "node": ["node", str(FOLDER / "orders.mjs")],
    "python": [sys.executable, str(FOLDER / "orders.py")],
    "go": ["go", "run", str(FOLDER / "orders.go")],
}
JSON = ["-H", "Content-Type: application/json"]
CURL = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\n"]


async def run(command: list[str]) -> str:
    """What the program prints; the test is skipped where there is none."""
    program = shutil.which(command[0]) or pytest.skip(f"there is no {command[0]} here")
    process = await asyncio.create_subprocess_exec(program, *command[1:], stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(120):
        printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode()


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_client_places_orders_and_reads_them(serving: Opened, name: str) -> None:
    async with serving() as served:
        printed = await run([*COMMANDS[name], f"http://localhost:{served.port}", DRAFT.decode()])
        orders = (await served.client.get("/orders")).json()["items"]

    assert printed.split() == ["204", "204", "200"]
    assert len(orders) == 2


@pytest.mark.parametrize(
    "options",
    [[], ["--http2"], ["--http1.0"], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]],
    ids=" ".join,
)
async def test_curl_places_orders_and_reads_them(serving: Opened, options: list[str]) -> None:
    async with serving() as served:
        address = f"http://localhost:{served.port}/orders"
        posting = [*CURL, *options, *JSON, "-d", DRAFT.decode(), address]
        printed = await run([*posting, "--next", *posting[1:], "--next", *CURL[1:], address])

    assert printed.split() == ["204", "204", "200"]


async def test_aiohttp_places_orders_and_reads_them(serving: Opened) -> None:
    async with serving() as served, aiohttp.ClientSession(f"http://localhost:{served.port}") as client:
        statuses = []
        for _ in range(2):
            async with client.post("/orders", json=PLAIN) as answer:
                statuses.append(answer.status)
        async with client.get("/orders") as answer:
            statuses.append(answer.status)
            shown = await answer.json()

    assert statuses == [204, 204, 200]
    assert len(shown["items"]) == 2


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_client_places_orders_through_nginx(serving: Opened, tmp_path: Path, name: str) -> None:
    async with serving() as served, proxied(tmp_path, served.port) as port:
        printed = await run([*COMMANDS[name], f"http://localhost:{port}", DRAFT.decode()])

    assert printed.split() == ["204", "204", "200"]
