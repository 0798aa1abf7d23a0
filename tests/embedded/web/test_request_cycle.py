"""Requests that a door answers, beside those that an application answers."""

import asyncio
import inspect
import logging

import pytest

from expediter.api.request import Response
from expediter.embedded.web.asgi import (
    LARGEST_BODY,
    Answer,
    Asked,
    Receive,
    Scope,
    Send,
)
from expediter.embedded.web.connections import AHEAD
from tests.embedded.web.wire import GET, asked, connected, echo, running, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop that the server runs on: it reads, and writes, at other moments than asyncio's own."""
    return "asyncio", {"use_uvloop": True}


class Says:
    """A door that answers everything but what is asked under /app, once it may; with this header and body. It answers
    at once when it may already, unless /later is asked for.
    """

    def __init__(self, value: str = "1", body: bytes = b"door") -> None:
        self.may = asyncio.Event()
        self.may.set()
        #: How deep in calls it was asked.
        self.depths: set[int] = set()
        self._response = Response(200, (("X-Said", value),), body)

    def answers(self, path: str) -> bool:
        return path != "/app"

    def answer(self, asked: Asked, body: bytes) -> Answer:
        self.depths.add(len(inspect.stack(0)))
        if asked.path == "/fails":
            raise ZeroDivisionError
        if asked.path == "/later" or not self.may.is_set():
            return asyncio.create_task(self._later(asked))
        return self._response

    def refusal(self, error: BaseException, /) -> Response:
        return Response(418, (), str(error).encode())

    async def _later(self, asked: Asked) -> Response:
        await self.may.wait()
        if asked.query:
            raise ValueError(asked.query.decode())
        return self._response


async def test_a_whole_request_is_the_door_s_and_any_other_the_application_s() -> None:
    put = b"PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    async with running(echo, Says()) as server, connected(server.port) as client:
        assert await asked(client, put + b"ab") == "door"
        assert await asked(client, GET.replace(b"/a", b"/app")) == "/app||host|"
        await client.says(put + b"a")
        await until(lambda: bool(server.only.turns))
        assert await asked(client, b"b") == "/b||host content-length|ab"
        large = b"x" * (LARGEST_BODY + 1)
        server.only.data_received(put.replace(b"2\r\n\r\n", b"%d\r\n\r\n" % len(large)) + large)  # in one piece
        assert (await asked(client, b"")).startswith("/b|")


async def test_the_door_s_answers_come_in_turn_with_the_application_s() -> None:
    door = Says()
    door.may.clear()
    async with running(echo, door) as server, connected(server.port) as client:
        await client.says(GET + GET.replace(b"/a", b"/app") + GET)
        await until(lambda: len(server.connections) == 1 and len(server.only.turns) == 3)
        door.may.set()

        assert [await asked(client, b"") for _ in range(3)] == ["door", "/app||host|", "door"]


async def test_requests_sent_ahead_are_answered_one_after_the_other_and_not_one_within_the_other() -> None:
    door = Says()
    async with running(echo, door) as server, connected(server.port) as client:
        await client.says(GET * AHEAD)
        assert await client.hears(AHEAD) == [200] * AHEAD

        assert max(door.depths) < min(door.depths) + AHEAD // 2


@pytest.mark.parametrize(("version", "statuses"), [(b"1.1", [b"200", b"400"]), (b"1.0", [b"200"])])
async def test_what_is_no_http_leaves_the_request_before_it_its_answer(version: bytes, statuses: list[bytes]) -> None:
    large = b"x" * 10_000_000
    async with running(echo, Says(body=large)) as server, connected(server.port) as client:
        await client.says(b"GET /a HTTP/%b\r\nConnection: keep-alive\r\n\r\n\x16\x03\x01 hello\r\n\r\n" % version)

        answers = (await client.rest()).split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in answers] == statuses


async def test_who_is_told_an_error_later_gets_the_door_s_answer_to_it() -> None:
    async with running(echo, Says()) as server, connected(server.port) as client:
        await client.says(GET.replace(b"/a", b"/later?too-hot") + GET)
        head = await client.head()
        assert (head[:12], await client.reader.readexactly(7)) == ("http/1.1 418", b"too-hot")

        assert await asked(client, b"") == "door"


async def test_who_is_there_when_the_server_stops_is_answered_or_sees_that_he_will_not_be() -> None:
    door = Says()
    async with running(echo, door) as server, connected(server.port) as client, connected(server.port) as later:
        door.may.clear()
        await client.says(GET)
        await until(lambda: len(server.server.server_state.tasks) == 1)
        server.server.should_exit = True
        assert (await later.rest()) == b""
        door.may.set()
        head = await client.head()

        assert head.startswith("http/1.1 200")
        assert "\r\nconnection: close\r\n" in head
        assert await client.rest() == b"door"


async def test_who_would_be_waited_for_too_long_when_the_server_stops_sees_that_there_is_no_answer() -> None:
    door = Says()
    door.may.clear()
    async with running(echo, door) as server, connected(server.port) as client:
        await client.says(GET)
        await until(lambda: len(server.server.server_state.tasks) == 1)
        server.server.should_exit = True

        assert (await client.rest()).startswith(b"HTTP/1.1 500 ")


async def test_a_door_s_answer_to_head_has_no_body_and_closes_where_that_was_asked() -> None:
    async with running(echo, Says()) as server, connected(server.port) as client:
        await client.says(b"HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head = await client.head()

        assert "\r\nx-said: 1\r\ncontent-length: 4\r\nconnection: close\r\n" in head
        assert await client.rest() == b""


async def test_a_client_that_does_not_read_stops_the_door_until_he_reads() -> None:
    size = 1_000_000
    async with running(echo, Says(body=b"x" * size)) as server, connected(server.port) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport reads too
        await client.says(GET * 20)
        await until(lambda: len(server.connections) == 1 and server.only.full)
        assert server.only.transport.get_write_buffer_size() < 3 * size
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]

        assert [len(await asked(client, b"")) for _ in range(20)] == [size] * 20


async def test_a_door_s_answer_to_who_is_gone_is_for_nobody() -> None:
    door = Says()
    door.may.clear()
    async with running(echo, door) as server:
        async with connected(server.port) as client:
            await client.says(GET)
            await until(lambda: len(server.server.server_state.tasks) == 1)
        await until(lambda: len(server.connections) == 0)
        door.may.set()
        await until(lambda: not server.server.server_state.tasks)


async def test_a_door_s_answer_that_waits_for_a_reader_who_goes_away_is_for_nobody() -> None:
    async with running(echo, Says(body=b"x" * 10_000_000)) as server:
        async with connected(server.port) as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await client.says(GET * 2)
            await until(lambda: len(server.server.server_state.tasks) == 1)
        await until(lambda: len(server.connections) == 0)
        await until(lambda: not server.server.server_state.tasks)


@pytest.mark.parametrize("door", [Says("a\r\nSet-Cookie: b"), Says("a\nSet-Cookie: b"), Says("a\rb")])
async def test_a_door_s_header_with_a_line_break_is_never_sent(door: Says) -> None:
    async with running(echo, door) as server, connected(server.port) as client:
        await client.says(GET)

        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"ookie" not in answer


@pytest.mark.parametrize("request_", [GET.replace(b"/a", b"/app"), GET.replace(b"/a", b"/fails")])
async def test_who_fails_is_answered_for(request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def app(_: Scope, __: Receive, ___: Send) -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR, "expediter.http"):
        async with running(app, Says()) as server, connected(server.port) as client:
            await client.says(request_)

            answer = await client.rest()
            assert answer.startswith(b"HTTP/1.1 500 ")
            assert b"connection: close" in answer
    (line,) = caplog.records
    assert "nobody foresaw" in line.message
