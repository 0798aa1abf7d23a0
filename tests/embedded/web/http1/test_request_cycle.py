"""Answers: in which form they go out, who gets them, and what happens when there is none."""

import asyncio
import logging
from contextlib import suppress

import pytest

from expediter.api.request import Response
from expediter.embedded.web.http1.connection import DISCARDED
from expediter.embedded.web.http1.request_cycle import Answer
from expediter.embedded.web.http1.request_head import RequestHead
from tests.embedded.web.wire import GET, Echo, Says, asked, connected, running, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop that the server runs on: it reads, and writes, at other moments than asyncio's own."""
    return "asyncio", {"use_uvloop": True}


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "request_", [b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", GET[:-2] + b"Connection: x, Close\r\n\r\n"]
)
async def test_the_connection_ends_with_the_answer_where_the_client_wants_that(request_: bytes) -> None:
    async with running(Echo()) as server, connected(server.port) as client:
        await client.says(request_)
        head, rest = await client.head(), await client.rest()

        assert head.startswith("http/1.1 200 ok\r\ndate: ")
        assert "\r\nconnection: close\r\n" in head
        assert b"connection|" in rest


async def test_an_answer_to_head_has_no_body() -> None:
    async with running(Says(b"four")) as server, connected(server.port) as client:
        await client.says(b"HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head = await client.head()

        assert "\r\nx-said: 1\r\ncontent-length: 4\r\nconnection: close\r\n" in head
        assert await client.rest() == b""


async def test_a_client_that_does_not_read_stops_the_answers_until_it_reads() -> None:
    size = 1_000_000
    async with running(Says(b"x" * size)) as server, connected(server.port) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport reads too
        await client.says(GET * 20)
        await until(lambda: len(server.connections) == 1 and server.only.full)
        assert server.only.transport.get_write_buffer_size() < 3 * size
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]

        assert [len(await asked(client, b"")) for _ in range(20)] == [size] * 20


async def test_an_answer_for_a_client_that_is_gone_is_dropped() -> None:
    app = Says()
    app.may.clear()
    async with running(app) as server:
        async with connected(server.port) as client:
            await client.says(GET)
            await until(lambda: len(server.server.server_state.tasks) == 1)
        await until(lambda: server.only._ended)
        app.may.set()
        await until(lambda: not server.server.server_state.tasks)
        await until(lambda: len(server.connections) == 0)


async def test_an_answer_that_waits_for_a_reader_that_goes_away_is_dropped() -> None:
    async with running(Says(b"x" * 10_000_000)) as server:
        async with connected(server.port) as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await client.says(GET * 2)
            await until(lambda: len(server.server.server_state.tasks) == 1)
        await until(lambda: len(server.connections) == 0)
        await until(lambda: not server.server.server_state.tasks)


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nSet-Cookie: b", "a\rb"])
async def test_a_header_with_a_line_break_is_never_sent(value: str) -> None:
    async with running(Says(value=value)) as server, connected(server.port) as client:
        await client.says(GET)

        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"ookie" not in answer


class Fails(Echo):
    def answer(self, head: RequestHead, body: bytes) -> Answer:
        if head.path == "/later":
            return asyncio.create_task(self._fail(body))
        raise ZeroDivisionError

    async def _fail(self, body: bytes) -> Response:
        raise ValueError(body.decode())


async def test_an_application_that_fails_ends_only_its_own_connection(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "expediter.http"):
        async with running(Fails()) as server, connected(server.port) as client:
            await client.says(GET)

            assert await client.is_refused() == 500
    (line,) = caplog.records
    assert "unexpected" in line.message


async def test_an_error_that_comes_later_has_the_applications_form() -> None:
    async with running(Fails()) as server, connected(server.port) as client:
        await client.says(b"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\ntoo-hot")
        head = await client.head()

        assert (head[:12], await client.reader.readexactly(7)) == ("http/1.1 418", b"too-hot")


async def test_a_client_that_still_sends_when_it_is_refused_can_read_the_answer() -> None:
    async with running(Echo()) as server, connected(server.port) as client:
        await client.says(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n")
        await until(lambda: server.only._closing)
        await client.says(b"x" * 900_000)

        assert await client.is_refused() == 413
        await until(lambda: len(server.connections) == 0)


async def test_a_client_that_sends_for_ever_after_it_was_refused_is_cut_off() -> None:
    async with running(Echo()) as server, connected(server.port) as client:
        with suppress(ConnectionError):
            for _ in range(100):
                await client.says(b"\x00" * (DISCARDED // 10))
        await until(lambda: len(server.connections) == 0)


# ── refusals that are sent later ──────────────────────────────────────────────────────────────────────────────────────


class Refusing(Echo):
    """Answers 429, the first time at once, then after an hour. ``refusals``: how often it did."""

    refusals = 0

    def answer(self, head: RequestHead, body: bytes) -> Answer:
        super().answer(head, body)
        return Response(429, (), b"wait")

    def seconds_to_wait(self, _: RequestHead, /) -> float:
        self.refusals += 1
        return 0 if self.refusals == 1 else 3_600


async def test_nothing_is_read_on_a_connection_whose_refusal_is_sent_later() -> None:
    app = Refusing()
    async with running(app) as server, connected(server.port) as client:
        await client.says(GET * 3)
        assert await client.hears() == [429]
        await until(lambda: app.refusals == 2)
        assert len(app.asked) == 2
        assert not server.only._reading


async def test_a_refusal_that_waits_is_sent_when_the_server_stops() -> None:
    app = Refusing()
    async with running(app) as server, connected(server.port) as client:
        await client.says(GET * 2)
        await until(lambda: app.refusals == 2)
        server.server.should_exit = True
        assert await client.hears(2) == [429, 429]
        assert await client.rest() == b""


async def test_a_refusal_that_waits_is_sent_when_its_client_sends_nothing_more() -> None:
    app = Refusing()
    async with running(app) as server, connected(server.port) as client:
        await client.says(GET)
        assert await client.hears() == [429]
        await client.says(GET)
        await until(lambda: app.refusals == 2)
        client.writer.write_eof()
        assert await client.hears() == [429]
        await until(lambda: len(server.connections) == 0)


async def test_a_connection_whose_refusal_waits_makes_room_for_others() -> None:
    app = Refusing()
    async with running(app) as server, connected(server.port) as client:
        await client.says(GET)
        assert await client.hears() == [429]
        await client.says(GET)
        await until(lambda: app.refusals == 2)
        server.connections._most = 1
        async with connected(server.port) as other:
            assert await client.is_refused() == 503
            server.connections._most = 10
            await other.says(GET)
            await until(lambda: app.refusals == 3)
            other.writer.write_eof()
            assert await other.hears() == [429]


async def test_a_refusal_for_a_client_that_is_gone_is_not_kept() -> None:
    app = Refusing()
    async with running(app) as server, connected(server.port) as client:
        await client.says(GET)
        assert await client.hears() == [429]
        await client.says(GET)
        await until(lambda: app.refusals == 2)
        cycle = server.only._cycle
        server.only.transport.abort()
        await until(lambda: len(server.connections) == 0)
        assert cycle
        assert cycle._timer is None


# ── the server stops ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_server_that_stops_answers_what_is_under_way_and_closes_the_rest() -> None:
    app = Says(b"four")
    app.may.clear()
    async with running(app) as server, connected(server.port) as idle, connected(server.port) as busy:
        await busy.says(GET)
        await until(lambda: len(server.server.server_state.tasks) == 1)
        server.server.should_exit = True
        assert await idle.rest() == b""
        app.may.set()
        head = await busy.head()

        assert head.startswith("http/1.1 200")
        assert "\r\nconnection: close\r\n" in head
        assert await busy.rest() == b"four"


async def test_a_client_that_would_wait_too_long_when_the_server_stops_sees_that_there_is_no_answer() -> None:
    app = Says()
    app.may.clear()
    async with running(app) as server, connected(server.port) as client:
        await client.says(GET)
        await until(lambda: len(server.server.server_state.tasks) == 1)
        server.server.should_exit = True

        assert (await client.rest()).startswith(b"HTTP/1.1 500 ")
