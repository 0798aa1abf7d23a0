"""HTTP/1.1 byte by byte, with applications that say what they were asked."""

import asyncio
from contextlib import suppress

import pytest

from expediter.embedded.web.asgi import (
    READ_ALL_THE_SAME,
    Message,
    Receive,
    Scope,
    Send,
)
from expediter.embedded.web.asgi_cycle import AsgiTurn
from expediter.embedded.web.http1 import UNREAD
from tests.embedded.web.conftest import Opened
from tests.embedded.web.wire import GET, asked, connected, echo, ok, running, until

pytestmark = pytest.mark.anyio

ORDER = b'{"user_id":"Burger_20","quantity":"3","restaurant_id":"Restaurant 4"}'
POST = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SIZED = POST + b"Content-Length: %d\r\n" % len(ORDER)


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cut", [1, len(SIZED), len(SIZED) + 2, len(SIZED) + 3, len(SIZED + ORDER) - 1])
async def test_an_order_may_come_in_two_pieces(serving: Opened, cut: int) -> None:
    whole = SIZED + b"\r\n" + ORDER
    async with serving() as served, connected(served.port) as client:
        await client.says(whole[:cut])
        await until(lambda: served.connections.held == cut)
        await client.says(whole[cut:])

        assert await client.hears() == [204]
        assert served.connections.held == 0


async def test_an_order_may_come_byte_by_byte_and_in_chunks() -> None:
    async with running(echo) as server, connected(server.port) as client:
        for (
            byte
        ) in b"PUT /a%20b?c=d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r":
            await client.says(bytes([byte]))
            await asyncio.sleep(0)

        assert await asked(client, b"\n") == "/a b|c=d|host transfer-encoding|hello"


@pytest.mark.parametrize(
    ("target", "path"), [(b"http://localhost/a?b#c", "/a|b"), (b"/a#b", "/a|"), (b"*", "*|"), (b"//a/b", "//a/b|")]
)
async def test_every_form_of_address_is_understood(target: bytes, path: str) -> None:
    async with running(echo) as server, connected(server.port) as client:
        answer = await asked(client, b"OPTIONS %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % target)

        assert answer.startswith(path + "|host")


@pytest.mark.parametrize("target", [b"/\xc3\xa9", b"/a?\xc3\xa9", b"a:b:c"])
async def test_an_address_that_is_none_is_refused(target: bytes) -> None:
    async with running(echo) as server, connected(server.port) as client:
        await client.says(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % target)

        assert (await client.rest()).startswith(b"HTTP/1.1 400 ")


async def test_headers_behind_a_body_are_not_shown() -> None:
    async with running(echo) as server, connected(server.port) as client:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

        assert await asked(client, head + b"0\r\nAuthorization: me\r\n\r\n") == "/||host transfer-encoding|"


async def test_who_asks_first_is_told_to_send_the_body(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(SIZED + b"Expect: 100-Continue\r\n\r\n")
        assert await client.head() == "http/1.1 100 continue\r\n\r\n"
        await client.says(ORDER)

        assert await client.hears() == [204]


async def test_who_asks_first_is_told_at_once_that_the_body_is_too_large(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(POST + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % (READ_ALL_THE_SAME + 1))

        assert (await client.rest()).startswith(b"HTTP/1.1 413 ")


async def test_what_the_application_leaves_unread_stops_the_reading_until_it_reads() -> None:
    go, size = asyncio.Event(), 1_500_000

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await echo(scope, receive, send)

    async with running(slow) as server, connected(server.port) as client:
        sending = asyncio.create_task(
            client.says(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
        )
        await until(lambda: len(server.connections) == 1 and not server.only._reading)
        (turn,) = server.only.turns
        assert isinstance(turn, AsgiTurn)
        assert UNREAD < len(turn.body) < size
        go.set()

        assert len(await asked(client, b"")) == len("/||content-length|") + size
        await sending


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "request_", [b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"]
)
async def test_the_connection_ends_with_the_answer_where_the_client_wants_that(request_: bytes) -> None:
    async with running(echo) as server, connected(server.port) as client:
        await client.says(request_)
        head, rest = await client.head(), await client.rest()

        assert head.startswith("http/1.1 200 ok\r\ndate: ")
        assert "\r\nconnection: close\r\n" in head
        assert rest.endswith(b"|connection|")


async def pieces(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for piece in (b"one", b"", b"twelve"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize(
    ("line", "body"),
    [
        (b"GET / HTTP/1.1", b"3\r\none\r\n6\r\ntwelve\r\n0\r\n\r\n"),
        (b"GET / HTTP/1.0", b"onetwelve"),
        (b"HEAD / HTTP/1.1", b""),
    ],
)
async def test_an_answer_of_unknown_length_is_sent_as_the_client_understands_it(line: bytes, body: bytes) -> None:
    async with running(pieces) as server, connected(server.port) as client:
        await client.says(line + b"\r\nConnection: close\r\n\r\n")
        head = await client.head()

        assert ("\r\ntransfer-encoding: chunked\r\n" in head) == body.endswith(b"0\r\n\r\n")
        assert await client.rest() == body


async def test_answers_come_in_the_order_of_the_requests() -> None:
    first = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/a":
            await first.wait()
        await echo(scope, receive, send)

    async with running(app) as server, connected(server.port) as client:
        await client.says(GET + GET.replace(b"/a", b"/b") + SIZED + b"\r\n" + ORDER[:9])
        await until(lambda: len(server.connections) == 1 and len(server.only.turns) == 3)
        first.set()

        assert (await asked(client, b"")).startswith("/a|")
        assert (await asked(client, b"")).startswith("/b|")
        assert (await asked(client, ORDER[9:])).endswith(ORDER.decode())


async def test_a_client_that_does_not_read_stops_the_application_until_he_reads() -> None:
    sent, size = [], 100_000

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(200):
            await send({"type": "http.response.body", "body": b"x" * size, "more_body": True})
            sent.append(number)
        await send({"type": "http.response.body"})

    async with running(app) as server, connected(server.port) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport reads too
        await client.says(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await until(lambda: len(server.connections) == 1 and server.only.full)
        assert len(sent) < 200
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]

        assert len(await client.rest()) > 200 * size
        assert len(sent) == 200


@pytest.mark.parametrize("writes", [True, False], ids=["writing", "waiting"])
async def test_the_application_hears_that_the_client_is_gone(writes: bool) -> None:
    heard: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        while writes and len(heard) < 1_000:
            await ok(send, b"x" * 100_000, more_body=True)
            heard.append({})
        heard.append(await receive())

    async with running(app) as server:
        async with connected(server.port) as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await client.says(GET)
            await until(lambda: len(server.connections) == 1 and server.only.full == writes and bool(server.only.turns))
        await until(lambda: heard[-1:] == [{"type": "http.disconnect"}])


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_that_breaks_off_is_seen_to_have_broken_off() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ZeroDivisionError

    async with running(app) as server, connected(server.port) as client:
        await client.says(GET)

        assert (await client.rest()).endswith(b"\r\n\r\n4\r\nhalf\r\n")


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: b", b"a\nSet-Cookie: b", b"a\rb"])
async def test_a_header_with_a_line_break_is_never_sent(value: bytes) -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"location", value)]})
        await send({"type": "http.response.body"})

    async with running(app) as server, connected(server.port) as client:
        await client.says(GET)

        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"ookie" not in answer


async def test_a_websocket_does_not_begin_behind_a_request_under_way(serving: Opened) -> None:
    upgrade = b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
    async with serving() as served, connected(served.port) as client:
        await client.says(b"GET /console/live/orders HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await client.hears() == [200]
        await client.says(upgrade)
        await client.rest()

        await until(lambda: len(served.connections) == 0)


async def test_a_server_that_stops_answers_what_is_under_way_and_closes_the_rest() -> None:
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await echo(scope, receive, send)

    async with running(app) as server, connected(server.port) as idle, connected(server.port) as busy:
        await busy.says(GET + GET)
        await until(lambda: any(len(it.turns) == 2 for it in server.connections._open))  # type: ignore[attr-defined]
        server.server.should_exit = True
        assert await idle.rest() == b""
        go.set()

        assert (await asked(busy, b"")).startswith("/a|")
        assert "\r\nconnection: close\r\n" in await busy.head()
        with suppress(asyncio.IncompleteReadError):
            assert (await busy.rest()).startswith(b"/a|")
