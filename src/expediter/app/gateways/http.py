"""HTTP as values, so that asynchronous and blocking callers drive the same code.

A conversation yields a request and is sent its response; NoAnswer is thrown into it when there is none (no connection,
a timeout, an answer cut short). It returns the Answer, or raises PaymentUnavailable or RestaurantUnavailable.
"""

from collections.abc import Generator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeAlias, TypeVar

import msgspec

from expediter.app.tasks.calls import Answer, Found

#: Bytes. No answer of a gateway needs more, and longer ones are not read.
MAX_ANSWER = 64 * 1024
#: Characters of an answer's message that are stored and shown.
MAX_MESSAGE = 500
#: Seconds that a call waits by itself when a gateway asks for it: two more requests still fit into a task's 30 seconds.
LONGEST_PAUSE = 5.0
#: The answers that may say when to come back (RFC 9110, RFC 6585).
_COME_BACK = frozenset({429, 503})

T = TypeVar("T")


class HttpRequest(msgspec.Struct, frozen=True):
    """``path`` begins with a slash, follows the gateway's URL and is quoted already.

    ``pause``: how many seconds to wait before it is sent.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    pause: float = 0.0


class HttpResponse(msgspec.Struct, frozen=True):
    """``headers`` are found by their names in any case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class Secret(Protocol):
    """Returns a gateway's secret, None when none is set.

    ``refused``: the value that the gateway refused. A secret that is stored elsewhere is then read again."""

    def __call__(self, refused: str | None = None) -> str | None: ...


class NoAnswer(Exception):
    """The result of the request is unknown: no complete HTTP answer came in time."""


Conversation: TypeAlias = Generator[HttpRequest, HttpResponse, Answer]
#: The one about the key of a charge.
Finding: TypeAlias = Generator[HttpRequest, HttpResponse, Found]
#: A part of a conversation: one question with its response.
Exchange: TypeAlias = Generator[HttpRequest, HttpResponse, HttpResponse]


def authorized(request: HttpRequest, secret: Secret) -> Exchange:
    """The response to the request with the secret as its bearer token (RFC 6750).

    A 401 did nothing. When the secret is another one by now, the request is sent once more with it. Raises NoAnswer for
    a secret that no header can hold: nothing is sent then.
    """
    token = secret()
    response = yield _bearing(request, token)
    if response.status == 401 and (newer := secret(refused=token)) != token:
        response = yield _bearing(request, newer)
    return response


def _bearing(request: HttpRequest, token: str | None) -> HttpRequest:
    if token is None:
        return request
    if not (token.isascii() and token.isprintable()):
        raise NoAnswer("our token for it has characters that cannot be sent")
    return msgspec.structs.replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})


def pause(response: HttpResponse, now: int) -> float | None:
    """The seconds after which a gateway that is too busy wants to be asked again, by its Retry-After (RFC 9110).

    None when it does not say, or says more than LONGEST_PAUSE: then the workflow's Retry decides. ``now``: ms UTC.
    """
    said = response.headers.get("Retry-After", "").strip() if response.status in _COME_BACK else ""
    seconds = _seconds(said, now)
    return seconds if seconds is not None and 0 <= seconds <= LONGEST_PAUSE else None


def _seconds(said: str, now: int) -> float | None:
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        then = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, then.replace(tzinfo=then.tzinfo or UTC).timestamp() - now / 1000)


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
