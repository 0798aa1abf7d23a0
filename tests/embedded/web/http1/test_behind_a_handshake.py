"""Bytes behind the handshake of a websocket, before it is answered: RFC 6455 (4.1) has the client wait."""

import pytest

from expediter.embedded.web.asgi import Receive, Scope, Send
from tests.embedded.web.wire import Echo, connected, running, until

pytestmark = pytest.mark.anyio

KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.mark.parametrize("key", [KEY, b""])
@pytest.mark.parametrize("behind", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\xff\xff\xff\xff", b"\x83\xff"])
async def test_they_are_refused_with_400_and_the_connection_is_closed(key: bytes, behind: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + key + b"\r\n"
    echo = Echo()
    async with running(echo) as server, connected(server.port) as client:
        await client.says(head + behind)
        assert (await client.rest()).startswith(b"HTTP/1.1 400 ")
    assert echo.asked == []


class Slow(Echo):
    """Answers a handshake once it ``may``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send, /) -> None:
        self.asked.append((scope["path"], b""))
        await self.may.wait()
        await send({"type": "websocket.accept"})


async def test_text_that_is_not_utf_8_before_the_handshake_is_answered_is_no_error_of_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + KEY + b"\r\n"
    slow = Slow()
    slow.may.clear()
    async with running(slow) as server, connected(server.port) as client:
        await client.says(head)
        await until(lambda: bool(slow.asked))
        await client.says(b"\x81\x82\0\0\0\0\xff\xfe")
        assert (await client.rest()).startswith(b"HTTP/1.1 400 ")
        slow.may.set()
    assert not caplog.records
