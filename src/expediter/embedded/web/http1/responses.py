"""Answers, and their bytes."""

import asyncio
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import NamedTuple, TypeAlias

from expediter.api.request import Response

STATUS_LINES = {it.value: f"HTTP/1.1 {it.value} {it.phrase}\r\n".encode() for it in HTTPStatus}
#: Tells a client that waits with its body to send it (RFC 9110 10.1.1).
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
#: The answer to a request that gets no other.
BROKEN = STATUS_LINES[500] + b"content-length: 0\r\nconnection: close\r\n\r\n"
#: The end of an answer in chunks.
LAST_CHUNK = b"0\r\n\r\n"
#: On every answer: browsers take its type as said.
_ALWAYS = "x-content-type-options: nosniff\r\n"
#: On every answer that says nothing else of caches: it is of this moment, and for this client only.
_FRESH = f"{_ALWAYS}cache-control: no-store\r\n"


class Stream(NamedTuple):
    """An answer without an end: its body is what ``events`` yields. Its ``headers`` hold Cache-Control."""

    headers: tuple[tuple[str, str], ...]
    events: AsyncGenerator[bytes]


#: What an application answers: at once, or later.
Answer: TypeAlias = "Response | asyncio.Future[Response] | asyncio.Future[Response | Stream]"


def head_of(response: Response) -> str:
    """The lines of the answer's head without the first one and the empty one.

    Raises ValueError for a line break in a value: what comes after it would be another header.
    """
    head = _fields(response.headers)
    return head if response.status == 204 else f"{head}content-length: {len(response.body)}\r\n"


def stream_head(stream: Stream, always: bytes, *, chunked: bool, keep_alive: bool) -> bytes:
    """The whole head of an answer without a length. Raises ValueError as ``head_of``."""
    framing = "transfer-encoding: chunked\r\n" if chunked else ""
    closing = "" if keep_alive else "connection: close\r\n"
    return STATUS_LINES[200] + always + f"{_fields(stream.headers)}{framing}{closing}\r\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_answer(response: Response) -> bytes:
    """The last answer on a connection."""
    return STATUS_LINES[response.status] + f"{head_of(response)}connection: close\r\n\r\n".encode() + response.body


def _fields(headers: tuple[tuple[str, str], ...]) -> str:
    fields, always = "", _FRESH
    for name, value in headers:
        if "\n" in value or "\r" in value:
            raise ValueError("a header holds a line break")
        if name == "Cache-Control":
            always = _ALWAYS
        fields += f"{name.lower()}: {value}\r\n"
    return always + fields
