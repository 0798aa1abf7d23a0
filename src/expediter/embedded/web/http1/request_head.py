"""Reads the head of an HTTP/1.1 request into a value, and refuses everything that is not plain.

Each rule is stricter than RFC 9110 and RFC 9112, so that no proxy in front can read the same bytes differently:
 - lines end in CRLF; no empty line before the first one, no folded line, no control characters;
 - the version is 1.0 or 1.1; a request of HTTP/1.1 has one Host;
 - the length of a body comes from one Content-Length or from ``Transfer-Encoding: chunked``, never from both;
 - lines of one name are one list (RFC 9110 5.3). So a header that may come once is refused when it comes twice.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from expediter.api.errors import (
    AddressTooLong,
    BodyTooLarge,
    CodingUnsupported,
    HeadersTooLarge,
    RequestUnparsable,
    VersionUnsupported,
    WebsocketVersionUnsupported,
)
from expediter.api.request import Headers
from expediter.app.payments.events import LARGEST_EVENT

#: Bytes of a request's address, and of its headers.
LONGEST_ADDRESS = 8 * 1024
LARGEST_HEADERS = 16 * 1024
#: Header lines of one request.
MOST_HEADERS = 100
#: Bytes of a body. Events of payment providers come under EVENTS, and may be larger.
LARGEST_BODY = 64 * 1024
EVENTS = "/webhooks/"
#: Bytes of a whole head.
LARGEST_HEAD = LONGEST_ADDRESS + LARGEST_HEADERS
#: Bytes of the longest line that the library for websockets reads.
_LONGEST_LINE = 8 * 1024

_TCHAR = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
#: Header lines, or trailers. A value holds no control character but the tab.
FIELDS = rf"(?:{_TCHAR}++:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n)*+"
_REQUEST_LINE = re.compile(rf"({_TCHAR}++) ([!\"$-~]++) HTTP/1\.([01])")
_FIELD = re.compile(rf"({_TCHAR}++):[ \t]*+(.*+)", re.DOTALL)
#: What no value holds. It is searched for in one go: a token has a thousand characters.
_CONTROLS = bytes(byte for byte in (*range(32), 127) if byte != ord("\t"))
_OTHER_VERSION = re.compile(rf"{_TCHAR}++ [!-~]++ HTTP/(?!1\.[01])[0-9]\.[0-9]")
_HOST = re.compile(r"(?:[0-9A-Za-z._-]++|\[[0-9A-Fa-f:.]++\])(?::[0-9]{1,5})?")
_ABSOLUTE = re.compile(r"http://([^/?]++)(/[^?]*+)?(?:\?(.*+))?", re.IGNORECASE)
#: How a head may begin.
_BEGINNINGS = frozenset(bytes([byte]) for byte in range(128) if re.fullmatch(_TCHAR, chr(byte)))
#: Digits of the longest Content-Length that is read.
_LONGEST_LENGTH = 18
#: Heads repeat most of their lines. So many parsed lines are kept: 2 MB, if all have the greatest length.
_KEPT = 128

_NOT_HTTP = "This is not a request of HTTP/1.1. Send it as RFC 9112 says."


class RequestHead(msgspec.Struct, frozen=True, gc=False):
    """A request without its body.

    ``path`` has its %-escapes resolved, ``query`` has not. ``headers`` have lower-case names. ``length``: bytes of the
    body, None when it comes in chunks. ``keep_alive``: the client may send another request on this connection.
    ``peer``: the address at the other end of it.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    length: int | None
    keep_alive: bool
    http10: bool
    peer: str = ""

    def arguments(self) -> tuple[tuple[str, str], ...]:
        """The names and values in the query, in their order."""
        return tuple(parse_qsl(self.query, keep_blank_values=True)) if self.query else ()


def parse_head(data: bytes, peer: str = "") -> RequestHead:
    """The head in ``data``, its empty line included. ``peer``: the address that sent it.

    Raises RequestUnparsable, VersionUnsupported, CodingUnsupported, AddressTooLong, HeadersTooLarge, BodyTooLarge.
    """
    if data[-4:] != b"\r\n\r\n":
        raise RequestUnparsable(_NOT_HTTP)
    lines = data[:-4].decode("latin-1").split("\r\n")
    line = lines.pop(0)
    method, path, query, http10, host = _request_line(line)
    headers = _headers(lines, len(data) - len(line) - 4)
    if "host" in headers:
        if not _is_host(headers["host"]):
            raise RequestUnparsable("The header Host is not one host name with an optional port. Send one Host.")
    elif not http10:
        raise RequestUnparsable("The header Host is missing. Send it with every request.")
    if host is not None and host != headers.get("host", "").lower():
        raise RequestUnparsable("The address and the header Host name two hosts. Send one.")
    return RequestHead(
        method=method,
        path=unquote(path) if "%" in path else path,
        query=query,
        headers=headers,
        length=_length(headers, path, http10=http10),
        keep_alive=not http10 and ("connection" not in headers or "close" not in options(headers["connection"])),
        http10=http10,
        peer=peer,
    )


def check_part(data: bytes) -> None:
    """Raises AddressTooLong, HeadersTooLarge or RequestUnparsable when these bytes cannot begin a head."""
    if data[:1] not in _BEGINNINGS or data.count(b"\n") != data.count(b"\r\n"):
        raise RequestUnparsable(_NOT_HTTP)
    if len(data) > LONGEST_ADDRESS + 1024 and b"\r\n" not in data:
        raise AddressTooLong
    if len(data) > LARGEST_HEAD or data.count(b"\n") > MOST_HEADERS + 1:
        raise HeadersTooLarge


def readable_headers(data: bytes) -> Headers:
    """The headers of a request that is refused, as far as they can be read. Only its answer may depend on them."""
    lines = data[:LARGEST_HEAD].partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    fields = (line.partition(":") for line in lines if ":" in line)
    return {name.lower(): value.strip(" \t") for name, _, value in fields}


def options(value: str) -> set[str]:
    """The members of a comma-separated list, in lower case."""
    return {option.strip(" \t").lower() for option in value.split(",")}


def asks_for_websocket(head: RequestHead) -> bool:
    """Whether the request asks for a websocket (RFC 6455). Any other Upgrade is ignored (RFC 9110 7.8)."""
    headers = head.headers
    return (
        "upgrade" in headers
        and head.method == "GET"
        and not head.http10
        and head.keep_alive
        and "websocket" in options(headers["upgrade"])
        and "upgrade" in options(headers.get("connection", ""))
        and "content-length" not in headers
        and head.length == 0
    )


def check_handshake(head: RequestHead, data: bytes) -> None:
    """``data``: the bytes of this head, which asks for a websocket.

    Raises WebsocketVersionUnsupported (RFC 6455 4.4). Raises AddressTooLong and HeadersTooLarge when the library for
    websockets cannot read it.
    """
    lines = data.split(b"\r\n")
    if len(lines[0]) >= _LONGEST_LINE:
        raise AddressTooLong
    if max(map(len, lines)) >= _LONGEST_LINE:
        raise HeadersTooLarge
    if head.headers.get("sec-websocket-version", "13") != "13":
        raise WebsocketVersionUnsupported


def _headers(lines: list[str], size: int) -> dict[str, str]:
    """``size``: bytes of all lines. Raises HeadersTooLarge, RequestUnparsable."""
    headers: dict[str, str] = {}
    if size > LARGEST_HEADERS or len(lines) > MOST_HEADERS:
        raise HeadersTooLarge
    for line in lines:
        name, value = _field(line)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


@lru_cache(maxsize=_KEPT)
def _field(line: str) -> tuple[str, str]:
    """Name and value of a header. Raises RequestUnparsable."""
    found = _FIELD.fullmatch(line)
    if found is None or len(line.encode("latin-1").translate(None, _CONTROLS)) < len(line):
        raise RequestUnparsable(_NOT_HTTP)
    return found[1].lower(), found[2].rstrip(" \t")


@lru_cache(maxsize=_KEPT)
def _is_host(value: str) -> bool:
    """Whether it is one host name with an optional port."""
    return _HOST.fullmatch(value) is not None


class RequestLine(NamedTuple):
    """``path``: as it was sent. ``host``: of an absolute URL, in lower case."""

    method: str
    path: str
    query: str
    http10: bool
    host: str | None = None


@lru_cache(maxsize=_KEPT)
def _request_line(line: str) -> RequestLine:
    """The first line of a head (RFC 9112 3.2). Raises RequestUnparsable, VersionUnsupported, AddressTooLong."""
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        raise VersionUnsupported if _OTHER_VERSION.fullmatch(line) else RequestUnparsable(_NOT_HTTP)
    method, target, minor = found.groups()
    http10 = minor == "0"
    if len(target) > LONGEST_ADDRESS:
        raise AddressTooLong
    if target[0] == "/" and method != "CONNECT":
        path, _, query = target.partition("?")
        return RequestLine(method, path, query, http10)
    if target == "*" and method == "OPTIONS":
        return RequestLine(method, target, "", http10)
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise RequestUnparsable("The address is not a path. Send one that begins with a slash.")
    return RequestLine(method, absolute[2] or "/", absolute[3] or "", http10, absolute[1].lower())


def largest_body(path: str) -> int:
    """Bytes of a body that is sent there, at most."""
    return LARGEST_EVENT if path.startswith(EVENTS) else LARGEST_BODY


def _length(headers: Mapping[str, str], path: str, *, http10: bool) -> int | None:
    """Raises RequestUnparsable, CodingUnsupported, BodyTooLarge."""
    given, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if given is not None or http10:
            raise RequestUnparsable("The length of the body is given twice. Send Content-Length or Transfer-Encoding.")
        if coding.lower() != "chunked":
            raise CodingUnsupported
        return None
    if given is None:
        return 0
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST_LENGTH):
        raise RequestUnparsable("The header Content-Length is not one number. Send the body's length in bytes.")
    length = int(given)
    if length > LARGEST_BODY and length > largest_body(path):
        raise BodyTooLarge
    return length
