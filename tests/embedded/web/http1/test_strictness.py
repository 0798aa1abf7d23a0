"""What is not plain HTTP/1.1 is refused, and nothing behind it is ever taken for a request."""

import asyncio

import pytest

from tests.embedded.web.conftest import Opened
from tests.embedded.web.http1.feeding import Feeder
from tests.embedded.web.wire import GET, connected, until

pytestmark = pytest.mark.anyio

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


def head(first: bytes = b"POST /healthz HTTP/1.1", *lines: bytes, host: bytes = b"Host: localhost") -> bytes:
    return b"".join(b"%b\r\n" % line for line in (first, host, *lines) if line) + b"\r\n"


# ── Upgrade (RFC 9110 7.8) ────────────────────────────────────────────────────────────────────────────────────────

UPGRADES = [b"Upgrade: x", b"Upgrade: h2c", b"Upgrade: TLS/1.0, h2c", b"Upgrade: websocket", b"Upgrade:"]
CONNECTIONS = [b"Connection: Upgrade", b"Connection: Upgrade, HTTP2-Settings", b"Connection: keep-alive, upgrade", b""]


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("pieces", [1, 2])
async def test_the_body_of_a_request_with_an_upgrade_is_never_a_request(
    upgrade: bytes, connection: bytes, pieces: int
) -> None:
    first = head(b"POST /healthz HTTP/1.1", connection, upgrade, b"Content-Length: %d" % len(SMUGGLED))
    seen = Feeder().feed([first, SMUGGLED + GET] if pieces == 2 else [first + SMUGGLED + GET])

    assert seen.requests == [("POST /healthz", SMUGGLED), ("GET /a", b"")]
    assert seen.answers.count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize("upgrade", UPGRADES)
async def test_a_body_in_chunks_of_a_request_with_an_upgrade_is_never_a_request(upgrade: bytes) -> None:
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    first = head(b"PUT /b HTTP/1.1", b"Connection: Upgrade", upgrade, b"Transfer-Encoding: chunked")
    seen = Feeder().feed([first + chunked + GET])

    assert seen.requests == [("PUT /b", SMUGGLED), ("GET /a", b"")]


@pytest.mark.parametrize("upgrade", UPGRADES[:3])
async def test_a_request_behind_a_get_with_an_upgrade_is_answered(upgrade: bytes) -> None:
    seen = Feeder().feed([head(b"GET / HTTP/1.1", b"Connection: Upgrade", upgrade) + GET])

    assert seen.requests == [("GET /", b""), ("GET /a", b"")]


# ── what is refused ───────────────────────────────────────────────────────────────────────────────────────────────

REFUSED: dict[str, tuple[bytes, int]] = {
    # the first line
    "an empty line before it": (b"\r\n" + head(), 400),
    "a space before it": (b" " + head(), 400),
    "no version": (head(b"GET /"), 400),
    "two spaces": (head(b"GET  / HTTP/1.1"), 400),
    "a tab": (head(b"GET\t/ HTTP/1.1"), 400),
    "a space behind it": (head(b"GET / HTTP/1.1 "), 400),
    "HTTP/2.0": (head(b"GET / HTTP/2.0"), 505),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/1.2": (head(b"GET / HTTP/1.2"), 505),
    "HTTP/0.9": (head(b"GET / HTTP/0.9"), 505),
    "HTTP/1.10": (head(b"GET / HTTP/1.10"), 400),
    "http/1.1": (head(b"GET / http/1.1"), 400),
    "a method that is no word": (head(b"G@T / HTTP/1.1"), 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "CONNECT to a host": (head(b"CONNECT localhost:80 HTTP/1.1"), 400),
    "CONNECT to a path": (head(b"CONNECT /a HTTP/1.1"), 400),
    # the address
    "a fragment": (head(b"GET /a#b HTTP/1.1"), 400),
    "no slash": (head(b"GET a HTTP/1.1"), 400),
    "a star for GET": (head(b"GET * HTTP/1.1"), 400),
    "another scheme": (head(b"GET ftp://localhost/ HTTP/1.1"), 400),
    "bytes beyond ASCII": (head(b"GET /\xc3\xa9 HTTP/1.1"), 400),
    "a NUL": (head(b"GET /\x00 HTTP/1.1"), 400),
    "another host": (head(b"GET http://evil.example/ HTTP/1.1"), 400),
    "another host, with a user": (head(b"GET http://localhost@evil.example/ HTTP/1.1"), 400),
    # Host
    "no Host": (head(host=b""), 400),
    "two Hosts": (head(b"GET / HTTP/1.1", b"Host: localhost"), 400),
    "two other Hosts": (head(b"GET / HTTP/1.1", b"host: evil.example"), 400),
    "an empty Host": (head(host=b"Host:"), 400),
    "a Host with a user": (head(host=b"Host: localhost:80@evil.example"), 400),
    "a Host with a path": (head(host=b"Host: localhost/a"), 400),
    "a Host behind an address": (head(host=b"Host: [::1].evil.example"), 400),
    "a Host with a port that is not a number": (head(host=b"Host: localhost:x"), 400),
    "two names in one Host": (head(host=b"Host: localhost, localhost"), 400),
    "no Host beside an address with one": (head(b"GET http://localhost/ HTTP/1.1", host=b""), 400),
    "no Host in HTTP/1.0 beside an address with one": (head(b"GET http://localhost/ HTTP/1.0", host=b""), 400),
    # headers
    "a folded line": (head(b"GET / HTTP/1.1", b"X: a", b" b"), 400),
    "a space before the colon": (head(b"GET / HTTP/1.1", b"X : a"), 400),
    "no colon": (head(b"GET / HTTP/1.1", b"X"), 400),
    "no name": (head(b"GET / HTTP/1.1", b": a"), 400),
    "a bare line feed": (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    "a bare line feed in the middle": (b"GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n", 400),
    "a bare carriage return": (head(b"GET / HTTP/1.1", b"X: a\rb"), 400),
    "a control character": (head(b"GET / HTTP/1.1", b"X: a\x01"), 400),
    # framing
    "a length and chunks": (head(b"POST / HTTP/1.1", b"Content-Length: 0", b"Transfer-Encoding: chunked"), 400),
    "two lengths": (head(b"POST / HTTP/1.1", b"Content-Length: 0", b"Content-Length: 44"), 400),
    "one length twice": (head(b"POST / HTTP/1.1", b"Content-Length: 0", b"Content-Length: 0"), 400),
    "a list of lengths": (head(b"POST / HTTP/1.1", b"Content-Length: 0, 0"), 400),
    "a length with a sign": (head(b"POST / HTTP/1.1", b"Content-Length: +0"), 400),
    "a length below nothing": (head(b"POST / HTTP/1.1", b"Content-Length: -1"), 400),
    "a length in hexadecimal": (head(b"POST / HTTP/1.1", b"Content-Length: 0x0"), 400),
    "a length in other digits": (head(b"POST / HTTP/1.1", b"Content-Length: \xb2"), 400),
    "no length at all": (head(b"POST / HTTP/1.1", b"Content-Length:"), 400),
    "an endless length": (head(b"POST / HTTP/1.1", b"Content-Length: " + b"9" * 30), 400),
    "a length that is too large": (head(b"POST / HTTP/1.1", b"Content-Length: 65537"), 413),
    "gzip, chunked": (head(b"POST / HTTP/1.1", b"Transfer-Encoding: gzip, chunked"), 501),
    "chunked, gzip": (head(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked, gzip"), 501),
    "chunked twice": (head(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 501),
    "xchunked": (head(b"POST / HTTP/1.1", b"Transfer-Encoding: xchunked"), 501),
    "identity": (head(b"POST / HTTP/1.1", b"Transfer-Encoding: identity"), 501),
    "a coding without a name": (head(b"POST / HTTP/1.1", b"Transfer-Encoding:"), 501),
    "a coding behind a vertical tab": (head(b"POST / HTTP/1.1", b"Transfer-Encoding: \x0bchunked"), 400),
    "chunks in HTTP/1.0": (head(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked"), 400),
}


@pytest.mark.parametrize(("stream", "status"), REFUSED.values(), ids=REFUSED)
async def test_what_is_not_plain_is_refused_and_nothing_behind_it_is_read(stream: bytes, status: int) -> None:
    seen = Feeder().feed([stream + SMUGGLED])

    assert seen.requests == []
    assert seen.answers.startswith(b"HTTP/1.1 %d " % status)
    assert seen.answers.count(b"HTTP/1.1 ") == 1
    assert b"\r\nconnection: close\r\n" in seen.answers


CHUNKS: dict[str, tuple[bytes, int]] = {
    "no size": (b"\r\n", 400),
    "a size that is not a number": (b"g\r\n", 400),
    "a size with a sign": (b"+1\r\na\r\n0\r\n\r\n", 400),
    "a size with 0x": (b"0x1\r\na\r\n0\r\n\r\n", 400),
    "a size with an underscore": (b"1_0\r\n", 400),
    "a size behind a space": (b" 1\r\na\r\n0\r\n\r\n", 400),
    "a size before a space": (b"1 \r\na\r\n0\r\n\r\n", 400),
    "an endless size": (b"0" * 300, 400),
    "a size beyond 64 bits": (b"1" + b"0" * 16 + b"\r\n", 400),
    "a size that is too large": (b"10001\r\n", 413),
    "a bare line feed behind the size": (b"1\na\r\n0\r\n\r\n", 400),
    "a bare line feed in an extension": (b"1;\nx\r\na\r\n0\r\n\r\n", 400),
    "a bare carriage return in an extension": (b"1;\rx\r\na\r\n0\r\n\r\n", 400),
    "a chunk that is too long": (b"1\r\nab\r\n0\r\n\r\n", 400),
    "a bare line feed behind a chunk": (b"1\r\na\n0\r\n\r\n", 400),
    "a length behind the body": (b"0\r\nContent-Length: 44\r\n\r\n", 400),
    "a coding behind the body": (b"0\r\nx: y\r\nTransfer-encoding: chunked\r\n\r\n", 400),
    "a line behind the body that is no header": (b"0\r\nGET / HTTP/1.1\r\n\r\n", 400),
    "a folded line behind the body": (b"0\r\nX: y\r\n z\r\n\r\n", 400),
    "a bare line feed behind the body": (b"0\r\n\n" + SMUGGLED, 400),
}


@pytest.mark.parametrize(("chunks", "status"), CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "byte by byte"])
async def test_chunks_that_are_not_plain_are_refused(chunks: bytes, status: int, *, pieces: bool) -> None:
    stream = head(b"POST /b HTTP/1.1", b"Transfer-Encoding: chunked") + chunks
    seen = Feeder().feed([bytes([byte]) for byte in stream] if pieces else [stream + SMUGGLED])

    assert seen.requests == []
    assert seen.answers.startswith(b"HTTP/1.1 %d " % status)
    assert seen.answers.count(b"HTTP/1.1 ") == 1


# ── what is understood ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"http://localhost/a?b", "/a|b"),
        (b"HTTP://LocalHost?b", "/|b"),
        (b"*", "*|"),
        (b"//a/b", "//a/b|"),
        (b"/a?b?c", "/a|b?c"),
        (b"/%2e%2e/%00", "/../\0|"),
    ],
)
async def test_every_form_of_address_is_understood(target: bytes, path: str) -> None:
    seen = Feeder().feed([head(b"OPTIONS %b HTTP/1.1" % target)])

    assert seen.answers.endswith(f"\r\n\r\n{path}|host|".encode())


@pytest.mark.parametrize("host", [b"localhost:8080", b"127.0.0.1", b"[::1]", b"[::1]:80", b"a-b.example", b"a_b"])
async def test_every_plain_host_is_understood(host: bytes) -> None:
    seen = Feeder().feed([head(b"GET / HTTP/1.1", host=b"Host:%b \t" % host)])

    assert seen.answers.endswith(b"\r\n\r\n/||host|")


async def test_lines_of_one_name_are_one_list(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(head(b"GET /console HTTP/1.1", b"Accept: text/html", b"Accept: text/plain"))

        assert await client.hears() == [200]


@pytest.mark.parametrize(
    ("host", "status"),
    [(b"Host: evil.example", 421), (b"Host: 127.0.0.1.evil.example", 421), (b"Host: [::2]", 421), (b"", 400)],
)
async def test_a_host_that_is_not_ours_is_misdirected(serving: Opened, host: bytes, status: int) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(head(b"GET /healthz HTTP/1.1", b"Connection: close", host=host))

        assert await client.is_refused() == status


# ── websockets ────────────────────────────────────────────────────────────────────────────────────────────────────

HANDSHAKE = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Protocol: graphql-transport-ws",
)
GRAPHQL = b"GET /graphql HTTP/1.1"


async def test_a_plain_handshake_becomes_a_websocket(serving: Opened) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(head(GRAPHQL, *HANDSHAKE))

        assert (await client.head()).startswith("http/1.1 101 ")


LENGTH = b"Content-Length: %d" % len(SMUGGLED)
#: A handshake that cannot succeed, and the status that its client is told.
HOPELESS: dict[str, tuple[bytes, int]] = {
    "a line that is too long": (head(GRAPHQL, *HANDSHAKE, b"X: " + b"x" * 9_000), 431),
    "an address that is too long": (head(b"GET /graphql?%b HTTP/1.1" % (b"x" * 8_180), *HANDSHAKE), 414),
    "no key": (head(GRAPHQL, *HANDSHAKE[:3]), 400),
    "a key that is none": (head(GRAPHQL, *HANDSHAKE[:3], b"Sec-WebSocket-Key: x"), 400),
    "two keys": (head(GRAPHQL, *HANDSHAKE, HANDSHAKE[3]), 400),
    "another version": (head(GRAPHQL, *HANDSHAKE[:2], b"Sec-WebSocket-Version: 12", HANDSHAKE[3]), 426),
    "two versions": (head(GRAPHQL, *HANDSHAKE, b"Sec-WebSocket-Version: 8"), 426),
    "no version": (head(GRAPHQL, *HANDSHAKE[:2], HANDSHAKE[3]), 400),
    "another host": (head(GRAPHQL, *HANDSHAKE, host=b"Host: evil.example"), 403),
    "another origin": (head(GRAPHQL, *HANDSHAKE, b"Origin: http://evil.example"), 403),
}


@pytest.mark.parametrize(("handshake", "status"), HOPELESS.values(), ids=HOPELESS)
async def test_a_handshake_that_cannot_succeed_is_answered_and_closed(
    serving: Opened, handshake: bytes, status: int
) -> None:
    async with serving() as served, connected(served.port) as client:
        await client.says(handshake)
        answer = await client.rest()

        assert answer.startswith(b"HTTP/1.1 %d " % status)
        client.writer.close()
        await until(lambda: len(served.connections) == 0)


async def test_a_handshake_of_another_version_is_told_which_one_to_use(serving: Opened) -> None:
    """RFC 6455 4.4, RFC 9110 15.5.22."""
    async with serving() as served, connected(served.port) as client:
        await client.says(head(GRAPHQL, *HANDSHAKE[:2], b"Sec-WebSocket-Version: 8", HANDSHAKE[3]))
        told = await client.head()

        assert told.startswith("http/1.1 426 ")
        for line in ("sec-websocket-version: 13", "upgrade: websocket", "connection: upgrade"):
            assert f"\r\n{line}\r\n" in told


@pytest.mark.parametrize(
    ("first", "line"),
    [
        (GRAPHQL, LENGTH),
        (GRAPHQL, b"Content-Length: 0"),
        (GRAPHQL, b"Transfer-Encoding: chunked"),
        (b"POST /graphql HTTP/1.1", LENGTH),
        (b"HEAD /graphql HTTP/1.1", b"X: y"),
        (b"GET /graphql HTTP/1.0", b"X: y"),
    ],
)
async def test_a_handshake_that_is_none_is_an_ordinary_request(serving: Opened, first: bytes, line: bytes) -> None:
    body = b"0\r\n\r\n" if b"chunked" in line else SMUGGLED if line == LENGTH else b""
    async with serving() as served, connected(served.port) as client:
        await client.says(head(first, *HANDSHAKE, line) + body)
        answer = await client.head()

        assert answer.startswith(("http/1.1 400 ", "http/1.1 415 "))


async def test_websockets_that_never_begin_leave_room_for_others(serving: Opened) -> None:
    async with serving(most=3) as served:
        clients = [await _hopeless(served.port) for _ in range(9)]
        async with connected(served.port) as client:
            await client.says(head(b"GET /healthz HTTP/1.1"))

            assert await client.hears() == [200]
        for writer in clients:
            writer.close()


async def _hopeless(port: int) -> asyncio.StreamWriter:
    """A client of a websocket that begins its body and never ends it."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head(GRAPHQL, *HANDSHAKE, b"Content-Length: 9"))
    await writer.drain()
    return writer
