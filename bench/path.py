"""The order path over HTTP, each measurement on a fresh server: accept to end, accepts alone, gateways that take time.

Every answer (204) is sent after the fsync that holds the order. Where the end of orders is measured the clock stops at
the last order's end as the order table has it, and every order has to have succeeded.
"""

import random
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import repeat

import msgspec

from bench.floor import BODY
from bench.rig import disk
from bench.rig.gateways import Gateways
from bench.rig.load import aside, closed, opened, percentile
from bench.rig.server import PATIENCE, Server, serving, workplace

ACCEPTED, ANSWERED = b"HTTP/1.1 204", b"HTTP/1.1 200"
#: Orders before the first that counts: what is loaded and compiled late is by then.
WARM = 300
#: Connections of the open loop: more than are ever busy at once unless the server stands still.
OPEN_CONNECTIONS = 200
#: Turns of the open loop in one measurement, each at the pace of its moment.
TURNS = 4
_GRAPHQL = """mutation Place($input: OrderInput!) { postOrder(input: $input) { id orderStatus } }"""
_INPUT = {"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4", "userId": "Burger_20"}


def post(path: str, body: bytes, *more: str) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


REST = post("/orders", BODY)
GRAPHQL = post("/graphql", msgspec.json.encode({"query": _GRAPHQL, "variables": {"input": _INPUT}}))


def keyed(count: int) -> Iterator[bytes]:
    """Orders under keys of the customer's own, which are random (UUIDv4)."""
    for _ in range(count):
        yield post("/orders", BODY, f"Idempotency-Key: {uuid.uuid4()}")


class Figures(msgspec.Struct, frozen=True):
    """Orders a second from the first request to the last end, answers a second, milliseconds to the answer (median
    and 99th), and microseconds of processor time per order: the server's, and the load generator's.
    """

    completed: float
    accepted: float
    p50: float
    p99: float
    cpu: float
    load_cpu: float


def accept_to_end(connections: int, seconds: float, settings: Mapping[str, str] | None = None) -> Figures:
    """A closed loop for so many seconds, and what it takes until every order has ended."""
    with warm(settings) as server:
        before = server.cpu()
        load = closed(server.port, connections, during(seconds, REST), ACCEPTED)
        count = len(load.latencies)
        ended = server.all_ended(WARM + count)
        cpu = (server.cpu() - before) / count
    rate = count / (ended - load.begun)
    load_cpu = load.cpu / count
    return Figures(rate, load.rate, load.milliseconds(0.5), load.milliseconds(0.99), cpu * 1e6, load_cpu * 1e6)


def accepts(connections: int, seconds: float, request: bytes, wanted: bytes) -> float:
    """Answers a second in a closed loop; the orders are on their way meanwhile."""
    with warm() as server:
        warming = closed(server.port, 8, repeat(request, WARM), wanted)
        load = closed(server.port, connections, during(seconds, request), wanted)
        server.all_ended(WARM + len(warming.latencies) + len(load.latencies))
    return load.rate


def during(seconds: float, request: bytes) -> Iterator[bytes]:
    """The request again and again, until so many seconds have passed."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        yield request


class Open(msgspec.Struct, frozen=True):
    """Orders a second that came. ``waited``: percent of the time that the server's threads were ready and had no core.
    Milliseconds, median and 99th: the accepts from their intended send; fdatasync meanwhile, and with the machine doing
    nothing else.
    """

    rate: float
    waited: float
    p50: float
    p99: float
    sync_p50: float
    sync_p99: float
    idle_sync_p50: float
    idle_sync_p99: float


def accept_latency(seconds: float, seed: int) -> Open:
    """Orders that come by chance (as a Poisson process) at half of what the server has just taken to their end.

    In several turns on one server, each after a closed loop of a second that tells its pace: the machine's own changes
    by half between minutes, and half of what was is then the whole of what is.
    """
    chance, rates, latencies, meanwhile, waited = random.Random(seed), list[float](), list[float](), list[float](), 0.0
    with workplace() as folder, warm() as server:
        idle = disk.syncs(folder, seconds / 4)
        for _ in range(TURNS):
            rates.append(_pace(server) / 2)
            gaps = [chance.expovariate(rates[-1]) for _ in range(int(rates[-1] * seconds / TURNS))]
            before = server.waited()
            with aside(), disk.probe(folder, seconds / TURNS) as syncs:
                load = opened(server.port, OPEN_CONNECTIONS, repeat(REST), gaps, ACCEPTED)
            waited += 100 * (server.waited() - before) / load.seconds / TURNS
            latencies += load.latencies
            meanwhile += syncs
    every = (latencies, meanwhile, idle)
    times = (1000 * percentile(each, share) for each in every for share in (0.5, 0.99))
    return Open(sum(rates) / TURNS, waited, *times)


def _pace(server: Server) -> float:
    """Orders a second that it takes to their end over 64 connections now."""
    before = int(server.metric("expediter_orders_accepted_total"))
    server.all_ended(before)
    load = closed(server.port, 64, during(1, REST), ACCEPTED)
    count = len(load.latencies)
    return count / (server.all_ended(before + count) - load.begun)


def slow_bank(with_: Gateways, waiting: int, hold: int, charges: int) -> float:
    """Calls to the restaurant a second, when the holds of ``waiting`` orders have ended at the same moment.

    With ``charges``, that many other orders wait meanwhile for a bank that takes 5 seconds. All holds end at once
    because the server is halted (SIGSTOP) until they have.
    """
    with_.set(bank=0.05, restaurant=0.05)
    with serving({**with_.settings, "HOLD_SECONDS": str(hold)}) as server:
        closed(server.port, 64, repeat(REST, waiting), ACCEPTED)
        _until(lambda: with_.seen().bank.calls == waiting)
        time.sleep(2 * 0.05)  # the last of them are answered
        early = with_.set(bank=5.0).restaurant.calls
        if charges:
            closed(server.port, 64, repeat(REST, charges), ACCEPTED)
            _until(lambda: with_.seen().bank.calls > 0)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(hold)
        early += with_.set(bank=5.0).restaurant.calls
        server.process.send_signal(signal.SIGCONT)
        _until(lambda: with_.seen().restaurant.calls + early >= waiting)
        seen = with_.seen().restaurant
    return (seen.calls - 1) / (seen.last - seen.first)


@contextmanager
def warm(settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A fresh server that has taken its first orders."""
    with serving(settings or {}) as server:
        closed(server.port, 8, repeat(REST, WARM), ACCEPTED)
        server.all_ended(WARM)
        yield server


def _until(reached: Callable[[], bool]) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError("it was not reached in time")
        time.sleep(0.02)
