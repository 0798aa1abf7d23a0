"""HTTP as values, so that asynchronous and blocking callers drive the same code.

A conversation yields a request and is sent its response; NoAnswer is thrown into it when there is none (no connection,
a timeout, an answer cut short). It returns the Answer, or raises PaymentUnavailable or RestaurantUnavailable.
"""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

import msgspec

from expediter.app.tasks.calls import Answer

#: Bytes. No answer of a gateway needs more, and longer ones are not read.
MAX_ANSWER = 64 * 1024
#: Letters of an answer's message that are kept and shown.
MAX_MESSAGE = 500

T = TypeVar("T")


class HttpRequest(msgspec.Struct, frozen=True):
    """``path`` begins with a slash, follows the gateway's URL and is quoted already."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


class HttpResponse(msgspec.Struct, frozen=True):
    status: int
    body: bytes


class NoAnswer(Exception):
    """The result of the request is unknown: no complete HTTP answer came in time."""


Conversation: TypeAlias = Generator[HttpRequest, HttpResponse, Answer]


def succeeded(response: HttpResponse) -> bool:
    return 200 <= response.status < 300


def parsed(response: HttpResponse, shape: type[T]) -> T | None:
    """The body as ``shape``; None for any other body, or one that is too long."""
    if len(response.body) > MAX_ANSWER:
        return None
    try:
        return msgspec.json.decode(response.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def cleaned(message: str) -> str:
    """The message of an answer in a form that can be stored and shown: one line, no control characters, not too
    long."""
    printable = "".join(letter if letter.isprintable() else " " for letter in message[: 8 * MAX_MESSAGE])
    return " ".join(printable.split())[:MAX_MESSAGE]
