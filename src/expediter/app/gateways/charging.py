"""The rules for every payment provider, with any protocol.

- Silence is PaymentUnavailable.
- Before a charge is repeated, the provider is asked what became of its key.
"""

from collections.abc import Callable, Generator
from functools import wraps
from typing import ParamSpec, TypeVar

from expediter.app.gateways.http import (
    Conversation,
    Finding,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Secret,
    authorized,
    pause,
)
from expediter.app.tasks.calls import REPEAT_WITHIN, Charge, Done, NeverSeen, Pending, Refused
from expediter.domain.errors import PaymentUnavailable

P = ParamSpec("P")
T = TypeVar("T")


def answered(
    conversation: Callable[P, Generator[HttpRequest, HttpResponse, T]],
) -> Callable[P, Generator[HttpRequest, HttpResponse, T]]:
    """A decorator: the conversation raises PaymentUnavailable instead of NoAnswer."""

    @wraps(conversation)
    def with_unavailable(*args: P.args, **kwargs: P.kwargs) -> Generator[HttpRequest, HttpResponse, T]:
        try:
            return (yield from conversation(*args, **kwargs))
        except NoAnswer as error:
            raise PaymentUnavailable(f"The payment provider did not answer: {error}") from error

    return with_unavailable


def charged_once(
    call: Charge,
    now: int,
    secret: Secret,
    *,
    request: HttpRequest,
    find: Callable[[float], Finding],
    read: Callable[[HttpResponse], Done | Refused | Pending],
) -> Conversation:
    """Sends the request that charges, and reads its response: Done, Refused or Pending. Raises PaymentUnavailable and
    NoAnswer.

    ``find`` asks, after so many seconds, what became of the charge's key. It is asked first when an earlier try may
    have arrived, and when the provider was too busy. A charge that is not found is made, unless its first try is so old
    that the provider may have forgotten its key.
    """
    after = 0.0
    if not call.repeat:
        response = yield from authorized(request, secret)
        busy = pause(response, now)
        if busy is None:
            return read(response)
        after = busy
    found = yield from find(after)
    if not isinstance(found, NeverSeen):
        return found
    if now - call.tried_at > REPEAT_WITHIN:
        raise PaymentUnavailable(
            "The payment provider does not know a charge first tried more than 20 hours ago; it may have forgotten "
            "it, so it is not made again."
        )
    return read((yield from authorized(request, secret)))
