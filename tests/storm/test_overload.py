"""Ten times what the server can take: it says so, loses nothing that it took, and is itself again afterwards."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from expediter.embedded.sqlite import units
from tests.cli.conftest import Run, Server, serving
from tests.storm.customers import Tally, crowd, customer, ended, until

#: More customers than may wait for an answer. Each sends the next order as soon as he is answered.
CUSTOMERS = units.QUEUE_LIMIT + 1_500


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with (tmp_path / "log").open("w") as log, serving(tmp_path / "data", log, HOLD_SECONDS="0") as running:
        yield running


def goes_on_as_before(server: Server, tally: Tally, typed: Run) -> None:
    until(lambda: ended(server.url) == len(tally.accepted), "every accepted order ends")
    with httpx.Client(base_url=server.url) as client:
        for order_id in tally.accepted[:: max(1, len(tally.accepted) // 200)]:
            assert client.get(f"/orders/{order_id}").json()["order_status"] == "SUCCESS"
    single = server.accept()
    until(lambda: httpx.get(f"{server.url}/orders/{single}").json()["order_status"] == "SUCCESS", "an order ends")
    assert typed("reconcile", server=server).code == 0


@pytest.mark.heavy
def test_in_a_storm_every_order_is_answered_in_time_and_all_that_were_accepted_end(server: Server, typed: Run) -> None:
    tally = asyncio.run(crowd(server.url, CUSTOMERS, seconds=5))

    assert {204} <= set(tally.statuses) <= {204, 429, 503}
    assert tally.without_a_time == 0
    assert len(set(tally.accepted)) == len(tally.accepted) == tally.statuses[204]
    goes_on_as_before(server, tally, typed)


@pytest.mark.heavy
def test_what_is_accepted_faster_than_it_is_worked_off_ends_all_the_same(server: Server, typed: Run) -> None:
    tally = asyncio.run(crowd(server.url, 300, seconds=1))

    assert set(tally.statuses) <= {204, 429, 503}
    goes_on_as_before(server, tally, typed)


async def _two_addresses(url: str) -> tuple[Tally, list[int], list[int]]:
    """A crowd at one address; what one who orders at another one is answered, on a new connection each time, and what
    a probe is.
    """
    storm = asyncio.create_task(crowd(url, 300, seconds=2))
    orders, probes = list[int](), list[int]()
    while not storm.done():
        other = await customer(url, "127.0.0.2")
        orders.append((await other.order()).status)
        probes.append((await other.ask("GET", "/readyz")).status)
        other.leave()
    return await storm, orders, probes


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one address of loopback")
def test_a_crowd_at_one_address_keeps_nobody_at_another_from_ordering(server: Server) -> None:
    tally, orders, probes = asyncio.run(_two_addresses(server.url))

    assert set(tally.statuses) <= {204, 429}
    assert tally.without_a_time == 0
    assert set(orders) == {204}
    assert set(probes) == {200}


async def _read_beside_a_crowd(url: str) -> list[int]:
    reader = await customer(url)
    storm = asyncio.create_task(crowd(url, 200, seconds=1))
    statuses = []
    while not storm.done():
        statuses.append((await reader.ask("GET", "/orders?limit=1")).status)
        statuses.append((await reader.ask("GET", "/healthz")).status)
    await storm
    reader.leave()
    return statuses


def test_who_reads_is_answered_beside_a_crowd_that_orders(server: Server) -> None:
    statuses = asyncio.run(_read_beside_a_crowd(server.url))

    assert len(statuses) > 10
    assert set(statuses[1::2]) == {200}
    assert set(statuses[::2]) <= {200, 503}
