"""Connections by the hundred and thousand that want nothing, or want it slowly, and one customer among them."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from expediter.embedded.web import descriptors
from tests.cli.conftest import Server, Start, serving
from tests.storm.customers import customer

#: Descriptors that a server gets which is short of them, and connections that leaves room for.
FEW, ROOM = 128, 64


@contextmanager
def poor(tmp_path: Path, **settings: str) -> Iterator[Server]:
    """A server that may open few files."""
    limited = ("sh", "-c", f'ulimit -n {FEW} && exec "$@"', "sh")
    with (tmp_path / "log").open("w") as log, serving(tmp_path / "data", log, limited, **settings) as server:
        yield server


async def loiter(url: str, count: int) -> list[int]:
    """So many connections of which half say nothing and half are slow; what one customer is answered meanwhile."""
    port = int(url.rpartition(":")[2])
    loiterers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(count)]
    who, statuses = await customer(url), []
    for letter in b"POST /orders":
        for slow in loiterers[::2]:
            slow.write(bytes([letter]))
        statuses.append((await who.order()).status)
        statuses.append((await who.ask("GET", "/orders?limit=1")).status)
    for loiterer in loiterers:
        loiterer.transport.abort()
    who.leave()
    return statuses


@pytest.mark.heavy
def test_hundreds_of_idle_and_slow_connections_stop_nobody(started: Start) -> None:
    server = started()

    assert asyncio.run(loiter(server.url, 400)) == [204, 200] * 12
    assert server.stop() == 0


@pytest.mark.heavy
def test_ten_thousand_idle_and_slow_connections_stop_nobody(started: Start) -> None:
    if (room := descriptors.raised()) < 10_000:
        pytest.skip(f"this machine lets a process have {room} connections")
    server = started()

    assert asyncio.run(loiter(server.url, 10_000)) == [204, 200] * 12


def test_a_server_short_of_descriptors_makes_room_and_keeps_some_for_itself(tmp_path: Path) -> None:
    with poor(tmp_path) as server:
        assert asyncio.run(loiter(server.url, 3 * FEW)) == [204, 200] * 12
        assert server.accept()

        files = Path(f"/proc/{server.process.pid}/fd")
        assert not files.exists() or len(list(files.iterdir())) < FEW


async def greet_never(url: str, addresses: list[str]) -> list[int]:
    """From each address a websocket that does its handshake and never shows a token, and another one for each that is
    closed; what a probe from elsewhere is answered meanwhile.
    """
    ended, all_there = 0, asyncio.Event()

    async def hold(address: str) -> None:
        nonlocal ended
        while True:
            with suppress(OSError, WebSocketException):
                async with connect(
                    url.replace("http", "ws") + "/graphql",
                    subprotocols=[Subprotocol("graphql-transport-ws")],
                    local_addr=(address, 0),
                    ping_interval=None,
                ) as socket:
                    await socket.wait_closed()
            ended += 1
            if ended == len(addresses):
                all_there.set()

    holding = [asyncio.create_task(hold(address)) for address in addresses]
    async with asyncio.timeout(60):
        await all_there.wait()
    statuses = []
    for _ in range(12):
        who = await customer(url)
        statuses.append((await who.ask("GET", "/healthz")).status)
        who.leave()
    for task in holding:
        task.cancel()
    await asyncio.gather(*holding, return_exceptions=True)
    return statuses


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one address of loopback")
def test_websockets_that_never_show_a_token_make_room_for_probes(tmp_path: Path) -> None:
    addresses = [f"127.0.0.{number % 3 + 2}" for number in range(2 * ROOM)]
    with poor(tmp_path, TOKEN="a-token-of-the-shop") as server:
        assert asyncio.run(greet_never(server.url, addresses)) == [200] * 12


@pytest.mark.parametrize(("have", "room"), [(20_480, 20_000), (1_024, 544), (FEW, ROOM)])
def test_at_least_half_of_the_descriptors_are_for_connections(have: int, room: int) -> None:
    assert descriptors.connections(have) == room
