"""Fair queueing: how many of one caller's requests are read in one turn of the loop, and in which order the others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from expediter.api.request import Response
from expediter.embedded.web import connections
from expediter.embedded.web.connections import IN_A_TURN, REFUSED, FairQueue
from expediter.embedded.web.http1.request_cycle import Answer
from expediter.embedded.web.http1.request_head import RequestHead
from tests.embedded.web.wire import DRAFT, GET, SIZED, Client, Echo, Running, running, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


class Line:
    """A connection; ``turns`` has the names of those whose turn it was."""

    def __init__(self, name: str, turns: list[str]) -> None:
        self._name, self._turns = name, turns

    def turn(self) -> None:
        self._turns.append(self._name)


async def test_what_one_caller_has_over_waits_for_the_next_turns_and_others_go_on() -> None:
    queue, turns = FairQueue(asyncio.get_running_loop()), list[str]()
    assert [queue.take("a") for _ in range(IN_A_TURN + 1)] == [True] * IN_A_TURN + [False]
    for number in range(IN_A_TURN + 2):
        queue.wait("a", Line(f"a{number}", turns))
    assert queue.take("b")
    assert len(queue) == IN_A_TURN + 2

    await asyncio.sleep(0)
    assert turns == [f"a{number}" for number in range(IN_A_TURN)]
    assert not queue.take("a")  # who comes now waits behind those
    assert queue.take("b")
    await asyncio.sleep(0)
    assert turns[IN_A_TURN:] == [f"a{IN_A_TURN}", f"a{IN_A_TURN + 1}"]
    assert len(queue) == 0
    assert queue.take("a")


async def test_a_request_that_is_refused_takes_the_turn_of_several() -> None:
    queue, turns = FairQueue(asyncio.get_running_loop()), list[str]()

    class Refused(Line):
        def turn(self) -> None:
            super().turn()
            queue.refused("a")

    queue.take("a")
    for number in range(IN_A_TURN):
        queue.wait("a", Refused(str(number), turns))
    await asyncio.sleep(0)
    assert len(turns) == IN_A_TURN // REFUSED


# ── on connections ────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def crowd(server: Running, count: int) -> AsyncIterator[list[Client]]:
    clients = [Client(*await asyncio.open_connection("127.0.0.1", server.port)) for _ in range(count)]
    await until(lambda: len(server.connections) == count)
    yield clients
    for client in clients:
        client.writer.transport.abort()


@pytest.fixture
def one_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IN_A_TURN", 1)


@pytest.mark.usefixtures("one_each")
async def test_every_request_that_had_to_wait_is_answered() -> None:
    async with running(Echo()) as server, crowd(server, 9) as clients:
        for client in clients:
            client.writer.write(GET * 3)
        for client in clients:
            assert await client.hears(3) == [200] * 3
        assert server.connections.held == 0


@pytest.mark.usefixtures("one_each")
async def test_requests_that_are_sent_ahead_need_turns_too() -> None:
    turns = list[int]()

    class Noting(Echo):
        def answer(self, head: RequestHead, body: bytes) -> Answer:
            turns.append(turn)
            return super().answer(head, body)

    async with running(Noting()) as server, crowd(server, 5) as clients:
        turn, loop = 0, asyncio.get_running_loop()

        def count() -> None:
            nonlocal turn
            turn += 1
            if len(turns) < 45:
                loop.call_soon(count)

        count()
        for client in clients:
            client.writer.write(GET * 9)
        for client in clients:
            assert await client.hears(9) == [200] * 9
    assert max(Counter(turns).values()) <= 2  # this test's turn may lie across two of the queue


@pytest.mark.usefixtures("one_each")
async def test_a_request_that_waits_is_read_on_when_the_rest_of_it_comes_and_answered_on_a_half_closed_connection() -> (
    None
):
    async with running(Echo()) as server, crowd(server, 9) as clients:
        for client in clients:
            client.writer.write(SIZED + b"\r\n" + DRAFT[:10])
        await until(lambda: server.connections.held == 9 * len(SIZED + b"\r\n" + DRAFT[:10]))
        for client in clients:
            client.writer.write(DRAFT[10:])
            client.writer.write_eof()
        for client in clients:
            assert (await client.rest()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.usefixtures("one_each")
async def test_half_a_request_that_waited_is_refused_when_the_client_sends_no_more() -> None:
    async with running(Echo()) as server, crowd(server, 9) as clients:
        for client in clients:
            client.writer.write(GET[:-2])
            client.writer.write_eof()
        for client in clients:
            assert await client.is_refused() in {400, 418}


@pytest.mark.usefixtures("one_each")
async def test_clients_that_leave_while_their_request_waits_leave_nothing_behind() -> None:
    echo = Echo()
    async with running(echo) as server, crowd(server, 9) as clients:
        for client in clients:
            client.writer.write(GET)
            client.writer.transport.abort()
        await until(lambda: len(server.connections) == 0)
        assert (server.connections.held, len(server.connections.turns)) == (0, 0)


class Refuses(Echo):
    def answer(self, head: RequestHead, body: bytes) -> Answer:
        super().answer(head, body)
        return Response(429)


async def test_an_answer_of_429_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = list[str]()
    monkeypatch.setattr(FairQueue, "refused", lambda _, caller: noted.append(caller))
    async with running(Refuses()) as server, crowd(server, 1) as clients:
        await clients[0].says(GET)
        assert await clients[0].hears() == [429]
    assert noted == ["127.0.0.1"]
