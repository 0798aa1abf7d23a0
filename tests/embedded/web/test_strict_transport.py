"""Behind a trusted proxy with TLS every answer has Strict-Transport-Security (RFC 6797), whoever makes it."""

import pytest

from expediter.embedded.web import connections as bounds
from tests.embedded.web.conftest import Opened
from tests.embedded.web.http1.test_strictness import GRAPHQL, HANDSHAKE, head
from tests.embedded.web.wire import connected, until

pytestmark = pytest.mark.anyio

TLS = b"X-Forwarded-Proto: https"
LINE = "\r\nstrict-transport-security: max-age=31536000\r\n"
ORDER = b"POST /orders HTTP/1.1"
SIZED = b"Content-Length: 70000"
#: What is sent, and the status of the answer.
REFUSED: dict[str, tuple[bytes, int]] = {
    "a body that is too large": (head(ORDER, TLS, SIZED), 413),
    "a chunk that is too large": (head(ORDER, TLS, b"Transfer-Encoding: chunked") + b"11171\r\n", 413),
    "a chunk that is none": (head(ORDER, TLS, b"Transfer-Encoding: chunked") + b"x\r\n", 400),
    "a line that is no header": (head(b"GET / HTTP/1.1", b"X", TLS), 400),
    "another version of HTTP": (head(b"GET / HTTP/2.0", TLS), 505),
    "an address that is too long": (head(b"GET /%b HTTP/1.1" % (b"x" * 8_193), TLS), 414),
    "headers without an end": (head(b"GET / HTTP/1.1", TLS, b"X: " + b"x" * 25_000)[:-2], 431),
    "no path": (head(b"GET /none HTTP/1.1", TLS), 404),
    "a handshake": (head(GRAPHQL, TLS, *HANDSHAKE), 101),
    "a handshake without a key": (head(GRAPHQL, TLS, *HANDSHAKE[:3]), 400),
    "a handshake of another version": (head(GRAPHQL, TLS, *HANDSHAKE[:2], b"Sec-WebSocket-Version: 8"), 426),
    "a handshake from elsewhere": (head(GRAPHQL, TLS, *HANDSHAKE, b"Origin: https://evil.example"), 403),
    "a handshake with bytes behind it": (head(GRAPHQL, TLS, *HANDSHAKE) + b"\xff\xff\xff\xff", 400),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
async def test_every_answer_over_tls_has_it_once(serving: Opened, sent: bytes, status: int) -> None:
    async with serving(TRUSTED_PROXIES="127.0.0.1") as served, connected(served.port) as client:
        await client.says(sent)
        answer = await client.head()

    assert (int(answer.split()[1]), answer.count(LINE)) == (status, 1)


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
async def test_no_answer_has_it_where_the_proxy_is_not_trusted(serving: Opened, sent: bytes, status: int) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(sent)
        answer = await client.head()

    assert (int(answer.split()[1]), answer.count(LINE)) == (status, 0)


@pytest.mark.parametrize(
    "part", [head(b"GET / HTTP/1.1", TLS)[:-2], head(ORDER, TLS, SIZED.replace(b"7", b"1"))], ids=["head", "body"]
)
async def test_half_a_request_that_is_refused_has_it_too(
    serving: Opened, part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(TRUSTED_PROXIES="127.0.0.1") as served, connected(served.port) as ended:
        await ended.says(part)
        ended.writer.write_eof()
        answers = [await ended.head()]
        async with connected(served.port) as slow:
            await slow.says(part)
            await until(lambda: served.connections.held > 0)
            monkeypatch.setattr(bounds, "PATIENCE", -1.0)
            served.connections.sweep()
            answers.append(await slow.head())

    assert [(int(answer.split()[1]), answer.count(LINE)) for answer in answers] == [(400, 1), (408, 1)]
