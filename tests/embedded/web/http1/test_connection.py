"""HTTP/1.1 byte by byte: what is read, in which order it is answered, and what ends a connection."""

import asyncio
import inspect
import logging
from contextlib import suppress

import pytest

from expediter.api.request import Response
from expediter.embedded.web.http1.connection import DISCARDED
from expediter.embedded.web.http1.request_head import LARGEST_BODY, RequestHead
from expediter.embedded.web.http1.responses import Answer
from tests.embedded.web.conftest import Opened
from tests.embedded.web.wire import DRAFT, GET, ORDER, POST, SIZED, Echo, asked, connected, running, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop that the server runs on: it reads, and writes, at other moments than asyncio's own."""
    return "asyncio", {"use_uvloop": True}


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cut", [1, len(SIZED), len(SIZED) + 2, len(SIZED) + 3, len(ORDER) - 1])
async def test_an_order_may_come_in_two_pieces(serving: Opened, cut: int) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(ORDER[:cut])
        await until(lambda: served.connections.held == cut)
        await client.says(ORDER[cut:])

        assert await client.hears() == [204]
        assert served.connections.held == 0


async def test_a_request_may_come_byte_by_byte_and_in_chunks() -> None:
    head = b"PUT /a%20b?c=d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with running(Echo()) as server, connected(server.port) as client:
        for byte in head + b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r":
            await client.says(bytes([byte]))
            await asyncio.sleep(0)

        assert await asked(client, b"\n") == "/a b|c=d|host transfer-encoding|hello"


async def test_headers_behind_a_body_are_not_shown() -> None:
    async with running(Echo()) as server, connected(server.port) as client:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

        assert await asked(client, head + b"0\r\nAuthorization: me\r\n\r\n") == "/||host transfer-encoding|"


async def test_a_body_of_any_method_is_read_and_never_taken_for_a_request() -> None:
    echo = Echo()
    async with running(echo) as server, connected(server.port) as client:
        await client.says(GET[:-2] + b"Content-Length: %d\r\n\r\n" % len(GET) + GET + GET)

        assert await client.hears(2) == [200, 200]
    assert echo.asked == [("GET /a", GET), ("GET /a", b"")]


# ── a client that waits before it sends its body ──────────────────────────────────────────────────────────────────


async def test_a_client_that_asks_first_is_told_to_send_the_body(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(SIZED + b"Expect: 100-Continue\r\n\r\n")
        assert await client.head() == "http/1.1 100 continue\r\n\r\n"
        await client.says(DRAFT)

        assert await client.hears() == [204]


async def test_a_client_that_asks_first_and_is_refused_finds_the_connection_closed(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(POST + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % (LARGEST_BODY + 1))

        assert await client.is_refused() == 413


async def test_a_client_of_http_1_0_is_never_told_to_continue() -> None:
    async with running(Echo()) as server, connected(server.port) as client:
        await client.says(b"POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        await until(lambda: server.connections.held > 0)
        await client.says(b"ab")

        assert (await client.head()).startswith("http/1.1 200 ")


async def test_a_client_that_asks_first_and_sends_its_body_all_the_same_is_not_told_to_continue() -> None:
    async with running(Echo()) as server, connected(server.port) as client:
        await client.says(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\na")
        await until(lambda: server.connections.held > 0)

        assert await asked(client, b"b") == "/||host content-length expect|ab"


# ── requests behind a request ─────────────────────────────────────────────────────────────────────────────────────


async def test_answers_come_in_the_order_of_the_requests() -> None:
    echo = Echo()
    echo.may.clear()
    async with running(echo) as server, connected(server.port) as client:
        await client.says(GET + GET.replace(b"/a", b"/b") + ORDER[:-9])
        await until(lambda: len(echo.asked) == 1)
        echo.may.set()

        assert (await asked(client, b"")).startswith("/a|")
        assert (await asked(client, b"")).startswith("/b|")
        assert (await asked(client, ORDER[-9:])).endswith(DRAFT.decode())


@pytest.mark.parametrize("count", [65, 66, 5_000])
async def test_all_requests_sent_ahead_are_answered(count: int) -> None:
    async with running(Echo()) as server, connected(server.port) as client:
        sending = asyncio.create_task(client.says(GET * count))

        assert await client.hears(count) == [200] * count
        await sending


async def test_orders_sent_ahead_are_all_answered(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(ORDER * 66)

        assert await client.hears(66) == [204] * 66


class Depth(Echo):
    """Also remembers how deep in calls it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.depths: set[int] = set()

    def answer(self, head: RequestHead, body: bytes) -> Answer:
        self.depths.add(len(inspect.stack(0)))
        return super().answer(head, body)


async def test_requests_sent_ahead_are_answered_one_after_the_other_and_not_one_within_the_other() -> None:
    app = Depth()
    async with running(app) as server, connected(server.port) as client:
        await client.says(GET * 60)
        assert await client.hears(60) == [200] * 60

        assert max(app.depths) < min(app.depths) + 30


GARBAGE = [b"\x16\x03\x01 hello\r\n\r\n", b"\r\n" + GET, b"GET / HTTP/2.0\r\n\r\n", b"x" * 99_999]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_what_follows_an_order_does_not_cost_it_its_answer(serving: Opened, garbage: bytes) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(ORDER + garbage)

        assert await client.hears() == [204]
        assert await client.is_refused() in {400, 414, 505}


async def test_the_last_answer_is_whole_although_what_follows_it_is_refused() -> None:
    large = b"x" * 10_000_000
    async with running(Says(large)) as server, connected(server.port) as client:
        await client.says(GET + b"\x16\x03\x01 hello\r\n\r\n")

        answers = (await client.rest()).split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in answers] == [b"200", b"400"]
        assert answers[0].endswith(large)


async def test_nothing_is_read_behind_a_request_that_closes_the_connection() -> None:
    echo = Echo()
    async with running(echo) as server, connected(server.port) as client:
        await client.says(GET[:-2] + b"Connection: close\r\n\r\n" + GET)

        assert (await client.rest()).count(b"HTTP/1.1 ") == 1
    assert len(echo.asked) == 1


# ── a client that sends nothing more ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("requests", [1, 3])
async def test_a_client_that_has_sent_its_last_byte_gets_its_answers(serving: Opened, requests: int) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(ORDER * requests)
        client.writer.write_eof()

        assert await client.hears(requests) == [204] * requests
        assert await client.rest() == b""


async def test_a_client_that_ends_while_its_answer_is_made_gets_it() -> None:
    echo = Echo()
    echo.may.clear()
    async with running(echo) as server, connected(server.port) as client:
        await client.says(GET + GET)
        await until(lambda: len(echo.asked) == 1)
        client.writer.write_eof()
        echo.may.set()

        assert await client.hears(2) == [200, 200]
        assert await client.rest() == b""


@pytest.mark.parametrize("cut", [1, len(SIZED), len(ORDER) - 1])
async def test_a_client_that_ends_in_the_middle_of_a_request_is_told(serving: Opened, cut: int) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(GET.replace(b"/a", b"/healthz") + ORDER[:cut])
        client.writer.write_eof()

        assert await client.hears() == [200]
        assert await client.is_refused() == 400


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


class Says(Echo):
    """Answers with this body and header."""

    def __init__(self, body: bytes = b"", value: str = "1") -> None:
        super().__init__()
        self._response = Response(200, (("X-Said", value),), body)

    def answer(self, _: RequestHead, __: bytes) -> Answer:
        return self._response if self.may.is_set() else asyncio.create_task(self._later(self._response))


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
    assert "unforeseen" in line.message


async def test_an_error_that_comes_later_is_told_as_the_application_tells_it() -> None:
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
