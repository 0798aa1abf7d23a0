"""Bytes behind the handshake of a websocket, before it is answered: RFC 6455 (4.1) has the client wait."""

import pytest

from tests.embedded.web.wire import Echo, connected, running

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
