"""HTTP/1.1 byte by byte: what is read, in which order it is answered, and what ends a connection."""

import asyncio
import inspect

import pytest

from expediter.embedded.web.http1.request_cycle import Answer
from expediter.embedded.web.http1.request_head import LARGEST_BODY, RequestHead
from tests.embedded.web.conftest import Opened
from tests.embedded.web.wire import DRAFT, GET, ORDER, POST, SIZED, Echo, Says, asked, connected, running, until

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
