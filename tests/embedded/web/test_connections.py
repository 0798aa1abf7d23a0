"""What a connection may do: be slow, silent, endless, impatient or deaf, and none of it stops another."""

import asyncio
from contextlib import suppress

import msgspec
import pytest
import websockets

from expediter.embedded.web import app
from expediter.embedded.web import connections as bounds
from expediter.embedded.web.connections import PATIENCE, FairQueue, Waiting
from expediter.embedded.web.console import handlers, responses
from expediter.embedded.web.http1.request_head import LARGEST_HEADERS, LONGEST_ADDRESS, MOST_HEADERS
from expediter.embedded.web.serving import SocketConnection
from tests.embedded.web.conftest import PLAIN, Opened, Served
from tests.embedded.web.wire import connected, until

pytestmark = pytest.mark.anyio

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
#: An answer of some kilobytes.
BIG = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
STREAM = b"GET /console/live/orders HTTP/1.1\r\nHost: localhost\r\n\r\n"


def time_passes(served: Served) -> None:
    """As if everybody had owed the server something for as long as is allowed, and a little longer."""
    for connection in served.connections._owing:
        served.connections._owing[connection] -= PATIENCE + 1
    served.connections.sweep()


def owing(served: Served) -> int:
    return len(served.connections._owing)


async def test_a_request_that_never_becomes_whole_is_answered_408(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as head, connected(served.port) as body:
        await head.says(GET[:20])
        await body.says(POST + b"{")
        await until(lambda: served.connections.held == 20 + len(POST) + 1)
        time_passes(served)

        for slow in (head, body):
            answer = await slow.rest()
            assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            assert b"RequestTooSlow" in answer
        await until(lambda: len(served.connections) == 0)
        assert served.connections.held == 0
        assert (await served.client.post("/orders", json=PLAIN)).status_code == 204


async def test_the_rest_of_a_request_that_was_sent_ahead_is_owed_once_its_turn_has_come(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(GET + POST + b"{")
        assert await client.hears() == [200]
        assert owing(served) == 1
        time_passes(served)

        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")


async def test_who_waits_in_our_queue_is_not_called_slow_and_has_all_the_time_for_the_rest(
    serving: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue stands still: no request has its turn but by this test."""
    queued: list[Waiting] = []
    monkeypatch.setattr(FairQueue, "take", lambda *_: False)
    monkeypatch.setattr(FairQueue, "wait", lambda _, __, connection: queued.append(connection))
    async with serving() as served, connected(served.port) as whole, connected(served.port) as half:
        await whole.says(GET)
        await until(lambda: len(queued) == 1)
        await half.says(POST + b"{")
        await until(lambda: len(queued) == 2)
        time_passes(served)
        for connection in queued:
            connection.turn()
        served.connections.sweep()
        assert await whole.hears() == [200]
        assert len(served.connections) == 2
        time_passes(served)
        assert (await half.rest()).startswith(b"HTTP/1.1 408 ")


async def test_a_silent_connection_is_closed_without_an_answer(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(GET)
        assert await client.hears() == [200]
        time_passes(served)

        assert await client.rest() == b""


async def test_who_is_waiting_for_us_is_not_given_up(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as page:
        await page.says(STREAM)
        assert await page.hears() == [200]
        time_passes(served)
        await page.says(b"")

        assert owing(served) == 0
        assert len(served.connections) == 1


async def test_head_of_a_live_page_ends_with_its_head(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as page:
        await page.says(STREAM.replace(b"GET", b"HEAD") + GET)

        assert "content-type: text/event-stream" in await page.head()
        assert await page.hears() == [200]
        assert served.app._console._streams == 0


async def test_a_live_page_ends_when_its_client_sends_nothing_more(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as page:
        await page.says(STREAM)
        assert await page.hears() == [200]
        page.writer.write_eof()
        await page.rest()

        await until(lambda: not served.app._console._streams and not len(served.connections))


async def test_who_does_not_read_what_was_sent_to_him_is_cut_off_although_he_asks_for_more(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as deaf:
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport reads too
        async with asyncio.timeout(30):
            while not any(it.full for it in served.connections._owing):  # type: ignore[attr-defined]
                await deaf.says(BIG)
                await asyncio.sleep(0)
        with suppress(ConnectionError):
            await deaf.says(GET)
        assert owing(served) == 1
        time_passes(served)

        await until(lambda: len(served.connections) == 0)


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: 1\r\n" % number for number in range(MOST_HEADERS + 1)),
        b"X: " + b"x" * (LARGEST_HEADERS + LONGEST_ADDRESS + 1),
        b"X" * (LARGEST_HEADERS + LONGEST_ADDRESS + 1),
    ],
    ids=["many", "endless value", "endless name"],
)
async def test_a_head_that_is_too_large_is_refused_before_it_is_whole(serving: Opened, head: bytes) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(GET[:-2] + head)

        assert (await client.rest()).startswith(b"HTTP/1.1 431 ")


async def test_headers_behind_the_body_are_counted_too(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(POST.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked") + b"0\r\n")
        await client.says(b"".join(b"X-%d: 1\r\n" % number for number in range(MOST_HEADERS + 1)) + b"\r\n")

        assert await client.is_refused() == 431
        await until(lambda: len(served.connections) == 0)


async def test_a_body_without_an_end_is_refused(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(POST.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked"))
        with suppress(ConnectionError):
            for _ in range(300):
                await client.says(b"2000\r\n" + b" " * 0x2000 + b"\r\n")

        assert (await client.rest()).startswith((b"HTTP/1.1 413 ", b""))
        await until(lambda: len(served.connections) == 0)


async def test_what_is_no_http_is_a_problem(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(b"\x16\x03\x01 hello\r\n\r\n")

        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"RequestUnparsable" in answer


async def test_a_stream_ends_with_its_connection_although_another_request_waits_behind_it(
    serving: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "HEARTBEAT", 0.05)  # while requests wait nothing is read, not even the end
    async with serving() as served:
        async with connected(served.port) as page:
            await page.says(STREAM)
            assert await page.hears() == [200]
            await page.says(GET)
            await until(lambda: any(it._buffer for it in served.connections._open))  # type: ignore[attr-defined]
        await until(lambda: not served.app._console._streams)


async def test_when_there_is_no_room_the_connection_that_owes_us_longest_makes_room(serving: Opened) -> None:
    async with serving(most=2) as served, connected(served.port) as oldest:
        await oldest.says(GET)
        assert await oldest.hears() == [200]
        async with connected(served.port) as older, connected(served.port) as newest:
            await newest.says(GET)
            assert await newest.hears() == [200]

            assert await oldest.rest() == b""
            await older.says(GET)
            assert await older.hears() == [200]


async def test_when_all_are_busy_the_newest_connection_is_told_to_come_again(serving: Opened) -> None:
    async with serving(most=1) as served, connected(served.port) as page:
        await page.says(STREAM)
        assert await page.hears() == [200]
        async with connected(served.port) as newest:
            answer = await newest.rest()

    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nretry-after: 1\r\n" in answer
    assert b"TooBusy" in answer


async def test_requests_that_are_not_whole_hold_so_many_bytes_in_all(
    serving: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "HELD", 3 * len(POST))
    async with serving() as served, connected(served.port) as first, connected(served.port) as second:
        await first.says(POST + b"{")
        await until(lambda: served.connections.held > 0)
        await second.says(POST + b" " * len(POST) + b" ")

        assert (await first.rest()).startswith(b"HTTP/1.1 503 ")
        await until(lambda: served.connections.held == 2 * len(POST) + 1)


async def test_a_websocket_that_only_sends_is_cut_off(serving: Opened) -> None:
    async with serving() as served:
        url = f"ws://127.0.0.1:{served.port}/graphql"
        async with websockets.connect(url, subprotocols=["graphql-transport-ws"], ping_interval=None) as socket:  # type: ignore[list-item]
            (connection,) = [it for it in served.connections._open if isinstance(it, SocketConnection)]
            await socket.send('{"type": "connection_init"}')
            assert await socket.recv() == '{"type":"connection_ack"}'
            assert owing(served) == 0
            connection.pause_writing()  # what uvicorn is told when its answers pile up
            assert connection.transport.is_reading() is False
            connection.resume_writing()
            assert (owing(served), connection.transport.is_reading()) == (0, True)
            connection.pause_writing()
            time_passes(served)
            await socket.wait_closed()
        await until(lambda: len(served.connections) == 0)


async def test_a_websocket_owes_us_its_greeting_whatever_it_reads(serving: Opened) -> None:
    async with serving() as served:
        url = f"ws://127.0.0.1:{served.port}/graphql"
        async with websockets.connect(url, subprotocols=["graphql-transport-ws"], ping_interval=None) as socket:  # type: ignore[list-item]
            (connection,) = [it for it in served.connections._open if isinstance(it, SocketConnection)]
            assert owing(served) == 1
            connection.pause_writing()
            connection.resume_writing()
            assert owing(served) == 1
            time_passes(served)
            await socket.wait_closed()


async def test_there_is_a_bound_to_websockets_and_to_live_pages(
    serving: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "MOST_SOCKETS", 1)
    monkeypatch.setattr(handlers, "MOST_STREAMS", 1)
    async with serving() as served, connected(served.port) as first, connected(served.port) as second:
        url = f"ws://127.0.0.1:{served.port}/graphql"
        async with websockets.connect(url, subprotocols=["graphql-transport-ws"]):  # type: ignore[list-item]
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(url, subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"] == "1"
        assert b"expediter_requests_shed_total 1.0" in served.home.metrics()
        async with websockets.connect(url, subprotocols=["graphql-transport-ws"]):  # type: ignore[list-item]
            pass

        await first.says(STREAM)
        assert await first.hears() == [200]
        await second.says(STREAM)
        assert await second.hears() == [503]


async def test_while_the_loop_is_seconds_late_reads_are_refused_too_but_not_the_probes(serving: Opened) -> None:
    async with serving() as served:
        served.app.late = app.TOO_LATE + 0.1
        refused = await served.client.get("/orders")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert msgspec.json.decode(refused.content)["error"] == "TooBusy"
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await served.client.get(path)).status_code == 200
        assert b"expediter_requests_shed_total 1.0" in served.home.metrics()

        served.app.late = 0
        assert (await served.client.get("/orders")).status_code == 200
