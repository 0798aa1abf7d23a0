"""The body of a request as it comes, piece by piece: of a known length, or in chunks (RFC 9112 7.1)."""

import re

from expediter.api.errors import BodyTooLarge, HeadersTooLarge, RequestUnparsable
from expediter.embedded.web.http1.request_head import FIELDS, LARGEST_BODY, LARGEST_HEADERS, MOST_HEADERS

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e]*+)?")
#: Bytes of the line before a chunk.
_LONGEST_SIZE = 256
_TRAILERS = re.compile(FIELDS.encode("latin-1"))
#: Headers that say where the message ends or where it goes. They must not come after the body (RFC 9110 6.5.1).
_NEVER_BEHIND = re.compile(
    rb"(?:^|\n)(?:content-length|transfer-encoding|host|connection|upgrade|te|trailer):", re.IGNORECASE
)


class BodyReader:
    """``length``: bytes of the body; None: it comes in chunks, ``largest`` bytes at most."""

    def __init__(self, length: int | None, largest: int = LARGEST_BODY) -> None:
        self._chunked = length is None
        self._largest = largest
        #: Bytes that are still missing of the body or of the chunk.
        self._left = length or 0
        self._held = b""
        self._in_chunk = self._in_trailers = False
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    def feed(self, data: bytes) -> bytes | None:
        """The bytes that came after the body; None while the body is not whole.

        Raises RequestUnparsable, BodyTooLarge, HeadersTooLarge.
        """
        if not self._chunked:
            return self._take(data)
        data, self._held = self._held + data, b""
        while data:
            if self._in_trailers:
                return self._end(data)
            rest = self._chunk(data) if self._in_chunk else self._begin(data)
            if rest is None:
                return None
            data = rest
        return None

    def _take(self, data: bytes) -> bytes | None:
        piece = data[: self._left]
        self._pieces.append(piece)
        self._left -= len(piece)
        return None if self._left else data[len(piece) :]

    def _begin(self, data: bytes) -> bytes | None:
        """Reads the line before a chunk."""
        end = data.find(b"\r\n", 0, _LONGEST_SIZE)
        if end < 0:
            if len(data) >= _LONGEST_SIZE or b"\n" in data:
                raise RequestUnparsable("The size of a chunk is too long. Send it in hexadecimal digits.")
            self._held = data
            return None
        found = _SIZE.fullmatch(data, 0, end)
        if found is None:
            raise RequestUnparsable("The size of a chunk is not a number. Send it in hexadecimal digits.")
        self._left = int(found[1], 16)
        self._size += self._left
        if self._size > self._largest:
            raise BodyTooLarge
        self._in_chunk, self._in_trailers = self._left > 0, self._left == 0
        return data[end + 2 :]

    def _chunk(self, data: bytes) -> bytes | None:
        """Reads a chunk and the end of its line."""
        if self._left:
            rest = self._take(data)
            if not rest:
                return rest
            data = rest
        if not b"\r\n".startswith(data[:2]):
            raise RequestUnparsable("A chunk is longer than its size. End it with CRLF.")
        if len(data) < 2:
            self._held = data
            return None
        self._in_chunk = False
        return data[2:]

    def _end(self, data: bytes) -> bytes | None:
        """Reads and drops the headers after the last chunk."""
        if data.startswith(b"\r\n"):
            return data[2:]
        end = data.find(b"\r\n\r\n")
        trailers = data[: end + 2] if end >= 0 else data
        if len(trailers) > LARGEST_HEADERS or trailers.count(b"\n") > MOST_HEADERS:
            raise HeadersTooLarge
        if end < 0:
            self._held = data
            return None
        if not _TRAILERS.fullmatch(trailers) or _NEVER_BEHIND.search(trailers):
            raise RequestUnparsable("The headers after the body are not valid. Leave them out.")
        return data[end + 4 :]
