"""ASGI to the doors' values and back: headers, bodies within their limits, answers.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from expediter.api.errors import AddressTooLong, BodyTooLarge, HeadersTooLarge
from expediter.api.request import Headers, Response

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
#: Lines of a head, their names in lower case.
Lines: TypeAlias = Sequence[tuple[bytes, bytes]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
#: An answer, or the future that will have it or the error that has to be told instead.
Answer: TypeAlias = Response | asyncio.Future[Response]

LARGEST_BODY = 64 * 1024
#: How much of a body that is too large is read all the same.
READ_ALL_THE_SAME = 1024 * 1024
LARGEST_HEADERS = 16 * 1024
LONGEST_ADDRESS = 8 * 1024

#: On every answer: it is as of now and only for who asked, and browsers take its type as said.
_ALWAYS = (("cache-control", "no-store"), ("x-content-type-options", "nosniff"))
_ALWAYS_SAID = "".join(f"{name}: {value}\r\n" for name, value in _ALWAYS)


class ClientGone(Exception):
    """The client went away before its request was complete; there is nobody to answer."""


class Asked(msgspec.Struct, frozen=True):
    """A request as it came, but for its body. ``raw_path`` is the path before %-escapes were resolved."""

    method: str
    path: str
    raw_path: bytes
    query: bytes
    lines: Lines


def asked_of(scope: Scope) -> Asked:
    method = scope.get("method", "GET")  # that of every websocket's handshake, which is not told
    return Asked(method, scope["path"], scope["raw_path"], scope["query_string"], scope["headers"])


def headers_of(asked: Asked) -> Headers:
    """Raises AddressTooLong, HeadersTooLarge."""
    if len(asked.raw_path) + len(asked.query) > LONGEST_ADDRESS:
        raise AddressTooLong
    headers, size = {}, 0
    for name, value in asked.lines:
        size += len(name) + len(value)
        headers[name.decode("latin-1")] = value.decode("latin-1")
    if size > LARGEST_HEADERS:
        raise HeadersTooLarge
    return headers


def query_of(asked: Asked) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(asked.query.decode("latin-1"), keep_blank_values=True)) if asked.query else ()


async def body_of(headers: Headers, receive: Receive) -> bytes:
    """The whole body. Raises BodyTooLarge, ClientGone."""
    length = int(headers.get("content-length", 0))
    if length > LARGEST_BODY:
        if length <= READ_ALL_THE_SAME:
            await _discard(receive)
        raise BodyTooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body") and len(body) <= LARGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise ClientGone
    if len(body) > LARGEST_BODY:
        if message.get("more_body"):
            await _discard(receive)
        raise BodyTooLarge
    return body


async def _discard(receive: Receive) -> None:
    """Reads on for a while: a client that is still sending when its connection closes may never see why."""
    left = READ_ALL_THE_SAME
    while left > 0:
        message = await receive()
        if not message.get("more_body"):
            return
        left -= len(message["body"])


async def refuse_websocket(send: Send, response: Response) -> None:
    """Answers a handshake as any other request (https://asgi.readthedocs.io/en/latest/extensions.html)."""
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
    await send({"type": "websocket.http.response.start", "status": response.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": response.body})


async def respond(send: Send, response: Response) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in (*response.headers, *_ALWAYS)]
    if response.status != 204:
        headers.append((b"content-length", b"%d" % len(response.body)))
    if response.status == 413:
        headers.append((b"connection", b"close"))  # what is left of the body is not read
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def head_of(response: Response) -> str:
    """The lines of the answer as they go over the wire, but for the first one and the empty one."""
    head = _ALWAYS_SAID
    for name, value in response.headers:
        if "\n" in value or "\r" in value:
            raise ValueError("a header holds a line break")  # what comes after it would be another header
        head += f"{name.lower()}: {value}\r\n"
    return head if response.status == 204 else f"{head}content-length: {len(response.body)}\r\n"
