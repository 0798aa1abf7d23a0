"""Who asks without a pause is answered no faster than his share allows, and others are answered meanwhile."""

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from expediter.embedded.web import shares
from tests.console.shop import Shop, served
from tests.embedded.web.access.callers import TOKEN, made_key
from tests.embedded.web.conftest import Opened
from tests.embedded.web.http1.test_strictness import GRAPHQL, HANDSHAKE, head
from tests.embedded.web.test_shares import ORDER
from tests.embedded.web.wire import connected, until

pytestmark = pytest.mark.anyio

EMPTY, WRONG = b"Content-Length: 0", b"Authorization: Bearer wrong"
#: Requests that anybody can send, the status of the first ones, and how many are not refused.
FLOODS: dict[str, tuple[bytes, int, int]] = {
    "wrong task tokens": (head(b"POST /tasks/none/heartbeat HTTP/1.1", EMPTY), 404, 3),
    "no token": (head(b"GET /orders HTTP/1.1"), 401, 3),
    "wrong tokens": (head(b"POST /orders HTTP/1.1", EMPTY, WRONG), 401, 3),
    "links": (head(b"GET /o/none HTTP/1.1"), 404, 3),
    "pages": (head(b"GET /console HTTP/1.1"), 401, 3),
    "files": (head(b"GET /console/static/none.css HTTP/1.1"), 404, 5),
    "websockets": (head(GRAPHQL, *HANDSHAKE), 101, 3),
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each kind few requests are answered as usual. Of refusals and probes two are sent at once, the next after an
    hour.
    """
    for name, value in {"BURST": 3, "OF_PROGRAM": 5, "REFUSALS": 2, "PROBES": 2}.items():
        monkeypatch.setattr(shares, name, value)
    for name in ("EACH_SECOND", "OF_PROGRAM_EACH_SECOND", "REFUSALS_EACH_SECOND", "PROBES_EACH_SECOND"):
        monkeypatch.setattr(shares, name, 0.0002)
    for name in ("LONGEST_REFUSAL", "LONGEST_PROBE"):
        monkeypatch.setattr(shares, name, 3_600.0)


async def status(port: int, request: bytes) -> int:
    async with connected(port) as client:
        await client.says(request)
        return int((await client.head()).split()[1])


async def answered_at_once(shop: Shop, request: bytes, count: int) -> list[int]:
    """The statuses of so many requests. One more is not answered, although an order that is sent later is."""
    port = int(shop.url.rpartition(":")[2])
    statuses = [await status(port, request) for _ in range(count)]
    async with connected(port) as client:
        await client.says(request)
        placed = await shop.client.post("/orders", json=ORDER, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
        assert placed.status_code == 204
        client.writer.write_eof()  # whoever waits for no answer gets the connection's end
        assert not client.reader._buffer  # type: ignore[attr-defined]  # what was answered so far
    return statuses


@pytest.mark.parametrize(("request_", "usual", "count"), FLOODS.values(), ids=FLOODS)
async def test_after_some_refusals_the_next_ones_come_later(
    tmp_path: Path, request_: bytes, usual: int, count: int
) -> None:
    async with served(tmp_path, TOKEN=TOKEN) as shop:
        assert await answered_at_once(shop, request_, count + 2) == [usual] * count + [429] * 2


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_are_never_refused_but_answered_later(tmp_path: Path, path: str) -> None:
    async with served(tmp_path, TOKEN=TOKEN) as shop:
        assert await answered_at_once(shop, head(f"GET {path} HTTP/1.1".encode()), 2) == [200, 200]


async def test_a_refused_websocket_whose_client_goes_away_does_not_wait(serving: Opened) -> None:
    async with serving(TOKEN=TOKEN) as server:
        before = len(asyncio.all_tasks())
        for _ in range(9):
            async with connected(server.port) as client:
                await client.says(head(GRAPHQL, *HANDSHAKE))
                client.writer.write_eof()
                await client.rest()
        await until(lambda: len(asyncio.all_tasks()) <= before)


async def test_refused_operations_on_a_websocket_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = list[str]()

    def wait(_: shares.Pace, caller: str) -> float:
        counted.append(caller)
        return 0

    monkeypatch.setattr(shares.Pace, "wait", wait)
    async with served(tmp_path, TOKEN=TOKEN) as shop:
        key = (await made_key(shop.client, ["orders:read"]))[1]
        shown = {"Authorization": f"Bearer {key}"}
        address = f"ws{shop.url.removeprefix('http')}/graphql"
        async with connect(
            address, subprotocols=[Subprotocol("graphql-transport-ws")], additional_headers=shown
        ) as socket:
            await socket.send(json.dumps({"type": "connection_init"}))
            for number in range(8):
                query = {"query": "{ orders { id } }"}
                await socket.send(json.dumps({"type": "subscribe", "id": str(number), "payload": query}))
            errors = 0
            while errors < 4:  # the handshake was one of the five
                async with asyncio.timeout(30):
                    errors += json.loads(await socket.recv())["type"] == "error"
    assert counted == ["127.0.0.1"] * 4
