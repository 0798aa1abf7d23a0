"""The HTTP/1.1 client, against a server that sends exactly the bytes of each test."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import pytest
from msgspec import structs

from expediter.app.gateways import MAX_ANSWER, HttpRequest, HttpResponse, NoAnswer
from expediter.embedded.engine.http_client import HttpClient, Limits

T = TypeVar("T")
GET = HttpRequest("GET", "/charges/o1%2Fcharge", {"Idempotency-Key": "o1/charge"})
POST = HttpRequest("POST", "/charges", {"Idempotency-Key": "o1/charge"}, b'{"amount": 850}')
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OK = HttpResponse(200, b"ok")
PATIENT = Limits()
BRIEF = Limits(answer=0.2)


class Closing(NamedTuple):
    """An answer after which the server closes the connection."""

    data: bytes


class Server:
    """Says to each request the next thing in its script, and keeps the connection open."""

    def __init__(self, *script: bytes | Closing) -> None:
        self._script = list(script)
        self.requests: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.ends: list[asyncio.Event] = []
        self.asked = asyncio.Event()

    @property
    def connections(self) -> int:
        return len(self.writers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = asyncio.Event()
        self.writers.append(writer)
        self.ends.append(end)
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()
            end.set()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await _request(reader):
            self.requests.append(request)
            self.asked.set()
            answer = self._script.pop(0)
            writer.write(answer.data if isinstance(answer, Closing) else answer)
            if isinstance(answer, Closing):
                return


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    length = re.search(rb"Content-Length: (\d+)", head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


def talking(server: Server, do: Callable[[HttpClient], Awaitable[T]], limits: Limits = PATIENT, path: str = "") -> T:
    """What ``do`` gives with a client of the server."""

    async def main() -> T:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
            client = HttpClient(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}{path}", limits)
            try:
                return await do(client)
            finally:
                await client.aclose()
                for end in server.ends:
                    await end.wait()

    return asyncio.run(main())


def ask(said: bytes | Closing, limits: Limits = PATIENT) -> HttpResponse:
    return talking(Server(said), lambda client: send(client, GET), limits)


async def send(client: HttpClient, request: HttpRequest) -> HttpResponse:
    """The response without its headers, which are as the server wrote them."""
    return structs.replace(await client.send(request), headers={})


async def both(client: HttpClient) -> list[HttpResponse]:
    return [await send(client, POST), await send(client, GET)]


# ── the request ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_request_goes_out_as_it_was_written_below_the_path_of_the_url() -> None:
    server = Server(FINE)

    talking(server, lambda client: client.send(POST), path="/v1")

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /v1/charges HTTP/1.1"
    assert re.fullmatch(rb"Host: 127\.0\.0\.1:\d+", lines[1])
    assert b"Idempotency-Key: o1/charge" in lines
    assert body == POST.body


def test_a_quoted_path_stays_quoted() -> None:
    server = Server(FINE)

    talking(server, lambda client: client.send(GET))

    assert server.requests[0].startswith(b"GET /charges/o1%2Fcharge HTTP/1.1\r\n")


@pytest.mark.parametrize("value", ["o1\r\nX-Evil: 1", "o1\n"])
def test_nothing_can_be_smuggled_into_a_header(value: str) -> None:
    server = Server(FINE)

    with pytest.raises(ValueError, match="header injection"):
        talking(server, lambda client: client.send(HttpRequest("GET", "/", {"Idempotency-Key": value})))

    assert server.requests == []


# ── the answer ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "response"),
    [
        (FINE, OK),
        (b"HTTP/1.1 204 No Content\r\n\r\n", HttpResponse(204, b"")),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", HttpResponse(500, b"")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", OK),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + FINE, OK),
        (Closing(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nok"), OK),
        (Closing(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), OK),
    ],
    ids=repr,
)
def test_an_answer_is_read_to_its_end_however_that_is_marked(said: bytes | Closing, response: HttpResponse) -> None:
    assert ask(said) == response


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    server = Server(b"HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    assert talking(server, lambda client: client.send(POST)).status == 307
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "said",
    [
        Closing(b""),
        Closing(b"HTTP/1.1 200 OK\r\nContent-Le"),
        Closing(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"),
        Closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"),
        Closing(b"HTTP/1.1 100 Continue\r\n\r\n"),
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"x" * (MAX_ANSWER + 1),
        b"HTTP/1.1 200 OK\r\nX-Endless: " + b"x" * (MAX_ANSWER + 1),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_an_answer_that_is_not_complete_is_none(said: bytes | Closing) -> None:
    with pytest.raises(NoAnswer):
        ask(said)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"])
def test_an_answer_that_does_not_come_in_time_is_none(said: bytes) -> None:
    with pytest.raises(NoAnswer, match=r"nothing came in 0\.2 seconds"):
        ask(said, BRIEF)


def test_a_request_is_never_sent_twice() -> None:
    server = Server(Closing(b""), FINE)

    with pytest.raises(NoAnswer):
        talking(server, lambda client: client.send(POST))

    assert len(server.requests) == 1


# ── connections ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_connection_is_used_again() -> None:
    server = Server(FINE, FINE)

    assert talking(server, both) == [OK, OK]
    assert server.connections == 1


def test_a_connection_that_the_server_wants_closed_is_not_used_again() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", FINE)

    assert talking(server, both) == [OK, OK]
    assert server.connections == 2


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    async def later(client: HttpClient) -> list[HttpResponse]:
        first = await send(client, POST)
        await server.writers[0].wait_closed()
        for _ in range(10):  # turns of the loop, in one of which the client sees the end
            await asyncio.sleep(0)
        return [first, await send(client, GET)]

    server = Server(Closing(FINE), FINE)
    assert talking(server, later) == [OK, OK]
    assert server.connections == 2


def test_what_a_server_says_unasked_is_nobodys_answer() -> None:
    async def later(client: HttpClient) -> list[HttpResponse]:
        first = await send(client, POST)
        server.writers[0].write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await server.ends[0].wait()  # the client hung up
        return [first, await send(client, GET)]

    server = Server(FINE, FINE)
    assert talking(server, later) == [OK, OK]
    assert server.connections == 2


def test_a_call_that_was_given_up_leaves_no_answer_behind_for_the_next() -> None:
    async def impatient(client: HttpClient) -> HttpResponse:
        given_up = asyncio.create_task(send(client, POST))
        await server.asked.wait()
        given_up.cancel()
        await asyncio.wait([given_up])
        return await send(client, GET)

    server = Server(b"", FINE)
    assert talking(server, impatient) == OK
    assert server.connections == 2


def test_a_closed_port_is_no_answer() -> None:
    async def refused(_: HttpClient) -> HttpResponse:
        return await _once("http://127.0.0.1:1")

    with pytest.raises(NoAnswer):
        talking(Server(), refused)


def test_a_server_without_tls_gives_no_answer_to_https() -> None:
    async def encrypted(client: HttpClient) -> HttpResponse:
        return await _once(client.url.replace("http:", "https:"))

    with pytest.raises(NoAnswer):
        talking(Server(Closing(FINE)), encrypted)


async def _once(url: str) -> HttpResponse:
    client = HttpClient(url, BRIEF)
    try:
        return await send(client, GET)
    finally:
        await client.aclose()
