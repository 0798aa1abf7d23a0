"""Connections by the hundred and thousand that want nothing, or want it slowly, and one customer among them."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from expediter.embedded.web import descriptors
from tests.cli.conftest import Server, Start, serving
from tests.storm.customers import customer

#: Descriptors that a server gets which is short of them, and connections that leaves room for.
FEW, ROOM = 128, 64


@pytest.fixture
def poor(tmp_path: Path) -> Iterator[Server]:
    """A server that may open few files."""
    limited = ("sh", "-c", f'ulimit -n {FEW} && exec "$@"', "sh")
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "log").open("w"))
        yield stack.enter_context(serving(tmp_path / "data", log, limited))


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


def test_a_server_short_of_descriptors_makes_room_and_keeps_some_for_itself(poor: Server) -> None:
    assert asyncio.run(loiter(poor.url, 3 * FEW)) == [204, 200] * 12
    assert poor.accept()

    opened = len(list(Path(f"/proc/{poor.process.pid}/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    assert opened < FEW


@pytest.mark.parametrize(("have", "room"), [(20_480, 20_000), (1_024, 544), (FEW, ROOM)])
def test_at_least_half_of_the_descriptors_are_for_connections(have: int, room: int) -> None:
    assert descriptors.connections(have) == room
