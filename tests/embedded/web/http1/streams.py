"""Streams of bytes as clients and attackers send them: requests, mutated, cut into segments, with any chance's help.

A generator of ``random`` chooses; hypothesis gives one whose choices it can shrink.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

METHODS = (b"GET", b"GET", b"POST", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"CONNECT", b"PATCH", b"M-SEARCH")
TARGETS = (
    b"/",
    b"/a",
    b"/a?b=c",
    b"/%41",
    b"//a/b",
    b"*",
    b"http://localhost/a",
    b"http://evil.example/",
    b"/a#b",
    b"a:80",
)
VERSIONS = (b"HTTP/1.1",) * 9 + (b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2")
BODIES = (b"", b"a", b"abc", b"0\r\n\r\n", b"\r\n\r\n", b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n", b"x" * 40)
LINES = (
    b"Host: localhost",
    b"Host: evil.example",
    b"Host: localhost:80@evil.example",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: Upgrade",
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: h2c",
    b"Upgrade: x",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Expect: 100-continue",
    b"Content-Length: 0",
    b"Content-Length: 3",
    b"Content-Length: 3, 3",
    b"Content-Length: +3",
    b"Content-Length: 03",
    b"Content-Length:",
    b"Content_Length: 3",
    b"Content-Length : 3",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: CHUNKED",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: xchunked",
    b"TE: trailers",
    b"Trailer: X",
    b" folded",
    b"\tTransfer-Encoding: chunked",
    b"X: \xe9",
    b"X:",
    b"X: a\x00b",
    b"no colon",
    b": no name",
)
TRAILERS = (b"", b"", b"", b"X: y\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b" x\r\n")
#: What a mutation puts anywhere.
BITS = (
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"0",
    b"1",
    b"a",
    b"\x00",
    b"\x0b",
    b"\x80",
    b"\r\n\r\n",
    b"0\r\n\r\n",
)
LINE_ENDS = (b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" \r\n", b"\r\n ", b"\r\n\t")


def stream(chance: Random) -> bytes:
    """One to four requests, most of them plain, and up to three mutations of the whole."""
    data = b"".join(_request(chance) for _ in range(chance.randint(1, 4)))
    for _ in range(_few(chance, 3)):
        data = chance.choice(_MUTATIONS)(chance, data)
    return data


def segments(chance: Random, data: bytes) -> list[bytes]:
    """The same bytes as they may arrive."""
    if len(data) < 2 or not chance.randint(0, 3):
        return [data]
    if not chance.randint(0, 15):
        return [data[at : at + 1] for at in range(len(data))]
    borders = sorted({chance.randint(1, len(data) - 1) for _ in range(chance.randint(1, 6))})
    return [data[begin:end] for begin, end in zip([0, *borders], [*borders, len(data)], strict=True)]


def _request(chance: Random) -> bytes:
    body = _pick(chance, BODIES)
    lines = [b"Host: localhost"]
    framing = chance.randint(0, 3)
    if framing == 1:
        lines.append(b"Content-Length: %d" % len(body))
    elif framing == 2:
        lines.append(b"Transfer-Encoding: chunked")
        body = _chunks(chance, body)
    elif framing == 3:
        body = b""
    else:
        lines.append(_pick(chance, LINES))
    for _ in range(_few(chance, 3)):
        lines.insert(chance.randint(0, len(lines)), _pick(chance, LINES))
    first = b" ".join((_pick(chance, METHODS), _pick(chance, TARGETS), _pick(chance, VERSIONS)))
    return b"\r\n".join((first, *lines, b"", body))


def _chunks(chance: Random, body: bytes) -> bytes:
    data, at = b"", 0
    while at < len(body):
        size = chance.randint(1, len(body) - at)
        extension = _pick(chance, (b"", b"", b"", b";a=b", b';a="\r\n"', b";\n", b" ", b" ;a"))
        data += b"%x%b\r\n%b\r\n" % (size, extension, body[at : at + size])
        at += size
    last = _pick(chance, (b"0", b"0", b"0", b"000", b"0;a", b"-0", b"0x0", b""))
    trailer = _pick(
        chance, (b"", b"", b"", b"X: y\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b" x\r\n")
    )
    return data + last + b"\r\n" + trailer + b"\r\n"


# ── mutations ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _insert(chance: Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + _pick(chance, BITS) + data[at:]


def _remove(chance: Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.randint(1, 4) :]


def _replace(chance: Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + bytes([chance.randint(0, 255)]) + data[at + 1 :]


def _repeat(chance: Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at : at + chance.randint(1, 60)] * 2 + data[at:]


def _cut(chance: Random, data: bytes) -> bytes:
    return data[: chance.randint(0, len(data))]


def _line(chance: Random, data: bytes) -> bytes:
    """Puts another line where one ends."""
    parts = data.split(b"\r\n")
    parts.insert(chance.randint(0, len(parts)), _pick(chance, LINES))
    return b"\r\n".join(parts)


def _line_end(chance: Random, data: bytes) -> bytes:
    """Ends one line in another way."""
    parts = data.split(b"\r\n")
    at = chance.randint(0, len(parts) - 1)
    return b"\r\n".join(parts[: at + 1]) + _pick(chance, LINE_ENDS) + b"\r\n".join(parts[at + 1 :])


_MUTATIONS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _insert,
    _remove,
    _replace,
    _repeat,
    _cut,
    _line,
    _line_end,
)


def _few(chance: Random, most: int) -> int:
    """Often none."""
    return chance.choice((0, 0, 1, 1, most - 1, most))


def _pick(chance: Random, options: Sequence[T]) -> T:
    return chance.choice(options)
